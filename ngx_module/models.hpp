// GET .../models: what a client may name at this location, and
// GET .../models/NAME: one of that; and what else clients' APIs ask that needs
// no provider: the version of the API, and what one of the models is.
#pragma once

#include "context.hpp"

ngx_int_t ngx_http_llm_models_handler(ngx_http_request_t *r,
                                      ngx_http_llm_ctx_t *ctx);
