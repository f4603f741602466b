// Waiting for another request's call to end, with the same key.
#pragma once

#include "ngx_http_llm.hpp"

#include <coroutine>

#include "llm/cache_zone.hpp"

struct ngx_http_llm_cache_zone_t;

// As an awaitable inside a task: until somebody of this worker releases the
// key, or some time is over. Who holds a key in another worker cannot say
// when it is done, so one looks again after a while.
class ngx_http_llm_cache_wait_t {
public:
    ngx_http_llm_cache_wait_t(ngx_http_request_t *r,
                              const ngx_http_llm_cache_zone_t *zone,
                              const llm::cache::ZoneKey &key,
                              ngx_msec_t time) noexcept
        : request_(r), zone_(zone), key_(key), time_(time) {}
    ~ngx_http_llm_cache_wait_t();
    ngx_http_llm_cache_wait_t(const ngx_http_llm_cache_wait_t &) = delete;
    ngx_http_llm_cache_wait_t &operator=(const ngx_http_llm_cache_wait_t &)
        = delete;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) noexcept;
    void await_resume() noexcept {}

private:
    friend void ngx_http_llm_cache_wake(const ngx_http_llm_cache_zone_t *zone,
                                        const llm::cache::ZoneKey &key)
        noexcept;

    struct Timer {
        ngx_event_t event = {};     // first, so that a handler finds the rest
        ngx_http_llm_cache_wait_t *owner = nullptr;
    };

    static void on_event(ngx_event_t *ev) noexcept;
    void leave() noexcept;

    ngx_http_request_t *request_;
    const ngx_http_llm_cache_zone_t *zone_;
    llm::cache::ZoneKey key_;
    ngx_msec_t time_;
    std::coroutine_handle<> handle_;
    Timer timer_;
    ngx_http_llm_cache_wait_t *next_ = nullptr;
    ngx_http_llm_cache_wait_t **link_ = nullptr;    // what points here
};

// Those of this worker who wait for the key go on, in events of their own.
void ngx_http_llm_cache_wake(const ngx_http_llm_cache_zone_t *zone,
                             const llm::cache::ZoneKey &key) noexcept;
