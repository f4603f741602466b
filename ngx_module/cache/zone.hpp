// llm_cache_zone NAME { ... }: where answers are kept. In shared memory of
// this machine's workers, and beyond that in Redis.
#pragma once

#include "ngx_http_llm.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "llm/cache_zone.hpp"

struct ngx_http_llm_redis_t;
struct ngx_http_llm_embedding_t;

namespace cache_redis {
class Shared;
}

enum : ngx_uint_t {
    NGX_HTTP_LLM_INDEX_MEMORY,      // searched here; Redis keeps and tells
    NGX_HTTP_LLM_INDEX_REDISEARCH,  // FT.SEARCH
    NGX_HTTP_LLM_INDEX_VECTORSET,   // VSIM
};

struct ngx_http_llm_cache_zone_t {
    ngx_str_t name;
    size_t memory;              // bytes of the shared zone
    ngx_str_t redis_name;       // empty: memory only
    ngx_http_llm_redis_t *redis;
    ngx_uint_t index;
    ngx_str_t embedding_name;
    ngx_http_llm_embedding_t *embedding;    // NULL: exact matches only
    double similarity;          // over 1: exact matches only
    time_t ttl;                 // seconds
    ngx_str_t prefix;           // of the keys in Redis, "llm:NAME:"

    ngx_shm_zone_t *shm_zone;
    llm::cache::ZoneOptions options;
    cache_redis::Shared *redis_shared;  // redis_shared.hpp
    void *redis_tier;           // cache/redis_tier.cpp, per worker

    u_char *file;               // where it was declared
    ngx_uint_t line;

    // Of the process, once the shared memory is there.
    ngx_slab_pool_t *shpool;
    llm::cache::Zone zone;
};

// A view of the zone with its lock held, for a call or a few.
class ngx_http_llm_cache_locked_t {
public:
    explicit ngx_http_llm_cache_locked_t(ngx_http_llm_cache_zone_t *zone)
        noexcept
        : zone_(zone) {
        ngx_shmtx_lock(&zone_->shpool->mutex);
    }
    ~ngx_http_llm_cache_locked_t() {
        ngx_shmtx_unlock(&zone_->shpool->mutex);
    }
    ngx_http_llm_cache_locked_t(const ngx_http_llm_cache_locked_t &) = delete;
    ngx_http_llm_cache_locked_t &operator=(
        const ngx_http_llm_cache_locked_t &) = delete;

    llm::cache::Zone *operator->() const noexcept { return &zone_->zone; }

private:
    ngx_http_llm_cache_zone_t *zone_;
};

// The worker's scratch, prepared for all zones. For put() and search().
llm::cache::ZoneScratch &ngx_http_llm_cache_scratch() noexcept;

// Milliseconds of a clock that all processes of this machine share, and that
// goes on over a reload: what llm::cache::Zone wants.
std::int64_t ngx_http_llm_cache_now() noexcept;
