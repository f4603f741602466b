#include "upstream.hpp"

#include <new>
#include <string>
#include <string_view>

#include "answer.hpp"
#include "cache/request.hpp"
#include "credentials/credentials.hpp"
#include "limit/request.hpp"
#include "list.hpp"
#include "models.hpp"
#include "pass_through.hpp"
#include "peer.hpp"
#include "precontent.hpp"

namespace {

using Step = llm::Exchange::Step;

// Bytes that one stream may move before the worker looks at others.
constexpr size_t max_burst = 256 * 1024;

// A body whose end is the connection's. nginx's process_header takes an end
// of the connection for a failure; so that it comes to us instead, it is
// shown one byte, which is thrown away.
ssize_t recv_until_close(ngx_connection_t *c, u_char *buf, size_t size)
    noexcept {
    auto r = static_cast<ngx_http_request_t *>(c->data);
    auto up = ngx_http_llm_upstream_of(r);

    ssize_t n = up->recv(c, buf, size);
    if (n == 0 && size != 0) {
        c->recv = up->recv;
        up->eof = 1;
        buf[0] = 0;
        return 1;
    }
    return n;
}

llm::Error broken_answer(std::string message) {
    llm::Error error;
    error.kind = llm::ErrorKind::bad_gateway;
    error.message = std::move(message);
    return error;
}

// Whether the pool lets another member be asked after this answer, and
// whether it speaks against the member's health.
void judge(ngx_http_llm_upstream_ctx_t *up, const llm::Error &error) {
    ngx_uint_t code = up->status.code;
    ngx_uint_t reason = 0;
    up->counts_as_failure = 0;

    if (code < 400) {
        // Under a 2xx: an error in the first event or in the body, or an
        // answer that is none.
        using llm::ErrorKind;
        switch (error.kind) {
        case ErrorKind::rate_limit:
            reason = NGX_HTTP_LLM_NEXT_HTTP_429;
            break;
        case ErrorKind::server:
        case ErrorKind::unavailable:
        case ErrorKind::overloaded:
        case ErrorKind::timeout:
            reason = NGX_HTTP_LLM_NEXT_HTTP_5XX;
            break;
        case ErrorKind::bad_gateway:
            reason = NGX_HTTP_LLM_NEXT_INVALID_RESPONSE;
            break;
        default:
            break;
        }
        up->counts_as_failure = reason != 0;
    } else if (code == 429) {
        // A quota that is used up does not come back by waiting, but another
        // account or provider may well have some.
        reason = NGX_HTTP_LLM_NEXT_HTTP_429;
        up->counts_as_failure = 1;
    } else if (code >= 500) {
        if (code != 501) {
            reason = NGX_HTTP_LLM_NEXT_HTTP_5XX;
        }
        up->counts_as_failure = 1;
    } else if (code == 408 || code == 409 || code == 425) {
        reason = NGX_HTTP_LLM_NEXT_HTTP_408;
    } else if (code == 401) {
        reason = NGX_HTTP_LLM_NEXT_HTTP_401;
    } else if (code == 403) {
        reason = NGX_HTTP_LLM_NEXT_HTTP_403;
    } else if (code == 404) {
        reason = NGX_HTTP_LLM_NEXT_HTTP_404;
    }

    up->retryable = (up->pool->next_upstream & reason) != 0;
}

void note_first(ngx_http_llm_ctx_t *ctx) {
    if (ctx->first_msec == 0) {
        ctx->first_msec = ngx_current_msec;
    }
}

void body_over(ngx_http_request_t *r, ngx_http_llm_upstream_ctx_t *up) {
    ngx_http_upstream_t *u = r->upstream;

    u->length = 0;
    u->keepalive = up->body_done && !up->connection_close && !up->trailing;
}

// The client's head is known: what nginx's machinery is to send.
void deliver(ngx_http_request_t *r, ngx_http_llm_upstream_ctx_t *up) {
    ngx_http_upstream_t *u = r->upstream;
    llm::Exchange &exchange = *up->ctx->exchange;

    if (up->recv) {
        u->peer.connection->recv = up->recv;
        up->recv = nullptr;
    }

    note_first(up->ctx);
    if (up->part) {
        // A subrequest of a head alone: with it nginx ends the upstream.
        u->headers_in.status_n = NGX_HTTP_OK;
        u->state->response_length = up->received;
        body_over(r, up);
        return;
    }
    up->drain_first = 1;
    up->ctx->answered_by_module = 1;

    exchange.delivered();
    u->headers_in.status_n = static_cast<ngx_uint_t>(exchange.status());
    u->headers_in.content_length_n =
        up->answer_done ? static_cast<off_t>(exchange.output().size()) : -1;
    if (exchange.is_raw()) {
        if (!up->chunked && up->content_length >= 0) {
            u->headers_in.content_length_n = up->content_length;
        }
        if (ngx_http_llm_pass_through_headers(r, up) != NGX_OK) {
            throw std::bad_alloc();
        }
    }
    // Under the name that the client's SDK knows.
    if (ngx_http_llm_answer_headers(r, up->ctx, exchange.content_type())
            != NGX_OK
        || (!up->request_id.empty()
            && ngx_http_llm_add_header(r, exchange.client().request_id_header(),
                                       up->request_id) != NGX_OK)) {
        throw std::bad_alloc();
    }

    if (exchange.status() == NGX_HTTP_SWITCHING_PROTOCOLS) {
        // What is in the buffer is the tunnel's.
        u->headers_in.content_length_n = -1;
        up->answer_done = 1;
        up->drain_first = 0;
        ngx_http_llm_pass_through_tunnel(r, up);
        if (u->buffer.pos != u->buffer.last) {
            (void) exchange.feed(
                {reinterpret_cast<char *>(u->buffer.pos),
                 static_cast<size_t>(u->buffer.last - u->buffer.pos)});
        }
        return;
    }

    // nginx sends the head with what it finds in the buffer behind it, in one
    // write; one byte of no meaning carries what the exchange has made.
    u->buffer.pos = u->buffer.start;
    u->buffer.last = u->buffer.start + 1;
}

// A provider's words for a log line: one line, and not too much of what may
// quote the client's prompt.
std::string loggable(std::string_view text) {
    constexpr size_t most = 200;
    std::string line(text.substr(0, most));
    for (char &c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            c = ' ';
        }
    }
    return line;
}

