// llm_redis NAME { ... }: commands to a Redis or Valkey server, to the master
// that Sentinel names, or to a cluster, from a worker's event loop. Nothing
// here waits; every command ends within the server's timeout, with a reply or
// without one.
#pragma once

#include "ngx_http_llm.hpp"

#include <coroutine>
#include <initializer_list>
#include <span>
#include <string_view>

#include "llm/redis.hpp"

struct ngx_http_llm_redis_t;        // redis_conf.hpp

// Configuration. A directive that uses a server keeps its name until all of
// http {} is read, and looks it up then. NULL: there is none of that name.
ngx_http_llm_redis_t *ngx_http_llm_find_redis(ngx_http_llm_main_conf_t *mcf,
                                              std::string_view name) noexcept;

// What a command came to. `reply` lives as long as the call that it is given
// to. NULL: there is no answer, and `failure` says why in a few words for a
// log line ("timed out", "connection refused", "is not asked for a while").
// Errors that Redis itself answers are replies; MOVED, ASK, LOADING and the
// like have been dealt with before.
struct ngx_http_llm_redis_result_t {
    const llm::redis::Reply *reply;
    const char *failure;
    // It has failed, but may have been executed, or may still be.
    bool sent = false;
};

// One command: its words, and the key that decides which node of a cluster is
// asked (empty: any). Words are copied before send returns.
struct ngx_http_llm_redis_command_t {
    std::span<const std::string_view> words;
    std::string_view key;
    // The command waits at the server for so long (BLOCK): it gets a
    // connection of its own and so much more time. 0: it does not. It fails
    // when the worker is to leave (ngx_exiting), and is not to be sent again.
    ngx_msec_t block = 0;
};

using ngx_http_llm_redis_handler_pt =
    void (*)(void *data, const ngx_http_llm_redis_result_t &result) noexcept;

// Sends a command. The handler (may be NULL) is called once, later on and
// never from within this call, unless the command is cancelled first. Returns
// what ngx_http_llm_redis_cancel() takes; NULL: no memory, and the handler
// will not be called. Without a handler there is nothing to cancel.
//
// What is sent to one node in one event goes out in one write over one
// connection, and is executed in its order; between events, and where a slot
// is being moved, the order is not kept. A failed command may have been
// executed. One that fails because its server is not asked for a while fails
// soon: who tries again by himself waits a moment.
void *ngx_http_llm_redis_send(ngx_http_llm_redis_t *redis,
                              const ngx_http_llm_redis_command_t &command,
                              ngx_http_llm_redis_handler_pt handler,
                              void *data) noexcept;

// The handler will not be called any more; the reply is thrown away when it
// comes. Not to be called after the handler was.
void ngx_http_llm_redis_cancel(void *call) noexcept;

// The same inside a coroutine of a request:
//
//     ngx_http_llm_redis_call_t get(r, redis, {"GET", key}, key);
//     auto result = co_await get;
//
// The result's reply lives as long as the awaitable. Destroyed while it waits,
// it cancels the command. Several may be started with send() before the first
// is awaited: they are then sent in one go.
class ngx_http_llm_redis_call_t {
public:
    ngx_http_llm_redis_call_t(ngx_http_request_t *r,
                              ngx_http_llm_redis_t *redis,
                              std::span<const std::string_view> words,
                              std::string_view key) noexcept;
    ngx_http_llm_redis_call_t(ngx_http_request_t *r,
                              ngx_http_llm_redis_t *redis,
                              std::initializer_list<std::string_view> words,
                              std::string_view key) noexcept
        : ngx_http_llm_redis_call_t(
              r, redis,
              std::span<const std::string_view>(words.begin(), words.size()),
              key) {}
    ~ngx_http_llm_redis_call_t();
    ngx_http_llm_redis_call_t(const ngx_http_llm_redis_call_t &) = delete;
    ngx_http_llm_redis_call_t &operator=(const ngx_http_llm_redis_call_t &)
        = delete;

    bool await_ready() const noexcept { return done_; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept {
        waiting_ = waiting;
    }
    ngx_http_llm_redis_result_t await_resume() const noexcept;

private:
    static void finished(void *data,
                         const ngx_http_llm_redis_result_t &result) noexcept;

    ngx_http_request_t *request_;
    void *call_ = nullptr;
    llm::redis::Reply reply_;
    const char *failure_ = nullptr;
    bool done_ = false;
    std::coroutine_handle<> waiting_;
};
