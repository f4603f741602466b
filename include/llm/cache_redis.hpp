// The cache in Redis: which commands are sent, under which keys, and what the
// replies mean. For operators: docs/cache-redis.md.
//
// PREFIX is the zone's ("llm:NAME:"), ID the first 16 hexadecimal digits of
// the embedding's identity, HEX the 64 of a digest. Braces are hash tags: what
// is changed in one step is in one slot of a cluster.
//
//     PREFIXe:HEX          string   an entry: llm/cache_entry.hpp's JSON
//     PREFIXp:{HEX}        zset     the entries of a partition, by the time in
//                                   Unix ms at which they go
//     PREFIXh:ID:HEX       hash     index redisearch: partition, vector,
//                                   question of an entry
//     PREFIXidx:ID         its index (no key of Redis)
//     PREFIXv:ID:{HEX}     vset     index vectorset: vectors of a partition
//     PREFIXs              stream   what was added (index memory) and purged
//     PREFIXg              string   the epoch: another one, or none, is found
//                                   where Redis was emptied
//
// Steps that belong together are scripts (EVAL, Redis 2.6): they cannot be cut
// in two, they need one round trip, and they take the time from Redis, so that
// the clocks of gateways do not matter.
//
// Replies are not trusted: whatever is in one, the readers answer with a value
// or with an Error that says what is wrong; Error::code tells apart what is to
// be acted on (see the code_... constants).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/cache_zone.hpp"
#include "llm/redis.hpp"
#include "llm/result.hpp"

namespace llm::cache::remote {

// Error::code of the readers.
inline constexpr std::string_view code_no_index = "no_index";
inline constexpr std::string_view code_wrong_type = "wrong_type";
inline constexpr std::string_view code_syntax = "syntax";

// A command, and the key that decides which node of a cluster is asked.
struct Command {
    std::vector<std::string> words;
    std::string key;
};

std::string hex(const ZoneKey &key);
std::optional<ZoneKey> from_hex(std::string_view text) noexcept;

// How keys of one zone and one embedding are called.
class Names {
public:
    Names(std::string_view prefix,
          const std::array<std::uint8_t, 32> &identity);

    const std::string &prefix() const noexcept { return prefix_; }
    const std::string &id() const noexcept { return id_; }

    std::string entry(const ZoneKey &key) const;
    std::string members(const ZoneKey &partition) const;
    std::string hash(const ZoneKey &key) const;
    std::string hashes() const;     // what all hash() begin with
    std::string index() const;
    std::string set(const ZoneKey &partition) const;
    std::string stream() const;
    std::string epoch() const;

    std::optional<ZoneKey> key_of_hash(std::string_view name) const noexcept;
    // Of an entry, or of what is kept beside entries, of whatever embedding.
    // Not of a zone whose prefix begins with this one's.
    bool is_content(std::string_view name) const noexcept;

private:
    std::string prefix_;
    std::string id_;
};

// Entries

struct Put {
    ZoneKey key;
    ZoneKey partition;
    std::span<const float> vector;  // empty: not to be found by meaning
    std::string_view question;
    std::string_view value;
    std::int64_t ttl;               // ms, above 0
    std::int64_t stale_for;         // ms after that

