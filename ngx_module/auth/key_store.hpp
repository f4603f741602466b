// llm_auth redis=NAME: keys as hashes in Redis, remembered for a while in
// memory that all workers share.
#pragma once

#include "ngx_http_llm.hpp"

#include <memory>
#include <string>

#include "llm/cache_zone.hpp"
#include "llm/consumer.hpp"
#include "llm/redis.hpp"
#include "redis/redis.hpp"

// The words of the directive.
struct ngx_http_llm_key_store_options_t {
    std::string_view redis;
    std::string_view prefix = "llm:key:";
    ngx_msec_t ttl = 10000;             // a known key is not asked for again
    ngx_msec_t negative_ttl = 1000;     // nor an unknown one
    ngx_msec_t stale = 3600000;         // after that, while Redis is away
    size_t memory = 1024 * 1024;
    bool any = false;                   // one of them was said

    // NAME=VALUE; false: there is no such, or it makes no sense.
    bool set(std::string_view word) noexcept;
    bool operator==(const ngx_http_llm_key_store_options_t &) const = default;
};

struct ngx_http_llm_key_store_t {
    ngx_http_llm_key_store_options_t options;
    ngx_http_llm_redis_t *redis;
    ngx_shm_zone_t *shm_zone;
    ngx_slab_pool_t *shpool;
    llm::cache::Zone zone;
    time_t logged;              // that Redis failed: once a second at most
    u_char *file;
    ngx_uint_t line;
};

// What there is to be said of a key.
struct ngx_http_llm_key_answer_t {
    enum { none, stale, fresh } state = none;
    std::shared_ptr<const llm::Consumer> consumer;  // NULL: no such key
};

// The one with these options; made at the first call for it. NULL: logged.
ngx_http_llm_key_store_t *ngx_http_llm_key_store(
    ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf,
    const ngx_http_llm_key_store_options_t &options) noexcept;

// Binds them to their servers.
char *ngx_http_llm_key_stores_init(ngx_conf_t *cf,
                                   ngx_http_llm_main_conf_t *mcf) noexcept;

// What is remembered of a key. Throws std::bad_alloc, as the next one.
ngx_http_llm_key_answer_t ngx_http_llm_key_recall(
    ngx_http_llm_key_store_t *store, const llm::KeyDigest &digest);

// What HGETALL of the key came to; it is remembered. none: Redis could not
// say, which is logged.
ngx_http_llm_key_answer_t ngx_http_llm_key_learn(
    ngx_http_llm_key_store_t *store, const llm::KeyDigest &digest,
    const ngx_http_llm_redis_result_t &result, ngx_log_t *log);
