// llm_simulate: a content handler that answers as a model would, with no
// provider behind it. For trying a gateway out, for load tests and for ours.
//
//     llm_simulate openai|anthropic|bedrock [ttft=TIME] [rate=N] [tokens=N]
//                  [reply=echo|lorem|TEXT] [model=NAME] [seed=N]
//                  [status=CODE [retry_after=N]] [fail=PERCENT]
//                  [cut=PERCENT];
//
// What is answered is the core's business (llm/simulate.hpp); this is when,
// and in which shape.
#pragma once

#include "ngx.hpp"

#include "llm/format.hpp"
#include "llm/simulate.hpp"

// A share of the requests, spread evenly: 25 % is every fourth, not one in
// four by chance, so that runs can be repeated. Counted by each worker.
struct ngx_http_llm_share_t {
    static constexpr ngx_uint_t all = 10000;

    ngx_uint_t part;            // of `all`
    ngx_uint_t sum;             // changes with every request

    bool next() noexcept {
        sum += part;
        if (sum < all) {
            return false;
        }
        sum -= all;
        return true;
    }
};

struct ngx_http_llm_simulate_conf_t {
    static constexpr ngx_uint_t rate_unit = 1000;

    const llm::Format *format;
    llm::simulate::Options options;
    std::string_view model;     // what answers say; empty: the client's name
    ngx_msec_t ttft;            // time to first token
    ngx_uint_t rate;            // tokens in `rate_unit` seconds; 0: no limit
    ngx_uint_t status;          // of every answer; 0: the model answers
    std::string_view retry_after;   // seconds, for the header; empty: none
    ngx_http_llm_share_t fail;  // requests that are answered with a 500
    ngx_http_llm_share_t cut;   // streams that break off in the middle
};

char *ngx_http_llm_simulate_directive(ngx_conf_t *cf, ngx_command_t *cmd,
                                      void *conf) noexcept;

ngx_int_t ngx_http_llm_simulate_handler(ngx_http_request_t *r) noexcept;
