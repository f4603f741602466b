#include "side_call.hpp"

#include <memory>
#include <new>

#include <curl/curl.h>
#include <openssl/err.h>

struct ngx_http_llm_side_call_t {
    ngx_http_llm_side_request_t request;
    ngx_http_llm_side_handler_pt handler = nullptr;
    void *data = nullptr;

    CURL *easy = nullptr;
    struct curl_slist *headers = nullptr;
    struct curl_slist *connect_to = nullptr;
    bool added = false;         // to the worker's multi handle

    std::string answer;
    bool too_large = false;
    char error[CURL_ERROR_SIZE] = {};

    ngx_http_llm_side_call_t *previous = nullptr;
    ngx_http_llm_side_call_t *next = nullptr;

    ~ngx_http_llm_side_call_t();
};

namespace {

using Call = ngx_http_llm_side_call_t;

// Idle connections of a worker, all servers together.
constexpr long max_idle_connections = 64;

// What a worker has for its calls; made with the first of them.
struct {
    CURLM *multi = nullptr;
    Call *calls = nullptr;

    // When libcurl is to be called though nothing has happened. Debug logs
    // print the descriptor of what looks like a connection.
    ngx_event_t timer = {};
    ngx_connection_t timer_owner = {};
} worker;

// Around whatever libcurl does with TLS: errors that it leaves in OpenSSL's
// queue, which is the process's, would be taken for those of nginx's own
// connections.
class CleanErrors {
public:
    CleanErrors() noexcept = default;
    ~CleanErrors() { ERR_clear_error(); }
    CleanErrors(const CleanErrors &) = delete;
    CleanErrors &operator=(const CleanErrors &) = delete;
};

void list(Call *call) noexcept {
    call->next = worker.calls;
    if (call->next) {
        call->next->previous = call;
    }
    worker.calls = call;
}

void unlist(Call *call) noexcept {
    if (call->next) {
        call->next->previous = call->previous;
    }
    if (call->previous) {
        call->previous->next = call->next;
    } else if (worker.calls == call) {
        worker.calls = call->next;
    }
}

void end(Call *call, CURLcode code) noexcept {
    ngx_http_llm_side_answer_t answer = {};

    if (code == CURLE_OK) {
        long status = 0;
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        answer.status = static_cast<ngx_uint_t>(status);
        answer.body = call->answer;
    } else if (call->too_large) {
        answer.failure = "the answer is too large";
    } else {
        answer.failure = call->error[0] ? call->error
                                        : curl_easy_strerror(code);
        // A refusal at once is counted as no attempt to connect.
        answer.unreachable = code == CURLE_COULDNT_CONNECT
                             || !ngx_http_llm_side_connected(call);
    }

    // Before the handler, so that it finds the connection free for another.
    {
        CleanErrors clean;
        curl_multi_remove_handle(worker.multi, call->easy);
    }
    call->added = false;

    std::unique_ptr<Call> owner(call);
    call->handler(call->data, answer);
}

// Calls that have ended. Their handlers may start and cancel others.
void collect() noexcept {
    int left;
    while (auto *message = curl_multi_info_read(worker.multi, &left)) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        char *call = nullptr;
        auto code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        end(reinterpret_cast<Call *>(call), code);
    }
}

// The connection may be freed in here, and its place be another's.
void act(curl_socket_t fd, int what) noexcept {
    CURLMcode code;
    {
        CleanErrors clean;
        int running;
        code = curl_multi_socket_action(worker.multi, fd, what, &running);
    }
    if (code != CURLM_OK) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "llm: curl_multi_socket_action() failed: %s",
                      curl_multi_strerror(code));
    }
    collect();
}

void on_timer(ngx_event_t *) noexcept {
    act(CURL_SOCKET_TIMEOUT, 0);
}

void on_readable(ngx_event_t *ev) noexcept {
    act(static_cast<ngx_connection_t *>(ev->data)->fd, CURL_CSELECT_IN);
}

void on_writable(ngx_event_t *ev) noexcept {
    act(static_cast<ngx_connection_t *>(ev->data)->fd, CURL_CSELECT_OUT);
}

