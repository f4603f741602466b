// The client's body, whole and in one piece of memory.
#pragma once

#include "ngx.hpp"

#include <string_view>

// Collects the body that nginx has read, from memory or its temporary file:
// a view into nginx's own buffer where it is in one, else a copy in the
// request's pool. NGX_OK, or NGX_ERROR (no memory, or the file cannot be
// read; logged).
ngx_int_t ngx_http_llm_collect_body(ngx_http_request_t *r,
                                    std::string_view &body) noexcept;

// Puts other bytes in the body's place, for the content handler that comes
// next; they must live as long as the request. NGX_OK or NGX_ERROR.
ngx_int_t ngx_http_llm_replace_body(ngx_http_request_t *r,
                                    std::string_view body) noexcept;
