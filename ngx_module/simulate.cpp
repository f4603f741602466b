// Answers of a simulated model, in time. A one-shot answer is sent whole when
// its last token is due. A stream is a loop: write the steps that are due,
// hand them to the client, and wait, either for the next step's time (timer)
// or for a client that takes no more (write event), never for both.
#include "simulate.hpp"

#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <string>

#include "answer.hpp"
#include "llm/embedding_format.hpp"
#include "request_body.hpp"

namespace {

using Conf = ngx_http_llm_simulate_conf_t;

// Bytes of events that are handed to the client at once; leaves room in a
// buffer of ngx_http_llm_output_chain() for one more event.
constexpr size_t piece_size = 3072;

// Pieces written in one turn of the event loop, so that a fast client of a
// long stream does not keep the others waiting.
constexpr ngx_uint_t pieces_per_turn = 16;

ngx_buf_tag_t tag() {
    return const_cast<ngx_module_t *>(&ngx_http_llm_module);
}

ngx_http_llm_loc_conf_t *location(ngx_http_request_t *r) {
    return static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));
}

ngx_http_core_loc_conf_t *core_location(ngx_http_request_t *r) {
    return static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r->main, ngx_http_core_module));
}

// One request while it is being answered; lives in the request's pool.
struct Simulation final : llm::chat::EventSink {
    Simulation(ngx_http_request_t *request, Conf *conf)
        : r(request), conf(conf), document(&memory) {}

    void on_event(const llm::chat::Event &event) override {
        writer->write(event, text);
    }

    ngx_http_request_t *r;
    Conf *conf;

    // Most requests need no more memory than this.
    std::byte buffer[4096];
    std::pmr::monotonic_buffer_resource memory{buffer, sizeof(buffer)};
    llm::json::Document document;
    std::optional<llm::chat::Request> request;
    std::optional<llm::simulate::Answer> answer;
    llm::AnswerContext context;

    // What is to be sent next: all of a one-shot answer, or the events of a
    // stream that are due.
    std::string text;

    // A stream's. Steps are those of llm::simulate::Answer.
    std::unique_ptr<llm::StreamWriter> writer;
    size_t taken = 0;           // steps that have been written
    size_t end = 0;             // steps before the stream ends, or breaks off
    bool cut = false;
    bool head_sent = false;
    ngx_chain_t *free = nullptr;
    ngx_chain_t *busy = nullptr;

    // The timer's owner, in the shape of ngx_connection_t as far as the
    // timer's debug messages read it.
    struct {
        Simulation *simulation = nullptr;
        void *unused[2] = {};
        ngx_socket_t fd = static_cast<ngx_socket_t>(-1);
    } owner;
    ngx_event_t timer = {};
    ngx_msec_t start = ngx_current_msec;

    // Whether what has been written ends the stream as it should end.
    bool is_last() const { return taken == end && !cut; }

    // When a step is due, in milliseconds after the start: the first token
    // with the stream's beginning after ttft, the end a token's time after
    // the last one.
    ngx_msec_t due(size_t step) const {
        if (conf->rate == 0 || step <= 1) {
            return conf->ttft;
        }
        return conf->ttft
               + static_cast<ngx_msec_t>(((step - 1) * 1000 * Conf::rate_unit
                                          + conf->rate - 1) / conf->rate);
    }

    // Steps that are due by now.
    size_t steps_due() const {
        ngx_msec_t elapsed = ngx_current_msec - start;
        if (elapsed < conf->ttft) {
            return 0;
        }
        if (conf->rate == 0) {
            return end;
        }
        size_t tokens = (elapsed - conf->ttft) * conf->rate
                        / (1000 * Conf::rate_unit);
        return ngx_min(tokens + 2, end);
    }
};

void destroy(void *data) noexcept {
    static_cast<Simulation *>(data)->~Simulation();
}

// The request is over: its client may have gone away in the middle.
void cancel(void *data) noexcept {
    auto simulation = static_cast<Simulation *>(data);
    if (simulation->timer.timer_set) {
        ngx_del_timer(&simulation->timer);
    }
    if (simulation->timer.posted) {
        ngx_delete_posted_event(&simulation->timer);
    }
}

