// The addresses of a provider's host. An address in the URL and a name in
// /etc/hosts are known from the start ("localhost" is always 127.0.0.1 or what
// /etc/hosts says); any other name is looked up by nginx's own resolver while
// the worker runs, when it is first needed: the resolver of "resolver" in
// http {}, else one of the name servers of /etc/resolv.conf. Names are looked
// up as written: "search" and "ndots" of resolv.conf have no effect.
//
// Addresses are kept as long as their DNS record says, then looked up anew in
// the background while the old ones still serve for a minute. A look-up that
// fails leaves the old ones in use; the next one starts after some seconds.
//
// Providers of the same host and port share an endpoint; each worker has its
// own addresses.
#pragma once

#include "ngx_http_llm.hpp"

// Configuration: the endpoint of a host, made if there is none. NULL: no
// memory, or no valid address (logged). Nothing is looked up.
ngx_http_llm_endpoint_t *ngx_http_llm_endpoint(
    ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf, const ngx_str_t &host,
    in_port_t port) noexcept;

// Configuration: there will be endpoints made at run time. Finds the resolver
// that they are to use. Errors are logged.
ngx_int_t ngx_http_llm_endpoints_later(ngx_conf_t *cf,
                                       ngx_http_llm_main_conf_t *mcf) noexcept;

// Run time: an endpoint of one's own for a host that only a server names, such
// as a node of a Redis cluster; an address, or a name that is looked up as
// others are (/etc/hosts is read in this call). It lives in the pool and is
// gone with it. `clcf`: that of http {}. NULL: no memory, or no valid address.
ngx_http_llm_endpoint_t *ngx_http_llm_endpoint_create(
    ngx_pool_t *pool, ngx_http_llm_main_conf_t *mcf,
    ngx_http_core_loc_conf_t *clcf, std::string_view host, in_port_t port)
    noexcept;

// Somebody who waits for addresses. Lives in the caller, who fills in handler
// and data; the rest is the endpoint's. The handler is called once, when the
// look-up has ended, whatever came of it, unless it is cancelled before.
struct ngx_http_llm_waiter_t {
    void (*handler)(void *data) noexcept;
    void *data;
    ngx_queue_t queue;
    unsigned waiting:1;
};

// NGX_OK: there are addresses (or there is no way to get any: pick() says).
// NGX_AGAIN: the waiter's handler will be called; never from in here.
ngx_int_t ngx_http_llm_endpoint_resolve(ngx_http_llm_endpoint_t *endpoint,
                                        ngx_http_llm_waiter_t *waiter)
    noexcept;

// No more handler; may be called at any time, also for a waiter that was never
// used (zeroed).
void ngx_http_llm_endpoint_cancel(ngx_http_llm_waiter_t *waiter) noexcept;

// The next address, copied to the pool: round robin over the IPv4 addresses,
// or over the IPv6 ones where there is nothing else, without those that failed
// lately; where all of these did, one of the other kind. False: there is none.
bool ngx_http_llm_endpoint_pick(ngx_http_llm_endpoint_t *endpoint,
                                ngx_pool_t *pool, struct sockaddr **sockaddr,
                                socklen_t *socklen, ngx_str_t **name) noexcept;

// No connection to this address came up: others are preferred for some
// seconds.
void ngx_http_llm_endpoint_failed(ngx_http_llm_endpoint_t *endpoint,
                                  const struct sockaddr *sockaddr,
                                  socklen_t socklen) noexcept;

// How many addresses there are: tries on one provider that may differ.
ngx_uint_t ngx_http_llm_endpoint_addresses(
    const ngx_http_llm_endpoint_t *endpoint) noexcept;