// The key or token that the provider was shown. Empty: none, or none that can
// be told from other words.
std::string_view shown_key(ngx_http_request_t *r,
                           const ngx_http_llm_provider_t *provider) {
    constexpr size_t shortest = 8;
    std::string_view key;

    if (provider->auth) {
        if (const auto *shown = provider->auth->keeper.usable(ngx_time())) {
            key = shown->token;
        }
    } else if (provider->api_key) {
        ngx_str_t value = ngx_null_string;
        if (ngx_http_complex_value(r, provider->api_key, &value) == NGX_OK) {
            key = to_view(value);
            // A variable may hold "Bearer KEY".
            key.remove_prefix(key.rfind(' ') + 1);
        }
    }
    return key.size() < shortest ? std::string_view() : key;
}

// Some repeat it in errors that are not about it: AWS's gateways the whole
// Authorization header, if it is none of theirs.
void hide(std::string &text, std::string_view key) {
    constexpr std::string_view mask = "***";
    for (size_t at = 0; !key.empty()
                        && (at = text.find(key, at)) != text.npos;
         at += mask.size()) {
        text.replace(at, key.size(), mask);
    }
}

// The exchange says that this try has failed.
ngx_int_t try_failed(ngx_http_request_t *r, ngx_http_llm_upstream_ctx_t *up) {
    llm::Exchange &exchange = *up->ctx->exchange;
    llm::Error error = exchange.error();
    // A copy: what is refused below is dropped.
    std::string key(shown_key(r, up->ctx->answered->provider));
    hide(error.message, key);
    if (up->retry_after == -1) {
        up->retry_after = static_cast<time_t>(error.retry_after);
    }
    judge(up, error);
    std::string text = loggable(error.message);
    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "llm: %V answered %ui: %*s",
                  &up->ctx->answered->name, up->status.code,
                  text.size(), text.data());

    if (auto *auth = up->ctx->answered->provider->auth) {
        ngx_http_llm_credentials_refused(auth, up->status.code,
                                         up->error_type, error);
    }
    up->ctx->error = error;
    up->ctx->retry_after = up->retry_after;

    up->refused = 1;
    if (up->retryable && ngx_http_llm_peer_has_next(up)
        && !r->request_body_no_buffering) {
        return NGX_HTTP_UPSTREAM_INVALID_HEADER;
    }

    int status = exchange.client().error_status(error);
    if (up->part) {
        // The error is the list's to tell.
    } else if (ngx_http_llm_cache_rescue(up->ctx,
                                         static_cast<ngx_uint_t>(status))) {
        up->ctx->error.reset();
        up->ctx->retry_after = -1;
    } else if (!exchange.relay_error(key)) {
        exchange.refuse(error);
    }
    up->answer_done = 1;
    deliver(r, up);
    return NGX_OK;
}

