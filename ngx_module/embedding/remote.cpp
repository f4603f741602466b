// A provider's embeddings. A call goes through these states, all of them
// within the embedding's timeout:
//
//     resolving   the provider's host is looked up
//     fetching    its credentials are, where it has some that end
//     queued      as many calls as allowed are under way
//     running     with libcurl
//
// and ends with finish(), or with abandon() when nobody waits any more.
#include "embedding_conf.hpp"

#include "credentials/credentials.hpp"
#include "digest.hpp"
#include "endpoint.hpp"
#include "llm/breaker.hpp"
#include "llm/vector.hpp"
#include "recent.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <unordered_map>

namespace embedding = llm::embedding;

namespace {

using Conf = ngx_http_llm_embedding_conf_t;
using Digest = ngx_http_llm_digest_t;
using Waiter = ngx_http_llm_embed_waiter_t;

// Failures in a row after which an endpoint is not asked for a while.
constexpr std::uint32_t max_failures = 3;

struct Call;

struct Timer {
    ngx_event_t event = {};     // first: nginx hands out its address
    Call *owner = nullptr;
};

// A text that is being embedded.
struct Call {
    ngx_http_llm_remote_t *remote;
    Digest flight;              // what is shared while it runs
    Digest key;                 // of the text, for the shared memory

    std::vector<std::string> headers;
    std::string body;
    // The client's own keys; none: those of the provider's credentials.
    std::optional<llm::credentials::Credential> keys;

    ngx_queue_t waiters;        // Waiter
    Timer timer;
    const char *failure = nullptr;      // known before, told by the timer

    ngx_http_llm_waiter_t lookup = {};
    ngx_http_llm_waiter_t fetch = {};
    ngx_queue_t queue;
    bool queued = false;
    ngx_http_llm_side_call_t *side = nullptr;
    ngx_sockaddr_t sockaddr;    // where it goes
    socklen_t socklen = 0;
    bool finishing = false;
};

// A digest is spread evenly already.
struct Hash {
    size_t operator()(const Digest &digest) const noexcept {
        size_t hash;
        std::memcpy(&hash, digest.data(), sizeof(hash));
        return hash;
    }
};

}  // namespace

// What a worker has for an embedding; made when it is first used.
struct ngx_http_llm_remote_t {
    explicit ngx_http_llm_remote_t(Conf *owner)
        : conf(owner),
          breaker(owner->fail_timeout ? max_failures : 0,
                  static_cast<std::int64_t>(owner->fail_timeout)) {
        ngx_queue_init(&queue);
    }

    Conf *conf;
    llm::Breaker breaker;
    std::unordered_map<Digest, Call *, Hash> calls;
    ngx_queue_t queue;          // those that are queued
    ngx_uint_t running = 0;

    time_t logged = 0;          // the second of the last message
    ngx_uint_t unlogged = 0;
};

namespace {

using Remote = ngx_http_llm_remote_t;

// How a call ended, for the breaker.
enum class Verdict { good, bad, neither };

std::int64_t now() noexcept {
    return static_cast<std::int64_t>(ngx_current_msec);
}

void on_timer(ngx_event_t *ev) noexcept;
void run_queue(Remote *remote) noexcept;

// For events that outlive requests: debug logs print the descriptor of what
// looks like a connection.
ngx_connection_t *no_connection() noexcept {
    static ngx_connection_t connection = [] {
        ngx_connection_t c = {};
        c.fd = static_cast<ngx_socket_t>(-1);
        return c;
    }();
    return &connection;
}

// One line a second for each embedding, however much goes wrong.
void complain(Remote *remote, const char *failure, bool opened) noexcept {
    if (remote->logged == ngx_time()) {
        remote->unlogged++;
        return;
    }

    u_char more[128];
    auto *p = more;
    auto *end = more + sizeof(more);
    if (opened) {
        p = ngx_slprintf(p, end, ", it is not asked for %M ms",
                         remote->conf->fail_timeout);
    }
    if (remote->unlogged) {
        p = ngx_slprintf(p, end, " (%ui more before)", remote->unlogged);
    }
    remote->logged = ngx_time();
    remote->unlogged = 0;
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "llm: embedding \"%V\": %s%*s",
                  &remote->conf->embedding.name, failure,
                  static_cast<size_t>(p - more), more);
}

