#include "endpoint.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <new>
#include <string>

#include "llm/resolv.hpp"

namespace {

constexpr ngx_msec_t lookup_timeout = 10000;    // where nginx is not told one
constexpr time_t stale_time = 60;   // old addresses still serve
constexpr time_t retry_time = 5;    // after a failed look-up
constexpr time_t fail_time = 10;    // an address that failed is avoided

struct Address {
    ngx_sockaddr_t sockaddr;
    socklen_t socklen;
    size_t name_len;
    u_char name[NGX_SOCKADDR_STRLEN];
    time_t failed_until;
};

}  // namespace

struct ngx_http_llm_endpoint_t {
    ngx_str_t host;             // lower case
    in_port_t port;
    ngx_http_llm_main_conf_t *mcf;
    ngx_http_core_loc_conf_t *clcf;     // of http {}: its resolver
    ngx_uint_t is_static;

    // From here on it is the worker's.
    Address *addresses;         // of ngx_alloc, or static ones of the pool
    ngx_uint_t count;
    ngx_uint_t preferred;       // so many of the first take turns
    ngx_uint_t next;            // of them
    time_t valid;               // until when no other look-up is needed

    ngx_resolver_ctx_t *lookup; // the one that runs
    ngx_uint_t starting;        // its handler is called from our own call
    ngx_queue_t waiters;
};

namespace {

bool is_absent(const ngx_resolver_t *resolver) noexcept {
    // nginx makes one without name servers where none is configured.
    return resolver == nullptr || resolver->connections.nelts == 0;
}

std::string read_file(const char *path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void set_address(Address *address, const struct sockaddr *sockaddr,
                 socklen_t socklen, in_port_t port) noexcept {
    *address = {};
    ngx_memcpy(&address->sockaddr, sockaddr, socklen);
    address->socklen = socklen;
    ngx_inet_set_port(&address->sockaddr.sockaddr, port);
    address->name_len = ngx_sock_ntop(&address->sockaddr.sockaddr, socklen,
                                      address->name, NGX_SOCKADDR_STRLEN, 1);
}

// Sorts the addresses and returns how many are preferred. Many machines have
// IPv6 addresses and no way out by IPv6, so that every second connection would
// fail: IPv6 serves where there is no IPv4 or where it has failed.
ngx_uint_t ipv4_first(Address *addresses, ngx_uint_t count) noexcept {
    auto *end = std::stable_partition(
        addresses, addresses + count, [](const Address &address) {
            return address.sockaddr.sockaddr.sa_family == AF_INET;
        });
    auto preferred = static_cast<ngx_uint_t>(end - addresses);
    return preferred ? preferred : count;
}

// The addresses that need no look-up. Those that are none are left out.
ngx_int_t add_static(ngx_pool_t *pool, ngx_http_llm_endpoint_t *endpoint,
                     const std::vector<std::string_view> &texts) {
    endpoint->addresses = static_cast<Address *>(
        ngx_palloc(pool, texts.size() * sizeof(Address)));
    if (endpoint->addresses == nullptr) {
        return NGX_ERROR;
    }

    for (auto text : texts) {
        ngx_addr_t addr;
        auto view = to_ngx(text);
        auto rc = ngx_parse_addr(pool, &addr, view.data, view.len);
        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
        if (rc == NGX_OK) {
            set_address(&endpoint->addresses[endpoint->count++], addr.sockaddr,
                        addr.socklen, endpoint->port);
        }
    }
    endpoint->preferred = ipv4_first(endpoint->addresses, endpoint->count);
    endpoint->is_static = endpoint->count != 0;
    return NGX_OK;
}

// NGX_DECLINED: no valid address.
ngx_int_t find_static(ngx_pool_t *pool, ngx_http_llm_endpoint_t *endpoint) {
    auto host = to_view(endpoint->host);

    if (add_static(pool, endpoint, {host}) != NGX_OK) {
        return NGX_ERROR;
    }
    if (endpoint->is_static) {
        return NGX_OK;
    }
    if (host.find(':') != host.npos) {
        return NGX_DECLINED;
    }

    auto hosts = read_file("/etc/hosts");
    if (add_static(pool, endpoint, llm::hosts_addresses(hosts, host))
        != NGX_OK)
    {
        return NGX_ERROR;
    }
    if (!endpoint->is_static && host == "localhost") {
        return add_static(pool, endpoint, {"127.0.0.1"});
    }
    return NGX_OK;
}

ngx_http_core_loc_conf_t *http_conf(ngx_conf_t *cf) noexcept {
    return static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
}

// The resolver of /etc/resolv.conf, made once.
ngx_int_t make_resolver(ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf) {
    auto text = read_file("/etc/resolv.conf");
    std::vector<ngx_str_t> servers;

    for (auto server : llm::resolv_nameservers(text)) {
        ngx_addr_t addr;
        auto view = to_ngx(server);
        // A scope ("fe80::1%eth0") is more than nginx understands.
        if (ngx_parse_addr(cf->pool, &addr, view.data, view.len) != NGX_OK) {
            continue;
        }
        auto *name = static_cast<u_char *>(
            ngx_pnalloc(cf->pool, NGX_SOCKADDR_STRLEN));
        if (name == nullptr) {
            return NGX_ERROR;
        }
        ngx_inet_set_port(addr.sockaddr, 53);
        auto len = ngx_sock_ntop(addr.sockaddr, addr.socklen, name,
                                 NGX_SOCKADDR_STRLEN, 1);
        servers.push_back({len, name});
    }

    if (servers.empty()) {
        return NGX_DECLINED;
    }
    mcf->resolver = ngx_resolver_create(cf, servers.data(), servers.size());
    return mcf->resolver ? NGX_OK : NGX_ERROR;
}

ngx_int_t find_resolver(ngx_conf_t *cf, ngx_http_llm_endpoint_t *endpoint) {
    auto *mcf = endpoint->mcf;
    if (!is_absent(endpoint->clcf->resolver) || !is_absent(mcf->resolver)) {
        return NGX_OK;
    }
    auto rc = make_resolver(cf, mcf);
    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "no \"resolver\" and no name server in "
                           "/etc/resolv.conf to look up \"%V\"",
                           &endpoint->host);
        return NGX_OK;
    }
    return rc;
}

