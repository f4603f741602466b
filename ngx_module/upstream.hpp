// One call's tries on nginx's upstream machinery: what its callbacks share.
//
// The way of a call. llm_pass creates the upstream; peer.init, then for each
// try peer.get (peer.cpp) chooses a member, has the exchange make the body for
// its format and hands over a connection. process_header reads the answer's
// head and holds the client's head back until the exchange says that there is
// an answer: a failure before that is a reason for the next try. From then on
// input_filter moves bytes as they come.
#pragma once

#include "context.hpp"

struct ngx_http_llm_upstream_ctx_t {
    ngx_http_llm_ctx_t *ctx;
    ngx_http_request_t *request;
    ngx_http_llm_pool_t *pool;

    // Who may be asked, by bit, and how often; 0: as the pool says.
    uint64_t members;
    ngx_uint_t tries;
    ngx_int_t taken;            // the first of them, where it is chosen; or -1

    // The tries so far: members by bit; those of this round.
    uint64_t tried;
    ngx_uint_t tries_left;
    ngx_int_t member;           // of the current try, -1: none
    ngx_msec_t start_msec;      // of the first try

    // Set when this try's answer is the reason that it failed, so that
    // peer.free need not guess.
    unsigned refused:1;         // a status or answer, not the connection
    unsigned retryable:1;       // the pool says another member may be asked
    unsigned counts_as_failure:1;   // against the member's health

    // The answer's head.
    ngx_http_status_t status;
    ngx_http_chunked_t chunked_state;
    std::string_view content_type;
    std::string_view content_encoding;
    std::string_view request_id;    // the provider's name for the call
    std::string_view error_type;    // of its header, where it has one
    ngx_list_t *kept;           // ngx_keyval_t: headers that are passed on
    off_t content_length;       // -1: not said
    time_t retry_after;         // -1: not said
    unsigned status_parsed:1;
    unsigned head_parsed:1;
    unsigned chunked:1;
    unsigned connection_close:1;

    // The answer's body.
    off_t received;
    size_t burst;               // since the worker last saw to others
    unsigned body_done:1;       // the HTTP body is whole
    unsigned trailing:1;        // bytes after it: no keepalive
    unsigned eof:1;             // the provider closed the connection
    unsigned answer_done:1;     // the exchange says the answer is whole
    unsigned drain_first:1;     // input_filter is to send what is there

    // One of several calls for one of a client's (list.cpp): in a subrequest
    // of its own, which sends nothing.
    unsigned part:1;

    ngx_recv_pt recv;           // the connection's own, while ours is there

    // A member whose host is an upstream {} block: its peer's hooks.
    struct {
        void *data;
        ngx_event_get_peer_pt get;
        ngx_event_free_peer_pt free;
#if (NGX_HTTP_SSL)
        ngx_event_set_peer_session_pt set_session;
        ngx_event_save_peer_session_pt save_session;
#endif
        const ngx_http_llm_provider_t *provider;    // whose group it is
        ngx_uint_t tries;
    } group;
};

// upstream.cpp: the content handler of llm_pass.
ngx_int_t ngx_http_llm_pass_handler(ngx_http_request_t *r) noexcept;

// The call of a request, or of a subrequest that is a part of one.
ngx_http_llm_upstream_ctx_t *ngx_http_llm_upstream_of(
    ngx_http_request_t *r) noexcept;

// Gives the request an upstream that asks ctx->pool, to be started with
// ngx_http_upstream_init(). NULL: no memory.
ngx_http_llm_upstream_ctx_t *ngx_http_llm_upstream_create(
    ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx) noexcept;

// upstream_response.cpp: prepares for the next try's answer.
void ngx_http_llm_upstream_reset(ngx_http_llm_upstream_ctx_t *up) noexcept;

// upstream_response.cpp: status line and headers from u->buffer. NGX_OK:
// up->head_parsed. NGX_AGAIN: there is more to come. Else
// NGX_HTTP_UPSTREAM_INVALID_HEADER, which is logged.
ngx_int_t ngx_http_llm_upstream_parse_head(ngx_http_request_t *r,
                                           ngx_http_llm_upstream_ctx_t *up);

// upstream_response.cpp: the body in b, as it is on the wire, to the exchange,
// whose last word other than "more" is put into step; sets up->body_done.
// NGX_ERROR: the framing is broken (logged).
ngx_int_t ngx_http_llm_upstream_feed(ngx_http_request_t *r,
                                     ngx_http_llm_upstream_ctx_t *up,
                                     ngx_buf_t *b, llm::Exchange::Step &step);

// peer.cpp: uscf->peer.init of a pool.
ngx_int_t ngx_http_llm_peer_init(ngx_http_request_t *r,
                                 ngx_http_upstream_srv_conf_t *uscf) noexcept;

// upstream_request.cpp: Anthropic's beta features of this call, separated by
// commas, where the body has to name them: those of the provider's own header,
// else the client's. In the request's pool. False: no memory, or a header that
// cannot be sent (logged).
bool ngx_http_llm_upstream_betas(ngx_http_request_t *r,
                                 const ngx_http_llm_provider_t *provider,
                                 std::string_view &betas);

// upstream_request.cpp: the bytes of one try, head and body, as a chain whose
// buffers can be sent again. NULL: no memory, or a header that cannot be sent
// (logged).
ngx_chain_t *ngx_http_llm_upstream_request(
    ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
    const ngx_http_llm_provider_t *provider) noexcept;
