// The health of a pool's members, and the choice between them, for the code
// that runs a call: llm/balance.hpp over states in shared memory, or of each
// worker where the pool has no zone. Times are ngx_current_msec.
//
// A zone belongs to the members, not to a configuration: on reload each member
// finds its state again by pool, "provider/model" and alias, whatever else has
// changed. States are never freed, since workers of the old configuration go
// on with them until their last stream ends; one that no configuration names
// any more is given away when the zone is full.
#pragma once

#include "ngx_http_llm.hpp"

#include "llm/balance.hpp"

// All of the pool's members, by bit.
inline llm::balance::Members ngx_http_llm_pool_all(
    const ngx_http_llm_pool_t *pool) noexcept {
    return pool->members.nelts >= 64
               ? ~llm::balance::Members{0}
               : (llm::balance::Members{1} << pool->members.nelts) - 1;
}

// How many tries a call has.
inline ngx_uint_t ngx_http_llm_pool_tries(
    const ngx_http_llm_pool_t *pool) noexcept {
    return pool->tries ? pool->tries : pool->members.nelts;
}

// Configuration: makes pool->health for the pool's members, to be called once
// when they are complete.
ngx_int_t ngx_http_llm_pool_health(ngx_conf_t *cf,
                                   ngx_http_llm_main_conf_t *mcf,
                                   ngx_http_llm_pool_t *pool) noexcept;

// Chooses a member that is not in `tried` (llm::balance::bit()) and starts a
// try on it; -1: nobody is left.
ngx_int_t ngx_http_llm_pool_choose(ngx_http_llm_pool_t *pool,
                                   llm::balance::Members tried) noexcept;

// Whether choose would find somebody.
bool ngx_http_llm_pool_any(ngx_http_llm_pool_t *pool,
                           llm::balance::Members tried) noexcept;

// Starts a try on this member; false where it is down or out of rotation.
bool ngx_http_llm_pool_take(ngx_http_llm_pool_t *pool,
                            ngx_uint_t member) noexcept;

// What came of the try, before it is released.
void ngx_http_llm_pool_failed(ngx_http_llm_pool_t *pool,
                              ngx_uint_t member) noexcept;
void ngx_http_llm_pool_succeeded(ngx_http_llm_pool_t *pool,
                                 ngx_uint_t member) noexcept;
// The try failed, and the member asked not to be called for so long
// (Retry-After), in ms.
void ngx_http_llm_pool_block(ngx_http_llm_pool_t *pool, ngx_uint_t member,
                             ngx_msec_t pause) noexcept;

// The try is over, however it ended: once for each choose and take, also when
// the client has left.
void ngx_http_llm_pool_release(ngx_http_llm_pool_t *pool,
                               ngx_uint_t member) noexcept;

// In how many ms the pool can answer again, for the Retry-After of a 503;
// 0: now. -1: never, all members are down.
ngx_msec_int_t ngx_http_llm_pool_wait(ngx_http_llm_pool_t *pool) noexcept;

// How a member is, for llm_status.
struct ngx_http_llm_member_state_t {
    llm::balance::State state;
    bool available;             // may be chosen now
};
ngx_http_llm_member_state_t ngx_http_llm_pool_state(
    ngx_http_llm_pool_t *pool, ngx_uint_t member) noexcept;