void destroy(Call *call) noexcept {
    auto *remote = call->remote;
    auto &event = call->timer.event;
    if (event.timer_set) {
        ngx_del_timer(&event);
    }
    if (event.posted) {
        ngx_delete_posted_event(&event);
    }
    ngx_http_llm_endpoint_cancel(&call->lookup);
    ngx_http_llm_credentials_leave(&call->fetch);
    if (call->queued) {
        ngx_queue_remove(&call->queue);
    }
    if (call->side) {
        ngx_http_llm_side_cancel(call->side);
        remote->running--;
    }
    delete call;
}

// Nobody waits any more.
void abandon(Call *call) noexcept {
    auto *remote = call->remote;
    remote->calls.erase(call->flight);
    remote->breaker.released();
    destroy(call);
    run_queue(remote);
}

void judge(Remote *remote, Verdict verdict, const char *failure) noexcept {
    auto &breaker = remote->breaker;
    bool opened = false;
    switch (verdict) {
    case Verdict::good:
        if (breaker.succeeded()) {
            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "llm: embedding \"%V\" answers again",
                          &remote->conf->embedding.name);
        }
        return;
    case Verdict::bad:
        opened = breaker.failed(now());
        break;
    case Verdict::neither:
        breaker.released();
        break;
    }
    complain(remote, failure, opened);
}

// An empty vector: there is none, and `failure` says why.
void finish(Call *call, Verdict verdict, const char *failure,
            std::span<const float> vector) noexcept {
    auto *remote = call->remote;

    // Who asks from now on asks anew, and nobody can end this call but us.
    remote->calls.erase(call->flight);
    call->finishing = true;
    judge(remote, verdict, failure);
    if (!vector.empty() && remote->conf->recent) {
        ngx_http_llm_recent_put(remote->conf->recent, call->key, vector);
    }

    // A handler may end a request, and with it other waiters.
    while (!ngx_queue_empty(&call->waiters)) {
        auto *waiter = ngx_queue_data(ngx_queue_head(&call->waiters), Waiter,
                                      queue);
        ngx_queue_remove(&waiter->queue);
        waiter->call = nullptr;
        waiter->handler(waiter->data, vector);
    }
    destroy(call);
    run_queue(remote);
}

void fail(Call *call, Verdict verdict, const char *failure) noexcept {
    finish(call, verdict, failure, {});
}

// Not at once: waiters are never called from where they begin to wait.
void fail_later(Call *call, const char *failure) noexcept {
    call->failure = failure;
    ngx_post_event(&call->timer.event, &ngx_posted_events);
}

// What a status other than 200 says of the endpoint.
Verdict verdict_of(const Conf &conf, ngx_uint_t status) noexcept {
    switch (status) {
    case 400:
    case 413:
    case 422:
        // It is about this text: too long for the model, say.
        return Verdict::neither;
    case 401:
    case 402:
    case 403:
    case 429:
        // Another client's key may do.
        return conf.per_client ? Verdict::neither : Verdict::bad;
    default:
        return Verdict::bad;
    }
}

// Whether it was the credentials that were refused: then the next call has
// others.
void note_refusal(const Conf &conf, ngx_http_llm_credentials_t *auth,
                  const ngx_http_llm_side_answer_t &answer) {
    llm::AnswerHead head;
    head.status = static_cast<int>(answer.status);
    auto error = conf.provider->format->parse_error(head, answer.body);
    ngx_http_llm_credentials_refused(auth, answer.status, {}, error);
}

