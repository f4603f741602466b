#include "provider_ssl.hpp"

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
