// Which member is asked next, and the connection to it.
#pragma once

#include "upstream.hpp"

// What this member would be asked.
llm::Target ngx_http_llm_peer_target(ngx_http_request_t *r,
                                     const ngx_http_llm_ctx_t &ctx,
                                     const ngx_http_llm_member_t &member)
    noexcept;

// ctx->error and retry_after: no member of the pool can be asked.
void ngx_http_llm_peer_none(ngx_http_llm_pool_t *pool,
                            ngx_http_llm_ctx_t *ctx);

// Whether the call has a try left after this one.
bool ngx_http_llm_peer_has_next(ngx_http_llm_upstream_ctx_t *up) noexcept;
