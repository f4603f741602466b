// Idle connections to one provider, and its TLS session, kept by a worker.
//
// A provider is one host, port and TLS name, so a connection that is kept for
// it can never be taken for another one's, even where two names share an
// address.
#pragma once

#include "ngx_http_llm.hpp"

struct ngx_http_llm_keepalive_t;

// Made while the configuration is read, one for each provider. NULL: no memory.
ngx_http_llm_keepalive_t *ngx_http_llm_keepalive_create(
    ngx_conf_t *cf, ngx_uint_t connections, ngx_msec_t timeout) noexcept;

// Takes an idle connection to pc->sockaddr: pc->connection and pc->cached are
// set. False: there is none.
bool ngx_http_llm_keepalive_take(ngx_http_llm_keepalive_t *idle,
                                 ngx_peer_connection_t *pc) noexcept;

// Keeps the connection of a call that ended well, if it can be used again:
// then pc->connection is NULL, else untouched.
void ngx_http_llm_keepalive_save(ngx_http_llm_keepalive_t *idle,
                                 ngx_peer_connection_t *pc,
                                 ngx_http_upstream_t *u) noexcept;

#if (NGX_HTTP_SSL)
// The peer hooks for TLS session reuse.
ngx_int_t ngx_http_llm_keepalive_set_session(ngx_http_llm_keepalive_t *idle,
                                             ngx_peer_connection_t *pc)
    noexcept;
void ngx_http_llm_keepalive_save_session(ngx_http_llm_keepalive_t *idle,
                                         ngx_peer_connection_t *pc) noexcept;
#endif
