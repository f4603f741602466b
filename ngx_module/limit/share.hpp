// "sync=100ms": what this gateway has of budgets in Redis is in the zone's
// shared memory, for all workers; each of them sees to the keys that it has
// used. What has to be settled is the worker's, until its next turn.
#pragma once

#include "ngx_http_llm.hpp"

#include <cstdint>
#include <string>

#include "limit/zone.hpp"
#include "llm/limit_share.hpp"

// true: it is reserved. false: a call of its own has to ask for it, after what
// is sent here: what was left, and what was to be settled.
bool ngx_http_llm_limit_share_take(ngx_http_llm_limit_zone_t *zone,
                                   const llm::limit::Key &key,
                                   const std::string &redis_key,
                                   const llm::limit::Limit &limit,
                                   std::int64_t amount,
                                   llm::limit::Reservation *reservation,
                                   llm::limit::Decision *decision);

// What such a call has said.
void ngx_http_llm_limit_share_learn(ngx_http_llm_limit_zone_t *zone,
                                    const llm::limit::Key &key,
                                    const llm::limit::Limit &limit,
                                    const llm::limit::Decision &decision)
    noexcept;

// Settles what was taken out of a share.
void ngx_http_llm_limit_share_settle(
    ngx_http_llm_limit_zone_t *zone, const llm::limit::Key &key,
    const std::string &redis_key, const llm::limit::Limit &limit,
    llm::limit::Reservation reservation, std::int64_t actual);

// Gives back what workers that are no more have left behind; from time to
// time, by one worker.
void ngx_http_llm_limit_share_sweep(ngx_http_llm_limit_zone_t *zone) noexcept;
