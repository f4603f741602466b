// TLS to a provider, or to Redis, as nginx's proxy module sets it up, but
// verified by default and against the system's certificates.
#pragma once

#include "ngx_http_llm.hpp"

// The directives of a block that begin with "ssl_", but for "ssl_name" and the
// flags.
struct ngx_http_llm_provider_ssl_t {
    ngx_uint_t protocols;
    ngx_str_t ciphers;
    ngx_uint_t verify_depth;
    ngx_str_t trusted_certificate;  // empty: the system's
    ngx_str_t certificate;          // of the client, may be empty
    ngx_str_t certificate_key;
};

// For "ssl_protocols", a member of that.
extern ngx_conf_bitmask_t ngx_http_llm_ssl_protocols[];
// For "ssl_name", a ngx_str_t at the directive's offset.
char *ngx_http_llm_ssl_set_name(ngx_conf_t *cf, ngx_command_t *cmd,
                                void *conf) noexcept;

// Nothing is set yet; fills in what the block did not say.
void ngx_http_llm_ssl_unset(ngx_http_llm_provider_ssl_t *conf) noexcept;
void ngx_http_llm_ssl_complete(ngx_http_llm_provider_ssl_t *conf) noexcept;

#if (NGX_HTTP_SSL)
// A context of its own, for whoever is a TLS client: freed with the
// configuration. `shared`: a context that trusts the same certificates, whose
// store is used again; NULL: none. NULL: an error, which is logged.
ngx_ssl_t *ngx_http_llm_ssl_context(ngx_conf_t *cf,
                                    ngx_http_llm_provider_ssl_t *conf,
                                    bool verify, bool reuse_sessions,
                                    const ngx_ssl_t *shared) noexcept;
#endif

// Makes provider->upstream.ssl. `shared`: a provider that trusts the same
// certificates and is set up already, whose store is used again (the system's
// bundle is some megabytes in memory); NULL: none. Errors are logged.
ngx_int_t ngx_http_llm_provider_ssl(ngx_conf_t *cf,
                                    ngx_http_llm_provider_t *provider,
                                    ngx_http_llm_provider_ssl_t *ssl,
                                    const ngx_http_llm_provider_t *shared)
    noexcept;

// What the block of a provider says.
const ngx_http_llm_provider_ssl_t *ngx_http_llm_provider_ssl_conf(
    const ngx_http_llm_provider_t *provider) noexcept;

// The file with the authorities that this system trusts; NULL: in none of the
// known places.
const char *ngx_http_llm_system_bundle() noexcept;