ngx_int_t process_header(ngx_http_request_t *r) noexcept try {
    auto up = ngx_http_llm_upstream_of(r);
    ngx_http_upstream_t *u = r->upstream;
    ngx_connection_t *c = u->peer.connection;
    llm::Exchange &exchange = *up->ctx->exchange;
    Step step = Step::more;

    if (up->eof) {
        u->buffer.pos = u->buffer.last;
        up->body_done = 1;
    }

    if (!up->head_parsed) {
        ngx_int_t rc = ngx_http_llm_upstream_parse_head(r, up);
        const char *what = "the provider's answer is not valid HTTP";
        if (rc == NGX_AGAIN) {
            if (u->buffer.last != u->buffer.end) {
                return NGX_AGAIN;
            }
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "upstream sent too big header");
            what = "the headers of the provider's answer do not fit into "
                   "its buffer_size";
            rc = NGX_HTTP_UPSTREAM_INVALID_HEADER;
        }
        if (rc != NGX_OK) {
            up->ctx->error = broken_answer(what);
            up->refused = 1;
            up->counts_as_failure = 1;
            up->retryable = (up->pool->next_upstream
                             & NGX_HTTP_LLM_NEXT_INVALID_RESPONSE) != 0;
            return rc;
        }

        llm::AnswerHead head;
        head.status = static_cast<int>(up->status.code);
        head.content_type = up->content_type;
        head.content_encoding = up->content_encoding;
        head.request_id = up->request_id;
        head.error_type = up->error_type;
        step = exchange.begin(head);

        if (step == Step::ready && up->status.code == 101) {
            up->ctx->error.reset();
            deliver(r, up);
            return NGX_OK;
        }
        if (!up->chunked && up->content_length == -1 && !up->body_done) {
            up->connection_close = 1;
            up->recv = c->recv;
            c->recv = recv_until_close;
        }
    }

    if (step != Step::failed) {
        if (ngx_http_llm_upstream_feed(r, up, &u->buffer, step) != NGX_OK) {
            step = exchange.abort(broken_answer(
                "the provider's answer is not valid HTTP (chunked coding)"));
        }
    }
    if (up->body_done && step != Step::failed) {
        step = exchange.finish();
    }

    switch (step) {
    case Step::more:
        // All of it is taken: the buffer serves again, the time starts anew.
        u->buffer.pos = u->buffer.start;
        u->buffer.last = u->buffer.start;
        ngx_add_timer(c->read, u->conf->read_timeout);
        return NGX_AGAIN;

    case Step::ready:
    case Step::complete:
        // What earlier tries failed with concerns nobody any more.
        up->ctx->error.reset();
        up->ctx->retry_after = -1;
        up->answer_done = step == Step::complete;
        deliver(r, up);
        return NGX_OK;

    case Step::failed:
        break;
    }
    return try_failed(r, up);

} catch (const std::bad_alloc &) {
    return NGX_ERROR;
}

// Puts what the exchange has made on the way to the client.
ngx_int_t send_output(ngx_http_request_t *r, ngx_http_llm_upstream_ctx_t *up) {
    ngx_http_upstream_t *u = r->upstream;
    llm::Exchange &exchange = *up->ctx->exchange;

    if (exchange.output().empty()) {
        if (exchange.is_raw() && !up->answer_done && up->received == 0) {
            // The head at least.
            return ngx_http_send_special(r, NGX_HTTP_FLUSH);
        }
        return NGX_OK;
    }

    // What is passed on as it comes may be of any size: its memory is to
    // serve again, as that of a stream.
    ngx_chain_t *cl = ngx_http_llm_output_chain(
        r->pool, exchange.output(), exchange.streams() || exchange.is_raw(),
        &u->free_bufs, u->output.tag);
    if (cl == nullptr) {
        return NGX_ERROR;
    }

    ngx_chain_t **last = &u->out_bufs;
    while (*last) {
        last = &(*last)->next;
    }
    *last = cl;
    return NGX_OK;
}