Simulation *create(ngx_http_request_t *r, Conf *conf) {
    auto cln = ngx_pool_cleanup_add(r->pool, sizeof(Simulation));
    auto early = ngx_http_cleanup_add(r, 0);
    if (cln == nullptr || early == nullptr) {
        return nullptr;
    }
    auto simulation = new (cln->data) Simulation(r, conf);
    cln->handler = destroy;
    early->handler = cancel;
    early->data = simulation;
    return simulation;
}

Simulation *find(ngx_http_request_t *r) {
    for (auto cln = r->main->cleanup; cln; cln = cln->next) {
        if (cln->handler == cancel
            && static_cast<Simulation *>(cln->data)->r == r) {
            return static_cast<Simulation *>(cln->data);
        }
    }
    return nullptr;
}

// Status and body at once; what a content handler is to return.
ngx_int_t send_whole(ngx_http_request_t *r, ngx_uint_t status,
                     std::string &body) {
    r->headers_out.status = status;
    r->headers_out.content_length_n = static_cast<off_t>(body.size());
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = nullptr;

    ngx_int_t rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    ngx_chain_t *free = nullptr;
    ngx_chain_t *out =
        ngx_http_llm_output_chain(r->pool, body, false, &free, tag());
    if (out == nullptr) {
        return NGX_ERROR;
    }
    out->buf->last_buf = r == r->main;
    out->buf->last_in_chain = 1;
    return ngx_http_output_filter(r, out);
}

ngx_int_t send_error(ngx_http_request_t *r, const Conf *conf,
                     ngx_uint_t status, const llm::Error &error) {
    if (ngx_http_llm_add_error_type(r, *conf->format, error) != NGX_OK) {
        return NGX_ERROR;
    }
    std::string body;
    conf->format->write_error(error, body);
    return send_whole(r, status, body);
}

llm::Error simulated_error(ngx_uint_t status) {
    llm::Error error;
    error.kind = llm::error_kind_of_status(static_cast<int>(status));
    error.status = static_cast<int>(status);
    error.message = "simulated error " + std::to_string(status);
    return error;
}

ngx_int_t send_simulated_error(ngx_http_request_t *r, const Conf *conf) {
    if (!conf->retry_after.empty()
        && ngx_http_llm_add_header(r, "Retry-After", conf->retry_after)
               != NGX_OK) {
        return NGX_ERROR;
    }
    return send_error(r, conf, conf->status, simulated_error(conf->status));
}

ngx_int_t send_no_route(ngx_http_request_t *r, const Conf *conf) {
    llm::Error error;
    error.kind = llm::ErrorKind::not_found;
    error.message = "no such route in the API \"";
    error.message += conf->format->name();
    error.message += "\" that is simulated here; its paths end in";
    for (const char *separator = " "; const auto &route :
         conf->format->routes()) {
        error.message += separator;
        error.message += "...";
        error.message += route.pattern;
        separator = ", ";
    }
    if (auto api = llm::embedding::find_api(conf->format->name())) {
        for (const auto &route : api->routes()) {
            error.message += ", ...";
            error.message += route.pattern;
        }
    }
    error.code = "unknown_url";
    return send_error(r, conf, NGX_HTTP_NOT_FOUND, error);
}

ngx_int_t send_not_allowed(ngx_http_request_t *r, const Conf *conf,
                           std::string_view allowed) {
    if (ngx_http_llm_add_header(r, "Allow", allowed) != NGX_OK) {
        return NGX_ERROR;
    }
    std::string message = "the method is not allowed here, use ";
    message += allowed;
    return send_error(r, conf, NGX_HTTP_NOT_ALLOWED,
                      llm::invalid_request(std::move(message)));
}

std::string_view model_name(const Conf *conf) {
    return conf->model.empty() ? "simulated" : conf->model;
}

ngx_int_t send_models(ngx_http_request_t *r, const Conf *conf) {
    std::string_view name = model_name(conf);
    std::string body;
    conf->format->write_models({&name, 1}, ngx_time(), body);
    return send_whole(r, NGX_HTTP_OK, body);
}

