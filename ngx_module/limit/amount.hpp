// What a call may need, and what it has used, in what a limit counts.
#pragma once

#include "limit/request.hpp"

#include <cstdint>
#include <optional>

#include "llm/exchange.hpp"
#include "llm/limit_spec.hpp"
#include "llm/usage_sketch.hpp"

// The most that the prompt of a call can be, in tokens, from its bytes: many
// times too much, but certain, and for free. None: it has more than text.
std::optional<std::int64_t> ngx_http_llm_limit_prompt_bound(
    const ngx_http_llm_ctx_t &ctx) noexcept;

// The prompt's tokens as counted, for who needs most of them of those that may
// be asked first. What cannot be counted is estimated, and rounded up. Takes a
// few milliseconds at most, however long the prompt is.
std::int64_t ngx_http_llm_limit_prompt(ngx_http_llm_ctx_t *ctx);

// Whether the prompt's tokens are a part of what is counted.
inline bool ngx_http_llm_limit_counts_prompts(
    llm::limit::Count count) noexcept {
    return count == llm::limit::Count::total
           || count == llm::limit::Count::prompt
           || count == llm::limit::Count::cost;
}

// Whether the answer's tokens are.
inline bool ngx_http_llm_limit_counts_answers(
    llm::limit::Count count) noexcept {
    return count == llm::limit::Count::total
           || count == llm::limit::Count::completion
           || count == llm::limit::Count::cost;
}

// The most that the call can cost; `sketch`: of answers like it.
std::int64_t ngx_http_llm_limit_amount(
    const ngx_http_llm_ctx_t &ctx, llm::limit::Count count,
    std::int64_t prompt, const ngx_http_llm_limit_conf_t &conf,
    const llm::limit::UsageSketch &sketch) noexcept;

// Whether the call has an answer that somebody has to be paid for: nothing
// for failures, nor for answers from the cache unless they count.
bool ngx_http_llm_limit_is_charged(
    const ngx_http_llm_ctx_t &ctx,
    const ngx_http_llm_limit_conf_t &conf) noexcept;

// What the answer has cost.
std::int64_t ngx_http_llm_limit_used(ngx_http_llm_ctx_t &ctx,
                                     llm::limit::Count count) noexcept;
