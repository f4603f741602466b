#include "relay.hpp"

#include <new>

#include "answer.hpp"
#include "cache/request.hpp"
#include "limit/request.hpp"
#include "request_body.hpp"

struct ngx_http_llm_relay_ctx_t {
    ngx_chain_t *free;
    ngx_chain_t *busy;
    ngx_str_t accept_encoding;  // the client's, put back for the gzip filter
    unsigned stream:1;
    unsigned over:1;
};

namespace {

ngx_buf_tag_t tag() {
    return reinterpret_cast<ngx_buf_tag_t>(&ngx_http_llm_relay_body);
}

void note_first(ngx_http_llm_ctx_t *ctx) {
    if (ctx->first_msec == 0) {
        ctx->first_msec = ngx_current_msec;
    }
}

void note_cache_control(ngx_http_request_t *r,
                        ngx_http_llm_cache_ctx_t &cache) {
    cache.answer_control = {};
    ngx_http_llm_each_answer_header(
        r, "cache-control", [&](const ngx_table_elt_t &header) {
            cache.answer_control.add(to_view(header.value));
        });
}

// What a buffer says beside its bytes. With each piece of a stream comes a
// mark, which serves again. NULL: no memory.
ngx_chain_t *make_mark(ngx_pool_t *pool, ngx_http_llm_relay_ctx_t *relay,
                       const ngx_buf_t *b) noexcept {
    ngx_chain_t **p = &relay->free;
    while (*p && (*p)->buf->start) {
        p = &(*p)->next;
    }

    ngx_chain_t *cl = *p;
    bool end = b->last_buf || b->last_in_chain;
    if (cl && !end) {
        *p = cl->next;
    } else {
        cl = ngx_alloc_chain_link(pool);
        if (cl == nullptr) {
            return nullptr;
        }
        cl->buf = static_cast<ngx_buf_t *>(ngx_calloc_buf(pool));
        if (cl->buf == nullptr) {
            return nullptr;
        }
    }
    cl->buf->last_buf = b->last_buf;
    cl->buf->last_in_chain = b->last_in_chain;
    cl->buf->flush = b->flush;
    cl->buf->sync = b->sync;
    cl->buf->tag = tag();
    cl->next = nullptr;
    return cl;
}

// The exchange cannot make an answer of it. What is sent in one piece goes on
// all the same; of a stream nothing has gone out yet but its head.
void fail(ngx_http_llm_ctx_t *ctx) {
    ctx->relay->over = 1;
    ctx->error = ctx->exchange->error();
    if (ctx->relay->stream) {
        ctx->exchange->fail_stream(*ctx->error);
    }
}

}  // namespace

