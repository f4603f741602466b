#include "context.hpp"

#include "cache/request.hpp"
#include "limit/request.hpp"
#include "relay.hpp"

#include <new>

void *ngx_http_llm_memory_t::do_allocate(std::size_t size,
                                         std::size_t alignment) {
    // ngx_palloc aligns to a machine word, and large blocks to 16 bytes.
    void *p = alignment <= NGX_ALIGNMENT ? ngx_palloc(pool_, size)
                                         : ngx_pmemalign(pool_, size, alignment);
    if (p == nullptr) {
        throw std::bad_alloc();
    }
    return p;
}

void ngx_http_llm_memory_t::do_deallocate(void *p, std::size_t size,
                                          std::size_t) {
    // Only large blocks can be given back one by one.
    if (size > pool_->max) {
        (void) ngx_pfree(pool_, p);
    }
}

namespace {

void destroy(void *data) noexcept {
    static_cast<ngx_http_llm_ctx_t *>(data)->~ngx_http_llm_ctx_t();
}

// Runs early, when the request is over but its pool is still whole and nothing
// is logged yet: what the request waits for is cancelled here, and what it has
// got so far is accounted for.
void cancel(void *data) noexcept {
    auto ctx = static_cast<ngx_http_llm_ctx_t *>(data);
    ctx->policy = task::Task();
    ctx->auth.task = task::Task();
    ngx_http_llm_relay_settle(ctx);
    ngx_http_llm_limit_settle(ctx);
    if (ctx->cache) {
        ctx->cache->release();
    }
}

}  // namespace

void ngx_http_llm_cache_deleter_t::operator()(
    ngx_http_llm_cache_ctx_t *cache) const noexcept {
    cache->~ngx_http_llm_cache_ctx_t();
}

void ngx_http_llm_limit_deleter_t::operator()(
    ngx_http_llm_limit_ctx_t *limit) const noexcept {
    limit->~ngx_http_llm_limit_ctx_t();
}

ngx_http_llm_ctx_t *ngx_http_llm_find_ctx(ngx_http_request_t *r) noexcept {
    ngx_http_request_t *main = r->main;
    auto ctx = static_cast<ngx_http_llm_ctx_t *>(
        ngx_http_get_module_ctx(main, ngx_http_llm_module));
    if (ctx || (!main->internal && !main->filter_finalize)) {
        return ctx;
    }

    for (auto cln = main->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == destroy) {
            ctx = static_cast<ngx_http_llm_ctx_t *>(cln->data);
            ngx_http_set_ctx(main, ctx, ngx_http_llm_module);
            return ctx;
        }
    }
    return nullptr;
}

ngx_http_llm_ctx_t *ngx_http_llm_get_ctx(ngx_http_request_t *r) noexcept {
    if (auto ctx = ngx_http_llm_find_ctx(r)) {
        return ctx;
    }
    r = r->main;

    auto cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_llm_ctx_t));
    if (cln == nullptr) {
        return nullptr;
    }
    auto early = ngx_http_cleanup_add(r, 0);
    if (early == nullptr) {
        return nullptr;
    }

    auto ctx = new (cln->data) ngx_http_llm_ctx_t(r);
    cln->handler = destroy;
    early->handler = cancel;
    early->data = ctx;

    ngx_http_set_ctx(r, ctx, ngx_http_llm_module);
    return ctx;
}
