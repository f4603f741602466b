#include "filter.hpp"

#include <new>

#include "account/count.hpp"
#include "answer.hpp"
#include "auth/auth.hpp"
#include "cache/request.hpp"
#include "relay.hpp"
#include "route.hpp"

namespace {

ngx_http_output_header_filter_pt next_header_filter;
ngx_http_output_body_filter_pt next_body_filter;

// Statuses that mean more to an API's client than nginx's own words for them.
struct StatusText {
    ngx_uint_t status;
    llm::ErrorKind kind;
    const char *message;
};

constexpr StatusText status_texts[] = {
    {400, llm::ErrorKind::invalid_request, "the request is not valid HTTP"},
    {401, llm::ErrorKind::authentication,
     "this gateway needs credentials that were missing or wrong"},
    {403, llm::ErrorKind::permission,
     "this gateway does not allow the request"},
    {404, llm::ErrorKind::not_found, "no such API route"},
    {405, llm::ErrorKind::invalid_request,
     "the method is not allowed on this route"},
    {408, llm::ErrorKind::timeout, "the request did not arrive in time"},
    {413, llm::ErrorKind::too_large,
     "the request's body is larger than this gateway allows "
     "(client_max_body_size)"},
    {429, llm::ErrorKind::rate_limit, "too many requests"},
    {500, llm::ErrorKind::server, "the gateway failed"},
    {502, llm::ErrorKind::bad_gateway,
     "the provider gave no usable answer"},
    {503, llm::ErrorKind::unavailable, "no provider is available"},
    {504, llm::ErrorKind::timeout, "the provider did not answer in time"},
};

llm::Error error_of_status(ngx_uint_t status) {
    llm::Error error;
    error.kind = llm::error_kind_of_status(static_cast<int>(status));
    error.message = "the gateway answered with status " +
                    std::to_string(status);
    for (const auto &row : status_texts) {
        if (row.status == status) {
            error.kind = row.kind;
            error.message = row.message;
        }
    }
    return error;
}

bool speaks_llm(ngx_http_request_t *r) {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));
    return ngx_http_llm_is_on(llcf) || llcf->simulate
           || llcf->account.count_tokens;
}

// Whether error_page has a page for the status that is being answered.
bool has_error_page(ngx_http_request_t *r) {
    auto clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    if (clcf->error_pages == nullptr) {
        return false;
    }
    auto pages = static_cast<ngx_http_err_page_t *>(clcf->error_pages->elts);
    for (ngx_uint_t i = 0; i < clcf->error_pages->nelts; ++i) {
        if (static_cast<ngx_uint_t>(pages[i].status) == r->err_status) {
            return true;
        }
    }
    return false;
}

// An answer of nginx's own making, as error pages are; not one that a server
// behind has sent, nor a page that error_page has chosen.
bool is_nginx_error(ngx_http_request_t *r, const ngx_http_llm_ctx_t *ctx) {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));

    if (r->err_status < 400) {
        return false;
    }
    if (llcf->pass || llcf->account.count_tokens) {
        // All else that such a location answers is nginx's, also after
        // error_page has led here.
        return !ctx || !ctx->answered_by_module;
    }
    // Of other paths of a server with "llm on" the pages stay as they are.
    if (ngx_http_llm_match_route(r).format == nullptr) {
        return false;
    }
    // nginx sets the flag as soon as there is any error_page.
    return !r->error_page || !has_error_page(r);
}

// The body that the filters below send in place of what there is.
ngx_int_t replace_body(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
                       std::string &&body, std::string_view content_type) {
    std::string_view own = ngx_http_llm_own(r->pool, std::move(body));
    if (own.data() == nullptr) {
        return NGX_ERROR;
    }
    ctx->error_body = to_ngx(own);
    ctx->error_sent = 0;

    if (r->headers_out.content_length) {
        r->headers_out.content_length->hash = 0;
        r->headers_out.content_length = nullptr;
    }
    if (r->headers_out.content_encoding) {
        r->headers_out.content_encoding->hash = 0;
        r->headers_out.content_encoding = nullptr;
    }
    r->headers_out.content_length_n = static_cast<off_t>(own.size());
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    return ngx_http_llm_answer_headers(r, ctx, content_type);
}

// NGX_OK: a failed answer has become an old one from the cache. NGX_DECLINED:
// it has not failed, or there is none.
ngx_int_t rescue(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx) {
    if (!ctx || !ctx->exchange || ctx->answered_by_module
        || !ngx_http_llm_cache_rescue(ctx, r->headers_out.status)) {
        return NGX_DECLINED;
    }
    llm::Exchange &exchange = *ctx->exchange;
    ctx->error.reset();
    // What was said of the failure is not true of this answer.
    for (std::string_view name : {"retry-after", "cache-control"}) {
        ngx_http_llm_each_answer_header(
            r, name, [](ngx_table_elt_t &header) { header.hash = 0; });
    }
    r->headers_out.status = static_cast<ngx_uint_t>(exchange.status());
    r->headers_out.status_line.len = 0;
    r->err_status = 0;
    return replace_body(r, ctx, std::move(exchange.output()),
                        exchange.content_type());
}

