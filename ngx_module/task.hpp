// Asynchronous flows of a request as C++20 coroutines.
//
// A Task owns its frame: destroying the outermost destroys every frame it
// waits for, inner ones first, and the destructors of their awaitables cancel
// what is outstanding (a timer, a look-up, a command). So one
// ngx_http_cleanup_add() is all it takes that a client which goes away cancels
// everything it started.
//
// Frames live in the request's pool: a coroutine whose first parameter is the
// request finds it there by itself. Nothing may leave a coroutine as an
// exception but std::bad_alloc, which ends the flow as failed.
#pragma once

#include "ngx.hpp"

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace task {

namespace detail {

struct PromiseBase {
    std::coroutine_handle<> waiting;    // who awaits this task, or null
    void (*finished)(void *data) = nullptr;     // the outermost one's
    void *data = nullptr;
    bool failed = false;

    template <typename... Args>
    static void *operator new(std::size_t size, ngx_http_request_t *r,
                              Args &&...) noexcept {
        return ngx_palloc(r->pool, size);
    }
    static void operator delete(void *, std::size_t) noexcept {
        // The pool frees it.
    }

    std::suspend_always initial_suspend() const noexcept { return {}; }

    struct Final {
        bool await_ready() const noexcept { return false; }
        template <typename Promise>
        std::coroutine_handle<> await_suspend(
            std::coroutine_handle<Promise> handle) const noexcept {
            PromiseBase &promise = handle.promise();
            if (promise.waiting) {
                return promise.waiting;
            }
            // May destroy this frame: nothing of it is touched afterwards.
            if (promise.finished) {
                promise.finished(promise.data);
            }
            return std::noop_coroutine();
        }
        void await_resume() const noexcept {}
    };
    Final final_suspend() const noexcept { return {}; }

    void unhandled_exception() noexcept { failed = true; }
};

}  // namespace detail

// A coroutine that yields an ngx_int_t: an nginx return code. NGX_ERROR where
// its frame could not be allocated or an exception ended it.
class [[nodiscard]] Task {
public:
    struct promise_type : detail::PromiseBase {
        ngx_int_t value = NGX_ERROR;

        Task get_return_object() noexcept {
            return Task(
                std::coroutine_handle<promise_type>::from_promise(*this));
        }
        static Task get_return_object_on_allocation_failure() noexcept {
            return Task();
        }
        void return_value(ngx_int_t result) noexcept { value = result; }
    };

    Task() = default;
    Task(Task &&other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task &operator=(Task &&other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Task() {
        if (handle_) {
            handle_.destroy();
        }
    }

    // Runs the outermost task up to its first wait. `finished` is called when
    // it ends later on, not where it ends within this call: then start()
    // returns true and result() is there.
    bool start(void (*finished)(void *data), void *data) noexcept {
        if (!handle_) {
            return true;
        }
        handle_.resume();
        if (handle_.done()) {
            return true;
        }
        handle_.promise().finished = finished;
        handle_.promise().data = data;
        return false;
    }

    ngx_int_t result() const noexcept {
        return handle_ && handle_.done() ? handle_.promise().value : NGX_ERROR;
    }

    // As an awaitable inside another task.
    bool await_ready() const noexcept { return !handle_; }
    std::coroutine_handle<> await_suspend(
        std::coroutine_handle<> waiting) noexcept {
        handle_.promise().waiting = waiting;
        return handle_;
    }
    ngx_int_t await_resume() const noexcept { return result(); }

private:
    explicit Task(std::coroutine_handle<promise_type> handle)
        : handle_(handle) {}

    std::coroutine_handle<promise_type> handle_;
};

}  // namespace task
