#include "cache/redis_tier.hpp"

#include <new>

#include "cache/redis_worker.hpp"
#include "embedding/embedding.hpp"
#include "setter.hpp"

using namespace cache_redis;

namespace remote = llm::cache::remote;

namespace {

// Neighbours that Redis is asked for: some are refused by verification, or
// have gone.
constexpr size_t neighbours = 8;

void add(uint32_t *crc, const void *data, size_t size) noexcept {
    ngx_crc32_update(
        crc, static_cast<u_char *>(const_cast<void *>(data)), size);
}

// What must be the same for what is shared to be of use.
std::uint64_t about(const ngx_http_llm_cache_zone_t &zone) noexcept {
    uint32_t crc;
    ngx_crc32_init(crc);
    add(&crc, zone.prefix.data, zone.prefix.len);
    add(&crc, zone.redis_name.data, zone.redis_name.len);
    add(&crc, &zone.memory, sizeof(zone.memory));
    if (zone.embedding) {
        const auto &identity = zone.embedding->identity;
        add(&crc, identity.data(), identity.size());
    }
    ngx_crc32_final(crc);
    // New memory has 0.
    return std::uint64_t{1} << 32 | crc;
}

void destroy(void *data) noexcept {
    auto zone = static_cast<ngx_http_llm_cache_zone_t *>(data);
    delete static_cast<Worker *>(zone->redis_tier);
    zone->redis_tier = nullptr;
}

remote::Put to_put(const ngx_http_llm_cache_put_t &entry) noexcept {
    return {entry.key,   entry.partition, entry.vector,   entry.question,
            entry.value, entry.ttl,       entry.stale_for};
}

void take(std::vector<remote::Neighbour> &from, float min_similarity,
          std::vector<ngx_http_llm_cache_neighbour_t> &found) {
    for (auto &neighbour : from) {
        if (neighbour.similarity >= min_similarity) {
            found.push_back({neighbour.key, neighbour.similarity,
                             std::move(neighbour.question)});
        }
    }
}

task::Task search_index(ngx_http_request_t *r, Worker &worker,
                        ZoneKey partition, std::span<const float> vector,
                        float min_similarity,
                        std::vector<ngx_http_llm_cache_neighbour_t> &found) {
    if (!worker.index().ready()) {
        co_return NGX_OK;
    }
    Command command = remote::search_index(worker.names(), partition, vector,
                                           neighbours);
    auto words = views(command);
    ngx_http_llm_redis_call_t call(r, worker.zone().redis, words, command.key);
    auto result = co_await call;
    if (result.reply == nullptr) {
        worker.log("a search", result);
        co_return NGX_DECLINED;
    }
    auto read = remote::read_search(*result.reply, worker.names());
    if (!read) {
        worker.log("a search", read.error().message);
        worker.index().doubt();
        co_return NGX_DECLINED;
    }
    take(*read, min_similarity, found);
    co_return NGX_OK;
}

// VSIM of Redis 8.0 does not give the questions: a second round trip does.
task::Task add_questions(
    ngx_http_request_t *r, Worker &worker, ZoneKey partition,
    std::vector<ngx_http_llm_cache_neighbour_t> &found) {
    Batch batch(r, worker, found.size());
    for (const auto &neighbour : found) {
        batch.add(remote::get_attributes(worker.names(), partition,
                                         neighbour.key));
    }
    co_await batch;
    for (size_t i = 0; i < found.size(); ++i) {
        if (const auto *reply = batch.reply(i)) {
            found[i].question = remote::read_attributes(*reply);
        }
    }
    co_return NGX_OK;
}

task::Task search_set(ngx_http_request_t *r, Worker &worker,
                      ZoneKey partition, std::span<const float> vector,
                      float min_similarity,
                      std::vector<ngx_http_llm_cache_neighbour_t> &found) {
    for (;;) {
        bool attributes = worker.attributes;
        Command command = remote::search_set(worker.names(), partition, vector,
                                             neighbours,
                                             worker.shared().redis_now(),
                                             attributes);
        auto words = views(command);
        ngx_http_llm_redis_call_t call(r, worker.zone().redis, words,
                                       command.key);
        auto result = co_await call;
        if (result.reply == nullptr) {
            worker.log("a search", result);
            co_return NGX_DECLINED;
        }
        auto read = remote::read_search_set(*result.reply, attributes);
        if (read) {
            take(*read, min_similarity, found);
            if (!attributes && !found.empty()) {
                co_return co_await add_questions(r, worker, partition, found);
            }
            co_return NGX_OK;
        }
        if (!attributes || read.error().code != remote::code_syntax) {
            worker.log("a search", read.error().message);
            co_return NGX_DECLINED;
        }
        worker.attributes = false;
    }
}

}  // namespace

