// Secrets from outside of the configuration. Read while it is read, so that
// "nginx -t" finds what is missing; a reload reads them anew. No error says
// anything of a secret's text.
#pragma once

#include "ngx.hpp"

// What the environment says, as below; no data where it does not. For what may
// be there and need not.
std::string_view ngx_http_llm_find_env(ngx_conf_t *cf, const char *name)
    noexcept;

// The value of an environment variable: of nginx's "env NAME=VALUE;" where it
// is given before, else of nginx's own environment at its start. (A binary
// upgrade and "master_process off" keep only what "env" names: such a
// variable should be declared with "env NAME;".) Logs and returns NGX_ERROR
// when it is not set, is empty or cannot be sent in a header.
ngx_int_t ngx_http_llm_secret_env(ngx_conf_t *cf, ngx_str_t *name,
                                  ngx_str_t *secret) noexcept;

// The first line of a file, without white space at its end; the path is
// relative to the configuration's. Warns when all users may read it.
ngx_int_t ngx_http_llm_secret_file(ngx_conf_t *cf, ngx_str_t *path,
                                   ngx_str_t *secret) noexcept;
