// How a location accounts for its calls: llm_prices, llm_count_tokens.
#pragma once

#include "ngx.hpp"

struct ngx_http_llm_account_conf_t {
    // llm_prices: const llm::price::Table *, the first that knows a model
    // says what it costs. NULL: off.
    ngx_array_t *prices;
    ngx_flag_t count_tokens;    // llm_count_tokens
};

// The directives, up to an ngx_null_command.
extern ngx_command_t ngx_http_llm_account_commands[];

void ngx_http_llm_account_conf_create(
    ngx_http_llm_account_conf_t *conf) noexcept;
void ngx_http_llm_account_conf_merge(
    const ngx_http_llm_account_conf_t *prev,
    ngx_http_llm_account_conf_t *conf) noexcept;
