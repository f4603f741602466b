// The tier of a cache zone that is in Redis: exact entries, and an index by
// meaning that is either Redis' own (redisearch, vectorset) or each gateway's
// memory, kept equal by a stream. Everything that goes wrong is a miss, and a
// line in the log once a second at most.
#pragma once

#include "cache/zone.hpp"
#include "task.hpp"

#include <string>
#include <vector>

// What a search by meaning in Redis found.
struct ngx_http_llm_cache_neighbour_t {
    llm::cache::ZoneKey key;
    float similarity;           // cosine
    std::string question;       // of the stored entry
};

// An entry as it comes and goes.
struct ngx_http_llm_cache_put_t {
    llm::cache::ZoneKey key;
    llm::cache::ZoneKey partition;
    std::span<const float> vector;  // empty: not to be found by meaning
    std::string_view question;
    std::string_view value;         // llm/cache_entry.hpp's JSON
    std::int64_t ttl;               // ms, above 0
    std::int64_t stale_for;         // ms after that
};

// Called once all of http {} is read, for each zone with a redis: takes the
// shared memory that the gateway's workers need to follow the others.
char *ngx_http_llm_cache_redis_init(ngx_conf_t *cf,
                                    ngx_http_llm_cache_zone_t *zone) noexcept;

// Called from init_process for each zone with a redis; makes the index, or
// starts to follow the stream. NGX_ERROR: no memory.
ngx_int_t ngx_http_llm_cache_redis_start(ngx_cycle_t *cycle,
                                         ngx_http_llm_cache_zone_t *zone)
    noexcept;

// The entry of a key into `value`. NGX_OK, NGX_DECLINED: there is none, or
// NGX_ERROR: Redis does not say.
task::Task ngx_http_llm_cache_redis_get(ngx_http_request_t *r,
                                        ngx_http_llm_cache_zone_t *zone,
                                        const llm::cache::ZoneKey &key,
                                        std::string &value);

// The nearest entries, the nearest first, of at least `min_similarity`. Not
// for NGX_HTTP_LLM_INDEX_MEMORY. NGX_OK also where there are none.
task::Task ngx_http_llm_cache_redis_search(
    ngx_http_request_t *r, ngx_http_llm_cache_zone_t *zone,
    const llm::cache::ZoneKey &partition, std::span<const float> vector,
    float min_similarity, std::vector<ngx_http_llm_cache_neighbour_t> &found);

// Stores an entry; nobody waits for it. All that is needed is copied.
void ngx_http_llm_cache_redis_put(ngx_http_llm_cache_zone_t *zone,
                                  const ngx_http_llm_cache_put_t &entry)
    noexcept;

// An entry that turned out to be of no use (broken, gone) leaves Redis and its
// index.
void ngx_http_llm_cache_redis_remove(ngx_http_llm_cache_zone_t *zone,
                                     const llm::cache::ZoneKey &key,
                                     const llm::cache::ZoneKey &partition)
    noexcept;

// For llm_cache_purge, for every gateway: NULL key and partition: all. NGX_OK,
// or NGX_ERROR: Redis did not do it.
task::Task ngx_http_llm_cache_redis_purge(ngx_http_request_t *r,
                                          ngx_http_llm_cache_zone_t *zone,
                                          const llm::cache::ZoneKey *key,
                                          const llm::cache::ZoneKey *partition);
