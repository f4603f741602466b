// What a call has really used takes the place of what was reserved for it.
#include "limit/request.hpp"

#include <algorithm>

#include "limit/amount.hpp"
#include "limit/rule.hpp"

namespace {

using Held = ngx_http_llm_limit_held_t;

// A limit on models counts those that answered, not those that were asked.
bool is_about_answer(const Held &held, const ngx_http_llm_ctx_t &ctx) {
    return held.by_name || ctx.answered == nullptr
           || ngx_http_llm_limit_matches(*held.rule, *ctx.answered,
                                         to_view(ctx.answered_model));
}

}  // namespace

void ngx_http_llm_limit_settle(ngx_http_llm_ctx_t *ctx) noexcept {
    if (!ctx->limit) {
        return;
    }
    ngx_http_llm_limit_ctx_t &limit = *ctx->limit;
    bool charged = ngx_http_llm_limit_is_charged(*ctx, *limit.conf);

    for (auto &held : limit.held) {
        if (!held.reserved) {
            continue;
        }
        held.reserved = false;
        auto kind = held.zone->spec.count;
        std::int64_t used = 0;
        std::int64_t answer = -1;
        if (charged && is_about_answer(held, *ctx)) {
            const auto &account = ctx->exchange->account();
            used = ngx_http_llm_limit_used(kind, account.usage);
            if (account.complete && ngx_http_llm_limit_counts_answers(kind)) {
                answer = account.usage.completion_tokens / limit.choices;
            }
        }

        ngx_http_llm_limit_locked_t locked(held.zone);
        locked->settle(held.key, held.limit, ngx_http_llm_limit_now(),
                       held.reservation, used);
        locked.counts().used += static_cast<std::uint64_t>(used);
        if (answer >= 0) {
            locked.sketches().add(held.sketch, answer);
        }
    }
}
