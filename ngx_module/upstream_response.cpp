// A provider's answer as HTTP/1.x: its head, and where its body ends.
#include "upstream.hpp"

#include "cache/request.hpp"
#include "pass_through.hpp"

#include <charconv>
#include <new>

namespace {

// Seconds of a Retry-After header, or of retry-after-ms; -1: unusable. A date
// is turned into seconds from now.
time_t parse_retry_after(std::string_view value) {
    double seconds = 0;
    auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error == std::errc() && seconds >= 0) {
        return seconds > 86400 ? 86400 : static_cast<time_t>(seconds + 0.999);
    }
    time_t date = ngx_parse_http_time(to_ngx(value).data, value.size());
    if (date == NGX_ERROR) {
        return -1;
    }
    return date > ngx_time() ? ngx_min(date - ngx_time(), 86400) : 0;
}

bool name_is(std::string_view name, std::string_view lower) {
    return name.size() == lower.size()
           && ngx_strncasecmp(to_ngx(name).data, to_ngx(lower).data,
                              lower.size()) == 0;
}

// Copies a header's value out of the read buffer, which is used again.
std::string_view keep(ngx_http_request_t *r, std::string_view value) {
    auto p = static_cast<u_char *>(ngx_pnalloc(r->pool, value.size()));
    if (p == nullptr) {
        throw std::bad_alloc();
    }
    ngx_memcpy(p, value.data(), value.size());
    return {reinterpret_cast<char *>(p), value.size()};
}

bool take_header(ngx_http_request_t *r, ngx_http_llm_upstream_ctx_t *up,
                 std::string_view name, std::string_view value) {
    const llm::AnswerWire wire = up->ctx->exchange->answer_wire();
    if (up->ctx->route.operation == llm::Operation::pass_through
        && !ngx_http_llm_pass_through_keep(r, up, name, value)) {
        throw std::bad_alloc();
    }
    if (name_is(name, "content-type")) {
        up->content_type = keep(r, value);

    } else if (name_is(name, "content-encoding")) {
        up->content_encoding = keep(r, value);

    } else if (name_is(name, wire.request_id_header)) {
        up->request_id = keep(r, value);

    } else if (name_is(name, wire.error_type_header)) {
        up->error_type = keep(r, value);

    } else if (name_is(name, "content-length")) {
        off_t length = ngx_atoof(to_ngx(value).data, value.size());
        if (length == NGX_ERROR
            || (up->content_length != -1 && up->content_length != length)) {
            return false;
        }
        up->content_length = length;

    } else if (name_is(name, "transfer-encoding")) {
        if (!name_is(value, "chunked") || up->chunked) {
            return false;
        }
        up->chunked = 1;

    } else if (name_is(name, "connection")) {
        if (ngx_strlcasestrn(to_ngx(value).data,
                             to_ngx(value).data + value.size(),
                             reinterpret_cast<u_char *>(
                                 const_cast<char *>("close")), 5 - 1)) {
            up->connection_close = 1;
        }

    } else if (name_is(name, "cache-control")) {
        if (up->ctx->cache) {
            up->ctx->cache->answer_control.add(value);
        }

    } else if (name_is(name, "retry-after")) {
        if (up->retry_after == -1) {
            up->retry_after = parse_retry_after(value);
        }

    } else if (name_is(name, "retry-after-ms")) {
        double ms = 0;
        auto [end, error] = std::from_chars(
            value.data(), value.data() + value.size(), ms);
        if (error == std::errc() && ms >= 0) {
            up->retry_after = static_cast<time_t>(
                ngx_min(ms, 86400e3) / 1000 + 0.999);
        }
    }
    return true;
}

}  // namespace

void ngx_http_llm_upstream_reset(ngx_http_llm_upstream_ctx_t *up) noexcept {
    ngx_http_request_t *r = up->request;

    up->status = {};
    up->chunked_state = {};
    up->content_type = {};
    up->content_encoding = {};
    up->request_id = {};
    up->error_type = {};
    up->kept = nullptr;
    up->content_length = -1;
    up->retry_after = -1;
    up->received = 0;
    up->status_parsed = up->head_parsed = up->chunked = 0;
    up->connection_close = up->body_done = up->trailing = up->eof = 0;
    up->refused = up->retryable = up->counts_as_failure = 0;
    up->recv = nullptr;
    if (up->ctx->cache) {
        up->ctx->cache->answer_control = {};
    }

    // The parsers of the status line and of headers keep their state here.
    r->state = 0;
}