ngx_int_t send_model(ngx_http_request_t *r, const Conf *conf,
                     std::string_view name) {
    if (name != model_name(conf)) {
        llm::Error error = llm::model_not_found(name);
        return send_error(
            r, conf,
            static_cast<ngx_uint_t>(conf->format->error_status(error)), error);
    }
    std::string body;
    conf->format->write_model(name, {}, ngx_time(), body);
    return send_whole(r, NGX_HTTP_OK, body);
}

// Reads the body and makes the answer, none of it written yet.
llm::Result<void> make_answer(Simulation &s, std::string_view body) {
    llm::json::ParseLimits limits;
    limits.depth = static_cast<size_t>(location(s.r)->max_depth);
    if (auto parsed = s.document.parse(body, limits); !parsed) {
        return std::move(parsed.error());
    }
    auto request = s.conf->format->parse_request(s.document, &s.memory);
    if (!request) {
        return std::move(request.error());
    }

    // What only the path says.
    auto route = llm::match_route(to_view(s.r->uri), *s.conf->format);
    s.request.emplace(std::move(*request));
    if (!route.model.empty()) {
        s.request->model = route.model;
        s.request->stream = route.stream;
    }
    if (!s.conf->model.empty()) {
        s.request->model = s.conf->model;
    }
    s.answer.emplace(*s.request, s.conf->options, &s.memory);

    s.context.request_model = s.request->model;
    s.context.include_usage = s.request->include_usage;
    s.context.now = ngx_time();
    s.context.unique = s.answer->unique();
    s.context.query = to_view(s.r->args);
    s.context.prompt_estimate = s.answer->response().usage.prompt_tokens;
    return {};
}

constexpr std::int64_t default_dimensions = 256;
constexpr std::int64_t most_dimensions = 4096;

// As many as OpenAI takes. A byte of the call is kilobytes of the answer, which
// is made in one go.
constexpr size_t most_texts = 2048;

// Vectors for a call of this route; the answer goes to s.text.
llm::Result<void> make_vectors(Simulation &s, std::string_view body,
                               const llm::RouteMatch &route) {
    using namespace llm::embedding;

    llm::json::ParseLimits limits;
    limits.depth = static_cast<size_t>(location(s.r)->max_depth);
    if (auto parsed = s.document.parse(body, limits); !parsed) {
        return std::move(parsed.error());
    }
    auto head = route.embeddings->parse_head(s.document, route);
    if (!head) {
        return std::move(head.error());
    }
    auto request = route.embeddings->parse_request(s.document, &s.memory);
    if (!request) {
        return std::move(request.error());
    }
    std::int64_t dimensions = request->dimensions.value_or(default_dimensions);
    if (dimensions > most_dimensions) {
        return llm::invalid_request("there are 4096 dimensions at most",
                                    "dimensions");
    }
    if (request->inputs.size() > most_texts) {
        return llm::invalid_request("there are 2048 texts at most", "input");
    }

    std::string_view model = s.conf->model.empty() ? head->model
                                                   : s.conf->model;
    Response response(&s.memory);
    response.model = model;
    for (const Input &input : request->inputs) {
        auto &floats = response.vectors.emplace_back(&s.memory).floats;
        floats.resize(static_cast<size_t>(dimensions));
        llm::simulate::embed(input.tokens ? input.tokens.raw() : input.text,
                             s.conf->options.seed, floats);
    }
    response.usage.known = true;
    response.usage.prompt_tokens = estimate_tokens(*request, model);
    response.usage.total_tokens = response.usage.prompt_tokens;

    s.context.request_model = model;
    s.context.now = ngx_time();
    s.context.unique = "simulated";
    return route.embeddings->write_response(response, *request, route.single,
                                            s.context, s.text);
}

ngx_int_t send_head(Simulation &s) {
    ngx_http_request_t *r = s.r;
    std::string_view type =
        s.conf->format->client_stream_type(s.context.query);

    s.head_sent = true;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_type = to_ngx(type);
    r->headers_out.content_type_len = type.size();
    r->headers_out.content_type_lowcase = nullptr;
    if (ngx_http_llm_add_header(r, "Cache-Control", "no-cache") != NGX_OK) {
        return NGX_ERROR;
    }

    // Each event is a small packet that must not wait for the one before.
    if (core_location(r)->tcp_nodelay
        && ngx_tcp_nodelay(r->connection) != NGX_OK) {
        return NGX_ERROR;
    }
    return ngx_http_send_header(r);
}

