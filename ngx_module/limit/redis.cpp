#include "limit/redis.hpp"

#include <memory>
#include <new>
#include <string>

#include "redis/redis.hpp"

namespace {

using llm::limit::Call;
using llm::limit::Command;
using llm::limit::RemoteRequest;
using llm::limit::RemoteSettlement;
using llm::limit::Settle;
using llm::redis::Reply;
using Script = ngx_http_llm_limit_script_t;

// How often a gateway shows itself, and for how long that holds.
constexpr ngx_msec_t presence_interval = 5000;
constexpr std::int64_t presence_lifetime = 30000;

constexpr const char *no_memory = "no memory";

bool send(ngx_http_llm_redis_t *redis, const Command &command,
          std::string_view key, ngx_http_llm_redis_handler_pt handler,
          void *data) {
    std::vector<std::string_view> words(command.begin(), command.end());
    return ngx_http_llm_redis_send(redis, {words, key}, handler, data);
}

void start(Script::Pointer script) {
    if (!Script::send(script)) {
        ngx_http_llm_limit_redis_log(ngx_cycle->log, no_memory);
    }
}

// A settlement on its way.
class Settling final : public Script {
public:
    Settling(ngx_http_llm_redis_t *redis,
             std::vector<RemoteSettlement> settlements, std::string record)
        : Script(redis), settlements_(std::move(settlements)),
          record_(std::move(record)) {
        if (record_.empty()) {
            how_ = Settle::once;
            record_ = llm::limit::record_key(settlements_.front().key,
                                             ngx_http_llm_limit_call_id());
        }
    }

private:
    Command command(Call how) const override {
        return llm::limit::settle_command(settlements_,
                                          ngx_http_llm_limit_now(), how,
                                          std::nullopt, record_, how_);
    }
    std::string_view key() const noexcept override {
        return settlements_.front().key;
    }
    void ended(Pointer self, const Reply *reply, const char *failure,
               bool sent) noexcept override {
        if (reply) {
            if (how_ == Settle::once && !doubted_) {
                ngx_http_llm_limit_redis_forget(redis(), record_);
            }
            return;
        }
        ngx_http_llm_limit_redis_log(ngx_cycle->log, failure);
        if (sent) {
            doubted_ = true;
            how_ = how_ == Settle::first ? Settle::again : how_;
        }
        send_again(std::move(self));
    }

    std::vector<RemoteSettlement> settlements_;
    std::string record_;
    Settle how_ = Settle::first;
    // It was sent before, and may yet be executed.
    bool doubted_ = false;
};

class Renewing final : public Script {
public:
    Renewing(ngx_http_llm_redis_t *redis, std::vector<RemoteSettlement> held,
             std::string record)
        : Script(redis), held_(std::move(held)), record_(std::move(record)) {}

private:
    Command command(Call how) const override {
        return llm::limit::renew_command(held_, record_,
                                         ngx_http_llm_limit_now(), how);
    }
    std::string_view key() const noexcept override {
        return held_.front().key;
    }
    // The next turn comes before the lease is over.
    void ended(Pointer, const Reply *, const char *failure,
               bool) noexcept override {
        if (failure) {
            ngx_http_llm_limit_redis_log(ngx_cycle->log, failure);
        }
    }

    std::vector<RemoteSettlement> held_;
    std::string record_;
};

// Gives back what a call was granted.
void give_back(ngx_http_llm_redis_t *redis,
               const std::vector<RemoteRequest> &requests,
               const llm::limit::RemoteAnswer &answer,
               const std::string &record) {
    if (!answer.granted) {
        return;
    }
    std::vector<RemoteSettlement> settlements;
    for (size_t i = 0; i < requests.size(); ++i) {
        settlements.push_back({requests[i].key, requests[i].limit,
                               answer.decisions[i].reservation, 0});
    }
    ngx_http_llm_limit_redis_settle(redis, std::move(settlements), record);
}

// Undoes a call that may have been executed.
class Cancelling final : public Script {
public:
    Cancelling(ngx_http_llm_redis_t *redis,
               std::vector<RemoteRequest> requests, std::string record)
        : Script(redis), requests_(std::move(requests)),
          record_(std::move(record)) {}

private:
    Command command(Call how) const override {
        return llm::limit::cancel_command(requests_, record_,
                                          ngx_http_llm_limit_now(), how);
    }
    std::string_view key() const noexcept override {
        return requests_.front().key;
    }
    void ended(Pointer self, const Reply *, const char *failure,
               bool) noexcept override {
        if (failure) {
            send_again(std::move(self));
        }
    }

