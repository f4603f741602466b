#include "recent.hpp"

#include <ctime>
#include <new>
#include <string>

namespace cache = llm::cache;

namespace {

// A model's vectors do not change, but what a name stands for may.
constexpr std::int64_t keep = 24LL * 60 * 60 * 1000;

// In the zone: what shpool->data points to.
struct Block {
    std::byte *memory;
    size_t size;
};

constexpr cache::ZoneOptions options = {.dimensions = 0};

// A clock that all processes share and that a reload does not set back.
std::int64_t now() noexcept {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1000000;
}

class Lock {
public:
    explicit Lock(ngx_slab_pool_t *shpool) noexcept : shpool_(shpool) {
        ngx_shmtx_lock(&shpool_->mutex);
    }
    ~Lock() { ngx_shmtx_unlock(&shpool_->mutex); }
    Lock(const Lock &) = delete;
    Lock &operator=(const Lock &) = delete;

private:
    ngx_slab_pool_t *shpool_;
};

Block *allocate(ngx_shm_zone_t *shm_zone, ngx_slab_pool_t *shpool) noexcept {
    auto *block = static_cast<Block *>(
        ngx_slab_calloc(shpool, sizeof(Block)));
    auto len = sizeof(" in zone \"\"") + shm_zone->shm.name.len;
    shpool->log_ctx = static_cast<u_char *>(ngx_slab_alloc(shpool, len));
    if (block == nullptr || shpool->log_ctx == nullptr) {
        return nullptr;
    }
    ngx_sprintf(shpool->log_ctx, " in zone \"%V\"%Z", &shm_zone->shm.name);

    // The rest of it, in one piece.
    block->size = shpool->pfree * ngx_pagesize;
    block->memory = static_cast<std::byte *>(
        ngx_slab_alloc(shpool, block->size));
    if (block->memory == nullptr) {
        return nullptr;
    }
    shpool->data = block;
    return block;
}

// `old_data`: not NULL on reload, when the zone is used again as it is.
ngx_int_t init_zone(ngx_shm_zone_t *shm_zone, void *) noexcept {
    auto *recent = static_cast<ngx_http_llm_recent_t *>(shm_zone->data);
    auto *shpool = reinterpret_cast<ngx_slab_pool_t *>(shm_zone->shm.addr);

    auto *block = static_cast<Block *>(shpool->data);
    auto status = cache::ZoneStatus::not_a_zone;
    if (block == nullptr) {
        block = allocate(shm_zone, shpool);
        if (block == nullptr) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "zone \"%V\" is too small", &shm_zone->shm.name);
            return NGX_ERROR;
        }
    }

    std::span<std::byte> memory(block->memory, block->size);
    {
        Lock lock(shpool);
        status = cache::Zone::attach(memory, options, &recent->zone);
        // New, or of another version of the module.
        if (status != cache::ZoneStatus::ok) {
            status = cache::Zone::format(memory, options);
        }
        if (status == cache::ZoneStatus::ok) {
            status = cache::Zone::attach(memory, options, &recent->zone);
        }
    }
    auto value = recent->dimensions * sizeof(float);
    if (status == cache::ZoneStatus::too_small
        || (status == cache::ZoneStatus::ok
            && recent->zone.max_value() < value)) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" is too small for vectors of %uz dimensions",
                      &shm_zone->shm.name, recent->dimensions);
        return NGX_ERROR;
    }
    if (status != cache::ZoneStatus::ok) {
        auto reason = cache::describe(status);
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0, "zone \"%V\": %*s",
                      &shm_zone->shm.name, reason.size(), reason.data());
        return NGX_ERROR;
    }
    recent->shpool = shpool;
    return NGX_OK;
}

}  // namespace

ngx_http_llm_recent_t *ngx_http_llm_recent_create(ngx_conf_t *cf,
                                                  const ngx_str_t &name,
                                                  size_t size) noexcept {
    constexpr std::string_view prefix = "llm_embedding_";
    ngx_str_t zone;
    zone.len = prefix.size() + name.len;
    zone.data = static_cast<u_char *>(ngx_pnalloc(cf->pool, zone.len + 1));
    auto *memory = ngx_palloc(cf->pool, sizeof(ngx_http_llm_recent_t));
    if (zone.data == nullptr || memory == nullptr) {
        return nullptr;
    }
    ngx_sprintf(zone.data, "llm_embedding_%V%Z", &name);

    auto *recent = new (memory) ngx_http_llm_recent_t{};
    recent->shm_zone = ngx_shared_memory_add(cf, &zone, size,
                                             &ngx_http_llm_module);
    if (recent->shm_zone == nullptr) {
        return nullptr;
    }
    recent->shm_zone->init = init_zone;
    recent->shm_zone->data = recent;
    return recent;
}

bool ngx_http_llm_recent_get(ngx_http_llm_recent_t *recent,
                             const ngx_http_llm_digest_t &key,
                             std::span<float> out) noexcept {
    std::span<char> bytes(reinterpret_cast<char *>(out.data()),
                          out.size_bytes());
    Lock lock(recent->shpool);
    auto found = recent->zone.get(key, now(), bytes);
    return found.match == cache::Match::fresh && found.copied
           && found.size == bytes.size();
}

void ngx_http_llm_recent_put(ngx_http_llm_recent_t *recent,
                             const ngx_http_llm_digest_t &key,
                             std::span<const float> vector) noexcept {
    // Without a vector there is nothing to search for, nor any use of it.
    static cache::ZoneScratch scratch;
    cache::NewEntry entry;
    entry.key = key;
    entry.value = {reinterpret_cast<const char *>(vector.data()),
                   vector.size_bytes()};
    entry.ttl = keep;
    Lock lock(recent->shpool);
    (void) recent->zone.put(entry, now(), scratch);
}
