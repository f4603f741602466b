// The access phase: lets in who has a key.
#include "auth/auth.hpp"

#include <exception>

#include "answer.hpp"
#include "auth/key_file.hpp"
#include "auth/key_store.hpp"
#include "client_header.hpp"

struct ngx_http_llm_refusal_t {
    ngx_int_t status;
    llm::ErrorKind kind;
    const char *code;
    // RFC 6750, section 3.1: no error is named to who sent no credentials.
    const char *challenge;
    const char *message;
    const char *reason;         // in the log
    const char *word;           // $llm_auth_status
};

namespace {

using Auth = ngx_http_llm_auth_t;

constexpr ngx_http_llm_refusal_t no_key = {
    NGX_HTTP_UNAUTHORIZED, llm::ErrorKind::authentication, "missing_api_key",
    "Bearer realm=\"llm\"",
    "this gateway needs an API key, and none was sent", "no key was sent",
    "missing"};

constexpr ngx_http_llm_refusal_t wrong_key = {
    NGX_HTTP_UNAUTHORIZED, llm::ErrorKind::authentication, "invalid_api_key",
    "Bearer realm=\"llm\", error=\"invalid_token\"",
    "the API key is not known to this gateway", "unknown key",
    "unknown"};

constexpr ngx_http_llm_refusal_t expired_key = {
    NGX_HTTP_UNAUTHORIZED, llm::ErrorKind::authentication, "invalid_api_key",
    "Bearer realm=\"llm\", error=\"invalid_token\"",
    "the API key has expired", "expired key",
    "expired"};

constexpr ngx_http_llm_refusal_t no_store = {
    NGX_HTTP_SERVICE_UNAVAILABLE, llm::ErrorKind::unavailable, "",
    nullptr, "API keys cannot be checked at the moment",
    "Redis cannot be asked for the key",
    "unavailable"};

ngx_int_t refuse(ngx_http_request_t *r, ngx_http_llm_auth_ctx_t &auth,
                 const ngx_http_llm_refusal_t &refusal,
                 std::string_view name = {}) noexcept {
    ngx_str_t who = to_ngx(name);
    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "llm_auth: %s%s%V",
                  refusal.reason, name.empty() ? "" : " of ", &who);
    auth.refusal = &refusal;
    auth.status = refusal.word;
    return refusal.status;
}

llm::CredentialSource source_of(std::string_view header) noexcept {
    return header == "authorization" ? llm::CredentialSource::authorization
                                     : llm::CredentialSource::own_header;
}

// Calls use(header's name, its whole value, the key in it) for each key that
// the client has sent, in the order of the directive's headers.
template <typename Use>
void each_key(ngx_http_request_t *r, const Auth &auth, Use use) {
    auto headers = static_cast<const ngx_str_t *>(auth.headers.elts);
    for (ngx_uint_t i = 0; i < auth.headers.nelts; ++i) {
        std::string_view name = to_view(headers[i]);
        ngx_http_llm_each_client_header(r, name, [&](std::string_view value) {
            auto key = llm::credential_in(source_of(name), value);
            if (!key.empty()) {
                use(name, value, key);
            }
        });
    }
}

// No log of a variable shows them, and no server behind gets them.
bool forget_keys(ngx_http_request_t *r, const Auth &auth) {
    for (;;) {
        std::string_view found;
        std::string_view in;
        each_key(r, auth, [&](std::string_view name, std::string_view value,
                              std::string_view) {
            in = name;
            found = value;
        });
        if (found.data() == nullptr) {
            return true;
        }
        if (!ngx_http_llm_remove_client_header(r, in, found)) {
            return false;
        }
    }
}

ngx_int_t admit(ngx_http_request_t *r, ngx_http_llm_auth_ctx_t &auth,
                std::shared_ptr<const llm::Consumer> consumer) {
    if (!consumer) {
        return refuse(r, auth, wrong_key);
    }
    if (consumer->is_expired(ngx_time())) {
        return refuse(r, auth, expired_key, consumer->name);
    }
    if (!forget_keys(r, *auth.conf)) {
        return NGX_ERROR;
    }
    auth.consumer = std::move(consumer);
    auth.status = "allowed";
    return NGX_OK;
}

ngx_int_t look_in_file(ngx_http_request_t *r, ngx_http_llm_auth_ctx_t &auth) {
    const auto &keys = auth.conf->file->keys;
    const llm::Consumer *found = keys->find(*auth.digest);
    return admit(r, auth,
                 found ? std::shared_ptr<const llm::Consumer>(keys, found)
                       : nullptr);
}

