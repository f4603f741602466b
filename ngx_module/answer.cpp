#include "answer.hpp"

#include <bit>
#include <new>

#include "cache/request.hpp"
#include "limit/request.hpp"

namespace {

void destroy_string(void *data) noexcept {
    static_cast<std::string *>(data)->~basic_string();
}

// Of one streamed piece: room for what a few events need, so that a buffer
// serves again and again. Larger ones are powers of two for the same reason.
constexpr size_t stream_buffer = 1024;

}  // namespace

ngx_int_t ngx_http_llm_add_header(ngx_http_request_t *r, std::string_view name,
                                  std::string_view value) noexcept {
    auto h = static_cast<ngx_table_elt_t *>(
        ngx_list_push(&r->headers_out.headers));
    if (h == nullptr) {
        return NGX_ERROR;
    }
    *h = {};
    h->hash = 1;
    h->key = to_ngx(name);
    h->value = to_ngx(value);
    return NGX_OK;
}

ngx_int_t ngx_http_llm_add_error_type(ngx_http_request_t *r,
                                      const llm::Format &format,
                                      const llm::Error &error) noexcept {
    std::string_view type = format.error_type(error);
    return type.empty() ? NGX_OK
                        : ngx_http_llm_add_header(
                            r, format.error_type_header(), type);
}

ngx_int_t ngx_http_llm_answer_headers(ngx_http_request_t *r,
                                      ngx_http_llm_ctx_t *ctx,
                                      std::string_view content_type) noexcept {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));

    r->headers_out.content_type = to_ngx(content_type);
    r->headers_out.content_type_len = content_type.size();
    r->headers_out.content_type_lowcase = nullptr;

    bool list = llm::is_about_models(ctx->route.operation)
                || (ctx->route.operation == llm::Operation::pass_through
                    && ctx->answered_model.len == 0);
    if (llcf->headers && ctx->answered && !list
        && !ngx_http_llm_cache_is_hit(*ctx)) {
        std::string_view name = to_view(ctx->answered->name);
        if (ctx->answered->model.len == 0) {
            // The client's model went to the provider as it is. Its name must
            // not smuggle anything into a header.
            std::string_view model = to_view(ctx->answered_model);
            auto p = static_cast<u_char *>(
                ngx_pnalloc(r->pool, name.size() + 1 + model.size()));
            if (p == nullptr) {
                return NGX_ERROR;
            }
            u_char *end = ngx_cpymem(p, name.data(), name.size());
            *end++ = '/';
            for (unsigned char c : model) {
                *end++ = c <= 0x20 || c >= 0x7F ? '_' : c;
            }
            name = {reinterpret_cast<char *>(p),
                    static_cast<size_t>(end - p)};
        }
        if (ngx_http_llm_add_header(r, "X-LLM-Model", name) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ctx->retry_after >= 0 && ctx->error) {
        auto p = static_cast<u_char *>(ngx_pnalloc(r->pool, NGX_TIME_T_LEN));
        if (p == nullptr) {
            return NGX_ERROR;
        }
        u_char *end = ngx_sprintf(p, "%T", ctx->retry_after);
        if (ngx_http_llm_add_header(
                r, "Retry-After",
                {reinterpret_cast<char *>(p), static_cast<size_t>(end - p)})
            != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ctx->error && ctx->route.format
        && ngx_http_llm_add_error_type(r, *ctx->route.format, *ctx->error)
               != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_llm_cache_answer_headers(r, ctx) != NGX_OK
        || ngx_http_llm_limit_answer_headers(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->exchange && ctx->exchange->streams()) {
        // A proxy in front of this one is not to wait for more either.
        if (ngx_http_llm_add_header(r, "Cache-Control", "no-cache") != NGX_OK
            || ngx_http_llm_add_header(r, "X-Accel-Buffering", "no")
                   != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

std::string_view ngx_http_llm_own(ngx_pool_t *pool,
                                  std::string &&text) noexcept {
    auto cln = ngx_pool_cleanup_add(pool, sizeof(std::string));
    if (cln == nullptr) {
        return {};
    }
    auto own = new (cln->data) std::string(std::move(text));
    cln->handler = destroy_string;
    return *own;
}

ngx_chain_t *ngx_http_llm_output_chain(ngx_pool_t *pool, std::string &text,
                                       bool stream, ngx_chain_t **free,
                                       ngx_buf_tag_t tag) noexcept {
    ngx_chain_t *cl = nullptr;

    if (stream) {
        for (ngx_chain_t **p = free; *p; p = &(*p)->next) {
            ngx_buf_t *b = (*p)->buf;
            if (static_cast<size_t>(b->end - b->start) >= text.size()) {
                cl = *p;
                *p = cl->next;
                break;
            }
        }
    }

    if (cl == nullptr) {
        cl = ngx_alloc_chain_link(pool);
        if (cl == nullptr) {
            return nullptr;
        }
        if (stream) {
            cl->buf = ngx_create_temp_buf(
                pool, std::bit_ceil(ngx_max(text.size(), stream_buffer)));
        } else {
            cl->buf = static_cast<ngx_buf_t *>(ngx_calloc_buf(pool));
        }
        if (cl->buf == nullptr) {
            return nullptr;
        }
    }
    cl->next = nullptr;
    ngx_buf_t *b = cl->buf;

    if (stream) {
        b->pos = b->start;
        b->last = ngx_cpymem(b->pos, text.data(), text.size());
        b->temporary = 1;
        text.clear();
    } else {
        std::string_view own = ngx_http_llm_own(pool, std::move(text));
        text.clear();
        if (own.data() == nullptr) {
            return nullptr;
        }
        b->start = b->pos = to_ngx(own).data;
        b->end = b->last = b->pos + own.size();
        b->memory = 1;
    }
    // Nothing more may come for a while, or, where it is all, nginx's
    // upstream waits for it to be written before it ends the answer.
    b->flush = 1;
    b->tag = tag;
    return cl;
}

ngx_int_t ngx_http_llm_send(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
                            ngx_uint_t status, std::string_view content_type,
                            std::string &&body) noexcept {
    ctx->answered_by_module = 1;
    r->headers_out.status = status;
    r->headers_out.content_length_n = static_cast<off_t>(body.size());
    if (ngx_http_llm_answer_headers(r, ctx, content_type) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_int_t rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    ngx_chain_t *free = nullptr;
    ngx_chain_t *cl = ngx_http_llm_output_chain(r->pool, body, false, &free,
                                                nullptr);
    if (cl == nullptr) {
        return NGX_ERROR;
    }
    cl->buf->last_buf = r == r->main;
    cl->buf->last_in_chain = 1;
    return ngx_http_output_filter(r, cl);
}

ngx_int_t ngx_http_llm_send_text(ngx_http_request_t *r, ngx_uint_t status,
                                 std::string_view content_type,
                                 std::string &&body) noexcept {
    std::string_view own = ngx_http_llm_own(r->pool, std::move(body));
    auto b = static_cast<ngx_buf_t *>(ngx_calloc_buf(r->pool));
    if (own.data() == nullptr || b == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r->headers_out.status = status;
    r->headers_out.content_length_n = static_cast<off_t>(own.size());
    r->headers_out.content_type = to_ngx(content_type);
    r->headers_out.content_type_len = content_type.size();

    ngx_int_t rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    b->pos = to_ngx(own).data;
    b->last = b->pos + own.size();
    b->memory = 1;
    b->last_buf = r == r->main;
    b->last_in_chain = 1;
    ngx_chain_t out = {b, nullptr};
    return ngx_http_output_filter(r, &out);
}
