// GET .../models: what a client may name at this location; and other GETs of
// clients' APIs that need no provider, such as the version of the API.
#pragma once

#include "context.hpp"

ngx_int_t ngx_http_llm_models_handler(ngx_http_request_t *r,
                                      ngx_http_llm_ctx_t *ctx);
