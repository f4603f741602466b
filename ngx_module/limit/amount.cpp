#include "limit/amount.hpp"

#include <algorithm>

#include "account/cost.hpp"
#include "cache/request.hpp"
#include "llm/tokens.hpp"

namespace {

using llm::limit::Count;
using llm::limit::max_amount;

// Of a call that this gateway cannot read, but the provider may: OpenAI's
// rule of thumb for English.
constexpr std::int64_t bytes_per_token = 4;

std::int64_t add(std::int64_t a, std::int64_t b) noexcept {
    return std::min(a + b, max_amount);
}

// Both 0 .. max_amount: no product overflows where the result is one.
std::int64_t multiply(std::int64_t a, std::int64_t b) noexcept {
    return b > 0 && a > max_amount / b ? max_amount : a * b;
}

std::int64_t clamp(std::int64_t amount) noexcept {
    return std::clamp<std::int64_t>(amount, 0, max_amount);
}

// The name by which the tokenizer is known.
std::string_view model_of(const ngx_http_llm_ctx_t &ctx) {
    if (ctx.pool && ctx.member >= 0) {
        auto member = static_cast<ngx_http_llm_member_t *>(
                          ctx.pool->members.elts)
                      + ctx.member;
        if (member->model.len) {
            return to_view(member->model);
        }
    }
    return ctx.exchange->head().model;
}

// Nano-dollars in millionths of a dollar, against the client.
std::int64_t in_millionths(std::int64_t nano) noexcept {
    return clamp(nano / 1000 + (nano % 1000 > 0));
}

// The most that the tokens cost at any of those who may be asked first.
std::int64_t cost_of(const ngx_http_llm_ctx_t &ctx,
                     const llm::chat::Usage &usage) noexcept {
    std::int64_t most = 0;
    auto consider = [&](const ngx_http_llm_provider_t *provider,
                        std::string_view model) {
        if (auto price = ngx_http_llm_find_price(ctx.conf, provider, model)) {
            most = std::max(most, llm::price::cost(*price, usage));
        }
    };
    if (ctx.pool == nullptr) {
        consider(nullptr, ctx.exchange->head().model);
        return in_millionths(most);
    }
    auto members = static_cast<ngx_http_llm_member_t *>(
        ctx.pool->members.elts);
    for (ngx_int_t i = 0;
         i < static_cast<ngx_int_t>(ctx.pool->members.nelts); ++i) {
        const auto &member = members[i];
        if (ctx.member >= 0 ? i == ctx.member
                            : !member.backup && !member.down) {
            consider(member.provider,
                     member.model.len ? to_view(member.model) : ctx.model);
        }
    }
    return in_millionths(most);
}

}  // namespace

ngx_http_llm_limit_need_t ngx_http_llm_limit_need(ngx_http_llm_ctx_t *ctx) {
    static llm::tokens::PromptCounter counter(std::nullopt, std::nullopt);

    ngx_http_llm_limit_need_t need;
    if (ctx->route.operation == llm::Operation::pass_through) {
        // What it costs only the answer says.
        need.max_tokens = 0;
        need.prompt = clamp(
            llm::estimate_prompt_tokens(ctx->exchange->body()));
        return need;
    }
    if (ctx->route.operation == llm::Operation::embeddings) {
        // There is no answer of tokens.
        need.max_tokens = 0;
        auto request = ctx->exchange->embedding_request();
        need.prompt = clamp(
            request ? llm::embedding::estimate_tokens(**request,
                                                      model_of(*ctx))
                    : static_cast<std::int64_t>(ctx->body.size())
                          / bytes_per_token);
        return need;
    }
    if (ctx->exchange->head().max_tokens) {
        need.max_tokens = clamp(*ctx->exchange->head().max_tokens);
    }
    auto request = ctx->exchange->request();
    if (!request) {
        need.prompt = clamp(static_cast<std::int64_t>(ctx->body.size())
                            / bytes_per_token);
        return need;
    }
    need.prompt = clamp(counter.count(**request, model_of(*ctx)).tokens);
    need.choices = clamp(std::max<std::int64_t>((*request)->n.value_or(1), 1));
    return need;
}

std::int64_t ngx_http_llm_limit_amount(
    const ngx_http_llm_ctx_t &ctx, Count count, const ngx_http_llm_limit_need_t &need,
    const ngx_http_llm_limit_conf_t &conf,
    const llm::limit::UsageSketch &sketch) noexcept {
    std::int64_t answer = 0;
    if (ngx_http_llm_limit_counts_answers(count)) {
        llm::limit::BoundOptions options;
        options.quantile = conf.quantile;
        options.margin = conf.margin;
        options.otherwise = conf.otherwise;
        answer = multiply(
            need.max_tokens
                ? *need.max_tokens
                : clamp(llm::limit::completion_bound(sketch, options, 0)),
            need.choices);
    }
    switch (count) {
    case Count::total:
        return add(need.prompt, answer);
    case Count::prompt:
        return need.prompt;
    case Count::completion:
        return answer;
    case Count::requests:
        return 1;
    case Count::cost:
        break;
    }
    llm::chat::Usage usage;
    usage.prompt_tokens = need.prompt;
    usage.completion_tokens = answer;
    usage.total_tokens = add(need.prompt, answer);
    return cost_of(ctx, usage);
}

bool ngx_http_llm_limit_is_charged(
    const ngx_http_llm_ctx_t &ctx,
    const ngx_http_llm_limit_conf_t &conf) noexcept {
    if (!ctx.exchange) {
        return false;
    }
    if (ngx_http_llm_cache_is_hit(ctx)) {
        return conf.cached;
    }
    if (ctx.route.operation == llm::Operation::pass_through) {
        // Few say their usage, but all are requests.
        return ctx.answered_by_module && !ctx.error;
    }
    const auto &usage = ctx.exchange->account().usage;
    if (!usage.known && !usage.estimated) {
        return false;
    }
    // A try that failed may have said what it cost before it did.
    return !ctx.error || ctx.exchange->broken();
}

std::int64_t ngx_http_llm_limit_used(ngx_http_llm_ctx_t &ctx,
                                     Count count) noexcept {
    const auto &usage = ctx.exchange->account().usage;
    switch (count) {
    case Count::total:
        return add(clamp(usage.prompt_tokens), clamp(usage.completion_tokens));
    case Count::prompt:
        return clamp(usage.prompt_tokens);
    case Count::completion:
        return clamp(usage.completion_tokens);
    case Count::requests:
        return 1;
    case Count::cost:
        break;
    }
    return in_millionths(ngx_http_llm_cost(ctx).value_or(0));
}
