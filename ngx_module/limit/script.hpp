// Scripts of limits on their way to Redis. Each is an object that belongs to
// itself until it has ended.
#pragma once

#include "ngx_http_llm.hpp"

#include <memory>
#include <string>
#include <string_view>

#include "llm/limit_redis.hpp"
#include "redis/redis.hpp"

class ngx_http_llm_limit_script_t {
public:
    using Pointer = std::unique_ptr<ngx_http_llm_limit_script_t>;

    virtual ~ngx_http_llm_limit_script_t() = default;
    ngx_http_llm_limit_script_t(const ngx_http_llm_limit_script_t &) = delete;
    ngx_http_llm_limit_script_t &operator=(
        const ngx_http_llm_limit_script_t &) = delete;

    // false: no memory; it is the caller's still, and will not end.
    static bool send(Pointer &script);

    // Once more in a moment, after a failure. What is too old, or too much, is
    // forgotten: what it should undo is held until its lease is over then.
    static void send_again(Pointer script) noexcept;

protected:
    explicit ngx_http_llm_limit_script_t(ngx_http_llm_redis_t *redis) noexcept
        : redis_(redis) {}

    ngx_http_llm_redis_t *redis() const noexcept { return redis_; }

    virtual llm::limit::Command command(llm::limit::Call how) const = 0;
    // The slot's.
    virtual std::string_view key() const noexcept = 0;

    // reply is not an error; NULL: `failure` says why there is none. sent: it
    // may have been executed all the same. May destroy anything, `self`
    // included.
    virtual void ended(Pointer self, const llm::redis::Reply *reply,
                       const char *failure, bool sent) noexcept = 0;

private:
    static void finished(void *data,
                         const ngx_http_llm_redis_result_t &result) noexcept;

    ngx_http_llm_redis_t *redis_;
    bool by_text_ = false;
    ngx_msec_t first_failure_ = 0;
    bool failed_ = false;
};

// A name for a call, like no other's.
std::string ngx_http_llm_limit_call_id();

// Says once a second at most that Redis does not answer.
void ngx_http_llm_limit_redis_log(ngx_log_t *log, const char *failure)
    noexcept;