void free_addresses(void *data) noexcept {
    auto *endpoint = static_cast<ngx_http_llm_endpoint_t *>(data);
    if (endpoint->addresses) {
        ngx_free(endpoint->addresses);
        endpoint->addresses = nullptr;
    }
    // A look-up that still runs ends with the resolver, which is of the same
    // pool: nobody is called.
}

// Of an endpoint that was made later than the resolver, and goes before it.
void destroy_endpoint(void *data) noexcept {
    auto *endpoint = static_cast<ngx_http_llm_endpoint_t *>(data);
    if (endpoint->lookup) {
        ngx_resolve_name_done(endpoint->lookup);
    }
    free_addresses(endpoint);
}

// Takes over what a look-up has found.
void adopt(ngx_http_llm_endpoint_t *endpoint,
           const ngx_resolver_ctx_t *lookup) noexcept {
    auto *addresses = static_cast<Address *>(
        ngx_alloc(lookup->naddrs * sizeof(Address), ngx_cycle->log));
    if (addresses == nullptr) {
        return;
    }
    for (ngx_uint_t i = 0; i < lookup->naddrs; i++) {
        set_address(&addresses[i], lookup->addrs[i].sockaddr,
                    lookup->addrs[i].socklen, endpoint->port);
    }

    if (endpoint->addresses) {
        ngx_free(endpoint->addresses);
    }
    endpoint->addresses = addresses;
    endpoint->count = lookup->naddrs;
    endpoint->preferred = ipv4_first(addresses, endpoint->count);
    endpoint->next = 0;
    endpoint->valid = ngx_max(lookup->valid, ngx_time() + 1);
}

void wake_waiters(ngx_http_llm_endpoint_t *endpoint) noexcept {
    // Who begins to wait from now on waits for another look-up.
    ngx_queue_t waiters;
    ngx_queue_init(&waiters);
    if (!ngx_queue_empty(&endpoint->waiters)) {
        ngx_queue_add(&waiters, &endpoint->waiters);
        ngx_queue_init(&endpoint->waiters);
    }

    while (!ngx_queue_empty(&waiters)) {
        auto *q = ngx_queue_head(&waiters);
        auto *waiter = ngx_queue_data(q, ngx_http_llm_waiter_t, queue);
        ngx_http_llm_endpoint_cancel(waiter);
        waiter->handler(waiter->data);
    }
}

void on_resolved(ngx_resolver_ctx_t *lookup) noexcept {
    auto *endpoint = static_cast<ngx_http_llm_endpoint_t *>(lookup->data);

    if (lookup->state == NGX_OK && lookup->naddrs != 0) {
        adopt(endpoint, lookup);
    } else {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "llm: \"%V\" could not be resolved (%i: %s)%s",
                      &endpoint->host, lookup->state,
                      ngx_resolver_strerror(lookup->state),
                      endpoint->count ? ", its old addresses stay in use" : "");
        endpoint->valid = ngx_time() + retry_time;
    }

    endpoint->lookup = nullptr;
    ngx_resolve_name_done(lookup);

    if (!endpoint->starting) {
        wake_waiters(endpoint);
    }
}

