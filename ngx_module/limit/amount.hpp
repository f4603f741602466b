// What a call may need, and what it has used, in what a limit counts.
#pragma once

#include "limit/request.hpp"

#include <cstdint>
#include <optional>

#include "llm/exchange.hpp"
#include "llm/limit_spec.hpp"
#include "llm/usage_sketch.hpp"

// Of a call that is not made yet.
struct ngx_http_llm_limit_need_t {
    std::int64_t prompt = 0;                    // tokens
    std::int64_t choices = 1;
    std::optional<std::int64_t> max_tokens;     // of one choice
};

ngx_http_llm_limit_need_t ngx_http_llm_limit_need(ngx_http_llm_ctx_t *ctx);

// Whether the answer's tokens are a part of what is counted.
inline bool ngx_http_llm_limit_counts_answers(
    llm::limit::Count count) noexcept {
    return count == llm::limit::Count::total
           || count == llm::limit::Count::completion
           || count == llm::limit::Count::cost;
}

// The most that the call can cost; `sketch`: of answers like it.
std::int64_t ngx_http_llm_limit_amount(
    const ngx_http_llm_ctx_t &ctx, llm::limit::Count count, const ngx_http_llm_limit_need_t &need,
    const ngx_http_llm_limit_conf_t &conf,
    const llm::limit::UsageSketch &sketch) noexcept;

// Whether the call has an answer that somebody has to be paid for: nothing
// for failures, nor for answers from the cache unless they count.
bool ngx_http_llm_limit_is_charged(
    const ngx_http_llm_ctx_t &ctx,
    const ngx_http_llm_limit_conf_t &conf) noexcept;

// What the answer has cost.
std::int64_t ngx_http_llm_limit_used(ngx_http_llm_ctx_t &ctx,
                                     llm::limit::Count count) noexcept;
