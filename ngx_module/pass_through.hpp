// llm_pass_through: calls that are passed on as they are.
//
//     llm_pass_through off | on | images | audio | ... ;
//
// What such a call is, the core knows (llm/pass_through.hpp); this is how it
// goes through nginx. A body that says which model is meant, where that
// matters, is read first, as that of a chat is; any other is sent on as it
// comes. A WebSocket is tunnelled by nginx's upstream machinery.
#pragma once

#include "context.hpp"
#include "upstream.hpp"

#include <string>
#include <string_view>

char *ngx_http_llm_pass_through_directive(ngx_conf_t *cf, ngx_command_t *cmd,
                                          void *conf) noexcept;

// When all of http {} is read.
void ngx_http_llm_pass_through_init() noexcept;

// Whether the location lets a call of this path and method through: then
// ctx->route and ctx->pass_through say what it is.
bool ngx_http_llm_pass_through_match(ngx_http_request_t *r,
                                     ngx_http_llm_ctx_t *ctx,
                                     const ngx_http_llm_loc_conf_t *llcf);

// Whether the call's body is read before it goes anywhere.
bool ngx_http_llm_pass_through_reads_body(
    ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
    const ngx_http_llm_loc_conf_t *llcf);

// Opens ctx->exchange, and refuses what names no model where only some are
// allowed.
llm::Result<void> ngx_http_llm_pass_through_open(
    ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
    const ngx_http_llm_loc_conf_t *llcf);

// The content handler's last step: reads the body, or begins to, and starts
// the upstream.
ngx_int_t ngx_http_llm_pass_through_start(ngx_http_request_t *r) noexcept;

// The Content-Type that the provider gets; empty: none.
std::string_view ngx_http_llm_pass_through_type(
    const ngx_http_llm_ctx_t *ctx) noexcept;

// The request line and the headers that are of these calls alone.
void ngx_http_llm_pass_through_head(ngx_http_request_t *r,
                                    ngx_http_llm_ctx_t *ctx,
                                    std::string_view path, size_t body_size,
                                    std::string &out);

// A header of the provider's answer that may go to the client; in the
// request's pool. False: no memory.
bool ngx_http_llm_pass_through_keep(ngx_http_request_t *r,
                                    ngx_http_llm_upstream_ctx_t *up,
                                    std::string_view name,
                                    std::string_view value) noexcept;

// Gives the kept headers to the client.
ngx_int_t ngx_http_llm_pass_through_headers(
    ngx_http_request_t *r, ngx_http_llm_upstream_ctx_t *up) noexcept;

// The provider has said yes to a WebSocket: what it sends from now on is
// looked at as it goes by.
void ngx_http_llm_pass_through_tunnel(ngx_http_request_t *r,
                                      ngx_http_llm_upstream_ctx_t *up)
    noexcept;
