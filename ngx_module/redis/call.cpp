// A command as something that a coroutine waits for.
#include "redis/redis.hpp"

#include <utility>

ngx_http_llm_redis_call_t::ngx_http_llm_redis_call_t(
    ngx_http_request_t *r, ngx_http_llm_redis_t *redis,
    std::span<const std::string_view> words, std::string_view key) noexcept
    : request_(r) {
    call_ = ngx_http_llm_redis_send(redis, {words, key}, finished, this);
    if (call_ == nullptr) {
        failure_ = "no memory";
        done_ = true;
    }
}

ngx_http_llm_redis_call_t::~ngx_http_llm_redis_call_t() {
    if (call_) {
        ngx_http_llm_redis_cancel(call_);
    }
}

ngx_http_llm_redis_result_t
ngx_http_llm_redis_call_t::await_resume() const noexcept {
    return {failure_ ? nullptr : &reply_, failure_};
}

void ngx_http_llm_redis_call_t::finished(
    void *data, const ngx_http_llm_redis_result_t &result) noexcept {
    auto *self = static_cast<ngx_http_llm_redis_call_t *>(data);
    self->call_ = nullptr;
    self->failure_ = result.failure;
    if (result.reply) {
        // It is the connection's, which has no more use for it: a value of
        // some megabytes is not copied.
        self->reply_ = std::move(
            const_cast<llm::redis::Reply &>(*result.reply));
    }
    self->done_ = true;
    if (self->waiting_) {
        ngx_http_set_log_request(self->request_->connection->log,
                                 self->request_);
        // May end the request, and this object with it.
        self->waiting_.resume();
    }
}