// Starts a look-up; it may be over when this returns. `background`: nobody
// waits, so that it does not keep a worker alive that is to leave.
void start_lookup(ngx_http_llm_endpoint_t *endpoint,
                  bool background) noexcept {
    auto *clcf = endpoint->clcf;
    bool configured = !is_absent(clcf->resolver);
    auto *resolver = configured ? clcf->resolver : endpoint->mcf->resolver;

    auto *lookup = is_absent(resolver)
                       ? static_cast<ngx_resolver_ctx_t *>(NGX_NO_RESOLVER)
                       : ngx_resolve_start(resolver, nullptr);
    if (lookup == nullptr || lookup == NGX_NO_RESOLVER) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "llm: no resolver to look up \"%V\"", &endpoint->host);
        endpoint->valid = ngx_time() + retry_time;
        return;
    }

    lookup->name = endpoint->host;
    lookup->handler = on_resolved;
    lookup->data = endpoint;
    lookup->timeout = configured
                              && clcf->resolver_timeout != NGX_CONF_UNSET_MSEC
                          ? clcf->resolver_timeout
                          : lookup_timeout;
    lookup->cancelable = background;

    endpoint->lookup = lookup;
    endpoint->starting = 1;
    if (ngx_resolve_name(lookup) != NGX_OK) {
        // It is freed already.
        endpoint->lookup = nullptr;
        endpoint->valid = ngx_time() + retry_time;
    }
    endpoint->starting = 0;
}

bool copy_name(ngx_pool_t *pool, std::string_view host, ngx_str_t *name) {
    auto view = to_ngx(host);
    name->len = view.len;
    name->data = static_cast<u_char *>(ngx_pnalloc(pool, view.len));
    if (name->data == nullptr) {
        return false;
    }
    ngx_strlow(name->data, view.data, view.len);
    return true;
}

ngx_http_llm_endpoint_t *make(ngx_pool_t *pool, const ngx_str_t &name,
                              in_port_t port, ngx_http_llm_main_conf_t *mcf,
                              ngx_http_core_loc_conf_t *clcf) {
    auto *endpoint = static_cast<ngx_http_llm_endpoint_t *>(
        ngx_pcalloc(pool, sizeof(ngx_http_llm_endpoint_t)));
    if (endpoint) {
        endpoint->host = name;
        endpoint->port = port;
        endpoint->mcf = mcf;
        endpoint->clcf = clcf;
        ngx_queue_init(&endpoint->waiters);
    }
    return endpoint;
}

}  // namespace

ngx_http_llm_endpoint_t *ngx_http_llm_endpoint(
    ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf, const ngx_str_t &host,
    in_port_t port) noexcept try {
    ngx_str_t name;
    if (!copy_name(cf->pool, to_view(host), &name)) {
        return nullptr;
    }

    auto **known = static_cast<ngx_http_llm_endpoint_t **>(mcf->endpoints.elts);
    for (ngx_uint_t i = 0; i < mcf->endpoints.nelts; i++) {
        if (known[i]->port == port && to_view(known[i]->host) == to_view(name))
        {
            return known[i];
        }
    }

    auto *endpoint = make(cf->pool, name, port, mcf, http_conf(cf));
    auto **slot = static_cast<ngx_http_llm_endpoint_t **>(
        ngx_array_push(&mcf->endpoints));
    if (endpoint == nullptr || slot == nullptr) {
        return nullptr;
    }
    *slot = endpoint;

    auto rc = find_static(cf->pool, endpoint);
    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid IPv6 address \"%V\"",
                           &endpoint->host);
    }
    if (rc != NGX_OK) {
        return nullptr;
    }
    if (endpoint->is_static) {
        return endpoint;
    }

    endpoint->addresses = nullptr;
    auto *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == nullptr || find_resolver(cf, endpoint) != NGX_OK) {
        return nullptr;
    }
    cleanup->handler = free_addresses;
    cleanup->data = endpoint;
    return endpoint;

} catch (const std::bad_alloc &) {
    return nullptr;
}

