#include "credentials/wait.hpp"

namespace {

// How long the members of a pool that are ready wait for the others.
constexpr ngx_msec_t patience = 1000;

// None are needed, or there are some.
bool is_ready(ngx_http_llm_credentials_t *credentials) noexcept {
    return credentials == nullptr || ngx_http_llm_credentials_vary(credentials)
           || credentials->keeper.usable(ngx_time());
}

}  // namespace

ngx_http_llm_credentials_ready_t::ngx_http_llm_credentials_ready_t(
    ngx_http_request_t *r, ngx_http_llm_pool_t *pool) noexcept
    : request_(r), pool_(pool) {}

ngx_http_llm_credentials_ready_t::~ngx_http_llm_credentials_ready_t() {
    for (ngx_uint_t i = 0; waiters_ && i < pool_->members.nelts; ++i) {
        ngx_http_llm_credentials_leave(&waiters_[i]);
    }
    if (timer_.event.timer_set) {
        ngx_del_timer(&timer_.event);
    }
}

bool ngx_http_llm_credentials_ready_t::await_ready() noexcept {
    auto members = members_of(pool_);

    bool all = true;
    for (ngx_uint_t i = 0; i < pool_->members.nelts; ++i) {
        all = all && is_ready(members[i].provider->auth);
    }
    if (all) {
        return true;
    }
    waiters_ = static_cast<ngx_http_llm_waiter_t *>(ngx_pcalloc(
        request_->pool,
        pool_->members.nelts * sizeof(ngx_http_llm_waiter_t)));
    if (waiters_ == nullptr) {
        return true;
    }

    for (ngx_uint_t i = 0; i < pool_->members.nelts; ++i) {
        auto *credentials = members[i].provider->auth;
        if (is_ready(credentials)) {
            continue;
        }
        waiters_[i].handler = on_fetched;
        waiters_[i].data = this;
        if (ngx_http_llm_credentials_want(credentials, &waiters_[i])
            == NGX_AGAIN) {
            ++pending_;
        }
    }
    return pending_ == 0;
}

void ngx_http_llm_credentials_ready_t::await_suspend(
    std::coroutine_handle<> handle) noexcept {
    handle_ = handle;
    if (some_ready()) {
        lose_patience();
    }
}

bool ngx_http_llm_credentials_ready_t::some_ready() const noexcept {
    auto members = members_of(pool_);
    for (ngx_uint_t i = 0; i < pool_->members.nelts; ++i) {
        if (is_ready(members[i].provider->auth)) {
            return true;
        }
    }
    return false;
}

void ngx_http_llm_credentials_ready_t::lose_patience() noexcept {
    if (timer_.event.timer_set) {
        return;
    }
    timer_.owner = this;
    timer_.event.handler = on_timer;
    // Debug logs print the descriptor of what looks like a connection.
    timer_.event.data = request_->connection;
    timer_.event.log = request_->connection->log;
    ngx_add_timer(&timer_.event, patience);
}

void ngx_http_llm_credentials_ready_t::on_fetched(void *data) noexcept {
    auto self = static_cast<ngx_http_llm_credentials_ready_t *>(data);
    if (--self->pending_ == 0) {
        self->resume();
    } else if (self->some_ready()) {
        self->lose_patience();
    }
}

void ngx_http_llm_credentials_ready_t::on_timer(ngx_event_t *ev) noexcept {
    reinterpret_cast<Timer *>(ev)->owner->resume();
}

// May end the request, and this object with it.
void ngx_http_llm_credentials_ready_t::resume() noexcept {
    handle_.resume();
}
