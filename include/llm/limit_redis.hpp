// Budgets that several gateways share in Redis or Valkey: the scripts, the
// commands that call them, and what their answers mean. Who sends them is the
// caller.
//
// One call reserves all limits of a request that are in one slot, or none of
// them; one that need not be waited for settles them. The scripts have the
// algorithms of llm/limit.hpp and come to the same results. The clock is that
// of Redis (TIME), since gateways' clocks differ. Needs Redis 5 or newer: the
// scripts read the time before they write.
//
// A key is PREFIX{DIGEST}ZONE:KIND, say "llm:limit:{5f70...}team:s60000":
// the digest is of what the limit counts (llm/limit_zone.hpp) in hexadecimal,
// in braces so that all limits of one consumer are in one slot of a cluster;
// the kind is of the window and its period or unit, so that a limit which is
// changed begins anew. Its value is 13 little-endian doubles, of a bucket 5,
// and it expires when it has nothing to tell any more.
//
// A call whose answer is lost may have been executed, or may be in time to
// come. So each has an id, and Redis keeps a record of it until it is settled,
// for a lease and a half at most: 4 doubles for each limit, in a key of the
// same slot, "llm:limit:{5f70...}#ID". By it the call can be undone, whatever
// became of it and however often that is tried, and a settlement whose answer
// is lost can be sent again without being charged twice.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/limit.hpp"
#include "llm/limit_zone.hpp"
#include "llm/redis.hpp"
#include "llm/result.hpp"

namespace llm::limit {

struct Script {
    std::string_view text;
    std::string sha1;       // 40 hexadecimal digits, for EVALSHA
};

// Each is made when it is first asked for.
const Script &reserve_script();
const Script &settle_script();
const Script &cancel_script();
const Script &renew_script();
const Script &presence_script();

std::string redis_key(std::string_view prefix, const Key &key,
                      std::string_view zone, const Limit &limit);

// A command as its arguments.
using Command = std::vector<std::string>;

enum class Call : std::uint8_t {
    by_digest,      // EVALSHA; answered with NOSCRIPT if not loaded
    by_text,        // EVAL, which loads it, too
};

bool is_noscript(const redis::Reply &reply) noexcept;

struct RemoteRequest {
    std::string key;            // redis_key()
    Limit limit;
    std::int64_t amount = 0;
};

struct RemoteSettlement {
    std::string key;
    Limit limit;
    Reservation reservation;
    std::int64_t actual = 0;
};

// Where the record of a call is kept. key: of any limit of the call.
std::string record_key(std::string_view key, std::string_view id);

// now: of this gateway's clock, to tell Redis of the calendar's windows
// around it; if clocks differ by more than a window, those are taken to be as
// long as the present one. test_clock: instead of Redis' clock; keys do not
// expire then. record: record_key(), or empty.
Command reserve_command(
    std::span<const RemoteRequest> requests, std::int64_t now,
    Call call = Call::by_digest,
    std::optional<std::int64_t> test_clock = std::nullopt,
    std::string_view record = {});

// What a settlement does about the record.
enum class Settle : std::uint8_t {
    first,      // the call's; removed, if there is one
    again,      // the same, but if there is none, it was settled before; an
                // empty one is left, for the first may be on its way
    once,       // of this settlement itself: if there is one, it was executed
};

Command settle_command(
    std::span<const RemoteSettlement> settlements, std::int64_t now,
    Call call = Call::by_digest,
    std::optional<std::int64_t> test_clock = std::nullopt,
    std::string_view record = {}, Settle settle = Settle::first);

// Undoes a call of reserve_command(), or keeps it from being executed later.
// Answered like a settlement.
Command cancel_command(
    std::span<const RemoteRequest> requests, std::string_view record,
    std::int64_t now, Call call = Call::by_digest,
    std::optional<std::int64_t> test_clock = std::nullopt);

// renew() of limit.hpp, for the reservations of one call, which the record
// keeps from then on: they are settled, or renewed again, as they were made.
// RemoteSettlement::actual has no meaning. Answered like a settlement.
Command renew_command(
    std::span<const RemoteSettlement> held, std::string_view record,
    std::int64_t now, Call call = Call::by_digest,
    std::optional<std::int64_t> test_clock = std::nullopt);

struct RemoteDecision {
    Decision decision;          // of this limit alone
    Reservation reservation;    // if all were granted
};

struct RemoteAnswer {
    std::int64_t now = 0;       // Redis' clock
    bool granted = false;       // all of them; else none was reserved
    std::vector<RemoteDecision> decisions;  // in the order of the requests
};

// An error for an error of Redis, and for what is not such an answer.
// `requests` are those of the call.
Result<RemoteAnswer> read_reserve_reply(
    const redis::Reply &reply, std::span<const RemoteRequest> requests);
Result<void> read_settle_reply(const redis::Reply &reply);

// Indices of keys by the slot tag of each, in the order in which tags come:
// one call for each group. Those granted are to be refunded if one refuses.
std::vector<std::vector<std::size_t>> groups_of(
    std::span<const RemoteRequest> requests);

// Tells the others that a gateway is there, and asks how many are: those that
// did so in the last `lifetime` ms. key: any, PREFIX and "gateways" say.
Command presence_command(std::string_view key, std::string_view gateway,
                         std::int64_t lifetime, Call call = Call::by_digest);
Result<std::int64_t> read_presence_reply(const redis::Reply &reply);

// What a gateway allows by itself while Redis is gone: its part of the
// budget, at least 1, so that all together have what one has with Redis.
Limit fair_share(const Limit &limit, std::int64_t gateways) noexcept;

}  // namespace llm::limit
