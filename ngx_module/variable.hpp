// What the files that have variables share.
#pragma once

#include "ngx.hpp"

inline ngx_int_t ngx_http_llm_add_variable(
    ngx_conf_t *cf, std::string_view name, ngx_http_get_variable_pt get,
    uintptr_t data = 0,
    ngx_uint_t flags = NGX_HTTP_VAR_NOCACHEABLE) noexcept {
    ngx_str_t text = to_ngx(name);
    auto *variable = ngx_http_add_variable(cf, &text, flags);
    if (variable == nullptr) {
        return NGX_ERROR;
    }
    variable->get_handler = get;
    variable->data = data;
    return NGX_OK;
}

// `text` must live as long as the request does.
inline void ngx_http_llm_set_variable(ngx_http_variable_value_t *v,
                                      std::string_view text) noexcept {
    v->data = to_ngx(text).data;
    v->len = static_cast<unsigned>(text.size());
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
}

// The same of a text that is nothing where it is empty.
inline ngx_int_t ngx_http_llm_set_found(ngx_http_variable_value_t *v,
                                        std::string_view text) noexcept {
    if (text.empty()) {
        v->not_found = 1;
    } else {
        ngx_http_llm_set_variable(v, text);
    }
    return NGX_OK;
}
