// Calls that list more than their provider takes at once (llm::Division): the
// gateway makes several calls, a few at a time, and joins the answers.
//
// Each call runs on an upstream of its own in a subrequest that sends nothing,
// with its own tries. All are asked of members that have the same model:
// vectors of two cannot be compared, for one. When one call has failed for
// good, the others are cancelled, and the whole list may go on to a member
// with another model; else its error is the list's.
#pragma once

#include "context.hpp"

// Whether a member of ctx->pool would take the call only as several.
bool ngx_http_llm_list_is_needed(ngx_http_request_t *r,
                                 ngx_http_llm_ctx_t *ctx);

// Makes the calls and answers the request. Returns what a content handler is
// to return.
ngx_int_t ngx_http_llm_list_start(ngx_http_request_t *r,
                                  ngx_http_llm_ctx_t *ctx);
