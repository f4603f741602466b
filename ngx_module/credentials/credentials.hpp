// auth google|azure|aws ...; of llm_provider: credentials that a cloud hands
// out and that end (include/llm/credentials.hpp).
//
// Each worker fetches them when they are first needed, over libcurl and
// without blocking, and anew before they end: at a time only once, whoever
// waits for them. While a renewal is under way or fails, what there is serves
// until its end.
#pragma once

#include "ngx_http_llm.hpp"

#include <string>
#include <vector>

#include "endpoint.hpp"
#include "llm/credentials.hpp"
#include "side_call.hpp"

struct ngx_http_llm_credentials_run_t;      // fetch.cpp: one fetch

struct ngx_http_llm_credentials_t {
    enum class Cloud : std::uint8_t { google, azure, aws };

    struct Server {
        std::string url;        // without a path
        ngx_http_llm_endpoint_t *endpoint;
    };

    // Configuration.
    Cloud cloud;
    ngx_str_t provider;         // its name
    std::unique_ptr<llm::credentials::Source> source;
    std::vector<Server> servers;        // of the source
    ngx_http_llm_side_tls_t tls;
    ngx_msec_t timeout;         // of a fetch
    std::string region;         // aws: what signatures are for
    std::string service;
    // Keys of each request's own, instead of a source. session_token may be
    // NULL.
    ngx_http_complex_value_t *access_key = nullptr;
    ngx_http_complex_value_t *secret_key = nullptr;
    ngx_http_complex_value_t *session_token = nullptr;

    // The worker's.
    llm::credentials::Keeper keeper{};
    ngx_http_llm_credentials_run_t *run = nullptr;  // the fetch under way
    ngx_queue_t waiters;        // ngx_http_llm_waiter_t
    struct Renewal {
        ngx_event_t event;      // first: nginx hands out its address
        ngx_http_llm_credentials_t *owner;
    } renewal = {};
    bool used = false;          // since they were fetched
    std::string failure;        // of the last fetch, for anybody to see
};

// conf.cpp. Reads the words of an "auth" directive. `host`: the provider's, as
// far as it is known by now. NULL: an error (logged).
ngx_http_llm_credentials_t *ngx_http_llm_credentials_create(
    ngx_conf_t *cf, const ngx_str_t &provider, const ngx_str_t &host) noexcept;
// When all of http {} is read: where the servers are.
ngx_int_t ngx_http_llm_credentials_init(
    ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf,
    ngx_http_llm_credentials_t *credentials) noexcept;

// fetch.cpp. NGX_OK: there are credentials, or none can be had now (see
// get()). NGX_AGAIN: the waiter's handler will be called, never from in here.
ngx_int_t ngx_http_llm_credentials_want(
    ngx_http_llm_credentials_t *credentials, ngx_http_llm_waiter_t *waiter)
    noexcept;
// No more handler; for a waiter in any state, a zeroed one too.
void ngx_http_llm_credentials_leave(ngx_http_llm_waiter_t *waiter) noexcept;

// What to show to the provider now; renews it in the background when it is
// time. NULL: nothing, failure() says why. Lives until the event ends.
const llm::credentials::Credential *ngx_http_llm_credentials_get(
    ngx_http_llm_credentials_t *credentials) noexcept;
llm::Error ngx_http_llm_credentials_failure(
    const ngx_http_llm_credentials_t *credentials);

// Whether each request has keys of its own.
inline bool ngx_http_llm_credentials_vary(
    const ngx_http_llm_credentials_t *credentials) noexcept {
    return credentials && credentials->access_key;
}

// The provider has answered with this status, and an error of this type and
// message. If what it refuses is the credentials, they are fetched anew for
// the next call, and the error becomes one that is not the client's fault.
void ngx_http_llm_credentials_refused(ngx_http_llm_credentials_t *credentials,
                                      ngx_uint_t status, std::string_view type,
                                      llm::Error &error);

// A worker's end, or a configuration's: breaks off what is under way.
void ngx_http_llm_credentials_stop(
    ngx_http_llm_credentials_t *credentials) noexcept;

// headers.cpp. The keys that a request brings along, where credentials vary.
// False: they cannot be used (logged).
bool ngx_http_llm_credentials_evaluate(
    ngx_http_request_t *r, const ngx_http_llm_credentials_t *credentials,
    llm::credentials::Credential &keys);

// What a request to the provider is sent with, in the form "Name: value"
// CRLF ... False: it cannot be (logged).
struct ngx_http_llm_signed_request_t {
    std::string_view method;
    std::string_view host;      // as the Host header has it
    std::string_view target;    // path and query
    std::string_view content_type;      // empty: there is no such header
    std::span<const std::string_view> body;
};
bool ngx_http_llm_credentials_headers(
    ngx_http_request_t *r, ngx_http_llm_credentials_t *credentials,
    const ngx_http_llm_signed_request_t &request, std::string &out);
// The same with what get() or evaluate() gave.
void ngx_http_llm_credentials_show(
    const ngx_http_llm_credentials_t *credentials,
    const llm::credentials::Credential &shown,
    const ngx_http_llm_signed_request_t &request, std::string &out);
