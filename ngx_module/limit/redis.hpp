// Budgets in Redis: one call for all limits of a request that are in one slot,
// and one that nobody waits for when they are settled.
//
// A call without an answer is undone by its record as soon as Redis is there
// again, since it may have been executed; a settlement is sent again.
#pragma once

#include "ngx_http_llm.hpp"

#include <coroutine>
#include <cstddef>
#include <string>
#include <vector>

#include "limit/script.hpp"
#include "limit/zone.hpp"
#include "llm/limit_redis.hpp"

// What is asked of one slot of one server.
struct ngx_http_llm_limit_group_t {
    ngx_http_llm_redis_t *redis = nullptr;
    std::vector<size_t> members;        // the caller's numbers
    std::vector<llm::limit::RemoteRequest> requests;
    std::string record;                 // of the call, to settle it by

    // What came of it. A failure: there is no answer, and why.
    llm::limit::RemoteAnswer answer;
    const char *failure = nullptr;
};

// A call that reserves: what becomes of it is for a class of its own to know.
class ngx_http_llm_limit_reserving_t : public ngx_http_llm_limit_script_t {
protected:
    ngx_http_llm_limit_reserving_t(
        ngx_http_llm_redis_t *redis,
        std::vector<llm::limit::RemoteRequest> requests, std::string record)
        : ngx_http_llm_limit_script_t(redis),
          requests_(std::move(requests)), record_(std::move(record)) {}

    const std::vector<llm::limit::RemoteRequest> &requests() const noexcept {
        return requests_;
    }
    const std::string &record() const noexcept { return record_; }

    // failure: there is no answer; the call is undone if it was executed.
    virtual void answered(llm::limit::RemoteAnswer answer,
                          const char *failure) noexcept = 0;
    // Gives back what was granted.
    void refund(const llm::limit::RemoteAnswer &answer);

private:
    llm::limit::Command command(llm::limit::Call how) const override;
    std::string_view key() const noexcept override {
        return requests_.front().key;
    }
    void ended(Pointer self, const llm::redis::Reply *reply,
               const char *failure, bool sent) noexcept override;

    std::vector<llm::limit::RemoteRequest> requests_;
    std::string record_;
};

// Reserves, as an awaitable inside a task: all groups at once. Destroyed while
// it waits, it gives back what was granted by then, and leaves calls behind
// that refund what they are granted.
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
    void await_resume() noexcept { taken_ = true; }

private:
    class Call;

    void ended() noexcept;

    ngx_http_request_t *request_;
    std::vector<ngx_http_llm_limit_group_t> &groups_;
    std::vector<Call *> calls_;     // under way
    std::coroutine_handle<> handle_;
    bool taken_ = false;            // the answers are the caller's
};

// Settles what is in one slot; nobody waits. record: of the call that reserved
// it; empty: of several calls.
void ngx_http_llm_limit_redis_settle(
    ngx_http_llm_redis_t *redis,
    std::vector<llm::limit::RemoteSettlement> settlements,
    std::string record) noexcept;

// The reservations of a call that goes on last for another lease. They are to
// be settled with that record.
void ngx_http_llm_limit_redis_renew(
    ngx_http_llm_redis_t *redis,
    std::vector<llm::limit::RemoteSettlement> held,
    std::string record) noexcept;

// A record that nobody will ask for.
void ngx_http_llm_limit_redis_forget(ngx_http_llm_redis_t *redis,
                                     std::string_view record) noexcept;

// A worker tells Redis that this gateway is there, and asks how many are.
void ngx_http_llm_limit_redis_start(ngx_cycle_t *cycle,
                                    ngx_http_llm_limit_zone_t *zone) noexcept;
