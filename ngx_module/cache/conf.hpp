// How a location uses a cache: the llm_cache directives.
#pragma once

#include "ngx.hpp"

struct ngx_http_llm_cache_zone_t;

// How near a stored question must be. Cosine similarities: 1 is identical.
struct ngx_http_llm_cache_similarity_t {
    double at;          // from here on; over 1: exact matches only
    double grey;        // from here up to that with a stricter check
};

// A directive that names a zone; bound once all of http {} is read.
struct ngx_http_llm_cache_use_t {
    ngx_str_t name;             // as written; no data: not said
    ngx_http_llm_cache_zone_t *zone;    // NULL: off
    u_char *file;
    ngx_uint_t line;
};

struct ngx_http_llm_cache_conf_t {
    ngx_http_llm_cache_use_t use;       // llm_cache

    ngx_http_llm_cache_similarity_t similarity;     // at < 0: the zone's
    time_t ttl;                 // seconds; 0: the zone's
    ngx_http_complex_value_t *key;      // the operator's own partition
    ngx_int_t messages;         // the last so many are the question
    ngx_uint_t ignore;          // NGX_HTTP_LLM_CACHE_IGNORE_*
    ngx_array_t *bypass;        // predicates: nothing is read
    ngx_array_t *no_store;      // predicates: nothing is kept
    ngx_flag_t control;         // Cache-Control is honoured
    ngx_flag_t lock;            // one call for equal misses
    ngx_msec_t lock_timeout;
    ngx_int_t min_uses;
    size_t max_entry;           // bytes of an entry's JSON
    time_t stale;               // seconds; 0: off
    ngx_uint_t stale_for;       // NGX_HTTP_LLM_CACHE_STALE_*
    ngx_flag_t shared;          // among consumers
    ngx_flag_t verify;
    double learn;               // part of answers that may be wrong; 0: off
    double max_temperature;
    ngx_flag_t truncated;       // answers cut at the limit of tokens
    ngx_flag_t headers;
};

enum : ngx_uint_t {
    NGX_HTTP_LLM_CACHE_IGNORE_SET       = 0x01, // said, be it "none"
    NGX_HTTP_LLM_CACHE_IGNORE_SYSTEM    = 0x02,
    NGX_HTTP_LLM_CACHE_IGNORE_ASSISTANT = 0x04,
    NGX_HTTP_LLM_CACHE_IGNORE_TOOL      = 0x08,
};

enum : ngx_uint_t {
    NGX_HTTP_LLM_CACHE_STALE_UPDATING = 0x01,
    NGX_HTTP_LLM_CACHE_STALE_ERROR    = 0x02,
};

// The directives, up to an ngx_null_command.
extern ngx_command_t ngx_http_llm_cache_commands[];

void ngx_http_llm_cache_conf_create(ngx_http_llm_cache_conf_t *conf) noexcept;
void ngx_http_llm_cache_conf_merge(ngx_http_llm_cache_conf_t *prev,
                                   ngx_http_llm_cache_conf_t *conf) noexcept;
