// llm_limit_zone KEY zone=NAME:SIZE rate=...: who may spend how much. Budgets
// are in shared memory of this machine's workers, or in Redis.
#pragma once

#include "ngx_http_llm.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

#include "llm/limit_share.hpp"
#include "llm/limit_spec.hpp"
#include "llm/limit_zone.hpp"
#include "llm/time_zone.hpp"

// What all workers count of requests, since the zone was made; with the lock.
struct ngx_http_llm_limit_counts_t {
    std::uint64_t passed;
    std::uint64_t delayed;
    std::uint64_t rejected;
    std::uint64_t delayed_dry_run;
    std::uint64_t rejected_dry_run;
    std::uint64_t from_share;   // reservations
    std::uint64_t used;         // settled, in what the zone counts
};

// At the head of the shared memory. Its pointers are the same in all workers.
struct ngx_http_llm_limit_shctx_t {
    ngx_http_llm_limit_counts_t counts;
    std::uint64_t gateway;      // a name, like no other's; 0: not yet
    std::int64_t gateways;      // how many share the budgets, when last seen
    std::byte *budgets;
    size_t budgets_size;
    std::byte *sketches;
    size_t sketches_size;
    std::byte *shares;          // NULL: "sync=strict"
    size_t shares_size;
};

class ngx_http_llm_limit_shares_t;      // shares.hpp

struct ngx_http_llm_limit_zone_t {
    ngx_str_t name;
    size_t size;
    ngx_http_complex_value_t key;
    ngx_http_complex_value_t *rate;     // NULL: it is the spec's
    llm::limit::Spec spec;      // with "default" where the rate is variable
    llm::TimeZone time_zone;

    ngx_str_t redis_name;       // empty: this machine only
    ngx_http_llm_redis_t *redis;
    std::string_view prefix;    // of keys in Redis
    ngx_msec_t sync;            // 0: strict, a call for each request

    ngx_shm_zone_t *shm_zone;
    u_char *file;               // where it was declared
    ngx_uint_t line;

    // Of the process, once the shared memory is there.
    ngx_slab_pool_t *shpool;
    ngx_http_llm_limit_shctx_t *shared;
    llm::limit::LimitZone budgets;
    llm::limit::SketchZone sketches;    // of answers, by key and model
    llm::limit::ShareZone shares;       // of budgets in Redis
    std::unique_ptr<ngx_http_llm_limit_shares_t> worker_shares;
    ngx_event_t sweep;
    ngx_event_t presence;       // with Redis
    bool shown_by_text;
};

// A zone with its lock held, for a call or a few.
class ngx_http_llm_limit_locked_t {
public:
    explicit ngx_http_llm_limit_locked_t(ngx_http_llm_limit_zone_t *zone)
        noexcept
        : zone_(zone) {
        ngx_shmtx_lock(&zone_->shpool->mutex);
    }
    ~ngx_http_llm_limit_locked_t() {
        ngx_shmtx_unlock(&zone_->shpool->mutex);
    }
    ngx_http_llm_limit_locked_t(const ngx_http_llm_limit_locked_t &) = delete;
    ngx_http_llm_limit_locked_t &operator=(
        const ngx_http_llm_limit_locked_t &) = delete;

    llm::limit::LimitZone *operator->() const noexcept {
        return &zone_->budgets;
    }
    llm::limit::SketchZone &sketches() const noexcept {
        return zone_->sketches;
    }
    llm::limit::ShareZone &shares() const noexcept { return zone_->shares; }
    ngx_http_llm_limit_counts_t &counts() const noexcept {
        return zone_->shared->counts;
    }

private:
    ngx_http_llm_limit_zone_t *zone_;
};

// The wall clock, in ms, as llm::limit wants it.
inline std::int64_t ngx_http_llm_limit_now() noexcept {
    ngx_time_t *tp = ngx_timeofday();
    return static_cast<std::int64_t>(tp->sec) * 1000
           + static_cast<std::int64_t>(tp->msec);
}

char *ngx_http_llm_limit_zone_directive(ngx_conf_t *cf, ngx_command_t *cmd,
                                        void *conf) noexcept;

// The rates of a request: the zone's limit, or the one that its variable rate
// has for this request. An unusable rate is logged and the default counts.
// false: no memory.
bool ngx_http_llm_limit_rate(ngx_http_request_t *r,
                             const ngx_http_llm_limit_zone_t *zone,
                             llm::limit::Limit *limit);