ngx_int_t input_filter_init(void *) noexcept {
    return NGX_OK;
}

ngx_int_t input_filter(void *data, ssize_t bytes) noexcept try {
    auto r = static_cast<ngx_http_request_t *>(data);
    auto up = ngx_http_llm_upstream_of(r);
    ngx_http_upstream_t *u = r->upstream;
    ngx_buf_t *b = &u->buffer;
    llm::Exchange &exchange = *up->ctx->exchange;

    if (up->drain_first) {
        up->drain_first = 0;
        // In place of that one byte.
        u->state->response_length += up->received - 1;
        if (up->answer_done) {
            body_over(r, up);
        } else if (exchange.is_raw()
                   && (up->chunked || up->content_length >= 0)) {
            // The connection's end is none of the body's: no event could say
            // to the client that something is missing.
            u->length = 1;
        }
        return send_output(r, up);
    }

    // nginx's loop goes on as long as the provider is fast: now and then the
    // worker's other connections get their turn.
    up->burst += static_cast<size_t>(bytes);
    if (up->burst >= max_burst) {
        up->burst = 0;
        ngx_event_t *rev = u->peer.connection->read;
        rev->ready = 0;
        if (rev->posted) {
            // Its turn in this round would find nothing, and be its last.
            ngx_delete_posted_event(rev);
        }
        ngx_post_event(rev, &ngx_posted_next_events);
    }

    // The buffer fills up while the client is slow, and is reset once all is
    // sent: that is how nginx holds the provider back.
    ngx_buf_t input = *b;
    input.pos = b->last;
    input.last = b->last + bytes;
    b->last += bytes;

    Step step = Step::more;
    if (ngx_http_llm_upstream_feed(r, up, &input, step) != NGX_OK) {
        step = exchange.abort(
            broken_answer("the provider's answer is not valid HTTP "
                          "(chunked coding)"));
        if (exchange.is_raw()) {
            return NGX_ERROR;   // what is missing must not look whole
        }
        up->trailing = 1;
        up->body_done = 1;
    }
    if (up->body_done && step != Step::complete) {
        step = exchange.finish();
    }
    if (step == Step::complete || up->body_done) {
        up->answer_done = 1;
        body_over(r, up);
    }
    return send_output(r, up);

} catch (const std::bad_alloc &) {
    return NGX_ERROR;
}

ngx_int_t create_request(ngx_http_request_t *r) noexcept {
    // The bytes depend on the member: peer.get makes them.
    r->upstream->request_bufs = nullptr;
    return NGX_OK;
}

ngx_int_t reinit_request(ngx_http_request_t *) noexcept {
    // peer.get, which has run by now, has prepared the new try.
    return NGX_OK;
}

void abort_request(ngx_http_request_t *) noexcept {}

