// "llm on": accounting for the answers of any other content handler, such as
// proxy_pass to a server that speaks OpenAI's or Anthropic's API.
#pragma once

#include "context.hpp"

// From the precontent phase, once the body is read: asks for usage in streams
// and for an answer that can be read. NGX_DECLINED: go on.
ngx_int_t ngx_http_llm_relay_prepare(ngx_http_request_t *r,
                                     ngx_http_llm_ctx_t *ctx);

// From the header filter: whether the answer's body is to be looked at.
void ngx_http_llm_relay_header(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx);

// From the body filter: reads `in` and makes the chain to send on, in *out.
ngx_int_t ngx_http_llm_relay_body(ngx_http_request_t *r,
                                  ngx_http_llm_ctx_t *ctx, ngx_chain_t *in,
                                  ngx_chain_t **out);
// After *out was sent on: takes buffers back that are free again.
void ngx_http_llm_relay_sent(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
                             ngx_chain_t **out);

// At the end of the request: an answer that broke off is accounted for.
void ngx_http_llm_relay_settle(ngx_http_llm_ctx_t *ctx) noexcept;
