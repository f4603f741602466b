// A gateway's share of a budget in Redis, for "sync=100ms": most requests are
// answered from what was reserved for the gateway in advance, and settled
// with the next call, so that they wait for nothing.
//
// The share is a reservation like any other: what is in it, nobody else can
// use. So gateways together exceed a budget by no more than with a call for
// each request, and a request that finds too little in the share makes a call
// of its own before it is refused. (A bucket drains while a share waits to be
// used: it can be exceeded by what drains in one interval.) The price is what
// lies idle in the shares of other gateways: at most one part in
// `gateways + 1` of what remained for each of them, for one interval. The
// share of a gateway that dies is held until its lease is over (Limit::lease).
//
// A share is one worker's, or in shared memory under a lock: plain data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "llm/limit.hpp"
#include "llm/limit_redis.hpp"

namespace llm::limit {

// Empty when all its bytes are zero.
struct Share {
    Reservation source;             // in Redis
    std::int64_t left = 0;          // of it
    // By the gateway's clock: when its window or its lease is over, and what
    // is left is worth nothing.
    std::int64_t good_until = 0;
    std::int64_t taken = 0;         // since the last synchronisation
    std::int64_t missed = 0;        // more than was left, likewise
};

// True: the amount is the request's; *reservation is to be settled in Redis
// with what was really used, like one of its own.
bool take(Share &share, std::int64_t now, std::int64_t amount,
          Reservation *reservation) noexcept;

// What the next share should be: twice what was asked for in the last
// interval, and no more than a part of what remained that leaves as much to
// each of the other gateways and to single requests.
std::int64_t next_share(const Share &share, std::int64_t remaining,
                        std::int64_t gateways) noexcept;

// Takes what is left out of the share, to be settled with 0, and begins a new
// interval. False: nothing is to be settled.
bool give_back(Share &share, Reservation *rest) noexcept;

// Puts what Redis granted into a share, which must be empty. now: this
// gateway's clock, when the call was sent: so the share is not used for longer
// than it is good.
void put_in(Share &share, const Limit &limit, const RemoteDecision &granted,
            std::int64_t redis_now, std::int64_t now) noexcept;

// Adds a settlement to those that wait to be sent. Those of one key and one
// source become one.
void collect(std::vector<RemoteSettlement> &waiting,
             RemoteSettlement settlement);

}  // namespace llm::limit