    std::int64_t kept_for() const noexcept;
};

Command get_entry(const Names &names, const ZoneKey &key);
// No value: there is none. Error: an error of Redis', or what is there was
// not written by us.
Result<std::optional<std::string>> read_entry(const redis::Reply &reply);

Command set_entry(const Names &names, const Put &put);
Command remove_entry(const Names &names, const ZoneKey &key);

// Lists an entry in its partition, and drops members that have expired.
Command add_member(const Names &names, const Put &put);

// A reply that is only to tell that it was done.
Result<void> read_done(const redis::Reply &reply);

// Control characters of a text that came from elsewhere become "?", and what
// is over 200 bytes is cut: for logs.
std::string printable(std::string_view text);

// Neighbours: what the two indexes of Redis find.

struct Neighbour {
    ZoneKey key = {};
    float similarity = 0;       // cosine
    std::string question;
};

// index redisearch. Replies differ between Redis Stack (RediSearch 2.6 to
// 2.10), Redis 8, Valkey search and what managed services run; the readers
// look for what they need by name, in arrays of names and values (RESP2) as
// well as in maps (RESP3).
// https://redis.io/docs/latest/commands/ft.search/
// https://redis.io/docs/latest/commands/ft.info/
// https://valkey.io/commands/ft.search/
// https://valkey.io/commands/ft.info/

enum class IndexState : std::uint8_t {
    ready,
    absent,         // to be made
    other,          // somebody else's, or of other dimensions
    unsupported,    // this server has no such commands
    failed,         // an error of another kind
};

struct IndexReport {
    IndexState state = IndexState::failed;
    std::string detail;     // for a log; empty where ready
};

Command index_info(const Names &names);
IndexReport read_index_info(const redis::Reply &reply, const Names &names,
                            std::size_t dimensions);

enum class Algorithm : std::uint8_t {
    hnsw,       // a graph: fast, and finds nearly all
    flat,       // one by one: exact, for some ten thousand vectors
};

Command create_index(const Names &names, std::size_t dimensions,
                     Algorithm algorithm = Algorithm::hnsw);
// ready: made, by us or by somebody else at the same time.
IndexReport read_create_index(const redis::Reply &reply);

// Also makes it go when the entry does.
Command add_hash(const Names &names, const Put &put);
Command remove_hash(const Names &names, const ZoneKey &key);

Command search_index(const Names &names, const ZoneKey &partition,
                     std::span<const float> vector, std::size_t count);
// The nearest first.
Result<std::vector<Neighbour>> read_search(const redis::Reply &reply,
                                           const Names &names);

// Names of hashes of a partition, for its purge.
Command list_hashes(const Names &names, const ZoneKey &partition,
                    std::size_t count);
Result<std::vector<std::string>> read_list_hashes(const redis::Reply &reply,
                                                  const Names &names);

// index vectorset. One set for a partition: so that a search looks at nothing
// else (a filter finds little where a partition is a small part of a set: its
// effort is limited), that a purge is one command, that the set goes with its
// last entry, and that a cluster has partitions on all nodes.
// https://redis.io/docs/latest/commands/vadd/
// https://redis.io/docs/latest/commands/vsim/
// https://redis.io/docs/latest/develop/data-types/vector-sets/

// In place of add_member(): does that, too.
Command add_to_set(const Names &names, const Put &put);
Command remove_from_set(const Names &names, const ZoneKey &partition,
                        const ZoneKey &key);

// `now`: Unix ms of Redis' clock, 0: not known; elements that have expired are
// left out. `attributes`: WITHATTRIBS, which Redis has since 8.2; without it
// the questions are empty and are asked for with get_attributes().
Command search_set(const Names &names, const ZoneKey &partition,
                   std::span<const float> vector, std::size_t count,
                   std::int64_t now, bool attributes);
// The nearest first. code_syntax: the server has no WITHATTRIBS.
Result<std::vector<Neighbour>> read_search_set(const redis::Reply &reply,
                                               bool attributes);

Command get_attributes(const Names &names, const ZoneKey &partition,
                       const ZoneKey &key);
// The question; empty where there is none.
std::string read_attributes(const redis::Reply &reply);

// The stream

// An id, as Redis makes them: milliseconds of its clock, and a count.
struct Position {
    std::uint64_t ms = 0;
    std::uint64_t count = 0;

    auto operator<=>(const Position &) const = default;
    std::string text() const;
    static std::optional<Position> parse(std::string_view text) noexcept;
};

// How many records are kept, more or less: what a new gateway catches up on.
inline constexpr std::size_t stream_length = 100000;
// A stream that nobody wrote to for so long goes.
inline constexpr std::int64_t stream_kept_for = 7LL * 86400 * 1000;

enum class RecordType : std::uint8_t {
    added,
    purged_key,
    purged_partition,
    purged_all,
};

struct Record {
    RecordType type = RecordType::purged_all;
    Position position;
    std::string gateway;        // who wrote it
    ZoneKey key = {};           // added, purged_key
    ZoneKey partition = {};     // added, purged_partition

