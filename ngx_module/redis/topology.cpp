#include "redis/topology.hpp"

#include <new>

#include "redis/client.hpp"

namespace redis {

namespace {

class Standalone final : public Topology {
public:
    explicit Standalone(Client &client) noexcept : client_(client) {}

    Choice choose(const Command &) noexcept override {
        return {client_.seeds().front(), nullptr};
    }

    bool redirected(Node &node, Command &, llm::redis::Trouble trouble,
                    const llm::redis::Reply &) noexcept override {
        if (trouble == llm::redis::Trouble::moved
            || trouble == llm::redis::Trouble::ask)
        {
            client_.report(NGX_LOG_ERR, 0,
                           "server %s is of a cluster, \"cluster on\" is "
                           "missing", node.name().c_str());
        } else if (trouble == llm::redis::Trouble::read_only) {
            client_.report(NGX_LOG_ERR, 0,
                           "server %s takes no writes, it is a replica",
                           node.name().c_str());
        }
        return false;
    }

private:
    Client &client_;
};

// Between two times that servers are asked who is in charge.
constexpr ngx_msec_t pause = 100;

}  // namespace

std::unique_ptr<Topology> make_standalone(Client &client) {
    return std::make_unique<Standalone>(client);
}

void Discovery::failed(Node &node) noexcept {
    if (concerns(node)) {
        (void) look();
    }
}

bool Discovery::look() noexcept {
    if (looking_) {
        return true;
    }
    if (static_cast<ngx_msec_int_t>(not_before_ - ngx_current_msec) > 0) {
        return false;
    }
    try {
        nodes_ = candidates();
    } catch (const std::bad_alloc &) {
        return false;
    }
    looking_ = true;
    next_ = 0;
    ask_next();
    return looking_;
}

void Discovery::ask_next() noexcept try {
    auto words = question();
    while (next_ < nodes_.size()) {
        if (client_.ask(*nodes_[next_++], words, on_answer, this)) {
            return;
        }
    }
    end(false);
} catch (const std::bad_alloc &) {
    end(false);
}

void Discovery::on_answer(void *data,
                          const ngx_http_llm_redis_result_t &result) noexcept {
    auto *self = static_cast<Discovery *>(data);
    auto &node = *self->nodes_[self->next_ - 1];
    bool found = false;
    try {
        found = result.reply && self->adopt(node, *result.reply);
    } catch (const std::bad_alloc &) {
        // As if it had not answered.
    }
    if (found) {
        self->end(true);
    } else {
        self->ask_next();
    }
}

void Discovery::end(bool found) noexcept {
    looking_ = false;
    if (found) {
        backoff_ = 0;
        not_before_ = ngx_current_msec + pause;
    } else {
        backoff_ = ngx_min(backoff_ ? backoff_ * 2 : pause,
                           client_.conf().fail_timeout);
        not_before_ = ngx_current_msec + backoff_;
        client_.report(NGX_LOG_ERR, 0, "%s", failure());
    }
    client_.retry();
}

}  // namespace redis
