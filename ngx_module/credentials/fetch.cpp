// One fetch: the steps of llm::credentials::Fetch, all of them within the
// timeout.
//
//     resolving   the host of the step's server is looked up
//     running     the request is with libcurl
//
// It ends with succeed() or fail(), which hand on to those who wait; or with
// stop().
#include "credentials/credentials.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <new>

#include "credentials/file.hpp"

namespace {

namespace credentials = llm::credentials;

using Credentials = ngx_http_llm_credentials_t;
using Run = ngx_http_llm_credentials_run_t;
using credentials::HttpRequest;

// Of tokens and keys; more is none.
constexpr size_t max_answer = 64 * 1024;

// Timers that are set for longer would overflow what the kernel takes.
constexpr credentials::Time longest_timer = 86400;

struct Timer {
    ngx_event_t event = {};     // first: nginx hands out its address
    Run *owner = nullptr;
};

}  // namespace

struct ngx_http_llm_credentials_run_t {
    explicit ngx_http_llm_credentials_run_t(Credentials *credentials)
        : owner(credentials), fetch(credentials->source->begin()) {}

    Credentials *owner;
    std::unique_ptr<credentials::Fetch> fetch;
    HttpRequest request;        // of the step under way
    std::string url;
    ngx_http_llm_waiter_t lookup = {};
    ngx_http_llm_side_call_t *side = nullptr;
    ngx_sockaddr_t sockaddr = {};
    socklen_t socklen = 0;
    Timer timer;
};

namespace {

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

void remove_event(ngx_event_t &event) noexcept {
    if (event.timer_set) {
        ngx_del_timer(&event);
    }
    if (event.posted) {
        ngx_delete_posted_event(&event);
    }
}

void destroy(Run *run) noexcept {
    run->owner->run = nullptr;
    remove_event(run->timer.event);
    ngx_http_llm_endpoint_cancel(&run->lookup);
    if (run->side) {
        ngx_http_llm_side_cancel(run->side);
    }
    delete run;
}

// A handler may end a request, and with it other waiters.
void wake(Credentials *owner) noexcept {
    while (!ngx_queue_empty(&owner->waiters)) {
        auto *waiter = ngx_queue_data(ngx_queue_head(&owner->waiters),
                                      ngx_http_llm_waiter_t, queue);
        ngx_queue_remove(&waiter->queue);
        waiter->waiting = 0;
        waiter->handler(waiter->data);
    }
}

void on_renewal(ngx_event_t *ev) noexcept;

void schedule(Credentials *owner) noexcept {
    auto at = owner->keeper.renew_at();
    auto &event = owner->renewal.event;
    remove_event(event);
    if (at == credentials::never) {
        return;
    }
    owner->renewal.owner = owner;
    event.handler = on_renewal;
    event.data = no_connection();
    event.log = ngx_cycle->log;
    // Nobody waits for it: a worker may leave.
    event.cancelable = 1;
    auto wait = std::clamp<credentials::Time>(at - ngx_time(), 1,
                                              longest_timer);
    ngx_add_timer(&event, static_cast<ngx_msec_t>(wait) * 1000);
}

void succeed(Run *run, credentials::Credential credential) noexcept {
    auto *owner = run->owner;
    auto life = credential.expires - ngx_time();
    bool ends = credential.expires != credentials::never;

    destroy(run);
    owner->keeper.store(std::move(credential), ngx_time());
    owner->used = !ngx_queue_empty(&owner->waiters);
    if (ends) {
        ngx_uint_t level = NGX_LOG_NOTICE;
        if (owner->failure.empty()) {
            level = NGX_LOG_INFO;
        }
        ngx_log_error(level, ngx_cycle->log, 0,
                      "llm: credentials of \"%V\" are good for %T s",
                      &owner->provider, static_cast<time_t>(life));
    }
    owner->failure.clear();
    schedule(owner);
    wake(owner);
}

void fail(Run *run, std::string_view message, std::string_view more = {})
    noexcept {
    auto *owner = run->owner;
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "llm: credentials of \"%V\": %*s%s%*s", &owner->provider,
                  message.size(), message.data(), more.empty() ? "" : ": ",
                  more.size(), more.data());
    try {
        owner->failure = message;
    } catch (const std::bad_alloc &) {
        owner->failure.clear();
    }
    destroy(run);
    owner->keeper.failed(ngx_time());
    wake(owner);
}

void take_step(Run *run, credentials::Outcome outcome) noexcept;

