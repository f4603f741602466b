// Prompt tokens, counted by the gateway.
#pragma once

#include "ngx.hpp"

#include <string_view>

#include "llm/tokens.hpp"

// Tokens of a request, by the model's own vocabulary where that is known. Takes
// 20 ms at most, or as `work` says: of long texts the rest is estimated. The
// vocabularies are opened at the first call of a worker. May throw
// std::bad_alloc.
llm::tokens::PromptTokens ngx_http_llm_count_prompt(
    const llm::chat::Request &request, std::string_view model,
    std::size_t work = llm::tokens::PromptCounter::default_limit);

// For llm::Exchange::count_with().
std::int64_t ngx_http_llm_prompt_tokens(const llm::chat::Request &request,
                                        std::string_view model);

// llm_count_tokens: a content handler, and the API that a request to it is of.
ngx_int_t ngx_http_llm_count_handler(ngx_http_request_t *r) noexcept;
const llm::Format &ngx_http_llm_count_format(ngx_http_request_t *r) noexcept;
