// The master that Sentinels name. (redis.io/docs/latest/develop/reference/
// sentinel-clients: ask them in turn, check the master's role, ask anew when
// it fails.)
#include <algorithm>
#include <new>

#include "redis/client.hpp"

namespace redis {

namespace {

class Sentinel final : public Discovery {
public:
    using Discovery::Discovery;

    Choice choose(const Command &) noexcept override {
        if (master_ && !doubtful_) {
            if (master_->is_broken()) {
                (void) look();
            }
            return {master_, nullptr};
        }
        if (look() || !is_lost()) {
            return {nullptr, nullptr};
        }
        return {nullptr, failure()};
    }

    // The master has become a replica.
    bool redirected(Node &node, Command &command, llm::redis::Trouble trouble,
                    const llm::redis::Reply &) noexcept override {
        if (trouble != llm::redis::Trouble::read_only) {
            return false;
        }
        doubted(node);
        client_.reroute(command, "the server is a replica");
        return true;
    }

    void doubted(Node &node) noexcept override {
        if (&node == master_) {
            doubtful_ = true;
            (void) look();
        }
    }

protected:
    Words question() const override {
        return {"SENTINEL", "GET-MASTER-ADDR-BY-NAME",
                to_view(client_.conf().master)};
    }

    // The one that answered last comes first.
    std::vector<Node *> candidates() override {
        auto nodes = client_.seeds();
        auto last = std::find(nodes.begin(), nodes.end(), last_);
        if (last != nodes.end()) {
            std::rotate(nodes.begin(), last, nodes.end());
        }
        return nodes;
    }

    bool adopt(Node &node, const llm::redis::Reply &reply) override {
        auto address = llm::redis::read_master(reply);
        if (!address || !*address) {
            client_.report(NGX_LOG_ERR, 0,
                           "Sentinel %s does not know \"%V\"",
                           node.name().c_str(), &client_.conf().master);
            return false;
        }
        auto *master = client_.node(**address, Node::Role::master);
        if (master == nullptr) {
            return false;
        }
        last_ = &node;
        doubtful_ = false;
        if (master != master_) {
            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "llm: redis \"%V\": the master is %s",
                          &client_.conf().name, master->name().c_str());
            if (master_) {
                master_->retire(true);
            }
            master->retire(false);
            master_ = master;
        }
        return true;
    }

    bool concerns(const Node &node) const noexcept override {
        return &node == master_;
    }

    const char *failure() const noexcept override {
        return "no Sentinel names a master";
    }

private:
    Node *master_ = nullptr;
    Node *last_ = nullptr;
    bool doubtful_ = false;     // it has said itself that it is none
};

}  // namespace

std::unique_ptr<Topology> make_sentinel(Client &client) {
    return std::make_unique<Sentinel>(client);
}

}  // namespace redis