// Writes steps that are due, a piece at most.
void write_piece(Simulation &s) {
    size_t due = s.steps_due();
    while (s.taken < due && s.text.size() < piece_size) {
        (void) s.answer->step(s);
        ++s.taken;
    }
}

// Hands s.text to the client, or only what is left of earlier pieces.
ngx_int_t send_piece(Simulation &s) {
    ngx_http_request_t *r = s.r;
    ngx_chain_t *out = nullptr;

    if (!s.text.empty()) {
        out = ngx_http_llm_output_chain(r->pool, s.text, true, &s.free,
                                        tag());
        if (out == nullptr) {
            return NGX_ERROR;
        }
        out->buf->last_buf = s.is_last() && r == r->main;
        out->buf->last_in_chain = s.is_last();
    }

    ngx_int_t rc = ngx_http_output_filter(r, out);
    ngx_chain_update_chains(r->pool, &s.free, &s.busy, &out, tag());
    return rc;
}

bool client_is_full(const Simulation &s) {
    return s.busy || s.r->connection->buffered;
}

// Until the client takes more; on_writable() goes on.
void wait_for_client(Simulation &s) {
    ngx_connection_t *c = s.r->connection;
    auto clcf = core_location(s.r);

    if (c->data != s.r) {
        // A subrequest whose turn to be sent has not come.
        return;
    }
    if (!c->write->delayed) {
        ngx_add_timer(c->write, clcf->send_timeout);
    }
    if (ngx_handle_write_event(c->write, clcf->send_lowat) != NGX_OK) {
        ngx_http_finalize_request(s.r, NGX_ERROR);
    }
}

// Goes on with a stream as far as time and the client allow. Whoever calls
// this must not touch the simulation afterwards: the request may be over.
void run_stream(Simulation &s) {
    ngx_http_request_t *r = s.r;

    for (ngx_uint_t pieces = 0; /* void */; ++pieces) {
        if (client_is_full(s)) {
            wait_for_client(s);
            return;
        }
        if (s.taken == s.end) {
            // All of the part before the break is with the client.
            ngx_http_finalize_request(r, NGX_ERROR);
            return;
        }
        if (pieces == pieces_per_turn) {
            ngx_post_event(&s.timer, &ngx_posted_next_events);
            return;
        }

        write_piece(s);
        if (s.text.empty() && s.taken != s.end) {
            ngx_add_timer(&s.timer,
                          s.due(s.taken) - (ngx_current_msec - s.start));
            return;
        }

        if (!s.head_sent) {
            ngx_int_t rc = send_head(s);
            if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
                ngx_http_finalize_request(r, rc);
                return;
            }
        }
        ngx_int_t rc = send_piece(s);
        if (s.is_last() || rc == NGX_ERROR) {
            // nginx itself sends what the client has not taken yet.
            ngx_http_finalize_request(r, rc);
            return;
        }
    }
}

// The client takes more, or has not for too long.
void on_writable(ngx_http_request_t *r) noexcept {
    Simulation &s = *find(r);
    ngx_connection_t *c = r->connection;

    if (c->write->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }
    if (!client_is_full(s)) {
        return;
    }
    try {
        if (!c->write->delayed) {
            if (send_piece(s) == NGX_ERROR) {
                ngx_http_finalize_request(r, NGX_ERROR);
                return;
            }
            if (!client_is_full(s) && c->write->timer_set) {
                ngx_del_timer(c->write);
            }
        }
        run_stream(s);
    } catch (const std::bad_alloc &) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}

// It is time for the next step, or for the whole answer.
void on_time(ngx_event_t *event) noexcept {
    auto owner = static_cast<decltype(Simulation::owner) *>(event->data);
    Simulation &s = *owner->simulation;
    ngx_http_request_t *r = s.r;
    ngx_connection_t *c = r->connection;

    ngx_http_set_log_request(c->log, r);
    try {
        if (s.writer) {
            run_stream(s);
        } else {
            ngx_http_finalize_request(r, send_whole(r, NGX_HTTP_OK, s.text));
        }
    } catch (const std::bad_alloc &) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
    ngx_http_run_posted_requests(c);
}

