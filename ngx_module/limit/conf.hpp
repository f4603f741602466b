// How a location limits its calls: the llm_limit directives.
#pragma once

#include "ngx.hpp"

#include <cstdint>

struct ngx_http_llm_limit_zone_t;

// llm_limit zone=NAME ...: bound once all of http {} is read.
struct ngx_http_llm_limit_rule_t {
    ngx_str_t name;
    ngx_http_llm_limit_zone_t *zone;
    ngx_array_t models;         // ngx_str_t, "*" at the end or not; none: all
    ngx_msec_t delay;           // a request waits for so long; 0: not at all
    u_char *file;
    ngx_uint_t line;
};

enum : ngx_uint_t {
    NGX_HTTP_LLM_LIMIT_HEADERS_OFF,     // of a refusal: Retry-After only
    NGX_HTTP_LLM_LIMIT_HEADERS_OPENAI,  // x-ratelimit-*
    NGX_HTTP_LLM_LIMIT_HEADERS_DRAFT,   // RateLimit, RateLimit-Policy
};

// What holds while Redis does not answer.
enum : ngx_uint_t {
    NGX_HTTP_LLM_LIMIT_LOCAL,   // a fair share of the budget
    NGX_HTTP_LLM_LIMIT_ALLOW,
    NGX_HTTP_LLM_LIMIT_DENY,
};

struct ngx_http_llm_limit_conf_t {
    // ngx_http_llm_limit_rule_t *; NULL: not said; empty: off.
    ngx_array_t *rules;
    ngx_uint_t status;          // of a refusal
    ngx_uint_t log_level;
    ngx_flag_t dry_run;
    ngx_uint_t headers;         // NGX_HTTP_LLM_LIMIT_HEADERS_*
    ngx_uint_t cached;          // 1: an answer from the cache counts, too
    ngx_uint_t redis_error;     // NGX_HTTP_LLM_LIMIT_*

    // llm_limit_reserve: of answers without max_tokens. quantile < 0: not
    // said.
    double quantile;
    double margin;
    std::int64_t otherwise;     // tokens
};

// The directives, up to an ngx_null_command.
extern ngx_command_t ngx_http_llm_limit_commands[];

void ngx_http_llm_limit_conf_create(ngx_http_llm_limit_conf_t *conf) noexcept;
void ngx_http_llm_limit_conf_merge(ngx_http_llm_limit_conf_t *prev,
                                   ngx_http_llm_limit_conf_t *conf) noexcept;

inline bool ngx_http_llm_limit_is_on(
    const ngx_http_llm_limit_conf_t &conf) noexcept {
    return conf.rules && conf.rules->nelts;
}
