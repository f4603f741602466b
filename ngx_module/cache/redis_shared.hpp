// What the workers of a gateway share of a cache zone's tier in Redis: who of
// them follows the stream, and where it is. It stays over a reload, so that a
// new worker goes on where an old one was.
#pragma once

#include "cache/zone.hpp"

#include <cstdint>
#include <string>

#include "llm/cache_redis.hpp"

namespace cache_redis {

class Shared {
public:
    // While the configuration is read. NULL: failed, and logged.
    static Shared *create(ngx_conf_t *cf, ngx_http_llm_cache_zone_t *zone)
        noexcept;

    // In a worker: what is shared is of this memory, these keys and this
    // embedding, or begins anew.
    void open(std::uint64_t about) noexcept;

    // True: this worker is the one to follow, for some seconds more.
    bool lead() noexcept;
    void resign() noexcept;

    // "Who wrote it" of this gateway's records.
    std::string gateway() noexcept;

    llm::cache::remote::Followed followed() noexcept;
    // Only the leader's counts.
    void move(const llm::cache::remote::Position &position) noexcept;
    // From the stream's beginning. `emptied`: the memory has nothing, so that
    // its own records are news, too.
    void restart(const std::string &epoch, bool emptied) noexcept;

    // Unix ms of Redis' clock, as far as it is known; else 0.
    std::int64_t redis_now() noexcept;
    void set_redis_now(std::int64_t now) noexcept;

    // How often the memory was emptied after a death inside of it; true: it
    // has been since this was asked last.
    bool was_reset(std::uint64_t resets) noexcept;

private:
    struct State;
    class Lock;

    static ngx_int_t init_zone(ngx_shm_zone_t *shm_zone, void *data) noexcept;

    bool is_leader() const noexcept;

    ngx_slab_pool_t *shpool_ = nullptr;
    State *state_ = nullptr;
    std::uint64_t about_ = 0;
};

}  // namespace cache_redis
