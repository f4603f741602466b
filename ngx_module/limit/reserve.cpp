// Whether a call may be made: what it can cost is reserved before it.
#include "limit/request.hpp"

#include <algorithm>
#include <new>

#include "limit/amount.hpp"
#include "limit/redis.hpp"
#include "limit/rule.hpp"
#include "limit/share.hpp"
#include "limit/wait.hpp"
#include "llm/limit_headers.hpp"
#include "precontent.hpp"

namespace {

using Concern = ngx_http_llm_limit_concern_t;
using Counts = ngx_http_llm_limit_counts_t;
using Held = ngx_http_llm_limit_held_t;
using LimitCtx = ngx_http_llm_limit_ctx_t;
using Place = ngx_http_llm_limit_place_t;
using Rule = ngx_http_llm_limit_rule_t;
using Status = ngx_http_llm_limit_status_t;
using llm::limit::Count;
using llm::limit::Outcome;

// Who waits for a budget looks so often whether others have given some back:
// that cannot be foreseen.
constexpr ngx_msec_t look_again = 50;

// A prompt is not counted where its bound is at most this part of what is left
// of the budget. Who sends so many requests that counting them would be felt,
// has a budget for many.
constexpr std::int64_t comfort = 1000;

llm::limit::Key key_of(std::string_view text) {
    static llm::limit::KeyMaker keys;
    return keys.make(text);
}

// What makes a sketch: who asks, and which model.
llm::limit::Key sketch_key(std::string_view key, std::string_view model) {
    std::string text(key);
    text += '\0';
    text += model;
    return key_of(text);
}

// The limits that the call is held to.
void collect(ngx_http_request_t *r, LimitCtx &limit) {
    ngx_http_llm_ctx_t *ctx = limit.ctx;
    auto rules = static_cast<Rule **>(limit.conf->rules->elts);
    limit.held.reserve(limit.conf->rules->nelts);

    for (ngx_uint_t i = 0; i < limit.conf->rules->nelts; ++i) {
        const Rule &rule = *rules[i];
        Concern concern = ngx_http_llm_limit_concern(rule, *ctx);
        if (concern == Concern::none) {
            continue;
        }
        // A budget is charged once, however many rules name it.
        auto same = std::find_if(
            limit.held.begin(), limit.held.end(),
            [&](const Held &held) { return held.zone == rule.zone; });
        if (same != limit.held.end()
            && (concern == Concern::watched
                || (same->by_name && concern != Concern::by_name))) {
            continue;
        }

        ngx_str_t key;
        if (ngx_http_complex_value(r, &rule.zone->key, &key) != NGX_OK) {
            throw std::bad_alloc();
        }
        if (key.len == 0) {
            continue;
        }
        Held held;
        held.rule = &rule;
        held.zone = rule.zone;
        held.text = to_view(key);
        held.key = key_of(held.text);
        if (!ngx_http_llm_limit_rate(r, rule.zone, &held.limit)) {
            throw std::bad_alloc();
        }
        held.limit_here = held.limit;
        if (rule.zone->redis) {
            held.redis_key = llm::limit::redis_key(
                rule.zone->prefix, held.key, to_view(rule.zone->name),
                held.limit);
        }
        held.watched = concern == Concern::watched;
        held.by_name = concern == Concern::by_name;
        if (same != limit.held.end()) {
            *same = held;
        } else {
            limit.held.push_back(held);
        }
    }
}

bool counts_prompts(const Held &held) {
    return !held.watched
           && ngx_http_llm_limit_counts_prompts(held.zone->spec.count);
}

void set_amounts(LimitCtx &limit, std::int64_t prompt, bool is_bound) {
    const auto &head = limit.ctx->exchange->head();
    for (auto &held : limit.held) {
        if (held.watched) {
            continue;
        }
        llm::limit::UsageSketch sketch{};
        Count count = held.zone->spec.count;
        if (ngx_http_llm_limit_counts_answers(count) && !head.max_tokens
            && limit.ctx->route.operation == llm::Operation::chat) {
            held.learns = true;
            held.sketch = sketch_key(held.text, head.model);
            ngx_http_llm_limit_locked_t locked(held.zone);
            sketch = locked.sketches().get(held.sketch);
        }
        held.amount = ngx_http_llm_limit_amount(*limit.ctx, count, prompt,
                                                *limit.conf, sketch);
        held.bound = !is_bound || !counts_prompts(held) ? 0
                     : count == Count::cost             ? held.amount
                                                        : prompt;
    }
}

// Whether so little of a budget hangs on how many tokens the prompt has that
// its bound will do.
bool is_comfortable(std::int64_t bound, std::int64_t left) {
    return bound <= left / comfort;
}

// The bound of the prompt, where it will do for all limits: those in Redis
// would have to be asked twice to find out, and waiting for them costs more
// than counting.
std::optional<std::int64_t> usable_bound(const LimitCtx &limit) {
    auto bound = ngx_http_llm_limit_prompt_bound(*limit.ctx);
    if (bound) {
        for (const auto &held : limit.held) {
            if (counts_prompts(held)
                && (held.zone->redis
                    || (held.zone->spec.count != Count::cost
                        && !is_comfortable(*bound, held.limit.capacity()))))
            {
                return std::nullopt;
            }
        }
    }
    return bound;
}

void count_amounts(LimitCtx &limit) {
    set_amounts(limit, ngx_http_llm_limit_prompt(limit.ctx), false);
}

// What is wanted of each limit; the prompt is counted only where that matters.
void set_amounts(LimitCtx &limit) {
    if (std::none_of(limit.held.begin(), limit.held.end(), counts_prompts)) {
        set_amounts(limit, 0, false);
    } else if (auto bound = usable_bound(limit)) {
        set_amounts(limit, *bound, true);
    } else {
        count_amounts(limit);
    }
}

bool refuses(const Held &held) {
    return held.decided && !held.watched && !held.decision.granted();
}

bool is_refused(const LimitCtx &limit) {
    return std::any_of(limit.held.begin(), limit.held.end(), refuses);
}

// False: nothing is reserved, the prompt has to be counted first.
bool reserve_here(Held &held) {
    ngx_http_llm_limit_locked_t locked(held.zone);
    std::int64_t now = ngx_http_llm_limit_now();
    held.decision = locked->reserve(held.key, held.limit_here, now,
                                    held.amount, &held.reservation);
    bool granted = held.decision.granted();
    if (held.bound
        && !(granted
             && is_comfortable(held.bound, held.decision.remaining))) {
        if (granted) {
            locked->settle(held.key, held.limit_here, now, held.reservation,
                           0);
        }
        return false;
    }
    held.decided = true;
    held.place = granted ? Place::here : Place::nowhere;
    return true;
}

// All that is in memory; false as above.
bool reserve_here(LimitCtx &limit) {
    return std::all_of(
        limit.held.begin(), limit.held.end(), [](Held &held) {
            return held.zone->redis || reserve_here(held);
        });
}

// From what this gateway has of the budget already.
void reserve_in_share(Held &held) {
    if (ngx_http_llm_limit_share_take(held.zone, held.key, held.redis_key,
                                      held.limit, held.amount,
                                      &held.reservation, &held.decision)) {
        held.decided = true;
        held.place = Place::share;
    }
}

// What is asked of Redis: by server and slot. What is only watched may be
// refused, and asks by itself.
std::vector<ngx_http_llm_limit_group_t> groups_of(const LimitCtx &limit) {
    std::vector<ngx_http_llm_limit_group_t> groups;
    for (size_t i = 0; i < limit.held.size(); ++i) {
        const Held &held = limit.held[i];
        if (held.zone->redis == nullptr || held.decided) {
            continue;
        }
        auto same = std::find_if(
            groups.begin(), groups.end(), [&](const auto &group) {
                const Held &first = limit.held[group.members.front()];
                return group.redis == held.zone->redis && !first.watched
                       && !held.watched && first.key == held.key;
            });
        if (same == groups.end()) {
            same = groups.emplace(groups.end());
            same->redis = held.zone->redis;
        }
        same->members.push_back(i);
        same->requests.push_back({held.redis_key, held.limit, held.amount});
    }
    return groups;
}

// There is no answer of Redis: llm_limit_redis_error.
void decide_without_redis(LimitCtx &limit, Held &held) {
    held.decision = {};
    held.decision.limit = held.limit.capacity();
    held.decided = true;
    switch (limit.conf->redis_error) {
    case NGX_HTTP_LLM_LIMIT_ALLOW:
        held.decision.outcome = Outcome::granted;
        held.decision.remaining = held.decision.limit;
        break;
    case NGX_HTTP_LLM_LIMIT_DENY:
        limit.no_redis = true;
        break;
    default: {
        std::int64_t gateways;
        {
            ngx_http_llm_limit_locked_t locked(held.zone);
            gateways = held.zone->shared->gateways;
        }
        held.limit_here = llm::limit::fair_share(held.limit, gateways);
        (void) reserve_here(held);
    }
    }
}

void take_answer(ngx_http_request_t *r, LimitCtx &limit,
                 const ngx_http_llm_limit_group_t &group) {
    if (group.failure) {
        ngx_http_llm_limit_redis_log(r->connection->log, group.failure);
    }
    for (size_t i = 0; i < group.members.size(); ++i) {
        Held &held = limit.held[group.members[i]];
        if (group.failure) {
            decide_without_redis(limit, held);
            continue;
        }
        const auto &remote = group.answer.decisions[i];
        held.decision = remote.decision;
        held.decided = true;
        if (held.zone->sync) {
            ngx_http_llm_limit_share_learn(held.zone, held.key, held.limit,
                                           held.decision);
        }
        if (group.answer.granted) {
            held.reservation = remote.reservation;
            held.record = group.record;
            held.place = Place::redis;
        }
    }
}

// All or none. What is in memory comes first: if that refuses, Redis need not
// be asked.
task::Task reserve(ngx_http_request_t *r, LimitCtx &limit) {
    for (auto &held : limit.held) {
        held.decided = false;
    }
    if (!reserve_here(limit)) {
        ngx_http_llm_limit_give_back(limit);
        count_amounts(limit);
        (void) reserve_here(limit);
    }
    if (!is_refused(limit)) {
        for (auto &held : limit.held) {
            if (held.zone->sync) {
                reserve_in_share(held);
            }
        }
        auto groups = groups_of(limit);
        if (!groups.empty()) {
            co_await ngx_http_llm_limit_remote_t(r, groups);
            for (const auto &group : groups) {
                take_answer(r, limit, group);
            }
        }
    }
    if (!is_refused(limit)) {
        co_return NGX_OK;
    }
    for (auto &held : limit.held) {
        if (held.place != Place::nowhere) {
            held.decision.remaining =
                std::min(held.decision.limit,
                         held.decision.remaining + held.amount);
        }
    }
    ngx_http_llm_limit_give_back(limit);
    co_return NGX_DECLINED;
}

// How long the call may wait before it tries again; 0: it may not. started:
// when it began to.
ngx_msec_t may_wait(const LimitCtx &limit, ngx_msec_t started) {
    ngx_msec_t gone = ngx_current_msec - started;
    ngx_msec_t time = NGX_MAX_INT32_VALUE;
    if (limit.no_redis) {
        return 0;
    }
    for (const auto &held : limit.held) {
        if (!refuses(held)) {
            continue;
        }
        const auto &decision = held.decision;
        if (decision.outcome == Outcome::too_large
            || held.rule->delay <= gone) {
            return 0;
        }
        ngx_msec_t left = held.rule->delay - gone;
        auto wait = static_cast<ngx_msec_t>(
            std::max<std::int64_t>(decision.retry_after, 1));
        if (wait > left) {
            // In vain, unless others give back what they do not need. Those
            // of other gateways cannot be seen.
            if (held.zone->redis) {
                return 0;
            }
            ngx_http_llm_limit_locked_t locked(held.zone);
            auto usage = locked->usage(held.key, held.limit_here,
                                       ngx_http_llm_limit_now());
            if (usage.held == 0) {
                return 0;
            }
            wait = left;
        }
        time = ngx_min(time, ngx_min(wait, left));
    }
    return ngx_min(time, look_again);
}

void count(LimitCtx &limit, Status status, std::uint64_t Counts::*what) {
    limit.status = status;
    for (const auto &held : limit.held) {
        if (held.watched) {
            continue;
        }
        // Who refuses is to be seen; the others had no part in it.
        bool refusal = what == &Counts::rejected
                       || what == &Counts::rejected_dry_run;
        if (!refusal || refuses(held)) {
            ngx_http_llm_limit_locked_t locked(held.zone);
            locked.counts().*what += 1;
        }
    }
}

std::vector<llm::limit::Held> refusals(const LimitCtx &limit) {
    std::vector<llm::limit::Held> found;
    for (const auto &held : limit.held) {
        if (refuses(held)) {
            found.push_back({to_view(held.zone->name), held.zone->spec.count,
                             held.limit, held.decision});
        }
    }
    return found;
}

std::string_view unit_of(Count count) {
    switch (count) {
    case Count::requests:
        return "requests";
    case Count::prompt:
        return "prompt tokens";
    case Count::completion:
        return "completion tokens";
    default:
        return "tokens";
    }
}

llm::Error error_of(const LimitCtx &limit) {
    auto found = refusals(limit);
    auto tightest = llm::limit::tightest(found);
    std::int64_t wait = llm::limit::retry_after(found);
    const auto &held = *std::find_if(
        limit.held.begin(), limit.held.end(), [&](const Held &other) {
            return to_view(other.zone->name) == tightest->name;
        });

    llm::Error error;
    error.kind = llm::ErrorKind::rate_limit;
    error.code = "rate_limit_exceeded";
    std::string &message = error.message;
    message = "the limit \"" + std::string(tightest->name) + '"';
    if (tightest->count == Count::cost) {
        // How much money there is, is nobody's business.
        message += " is used up";
    } else if (wait < 0) {
        message += " never has more than "
                   + std::to_string(tightest->decision.limit) + ' '
                   + std::string(unit_of(tightest->count))
                   + ", and this request may need "
                   + std::to_string(held.amount);
    } else {
        message += " has " + std::to_string(tightest->decision.remaining)
                   + " of " + std::to_string(tightest->decision.limit) + ' '
                   + std::string(unit_of(tightest->count))
                   + " left, and this request may need "
                   + std::to_string(held.amount);
    }
    message += wait < 0 ? "; a smaller one, or a smaller max_tokens, may fit"
                        : "; try again in " + llm::limit::openai_duration(wait);
    return error;
}

llm::Error unavailable() {
    llm::Error error;
    error.kind = llm::ErrorKind::unavailable;
    error.message = "the limits of this gateway cannot be checked just now";
    error.code = "limits_unavailable";
    return error;
}

void log_refusal(ngx_http_request_t *r, const LimitCtx &limit,
                 ngx_uint_t level, const char *what) {
    for (const auto &held : limit.held) {
        if (!refuses(held)) {
            continue;
        }
        ngx_log_error(level, r->connection->log, 0,
                      "llm: %s request%s, by llm_limit_zone \"%V\": "
                      "%L of %L left, %L wanted",
                      what, limit.conf->dry_run ? ", dry run" : "",
                      &held.zone->name, held.decision.remaining,
                      held.decision.limit, held.amount);
        return;
    }
}

}  // namespace

