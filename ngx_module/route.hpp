// Where a call goes: from llm_pass and the client's model to a pool, maybe to
// one of its members.
#pragma once

#include "context.hpp"

// Binds ctx->pool, ctx->member and ctx->model. The error is a 404
// model_not_found in the client's terms.
llm::Result<void> ngx_http_llm_route(ngx_http_request_t *r,
                                     ngx_http_llm_ctx_t *ctx,
                                     ngx_http_llm_loc_conf_t *llcf);

// The API in which a client expects its errors: that of its path, else the one
// that its headers tell, else OpenAI's.
const llm::Format &ngx_http_llm_client_format(ngx_http_request_t *r) noexcept;

// The names that a client may use at this location, for GET .../models:
// aliases and "provider/model" names, pools where a variable routes.
// Allocated from the request's pool.
ngx_int_t ngx_http_llm_reachable_models(
    ngx_http_request_t *r, ngx_http_llm_loc_conf_t *llcf,
    std::pmr::vector<std::string_view> &names);

// Whether the model is one of those, by its name or by what comes last in it.
// Throws std::bad_alloc.
bool ngx_http_llm_lists_model(ngx_http_request_t *r,
                              ngx_http_llm_loc_conf_t *llcf,
                              std::string_view model);

// Whether a call of the model would be sent from this location, and may be.
// The error is as above. Throws std::bad_alloc.
llm::Result<void> ngx_http_llm_find_model(ngx_http_request_t *r,
                                          ngx_http_llm_loc_conf_t *llcf,
                                          std::string_view model);
