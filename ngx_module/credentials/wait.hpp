// Waiting for credentials inside a coroutine.
#pragma once

#include "context.hpp"
#include "credentials/credentials.hpp"

#include <coroutine>

// co_await it before peers are chosen, since that cannot wait. Fetches the
// credentials of all providers of the pool that have none, at the same time.
// When some provider is ready, the others are waited for only a moment: one
// dead token endpoint does not hold up a pool.
class ngx_http_llm_credentials_ready_t {
public:
    ngx_http_llm_credentials_ready_t(ngx_http_request_t *r,
                                     ngx_http_llm_pool_t *pool) noexcept;
    ~ngx_http_llm_credentials_ready_t();
    ngx_http_llm_credentials_ready_t(const ngx_http_llm_credentials_ready_t &)
        = delete;

    bool await_ready() noexcept;
    void await_suspend(std::coroutine_handle<> handle) noexcept;
    void await_resume() const noexcept {}

private:
    void lose_patience() noexcept;
    bool some_ready() const noexcept;
    static void on_fetched(void *data) noexcept;
    static void on_timer(ngx_event_t *ev) noexcept;
    void resume() noexcept;

    ngx_http_request_t *request_;
    ngx_http_llm_pool_t *pool_;
    ngx_http_llm_waiter_t *waiters_ = nullptr;  // one for each member
    ngx_uint_t pending_ = 0;
    struct Timer {
        ngx_event_t event;      // first: nginx hands out its address
        ngx_http_llm_credentials_ready_t *owner;
    } timer_ = {};
    std::coroutine_handle<> handle_;
};
