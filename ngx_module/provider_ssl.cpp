#include "provider_ssl.hpp"

#include "block.hpp"
#include "setter.hpp"

namespace {

// Where systems keep the certificates that they trust.
constexpr const char *bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",   // Debian, Ubuntu, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",     // Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",               // SUSE
    "/etc/ssl/cert.pem",                    // the BSDs, macOS
};

}  // namespace

const char *ngx_http_llm_system_bundle() noexcept {
    for (const auto *path : bundles) {
        if (access(path, R_OK) == 0) {
            return path;
        }
    }
    return nullptr;
}

ngx_conf_bitmask_t ngx_http_llm_ssl_protocols[] = {
    {ngx_string("TLSv1"), NGX_SSL_TLSv1},
    {ngx_string("TLSv1.1"), NGX_SSL_TLSv1_1},
    {ngx_string("TLSv1.2"), NGX_SSL_TLSv1_2},
    {ngx_string("TLSv1.3"), NGX_SSL_TLSv1_3},
    {ngx_null_string, 0},
};

char *ngx_http_llm_ssl_set_name(ngx_conf_t *cf, ngx_command_t *cmd,
                                void *conf) noexcept {
    auto *name = arguments(cf) + 1;
    auto text = to_view(*name);
    if (text.empty() || text.find_first_of("$:/ ") != text.npos
        || ngx_http_llm_has_control(text))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid host name \"%V\"",
                           name);
        return conf_error();
    }
    *reinterpret_cast<ngx_str_t *>(static_cast<char *>(conf) + cmd->offset)
        = *name;
    return NGX_CONF_OK;
}

void ngx_http_llm_ssl_unset(ngx_http_llm_provider_ssl_t *conf) noexcept {
    // Zero is right for all else.
    conf->verify_depth = NGX_CONF_UNSET_UINT;
}

void ngx_http_llm_ssl_complete(ngx_http_llm_provider_ssl_t *conf) noexcept {
    ngx_conf_init_uint_value(conf->verify_depth, 4);
    if (conf->protocols == 0) {
        conf->protocols = NGX_SSL_TLSv1_2 | NGX_SSL_TLSv1_3;
    }
    if (conf->ciphers.len == 0) {
        ngx_str_set(&conf->ciphers, "DEFAULT");
    }
}

#if (NGX_HTTP_SSL)

namespace {

ngx_int_t trust(ngx_conf_t *cf, ngx_ssl_t *ssl,
                ngx_http_llm_provider_ssl_t *conf,
                const ngx_ssl_t *shared) noexcept {
    ngx_str_t file = conf->trusted_certificate;

    if (shared) {
        SSL_CTX_set1_cert_store(ssl->ctx,
                                SSL_CTX_get_cert_store(shared->ctx));
        ngx_str_null(&file);

    } else if (file.len == 0) {
        if (const auto *path = ngx_http_llm_system_bundle()) {
            file = to_ngx(path);
        } else if (SSL_CTX_set_default_verify_paths(ssl->ctx) == 0) {
            ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0,
                          const_cast<char *>("SSL_CTX_set_default_verify_"
                                             "paths() failed"));
            return NGX_ERROR;
        }
    }

    // Without a file it still sets the depth and how failures are reported.
    return ngx_ssl_trusted_certificate(
        cf, ssl, &file, static_cast<ngx_int_t>(conf->verify_depth));
}

}  // namespace

ngx_ssl_t *ngx_http_llm_ssl_context(ngx_conf_t *cf,
                                    ngx_http_llm_provider_ssl_t *conf,
                                    bool verify, bool reuse_sessions,
                                    const ngx_ssl_t *shared) noexcept {
    auto *ssl = static_cast<ngx_ssl_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t)));
    if (ssl == nullptr) {
        return nullptr;
    }
    ssl->log = cf->log;

    if (ngx_ssl_create(ssl, conf->protocols, nullptr) != NGX_OK) {
        return nullptr;
    }

    auto *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == nullptr) {
        ngx_ssl_cleanup_ctx(ssl);
        return nullptr;
    }
    cleanup->handler = ngx_ssl_cleanup_ctx;
    cleanup->data = ssl;

    if (ngx_ssl_ciphers(cf, ssl, &conf->ciphers, 0) != NGX_OK) {
        return nullptr;
    }

    if (conf->certificate.len != 0
        && ngx_ssl_certificate(cf, ssl, &conf->certificate,
                               &conf->certificate_key, nullptr)
               != NGX_OK)
    {
        return nullptr;
    }

    if (verify && trust(cf, ssl, conf, shared) != NGX_OK) {
        return nullptr;
    }

    if (ngx_ssl_client_session_cache(cf, ssl, reuse_sessions) != NGX_OK) {
        return nullptr;
    }
    return ssl;
}

ngx_int_t ngx_http_llm_provider_ssl(ngx_conf_t *cf,
                                    ngx_http_llm_provider_t *provider,
                                    ngx_http_llm_provider_ssl_t *conf,
                                    const ngx_http_llm_provider_t *shared)
    noexcept {
    auto &upstream = provider->upstream;
    upstream.ssl = ngx_http_llm_ssl_context(
        cf, conf, upstream.ssl_verify, upstream.ssl_session_reuse,
        shared ? shared->upstream.ssl : nullptr);
    return upstream.ssl ? NGX_OK : NGX_ERROR;
}

#else

ngx_int_t ngx_http_llm_provider_ssl(ngx_conf_t *cf,
                                    ngx_http_llm_provider_t *provider,
                                    ngx_http_llm_provider_ssl_t *,
                                    const ngx_http_llm_provider_t *) noexcept {
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "https of llm_provider \"%V\" needs an nginx with SSL, in "
                  "%s:%ui", &provider->name, provider->file, provider->line);
    return NGX_ERROR;
}

#endif