void on_answer(void *data, const ngx_http_llm_side_answer_t &answer) noexcept
try {
    auto *call = static_cast<Call *>(data);
    auto *remote = call->remote;
    const auto &conf = *remote->conf;
    call->side = nullptr;
    remote->running--;

    if (answer.failure) {
        if (answer.unreachable) {
            ngx_http_llm_endpoint_failed(conf.provider->endpoint,
                                         &call->sockaddr.sockaddr,
                                         call->socklen);
        }
        fail(call, Verdict::bad, answer.failure);
        return;
    }

    if (answer.status != 200) {
        if (auto *auth = conf.provider->auth) {
            note_refusal(conf, auth, answer);
        }
        // The body is not told: it may repeat the key, or the text.
        u_char reason[64];
        ngx_sprintf(reason, "status %ui%Z", answer.status);
        fail(call, verdict_of(conf, answer.status),
             reinterpret_cast<char *>(reason));
        return;
    }

    float vector[llm::vector::max_dimensions];
    std::span<float> out(vector, conf.embedding.dimensions);
    auto read = embedding::read_answer(*conf.api, answer.body, out);
    if (!read) {
        fail(call, Verdict::bad, read.error().message.c_str());
        return;
    }
    finish(call, Verdict::good, nullptr, out);

} catch (const std::bad_alloc &) {
    fail(static_cast<Call *>(data), Verdict::neither, "no memory");
}

// The headers that credentials are shown in. False: there are none.
bool add_credentials(Call *call) {
    const auto &conf = *call->remote->conf;
    auto *auth = conf.provider->auth;
    const auto *shown = call->keys ? &*call->keys
                                   : ngx_http_llm_credentials_get(auth);
    if (shown == nullptr) {
        return false;
    }
    std::string_view url = conf.url;
    std::string_view body = call->body;
    ngx_http_llm_signed_request_t request;
    request.method = "POST";
    request.host = to_view(conf.provider->host_header);
    request.target = url.substr(url.find('/', url.find("://") + 3));
    request.content_type = "application/json";
    request.body = {&body, 1};

    std::string lines;
    ngx_http_llm_credentials_show(auth, *shown, request, lines);
    for (size_t at = 0; at < lines.size();) {
        size_t end = lines.find("\r\n", at);
        call->headers.push_back(lines.substr(at, end - at));
        at = end + 2;
    }
    return true;
}

// Chooses an address and sends the call; nullptr, or why it cannot.
const char *launch(Call *call) noexcept try {
    auto *conf = call->remote->conf;

    if (conf->provider->auth && !add_credentials(call)) {
        return "its provider has no credentials";
    }
    std::unique_ptr<ngx_pool_t, decltype(&ngx_destroy_pool)> pool(
        ngx_create_pool(1024, ngx_cycle->log), ngx_destroy_pool);
    if (pool == nullptr) {
        return "no memory";
    }
    struct sockaddr *sockaddr;
    ngx_str_t *name;
    if (!ngx_http_llm_endpoint_pick(conf->provider->endpoint, pool.get(),
                                    &sockaddr, &call->socklen, &name)) {
        return "its host has no address";
    }
    ngx_memcpy(&call->sockaddr, sockaddr, call->socklen);

    ngx_http_llm_side_request_t request;
    request.url = conf->url;
    request.address = to_view(*name);
    request.headers = std::move(call->headers);
    request.body = std::move(call->body);
    request.tls = &conf->tls;
    request.max_answer = embedding::max_answer(conf->embedding.dimensions);
    request.max_idle = conf->provider->keepalive
                           ? conf->provider->keepalive_timeout : 0;

    call->side = ngx_http_llm_side_call(std::move(request), on_answer, call);
    if (call->side == nullptr) {
        return "no memory";
    }
    call->remote->running++;
    return nullptr;

} catch (const std::bad_alloc &) {
    return "no memory";
}

void run_queue(Remote *remote) noexcept {
    while (!ngx_queue_empty(&remote->queue)
           && remote->running < remote->conf->connections) {
        auto *call = ngx_queue_data(ngx_queue_head(&remote->queue), Call,
                                    queue);
        ngx_queue_remove(&call->queue);
        call->queued = false;
        if (const char *failure = launch(call)) {
            fail_later(call, failure);
        }
    }
}

void enqueue(Call *call) noexcept {
    ngx_queue_insert_tail(&call->remote->queue, &call->queue);
    call->queued = true;
    run_queue(call->remote);
}

void on_fetched(void *data) noexcept {
    enqueue(static_cast<Call *>(data));
}

void fetch(Call *call) noexcept {
    auto *auth = call->remote->conf->provider->auth;
    call->fetch.handler = on_fetched;
    call->fetch.data = call;
    if (auth == nullptr
        || ngx_http_llm_credentials_want(auth, &call->fetch) == NGX_OK) {
        enqueue(call);
    }
}