    std::vector<RemoteRequest> requests_;
    std::string record_;
};

}  // namespace

Command ngx_http_llm_limit_reserving_t::command(Call how) const {
    return llm::limit::reserve_command(requests_, ngx_http_llm_limit_now(),
                                       how, std::nullopt, record_);
}

void ngx_http_llm_limit_reserving_t::refund(
    const llm::limit::RemoteAnswer &answer) {
    give_back(redis(), requests_, answer, record_);
}

void ngx_http_llm_limit_reserving_t::ended(Pointer self, const Reply *reply,
                                           const char *failure,
                                           bool sent) noexcept {
    llm::limit::RemoteAnswer answer;
    try {
        if (reply) {
            auto read = llm::limit::read_reserve_reply(*reply, requests_);
            if (read) {
                answer = std::move(*read);
            } else {
                failure = "the script's answer makes no sense";
                sent = true;
            }
        }
        if (failure && sent) {
            start(std::make_unique<Cancelling>(redis(), requests_, record_));
        }
    } catch (const std::bad_alloc &) {
        failure = no_memory;
    }
    // May destroy what waits for it, but not the script itself.
    answered(std::move(answer), failure);
    self.reset();
}

// A request's: outlives it, since what is granted after that has to be given
// back.
class ngx_http_llm_limit_remote_t::Call final
    : public ngx_http_llm_limit_reserving_t {
public:
    Call(ngx_http_llm_limit_remote_t *owner,
         ngx_http_llm_limit_group_t *group)
        : ngx_http_llm_limit_reserving_t(group->redis, group->requests,
                                         group->record),
          owner_(owner), group_(group) {}

    void leave() noexcept { owner_ = nullptr; }

private:
    void answered(llm::limit::RemoteAnswer answer,
                  const char *failure) noexcept override {
        auto owner = owner_;
        if (owner == nullptr) {
            try {
                refund(answer);
            } catch (const std::bad_alloc &) {
                ngx_http_llm_limit_redis_log(ngx_cycle->log, no_memory);
            }
            return;
        }
        group_->answer = std::move(answer);
        group_->failure = failure;
        std::erase(owner->calls_, this);
        // May end the request, and the owner with it.
        owner->ended();
    }

    ngx_http_llm_limit_remote_t *owner_;    // NULL: gone
    ngx_http_llm_limit_group_t *group_;     // of the owner
};

ngx_http_llm_limit_remote_t::~ngx_http_llm_limit_remote_t() {
    for (auto call : calls_) {
        call->leave();
    }
    if (taken_) {
        return;
    }
    // Some have answered, and nobody will hear of it.
    for (const auto &group : groups_) {
        try {
            give_back(group.redis, group.requests, group.answer,
                      group.record);
        } catch (const std::bad_alloc &) {
            ngx_http_llm_limit_redis_log(ngx_cycle->log, no_memory);
        }
    }
}

bool ngx_http_llm_limit_remote_t::await_suspend(
    std::coroutine_handle<> handle) {
    handle_ = handle;
    calls_.reserve(groups_.size());
    for (auto &group : groups_) {
        group.record = llm::limit::record_key(group.requests.front().key,
                                              ngx_http_llm_limit_call_id());
        auto call = new Call(this, &group);
        Script::Pointer script(call);
        if (Script::send(script)) {
            calls_.push_back(call);
        } else {
            group.failure = no_memory;
        }
    }
    return !calls_.empty();
}