// Level-triggered: libcurl need not read all there is.
ngx_int_t watch(ngx_event_t *ev, ngx_int_t kind, bool wanted) noexcept {
    if (wanted == (ev->active != 0)) {
        return NGX_OK;
    }
    return wanted ? ngx_add_event(ev, kind, 0) : ngx_del_event(ev, kind, 0);
}

void forget(ngx_connection_t *c) noexcept {
    (void) watch(c->read, NGX_READ_EVENT, false);
    (void) watch(c->write, NGX_WRITE_EVENT, false);
    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }
    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }
    ngx_free_connection(c);
    // libcurl closes it. Events of it that have been fetched are recognised as
    // stale by this, and a worker that leaves does not complain.
    c->fd = static_cast<ngx_socket_t>(-1);
}

// CURLMOPT_SOCKETFUNCTION. -1 would end all calls; instead a socket that
// cannot be watched is left to its call's time limit.
int on_socket(CURL *, curl_socket_t fd, int what, void *, void *known)
    noexcept {
    auto *c = static_cast<ngx_connection_t *>(known);

    if (what == CURL_POLL_REMOVE) {
        if (c) {
            forget(c);
            curl_multi_assign(worker.multi, fd, nullptr);
        }
        return 0;
    }

    if (c == nullptr) {
        c = ngx_get_connection(fd, ngx_cycle->log);
        if (c == nullptr) {
            return 0;
        }
        c->read->handler = on_readable;
        c->write->handler = on_writable;
        c->read->log = c->write->log = ngx_cycle->log;
        curl_multi_assign(worker.multi, fd, c);
    }
    if (watch(c->read, NGX_READ_EVENT, (what & CURL_POLL_IN) != 0) != NGX_OK
        || watch(c->write, NGX_WRITE_EVENT, (what & CURL_POLL_OUT) != 0)
               != NGX_OK) {
        forget(c);
        curl_multi_assign(worker.multi, fd, nullptr);
    }
    return 0;
}

// CURLMOPT_TIMERFUNCTION. libcurl must not be called from in here.
int on_timeout_change(CURLM *, long timeout, void *) noexcept {
    auto *timer = &worker.timer;
    timer->log = ngx_cycle->log;
    // nginx leaves a timer as it is when it is to change by little.
    if (timer->timer_set) {
        ngx_del_timer(timer);
    }
    if (timeout == 0) {
        if (!timer->posted) {
            ngx_post_event(timer, &ngx_posted_events);
        }
    } else if (timeout > 0) {
        ngx_add_timer(timer, static_cast<ngx_msec_t>(timeout));
    }
    return 0;
}

size_t on_body(char *bytes, size_t, size_t size, void *data) noexcept try {
    auto *call = static_cast<Call *>(data);
    if (size > call->request.max_answer - call->answer.size()) {
        call->too_large = true;
        return 0;
    }
    call->answer.append(bytes, size);
    return size;
} catch (const std::bad_alloc &) {
    return 0;
}

// Of CURLOPT_SSLVERSION.
long tls_versions(ngx_uint_t protocols) noexcept {
    static constexpr struct {
        ngx_uint_t protocol;
        long lowest;
        long highest;
    } versions[] = {
        {NGX_SSL_TLSv1, CURL_SSLVERSION_TLSv1_0, CURL_SSLVERSION_MAX_TLSv1_0},
        {NGX_SSL_TLSv1_1, CURL_SSLVERSION_TLSv1_1,
         CURL_SSLVERSION_MAX_TLSv1_1},
        {NGX_SSL_TLSv1_2, CURL_SSLVERSION_TLSv1_2,
         CURL_SSLVERSION_MAX_TLSv1_2},
        {NGX_SSL_TLSv1_3, CURL_SSLVERSION_TLSv1_3,
         CURL_SSLVERSION_MAX_TLSv1_3},
    };
    long lowest = CURL_SSLVERSION_DEFAULT;
    long highest = 0;
    for (const auto &version : versions) {
        if (protocols & version.protocol) {
            if (highest == 0) {
                lowest = version.lowest;
            }
            highest = version.highest;
        }
    }
    return lowest | highest;
}

