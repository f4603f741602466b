// llm_auth, llm_allow_models, llm_deny_models: what a location says of them.
#pragma once

#include "ngx.hpp"

struct ngx_http_llm_key_file_t;     // auth/key_file.hpp
struct ngx_http_llm_key_store_t;    // auth/key_store.hpp

// One llm_auth: where the keys are known, and where clients put them.
struct ngx_http_llm_auth_t {
    ngx_http_llm_key_file_t *file;      // either this
    ngx_http_llm_key_store_t *store;    // or this
    ngx_array_t headers;                // ngx_str_t, lower case
};

struct ngx_http_llm_auth_conf_t {
    ngx_http_llm_auth_t *auth;          // NULL: off
    // ngx_http_complex_value_t; NULL: no such directive.
    ngx_array_t *allowed_models;
    ngx_array_t *denied_models;
};

void ngx_http_llm_auth_conf_create(ngx_http_llm_auth_conf_t *conf) noexcept;
void ngx_http_llm_auth_conf_merge(ngx_http_llm_auth_conf_t *prev,
                                  ngx_http_llm_auth_conf_t *conf) noexcept;
