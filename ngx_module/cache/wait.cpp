#include "cache/wait.hpp"

namespace {

// Few wait at a time, and a release is rare beside a look-up: a list will do.
ngx_http_llm_cache_wait_t *waiting = nullptr;

}  // namespace

ngx_http_llm_cache_wait_t::~ngx_http_llm_cache_wait_t() {
    leave();
}

void ngx_http_llm_cache_wait_t::leave() noexcept {
    if (link_) {
        *link_ = next_;
        if (next_) {
            next_->link_ = link_;
        }
        link_ = nullptr;
    }
    if (timer_.event.timer_set) {
        ngx_del_timer(&timer_.event);
    }
    if (timer_.event.posted) {
        ngx_delete_posted_event(&timer_.event);
    }
}

void ngx_http_llm_cache_wait_t::await_suspend(
    std::coroutine_handle<> handle) noexcept {
    handle_ = handle;

    next_ = waiting;
    link_ = &waiting;
    if (waiting) {
        waiting->link_ = &next_;
    }
    waiting = this;

    timer_.owner = this;
    timer_.event.handler = on_event;
    // Debug logs print the descriptor of what looks like a connection.
    timer_.event.data = request_->connection;
    timer_.event.log = request_->connection->log;
    ngx_add_timer(&timer_.event, time_);
}

// May end the request, and this object with it.
void ngx_http_llm_cache_wait_t::on_event(ngx_event_t *ev) noexcept {
    auto self = reinterpret_cast<Timer *>(ev)->owner;
    self->leave();
    self->handle_.resume();
}

void ngx_http_llm_cache_wake(const ngx_http_llm_cache_zone_t *zone,
                             const llm::cache::ZoneKey &key) noexcept {
    for (auto wait = waiting; wait; wait = wait->next_) {
        if (wait->zone_ == zone && wait->key_ == key
            && !wait->timer_.event.posted) {
            ngx_post_event(&wait->timer_.event, &ngx_posted_events);
        }
    }
}
