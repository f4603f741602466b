// What the client and the operator see of the cache.
#include "cache/request.hpp"

#include "answer.hpp"
#include "variable.hpp"

namespace {

using Cache = ngx_http_llm_cache_ctx_t;
using MatchKind = ngx_http_llm_cache_match_t;
using Status = ngx_http_llm_cache_status_t;

// In the request's pool; empty: no memory.
std::string_view hex_of(ngx_http_request_t *r,
                        const llm::cache::ZoneKey &key) noexcept {
    auto start = static_cast<u_char *>(ngx_pnalloc(r->pool, 2 * key.size()));
    if (start == nullptr) {
        return {};
    }
    u_char *end = ngx_hex_dump(start, const_cast<u_char *>(key.data()),
                               key.size());
    return {reinterpret_cast<char *>(start), static_cast<size_t>(end - start)};
}

std::string_view number(ngx_http_request_t *r, const char *format,
                        auto value) noexcept {
    auto start =
        static_cast<u_char *>(ngx_pnalloc(r->pool, NGX_INT64_LEN + 8));
    if (start == nullptr) {
        return {};
    }
    u_char *end = ngx_sprintf(start, format, value);
    return {reinterpret_cast<char *>(start), static_cast<size_t>(end - start)};
}

// Variables.

using Getter = std::string_view (*)(ngx_http_request_t *r, const Cache &);

std::string_view status(ngx_http_request_t *, const Cache &cache) {
    return ngx_http_llm_cache_word(cache.status);
}

std::string_view match(ngx_http_request_t *, const Cache &cache) {
    switch (cache.match) {
    case MatchKind::exact:
        return "exact";
    case MatchKind::semantic:
        return "semantic";
    case MatchKind::none:
        break;
    }
    return {};
}

// Of a call that could not be read there is no key.
bool has_key(const Cache &cache) {
    return cache.entry != llm::cache::ZoneKey();
}

std::string_view key(ngx_http_request_t *r, const Cache &cache) {
    return has_key(cache) ? hex_of(r, cache.entry) : std::string_view();
}

std::string_view partition(ngx_http_request_t *r, const Cache &cache) {
    return has_key(cache) ? hex_of(r, cache.partition) : std::string_view();
}

// Of a hit what was found, else what came nearest.
std::string_view similarity(ngx_http_request_t *r, const Cache &cache) {
    double value = cache.similarity >= 0 ? cache.similarity : cache.nearest;
    return value >= 0 ? number(r, "%.4f", value) : std::string_view();
}

std::string_view age(ngx_http_request_t *r, const Cache &cache) {
    return cache.age >= 0 ? number(r, "%L", cache.age) : std::string_view();
}

std::string_view ttl(ngx_http_request_t *r, const Cache &cache) {
    return cache.ttl >= 0 ? number(r, "%L", cache.ttl) : std::string_view();
}

std::string_view zone(ngx_http_request_t *, const Cache &cache) {
    return to_view(cache.zone->name);
}

// Why the call was not answered by meaning.
std::string_view refused(ngx_http_request_t *, const Cache &cache) {
    if (cache.match != MatchKind::none) {
        return {};
    }
    if (cache.difference != llm::cache::Difference::none) {
        return llm::cache::to_string(cache.difference);
    }
    if (cache.lesson) {
        return "learning";
    }
    return cache.key.obstacle == llm::cache::Obstacle::none
               ? std::string_view()
               : llm::cache::to_string(cache.key.obstacle);
}

std::string_view not_stored(ngx_http_request_t *, const Cache &cache) {
    return cache.not_stored;
}

std::string_view saved(ngx_http_request_t *r, const Cache &cache) {
    return cache.status == Status::hit
               ? number(r, "%L",
                        cache.saved_prompt_tokens
                            + cache.saved_completion_tokens)
               : std::string_view();
}

struct Variable {
    std::string_view name;
    Getter get;
};

constexpr Variable variables[] = {
    {"llm_cache_status", status},
    {"llm_cache_match", match},
    {"llm_cache_key", key},
    {"llm_cache_partition", partition},
    {"llm_cache_similarity", similarity},
    {"llm_cache_age", age},
    {"llm_cache_ttl", ttl},
    {"llm_cache_zone", zone},
    {"llm_cache_refused", refused},
    {"llm_cache_not_stored", not_stored},
    {"llm_cache_saved_tokens", saved},
};

ngx_int_t get_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                       uintptr_t data) noexcept {
    auto ctx = ngx_http_llm_find_ctx(r);
    std::string_view value;
    if (ctx && ctx->cache) {
        value = variables[data].get(r, *ctx->cache);
    }
    return ngx_http_llm_set_found(v, value);
}

}  // namespace

std::string_view ngx_http_llm_cache_word(
    ngx_http_llm_cache_status_t status) noexcept {
    switch (status) {
    case Status::hit:
        return "Hit";
    case Status::miss:
        return "Miss";
    case Status::bypass:
        return "Bypass";
    case Status::refresh:
        return "Refresh";
    case Status::none:
        break;
    }
    return {};
}

ngx_int_t ngx_http_llm_cache_answer_headers(
    ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx) noexcept {
    if (!ctx->cache || !ctx->cache->conf->headers
        || ctx->cache->headers_added
        || ctx->cache->status == Status::none) {
        return NGX_OK;
    }
    Cache &cache = *ctx->cache;
    cache.headers_added = true;

    struct Header {
        std::string_view name;
        std::string_view value;
    };
    bool hit = cache.status == Status::hit;
    const Header headers[] = {
        {"X-Cache-Status", status(r, cache)},
        {"X-Cache-Key", key(r, cache)},
        {"X-Cache-Ttl", hit ? ttl(r, cache) : std::string_view()},
        {"Age", hit ? age(r, cache) : std::string_view()},
        {"X-Cache-Similarity",
         cache.similarity >= 0 ? similarity(r, cache) : std::string_view()},
    };
    for (const auto &header : headers) {
        if (!header.value.empty()
            && ngx_http_llm_add_header(r, header.name, header.value)
                   != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

ngx_int_t ngx_http_llm_cache_add_variables(ngx_conf_t *cf) noexcept {
    for (size_t i = 0; i < std::size(variables); ++i) {
        if (ngx_http_llm_add_variable(cf, variables[i].name, get_variable, i)
            != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}
