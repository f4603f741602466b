// llm_provider NAME { ... }
#include "ngx_http_llm.hpp"

#include "block.hpp"
#include "credentials/credentials.hpp"
#include "endpoint.hpp"
#include "provider/conf.hpp"
#include "setter.hpp"

using namespace provider;

namespace {

constexpr const char *block_name = "llm_provider";

// The upstream {} that a host names. nullptr with NGX_OK: none.
ngx_int_t find_group(ngx_conf_t *cf, Conf *conf) noexcept {
    auto &provider = conf->provider;
    auto *umcf = static_cast<ngx_http_upstream_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module));
    auto **groups = static_cast<ngx_http_upstream_srv_conf_t **>(
        umcf->upstreams.elts);

    for (ngx_uint_t i = 0; i < umcf->upstreams.nelts; i++) {
        // Others are made by proxy_pass and the like for a plain host.
        if (groups[i]->srv_conf == nullptr
            || !equal_nocase(groups[i]->host, provider.host))
        {
            continue;
        }
        if (conf->explicit_port) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "upstream \"%V\" may not have port %d in %s:%ui",
                          &provider.host, static_cast<int>(provider.port),
                          provider.file, provider.line);
            return NGX_ERROR;
        }
        provider.group = groups[i];
        return NGX_OK;
    }
    return NGX_OK;
}

// A provider before `last` that trusts the same certificates.
ngx_http_llm_provider_t *same_trust(ngx_http_llm_main_conf_t *mcf,
                                    ngx_uint_t last) noexcept {
    auto **providers = static_cast<ngx_http_llm_provider_t **>(
        mcf->providers.elts);
    const auto &wanted = conf_of(providers[last])->ssl.trusted_certificate;
    for (ngx_uint_t i = 0; i < last; i++) {
        const auto &known = conf_of(providers[i])->ssl.trusted_certificate;
        if (providers[i]->upstream.ssl && providers[i]->upstream.ssl_verify
            && to_view(known) == to_view(wanted))
        {
            return providers[i];
        }
    }
    return nullptr;
}

}  // namespace

char *ngx_http_llm_provider_block(ngx_conf_t *cf, ngx_command_t *,
                                  void *data) {
    auto *mcf = static_cast<ngx_http_llm_main_conf_t *>(data);
    auto *name = arguments(cf) + 1;

    if (ngx_http_llm_check_name(cf, block_name, name) != NGX_OK) {
        return conf_error();
    }
    if (ngx_http_llm_find_provider(mcf, to_view(*name))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate llm_provider \"%V\"", name);
        return conf_error();
    }
    if (ngx_http_llm_find_pool(mcf, to_view(*name))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "llm_provider \"%V\" has the name of an "
                           "llm_upstream", name);
        return conf_error();
    }

    auto *conf = create(cf, *name);
    auto **slot = static_cast<ngx_http_llm_provider_t **>(
        ngx_array_push(&mcf->providers));
    if (conf == nullptr || slot == nullptr) {
        return conf_error();
    }
    *slot = &conf->provider;

    auto *reason = ngx_http_llm_parse_block(cf, block_name, directives, conf);
    return reason == NGX_CONF_OK ? complete(cf, conf) : reason;
}

ngx_http_llm_provider_t *ngx_http_llm_find_provider(
    ngx_http_llm_main_conf_t *mcf, std::string_view name) {
    auto **providers = static_cast<ngx_http_llm_provider_t **>(
        mcf->providers.elts);
    for (ngx_uint_t i = 0; i < mcf->providers.nelts; i++) {
        if (to_view(providers[i]->name) == name) {
            return providers[i];
        }
    }
    return nullptr;
}

ngx_http_llm_also_t ngx_http_llm_provider_speaks(
    const ngx_http_llm_provider_t *provider,
    const llm::Format *client) noexcept {
    auto *also = static_cast<ngx_http_llm_also_t *>(provider->also.elts);
    for (ngx_uint_t i = 0; i < provider->also.nelts; i++) {
        if (also[i].format == client) {
            // Without a path of its own: that of the URL.
            return {client,
                    also[i].path.data ? also[i].path : provider->path};
        }
    }
    return {provider->format, provider->path};
}

const llm::embedding::Api *ngx_http_llm_provider_embeddings(
    const ngx_http_llm_provider_t *provider,
    const llm::embedding::Api *client) noexcept {
    auto *also = static_cast<ngx_http_llm_also_t *>(provider->also.elts);
    for (ngx_uint_t i = 0; client && i < provider->also.nelts; i++) {
        if (also[i].format->name() == client->name()) {
            return client;
        }
    }
    return provider->embeddings;
}

const ngx_http_llm_provider_ssl_t *ngx_http_llm_provider_ssl_conf(
    const ngx_http_llm_provider_t *provider) noexcept {
    return &reinterpret_cast<const Conf *>(provider)->ssl;
}

char *ngx_http_llm_providers_init(ngx_conf_t *cf,
                                  ngx_http_llm_main_conf_t *mcf) {
    auto **providers = static_cast<ngx_http_llm_provider_t **>(
        mcf->providers.elts);

    for (ngx_uint_t i = 0; i < mcf->providers.nelts; i++) {
        auto *provider = providers[i];
        auto *conf = conf_of(provider);

        if (find_group(cf, conf) != NGX_OK) {
            return conf_error();
        }
        if (provider->group == nullptr) {
            provider->endpoint = ngx_http_llm_endpoint(
                cf, mcf, provider->host, provider->port);
            if (provider->endpoint == nullptr) {
                return conf_error();
            }
        }
        if (provider->auth
            && ngx_http_llm_credentials_init(cf, mcf, provider->auth)
                   != NGX_OK)
        {
            return conf_error();
        }

        if (provider->ssl
            && ngx_http_llm_provider_ssl(cf, provider, &conf->ssl,
                                         same_trust(mcf, i))
                   != NGX_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "invalid TLS settings of llm_provider \"%V\" in "
                          "%s:%ui", &provider->name, provider->file,
                          provider->line);
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}

ngx_int_t ngx_http_llm_providers_start(ngx_http_llm_main_conf_t *mcf)
    noexcept {
    auto **providers = static_cast<ngx_http_llm_provider_t **>(
        mcf->providers.elts);
    for (ngx_uint_t i = 0; i < mcf->providers.nelts; i++) {
        // Before there are requests: libcurl's own start takes some time.
        if (providers[i]->auth && !providers[i]->auth->servers.empty()) {
            return ngx_http_llm_side_start();
        }
    }
    return NGX_OK;
}

void ngx_http_llm_providers_stop(ngx_http_llm_main_conf_t *mcf) noexcept {
    auto **providers = static_cast<ngx_http_llm_provider_t **>(
        mcf->providers.elts);
    for (ngx_uint_t i = 0; i < mcf->providers.nelts; i++) {
        if (providers[i]->auth) {
            ngx_http_llm_credentials_stop(providers[i]->auth);
        }
    }
}