// The end of the call, good or bad. A stream that broke off after its head
// ends with an error event; what was not sent at all gets its error from the
// filters.
void end_call(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
              ngx_int_t rc) noexcept try {
    auto up = ctx->upstream;
    ngx_http_upstream_t *u = r->upstream;
    llm::Exchange &exchange = *ctx->exchange;

    ctx->end_msec = ngx_current_msec;
    if (up->recv && u->peer.connection) {
        u->peer.connection->recv = up->recv;
        up->recv = nullptr;
    }

    ngx_connection_t *c = r->connection;
    // Or takes nothing any more; of a silent provider nginx says 504.
    bool client_left = c->error || rc == NGX_HTTP_CLIENT_CLOSED_REQUEST
                       || rc == NGX_HTTP_REQUEST_TIME_OUT || rc == NGX_DONE;
    if (exchange.broken() && !client_left) {
        // The provider said so itself, in the middle of its stream.
        up->counts_as_failure = 1;
    }
    if (u->upgrade) {
        (void) exchange.finish();
    }
    if (up->answer_done) {
        return;
    }
    if (!u->header_sent) {
        // Whoever was asked is at work, and has it paid.
        if (client_left && u->request_sent && !up->refused) {
            exchange.abandon();
            ctx->error.reset();
        }
        return;
    }
    up->answer_done = 1;

    if (exchange.is_raw() && rc != 0) {
        (void) exchange.abort(broken_answer("the provider's answer broke off"));
        up->counts_as_failure = !client_left;
        return;
    }

    bool closed = rc == 0 && !up->chunked && up->content_length == -1;
    if (closed) {
        (void) exchange.finish();
    } else {
        llm::Error error = broken_answer(
            "the provider's stream ended before the answer was complete");
        if (rc == NGX_HTTP_GATEWAY_TIME_OUT) {
            error.kind = llm::ErrorKind::timeout;
            error.message = "the provider has sent nothing for too long";
        }
        (void) exchange.abort(std::move(error));
    }

    if (client_left) {
        return;
    }
    up->counts_as_failure = exchange.broken();
    if (exchange.output().empty()) {
        return;
    }
    ngx_chain_t *cl = ngx_http_llm_output_chain(
        r->pool, exchange.output(), true, &u->free_bufs, u->output.tag);
    if (cl) {
        // The event says that the answer failed; the body is whole, so that
        // nobody on the way drops its end for a transfer that broke. (After
        // an rc of 0 nginx sends the mark itself.)
        cl->buf->last_buf = rc != 0;
        (void) ngx_http_output_filter(r, cl);
    }

} catch (const std::bad_alloc &) {
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "llm: no memory at the end of an answer");
}

void finalize_request(ngx_http_request_t *r, ngx_int_t rc) noexcept {
    auto ctx = ngx_http_llm_upstream_of(r)->ctx;
    end_call(r, ctx, rc);
    // The request itself may linger, until its client closes.
    ngx_http_llm_limit_settle(ctx);
}

}  // namespace

ngx_int_t ngx_http_llm_pass_handler(ngx_http_request_t *r) noexcept try {
    auto ctx = ngx_http_llm_get_ctx(r);
    if (ctx == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (ctx->route.operation != llm::Operation::chat && !ctx->exchange
        && ctx->route.format) {
        return ngx_http_llm_models_handler(r, ctx);
    }
    if (r != r->main || !ctx->exchange || ctx->pool == nullptr) {
        // A subrequest has no body of its own that could be a call.
        return NGX_HTTP_NOT_FOUND;
    }

    if (ngx_http_llm_list_is_needed(r, ctx)) {
        return ngx_http_llm_list_start(r, ctx);
    }
    if (ngx_http_llm_upstream_create(r, ctx) == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (ctx->route.operation == llm::Operation::pass_through) {
        return ngx_http_llm_pass_through_start(r);
    }
    r->main->count++;
    ngx_http_upstream_init(r);
    return NGX_DONE;

} catch (const std::bad_alloc &) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_http_llm_upstream_ctx_t *ngx_http_llm_upstream_of(
    ngx_http_request_t *r) noexcept {
    auto ctx = r == r->main
                   ? ngx_http_llm_find_ctx(r)
                   : static_cast<ngx_http_llm_ctx_t *>(
                         ngx_http_get_module_ctx(r, ngx_http_llm_module));
    return ctx->upstream;
}

ngx_http_llm_upstream_ctx_t *ngx_http_llm_upstream_create(
    ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx) noexcept {
    if (ngx_http_upstream_create(r) != NGX_OK) {
        return nullptr;
    }
    auto up = static_cast<ngx_http_llm_upstream_ctx_t *>(
        ngx_pcalloc(r->pool, sizeof(ngx_http_llm_upstream_ctx_t)));
    if (up == nullptr) {
        return nullptr;
    }
    up->ctx = ctx;
    up->request = r;
    up->pool = ctx->pool;
    up->taken = up->member = -1;
    ngx_http_llm_upstream_reset(up);
    ctx->upstream = up;

    ngx_http_upstream_t *u = r->upstream;
    ngx_str_set(&u->schema, "llm://");
    u->output.tag = reinterpret_cast<ngx_buf_tag_t>(&ngx_http_llm_module);
    u->conf = &ctx->pool->conf;
    u->buffering = 0;
    u->create_request = create_request;
    u->reinit_request = reinit_request;
    u->process_header = process_header;
    u->abort_request = abort_request;
    u->finalize_request = finalize_request;
    u->input_filter_init = input_filter_init;
    u->input_filter = input_filter;
    u->input_filter_ctx = r;
    return up;
}
