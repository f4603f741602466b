#include "pool_zone.hpp"

#include <algorithm>
#include <new>
#include <type_traits>

namespace balance = llm::balance;

// Seconds; far below what milliseconds can count.
constexpr std::int64_t max_fail_timeout = 10LL * 365 * 86400;

static_assert(std::is_trivially_copyable_v<balance::State>,
              "lives in shared memory");

// In each process: where the states are.
struct ngx_http_llm_pool_shctx_t {
    balance::Target *targets;
    balance::State **states;
    ngx_str_t *keys;            // what tells a member from others in a zone
    ngx_uint_t count;
    ngx_slab_pool_t *shpool;    // NULL: the states are the worker's own
};

namespace {

// In the zone: one member's state.
struct Slot {
    Slot *next;
    u_char *key;                // of the slab; read by the master only
    size_t key_len;
    ngx_uint_t generation;      // of the configuration that named it last
    balance::State state;
};

// In the zone: what shpool->data points to.
struct Zone {
    Slot *slots;
    ngx_uint_t generation;
};

class Lock {
public:
    explicit Lock(ngx_slab_pool_t *shpool) noexcept : shpool_(shpool) {
        if (shpool_) {
            ngx_shmtx_lock(&shpool_->mutex);
        }
    }
    ~Lock() {
        if (shpool_) {
            ngx_shmtx_unlock(&shpool_->mutex);
        }
    }
    Lock(const Lock &) = delete;
    Lock &operator=(const Lock &) = delete;

private:
    ngx_slab_pool_t *shpool_;
};

balance::Pool view(const ngx_http_llm_pool_shctx_t *health) noexcept {
    return {{health->targets, health->count}, {health->states, health->count}};
}

std::int64_t now() noexcept {
    return static_cast<std::int64_t>(ngx_current_msec);
}

ngx_int_t make_key(ngx_pool_t *memory, const ngx_http_llm_pool_t *pool,
                   const ngx_http_llm_member_t &member, ngx_str_t *key)
    noexcept {
    key->len = pool->name.len + member.name.len + member.alias.len + 2;
    key->data = static_cast<u_char *>(ngx_pnalloc(memory, key->len));
    if (key->data == nullptr) {
        return NGX_ERROR;
    }
    // None of the three has control characters.
    ngx_sprintf(key->data, "%V\n%V\n%V", &pool->name, &member.name,
                &member.alias);
    return NGX_OK;
}

Slot *find_slot(Zone *zone, const ngx_str_t &key) noexcept {
    for (auto *slot = zone->slots; slot; slot = slot->next) {
        if (slot->key_len == key.len
            && ngx_memcmp(slot->key, key.data, key.len) == 0)
        {
            return slot;
        }
    }
    return nullptr;
}

// The slot that has been out of use for longest; its memory stays valid for
// workers that may still have it.
Slot *give_away(Zone *zone) noexcept {
    Slot *oldest = nullptr;
    for (auto *slot = zone->slots; slot; slot = slot->next) {
        if (slot->generation != zone->generation
            && (oldest == nullptr || slot->generation < oldest->generation))
        {
            oldest = slot;
        }
    }
    return oldest;
}

// The mutex is held.
Slot *new_slot(ngx_slab_pool_t *shpool, Zone *zone, const ngx_str_t &key)
    noexcept {
    auto *name = static_cast<u_char *>(
        ngx_slab_alloc_locked(shpool, key.len));
    auto *slot = static_cast<Slot *>(
        name ? ngx_slab_calloc_locked(shpool, sizeof(Slot)) : nullptr);

    if (slot) {
        slot->next = zone->slots;
        zone->slots = slot;
    } else {
        slot = give_away(zone);
        if (slot == nullptr) {
            return nullptr;
        }
        if (slot->key) {
            ngx_slab_free_locked(shpool, slot->key);
        }
        if (name == nullptr) {
            name = static_cast<u_char *>(
                ngx_slab_alloc_locked(shpool, key.len));
        }
        slot->key = name;
        slot->key_len = 0;
        if (name == nullptr) {
            return nullptr;
        }
    }

    ngx_memcpy(name, key.data, key.len);
    slot->key = name;
    slot->key_len = key.len;
    slot->state = {};
    return slot;
}

// Points the pool's members to their slots.
ngx_int_t attach(ngx_slab_pool_t *shpool, Zone *zone,
                 ngx_http_llm_pool_shctx_t *health) noexcept {
    Lock lock(shpool);

    for (ngx_uint_t i = 0; i < health->count; i++) {
        auto *slot = find_slot(zone, health->keys[i]);
        if (slot == nullptr) {
            slot = new_slot(shpool, zone, health->keys[i]);
            if (slot == nullptr) {
                return NGX_ERROR;
            }
        }
        slot->generation = zone->generation;
        // Weights may have changed: turns begin anew, health goes on.
        slot->state.current_weight = 0;
        slot->state.effective_weight = health->targets[i].weight;
        health->states[i] = &slot->state;
    }
    health->shpool = shpool;
    return NGX_OK;
}

// `old_data`: not NULL on reload, when the zone is used again as it is.
ngx_int_t init_zone(ngx_shm_zone_t *shm_zone, void *old_data) noexcept {
    auto *mcf = static_cast<ngx_http_llm_main_conf_t *>(shm_zone->data);
    auto *shpool = reinterpret_cast<ngx_slab_pool_t *>(shm_zone->shm.addr);

    if (old_data == nullptr && !shm_zone->shm.exists) {
        shpool->data = ngx_slab_calloc(shpool, sizeof(Zone));
        auto len = sizeof(" in llm_upstream zone \"\"")
                   + shm_zone->shm.name.len;
        shpool->log_ctx = static_cast<u_char *>(ngx_slab_alloc(shpool, len));
        if (shpool->data == nullptr || shpool->log_ctx == nullptr) {
            return NGX_ERROR;
        }
        ngx_sprintf(shpool->log_ctx, " in llm_upstream zone \"%V\"%Z",
                    &shm_zone->shm.name);
        // A full zone is answered for below, where it is known for whom.
        shpool->log_nomem = 0;
    }

    auto *zone = static_cast<Zone *>(shpool->data);
    zone->generation++;

    auto pools = pools_of(mcf);
    for (ngx_uint_t i = 0; i < mcf->pools.nelts; i++) {
        if (pools[i]->shm_zone != shm_zone) {
            continue;
        }
        if (attach(shpool, zone, pools[i]->health) != NGX_OK) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "zone \"%V\" is too small for the models of "
                          "llm_upstream \"%V\" in %s:%ui",
                          &shm_zone->shm.name, &pools[i]->name, pools[i]->file,
                          pools[i]->line);
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

}  // namespace

ngx_int_t ngx_http_llm_pool_health(ngx_conf_t *cf,
                                   ngx_http_llm_main_conf_t *mcf,
                                   ngx_http_llm_pool_t *pool) noexcept {
    auto count = pool->members.nelts;
    auto *memory = cf->pool;

    auto *health = static_cast<ngx_http_llm_pool_shctx_t *>(
        ngx_pcalloc(memory, sizeof(ngx_http_llm_pool_shctx_t)));
    auto *targets = static_cast<balance::Target *>(
        ngx_palloc(memory, count * sizeof(balance::Target)));
    auto **states = static_cast<balance::State **>(
        ngx_palloc(memory, count * sizeof(balance::State *)));
    auto *keys = static_cast<ngx_str_t *>(
        ngx_palloc(memory, count * sizeof(ngx_str_t)));
    // For a pool without a zone, and until its zone is there.
    auto *own = static_cast<balance::State *>(
        ngx_palloc(memory, count * sizeof(balance::State)));
    if (health == nullptr || targets == nullptr || states == nullptr
        || keys == nullptr || own == nullptr)
    {
        return NGX_ERROR;
    }

    auto members = members_of(pool);
    for (ngx_uint_t i = 0; i < count; i++) {
        auto weight = static_cast<std::int64_t>(members[i].weight);
        new (&targets[i]) balance::Target{
            .weight = weight,
            .max_fails = static_cast<std::int64_t>(members[i].max_fails),
            .fail_timeout = 1000
                             * std::min<std::int64_t>(members[i].fail_timeout,
                                                      max_fail_timeout),
            .backup = members[i].backup != 0,
            .down = members[i].down != 0,
        };
        if (make_key(memory, pool, members[i], &keys[i]) != NGX_OK) {
            return NGX_ERROR;
        }
        states[i] = new (&own[i]) balance::State{.effective_weight = weight};
    }

    health->targets = targets;
    health->states = states;
    health->keys = keys;
    health->count = count;
    pool->health = health;

    if (pool->shm_zone) {
        pool->shm_zone->init = init_zone;
        pool->shm_zone->data = mcf;
    }
    return NGX_OK;
}

ngx_int_t ngx_http_llm_pool_choose(ngx_http_llm_pool_t *pool,
                                   balance::Members tried) noexcept {
    Lock lock(pool->health->shpool);
    auto member = balance::choose(view(pool->health), tried, now());
    return member ? static_cast<ngx_int_t>(*member) : -1;
}

bool ngx_http_llm_pool_any(ngx_http_llm_pool_t *pool,
                           balance::Members tried) noexcept {
    Lock lock(pool->health->shpool);
    return balance::any(view(pool->health), tried, now());
}

bool ngx_http_llm_pool_take(ngx_http_llm_pool_t *pool,
                            ngx_uint_t member) noexcept {
    Lock lock(pool->health->shpool);
    return balance::take(view(pool->health), member, now());
}

void ngx_http_llm_pool_failed(ngx_http_llm_pool_t *pool,
                              ngx_uint_t member) noexcept {
    bool disabled;
    {
        Lock lock(pool->health->shpool);
        disabled = balance::failed(view(pool->health), member, now());
    }
    if (disabled) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "\"%V\" of llm_upstream \"%V\" is temporarily disabled",
                      &members_of(pool)[member].name, &pool->name);
    }
}