void on_lookup(void *data) noexcept {
    fetch(static_cast<Call *>(data));
}

void on_timer(ngx_event_t *ev) noexcept {
    auto *call = reinterpret_cast<Timer *>(ev)->owner;
    auto *endpoint = call->remote->conf->provider->endpoint;

    if (call->failure) {
        fail(call, Verdict::bad, call->failure);
        return;
    }
    if (call->queued) {
        // That the others are slow is told of them.
        fail(call, Verdict::neither, "timed out, all connections are in use");
        return;
    }
    if (call->fetch.waiting) {
        fail(call, Verdict::bad, "timed out while its credentials are fetched");
        return;
    }
    if (call->side && !ngx_http_llm_side_connected(call->side)) {
        ngx_http_llm_endpoint_failed(endpoint, &call->sockaddr.sockaddr,
                                     call->socklen);
    }
    fail(call, Verdict::bad,
         call->side ? "timed out" : "timed out while its host is looked up");
}

bool evaluate(ngx_http_request_t *r, ngx_http_complex_value_t &value,
              std::string_view &out) noexcept {
    ngx_str_t text;
    if (ngx_http_complex_value(r, &value, &text) != NGX_OK) {
        return false;
    }
    out = to_view(text);
    return std::none_of(out.begin(), out.end(), [](unsigned char c) {
        return (c < 0x20 && c != '\t') || c == 0x7F;
    });
}

bool is_name(std::string_view a, const ngx_str_t &b) noexcept {
    return a.size() == b.len
           && ngx_strncasecmp(to_ngx(a).data, b.data, b.len) == 0;
}

// As the provider's block has them. False: a value that cannot be sent.
bool make_headers(ngx_http_request_t *r, const Conf &conf,
                  std::vector<std::string> &headers) {
    const auto &provider = *conf.provider;
    auto add = [&](std::string_view name, std::string_view value) {
        headers.emplace_back(name).append(": ").append(value);
    };
    add("Host", to_view(provider.host_header));
    add("Content-Type", "application/json");

    bool own_key = false;
    bool own_accept = false;
    auto *own = static_cast<ngx_http_llm_header_t *>(provider.headers.elts);
    std::string_view value;
    for (ngx_uint_t i = 0; i < provider.headers.nelts; i++) {
        own_key = own_key || is_name(conf.api->key_header(), own[i].name);
        own_accept = own_accept || is_name("accept", own[i].name);
        if (!evaluate(r, own[i].value, value)) {
            return false;
        }
        if (!value.empty()) {
            add(to_view(own[i].name), value);
        }
    }

    if (!own_accept) {
        add("Accept", "application/json");
    }
    if (provider.api_key == nullptr || own_key) {
        return true;
    }
    if (!evaluate(r, *provider.api_key, value)) {
        return false;
    }
    constexpr std::string_view bearer = "Bearer ";
    // A variable may hold the client's own header.
    bool whole = value.size() > bearer.size()
                 && ngx_strncasecmp(to_ngx(value).data, to_ngx(bearer).data,
                                    bearer.size()) == 0;
    bool authorization = conf.api->key_header() == "authorization";
    auto name = authorization ? "Authorization" : conf.api->key_header();
    if (whole && !authorization) {
        value.remove_prefix(bearer.size());
    }
    if (!value.empty()) {
        std::string text(authorization && !whole ? bearer : "");
        add(name, text.append(value));
    }
    return true;
}

Remote *remote_of(Conf *conf) {
    if (conf->remote == nullptr) {
        conf->remote = new Remote(conf);
    }
    return conf->remote;
}

void join(Call *call, Waiter *waiter) noexcept {
    waiter->call = call;
    ngx_queue_insert_tail(&call->waiters, &waiter->queue);
}

}  // namespace

