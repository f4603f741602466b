#include "request_body.hpp"

ngx_int_t ngx_http_llm_collect_body(ngx_http_request_t *r,
                                    std::string_view &body) noexcept {
    body = {};
    if (r->request_body == nullptr || r->request_body->bufs == nullptr) {
        return NGX_OK;
    }

    ngx_chain_t *bufs = r->request_body->bufs;
    if (bufs->next == nullptr && ngx_buf_in_memory(bufs->buf)) {
        body = {reinterpret_cast<const char *>(bufs->buf->pos),
                static_cast<size_t>(bufs->buf->last - bufs->buf->pos)};
        return NGX_OK;
    }

    off_t size = 0;
    for (auto cl = bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }
    if (size == 0) {
        return NGX_OK;
    }

    auto start = static_cast<u_char *>(
        ngx_pnalloc(r->pool, static_cast<size_t>(size)));
    if (start == nullptr) {
        return NGX_ERROR;
    }

    u_char *p = start;
    for (auto cl = bufs; cl; cl = cl->next) {
        ngx_buf_t *b = cl->buf;
        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
            continue;
        }
        if (!b->in_file) {
            continue;
        }
        auto part = static_cast<size_t>(b->file_last - b->file_pos);
        ssize_t n = ngx_read_file(b->file, p, part, b->file_pos);
        if (n < 0 || static_cast<size_t>(n) != part) {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          "llm could not read the request body from \"%V\"",
                          &b->file->name);
            return NGX_ERROR;
        }
        p += part;
    }

    body = {reinterpret_cast<const char *>(start),
            static_cast<size_t>(p - start)};
    return NGX_OK;
}

ngx_int_t ngx_http_llm_replace_body(ngx_http_request_t *r,
                                    std::string_view body) noexcept {
    auto rb = r->request_body;
    auto b = static_cast<ngx_buf_t *>(ngx_calloc_buf(r->pool));
    auto cl = ngx_alloc_chain_link(r->pool);
    auto value = static_cast<u_char *>(ngx_pnalloc(r->pool, NGX_OFF_T_LEN));
    if (rb == nullptr || b == nullptr || cl == nullptr || value == nullptr) {
        return NGX_ERROR;
    }

    // A retry of the upstream machinery rewinds pos to start.
    b->start = b->pos = to_ngx(body).data;
    b->end = b->last = b->pos + body.size();
    b->memory = 1;
    b->last_buf = 1;
    cl->buf = b;
    cl->next = nullptr;

    rb->bufs = cl;
    rb->buf = b;
    rb->temp_file = nullptr;

    r->headers_in.content_length_n = static_cast<off_t>(body.size());
    r->headers_in.chunked = 0;

    auto h = r->headers_in.content_length;
    if (h == nullptr) {
        h = static_cast<ngx_table_elt_t *>(
            ngx_list_push(&r->headers_in.headers));
        if (h == nullptr) {
            return NGX_ERROR;
        }
        *h = {};
        ngx_str_set(&h->key, "Content-Length");
        h->lowcase_key = reinterpret_cast<u_char *>(
            const_cast<char *>("content-length"));
        h->hash = 1;
        r->headers_in.content_length = h;
    }
    h->value.data = value;
    h->value.len = static_cast<size_t>(
        ngx_sprintf(value, "%O", r->headers_in.content_length_n) - value);

    return NGX_OK;
}
