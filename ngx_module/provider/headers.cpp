#include "provider/conf.hpp"

#include <algorithm>

#include "block.hpp"
#include "credentials/credentials.hpp"
#include "secret.hpp"
#include "setter.hpp"

namespace provider {

namespace {

// Headers that the module or HTTP itself decides.
constexpr std::string_view reserved_headers[] = {
    "accept-encoding", "connection", "content-encoding", "content-length",
    "content-type",    "expect",     "host",             "keep-alive",
    "te",              "trailer",    "transfer-encoding", "upgrade",
};

bool may_be_set(ngx_conf_t *cf, ngx_str_t &header) noexcept {
    for (auto name : reserved_headers) {
        if (equal_nocase(header, to_ngx(name))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "header \"%V\" may not be set", &header);
            return false;
        }
    }
    return true;
}

char *compile(ngx_conf_t *cf, ngx_str_t *text,
              ngx_http_complex_value_t *value) noexcept {
    ngx_http_compile_complex_value_t ccv;
    ngx_memzero(&ccv, sizeof(ccv));
    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = value;
    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return conf_error();
    }
    if (value->lengths == nullptr
        && ngx_http_llm_has_control(to_view(value->value)))
    {
        return conf_error("has control characters in its value");
    }
    return NGX_CONF_OK;
}

ngx_http_complex_value_t *new_key(ngx_conf_t *cf, Conf *conf) noexcept {
    auto *key = static_cast<ngx_http_complex_value_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t)));
    conf->provider.api_key = key;
    return key;
}

using SecretReader = ngx_int_t(ngx_conf_t *, ngx_str_t *, ngx_str_t *)
                         noexcept;

char *set_secret(ngx_conf_t *cf, Conf *conf, SecretReader *read) {
    if (conf->provider.api_key) {
        return conf_error("is duplicate, the key is set already");
    }
    // A constant: "$" in a secret is no variable.
    auto *key = new_key(cf, conf);
    if (key == nullptr || read(cf, arguments(cf) + 1, &key->value) != NGX_OK) {
        return conf_error();
    }
    return NGX_CONF_OK;
}

}  // namespace

char *set_api_key(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    if (conf_of(conf)->provider.api_key) {
        return conf_error("is duplicate, the key is set already");
    }
    auto *text = arguments(cf) + 1;
    if (text->len == 0) {
        return conf_error("has an empty value");
    }
    auto *key = new_key(cf, conf_of(conf));
    return key ? compile(cf, text, key) : conf_error();
}

char *set_api_key_env(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    return set_secret(cf, conf_of(conf), ngx_http_llm_secret_env);
}

char *set_api_key_file(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    return set_secret(cf, conf_of(conf), ngx_http_llm_secret_file);
}

char *set_key_header(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *name = arguments(cf) + 1;
    if (!is_token(to_view(*name))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid header name \"%V\"",
                           name);
        return conf_error();
    }
    if (!may_be_set(cf, *name)) {
        return conf_error();
    }
    // As formats have it: in lower case.
    ngx_strlow(name->data, name->data, name->len);
    conf_of(conf)->provider.key_header = *name;
    return NGX_CONF_OK;
}

char *set_auth(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto &provider = conf_of(conf)->provider;
    provider.auth = ngx_http_llm_credentials_create(cf, provider.name,
                                                    provider.host);
    return provider.auth ? NGX_CONF_OK : conf_error();
}

bool is_token(std::string_view text) noexcept {
    return !text.empty()
           && std::all_of(text.begin(), text.end(), [](unsigned char c) {
                  return c > 0x20 && c < 0x7f
                         && std::string_view("\"(),/:;<=>?@[\\]{}").find(
                                static_cast<char>(c))
                                == std::string_view::npos;
              });
}

char *add_header(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *args = arguments(cf);
    auto &headers = conf_of(conf)->provider.headers;

    if (!is_token(to_view(args[1]))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid header name \"%V\"",
                           &args[1]);
        return conf_error();
    }
    if (!may_be_set(cf, args[1])) {
        return conf_error();
    }
    auto *known = static_cast<ngx_http_llm_header_t *>(headers.elts);
    for (ngx_uint_t i = 0; i < headers.nelts; i++) {
        if (equal_nocase(args[1], known[i].name)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate header \"%V\"", &args[1]);
            return conf_error();
        }
    }

    auto *header = static_cast<ngx_http_llm_header_t *>(
        ngx_array_push(&headers));
    if (header == nullptr) {
        return conf_error();
    }
    *header = {};
    header->name = args[1];
    return compile(cf, &args[2], &header->value);
}

ngx_int_t check_headers(ngx_conf_t *cf, const Conf *conf) {
    const auto &provider = conf->provider;
    if (provider.api_key && provider.auth) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"auth\" and an API key in llm_provider \"%V\" "
                           "exclude each other", &provider.name);
        return NGX_ERROR;
    }
    if (provider.api_key || provider.auth) {
        ngx_str_t key_header = ngx_string("authorization");
        if (provider.api_key) {
            key_header = provider.key_header.len
                             ? provider.key_header
                             : to_ngx(provider.format->key_header());
        }
        auto *headers = static_cast<ngx_http_llm_header_t *>(
            provider.headers.elts);
        for (ngx_uint_t i = 0; i < provider.headers.nelts; i++) {
            if (equal_nocase(headers[i].name, key_header)) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "header \"%V\" and %s in llm_provider "
                                   "\"%V\" exclude each other",
                                   &headers[i].name,
                                   provider.auth ? "\"auth\"" : "an API key",
                                   &provider.name);
                return NGX_ERROR;
            }
        }
    }
    return NGX_OK;
}

}  // namespace provider
