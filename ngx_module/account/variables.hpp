#pragma once

#include "ngx.hpp"

// $llm_cost, $llm_cache_saved_cost.
ngx_int_t ngx_http_llm_account_add_variables(ngx_conf_t *cf) noexcept;
