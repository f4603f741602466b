// One server: its connections, and whether it is worth asking.
#pragma once

#include <string>
#include <vector>

#include "redis/connection.hpp"
#include "redis/redis_conf.hpp"

namespace redis {

class Client;

class Node {
public:
    enum class Role {
        server,     // standalone, or of a cluster
        master,     // as a Sentinel says: it must say so itself
        sentinel,
    };

    // As it is configured.
    Node(Client &client, const ngx_http_llm_redis_server_t &server, Role role);
    // As another server names it. Check has_address().
    Node(Client &client, llm::redis::Address address, Role role);
    ~Node();
    Node(const Node &) = delete;
    Node &operator=(const Node &) = delete;

    Client &client() noexcept { return client_; }
    const ngx_http_llm_redis_t &conf() const noexcept;
    Role role() const noexcept { return role_; }
    const llm::redis::Address &address() const noexcept { return address_; }
    const std::string &name() const noexcept { return name_; }
    const std::string &tls_name() const noexcept { return tls_name_; }
    bool is_configured() const noexcept { return pool_ == nullptr; }
    bool has_address() const noexcept { return endpoint_ || sockaddr_; }

    // NGX_OK, or NGX_AGAIN as ngx_http_llm_endpoint_resolve().
    ngx_int_t resolve(ngx_http_llm_waiter_t *waiter) noexcept;
    bool pick(ngx_pool_t *pool, struct sockaddr **sockaddr,
              socklen_t *socklen, ngx_str_t **name) noexcept;
    void address_failed(const struct sockaddr *sockaddr,
                        socklen_t socklen) noexcept;

    // The command is the node's until it is answered, has failed, or is taken
    // back from its connection.
    void send(Command &command) noexcept;

    // The breaker: a server that fails is not asked for a while, each time for
    // longer; then one command is the probe.
    bool is_broken() const noexcept { return broken_; }
    void succeeded() noexcept;
    void failed(const char *why, ngx_err_t err = 0) noexcept;

    // Nobody sends anything to it any more: it goes when it is idle.
    void retire(bool retired) noexcept;
    bool is_gone() const noexcept { return retired_ && pending_ == 0; }

    // From its connections.
    void taken() noexcept { ++pending_; }
    void released() noexcept;
    void opened(const Connection &connection) noexcept;
    void detach(Connection &connection) noexcept;
    void lost(const Connection &connection, const char *why,
              Connection::Loss loss, ngx_err_t err) noexcept;
    // Out of work: false if it is no longer needed, and is destroyed.
    bool keep(Connection &connection) noexcept;

private:
    bool admit() noexcept;
    bool works() const noexcept;
    Connection *add(bool exclusive) noexcept;
    Connection *shared() noexcept;
    Connection *exclusive() noexcept;

    Client &client_;
    Role role_;
    llm::redis::Address address_;
    std::string name_;          // for the log
    std::string tls_name_;
    ngx_http_llm_endpoint_t *endpoint_ = nullptr;
    struct sockaddr *sockaddr_ = nullptr;   // of a Unix socket
    socklen_t socklen_ = 0;
    ngx_str_t text_ = ngx_null_string;      // of a Unix socket
    ngx_pool_t *pool_ = nullptr;    // of the endpoint, if not configured

    std::vector<Connection *> connections_;
    std::vector<Connection *> exclusives_;
    ngx_uint_t pending_ = 0;

    ngx_msec_t more_at_ = 0;    // when another connection may be tried
    ngx_msec_t retry_at_ = 0;
    ngx_msec_t backoff_ = 0;
    bool broken_ = false;
    bool probing_ = false;
    bool retired_ = false;
};

}  // namespace redis
