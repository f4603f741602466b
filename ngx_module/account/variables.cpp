#include "account/variables.hpp"

#include <new>
#include <string>

#include "account/cost.hpp"
#include "cache/request.hpp"

namespace {

using Cost = std::optional<std::int64_t> (*)(ngx_http_llm_ctx_t &ctx);

std::optional<std::int64_t> paid(ngx_http_llm_ctx_t &ctx) {
    return ngx_http_llm_cost(ctx);
}

std::optional<std::int64_t> saved(ngx_http_llm_ctx_t &ctx) {
    if (!ngx_http_llm_cache_is_hit(ctx) || !ngx_http_llm_cost(ctx)) {
        return std::nullopt;
    }
    return ctx.cache->saved_nanodollars;
}

ngx_int_t get_dollars(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                      uintptr_t data) noexcept try {
    auto ctx = ngx_http_llm_find_ctx(r);
    std::optional<std::int64_t> nanodollars;
    if (ctx) {
        nanodollars = reinterpret_cast<Cost>(data)(*ctx);
    }
    if (!nanodollars) {
        v->not_found = 1;
        return NGX_OK;
    }

    std::string text;
    llm::price::append_dollars(text, *nanodollars);
    ngx_str_t view = to_ngx(text);
    v->data = ngx_pstrdup(r->pool, &view);
    if (v->data == nullptr) {
        return NGX_ERROR;
    }
    v->len = static_cast<unsigned>(text.size());
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    return NGX_OK;

} catch (const std::bad_alloc &) {
    return NGX_ERROR;
}

struct Variable {
    std::string_view name;
    Cost cost;
};

constexpr Variable variables[] = {
    {"llm_cost", paid},
    {"llm_cache_saved_cost", saved},
};

}  // namespace

ngx_int_t ngx_http_llm_account_add_variables(ngx_conf_t *cf) noexcept {
    for (const auto &variable : variables) {
        ngx_str_t name = to_ngx(variable.name);
        auto var = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
        if (var == nullptr) {
            return NGX_ERROR;
        }
        var->get_handler = get_dollars;
        var->data = reinterpret_cast<uintptr_t>(variable.cost);
    }
    return NGX_OK;
}