char *ngx_http_llm_cache_redis_init(ngx_conf_t *cf,
                                    ngx_http_llm_cache_zone_t *zone) noexcept {
    zone->redis_shared = Shared::create(cf, zone);
    return zone->redis_shared ? NGX_CONF_OK : conf_error();
}

ngx_int_t ngx_http_llm_cache_redis_start(
    ngx_cycle_t *cycle, ngx_http_llm_cache_zone_t *zone) noexcept try {
    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }
    auto cleanup = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cleanup == nullptr) {
        return NGX_ERROR;
    }
    auto worker = std::make_unique<Worker>(zone, zone->redis_shared);
    zone->redis_shared->open(about(*zone));
    zone->redis_tier = worker.release();
    cleanup->handler = destroy;
    cleanup->data = zone;

    Worker &started = Worker::of(zone);
    started.follower().start();
    if (zone->index == NGX_HTTP_LLM_INDEX_REDISEARCH && zone->embedding) {
        (void) started.index().ready();
    }
    return NGX_OK;

} catch (const std::bad_alloc &) {
    return NGX_ERROR;
}

task::Task ngx_http_llm_cache_redis_get(ngx_http_request_t *r,
                                        ngx_http_llm_cache_zone_t *zone,
                                        const ZoneKey &key,
                                        std::string &value) {
    Worker &worker = Worker::of(zone);
    Command command = remote::get_entry(worker.names(), key);
    auto words = views(command);
    ngx_http_llm_redis_call_t call(r, zone->redis, words, command.key);
    auto result = co_await call;
    if (result.reply == nullptr) {
        worker.log("a look-up", result);
        co_return NGX_ERROR;
    }
    auto read = remote::read_entry(*result.reply);
    if (!read) {
        worker.log("a look-up", read.error().message);
        co_return result.reply->is_error()
                && read.error().code != remote::code_wrong_type
            ? NGX_ERROR : NGX_DECLINED;
    }
    if (!*read) {
        co_return NGX_DECLINED;
    }
    value = std::move(**read);
    co_return NGX_OK;
}

task::Task ngx_http_llm_cache_redis_search(
    ngx_http_request_t *r, ngx_http_llm_cache_zone_t *zone,
    const ZoneKey &partition, std::span<const float> vector,
    float min_similarity, std::vector<ngx_http_llm_cache_neighbour_t> &found) {
    Worker &worker = Worker::of(zone);
    if (vector.empty()) {
        co_return NGX_OK;
    }
    switch (zone->index) {
    case NGX_HTTP_LLM_INDEX_REDISEARCH:
        co_return co_await search_index(r, worker, partition, vector,
                                        min_similarity, found);
    case NGX_HTTP_LLM_INDEX_VECTORSET:
        co_return co_await search_set(r, worker, partition, vector,
                                      min_similarity, found);
    default:
        co_return NGX_OK;
    }
}

void ngx_http_llm_cache_redis_put(
    ngx_http_llm_cache_zone_t *zone,
    const ngx_http_llm_cache_put_t &entry) noexcept try {
    Worker &worker = Worker::of(zone);
    const Names &names = worker.names();
    remote::Put put = to_put(entry);
    bool semantic = !entry.vector.empty() && zone->embedding;

    worker.post(remote::set_entry(names, put), "storing an entry");
    if (semantic && zone->index == NGX_HTTP_LLM_INDEX_VECTORSET) {
        worker.post(remote::add_to_set(names, put), "storing a vector");
        return;
    }
    worker.post(remote::add_member(names, put), "listing an entry");
    if (!semantic) {
        return;
    }
    if (zone->index == NGX_HTTP_LLM_INDEX_REDISEARCH) {
        (void) worker.index().ready();
        worker.post(remote::add_hash(names, put), "storing a vector");
    } else {
        worker.post(remote::announce_put(names, put,
                                         worker.shared().gateway()),
                    "telling other gateways");
    }
} catch (const std::bad_alloc &) {
    Worker::of(zone).log("storing an entry", "no memory");
}

void ngx_http_llm_cache_redis_remove(ngx_http_llm_cache_zone_t *zone,
                                     const ZoneKey &key,
                                     const ZoneKey &partition) noexcept try {
    Worker &worker = Worker::of(zone);
    const Names &names = worker.names();
    worker.post(remote::remove_entry(names, key), "removing an entry");
    if (zone->index == NGX_HTTP_LLM_INDEX_REDISEARCH) {
        worker.post(remote::remove_hash(names, key), "removing a vector");
    } else if (zone->index == NGX_HTTP_LLM_INDEX_VECTORSET) {
        worker.post(remote::remove_from_set(names, partition, key),
                    "removing a vector");
    }
} catch (const std::bad_alloc &) {
    Worker::of(zone).log("removing an entry", "no memory");
}
