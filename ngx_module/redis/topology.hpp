// Which server a command goes to.
#pragma once

#include <memory>
#include <vector>

#include "redis/node.hpp"

namespace redis {

class Topology {
public:
    virtual ~Topology() = default;

    // node NULL: the command fails where `failure` says why, else it waits.
    struct Choice {
        Node *node;
        const char *failure;
    };
    virtual Choice choose(const Command &command) noexcept = 0;

    // A server has failed.
    virtual void failed(Node &) noexcept {}
    // It says itself that it is not what it was taken for.
    virtual void doubted(Node &) noexcept {}
    // The error of a server that is not the right one. True: the command is
    // taken care of. False: it is the caller's, and so is the error.
    virtual bool redirected(Node &, Command &, llm::redis::Trouble,
                            const llm::redis::Reply &) noexcept {
        return false;
    }
    // Servers are being asked: they must not go.
    virtual bool is_looking() const noexcept { return false; }
};

// Asks servers, one after the other, who is in charge.
class Discovery : public Topology {
public:
    explicit Discovery(Client &client) noexcept : client_(client) {}

    bool is_looking() const noexcept final { return looking_; }
    void failed(Node &node) noexcept override;

protected:
    using Words = std::vector<std::string_view>;

    // True: it is being found out. False: not so soon after the last time.
    bool look() noexcept;
    // The last time, nobody could say.
    bool is_lost() const noexcept { return backoff_ != 0; }

    virtual Words question() const = 0;
    virtual std::vector<Node *> candidates() = 0;
    virtual bool adopt(Node &node, const llm::redis::Reply &reply) = 0;
    virtual bool concerns(const Node &node) const noexcept = 0;
    virtual const char *failure() const noexcept = 0;

    Client &client_;

private:
    static void on_answer(void *data,
                          const ngx_http_llm_redis_result_t &result) noexcept;
    void ask_next() noexcept;
    void end(bool found) noexcept;

    std::vector<Node *> nodes_;     // to be asked
    size_t next_ = 0;               // of them
    ngx_msec_t not_before_ = 0;
    ngx_msec_t backoff_ = 0;
    bool looking_ = false;
};

// One server.
std::unique_ptr<Topology> make_standalone(Client &client);
// The master that Sentinels name (sentinel.cpp).
std::unique_ptr<Topology> make_sentinel(Client &client);
// A cluster (cluster.cpp).
std::unique_ptr<Topology> make_cluster(Client &client);

}  // namespace redis