ngx_int_t ngx_http_llm_relay_prepare(ngx_http_request_t *r,
                                     ngx_http_llm_ctx_t *ctx) {
    ctx->relay = static_cast<ngx_http_llm_relay_ctx_t *>(
        ngx_pcalloc(r->pool, sizeof(ngx_http_llm_relay_ctx_t)));
    if (ctx->relay == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->model = ctx->exchange->head().model;
    ctx->answered_model = to_ngx(ctx->model);

    // The server behind speaks what the client speaks, under its own names.
    llm::Target target;
    target.format = ctx->route.format;
    target.model = ctx->model;
    target.embeddings = ctx->route.embeddings;
    if (auto prepared = ctx->exchange->prepare(target); !prepared) {
        return NGX_DECLINED;
    }

    const auto &pieces = ctx->exchange->pieces();
    if (pieces.size() != 1 || pieces[0].data() != ctx->body.data()) {
        std::string body;
        for (auto piece : pieces) {
            body.append(piece);
        }
        std::string_view own = ngx_http_llm_own(r->pool, std::move(body));
        if (own.data() == nullptr
            || ngx_http_llm_replace_body(r, own) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    // A compressed answer could not be read.
    if (auto h = r->headers_in.accept_encoding) {
        ctx->relay->accept_encoding = h->value;
        ngx_str_set(&h->value, "identity");
    }
    return NGX_DECLINED;
}

void ngx_http_llm_relay_header(ngx_http_request_t *r,
                               ngx_http_llm_ctx_t *ctx) {
    ngx_http_llm_relay_ctx_t *relay = ctx->relay;

    if (auto h = r->headers_in.accept_encoding; h && relay->accept_encoding.len) {
        h->value = relay->accept_encoding;
    }
    if (ctx->relayed || relay->over) {
        return;
    }

    llm::AnswerHead head;
    head.status = static_cast<int>(r->headers_out.status);
    head.content_type = to_view(r->headers_out.content_type);
    if (auto h = r->headers_out.content_encoding; h && h->hash) {
        head.content_encoding = to_view(h->value);
    }
    ctx->tries = 1;
    if (ctx->cache) {
        note_cache_control(r, *ctx->cache);
        if (ngx_http_llm_cache_answer_headers(r, ctx) != NGX_OK) {
            throw std::bad_alloc();
        }
    }
    if (ngx_http_llm_limit_answer_headers(r, ctx) != NGX_OK) {
        throw std::bad_alloc();
    }
    if (head.status >= 400
        || ctx->exchange->begin(head) == llm::Exchange::Step::failed) {
        relay->over = 1;
        return;
    }

    ctx->relayed = 1;
    relay->stream = ctx->exchange->streams();
    r->filter_need_in_memory = 1;
    if (relay->stream) {
        // The usage that only the gateway asked for is taken out.
        ngx_http_clear_content_length(r);
        ngx_http_clear_accept_ranges(r);
    }
}

ngx_int_t ngx_http_llm_relay_body(ngx_http_request_t *r,
                                  ngx_http_llm_ctx_t *ctx, ngx_chain_t *in,
                                  ngx_chain_t **out) {
    ngx_http_llm_relay_ctx_t *relay = ctx->relay;
    llm::Exchange &exchange = *ctx->exchange;
    ngx_chain_t **last = out;
    *out = nullptr;

    for (auto cl = in; cl; cl = cl->next) {
        ngx_buf_t *b = cl->buf;

        if (!relay->over && ngx_buf_in_memory(b) && b->pos != b->last) {
            std::string_view bytes(reinterpret_cast<char *>(b->pos),
                                   static_cast<size_t>(b->last - b->pos));
            llm::Exchange::Step step = exchange.feed(bytes);
            if (step == llm::Exchange::Step::ready) {
                note_first(ctx);
            }
            if (step == llm::Exchange::Step::failed) {
                fail(ctx);
            }
        }
        bool end = b->last_buf || b->last_in_chain;
        if (end && !relay->over) {
            relay->over = 1;
            note_first(ctx);
            if (exchange.finish() == llm::Exchange::Step::failed) {
                fail(ctx);
            }
            ctx->end_msec = ngx_current_msec;
            // The request itself may linger, until its client closes.
            ngx_http_llm_limit_settle(ctx);
        }

        if (!relay->stream) {
            // The bytes themselves go on.
            auto link = ngx_alloc_chain_link(r->pool);
            if (link == nullptr) {
                return NGX_ERROR;
            }
            link->buf = b;
            link->next = nullptr;
            *last = link;
            last = &link->next;
            continue;
        }

        // A stream: the exchange's bytes in place of the server's.
        b->pos = b->last;
        b->file_pos = b->file_last;
        if (!exchange.output().empty()) {
            ngx_chain_t *made = ngx_http_llm_output_chain(
                r->pool, exchange.output(), true, &relay->free, tag());
            if (made == nullptr) {
                return NGX_ERROR;
            }
            made->buf->last_buf = 0;
            made->buf->last_in_chain = 0;
            *last = made;
            last = &made->next;
        }
        if (end || b->flush || b->sync) {
            ngx_chain_t *mark = make_mark(r->pool, relay, b);
            if (mark == nullptr) {
                return NGX_ERROR;
            }
            *last = mark;
            last = &mark->next;
        }
    }
    return NGX_OK;
}

void ngx_http_llm_relay_sent(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
                             ngx_chain_t **out) {
    ngx_http_llm_relay_ctx_t *relay = ctx->relay;
    if (relay->stream) {
        ngx_chain_update_chains(r->pool, &relay->free, &relay->busy, out,
                                tag());
    }
}

void ngx_http_llm_relay_settle(ngx_http_llm_ctx_t *ctx) noexcept try {
    if (ctx->relay == nullptr || ctx->relay->over) {
        return;
    }
    if (!ctx->relayed) {
        // Whoever was asked is at work, and has it paid.
        ngx_http_upstream_t *u = ctx->request->upstream;
        if (u && u->request_sent && ctx->request->connection->error) {
            ctx->relay->over = 1;
            ctx->tries = 1;
            ctx->end_msec = ngx_current_msec;
            ctx->exchange->abandon();
        }
        return;
    }
    ctx->relay->over = 1;
    ctx->end_msec = ngx_current_msec;

    llm::Error error;
    error.kind = llm::ErrorKind::bad_gateway;
    error.message = "the answer broke off";
    (void) ctx->exchange->abort(std::move(error));

} catch (const std::bad_alloc &) {
    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "llm: no memory at the end of an answer");
}
