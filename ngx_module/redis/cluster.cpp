// A cluster: which node has the slot of a key. (redis.io/docs/latest/operate/
// oss_and_stack/reference/cluster-spec.)
#include <algorithm>
#include <new>

#include "redis/client.hpp"

namespace redis {

namespace {

using llm::redis::Reply;
using llm::redis::Trouble;

class Cluster final : public Discovery {
public:
    explicit Cluster(Client &client)
        : Discovery(client), slots_(llm::redis::slot_count) {}

    Choice choose(const Command &command) noexcept override {
        if (masters_.empty()) {
            return look() ? Choice{nullptr, nullptr}
                          : Choice{nullptr, failure()};
        }
        auto *node = command.slot < 0
                         ? any()
                         : slots_[static_cast<unsigned>(command.slot)];
        if (node == nullptr) {
            return look() ? Choice{nullptr, nullptr}
                          : Choice{nullptr, "no node has the key's slot"};
        }
        if (node->is_broken()) {
            (void) look();
        }
        return {node, nullptr};
    }

    bool redirected(Node &node, Command &command, Trouble trouble,
                    const Reply &reply) noexcept override {
        switch (trouble) {
        case Trouble::moved:
        case Trouble::ask:
            return follow(node, command, trouble, reply);
        case Trouble::read_only:
            (void) look();
            client_.reroute(command, "the server is a replica");
            return true;
        case Trouble::cluster_down:
            (void) look();
            client_.reroute(command, "the cluster is down");
            return true;
        case Trouble::try_again:
            // It takes as long as keys take to move; the command's timeout
            // ends it. Where the other node says it, the redirection was
            // right, and the same one comes again.
            command.tries = 0;
            client_.park(command);
            return true;
        default:
            return false;
        }
    }

protected:
    Words question() const override { return {"CLUSTER", "SLOTS"}; }

    // A node that works, each time another one, then the seeds.
    std::vector<Node *> candidates() override {
        std::vector<Node *> nodes;
        auto add = [&nodes](Node *node) {
            if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) {
                nodes.push_back(node);
            }
        };
        for (size_t i = 0; i < masters_.size(); ++i) {
            auto *node = masters_[(turn_ + i) % masters_.size()];
            if (!node->is_broken()) {
                add(node);
            }
        }
        ++turn_;
        for (auto *node : client_.seeds()) {
            add(node);
        }
        return nodes;
    }

    bool adopt(Node &node, const Reply &reply) override {
        auto ranges = llm::redis::read_slots(reply, node.address().host);
        if (!ranges || ranges->empty()) {
            client_.report(NGX_LOG_ERR, 0,
                           "server %s knows no slots of a cluster",
                           node.name().c_str());
            return false;
        }

        std::vector<Node *> masters;
        std::vector<Node *> slots(llm::redis::slot_count);
        for (const auto &range : *ranges) {
            auto *master = client_.node(range.master, Node::Role::server);
            if (master == nullptr) {
                continue;
            }
            std::fill(slots.begin() + range.first,
                      slots.begin() + range.last + 1, master);
            if (std::find(masters.begin(), masters.end(), master)
                == masters.end())
            {
                masters.push_back(master);
            }
        }
        masters_.swap(masters);
        slots_.swap(slots);

        for (const auto &known : client_.nodes()) {
            if (!known->is_configured()) {
                known->retire(std::find(masters_.begin(), masters_.end(),
                                        known.get())
                              == masters_.end());
            }
        }
        return true;
    }

    bool concerns(const Node &node) const noexcept override {
        return std::find(masters_.begin(), masters_.end(), &node)
               != masters_.end();
    }

    const char *failure() const noexcept override {
        return "no server knows the cluster's slots";
    }

private:
    Node *any() noexcept {
        for (size_t i = 0; i < masters_.size(); ++i) {
            auto *node = masters_[turn_++ % masters_.size()];
            if (!node->is_broken()) {
                return node;
            }
        }
        return masters_.front();
    }

    bool follow(Node &node, Command &command, Trouble trouble,
                const Reply &reply) noexcept try {
        auto redirection = llm::redis::read_redirection(reply);
        if (!redirection) {
            return false;
        }
        if (redirection->to.host.empty()) {
            redirection->to.host = node.address().host;
        }
        auto *to = client_.node(redirection->to, Node::Role::server);
        if (to == nullptr) {
            return false;
        }
        if (++command.tries > max_redirections) {
            client_.fail(command, "too many redirections");
            return true;
        }

        to->retire(false);
        if (trouble == Trouble::moved) {
            slots_[redirection->slot] = to;
            (void) look();
        } else {
            command.asking = 1;
        }
        to->send(command);
        return true;

    } catch (const std::bad_alloc &) {
        return false;
    }

    std::vector<Node *> slots_;     // NULL: nobody's
    std::vector<Node *> masters_;
    size_t turn_ = 0;
};

}  // namespace

std::unique_ptr<Topology> make_cluster(Client &client) {
    return std::make_unique<Cluster>(client);
}

}  // namespace redis
