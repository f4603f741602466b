// What each model was asked and what that cost: of all workers, since the
// shared memory was made, which a reload keeps.
#pragma once

#include "ngx_http_llm.hpp"

#include <vector>

#include "llm/totals.hpp"

struct ngx_http_llm_totals_t {
    ngx_shm_zone_t *shm_zone;
    ngx_slab_pool_t *shpool;
    llm::totals::Table *table;
    std::uint64_t generation;   // of the configuration; never 0
};

// While the configuration is read: somebody wants to know. NGX_OK, or
// NGX_ERROR: no memory.
ngx_int_t ngx_http_llm_totals_need(ngx_conf_t *cf) noexcept;

// The rows as they are now; none where `totals` is NULL. May throw std::bad_alloc.
std::vector<llm::totals::Row> ngx_http_llm_totals_rows(
    ngx_http_llm_totals_t *totals);

// In the log phase: the request is over.
ngx_int_t ngx_http_llm_totals_handler(ngx_http_request_t *r) noexcept;
