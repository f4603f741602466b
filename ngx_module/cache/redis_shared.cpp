#include "cache/redis_shared.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

namespace cache_redis {

using llm::cache::remote::Followed;
using llm::cache::remote::Position;

namespace {

// Of the leader: renewed every second.
constexpr std::int64_t lease = 3500;

constexpr size_t gateway_digits = 16;
constexpr size_t longest_epoch = 64;

// Of a name, or of nothing: for a slab, which must have 8 pages.
constexpr size_t pages = 8;

}  // namespace

struct Shared::State {
    std::uint64_t about;
    char gateway[gateway_digits];
    ngx_pid_t leader;           // 0: none
    std::int64_t leads_until;
    Position position;
    size_t epoch_size;
    char epoch[longest_epoch];
    bool has_offset;
    std::int64_t offset;        // of Redis' clock from ours
    std::uint64_t resets;
};

class Shared::Lock {
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

namespace {

void name_gateway(char *name) noexcept {
    u_char buffer[gateway_digits + 1];
    ngx_snprintf(buffer, sizeof(buffer), "%08xD%08xD",
                 static_cast<uint32_t>(ngx_random()),
                 static_cast<uint32_t>(ngx_random())
                     ^ static_cast<uint32_t>(ngx_pid) << 8
                     ^ static_cast<uint32_t>(ngx_current_msec));
    std::memcpy(name, buffer, gateway_digits);
}

}  // namespace

Shared *Shared::create(ngx_conf_t *cf,
                       ngx_http_llm_cache_zone_t *zone) noexcept {
    static_assert(std::is_trivially_copyable_v<State>,
                  "lives in shared memory");
    static_assert(std::is_trivially_destructible_v<Shared>,
                  "lives in a pool");

    auto memory = ngx_palloc(cf->pool, sizeof(Shared));
    ngx_str_t name;
    name.len = sizeof("llm_cache_zone  redis") - 1 + zone->name.len;
    name.data = static_cast<u_char *>(ngx_pnalloc(cf->pool, name.len));
    if (memory == nullptr || name.data == nullptr) {
        return nullptr;
    }
    ngx_sprintf(name.data, "llm_cache_zone %V redis", &zone->name);

    auto shm_zone = ngx_shared_memory_add(cf, &name, pages * ngx_pagesize,
                                          &ngx_http_llm_module);
    if (shm_zone == nullptr) {
        return nullptr;
    }
    auto shared = new (memory) Shared;
    shm_zone->init = init_zone;
    shm_zone->data = shared;
    return shared;
}

ngx_int_t Shared::init_zone(ngx_shm_zone_t *shm_zone, void *data) noexcept {
    auto shared = static_cast<Shared *>(shm_zone->data);
    shared->shpool_ = reinterpret_cast<ngx_slab_pool_t *>(shm_zone->shm.addr);

    if (data == nullptr && !shm_zone->shm.exists) {
        auto state = static_cast<State *>(
            ngx_slab_calloc(shared->shpool_, sizeof(State)));
        if (state == nullptr) {
            return NGX_ERROR;
        }
        shared->shpool_->data = new (state) State{};
    }
    shared->state_ = static_cast<State *>(shared->shpool_->data);
    return NGX_OK;
}

void Shared::open(std::uint64_t about) noexcept {
    about_ = about;
    Lock lock(shpool_);
    if (state_->about != about) {
        *state_ = State{};
        state_->about = about;
        name_gateway(state_->gateway);
    }
}

bool Shared::is_leader() const noexcept {
    return state_->about == about_ && state_->leader == ngx_pid;
}

bool Shared::lead() noexcept {
    std::int64_t now = ngx_http_llm_cache_now();
    Lock lock(shpool_);
    // A reload has begun to keep something else here.
    if (state_->about != about_) {
        return false;
    }
    if (state_->leader != ngx_pid && state_->leader != 0
        && now < state_->leads_until)
    {
        return false;
    }
    state_->leader = ngx_pid;
    state_->leads_until = now + lease;
    return true;
}

void Shared::resign() noexcept {
    Lock lock(shpool_);
    if (is_leader()) {
        state_->leader = 0;
    }
}

std::string Shared::gateway() noexcept {
    char name[gateway_digits];
    {
        Lock lock(shpool_);
        std::memcpy(name, state_->gateway, sizeof(name));
    }
    return {name, sizeof(name)};
}

Followed Shared::followed() noexcept {
    Position position;
    char epoch[longest_epoch];
    size_t size;
    {
        Lock lock(shpool_);
        position = state_->position;
        size = std::min(state_->epoch_size, longest_epoch);
        std::memcpy(epoch, state_->epoch, size);
    }
    return {position, std::string(epoch, size)};
}

void Shared::move(const Position &position) noexcept {
    Lock lock(shpool_);
    if (is_leader()) {
        state_->position = position;
    }
}

void Shared::restart(const std::string &epoch, bool emptied) noexcept {
    Lock lock(shpool_);
    if (!is_leader()) {
        return;
    }
    state_->position = Position();
    // One that is longer is none of ours, and is told from others by this.
    state_->epoch_size = std::min(epoch.size(), longest_epoch);
    std::memcpy(state_->epoch, epoch.data(), state_->epoch_size);
    if (emptied) {
        name_gateway(state_->gateway);
    }
}

std::int64_t Shared::redis_now() noexcept {
    Lock lock(shpool_);
    return state_->has_offset ? ngx_http_llm_cache_now() + state_->offset : 0;
}

void Shared::set_redis_now(std::int64_t now) noexcept {
    Lock lock(shpool_);
    if (is_leader()) {
        state_->offset = now - ngx_http_llm_cache_now();
        state_->has_offset = true;
    }
}

bool Shared::was_reset(std::uint64_t resets) noexcept {
    Lock lock(shpool_);
    bool was = state_->resets != resets;
    if (is_leader()) {
        state_->resets = resets;
    }
    return was;
}

}  // namespace cache_redis