// curl_easy_setopt() is a macro of many types; this remembers a failure.
class Options {
public:
    explicit Options(CURL *easy) noexcept : easy_(easy) {}

    template <typename T>
    Options &set(CURLoption option, T value) noexcept {
        if (code_ == CURLE_OK) {
            code_ = (curl_easy_setopt)(easy_, option, value);
        }
        return *this;
    }

    // Where a library lacks an option, what it does by itself must do.
    template <typename T>
    Options &try_set(CURLoption option, T value) noexcept {
        (void) (curl_easy_setopt)(easy_, option, value);
        return *this;
    }

    Options &blob(CURLoption option, std::string_view bytes) noexcept {
        struct curl_blob blob = {const_cast<char *>(bytes.data()),
                                 bytes.size(), CURL_BLOB_NOCOPY};
        return set(option, &blob);
    }

    CURLcode code() const noexcept { return code_; }

private:
    CURL *easy_;
    CURLcode code_ = CURLE_OK;
};

void set_tls(Options &options, const ngx_http_llm_side_tls_t &tls) noexcept {
    options.set(CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L)
        .set(CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L)
        .set(CURLOPT_SSLVERSION, tls_versions(tls.protocols));
    if (tls.trusted) {
        // Without a folder besides, the authorities are read once by a worker
        // and not for each connection (since 7.87).
        options.set(CURLOPT_CAINFO, tls.trusted)
            .try_set(CURLOPT_CAPATH, static_cast<const char *>(nullptr));
    }
#if CURL_AT_LEAST_VERSION(7, 87, 0)
    options.try_set(CURLOPT_CA_CACHE_TIMEOUT, -1L);
#endif
    if (tls.ciphers) {
        options.set(CURLOPT_SSL_CIPHER_LIST, tls.ciphers);
    }
    if (!tls.certificate.empty()) {
        options.blob(CURLOPT_SSLCERT_BLOB, tls.certificate)
            .set(CURLOPT_SSLCERTTYPE, "PEM")
            .blob(CURLOPT_SSLKEY_BLOB, tls.certificate_key)
            .set(CURLOPT_SSLKEYTYPE, "PEM");
    }
}

// A PUT goes out as a POST of nothing under another name, with a length of 0
// and no waiting for anything.
void set_method(Options &options, const ngx_http_llm_side_request_t &request)
    noexcept {
    std::string_view method = request.method;
    if (method == "GET") {
        options.set(CURLOPT_HTTPGET, 1L);
        return;
    }
    options.set(CURLOPT_POST, 1L)
        .set(CURLOPT_POSTFIELDS, request.body.data())
        .set(CURLOPT_POSTFIELDSIZE_LARGE,
             static_cast<curl_off_t>(request.body.size()));
    if (method != "POST") {
        options.set(CURLOPT_CUSTOMREQUEST, request.method);
    }
}

bool append(struct curl_slist **list, const char *text) noexcept {
    auto *longer = curl_slist_append(*list, text);
    if (longer) {
        *list = longer;
    }
    return longer != nullptr;
}

// Seconds, rounded up.
long seconds(ngx_msec_t time) noexcept {
    return static_cast<long>((time + 999) / 1000);
}