ngx_int_t ngx_http_llm_endpoints_later(ngx_conf_t *cf,
                                       ngx_http_llm_main_conf_t *mcf)
    noexcept try {
    if (!is_absent(http_conf(cf)->resolver) || !is_absent(mcf->resolver)) {
        return NGX_OK;
    }
    // Without any, only addresses will do, which most servers name.
    return make_resolver(cf, mcf) == NGX_ERROR ? NGX_ERROR : NGX_OK;

} catch (const std::bad_alloc &) {
    return NGX_ERROR;
}

ngx_http_llm_endpoint_t *ngx_http_llm_endpoint_create(
    ngx_pool_t *pool, ngx_http_llm_main_conf_t *mcf,
    ngx_http_core_loc_conf_t *clcf, std::string_view host, in_port_t port)
    noexcept try {
    ngx_str_t name;
    if (!copy_name(pool, host, &name)) {
        return nullptr;
    }
    auto *endpoint = make(pool, name, port, mcf, clcf);
    if (endpoint == nullptr || find_static(pool, endpoint) != NGX_OK) {
        return nullptr;
    }
    if (endpoint->is_static) {
        return endpoint;
    }

    endpoint->addresses = nullptr;
    auto *cleanup = ngx_pool_cleanup_add(pool, 0);
    if (cleanup == nullptr) {
        return nullptr;
    }
    cleanup->handler = destroy_endpoint;
    cleanup->data = endpoint;
    return endpoint;

} catch (const std::bad_alloc &) {
    return nullptr;
}

ngx_int_t ngx_http_llm_endpoint_resolve(ngx_http_llm_endpoint_t *endpoint,
                                        ngx_http_llm_waiter_t *waiter)
    noexcept {
    auto now = ngx_time();
    if (endpoint->is_static || now <= endpoint->valid) {
        return NGX_OK;
    }

    bool usable = endpoint->count != 0 && now <= endpoint->valid + stale_time;
    if (endpoint->lookup == nullptr) {
        start_lookup(endpoint, usable);
    }
    if (usable || endpoint->lookup == nullptr) {
        return NGX_OK;
    }

    if (auto *event = endpoint->lookup->event) {
        event->cancelable = 0;
    }
    waiter->waiting = 1;
    ngx_queue_insert_tail(&endpoint->waiters, &waiter->queue);
    return NGX_AGAIN;
}

void ngx_http_llm_endpoint_cancel(ngx_http_llm_waiter_t *waiter) noexcept {
    if (waiter->waiting) {
        waiter->waiting = 0;
        ngx_queue_remove(&waiter->queue);
    }
}

bool ngx_http_llm_endpoint_pick(ngx_http_llm_endpoint_t *endpoint,
                                ngx_pool_t *pool, struct sockaddr **sockaddr,
                                socklen_t *socklen, ngx_str_t **name) noexcept {
    if (endpoint->count == 0) {
        return false;
    }

    auto now = ngx_time();
    auto first = endpoint->next++ % endpoint->preferred;
    auto index = first;
    for (ngx_uint_t i = 0; i < endpoint->count; i++) {
        auto candidate = i < endpoint->preferred
                             ? (first + i) % endpoint->preferred
                             : i;
        if (endpoint->addresses[candidate].failed_until <= now) {
            index = candidate;
            break;
        }
    }

    // All of it, since the addresses may be replaced while the call runs.
    auto *copy = static_cast<Address *>(ngx_palloc(pool, sizeof(Address)));
    auto *text = static_cast<ngx_str_t *>(ngx_palloc(pool, sizeof(ngx_str_t)));
    if (copy == nullptr || text == nullptr) {
        return false;
    }
    *copy = endpoint->addresses[index];
    text->data = copy->name;
    text->len = copy->name_len;

    *sockaddr = &copy->sockaddr.sockaddr;
    *socklen = copy->socklen;
    *name = text;
    return true;
}

void ngx_http_llm_endpoint_failed(ngx_http_llm_endpoint_t *endpoint,
                                  const struct sockaddr *sockaddr,
                                  socklen_t socklen) noexcept {
    for (ngx_uint_t i = 0; i < endpoint->count; i++) {
        auto &address = endpoint->addresses[i];
        if (ngx_cmp_sockaddr(&address.sockaddr.sockaddr, address.socklen,
                             const_cast<struct sockaddr *>(sockaddr), socklen,
                             1)
            == NGX_OK)
        {
            address.failed_until = ngx_time() + fail_time;
            return;
        }
    }
}

ngx_uint_t ngx_http_llm_endpoint_addresses(
    const ngx_http_llm_endpoint_t *endpoint) noexcept {
    return endpoint->count;
}
