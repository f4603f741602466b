// What the module itself sends to a client.
#pragma once

#include "context.hpp"

#include <string>

// Content type and the module's own headers (X-LLM-Model, Retry-After), from
// what ctx knows. The status and the length are the caller's. NGX_OK, or
// NGX_ERROR: no memory.
ngx_int_t ngx_http_llm_answer_headers(ngx_http_request_t *r,
                                      ngx_http_llm_ctx_t *ctx,
                                      std::string_view content_type) noexcept;

// Adds one header to the answer; name and value must live as long as the
// request. NGX_OK or NGX_ERROR.
ngx_int_t ngx_http_llm_add_header(ngx_http_request_t *r, std::string_view name,
                                  std::string_view value) noexcept;

// The header that names an error's type, in APIs that have one.
ngx_int_t ngx_http_llm_add_error_type(ngx_http_request_t *r,
                                      const llm::Format &format,
                                      const llm::Error &error) noexcept;

// Calls use(ngx_table_elt_t &) for each header of the answer that has this
// name, in lower case.
template <typename Use>
void ngx_http_llm_each_answer_header(ngx_http_request_t *r,
                                     std::string_view name, Use &&use) {
    for (ngx_list_part_t *part = &r->headers_out.headers.part; part;
         part = part->next) {
        auto headers = static_cast<ngx_table_elt_t *>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; ++i) {
            if (headers[i].hash && headers[i].key.len == name.size()
                && ngx_strncasecmp(headers[i].key.data, to_ngx(name).data,
                                   name.size()) == 0) {
                use(headers[i]);
            }
        }
    }
}

// Moves text into one buffer, to be flushed, and leaves text empty. Streams:
// copied into a buffer of `free` where one is large enough. Else the text
// itself is handed to the pool. NULL: no memory.
ngx_chain_t *ngx_http_llm_output_chain(ngx_pool_t *pool, std::string &text,
                                       bool stream, ngx_chain_t **free,
                                       ngx_buf_tag_t tag) noexcept;

// Makes a string live as long as the pool. Empty data: no memory.
std::string_view ngx_http_llm_own(ngx_pool_t *pool,
                                  std::string &&text) noexcept;

// Sends a whole answer: status, type, body. From a content handler: returns
// what that is to return.
ngx_int_t ngx_http_llm_send(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
                            ngx_uint_t status, std::string_view content_type,
                            std::string &&body) noexcept;

// The same for what is no answer to a call: no header of the gateway's.
ngx_int_t ngx_http_llm_send_text(ngx_http_request_t *r, ngx_uint_t status,
                                 std::string_view content_type,
                                 std::string &&body) noexcept;