ngx_int_t ngx_http_llm_upstream_parse_head(ngx_http_request_t *r,
                                           ngx_http_llm_upstream_ctx_t *up) {
    ngx_http_upstream_t *u = r->upstream;

    for (;;) {
        if (!up->status_parsed) {
            ngx_int_t rc = ngx_http_parse_status_line(r, &u->buffer,
                                                      &up->status);
            if (rc == NGX_AGAIN) {
                return NGX_AGAIN;
            }
            if (rc == NGX_ERROR) {
                ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                              "upstream sent no valid HTTP/1.x status line");
                return NGX_HTTP_UPSTREAM_INVALID_HEADER;
            }
            up->status_parsed = 1;
            if (up->status.http_version < NGX_HTTP_VERSION_11) {
                up->connection_close = 1;
            }
            if (u->state && u->state->status == 0) {
                u->state->status = up->status.code;
            }
        }

        ngx_int_t rc = ngx_http_parse_header_line(r, &u->buffer, 1);

        if (rc == NGX_OK) {
            std::string_view name(
                reinterpret_cast<char *>(r->header_name_start),
                static_cast<size_t>(r->header_name_end
                                    - r->header_name_start));
            std::string_view value(
                reinterpret_cast<char *>(r->header_start),
                static_cast<size_t>(r->header_end - r->header_start));
            if (!take_header(r, up, name, value)) {
                ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                              "upstream sent invalid header: \"%*s: %*s\"",
                              name.size(), name.data(), value.size(),
                              value.data());
                return NGX_HTTP_UPSTREAM_INVALID_HEADER;
            }
            continue;
        }

        if (rc == NGX_HTTP_PARSE_HEADER_DONE) {
            // An interim answer: the real one follows.
            if (up->status.code >= 100 && up->status.code < 200
                && up->status.code != 101) {
                if (u->state) {
                    u->state->status = 0;
                }
                ngx_http_llm_upstream_reset(up);
                continue;
            }
            if (up->chunked) {
                // RFC 9112, section 6.3: the chunks decide.
                up->content_length = -1;
            }
            if (up->status.code == 204 || up->status.code == 304) {
                up->chunked = 0;
                up->content_length = 0;
            }
            if (r->method == NGX_HTTP_HEAD
                && up->ctx->route.operation
                       == llm::Operation::pass_through) {
                // The length is that of another answer.
                up->chunked = 0;
                up->body_done = 1;
            }
            up->head_parsed = 1;
            return NGX_OK;
        }

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "upstream sent invalid header");
        return NGX_HTTP_UPSTREAM_INVALID_HEADER;
    }
}

ngx_int_t ngx_http_llm_upstream_feed(ngx_http_request_t *r,
                                     ngx_http_llm_upstream_ctx_t *up,
                                     ngx_buf_t *b, llm::Exchange::Step &step) {
    using Step = llm::Exchange::Step;
    llm::Exchange &exchange = *up->ctx->exchange;

    auto pass = [&](u_char *start, u_char *end) {
        std::string_view bytes(reinterpret_cast<char *>(start),
                               static_cast<size_t>(end - start));
        up->received += end - start;
        Step now = exchange.feed(bytes);
        if (now != Step::more) {
            step = now;
        }
        return now != Step::failed;
    };

    while (b->pos < b->last) {
        if (up->body_done) {
            up->trailing = 1;
            b->pos = b->last;
            break;
        }

        if (!up->chunked) {
            u_char *end = b->last;
            if (up->content_length >= 0
                && end - b->pos > up->content_length - up->received) {
                end = b->pos + (up->content_length - up->received);
            }
            if (end != b->pos && !pass(b->pos, end)) {
                return NGX_OK;
            }
            b->pos = end;
            if (up->content_length >= 0
                && up->received == up->content_length) {
                up->body_done = 1;
            }
            continue;
        }

#if (nginx_version >= 1027002)
        ngx_int_t rc = ngx_http_parse_chunked(r, b, &up->chunked_state, 0);
#else
        ngx_int_t rc = ngx_http_parse_chunked(r, b, &up->chunked_state);
#endif
        if (rc == NGX_OK) {
            u_char *end = b->last;
            if (end - b->pos > up->chunked_state.size) {
                end = b->pos + up->chunked_state.size;
            }
            u_char *start = b->pos;
            b->pos = end;
            up->chunked_state.size -= end - start;
            if (!pass(start, end)) {
                return NGX_OK;
            }
            continue;
        }
        if (rc == NGX_DONE) {
            up->body_done = 1;
            continue;
        }
        if (rc == NGX_AGAIN) {
            break;
        }
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "upstream sent invalid chunked response");
        return NGX_ERROR;
    }

    if (up->content_length == 0) {
        up->body_done = 1;
    }
    return NGX_OK;
}