void on_answer(void *data, const ngx_http_llm_side_answer_t &answer) noexcept {
    auto *run = static_cast<Run *>(data);
    run->side = nullptr;

    if (answer.failure) {
        if (answer.unreachable) {
            ngx_http_llm_endpoint_failed(
                run->owner->servers[run->request.server].endpoint,
                &run->sockaddr.sockaddr, run->socklen);
        }
        // libcurl's words have addresses in them.
        fail(run,
             answer.unreachable ? "no connection to their server came up"
                                : "their server gave no whole answer",
             answer.failure);
        return;
    }
    take_step(run, {static_cast<int>(answer.status), answer.body, ngx_time()});
}

const char *name_of(HttpRequest::Method method) noexcept {
    switch (method) {
    case HttpRequest::Method::get:
        return "GET";
    case HttpRequest::Method::put:
        return "PUT";
    case HttpRequest::Method::post:
        break;
    }
    return "POST";
}

void launch(Run *run) noexcept try {
    const auto &server = run->owner->servers[run->request.server];

    std::unique_ptr<ngx_pool_t, decltype(&ngx_destroy_pool)> pool(
        ngx_create_pool(1024, ngx_cycle->log), ngx_destroy_pool);
    if (pool == nullptr) {
        throw std::bad_alloc();
    }
    struct sockaddr *sockaddr;
    ngx_str_t *name;
    if (!ngx_http_llm_endpoint_pick(server.endpoint, pool.get(), &sockaddr,
                                    &run->socklen, &name)) {
        fail(run, "their server's host has no address", server.url);
        return;
    }
    ngx_memcpy(&run->sockaddr, sockaddr, run->socklen);

    run->url = server.url;
    run->url.append(run->request.path);
    ngx_http_llm_side_request_t request;
    request.url = run->url.c_str();
    request.address = to_view(*name);
    request.method = name_of(run->request.method);
    for (const auto &[key, value] : run->request.headers) {
        request.headers.push_back(key + ": " + value);
    }
    request.body = run->request.body;
    request.tls = &run->owner->tls;
    request.max_answer = max_answer;

    run->side = ngx_http_llm_side_call(std::move(request), on_answer, run);
    if (run->side == nullptr) {
        throw std::bad_alloc();
    }

} catch (const std::bad_alloc &) {
    fail(run, "no memory");
}

void on_lookup(void *data) noexcept {
    launch(static_cast<Run *>(data));
}

std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view blank = " \t\r\n";
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    return text.substr(0, text.find_last_not_of(blank) + 1);
}

// The next steps, up to one that has to be waited for. May end the run.
void take_step(Run *run, credentials::Outcome outcome) noexcept try {
    std::string text;
    for (;;) {
        // Servers end texts with a line, too.
        outcome.text = trim(outcome.text);
        auto step = run->fetch->next(outcome);
        if (!step) {
            fail(run, step.error().message, run->fetch->detail());
            return;
        }
        if (auto *credential = std::get_if<credentials::Credential>(&*step)) {
            succeed(run, std::move(*credential));
            return;
        }
        if (auto *request = std::get_if<HttpRequest>(&*step)) {
            run->request = std::move(*request);
            break;
        }
        const auto &path = std::get<credentials::ReadFile>(*step).path;
        if (const char *what = ngx_http_llm_credentials_read(path, text)) {
            std::string more = path + "\": " + what;
            if (ngx_errno) {
                more.append(": ").append(std::strerror(ngx_errno));
            }
            fail(run, "the file of the token cannot be read", "\"" + more);
            return;
        }
        outcome = {0, text, ngx_time()};
    }

    run->lookup.handler = on_lookup;
    run->lookup.data = run;
    if (ngx_http_llm_endpoint_resolve(
            run->owner->servers[run->request.server].endpoint, &run->lookup)
        == NGX_OK) {
        launch(run);
    }

} catch (const std::bad_alloc &) {
    fail(run, "no memory");
}

void on_timeout(ngx_event_t *ev) noexcept {
    auto *run = reinterpret_cast<Timer *>(ev)->owner;
    if (run->side && !ngx_http_llm_side_connected(run->side)) {
        ngx_http_llm_endpoint_failed(
            run->owner->servers[run->request.server].endpoint,
            &run->sockaddr.sockaddr, run->socklen);
    }
    fail(run, run->side ? "their server did not answer in time"
                        : "their server's host could not be looked up in "
                          "time");
}

