// Budgets in Redis: one call for all limits of a request that are in one slot,
// and one that nobody waits for when they are settled.
#pragma once

#include "ngx_http_llm.hpp"

#include <coroutine>
#include <cstddef>
#include <vector>

#include "limit/zone.hpp"
#include "llm/limit_redis.hpp"

// What is asked of one slot of one server.
struct ngx_http_llm_limit_group_t {
    ngx_http_llm_redis_t *redis = nullptr;
    std::vector<size_t> members;        // the caller's numbers
    std::vector<llm::limit::RemoteRequest> requests;

    // What came of it. A failure: there is no answer, and why.
    llm::limit::RemoteAnswer answer;
    const char *failure = nullptr;
};

// Reserves, as an awaitable inside a task: all groups at once. Destroyed while
// it waits, it leaves calls behind that refund what they are granted.
class ngx_http_llm_limit_remote_t {
public:
    ngx_http_llm_limit_remote_t(ngx_http_request_t *r,
                                std::vector<ngx_http_llm_limit_group_t> &groups)
        noexcept
        : request_(r), groups_(groups) {}
    ~ngx_http_llm_limit_remote_t();
    ngx_http_llm_limit_remote_t(const ngx_http_llm_limit_remote_t &) = delete;
    ngx_http_llm_limit_remote_t &operator=(const ngx_http_llm_limit_remote_t &)
        = delete;

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> handle);
    void await_resume() const noexcept {}

private:
    struct Call;

    void ended() noexcept;

    ngx_http_request_t *request_;
    std::vector<ngx_http_llm_limit_group_t> &groups_;
    std::vector<Call *> calls_;     // under way
    std::coroutine_handle<> handle_;
};

// Settles what is in one slot; nobody waits. What gets lost is held until its
// lease is over.
void ngx_http_llm_limit_redis_settle(
    ngx_http_llm_redis_t *redis,
    const std::vector<llm::limit::RemoteSettlement> &settlements) noexcept;

// Says once a second at most that Redis does not answer.
void ngx_http_llm_limit_redis_log(ngx_log_t *log, const char *failure)
    noexcept;

// A worker tells Redis that this gateway is there, and asks how many are.
void ngx_http_llm_limit_redis_start(ngx_cycle_t *cycle,
                                    ngx_http_llm_limit_zone_t *zone) noexcept;
