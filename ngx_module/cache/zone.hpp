// llm_cache_zone NAME { ... }: where answers are kept. In shared memory of
// this machine's workers, and beyond that in Redis.
#pragma once

#include "ngx_http_llm.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "llm/cache_learn.hpp"
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

// What all workers count, since the zone was made. Beside the entries, with
// the lock of the zone.
struct ngx_http_llm_cache_counts_t {
    std::uint64_t hits;             // answers, exact and semantic, stale, too
    std::uint64_t semantic_hits;    // of them
    std::uint64_t stale_hits;       // of them
    std::uint64_t redis_hits;       // of them, from Redis
    std::uint64_t misses;
    std::uint64_t refreshes;
    std::uint64_t bypasses;
    std::uint64_t refused;          // candidates that verification refused
    std::uint64_t stores;
    std::uint64_t unstorable;       // answers that were not kept
    std::uint64_t saved_prompt_tokens;
    std::uint64_t saved_completion_tokens;
    std::uint64_t saved_nanodollars;    // by llm_prices
};

struct ngx_http_llm_cache_shctx_t;      // zone.cpp: what is in shared memory

struct ngx_http_llm_cache_zone_t {
    ngx_str_t name;
    size_t memory;              // bytes of the shared zone
    ngx_str_t redis_name;       // empty: memory only
    ngx_http_llm_redis_t *redis;
    ngx_uint_t index;
    bool index_flat;            // redisearch: one by one, no graph
    ngx_str_t embedding_name;   // "off": exact matches only
    ngx_http_llm_embedding_t *embedding;    // NULL: exact matches only
    ngx_http_llm_embedding_t *judge;    // compares answers, in the worker
    ngx_http_llm_cache_similarity_t similarity;
    time_t ttl;                 // seconds
    ngx_str_t prefix;           // of the keys in Redis, "llm:NAME:"

    ngx_shm_zone_t *shm_zone;
    llm::cache::ZoneOptions options;
    cache_redis::Shared *redis_shared;  // redis_shared.hpp
    void *redis_tier;           // redis_tier.cpp, per worker

    u_char *file;               // where it was declared
    ngx_uint_t line;

    // Of the process, once the shared memory is there.
    ngx_slab_pool_t *shpool;
    ngx_http_llm_cache_shctx_t *shared;
    llm::cache::Zone zone;
    // What was seen of each entry, for llm_cache_learn: by the entry's key.
    llm::cache::Zone learned;
    ngx_http_llm_cache_counts_t *counts;
    ngx_event_t sweep;
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
    llm::cache::Zone &learned() const noexcept { return zone_->learned; }
    ngx_http_llm_cache_counts_t &counts() const noexcept {
        return *zone_->counts;
    }

private:
    ngx_http_llm_cache_zone_t *zone_;
};

// Adds to the zone's counts, and to its lock's traffic.
inline void ngx_http_llm_cache_count(
    ngx_http_llm_cache_zone_t *zone,
    std::uint64_t ngx_http_llm_cache_counts_t::*what,
    std::uint64_t by = 1) noexcept {
    ngx_http_llm_cache_locked_t locked(zone);
    locked.counts().*what += by;
}

// Once all of http {} is read. NULL: there is none of that name.
ngx_http_llm_cache_zone_t *ngx_http_llm_find_cache_zone(
    ngx_http_llm_main_conf_t *mcf, std::string_view name) noexcept;

// For ngx_conf_set_sec_slot(): a time that an entry may be kept.
extern ngx_conf_post_t ngx_http_llm_cache_check_ttl;

// "0.80", "0.80 grey=0.75" or "off", the words after a directive's name.
char *ngx_http_llm_cache_set_similarity(
    ngx_conf_t *cf, ngx_http_llm_cache_similarity_t *similarity) noexcept;

// The worker's scratch, prepared for all zones. For put() and search().
llm::cache::ZoneScratch &ngx_http_llm_cache_scratch() noexcept;

// Milliseconds of a clock that all processes of this machine share, and that
// goes on over a reload: what llm::cache::Zone wants.
inline std::int64_t ngx_http_llm_cache_now() noexcept {
    return static_cast<std::int64_t>(ngx_current_msec);
}
