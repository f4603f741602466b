// Recent embeddings of a provider's model, in shared memory: what one worker
// has asked for, none asks for again. Survives a reload.
#pragma once

#include "ngx_http_llm.hpp"
#include "digest.hpp"

#include <span>

#include "llm/cache_zone.hpp"

struct ngx_http_llm_recent_t {
    ngx_shm_zone_t *shm_zone;
    size_t dimensions;

    // Of the process, once the shared memory is there.
    ngx_slab_pool_t *shpool;
    llm::cache::Zone zone;
};

// Configuration: declares the zone of `size` bytes. NULL: logged.
ngx_http_llm_recent_t *ngx_http_llm_recent_create(ngx_conf_t *cf,
                                                  const ngx_str_t &name,
                                                  size_t size) noexcept;

// The vector of the key; false: it is not there. `out` is undefined then.
bool ngx_http_llm_recent_get(ngx_http_llm_recent_t *recent,
                             const ngx_http_llm_digest_t &key,
                             std::span<float> out) noexcept;

void ngx_http_llm_recent_put(ngx_http_llm_recent_t *recent,
                             const ngx_http_llm_digest_t &key,
                             std::span<const float> vector) noexcept;
