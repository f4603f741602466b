// The variables $llm_*.
#pragma once

#include "context.hpp"

ngx_int_t ngx_http_llm_add_variables(ngx_conf_t *cf) noexcept;
