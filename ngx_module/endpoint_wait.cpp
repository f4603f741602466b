#include "endpoint_wait.hpp"

namespace {

// How long the known hosts of a pool wait for the unknown ones.
constexpr ngx_msec_t patience = 1000;

}  // namespace

ngx_http_llm_endpoints_ready_t::ngx_http_llm_endpoints_ready_t(
    ngx_http_request_t *r, ngx_http_llm_pool_t *pool) noexcept
    : request_(r), pool_(pool) {}

ngx_http_llm_endpoints_ready_t::~ngx_http_llm_endpoints_ready_t() {
    for (ngx_uint_t i = 0; waiters_ && i < pool_->members.nelts; ++i) {
        ngx_http_llm_endpoint_cancel(&waiters_[i]);
    }
    if (timer_.event.timer_set) {
        ngx_del_timer(&timer_.event);
    }
}

bool ngx_http_llm_endpoints_ready_t::await_ready() noexcept {
    auto members = members_of(pool_);

    waiters_ = static_cast<ngx_http_llm_waiter_t *>(ngx_pcalloc(
        request_->pool,
        pool_->members.nelts * sizeof(ngx_http_llm_waiter_t)));
    if (waiters_ == nullptr) {
        return true;
    }

    for (ngx_uint_t i = 0; i < pool_->members.nelts; ++i) {
        ngx_http_llm_endpoint_t *endpoint = members[i].provider->endpoint;
        if (endpoint == nullptr) {
            // The servers of an upstream {} are nginx's business.
            ++known_;
            continue;
        }
        waiters_[i].handler = on_lookup;
        waiters_[i].data = this;
        if (ngx_http_llm_endpoint_resolve(endpoint, &waiters_[i])
            == NGX_AGAIN) {
            ++pending_;
        } else {
            ++known_;
        }
    }
    return pending_ == 0;
}

void ngx_http_llm_endpoints_ready_t::await_suspend(
    std::coroutine_handle<> handle) noexcept {
    handle_ = handle;
    if (known_) {
        timer_.owner = this;
        timer_.event.handler = on_timer;
        // Debug logs print the descriptor of what looks like a connection.
        timer_.event.data = request_->connection;
        timer_.event.log = request_->connection->log;
        ngx_add_timer(&timer_.event, patience);
    }
}

void ngx_http_llm_endpoints_ready_t::on_lookup(void *data) noexcept {
    auto self = static_cast<ngx_http_llm_endpoints_ready_t *>(data);
    if (--self->pending_ == 0) {
        self->resume();
    }
}

void ngx_http_llm_endpoints_ready_t::on_timer(ngx_event_t *ev) noexcept {
    reinterpret_cast<Timer *>(ev)->owner->resume();
}

// May end the request, and this object with it.
void ngx_http_llm_endpoints_ready_t::resume() noexcept {
    handle_.resume();
}
