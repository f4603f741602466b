// What limits know of one request: what was reserved for it, until it is
// settled.
#pragma once

#include "context.hpp"

#include "limit/conf.hpp"
#include "limit/zone.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/limit.hpp"
#include "llm/limit_zone.hpp"

enum class ngx_http_llm_limit_status_t : std::uint8_t {
    none,
    passed,
    delayed,
    rejected,
    delayed_dry_run,
    rejected_dry_run,
};

// Where something is reserved.
enum class ngx_http_llm_limit_place_t : std::uint8_t {
    nowhere,
    here,       // in the zone's memory
    share,      // in Redis, as a part of what this gateway has there
    redis,      // in Redis, by a call of its own
};

// One limit that a request is held to.
struct ngx_http_llm_limit_held_t {
    const ngx_http_llm_limit_rule_t *rule;
    ngx_http_llm_limit_zone_t *zone;
    std::string_view text;              // the key, in the request's pool
    llm::limit::Key key;                // of the budget
    // Of answers like this one. Only those without max_tokens tell how long
    // answers are.
    bool learns = false;
    llm::limit::Key sketch;
    llm::limit::Limit limit;
    std::int64_t amount = 0;            // wanted
    // Of it, what is a bound of the prompt and not its count: many times too
    // much, and certain. 0: all is counted.
    std::int64_t bound = 0;
    llm::limit::Decision decision;
    llm::limit::Reservation reservation;
    ngx_http_llm_limit_place_t place = ngx_http_llm_limit_place_t::nowhere;
    std::string redis_key;              // where the zone's budgets are there
    std::string record;                 // of the call, if it was one's own
    // What the zone's memory is asked: with Redis gone, this gateway's share.
    llm::limit::Limit limit_here;
    bool decided = false;               // the decision is there
    // Nothing was asked of a model that the limit is about, but one of them
    // may answer in another's place: then it is charged.
    bool watched = false;
    // The limit is about the name that the client used, whoever answers.
    bool by_name = false;
};

// Renews what is reserved for a request that takes long. renew.cpp
class ngx_http_llm_limit_renewal_t {
public:
    ngx_http_llm_limit_renewal_t() = default;
    ~ngx_http_llm_limit_renewal_t() { stop(); }
    ngx_http_llm_limit_renewal_t(const ngx_http_llm_limit_renewal_t &)
        = delete;
    ngx_http_llm_limit_renewal_t &operator=(
        const ngx_http_llm_limit_renewal_t &) = delete;

    void start(ngx_http_request_t *r,
               ngx_http_llm_limit_ctx_t *limit) noexcept;
    void stop() noexcept;

private:
    static void on_timer(ngx_event_t *ev) noexcept;

    struct Timer {
        ngx_event_t event = {};     // first, so that a handler finds the rest
        ngx_http_llm_limit_ctx_t *limit = nullptr;
    };
    Timer timer_;
};

struct ngx_http_llm_limit_ctx_t {
    ngx_http_llm_limit_ctx_t(ngx_http_llm_ctx_t *ctx,
                             const ngx_http_llm_limit_conf_t *conf)
        : ctx(ctx), conf(conf) {}

    ngx_http_llm_ctx_t *ctx;
    const ngx_http_llm_limit_conf_t *conf;
    std::vector<ngx_http_llm_limit_held_t> held;
    ngx_http_llm_limit_status_t status = ngx_http_llm_limit_status_t::none;
    const ngx_http_llm_limit_zone_t *refused_by = nullptr;
    bool no_redis = false;              // and therefore refused
    bool headers_added = false;
    ngx_http_llm_limit_renewal_t renewal;
};

// From the precontent phase, once the call is read and routed. NGX_DECLINED:
// it may go on, and what it can cost is reserved. Else a status.
task::Task ngx_http_llm_limit_reserve(ngx_http_request_t *r,
                                      ngx_http_llm_ctx_t *ctx,
                                      const ngx_http_llm_loc_conf_t *llcf);

// Gives back all that is reserved.
void ngx_http_llm_limit_give_back(ngx_http_llm_limit_ctx_t &limit) noexcept;

// The request is over, or begins anew: what it really used takes the place of
// what was reserved. May be called several times.
void ngx_http_llm_limit_settle(ngx_http_llm_ctx_t *ctx) noexcept;

// x-ratelimit-* and their like. NGX_OK or NGX_ERROR.
ngx_int_t ngx_http_llm_limit_answer_headers(ngx_http_request_t *r,
                                            ngx_http_llm_ctx_t *ctx) noexcept;

ngx_int_t ngx_http_llm_limit_add_variables(ngx_conf_t *cf) noexcept;
