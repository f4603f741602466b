#include "account/variables.hpp"

#include <new>
#include <string>

#include "account/cost.hpp"
#include "cache/request.hpp"
#include "variable.hpp"

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
    view.data = ngx_pstrdup(r->pool, &view);
    if (view.data == nullptr) {
        return NGX_ERROR;
    }
    ngx_http_llm_set_variable(v, to_view(view));
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
        auto data = reinterpret_cast<uintptr_t>(variable.cost);
        if (ngx_http_llm_add_variable(cf, variable.name, get_dollars, data)
            != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}