task::Task ngx_http_llm_limit_reserve(ngx_http_request_t *r,
                                      ngx_http_llm_ctx_t *ctx,
                                      const ngx_http_llm_loc_conf_t *llcf) {
    const auto &conf = llcf->limit;
    if (!ngx_http_llm_limit_is_on(conf)
        || llm::is_about_models(ctx->route.operation)) {
        co_return NGX_DECLINED;
    }

    auto memory = ngx_palloc(r->pool, sizeof(LimitCtx));
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    ctx->limit.reset(new (memory) LimitCtx(ctx, &conf));
    LimitCtx &limit = *ctx->limit;

    collect(r, limit);
    if (limit.held.empty()) {
        co_return NGX_DECLINED;
    }
    set_amounts(limit);

    ngx_msec_t started = ngx_current_msec;
    bool delayed = false;
    while (co_await reserve(r, limit) == NGX_DECLINED) {
        ngx_msec_t time = may_wait(limit, started);
        if (time && !delayed) {
            delayed = true;
            log_refusal(r, limit,
                        conf.log_level + (conf.log_level < NGX_LOG_INFO),
                        "delaying");
        }
        if (time && conf.dry_run) {
            count(limit, Status::delayed_dry_run, &Counts::delayed_dry_run);
            co_return NGX_DECLINED;
        }
        if (time) {
            co_await ngx_http_llm_limit_wait_t(r, time);
            continue;
        }

        log_refusal(r, limit, conf.log_level, "limiting");
        for (const auto &held : limit.held) {
            if (refuses(held)) {
                limit.refused_by = held.zone;
                break;
            }
        }
        if (conf.dry_run) {
            count(limit, Status::rejected_dry_run, &Counts::rejected_dry_run);
            co_return NGX_DECLINED;
        }
        count(limit, Status::rejected, &Counts::rejected);
        if (limit.no_redis) {
            co_return ngx_http_llm_refuse(ctx, unavailable());
        }
        (void) ngx_http_llm_refuse(ctx, error_of(limit));
        co_return static_cast<ngx_int_t>(conf.status);
    }

    limit.renewal.start(r, &limit);
    if (delayed) {
        count(limit, Status::delayed, &Counts::delayed);
    } else {
        count(limit, Status::passed, &Counts::passed);
    }
    co_return NGX_DECLINED;
}
