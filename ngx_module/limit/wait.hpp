// Waiting for some time to go by, inside a task.
#pragma once

#include "ngx.hpp"

#include <coroutine>

class ngx_http_llm_limit_wait_t {
public:
    ngx_http_llm_limit_wait_t(ngx_http_request_t *r, ngx_msec_t time) noexcept
        : request_(r), time_(time) {}
    ~ngx_http_llm_limit_wait_t() {
        if (timer_.event.timer_set) {
            ngx_del_timer(&timer_.event);
        }
    }
    ngx_http_llm_limit_wait_t(const ngx_http_llm_limit_wait_t &) = delete;
    ngx_http_llm_limit_wait_t &operator=(const ngx_http_llm_limit_wait_t &)
        = delete;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) noexcept {
        handle_ = handle;
        timer_.owner = this;
        timer_.event.handler = on_timer;
        // Debug logs print the descriptor of what looks like a connection.
        timer_.event.data = request_->connection;
        timer_.event.log = request_->connection->log;
        ngx_add_timer(&timer_.event, time_);
    }
    void await_resume() noexcept {}

private:
    struct Timer {
        ngx_event_t event = {};     // first, so that a handler finds the rest
        ngx_http_llm_limit_wait_t *owner = nullptr;
    };

    // May end the request, and this object with it.
    static void on_timer(ngx_event_t *ev) noexcept {
        reinterpret_cast<Timer *>(ev)->owner->handle_.resume();
    }

    ngx_http_request_t *request_;
    ngx_msec_t time_;
    std::coroutine_handle<> handle_;
    Timer timer_;
};
