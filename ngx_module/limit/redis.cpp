#include "limit/redis.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <string>

#include "redis/redis.hpp"

namespace {

using llm::limit::Command;
using llm::limit::RemoteSettlement;

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

// NULL: the reply is not the script's; why it is none goes into *failure.
const llm::redis::Reply *reply_of(const ngx_http_llm_redis_result_t &result,
                                  const char **failure) noexcept {
    *failure = result.failure;
    if (result.reply && result.reply->type == llm::redis::Reply::Type::error) {
        *failure = "the server refuses the script";
        return nullptr;
    }
    return result.reply;
}

// A settlement on its way.
struct Settling {
    ngx_http_llm_redis_t *redis;
    std::vector<RemoteSettlement> settlements;
    bool by_text = false;

    bool start() {
        auto call = by_text ? llm::limit::Call::by_text
                            : llm::limit::Call::by_digest;
        return send(redis,
                    llm::limit::settle_command(
                        settlements, ngx_http_llm_limit_now(), call),
                    settlements.front().key, finished, this);
    }

    static void finished(void *data,
                         const ngx_http_llm_redis_result_t &result) noexcept {
        std::unique_ptr<Settling> self(static_cast<Settling *>(data));
        const char *failure = nullptr;
        try {
            if (result.reply && !self->by_text
                && llm::limit::is_noscript(*result.reply)) {
                self->by_text = true;
                if (self->start()) {
                    (void) self.release();
                    return;
                }
                failure = no_memory;
            } else {
                (void) reply_of(result, &failure);
            }
        } catch (const std::bad_alloc &) {
            failure = no_memory;
        }
        if (failure) {
            ngx_http_llm_limit_redis_log(ngx_cycle->log, failure);
        }
    }
};

}  // namespace

// A reservation on its way: outlives the request, since what is granted after
// that has to be given back.
struct ngx_http_llm_limit_remote_t::Call {
    ngx_http_llm_limit_remote_t *owner;     // NULL: gone
    ngx_http_llm_limit_group_t *group;      // of the owner
    ngx_http_llm_redis_t *redis;
    std::vector<llm::limit::RemoteRequest> requests;
    bool by_text = false;

    bool start() {
        auto call = by_text ? llm::limit::Call::by_text
                            : llm::limit::Call::by_digest;
        return send(redis,
                    llm::limit::reserve_command(
                        requests, ngx_http_llm_limit_now(), call),
                    requests.front().key, finished, this);
    }

    void refund(const llm::limit::RemoteAnswer &answer) {
        if (!answer.granted) {
            return;
        }
        std::vector<RemoteSettlement> settlements;
        for (size_t i = 0; i < requests.size(); ++i) {
            settlements.push_back({requests[i].key, requests[i].limit,
                                   answer.decisions[i].reservation, 0});
        }
        ngx_http_llm_limit_redis_settle(redis, settlements);
    }

    // Reads the answer. false: the call has begun anew.
    bool take(const ngx_http_llm_redis_result_t &result,
              llm::limit::RemoteAnswer *answer, const char **failure) {
        if (result.reply && !by_text
            && llm::limit::is_noscript(*result.reply)) {
            by_text = true;
            if (start()) {
                return false;
            }
            *failure = no_memory;
            return true;
        }
        if (auto reply = reply_of(result, failure)) {
            auto read = llm::limit::read_reserve_reply(*reply, requests);
            if (read) {
                *answer = std::move(*read);
            } else {
                *failure = "the script's answer makes no sense";
            }
        }
        return true;
    }

    static void finished(void *data,
                         const ngx_http_llm_redis_result_t &result) noexcept {
        std::unique_ptr<Call> self(static_cast<Call *>(data));
        llm::limit::RemoteAnswer answer;
        const char *failure = nullptr;
        try {
            if (!self->take(result, &answer, &failure)) {
                (void) self.release();
                return;
            }
            if (self->owner == nullptr && failure == nullptr) {
                self->refund(answer);
            }
        } catch (const std::bad_alloc &) {
            failure = no_memory;
        }
        auto owner = self->owner;
        if (owner == nullptr) {
            return;
        }
        self->group->answer = std::move(answer);
        self->group->failure = failure;
        auto &calls = owner->calls_;
        calls.erase(std::find(calls.begin(), calls.end(), self.get()));
        self.reset();
        // May end the request, and the owner with it.
        owner->ended();
    }
};

ngx_http_llm_limit_remote_t::~ngx_http_llm_limit_remote_t() {
    for (auto call : calls_) {
        call->owner = nullptr;
    }
}

bool ngx_http_llm_limit_remote_t::await_suspend(
    std::coroutine_handle<> handle) {
    handle_ = handle;
    calls_.reserve(groups_.size());
    for (auto &group : groups_) {
        std::unique_ptr<Call> call(
            new Call{this, &group, group.redis, group.requests});
        if (call->start()) {
            calls_.push_back(call.release());
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

void ngx_http_llm_limit_redis_settle(
    ngx_http_llm_redis_t *redis,
    const std::vector<RemoteSettlement> &settlements) noexcept try {
    std::unique_ptr<Settling> settling(new Settling{redis, settlements});
    if (settling->start()) {
        (void) settling.release();
    } else {
        ngx_http_llm_limit_redis_log(ngx_cycle->log, no_memory);
    }

} catch (const std::bad_alloc &) {
    ngx_http_llm_limit_redis_log(ngx_cycle->log, no_memory);
}

void ngx_http_llm_limit_redis_log(ngx_log_t *log, const char *failure)
    noexcept {
    static time_t last = 0;
    if (ngx_time() != last) {
        last = ngx_time();
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "llm: limits cannot be kept in Redis: %s", failure);
    }
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

void show(ngx_http_llm_limit_zone_t *zone, llm::limit::Call call) noexcept
try {
    u_char name[NGX_INT64_LEN];
    u_char *end = ngx_sprintf(name, "%xL", zone->shared->gateway);
    std::string key = presence_key(zone);
    zone->shown_by_text = call == llm::limit::Call::by_text;
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
        return show(zone, llm::limit::Call::by_text);
    }
    if (auto count = llm::limit::read_presence_reply(*result.reply)) {
        ngx_http_llm_limit_locked_t locked(zone);
        zone->shared->gateways = *count;
    }
}

void on_turn(ngx_event_t *ev) noexcept {
    auto zone = static_cast<ngx_http_llm_limit_zone_t *>(ev->data);
    show(zone, llm::limit::Call::by_digest);
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