void ngx_http_llm_limit_remote_t::ended() noexcept {
    if (calls_.empty()) {
        ngx_http_set_log_request(request_->connection->log, request_);
        handle_.resume();
    }
}

void ngx_http_llm_limit_redis_settle(ngx_http_llm_redis_t *redis,
                                     std::vector<RemoteSettlement> settlements,
                                     std::string record) noexcept try {
    start(std::make_unique<Settling>(redis, std::move(settlements),
                                     std::move(record)));

} catch (const std::bad_alloc &) {
    ngx_http_llm_limit_redis_log(ngx_cycle->log, no_memory);
}

void ngx_http_llm_limit_redis_renew(ngx_http_llm_redis_t *redis,
                                    std::vector<RemoteSettlement> held,
                                    std::string record) noexcept try {
    start(std::make_unique<Renewing>(redis, std::move(held),
                                     std::move(record)));

} catch (const std::bad_alloc &) {
    ngx_http_llm_limit_redis_log(ngx_cycle->log, no_memory);
}

void ngx_http_llm_limit_redis_forget(ngx_http_llm_redis_t *redis,
                                     std::string_view record) noexcept {
    std::string_view words[] = {"DEL", record};
    // If it is lost, the record goes by itself.
    (void) ngx_http_llm_redis_send(redis, {words, record}, nullptr, nullptr);
}

namespace {

std::string presence_key(const ngx_http_llm_limit_zone_t *zone) {
    std::string key(zone->prefix);
    key += "gateways:";
    key += to_view(zone->name);
    return key;
}

void on_presence(void *data, const ngx_http_llm_redis_result_t &result)
    noexcept;

void show(ngx_http_llm_limit_zone_t *zone, Call call) noexcept
try {
    u_char name[NGX_INT64_LEN];
    u_char *end = ngx_sprintf(name, "%xL", zone->shared->gateway);
    std::string key = presence_key(zone);
    zone->shown_by_text = call == Call::by_text;
    (void) send(zone->redis,
                llm::limit::presence_command(
                    key,
                    {reinterpret_cast<char *>(name),
                     static_cast<size_t>(end - name)},
                    presence_lifetime, call),
                key, on_presence, zone);

} catch (const std::bad_alloc &) {
    // The next turn will do.
}

void on_presence(void *data, const ngx_http_llm_redis_result_t &result)
    noexcept {
    auto zone = static_cast<ngx_http_llm_limit_zone_t *>(data);
    if (result.reply == nullptr) {
        return;
    }
    if (!zone->shown_by_text && llm::limit::is_noscript(*result.reply)) {
        return show(zone, Call::by_text);
    }
    if (auto count = llm::limit::read_presence_reply(*result.reply)) {
        ngx_http_llm_limit_locked_t locked(zone);
        zone->shared->gateways = *count;
    }
}

void on_turn(ngx_event_t *ev) noexcept {
    auto zone = static_cast<ngx_http_llm_limit_zone_t *>(ev->data);
    show(zone, Call::by_digest);
    ngx_add_timer(ev, presence_interval);
}

}  // namespace

void ngx_http_llm_limit_redis_start(ngx_cycle_t *cycle,
                                    ngx_http_llm_limit_zone_t *zone) noexcept {
    if (zone->shared->gateway == 0) {
        // The host, and a worker of it that was the first at some moment.
        zone->shared->gateway =
            static_cast<std::uint64_t>(ngx_crc32_long(
                cycle->hostname.data, cycle->hostname.len)) << 32
            | static_cast<std::uint32_t>(ngx_random());
    }
    zone->presence.handler = on_turn;
    zone->presence.data = zone;
    zone->presence.log = cycle->log;
    zone->presence.cancelable = 1;
    ngx_add_timer(&zone->presence, 1);
}
