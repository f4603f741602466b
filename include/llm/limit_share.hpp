// A gateway's share of a budget in Redis, for "sync=100ms": most requests are
// answered from what was reserved for the gateway in advance, and settled
// together later, so that they wait for nothing.
//
// The share is a reservation like any other: what is in it, nobody else can
// use. It is used only as long as the window lasts that was charged with it.
// So gateways together exceed a budget by no more than with a call for each
// request, however many they are and whatever becomes of them. A bucket drains
// while a share of it waits to be used, for share_intervals at most: all
// together can exceed it by what drains in that time, and by no more.
//
// A request that finds too little makes a call of its own before it is
// refused, and what is left in the share is given back before that call: it
// finds all of the budget that other gateways do not hold. The price is what
// lies idle with them: when it is taken, a share is no more than one part in
// `gateways + 1` of what remains, and it is given back when nobody has asked
// for quiet_turns intervals. If a machine dies with it, that is when its lease
// is over (Limit::lease), or its window.
//
// Shares are in shared memory, one for each key and all workers. Times are in
// ms, by a clock of the machine that is never put back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "llm/limit.hpp"
#include "llm/limit_redis.hpp"
#include "llm/limit_zone.hpp"

namespace llm::limit {

inline constexpr std::int64_t quiet_turns = 16;
inline constexpr std::int64_t share_intervals = 2;
// What was asked for no longer counts for the size of a share, bit by bit:
// each interval one part in so many is forgotten.
inline constexpr std::int64_t demand_memory = 16;
// A call for a new share that is not answered is believed to be lost.
inline constexpr std::int64_t refill_patience = 5000;

// Plain data; as good as new when all its bytes are zero.
struct Share {
    Reservation source;             // in Redis; of it, the rest is `left`
    std::int64_t left = 0;
    std::int64_t good_until = 0;    // what is left later is worth nothing

    std::int64_t asked = 0;         // since the last turn
    std::int64_t demand = 0;        // in one interval, not long ago
    std::int64_t quiet = 0;         // turns since anything was asked for
    std::int64_t turned_at = 0;
    std::int64_t used_at = 0;       // last request or turn
    std::int64_t refill_until = 0;  // until then no other call for a share

    // What Redis said last: what remained there beside the share, and when
    // all of the budget would be there again.
    std::int64_t remaining = 0;
    std::int64_t reset_at = 0;

    // Limit::budget and ::burst, for who gives it back without a request.
    std::int64_t budget = 0;
    std::int64_t burst = 0;
};

// True: the amount is the request's; *reservation is to be settled with what
// was really used, like one of its own.
bool take(Share &share, std::int64_t now, std::int64_t amount,
          Reservation *reservation) noexcept;

// The answer to a request that has just taken something.
Decision decision_of(const Share &share, const Limit &limit,
                     std::int64_t now) noexcept;

// What a call for one request, or for a share, has said.
void learn(Share &share, const Limit &limit, std::int64_t now,
           const Decision &decision) noexcept;

// Takes what is left out of the share, to be settled with 0. False: there is
// nothing.
bool give_back(Share &share, Reservation *rest) noexcept;

// Puts what a request has not used back into the share that it was taken from,
// if that is still there; *reservation is then what remains to be settled.
void put_back(Share &share, std::int64_t now, std::int64_t actual,
              Reservation *reservation) noexcept;

// What is to be done about a key, once in each interval; whoever comes too
// early (another worker) has nothing to do.
struct ShareTurn {
    Reservation rest;           // amount 0: nothing is to be given back
    std::int64_t refill = 0;    // to be reserved; 0: nothing
    bool idle = false;          // nobody uses it any more, and it is empty
};
ShareTurn turn(Share &share, const Limit &limit, std::int64_t now,
               std::int64_t interval, std::int64_t gateways) noexcept;

// Puts what Redis granted into the share. redis_now: RemoteAnswer::now; sent:
// when the call was sent, so that nothing is used for longer than it is good.
// True: *rest was in it before, and is to be given back.
bool put_in(Share &share, const Limit &limit, const RemoteDecision &granted,
            std::int64_t redis_now, std::int64_t sent, std::int64_t interval,
            Reservation *rest) noexcept;

// Adds a settlement to those that wait to be sent. Those of one key and one
// source become one.
void collect(std::vector<RemoteSettlement> &waiting,
             RemoteSettlement settlement);

// The shares of a machine: as LimitZone, in memory of its own. A key is read,
// changed and written back with the lock held all the time.
class ShareZone {
public:
    static ZoneStatus format(std::span<std::byte> memory) noexcept;
    static ZoneStatus attach(std::span<std::byte> memory,
                             ShareZone *zone) noexcept;

    ShareZone() noexcept = default;

    // An empty one if there is none.
    Share get(const Key &key) noexcept;
    // Keys that are new take the place of those that are empty. False: there
    // is no room, and nothing is kept.
    bool set(const Key &key, const Share &share) noexcept;
    void remove(const Key &key) noexcept;
    // The key that was not changed for longest. False: there is none.
    bool oldest(Key *key, Share *share) noexcept;

    ZoneCounts counts() const noexcept;
    // As LimitZone::check().
    const char *check() const noexcept;

private:
    std::byte *base_ = nullptr;
    std::uint64_t shape_ = 0;
};

}  // namespace llm::limit