// Gives the error the client's shape: the filters below replace nginx's page.
ngx_int_t shape_error(ngx_http_request_t *r) {
    ngx_http_llm_ctx_t *ctx = ngx_http_llm_get_ctx(r);
    if (ctx == nullptr) {
        return NGX_ERROR;
    }

    const llm::Format *format = ctx->route.format;
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));
    if (format == nullptr) {
        format = llcf->account.count_tokens ? &ngx_http_llm_count_format(r)
                                            : &ngx_http_llm_client_format(r);
    }

    if (!ctx->error) {
        ctx->error = error_of_status(r->headers_out.status);
    } else if (ctx->upstream || ctx->list) {
        // All tries failed; nginx only knows that it was 502 or 504.
        r->headers_out.status =
            static_cast<ngx_uint_t>(format->error_status(*ctx->error));
        r->err_status = r->headers_out.status;
        r->headers_out.status_line.len = 0;
    }

    if (r->headers_out.status == NGX_HTTP_NOT_ALLOWED && ctx->route.format
        && ngx_http_llm_add_header(
               r, "Allow",
               llm::has_body(ctx->route.operation) ? "POST" : "GET, HEAD")
               != NGX_OK) {
        return NGX_ERROR;
    }

    std::string body;
    format->write_error(*ctx->error, body);
    return replace_body(r, ctx, std::move(body), "application/json");
}

ngx_int_t header_filter(ngx_http_request_t *r) noexcept try {
    if (r != r->main) {
        return next_header_filter(r);
    }

    auto ctx = ngx_http_llm_find_ctx(r);
    if (ctx && ngx_http_llm_auth_refused(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }
    if (!speaks_llm(r)) {
        return next_header_filter(r);
    }
    ngx_int_t rc = rescue(r, ctx);
    if (rc != NGX_DECLINED) {
        return rc == NGX_OK ? next_header_filter(r) : NGX_ERROR;
    }
    if (is_nginx_error(r, ctx)) {
        if (shape_error(r) != NGX_OK) {
            return NGX_ERROR;
        }
        return next_header_filter(r);
    }
    if (ctx && ctx->relay) {
        ngx_http_llm_relay_header(r, ctx);
    }
    return next_header_filter(r);

} catch (const std::bad_alloc &) {
    return NGX_ERROR;
}

// Our own text in place of nginx's page, once, with the mark of the end.
ngx_int_t send_error_body(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
                          ngx_chain_t *in) {
    bool last_buf = false;
    bool last_in_chain = false;
    for (auto cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
        last_buf = last_buf || cl->buf->last_buf;
        last_in_chain = last_in_chain || cl->buf->last_in_chain;
    }
    if (ctx->error_sent && !last_buf && !last_in_chain) {
        return NGX_OK;
    }

    auto b = static_cast<ngx_buf_t *>(ngx_calloc_buf(r->pool));
    if (b == nullptr) {
        return NGX_ERROR;
    }
    if (!ctx->error_sent) {
        b->start = b->pos = ctx->error_body.data;
        b->end = b->last = b->pos + ctx->error_body.len;
        b->memory = 1;
    }
    b->last_buf = last_buf;
    b->last_in_chain = last_in_chain;
    ctx->error_sent = 1;

    ngx_chain_t out = {b, nullptr};
    return next_body_filter(r, &out);
}

ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in) noexcept try {
    if (r != r->main || in == nullptr) {
        return next_body_filter(r, in);
    }
    auto ctx = static_cast<ngx_http_llm_ctx_t *>(
        ngx_http_get_module_ctx(r, ngx_http_llm_module));
    if (ctx == nullptr) {
        return next_body_filter(r, in);
    }

    if (ctx->error_body.len) {
        return send_error_body(r, ctx, in);
    }

    if (ctx->relayed) {
        ngx_chain_t *out;
        if (ngx_http_llm_relay_body(r, ctx, in, &out) != NGX_OK) {
            return NGX_ERROR;
        }
        if (out == nullptr) {
            return NGX_OK;
        }
        ngx_int_t rc = next_body_filter(r, out);
        ngx_http_llm_relay_sent(r, ctx, &out);
        return rc;
    }
    return next_body_filter(r, in);

} catch (const std::bad_alloc &) {
    return NGX_ERROR;
}

}  // namespace

void ngx_http_llm_filter_init() noexcept {
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;
}