task::Task look_in_store(ngx_http_request_t *r, ngx_http_llm_auth_ctx_t &auth)
{
    ngx_http_llm_key_store_t *store = auth.conf->store;
    auto answer = ngx_http_llm_key_recall(store, *auth.digest);

    if (answer.state != answer.fresh) {
        std::string name(store->options.prefix);
        name += llm::to_hex(*auth.digest);
        ngx_http_llm_redis_call_t call(r, store->redis, {"HGETALL", name},
                                       name);
        auto learned = ngx_http_llm_key_learn(store, *auth.digest,
                                              co_await call,
                                              r->connection->log);
        // Who was known goes on while Redis is away.
        if (learned.state != learned.none) {
            answer = std::move(learned);
        }
    }
    if (answer.state == answer.none) {
        co_return refuse(r, auth, no_store);
    }
    co_return admit(r, auth, std::move(answer.consumer));
}

// The look-up has ended in an event of its own: back into the phases.
void finished(void *data) noexcept {
    auto ctx = static_cast<ngx_http_llm_ctx_t *>(data);
    ngx_http_request_t *r = ctx->request;
    ngx_connection_t *c = r->connection;

    ngx_http_set_log_request(c->log, r);
    ctx->auth.result = ctx->auth.task.result();
    ctx->auth.waiting = false;

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}

void wait_writing(ngx_http_request_t *) noexcept {}

ngx_int_t start_lookup(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx) {
    ctx->auth.task = look_in_store(r, ctx->auth);
    if (ctx->auth.task.start(finished, ctx)) {
        return ctx->auth.task.result();
    }
    ctx->auth.waiting = true;

    // Notices a client that goes away.
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = wait_writing;
    if (r->connection->read->ready) {
        ngx_post_event(r->connection->read, &ngx_posted_events);
    }
    return NGX_AGAIN;
}

ngx_int_t authenticate(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx) {
    auto &auth = ctx->auth;
    bool found = false;
    each_key(r, *auth.conf,
             [&](std::string_view, std::string_view, std::string_view key) {
                 // The first one counts.
                 if (!found) {
                     auth.digest = llm::digest_of_key(key);
                     found = true;
                 }
             });
    if (!auth.digest) {
        return refuse(r, auth, no_key);
    }
    return auth.conf->file ? look_in_file(r, auth) : start_lookup(r, ctx);
}

// With "satisfy any" somebody else may let in whose key cannot be checked, and
// after a 503 nginx asks nobody: it is kept until they all were asked.
ngx_int_t verdict(ngx_http_request_t *r,
                  const ngx_http_llm_auth_ctx_t &auth) noexcept {
    auto clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    return auth.result == no_store.status
                   && clcf->satisfy == NGX_HTTP_SATISFY_ANY
               ? NGX_DECLINED
               : auth.result;
}

}  // namespace

ngx_int_t ngx_http_llm_access_handler(ngx_http_request_t *r) noexcept try {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));
    if (llcf->auth.auth == nullptr) {
        return NGX_DECLINED;
    }
    auto ctx = ngx_http_llm_get_ctx(r);
    if (ctx == nullptr) {
        return NGX_ERROR;
    }
    auto &auth = ctx->auth;
    if (auth.conf == llcf->auth.auth) {
        return auth.waiting ? NGX_AGAIN : verdict(r, auth);
    }
    auth.conf = llcf->auth.auth;
    auth.consumer.reset();
    auth.refusal = nullptr;
    auth.result = authenticate(r, ctx);
    return verdict(r, auth);

} catch (const std::exception &) {
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "llm_auth: no memory for the request");
    return NGX_ERROR;
}

ngx_int_t ngx_http_llm_access_end_handler(ngx_http_request_t *r) noexcept {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));
    if (llcf->auth.auth == nullptr) {
        return NGX_DECLINED;
    }
    auto ctx = ngx_http_llm_find_ctx(r);
    if (ctx == nullptr || ctx->auth.result != no_store.status) {
        return NGX_DECLINED;
    }
    ctx->auth.refusal = &no_store;
    r->access_code = 0;     // of those who would not let it in
    return ctx->auth.result;
}

const llm::Consumer *ngx_http_llm_auth_consumer(
    ngx_http_request_t *r) noexcept {
    auto ctx = ngx_http_llm_find_ctx(r);
    return ctx ? ctx->auth.consumer.get() : nullptr;
}

void ngx_http_llm_auth_passed(ngx_http_request_t *r,
                              const ngx_http_llm_loc_conf_t *llcf) noexcept {
    if (llcf->auth.auth) {
        if (auto ctx = ngx_http_llm_find_ctx(r)) {
            ctx->auth.refusal = nullptr;
        }
    }
}

ngx_int_t ngx_http_llm_auth_refused(ngx_http_request_t *r,
                                    ngx_http_llm_ctx_t *ctx) {
    const auto *refusal = ctx->auth.refusal;
    if (refusal == nullptr
        || r->headers_out.status != static_cast<ngx_uint_t>(refusal->status))
    {
        return NGX_OK;
    }
    ctx->error =
        llm::Error{refusal->kind, refusal->message, {}, refusal->code, 0, {}};
    return refusal->challenge ? ngx_http_llm_add_header(
                                    r, "WWW-Authenticate", refusal->challenge)
                              : NGX_OK;
}
