// HTTP calls that the module makes for itself, beside the requests of clients:
// libcurl's multi interface on nginx's event loop. Nothing here blocks:
// addresses are given, so that libcurl looks up no name; it opens, closes and
// keeps the connections, and nginx tells it when one is ready.
//
// https://curl.se/libcurl/c/libcurl-multi.html, "multi_socket"
#pragma once

#include "ngx.hpp"

#include <string>
#include <string_view>
#include <vector>

struct ngx_http_llm_side_call_t;

// TLS of a call. Files are read by the worker, but for the client's
// certificate and its key, which are here as they are in their files.
struct ngx_http_llm_side_tls_t {
    bool verify = true;
    const char *trusted = nullptr;      // file of authorities; NULL: libcurl's
    ngx_uint_t protocols = 0;           // NGX_SSL_TLSv1_2 | ...; 0: any
    const char *ciphers = nullptr;      // NULL: the library's
    std::string_view certificate = {};  // PEM; empty: none
    std::string_view certificate_key = {};
};

struct ngx_http_llm_side_request_t {
    const char *url = nullptr;  // its host is the name for TLS
    std::string address;        // "127.0.0.1:80", "[::1]:80": where it goes
    std::vector<std::string> headers;   // "Name: value"
    const char *method = "POST";        // "GET", "PUT": without a body
    std::string body;           // is posted
    const ngx_http_llm_side_tls_t *tls = nullptr;
    size_t max_answer = 0;      // bytes of its body
    ngx_msec_t max_idle = 0;    // how long a connection is kept for the next
};

struct ngx_http_llm_side_answer_t {
    // What went wrong, for a log line; NULL: there is an answer.
    const char *failure;
    bool unreachable;           // no connection came up
    ngx_uint_t status;
    std::string_view body;      // lives as long as the handler's call
};

using ngx_http_llm_side_handler_pt =
    void (*)(void *data, const ngx_http_llm_side_answer_t &answer) noexcept;

// Starts a call. The handler is called once, later on and never from in here,
// unless the call is cancelled before; there is no time limit but the
// caller's. NULL: no memory.
ngx_http_llm_side_call_t *ngx_http_llm_side_call(
    ngx_http_llm_side_request_t request, ngx_http_llm_side_handler_pt handler,
    void *data) noexcept;

// Breaks the call off and closes its connection. Not from within its handler.
void ngx_http_llm_side_cancel(ngx_http_llm_side_call_t *call) noexcept;

// Whether the connection for a call is up; one that has to be cancelled before
// has met an address that does not answer.
bool ngx_http_llm_side_connected(const ngx_http_llm_side_call_t *call)
    noexcept;

// Makes ready what the first call would have to, and ends all: calls, and idle
// connections. For a worker's start and end.
ngx_int_t ngx_http_llm_side_start() noexcept;
void ngx_http_llm_side_stop() noexcept;
