// The precontent phase: everything that reads the body. It comes after every
// access check, so that nobody spends tokens without being let in.
#pragma once

#include "context.hpp"

ngx_int_t ngx_http_llm_precontent_handler(ngx_http_request_t *r) noexcept;

// Remembers an error that nginx is to answer with, and returns its status: the
// header and body filters give it the shape of the client's API.
ngx_int_t ngx_http_llm_refuse(ngx_http_llm_ctx_t *ctx,
                              llm::Error error) noexcept;
