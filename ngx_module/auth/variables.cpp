// $llm_auth_status, $llm_consumer_group, $llm_key_NAME: what is known of the key
// that was let in.
#include "auth/auth.hpp"

#include "variable.hpp"

namespace {

ngx_int_t get_group(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                    uintptr_t) noexcept {
    const llm::Consumer *consumer = ngx_http_llm_auth_consumer(r);
    return ngx_http_llm_set_found(
        v, consumer ? consumer->group : std::string_view());
}

ngx_int_t get_status(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                     uintptr_t) noexcept {
    const ngx_http_llm_ctx_t *ctx = ngx_http_llm_find_ctx(r);
    return ngx_http_llm_set_found(
        v, ctx ? ctx->auth.status : std::string_view());
}

// $llm_key_rate, $llm_key_rate_ZONE; $llm_key_NAME is its meta.NAME.
ngx_int_t get_key(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                  uintptr_t data) noexcept {
    constexpr std::string_view rate = "rate";
    constexpr std::string_view rate_of = "rate_";

    const llm::Consumer *consumer = ngx_http_llm_auth_consumer(r);
    if (consumer == nullptr) {
        return ngx_http_llm_set_found(v, {});
    }
    std::string_view name = to_view(*reinterpret_cast<ngx_str_t *>(data));
    name.remove_prefix(sizeof("llm_key_") - 1);
    if (name == rate) {
        return ngx_http_llm_set_found(v, consumer->rate_of({}));
    }
    if (name.starts_with(rate_of)) {
        return ngx_http_llm_set_found(
            v, consumer->rate_of(name.substr(rate_of.size())));
    }
    return ngx_http_llm_set_found(v, consumer->meta(name));
}

}  // namespace

ngx_int_t ngx_http_llm_auth_add_variables(ngx_conf_t *cf) noexcept {
    const struct {
        std::string_view name;
        ngx_uint_t flags;
        ngx_http_get_variable_pt get;
    } variables[] = {
        {"llm_auth_status", NGX_HTTP_VAR_NOCACHEABLE, get_status},
        {"llm_consumer_group", NGX_HTTP_VAR_NOCACHEABLE, get_group},
        {"llm_key_", NGX_HTTP_VAR_NOCACHEABLE | NGX_HTTP_VAR_PREFIX, get_key},
    };
    for (const auto &variable : variables) {
        if (ngx_http_llm_add_variable(cf, variable.name, variable.get, 0,
                                      variable.flags)
            != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}
