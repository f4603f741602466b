// What a worker has of one llm_redis: its servers, and the commands that are
// on their way.
//
// Failures are told later on, in an event of their own: nobody is called back
// from within what he called, and a connection that fails needs not care what
// is done about it.
#pragma once

#include <memory>
#include <vector>

#include "redis/topology.hpp"

namespace redis {

// How often a command is sent on by servers that are not the right ones.
constexpr unsigned max_redirections = 5;

class Client {
public:
    // The worker's; made at the first call. NULL: no memory.
    static Client *of(ngx_http_llm_redis_t *conf) noexcept;
    // Closes all connections; nobody is told.
    static void destroy(ngx_http_llm_redis_t *conf) noexcept;

    explicit Client(ngx_http_llm_redis_t *conf);
    ~Client();
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    const ngx_http_llm_redis_t &conf() const noexcept { return *conf_; }
    // The configured ones.
    const std::vector<Node *> &seeds() const noexcept { return seeds_; }
    const std::vector<std::unique_ptr<Node>> &nodes() const noexcept {
        return nodes_;
    }
    // The node of an address, made if there is none. NULL: it is none that
    // could be connected to. May throw std::bad_alloc.
    Node *node(const llm::redis::Address &address, Node::Role role);

    // NULL: no memory.
    Command *send(const ngx_http_llm_redis_command_t &command,
                  ngx_http_llm_redis_handler_pt handler, void *data) noexcept;
    // The client's own question to one node.
    Command *ask(Node &node, std::span<const std::string_view> words,
                 ngx_http_llm_redis_handler_pt handler, void *data) noexcept;
    void cancel(Command &command) noexcept;

    // From nodes and their connections: a command is with the client again.
    void answer(Node &node, Command &command, llm::redis::Reply &reply)
        noexcept;
    void fail(Command &command, const char *why) noexcept;
    // It waits until it is known where it should go, or a moment.
    void park(Command &command) noexcept;
    // The same, for one that has been at the wrong server.
    void reroute(Command &command, const char *why) noexcept;
    void node_failed(Node &node) noexcept { topology_->failed(node); }
    void node_doubted(Node &node) noexcept { topology_->doubted(node); }
    // Where commands go has changed.
    void retry() noexcept;
    void sweep_later() noexcept;

    // At most once a second; the rest is counted.
    void report(ngx_uint_t level, ngx_err_t err, const char *format, ...)
        noexcept;

private:
    Command *create(std::span<const std::string_view> words,
                    ngx_msec_t block) noexcept;
    void release(Command &command) noexcept;
    void finish(Command &command, const llm::redis::Reply *reply) noexcept;
    void route(Command &command) noexcept;
    bool trouble(Node &node, Command &command,
                 const llm::redis::Reply &reply) noexcept;

    static void on_timer(ngx_event_t *ev) noexcept;
    static void on_retry(ngx_event_t *ev) noexcept;
    static void on_later(ngx_event_t *ev) noexcept;
    void expire() noexcept;
    bool expire(Command &command) noexcept;
    void arm() noexcept;
    void sweep() noexcept;

    ngx_http_llm_redis_t *conf_;
    // nginx's debug log looks for a descriptor in an event's data.
    ngx_connection_t dummy_ = {};
    ngx_event_t timer_ = {};        // for the first deadline
    ngx_event_t retry_ = {};        // for what is parked
    ngx_event_t later_ = {};        // for what has failed

    ngx_queue_t ages_;      // that are not to block: by their deadline
    ngx_queue_t blocked_;   // the others
    ngx_queue_t parked_;
    ngx_queue_t failed_;
    ngx_uint_t outstanding_ = 0;    // but for those that block

    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<Node *> seeds_;
    std::unique_ptr<Topology> topology_;

    time_t reported_ = 0;
    ngx_uint_t suppressed_ = 0;
    bool sweep_ = false;
};

}  // namespace redis