// May end within this call.
void begin(Credentials *owner) noexcept try {
    auto *run = new Run(owner);
    owner->run = run;

    // Not cancelable: requests wait for it while a worker shuts down.
    run->timer.owner = run;
    run->timer.event.handler = on_timeout;
    run->timer.event.data = no_connection();
    run->timer.event.log = ngx_cycle->log;
    ngx_add_timer(&run->timer.event, owner->timeout);

    take_step(run, {0, {}, ngx_time()});

} catch (const std::bad_alloc &) {
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "llm: credentials of \"%V\": no memory", &owner->provider);
    owner->keeper.failed(ngx_time());
}

// Before credentials end, where somebody uses them: nobody then waits for the
// next ones. An idle worker leaves their server alone.
void on_renewal(ngx_event_t *ev) noexcept {
    auto *owner =
        reinterpret_cast<Credentials::Renewal *>(ev)->owner;
    if (ngx_time() < owner->keeper.renew_at()) {
        schedule(owner);
    } else if (owner->used && owner->run == nullptr && !ngx_exiting) {
        begin(owner);
    }
}

}  // namespace

ngx_int_t ngx_http_llm_credentials_want(Credentials *owner,
                                        ngx_http_llm_waiter_t *waiter)
    noexcept {
    using Advice = credentials::Keeper::Advice;
    if (ngx_http_llm_credentials_vary(owner)
        || owner->keeper.advice(ngx_time()) != Advice::fetch) {
        return NGX_OK;
    }
    if (owner->run == nullptr) {
        begin(owner);
        if (owner->run == nullptr) {
            return NGX_OK;
        }
    }
    waiter->waiting = 1;
    ngx_queue_insert_tail(&owner->waiters, &waiter->queue);
    return NGX_AGAIN;
}

void ngx_http_llm_credentials_leave(ngx_http_llm_waiter_t *waiter) noexcept {
    if (waiter->waiting) {
        waiter->waiting = 0;
        ngx_queue_remove(&waiter->queue);
    }
}

const credentials::Credential *ngx_http_llm_credentials_get(Credentials *owner)
    noexcept {
    using Advice = credentials::Keeper::Advice;
    owner->used = true;
    // Where it ends at once, keys are there at once.
    if (owner->keeper.advice(ngx_time()) == Advice::renew
        && owner->run == nullptr) {
        begin(owner);
    }
    return owner->keeper.usable(ngx_time());
}

llm::Error ngx_http_llm_credentials_failure(const Credentials *owner) {
    llm::Error error;
    error.kind = llm::ErrorKind::bad_gateway;
    error.message.append("there are no credentials for the provider \"")
        .append(to_view(owner->provider))
        .append("\": ");
    if (owner->run) {
        error.message.append("they are still being fetched");
        return error;
    }
    error.message.append(owner->failure.empty() ? "they have just ended"
                                                : owner->failure);
    if (auto wait = owner->keeper.wait(ngx_time())) {
        error.message.append(" (the next try is in ")
            .append(std::to_string(wait))
            .append(" s)");
    }
    return error;
}

void ngx_http_llm_credentials_refused(Credentials *owner, ngx_uint_t status,
                                      std::string_view type,
                                      llm::Error &error) {
    const char *meaning = nullptr;
    if (owner->cloud == Credentials::Cloud::aws && status >= 400
        && status < 500) {
        meaning = credentials::aws::explain_refusal(
            type.empty() ? std::string_view(error.type) : type, error.message);
    }
    if (meaning == nullptr && status != NGX_HTTP_UNAUTHORIZED) {
        return;
    }
    if (!ngx_http_llm_credentials_vary(owner)) {
        (void) owner->keeper.reject(ngx_time());
    }
    std::string message("the provider \"");
    message.append(to_view(owner->provider))
        .append("\" refuses the gateway's credentials");
    if (meaning) {
        message.append(": ").append(meaning);
    }
    error = {};
    error.kind = llm::ErrorKind::bad_gateway;
    error.message = std::move(message);
}

void ngx_http_llm_credentials_stop(Credentials *owner) noexcept {
    while (!ngx_queue_empty(&owner->waiters)) {
        ngx_http_llm_credentials_leave(
            ngx_queue_data(ngx_queue_head(&owner->waiters),
                           ngx_http_llm_waiter_t, queue));
    }
    if (owner->run) {
        destroy(owner->run);
    }
    remove_event(owner->renewal.event);
}
