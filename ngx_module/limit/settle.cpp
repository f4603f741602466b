// What a call has really used takes the place of what was reserved for it.
#include "limit/request.hpp"

#include <algorithm>

#include "limit/amount.hpp"
#include "limit/redis.hpp"
#include "limit/rule.hpp"
#include "limit/share.hpp"

namespace {

using Held = ngx_http_llm_limit_held_t;
using LimitCtx = ngx_http_llm_limit_ctx_t;
using Place = ngx_http_llm_limit_place_t;

// A limit on models counts those that answered, not those that were asked.
bool is_about_answer(const Held &held, const ngx_http_llm_ctx_t &ctx) {
    return held.by_name || ctx.answered == nullptr
           || ngx_http_llm_limit_matches(*held.rule, *ctx.answered,
                                         to_view(ctx.answered_model));
}

// What a call has used of each limit that it was held to.
struct Outcome {
    std::int64_t used = 0;
    std::int64_t answer = -1;       // tokens of one; -1: not to be learned
};

Outcome outcome_of(const LimitCtx &limit, const Held &held, bool charged) {
    Outcome outcome;
    if (!charged || !is_about_answer(held, *limit.ctx)) {
        return outcome;
    }
    const auto &account = limit.ctx->exchange->account();
    outcome.used = ngx_http_llm_limit_used(*limit.ctx,
                                           held.zone->spec.count);
    if (account.complete && held.learns) {
        outcome.answer = account.usage.completion_tokens
                         / limit.ctx->exchange->head().choices;
    }
    return outcome;
}

// Those of one call to Redis, from the first of them on.
void settle_in_redis(LimitCtx &limit, size_t first, bool charged) {
    std::vector<llm::limit::RemoteSettlement> settlements;
    auto redis = limit.held[first].zone->redis;
    auto record = std::move(limit.held[first].record);

    for (size_t i = first; i < limit.held.size(); ++i) {
        Held &held = limit.held[i];
        if (held.place == Place::redis
            && (i == first || held.record == record)) {
            held.place = Place::nowhere;
            settlements.push_back({held.redis_key, held.limit,
                                   held.reservation,
                                   outcome_of(limit, held, charged).used});
        }
    }
    ngx_http_llm_limit_redis_settle(redis, std::move(settlements),
                                    std::move(record));
}

void settle(LimitCtx &limit, bool charged) noexcept try {
    for (size_t i = 0; i < limit.held.size(); ++i) {
        Held &held = limit.held[i];
        if (held.place == Place::nowhere) {
            continue;
        }
        Outcome outcome = outcome_of(limit, held, charged);
        {
            ngx_http_llm_limit_locked_t locked(held.zone);
            locked.counts().used += static_cast<std::uint64_t>(outcome.used);
            if (outcome.answer >= 0) {
                locked.sketches().add(held.sketch, outcome.answer);
            }
            if (held.place == Place::here) {
                held.place = Place::nowhere;
                locked->settle(held.key, held.limit_here,
                               ngx_http_llm_limit_now(), held.reservation,
                               outcome.used);
            }
        }
    }
    for (size_t i = 0; i < limit.held.size(); ++i) {
        Held &held = limit.held[i];
        if (held.place == Place::redis) {
            settle_in_redis(limit, i, charged);
        } else if (held.place == Place::share) {
            held.place = Place::nowhere;
            ngx_http_llm_limit_share_settle(
                held.zone, held.key, held.redis_key, held.limit,
                held.reservation, outcome_of(limit, held, charged).used);
        }
    }
    limit.renewal.stop();

} catch (const std::bad_alloc &) {
    // Held until the lease is over.
    ngx_http_llm_limit_redis_log(ngx_cycle->log, "no memory");
}

}  // namespace

void ngx_http_llm_limit_give_back(LimitCtx &limit) noexcept {
    settle(limit, false);
}

void ngx_http_llm_limit_settle(ngx_http_llm_ctx_t *ctx) noexcept {
    if (ctx->limit) {
        settle(*ctx->limit,
               ngx_http_llm_limit_is_charged(*ctx, *ctx->limit->conf));
    }
}