void ngx_http_llm_pool_succeeded(ngx_http_llm_pool_t *pool,
                                 ngx_uint_t member) noexcept {
    Lock lock(pool->health->shpool);
    balance::succeeded(view(pool->health), member);
}

void ngx_http_llm_pool_block(ngx_http_llm_pool_t *pool, ngx_uint_t member,
                             ngx_msec_t pause) noexcept {
    {
        Lock lock(pool->health->shpool);
        balance::block_until(view(pool->health), member,
                             now() + static_cast<std::int64_t>(pause));
    }
    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "\"%V\" of llm_upstream \"%V\" is temporarily disabled for "
                  "%Ms, as it asked (Retry-After)",
                  &members_of(pool)[member].name, &pool->name, pause / 1000);
}

void ngx_http_llm_pool_release(ngx_http_llm_pool_t *pool,
                               ngx_uint_t member) noexcept {
    Lock lock(pool->health->shpool);
    balance::release(view(pool->health), member);
}

ngx_msec_int_t ngx_http_llm_pool_wait(ngx_http_llm_pool_t *pool) noexcept {
    Lock lock(pool->health->shpool);
    auto wait = balance::earliest_available(view(pool->health), now());
    return wait ? static_cast<ngx_msec_int_t>(*wait) : -1;
}

ngx_http_llm_member_state_t ngx_http_llm_pool_state(
    ngx_http_llm_pool_t *pool, ngx_uint_t member) noexcept {
    Lock lock(pool->health->shpool);
    // All others have been tried.
    balance::Members others = ~balance::bit(member);
    return {*pool->health->states[member],
            balance::any(view(pool->health), others, now())};
}
