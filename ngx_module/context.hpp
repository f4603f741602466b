// What the module knows of one request.
#pragma once

#include "ngx_http_llm.hpp"

#include <memory>
#include <memory_resource>
#include <optional>
#include <string>

#include "llm/consumer.hpp"
#include "llm/exchange.hpp"
#include "task.hpp"

// A memory resource over a request's pool: what is freed stays until the pool
// goes, so it is for what lives as long as the request.
class ngx_http_llm_memory_t final : public std::pmr::memory_resource {
public:
    explicit ngx_http_llm_memory_t(ngx_pool_t *pool) : pool_(pool) {}

private:
    void *do_allocate(std::size_t size, std::size_t alignment) override;
    void do_deallocate(void *p, std::size_t size, std::size_t) override;
    bool do_is_equal(const memory_resource &other) const noexcept override {
        return this == &other;
    }

    ngx_pool_t *pool_;
};

struct ngx_http_llm_upstream_ctx_t;     // upstream.cpp: one call's tries
struct ngx_http_llm_list_t;             // list.cpp: the calls of a list
struct ngx_http_llm_relay_ctx_t;        // filter.cpp: another handler's answer
struct ngx_http_llm_cache_ctx_t;        // cache/request.hpp
struct ngx_http_llm_limit_ctx_t;        // limit/request.hpp

// Destroys what is in a pool's memory, or elsewhere.
struct ngx_http_llm_cache_deleter_t {
    void operator()(ngx_http_llm_cache_ctx_t *cache) const noexcept;
};
struct ngx_http_llm_list_deleter_t {
    void operator()(ngx_http_llm_list_t *list) const noexcept;
};
struct ngx_http_llm_limit_deleter_t {
    void operator()(ngx_http_llm_limit_ctx_t *limit) const noexcept;
};

// What llm_auth has found out (auth/access.cpp).
struct ngx_http_llm_auth_ctx_t {
    // The llm_auth that decided, or is about to; error_page may lead to a
    // location with another.
    const ngx_http_llm_auth_t *conf = nullptr;
    // The key itself is taken out of the request once it is known.
    std::optional<llm::KeyDigest> digest;
    std::shared_ptr<const llm::Consumer> consumer;  // NULL: not let in
    const struct ngx_http_llm_refusal_t *refusal = nullptr;
    std::string_view status;        // $llm_auth_status
    task::Task task;
    ngx_int_t result = NGX_DECLINED;
    bool waiting = false;
};

struct ngx_http_llm_ctx_t {
    explicit ngx_http_llm_ctx_t(ngx_http_request_t *r)
        : request(r), memory(r->pool) {}

    ngx_http_request_t *request;
    ngx_http_llm_memory_t memory;

    ngx_http_llm_auth_ctx_t auth;

    // The client's API; openai where the path says nothing.
    llm::RouteMatch route;
    llm::PassThroughCall pass_through;  // where the route says that it is one
    std::string form_start;     // of a body that is sent on as it comes
    std::string_view passed_body;   // one that came whole before it was sent
    std::string_view body;
    std::optional<llm::Exchange> exchange;

    // The location that the policy below is of; error_page may lead to another.
    const ngx_http_llm_loc_conf_t *conf = nullptr;
    ngx_uint_t uri_changes = 0;     // those left when the request came there

    // Where the call goes: bound once the model is known.
    ngx_http_llm_pool_t *pool = nullptr;
    // The pool's member that the client named, or -1: any.
    ngx_int_t member = -1;
    // The client's model, without the provider where it named one.
    std::string_view model;

    task::Task policy;
    ngx_int_t policy_result = NGX_DECLINED;

    ngx_http_llm_upstream_ctx_t *upstream = nullptr;
    std::unique_ptr<ngx_http_llm_list_t, ngx_http_llm_list_deleter_t> list;
    ngx_http_llm_relay_ctx_t *relay = nullptr;
    std::unique_ptr<ngx_http_llm_cache_ctx_t, ngx_http_llm_cache_deleter_t>
        cache;
    std::unique_ptr<ngx_http_llm_limit_ctx_t, ngx_http_llm_limit_deleter_t>
        limit;

    // The try that answered, or was made last.
    const ngx_http_llm_member_t *answered = nullptr;
    ngx_str_t answered_model = ngx_null_string; // its model's name
    ngx_uint_t tries = 0;
    ngx_uint_t unsaid = 0;      // of them: the member has no word for the call

    // What a try failed with: becomes the client's error if no other answers.
    std::optional<llm::Error> error;
    time_t retry_after = -1;        // seconds, for the client; -1: none

    ngx_msec_t start_msec = 0;      // when the body was there
    ngx_msec_t first_msec = 0;      // first event or whole answer; 0: not yet
    ngx_msec_t end_msec = 0;

    // An error answer of nginx's own making is given the client's shape.
    ngx_str_t error_body = ngx_null_string;

    unsigned body_read:1 = 0;       // the body handler has run
    unsigned body_waited:1 = 0;
    unsigned form_read:1 = 0;       // as far as it will be
    unsigned policy_started:1 = 0;
    unsigned policy_done:1 = 0;
    unsigned answered_by_module:1 = 0;  // the answer is llm_pass's own
    unsigned relayed:1 = 0;         // another content handler's answer
    unsigned error_sent:1 = 0;
    unsigned partly_paid:1 = 0;     // a list failed that some of was answered
};

// The request's context; made where there is none. NULL: no memory.
ngx_http_llm_ctx_t *ngx_http_llm_get_ctx(ngx_http_request_t *r) noexcept;
// The same, but NULL where there is none. Finds it after an internal
// redirect, too, which empties r->ctx.
ngx_http_llm_ctx_t *ngx_http_llm_find_ctx(ngx_http_request_t *r) noexcept;

// The API that the request's path asks for; format NULL: none.
llm::RouteMatch ngx_http_llm_match_route(ngx_http_request_t *r) noexcept;
