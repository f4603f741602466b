// What the client and the operator see of limits.
#include "limit/request.hpp"

#include <new>

#include "answer.hpp"
#include "llm/limit_headers.hpp"
#include "variable.hpp"

namespace {

using LimitCtx = ngx_http_llm_limit_ctx_t;
using Status = ngx_http_llm_limit_status_t;

std::vector<llm::limit::Held> held_of(const LimitCtx &limit) {
    std::vector<llm::limit::Held> held;
    held.reserve(limit.held.size());
    for (const auto &one : limit.held) {
        if (one.decided && !one.watched) {
            held.push_back({to_view(one.zone->name), one.zone->spec.count,
                            one.limit, one.decision});
        }
    }
    return held;
}

// In the request's pool; no data: no memory.
std::string_view copy(ngx_http_request_t *r, std::string_view text) noexcept {
    auto p = static_cast<u_char *>(ngx_pnalloc(r->pool, text.size()));
    if (p == nullptr) {
        return {};
    }
    ngx_memcpy(p, text.data(), text.size());
    return {reinterpret_cast<char *>(p), text.size()};
}

// Variables.

using Getter = std::string_view (*)(ngx_http_request_t *r,
                                    const LimitCtx &limit);

// As $limit_req_status.
std::string_view status(ngx_http_request_t *, const LimitCtx &limit) {
    switch (limit.status) {
    case Status::passed:
        return "PASSED";
    case Status::delayed:
        return "DELAYED";
    case Status::rejected:
        return "REJECTED";
    case Status::delayed_dry_run:
        return "DELAYED_DRY_RUN";
    case Status::rejected_dry_run:
        return "REJECTED_DRY_RUN";
    case Status::none:
        break;
    }
    return {};
}

std::string_view zone(ngx_http_request_t *, const LimitCtx &limit) {
    return limit.refused_by ? to_view(limit.refused_by->name)
                            : std::string_view();
}

std::string_view remaining(ngx_http_request_t *r, const LimitCtx &limit) {
    auto held = held_of(limit);
    auto tightest = llm::limit::tightest(held);
    return tightest ? copy(r, std::to_string(tightest->decision.remaining))
                    : std::string_view();
}

// By the tightest limit; nothing for a request that was refused.
std::string_view reserved(ngx_http_request_t *r, const LimitCtx &limit) {
    if (limit.status != Status::passed && limit.status != Status::delayed) {
        return {};
    }
    auto held = held_of(limit);
    auto tightest = llm::limit::tightest(held);
    for (const auto &one : limit.held) {
        if (tightest && to_view(one.zone->name) == tightest->name) {
            return copy(r, std::to_string(one.amount));
        }
    }
    return {};
}

struct Variable {
    std::string_view name;
    Getter get;
};

constexpr Variable variables[] = {
    {"llm_limit_status", status},
    {"llm_limit_zone", zone},
    {"llm_limit_remaining", remaining},
    {"llm_limit_reserved", reserved},
};

ngx_int_t get_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                       uintptr_t data) noexcept try {
    auto ctx = ngx_http_llm_find_ctx(r);
    std::string_view value;
    if (ctx && ctx->limit && ctx->limit->status != Status::none) {
        value = variables[data].get(r, *ctx->limit);
    }
    return ngx_http_llm_set_found(v, value);

} catch (const std::bad_alloc &) {
    return NGX_ERROR;
}

}  // namespace

ngx_int_t ngx_http_llm_limit_answer_headers(
    ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx) noexcept try {
    if (!ctx->limit || ctx->limit->headers_added
        || ctx->limit->status == Status::none || ctx->limit->conf->dry_run
        || ctx->limit->no_redis) {
        return NGX_OK;
    }
    LimitCtx &limit = *ctx->limit;
    limit.headers_added = true;

    llm::limit::HeaderOptions options;
    options.openai =
        limit.conf->headers == NGX_HTTP_LLM_LIMIT_HEADERS_OPENAI;
    options.ietf = limit.conf->headers == NGX_HTTP_LLM_LIMIT_HEADERS_DRAFT;

    auto held = held_of(limit);
    for (const auto &field : llm::limit::limit_headers(held, options)) {
        // What a server behind says of its own limits is not the client's.
        ngx_http_llm_each_answer_header(
            r, field.name, [](ngx_table_elt_t &header) { header.hash = 0; });
        std::string_view value = copy(r, field.value);
        if (value.data() == nullptr
            || ngx_http_llm_add_header(r, field.name, value) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;

} catch (const std::bad_alloc &) {
    return NGX_ERROR;
}

ngx_int_t ngx_http_llm_limit_add_variables(ngx_conf_t *cf) noexcept {
    for (size_t i = 0; i < std::size(variables); ++i) {
        if (ngx_http_llm_add_variable(cf, variables[i].name, get_variable, i)
            != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}
