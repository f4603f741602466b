// Who asks: the client of this gateway that a call is from.
#pragma once

#include "ngx_http_llm.hpp"

#include <string_view>

// Where the SDKs of all client APIs put their key: OpenAI's, Anthropic's,
// Azure's, Google's.
inline constexpr std::string_view ngx_http_llm_credential_headers[] = {
    "authorization", "x-api-key", "api-key", "x-goog-api-key",
};

// $llm_consumer: whose key llm_auth has let in, else what llm_consumer says.
// Empty: nobody in particular.
std::string_view ngx_http_llm_consumer(
    ngx_http_request_t *r, const ngx_http_llm_loc_conf_t *llcf) noexcept;

// What tells the call's consumer from all others, to be hashed and not to be
// shown: the consumer's name, or else the credentials that came with the
// call, in the request's pool. Empty: an anonymous one. No data: no memory.
std::string_view ngx_http_llm_consumer_identity(
    ngx_http_request_t *r, const ngx_http_llm_loc_conf_t *llcf) noexcept;
