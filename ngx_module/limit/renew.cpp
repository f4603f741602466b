// What is reserved lasts for a lease; an answer may take longer.
#include "limit/request.hpp"

#include <algorithm>
#include <new>

#include "limit/redis.hpp"

namespace {

using Held = ngx_http_llm_limit_held_t;
using LimitCtx = ngx_http_llm_limit_ctx_t;
using Place = ngx_http_llm_limit_place_t;

bool has_lease(const Held &held) noexcept {
    return held.place != Place::nowhere
           && held.limit.window != llm::limit::Window::bucket;
}

// Half of the shortest lease, so that one turn may fail. 0: nothing to renew.
ngx_msec_t interval_of(const LimitCtx &limit) noexcept {
    std::int64_t shortest = 0;
    for (const auto &held : limit.held) {
        if (has_lease(held)
            && (shortest == 0 || held.limit.lease < shortest)) {
            shortest = held.limit.lease;
        }
    }
    return static_cast<ngx_msec_t>(shortest / 2);
}

// Those of one call to Redis, from the first of them on.
void renew_in_redis(LimitCtx &limit, size_t first, std::vector<bool> &done) {
    std::vector<llm::limit::RemoteSettlement> held;
    const auto &record = limit.held[first].record;

    for (size_t i = first; i < limit.held.size(); ++i) {
        const Held &one = limit.held[i];
        if (one.place == Place::redis && one.record == record) {
            done[i] = true;
            held.push_back({one.redis_key, one.limit, one.reservation, 0});
        }
    }
    ngx_http_llm_limit_redis_renew(limit.held[first].zone->redis,
                                   std::move(held), record);
}

void renew(LimitCtx &limit) {
    std::vector<bool> done(limit.held.size());

    for (size_t i = 0; i < limit.held.size(); ++i) {
        Held &held = limit.held[i];
        if (held.place == Place::share) {
            // No longer one with the rest of its share.
            held.record = llm::limit::record_key(
                held.redis_key, ngx_http_llm_limit_call_id());
            held.place = Place::redis;
        }
        if (held.place == Place::redis && !done[i]) {
            renew_in_redis(limit, i, done);
        } else if (held.place == Place::here) {
            ngx_http_llm_limit_locked_t locked(held.zone);
            locked->renew(held.key, held.limit_here, ngx_http_llm_limit_now(),
                          &held.reservation);
        }
    }
}

}  // namespace

void ngx_http_llm_limit_renewal_t::start(ngx_http_request_t *r,
                                         LimitCtx *limit) noexcept {
    ngx_msec_t interval = interval_of(*limit);
    if (interval == 0) {
        return;
    }
    timer_.limit = limit;
    timer_.event.handler = on_timer;
    // Debug logs print the descriptor of what looks like a connection.
    timer_.event.data = r->connection;
    timer_.event.log = r->connection->log;
    // It is not what a worker that is to leave waits for.
    timer_.event.cancelable = 1;
    ngx_add_timer(&timer_.event, interval);
}

void ngx_http_llm_limit_renewal_t::stop() noexcept {
    if (timer_.event.timer_set) {
        ngx_del_timer(&timer_.event);
    }
}

void ngx_http_llm_limit_renewal_t::on_timer(ngx_event_t *ev) noexcept {
    auto limit = reinterpret_cast<Timer *>(ev)->limit;
    try {
        renew(*limit);
    } catch (const std::bad_alloc &) {
        ngx_http_llm_limit_redis_log(ngx_cycle->log, "no memory");
    }
    if (ngx_msec_t interval = interval_of(*limit)) {
        ngx_add_timer(ev, interval);
    }
}