// From here on events go on with the request.
void watch(Simulation &s) {
    ngx_http_request_t *r = s.r;
    ngx_event_t *rev = r->connection->read;

    s.owner.simulation = &s;
    s.timer.handler = on_time;
    s.timer.data = &s.owner;
    s.timer.log = r->connection->log;

    r->write_event_handler = on_writable;
    // Notices a client that goes away.
    r->read_event_handler = ngx_http_test_reading;
    if (rev->ready) {
        ngx_post_event(rev, &ngx_posted_events);
    }
}

void start_stream(Simulation &s) {
    s.writer = s.conf->format->make_writer(s.context);
    s.end = s.answer->steps();
    s.cut = s.conf->cut.next();
    if (s.cut) {
        s.end = (s.end + 1) / 2;
    }
    watch(s);
    run_stream(s);
}

// All of the answer is s.text.
void send_when_due(Simulation &s, ngx_msec_t due) {
    if (due == 0) {
        ngx_http_finalize_request(s.r, send_whole(s.r, NGX_HTTP_OK, s.text));
        return;
    }
    watch(s);
    ngx_add_timer(&s.timer, due);
}

void start_whole(Simulation &s) {
    s.conf->format->write_response(s.answer->response(), s.context, s.text);
    send_when_due(s, s.due(s.answer->steps() - 1));
}

void answer(ngx_http_request_t *r) {
    auto conf = static_cast<Conf *>(location(r)->simulate);

    std::string_view body;
    if (ngx_http_llm_collect_body(r, body) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }
    if (conf->fail.next()) {
        ngx_http_finalize_request(
            r, send_error(r, conf, NGX_HTTP_INTERNAL_SERVER_ERROR,
                          simulated_error(NGX_HTTP_INTERNAL_SERVER_ERROR)));
        return;
    }

    Simulation *s = create(r, conf);
    if (s == nullptr) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }
    llm::RouteMatch route = llm::match_route(to_view(r->uri), *conf->format);
    auto made = route.embeddings ? make_vectors(*s, body, route)
                                 : make_answer(*s, body);
    if (!made) {
        auto status = static_cast<ngx_uint_t>(
            conf->format->error_status(made.error()));
        ngx_http_finalize_request(r,
                                  send_error(r, conf, status, made.error()));
        return;
    }

    if (route.embeddings) {
        send_when_due(*s, conf->ttft);
    } else if (s->request->stream) {
        start_stream(*s);
    } else {
        start_whole(*s);
    }
}

void on_body(ngx_http_request_t *r) noexcept {
    try {
        answer(r);
    } catch (const std::bad_alloc &) {
        ngx_http_finalize_request(
            r, r->header_sent ? NGX_ERROR : NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}

}  // namespace

ngx_int_t ngx_http_llm_simulate_handler(ngx_http_request_t *r) noexcept try {
    auto conf = static_cast<Conf *>(location(r)->simulate);

    llm::RouteMatch route =
        llm::match_route(to_view(r->uri), *conf->format);
    bool show = route.operation == llm::Operation::show;
    bool call = route.format && llm::has_body(route.operation) && !show;

    if (conf->status == 0 && call && r->method == NGX_HTTP_POST) {
        ngx_int_t rc = ngx_http_read_client_request_body(r, on_body);
        return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
    }

    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }
    if (conf->status) {
        return send_simulated_error(r, conf);
    }
    if (route.format == nullptr) {
        return send_no_route(r, conf);
    }
    if (show && r->method == NGX_HTTP_POST) {
        std::string body;
        conf->format->write_show(model_name(conf), ngx_time(), body);
        return send_whole(r, NGX_HTTP_OK, body);
    }
    if (call || show) {
        return send_not_allowed(r, conf, "POST");
    }
    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        return send_not_allowed(r, conf, "GET, HEAD");
    }
    if (route.operation == llm::Operation::version) {
        std::string body;
        conf->format->write_version(body);
        return send_whole(r, NGX_HTTP_OK, body);
    }
    if (route.operation == llm::Operation::model) {
        return send_model(r, conf, route.model);
    }
    return send_models(r, conf);

} catch (const std::bad_alloc &) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}
