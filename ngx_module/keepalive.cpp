#include "keepalive.hpp"

namespace {

struct Item {
    ngx_queue_t queue;
    ngx_http_llm_keepalive_t *idle;
    ngx_connection_t *connection;
    socklen_t socklen;
    ngx_sockaddr_t sockaddr;
};

Item *item_of(ngx_queue_t *q) {
    return ngx_queue_data(q, Item, queue);
}

// As many calls as nginx's own upstream keepalive sends over a connection.
constexpr ngx_uint_t max_requests = 1000;

}  // namespace

struct ngx_http_llm_keepalive_t {
    ngx_queue_t cache;          // the last used one first
    ngx_queue_t free;
    ngx_msec_t timeout;
#if (NGX_HTTP_SSL)
    ngx_ssl_session_t *session;
#endif
};

namespace {

void close_connection(ngx_connection_t *c) noexcept {
#if (NGX_HTTP_SSL)
    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;
        if (ngx_ssl_shutdown(c) == NGX_AGAIN) {
            c->ssl->handler = close_connection;
            return;
        }
    }
#endif
    ngx_destroy_pool(c->pool);
    ngx_close_connection(c);
}

void idle_writable(ngx_event_t *) noexcept {}

// Any event on an idle connection is its end, but for a false alarm.
void idle_readable(ngx_event_t *ev) noexcept {
    auto c = static_cast<ngx_connection_t *>(ev->data);

    if (!c->close && !ev->timedout) {
        char byte;
        ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK);
        if (n == -1 && ngx_socket_errno == NGX_EAGAIN) {
            ev->ready = 0;
            if (ngx_handle_read_event(ev, 0) == NGX_OK) {
                return;
            }
        }
    }

    auto item = static_cast<Item *>(c->data);
    close_connection(c);
    ngx_queue_remove(&item->queue);
    ngx_queue_insert_head(&item->idle->free, &item->queue);
}

#if (NGX_HTTP_SSL)
void free_session(void *data) noexcept {
    auto idle = static_cast<ngx_http_llm_keepalive_t *>(data);
    if (idle->session) {
        ngx_ssl_free_session(idle->session);
    }
}
#endif

bool reusable(const ngx_connection_t *c, const ngx_http_upstream_t *u) {
    return c && u->keepalive && u->request_body_sent && !c->read->eof
           && !c->read->error && !c->read->timedout && !c->write->error
           && !c->write->timedout && c->requests < max_requests
           && !ngx_terminate && !ngx_exiting;
}

}  // namespace

ngx_http_llm_keepalive_t *ngx_http_llm_keepalive_create(
    ngx_conf_t *cf, ngx_uint_t connections, ngx_msec_t timeout) noexcept {
    auto idle = static_cast<ngx_http_llm_keepalive_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_llm_keepalive_t)));
    auto items = static_cast<Item *>(
        ngx_pcalloc(cf->pool, sizeof(Item) * (connections + 1)));
    if (idle == nullptr || items == nullptr) {
        return nullptr;
    }

#if (NGX_HTTP_SSL)
    auto cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == nullptr) {
        return nullptr;
    }
    cleanup->handler = free_session;
    cleanup->data = idle;
#endif

    idle->timeout = timeout;
    ngx_queue_init(&idle->cache);
    ngx_queue_init(&idle->free);
    for (ngx_uint_t i = 0; i < connections; ++i) {
        items[i].idle = idle;
        ngx_queue_insert_head(&idle->free, &items[i].queue);
    }
    return idle;
}

bool ngx_http_llm_keepalive_take(ngx_http_llm_keepalive_t *idle,
                                 ngx_peer_connection_t *pc) noexcept {
    for (ngx_queue_t *q = ngx_queue_head(&idle->cache);
         q != ngx_queue_sentinel(&idle->cache); q = ngx_queue_next(q)) {
        Item *item = item_of(q);
        if (ngx_memn2cmp(reinterpret_cast<u_char *>(&item->sockaddr),
                         reinterpret_cast<u_char *>(pc->sockaddr),
                         item->socklen, pc->socklen) != 0) {
            continue;
        }

        ngx_queue_remove(q);
        ngx_queue_insert_head(&idle->free, q);

        ngx_connection_t *c = item->connection;
        c->idle = 0;
        c->sent = 0;
        c->data = nullptr;
        c->log = pc->log;
        c->read->log = pc->log;
        c->write->log = pc->log;
        c->pool->log = pc->log;
        if (c->read->timer_set) {
            ngx_del_timer(c->read);
        }
        pc->connection = c;
        pc->cached = 1;
        return true;
    }
    return false;
}

void ngx_http_llm_keepalive_save(ngx_http_llm_keepalive_t *idle,
                                 ngx_peer_connection_t *pc,
                                 ngx_http_upstream_t *u) noexcept {
    ngx_connection_t *c = pc->connection;

    if (!reusable(c, u) || ngx_handle_read_event(c->read, 0) != NGX_OK) {
        return;
    }

    ngx_queue_t *q;
    if (!ngx_queue_empty(&idle->free)) {
        q = ngx_queue_head(&idle->free);
    } else if (!ngx_queue_empty(&idle->cache)) {
        q = ngx_queue_last(&idle->cache);
        close_connection(item_of(q)->connection);
    } else {
        return;
    }
    ngx_queue_remove(q);
    ngx_queue_insert_head(&idle->cache, q);

    Item *item = item_of(q);
    item->connection = c;
    item->socklen = pc->socklen;
    ngx_memcpy(&item->sockaddr, pc->sockaddr, pc->socklen);
    pc->connection = nullptr;

    c->read->delayed = 0;
    ngx_add_timer(c->read, idle->timeout);
    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }
    c->write->handler = idle_writable;
    c->read->handler = idle_readable;

    c->data = item;
    c->idle = 1;
    c->log = ngx_cycle->log;
    c->read->log = ngx_cycle->log;
    c->write->log = ngx_cycle->log;
    c->pool->log = ngx_cycle->log;

    if (c->read->ready) {
        idle_readable(c->read);
    }
}

#if (NGX_HTTP_SSL)

ngx_int_t ngx_http_llm_keepalive_set_session(ngx_http_llm_keepalive_t *idle,
                                             ngx_peer_connection_t *pc)
    noexcept {
    return ngx_ssl_set_session(pc->connection, idle->session);
}

void ngx_http_llm_keepalive_save_session(ngx_http_llm_keepalive_t *idle,
                                         ngx_peer_connection_t *pc) noexcept {
    ngx_ssl_session_t *session = ngx_ssl_get_session(pc->connection);
    if (session == nullptr) {
        return;
    }
    if (idle->session) {
        ngx_ssl_free_session(idle->session);
    }
    idle->session = session;
}

#endif
