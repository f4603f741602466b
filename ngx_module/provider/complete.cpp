#include "provider/conf.hpp"

#include <new>

#include "setter.hpp"

namespace provider {

Conf *create(ngx_conf_t *cf, const ngx_str_t &name) {
    auto *memory = ngx_palloc(cf->pool, sizeof(Conf));
    if (memory == nullptr) {
        return nullptr;
    }
    auto *conf = new (memory) Conf{};
    auto &provider = conf->provider;
    auto &upstream = provider.upstream;

    if (ngx_array_init(&provider.headers, cf->pool, 2,
                       sizeof(ngx_http_llm_header_t))
            != NGX_OK
        || ngx_array_init(&conf->members, cf->pool, 4,
                          sizeof(llm::MemberRule))
               != NGX_OK
        || ngx_array_init(&provider.also, cf->pool, 2,
                          sizeof(ngx_http_llm_also_t))
               != NGX_OK)
    {
        return nullptr;
    }

    provider.name = name;
    provider.file = cf->conf_file->file.name.data;
    provider.line = cf->conf_file->line;
    provider.keepalive = NGX_CONF_UNSET_UINT;
    provider.keepalive_timeout = NGX_CONF_UNSET_MSEC;

    upstream.connect_timeout = NGX_CONF_UNSET_MSEC;
    upstream.send_timeout = NGX_CONF_UNSET_MSEC;
    upstream.read_timeout = NGX_CONF_UNSET_MSEC;
    upstream.buffer_size = NGX_CONF_UNSET_SIZE;

    // Zero is right for all else: no buffering, no temporary files, no store,
    // no cache, no header of the answer to hide or to pass, no local address,
    // and a client that goes away takes its call along. How often and where
    // to try again, the pool says by peer.tries: nginx is told that anything
    // may be tried again, a POST included.
    upstream.next_upstream = NGX_HTTP_UPSTREAM_FT_ERROR
                             | NGX_HTTP_UPSTREAM_FT_TIMEOUT
                             | NGX_HTTP_UPSTREAM_FT_INVALID_HEADER
                             | NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT;
    upstream.request_buffering = 1;
    upstream.pass_request_headers = 1;
    upstream.pass_request_body = 1;
    upstream.socket_keepalive = 1;
    ngx_str_set(&upstream.module, "llm");

#if (NGX_HTTP_SSL)
    upstream.ssl_verify = NGX_CONF_UNSET;
    upstream.ssl_server_name = NGX_CONF_UNSET;
    upstream.ssl_session_reuse = NGX_CONF_UNSET;
#endif
    ngx_http_llm_ssl_unset(&conf->ssl);
    unset_quirks(conf);
    return conf;
}

char *complete(ngx_conf_t *cf, Conf *conf) {
    if (use_preset(cf, conf) != NGX_OK || complete_quirks(cf, conf) != NGX_OK
        || complete_apis(cf, conf) != NGX_OK
        || check_headers(cf, conf) != NGX_OK)
    {
        return conf_error();
    }

    auto &provider = conf->provider;
    auto &upstream = provider.upstream;
    ngx_conf_init_msec_value(upstream.connect_timeout, 10000);
    ngx_conf_init_msec_value(upstream.send_timeout, 60000);
    ngx_conf_init_msec_value(upstream.read_timeout, 300000);
    ngx_conf_init_size_value(upstream.buffer_size, 8192);
    ngx_conf_init_uint_value(provider.keepalive, 32);
    ngx_conf_init_msec_value(provider.keepalive_timeout, 60000);

#if (NGX_HTTP_SSL)
    ngx_conf_init_value(upstream.ssl_verify, 1);
    ngx_conf_init_value(upstream.ssl_server_name, 1);
    ngx_conf_init_value(upstream.ssl_session_reuse, 1);
    ngx_http_llm_ssl_complete(&conf->ssl);
    if ((conf->ssl.certificate.len == 0)
        != (conf->ssl.certificate_key.len == 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ssl_certificate\" and \"ssl_certificate_key\" "
                           "of llm_provider \"%V\" need each other",
                           &provider.name);
        return conf_error();
    }

    provider.ssl_name.value = conf->ssl_name.len ? conf->ssl_name
                                                 : provider.host;
    upstream.ssl_name = &provider.ssl_name;

    // nginx compares names only, never the addresses in a certificate.
    auto host = provider.ssl_name.value;
    if (provider.ssl && upstream.ssl_verify
        && (ngx_inet_addr(host.data, host.len) != INADDR_NONE
            || ngx_strlchr(host.data, host.data + host.len, ':')))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the certificate of address \"%V\" cannot be "
                           "verified without \"ssl_name\"", &host);
    }
#endif

    return NGX_CONF_OK;
}

}  // namespace provider