    // added
    std::string id;             // of the embedding, as Names::id()
    std::int64_t ttl = 0;
    std::int64_t stale_for = 0;
    std::string question;
    // Components times 127 over the largest one: int8 is a quarter of
    // FLOAT32, here and on the wire to every gateway, and off by thousandths,
    // no more than the row that the gateway's memory keeps for searching.
    std::string vector;

    // Unit length is not promised; empty where it is of other dimensions.
    std::vector<float> floats(std::size_t dimensions) const;
    // What is left at `now`, in ms of Redis' clock. False: nothing.
    bool remaining(std::int64_t now, std::int64_t *ttl,
                   std::int64_t *stale_for) const noexcept;
};

Command announce_put(const Names &names, const Put &put,
                     std::string_view gateway);
// nullptr twice: all.
Command announce_purge(const Names &names, const ZoneKey *key,
                       const ZoneKey *partition, std::string_view gateway);

// What comes after a position. `block`: ms that the command may wait, 0: none.
Command read_stream(const Names &names, const Position &after,
                    std::size_t count, std::int64_t block);

struct Records {
    std::vector<Record> records;
    std::size_t broken = 0;         // left out
    std::optional<Position> last;   // of all, the broken ones too
};
Result<Records> read_records(const redis::Reply &reply);

// Where a follower is.
struct Followed {
    Position position;
    std::string epoch;      // empty: it never was anywhere
};

// What a follower looks at from time to time: three commands.
struct Look {
    std::string epoch;
    std::int64_t now = 0;               // Unix ms of Redis' clock
    std::optional<Position> first;      // none: the stream is empty
    std::optional<Position> last;
};
// `fresh`: the epoch to begin where there is none; anything unlike others.
Command look_at_epoch(const Names &names, std::string_view fresh);
Result<void> read_epoch(const redis::Reply &reply, Look *look);
Command look_at_first(const Names &names);
Command look_at_last(const Names &names);
Result<std::optional<Position>> read_position(const redis::Reply &reply);

enum class Verdict : std::uint8_t {
    go_on,
    start_over,     // from the stream's beginning
    start_empty,    // likewise, and what the memory has is not to be trusted
};
// `connected`: Redis has answered since the last look without a break. Then a
// new epoch means that somebody emptied Redis, and meant it; after a break it
// is a Redis that came back without its data.
Verdict judge(const Followed &followed, const Look &look, bool connected);

// Stand-ins: what a gateway's memory has of an entry that it knows from the
// stream. The entry itself is to be had from Redis.

std::string stand_in(std::string_view question);
bool is_stand_in(std::string_view value) noexcept;
// Of a stand-in; empty for anything else.
std::string_view question_of(std::string_view value) noexcept;

// Purges

Command list_members(const Names &names, const ZoneKey &partition,
                     std::size_t count);
// What is no key of ours is left out of `keys`; `words` has all.
struct Members {
    std::vector<ZoneKey> keys;
    std::vector<std::string> words;
};
Result<Members> read_members(const redis::Reply &reply);
Command remove_members(const Names &names, const ZoneKey &partition,
                       std::span<const std::string> words);
// The list, and the set of vectors.
std::vector<Command> remove_partition(const Names &names,
                                      const ZoneKey &partition);

// Who has which slots: a purge goes to all nodes.
Command cluster_slots();
// Some key whose slot is one of these; empty: there is no such slot.
std::string key_of_slots(unsigned first, unsigned last);

// Goes through all keys of a node, some hundred at a time. `node_key`: any
// key of that node; empty where there is no cluster.
Command scan(const Names &names, std::string_view cursor,
             std::string_view node_key);
struct Scanned {
    std::string cursor;             // "0": that was all
    std::vector<std::string> keys;  // of content only
};
Result<Scanned> read_scan(const redis::Reply &reply, const Names &names);
Command remove_key(std::string_view name);

}  // namespace llm::cache::remote