bool prepare(Call *call) noexcept {
    const auto &request = call->request;

    // Any host and port of the URL, at this address.
    std::string connect_to = "::" + request.address;
    if (!append(&call->connect_to, connect_to.c_str())) {
        return false;
    }
    for (const auto &header : request.headers) {
        if (!append(&call->headers, header.c_str())) {
            return false;
        }
    }
    // No waiting for "100 Continue".
    if (!append(&call->headers, "Expect:")) {
        return false;
    }

    Options options(call->easy);
    options.set(CURLOPT_PRIVATE, static_cast<void *>(call))
        .set(CURLOPT_NOSIGNAL, 1L)
        .set(CURLOPT_ERRORBUFFER, static_cast<char *>(call->error))
        .set(CURLOPT_URL, request.url)
        .set(CURLOPT_PATH_AS_IS, 1L)
        .set(CURLOPT_CONNECT_TO, call->connect_to)
        // Neither proxies nor passwords of the environment's.
        .set(CURLOPT_PROXY, "")
        .set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED))
        .set(CURLOPT_FOLLOWLOCATION, 0L)
        .set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1))
        .set(CURLOPT_HTTPHEADER, call->headers)
        .set(CURLOPT_TCP_KEEPALIVE, 1L)
        .set(CURLOPT_MAXAGE_CONN, seconds(request.max_idle))
        .set(CURLOPT_FORBID_REUSE, request.max_idle ? 0L : 1L)
        .set(CURLOPT_WRITEFUNCTION, &on_body)
        .set(CURLOPT_WRITEDATA, static_cast<void *>(call));
    set_method(options, request);
    set_tls(options, *request.tls);

    if (options.code() != CURLE_OK) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "llm: curl_easy_setopt() failed: %s",
                      curl_easy_strerror(options.code()));
        return false;
    }
    return true;
}

}  // namespace

ngx_http_llm_side_call_t::~ngx_http_llm_side_call_t() {
    CleanErrors clean;
    unlist(this);
    if (added) {
        curl_multi_remove_handle(worker.multi, easy);
    }
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    curl_slist_free_all(connect_to);
}

ngx_http_llm_side_call_t *ngx_http_llm_side_call(
    ngx_http_llm_side_request_t request, ngx_http_llm_side_handler_pt handler,
    void *data) noexcept try {
    if (ngx_http_llm_side_start() != NGX_OK) {
        return nullptr;
    }
    auto call = std::make_unique<Call>();
    call->request = std::move(request);
    call->handler = handler;
    call->data = data;
    list(call.get());

    call->easy = curl_easy_init();
    if (call->easy == nullptr || !prepare(call.get())
        || curl_multi_add_handle(worker.multi, call->easy) != CURLM_OK) {
        return nullptr;
    }
    call->added = true;
    return call.release();

} catch (const std::bad_alloc &) {
    return nullptr;
}

void ngx_http_llm_side_cancel(ngx_http_llm_side_call_t *call) noexcept {
    delete call;
}

bool ngx_http_llm_side_connected(const ngx_http_llm_side_call_t *call)
    noexcept {
    curl_off_t time = 0;        // 0 as well where the connection was kept
    long connections = 0;       // made for this call
    curl_easy_getinfo(call->easy, CURLINFO_CONNECT_TIME_T, &time);
    curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connections);
    return time > 0 || connections == 0;
}

ngx_int_t ngx_http_llm_side_start() noexcept {
    if (worker.multi) {
        return NGX_OK;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return NGX_ERROR;
    }
    worker.multi = curl_multi_init();
    if (worker.multi == nullptr) {
        curl_global_cleanup();
        return NGX_ERROR;
    }

    worker.timer_owner.fd = static_cast<ngx_socket_t>(-1);
    worker.timer.data = &worker.timer_owner;
    worker.timer.handler = on_timer;
    // It is the callers' own time limits that keep a worker until they are
    // through.
    worker.timer.cancelable = 1;

    curl_multi_setopt(worker.multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(worker.multi, CURLMOPT_TIMERFUNCTION,
                      &on_timeout_change);
    curl_multi_setopt(worker.multi, CURLMOPT_MAXCONNECTS,
                      max_idle_connections);
    return NGX_OK;
}

void ngx_http_llm_side_stop() noexcept {
    if (worker.multi == nullptr) {
        return;
    }
    while (worker.calls) {
        delete worker.calls;
    }
    CleanErrors clean;
    curl_multi_cleanup(worker.multi);
    worker.multi = nullptr;
    if (worker.timer.timer_set) {
        ngx_del_timer(&worker.timer);
    }
    if (worker.timer.posted) {
        ngx_delete_posted_event(&worker.timer);
    }
    curl_global_cleanup();
}