ngx_int_t ngx_http_llm_remote_embed(
    ngx_http_request_t *r, ngx_http_llm_embedding_conf_t *conf,
    std::string_view text, std::span<float> out,
    ngx_http_llm_embed_waiter_t *waiter) noexcept try {
    // Only white space is no text, and some APIs refuse it.
    if (text.find_first_not_of(" \t\r\n") == text.npos
        || text.size() > ngx_http_llm_embedding_max_text) {
        return NGX_DECLINED;
    }

    Digest key;
    if (!ngx_http_llm_digest({to_view(conf->embedding.identity), text}, key)) {
        return NGX_DECLINED;
    }
    if (conf->recent && ngx_http_llm_recent_get(conf->recent, key, out)) {
        return NGX_OK;
    }

    auto *remote = remote_of(conf);
    auto call = std::make_unique<Call>();
    if (!make_headers(r, *conf, call->headers)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "llm: embedding \"%V\": a header's value cannot be "
                      "sent", &conf->embedding.name);
        return NGX_DECLINED;
    }
    if (auto *auth = conf->provider->auth;
        ngx_http_llm_credentials_vary(auth)
        && !ngx_http_llm_credentials_evaluate(r, auth,
                                              call->keys.emplace())) {
        return NGX_DECLINED;
    }
    Digest flight = key;
    if (conf->per_client) {
        // What one client's key is refused may be granted to another.
        std::string all;
        if (call->keys) {
            all.append(call->keys->access_key).push_back('\n');
            all.append(call->keys->secret_key).push_back('\n');
            all.append(call->keys->token).push_back('\n');
        }
        for (const auto &header : call->headers) {
            all.append(header).push_back('\n');
        }
        if (!ngx_http_llm_digest({to_view(key), all}, flight)) {
            return NGX_DECLINED;
        }
    }

    if (auto known = remote->calls.find(flight);
        known != remote->calls.end()) {
        join(known->second, waiter);
        return NGX_AGAIN;
    }
    embedding::Question question;
    question.model = to_view(conf->model);
    question.text = text;
    if (conf->send_dimensions) {
        question.dimensions =
            static_cast<std::uint32_t>(conf->embedding.dimensions);
        question.dimensions_member = conf->dimensions_member;
    }
    embedding::write_question(*conf->api, question, call->body);

    call->remote = remote;
    call->flight = flight;
    call->key = key;
    remote->calls.emplace(flight, call.get());
    if (!remote->breaker.admit(now())) {
        remote->calls.erase(flight);
        // The failures that led to this may have come in one second.
        if (remote->unlogged && remote->logged != ngx_time()) {
            complain(remote, "it is not asked for a while", false);
        }
        return NGX_DECLINED;
    }

    // From here on nothing fails.
    auto *started = call.release();
    ngx_queue_init(&started->waiters);
    join(started, waiter);

    started->timer.owner = started;
    started->timer.event.handler = on_timer;
    started->timer.event.data = no_connection();
    started->timer.event.log = ngx_cycle->log;
    ngx_add_timer(&started->timer.event, conf->timeout);

    started->lookup.handler = on_lookup;
    started->lookup.data = started;
    if (ngx_http_llm_endpoint_resolve(conf->provider->endpoint,
                                      &started->lookup) == NGX_OK) {
        fetch(started);
    }
    return NGX_AGAIN;

} catch (const std::bad_alloc &) {
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "llm: embedding \"%V\": no memory", &conf->embedding.name);
    return NGX_DECLINED;
}

void ngx_http_llm_remote_leave(ngx_http_llm_embed_waiter_t *waiter) noexcept {
    auto *call = static_cast<Call *>(waiter->call);
    if (call == nullptr) {
        return;
    }
    waiter->call = nullptr;
    ngx_queue_remove(&waiter->queue);
    if (ngx_queue_empty(&call->waiters) && !call->finishing) {
        abandon(call);
    }
}

void ngx_http_llm_remote_destroy(ngx_http_llm_embedding_conf_t *conf)
    noexcept {
    auto *remote = conf->remote;
    if (remote == nullptr) {
        return;
    }
    conf->remote = nullptr;
    for (auto &[flight, call] : remote->calls) {
        while (!ngx_queue_empty(&call->waiters)) {
            auto *waiter = ngx_queue_data(ngx_queue_head(&call->waiters),
                                          Waiter, queue);
            ngx_queue_remove(&waiter->queue);
            waiter->call = nullptr;
        }
        destroy(call);
    }
    delete remote;
}
