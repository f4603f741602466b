#include "limit/amount.hpp"

#include <algorithm>
#include <vector>

#include "account/cost.hpp"
#include "account/count.hpp"
#include "cache/request.hpp"
#include "llm/tokens.hpp"

namespace {

using llm::limit::Count;
using llm::limit::max_amount;

// Of the work that one count may take, so much of it is done for a limit:
// enough for 60 to 170 KB of most texts, in 1 to 5 ms.
constexpr std::size_t work = llm::tokens::PromptCounter::default_limit / 4;

// What is estimated is an eighth more than that: German is estimated at up to
// 15 % too little. Too much is given back in the end, too little is gone.
constexpr std::int64_t estimate_margin = 8;

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

// Tells of all who may be asked first; with none but backups left, of those.
template <typename Consider>
void each_candidate(const ngx_http_llm_ctx_t &ctx, Consider consider) {
    if (ctx.pool == nullptr) {
        consider(nullptr, ctx.exchange->head().model);
        return;
    }
    auto members = static_cast<ngx_http_llm_member_t *>(
        ctx.pool->members.elts);
    bool found = false;
    for (unsigned backup = 0; backup <= 1 && !found; ++backup) {
        for (ngx_int_t i = 0;
             i < static_cast<ngx_int_t>(ctx.pool->members.nelts); ++i) {
            const auto &member = members[i];
            if (ctx.member >= 0 ? i == ctx.member
                                : member.backup == backup && !member.down) {
                consider(member.provider, member.model.len
                                              ? to_view(member.model)
                                              : ctx.model);
                found = true;
            }
        }
    }
}

// Nano-dollars in millionths of a dollar, against the client.
std::int64_t in_millionths(std::int64_t nano) noexcept {
    return clamp(nano / 1000 + (nano % 1000 > 0));
}

// The most that the tokens cost at any of those who may be asked first.
std::int64_t cost_of(const ngx_http_llm_ctx_t &ctx,
                     const llm::chat::Usage &usage) noexcept {
    std::int64_t most = 0;
    each_candidate(ctx, [&](const ngx_http_llm_provider_t *provider,
                            std::string_view model) {
        if (auto price = ngx_http_llm_find_price(ctx.conf, provider, model)) {
            most = std::max(most, llm::price::cost(*price, usage));
        }
    });
    return in_millionths(most);
}

// Each name once: those of one tokenizer may still see images differently.
std::vector<std::string_view> models_of(const ngx_http_llm_ctx_t &ctx) {
    std::vector<std::string_view> models;
    each_candidate(ctx, [&](const ngx_http_llm_provider_t *,
                            std::string_view model) {
        if (std::find(models.begin(), models.end(), model) == models.end()) {
            models.push_back(model);
        }
    });
    return models;
}

std::int64_t embedding_prompt(ngx_http_llm_ctx_t *ctx) {
    auto request = ctx->exchange->embedding_request();
    if (!request) {
        return clamp(llm::estimate_prompt_tokens(ctx->exchange->body()));
    }
    std::int64_t most = 0;
    for (auto model : models_of(*ctx)) {
        most = std::max(most,
                        llm::embedding::estimate_tokens(**request, model));
    }
    return clamp(most + most / estimate_margin);
}

}  // namespace

std::optional<std::int64_t> ngx_http_llm_limit_prompt_bound(
    const ngx_http_llm_ctx_t &ctx) noexcept {
    if (ctx.route.operation == llm::Operation::pass_through) {
        return std::nullopt;
    }
    auto bound = llm::tokens::prompt_bound(ctx.exchange->body());
    return bound ? std::optional(clamp(*bound)) : std::nullopt;
}

std::int64_t ngx_http_llm_limit_prompt(ngx_http_llm_ctx_t *ctx) {
    if (ctx->route.operation == llm::Operation::pass_through) {
        // What it costs only the answer says.
        return clamp(llm::estimate_prompt_tokens(ctx->exchange->body()));
    }
    if (ctx->route.operation == llm::Operation::embeddings) {
        return embedding_prompt(ctx);
    }
    auto request = ctx->exchange->request();
    if (!request) {
        // It may be newer than this gateway, and pass all the same.
        std::int64_t tokens =
            llm::estimate_prompt_tokens(ctx->exchange->body());
        return clamp(tokens + tokens / estimate_margin);
    }

    auto models = models_of(*ctx);
    std::int64_t most = 0;
    for (auto model : models) {
        auto count = ngx_http_llm_count_prompt(**request, model,
                                               work / models.size());
        most = std::max(most,
                        count.tokens + count.estimated / estimate_margin);
    }
    return clamp(most);
}

std::int64_t ngx_http_llm_limit_amount(
    const ngx_http_llm_ctx_t &ctx, Count count, std::int64_t prompt,
    const ngx_http_llm_limit_conf_t &conf,
    const llm::limit::UsageSketch &sketch) noexcept {
    std::int64_t answer = 0;
    // Only chats are answered with tokens.
    if (ngx_http_llm_limit_counts_answers(count)
        && ctx.route.operation == llm::Operation::chat) {
        llm::limit::BoundOptions options;
        options.quantile = conf.quantile;
        options.margin = conf.margin;
        options.otherwise = conf.otherwise;
        const auto &head = ctx.exchange->head();
        answer = multiply(
            clamp(head.max_tokens
                      ? *head.max_tokens
                      : llm::limit::completion_bound(sketch, options, 0)),
            clamp(head.choices));
    }
    switch (count) {
    case Count::total:
        return add(prompt, answer);
    case Count::prompt:
        return prompt;
    case Count::completion:
        return answer;
    case Count::requests:
        return 1;
    case Count::cost:
        break;
    }
    llm::chat::Usage usage;
    usage.prompt_tokens = prompt;
    usage.completion_tokens = answer;
    usage.total_tokens = add(prompt, answer);
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
    const auto &usage = ctx.exchange->account().usage;
    if (ctx.route.operation == llm::Operation::pass_through) {
        // Few say their usage, but all are requests, also those whose client
        // did not wait for the answer.
        return (ctx.answered_by_module || usage.estimated) && !ctx.error;
    }
    if (!usage.known && !usage.estimated) {
        return false;
    }
    // A try that failed may have said what it cost before it did.
    return !ctx.error || ctx.exchange->broken() || ctx.partly_paid;
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
