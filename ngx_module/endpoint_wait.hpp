// Waiting for addresses inside a coroutine.
#pragma once

#include "context.hpp"
#include "endpoint.hpp"

#include <coroutine>

// co_await it before peers are chosen, since that cannot wait. Looks up all
// hosts of the pool that have no addresses yet, at the same time; at once over
// where all are known, as they are but for a worker's first requests. When
// some host is known, the others are waited for only a moment: one dead name
// does not hold up a pool.
class ngx_http_llm_endpoints_ready_t {
public:
    ngx_http_llm_endpoints_ready_t(ngx_http_request_t *r,
                                   ngx_http_llm_pool_t *pool) noexcept;
    ~ngx_http_llm_endpoints_ready_t();
    ngx_http_llm_endpoints_ready_t(const ngx_http_llm_endpoints_ready_t &)
        = delete;

    bool await_ready() noexcept;
    void await_suspend(std::coroutine_handle<> handle) noexcept;
    void await_resume() const noexcept {}

private:
    static void on_lookup(void *data) noexcept;
    static void on_timer(ngx_event_t *ev) noexcept;
    void resume() noexcept;

    ngx_http_request_t *request_;
    ngx_http_llm_pool_t *pool_;
    ngx_http_llm_waiter_t *waiters_ = nullptr;
    ngx_uint_t pending_ = 0;
    ngx_uint_t known_ = 0;
    struct Timer {
        ngx_event_t event;      // first: nginx hands out its address
        ngx_http_llm_endpoints_ready_t *owner;
    } timer_ = {};
    std::coroutine_handle<> handle_;
};
