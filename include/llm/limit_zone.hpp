// The states of many keys in one block of memory that several processes map:
// budgets (LimitZone), and what requests of a kind used to need (SketchZone).
//
// The block is the caller's (nginx: an allocation in a shared zone). Nothing
// in it is a pointer, nothing is allocated, no call waits or throws, and every
// call takes about the same time, however many keys there are.
//
// Lock: the caller holds one lock of the block's (nginx: the slab's mutex)
// during each call of format(), attach() and of the members.
//
// Death inside: a process may be killed at any moment, the lock is then freed
// by others. Emptying the zone would give everybody the whole budget again, so
// each call notes what it is about to change, with the state before it: who
// finds such a note of a dead one, undoes that call and builds the links anew.
// All other keys keep all they have. ZoneCounts::repairs counts it. The order
// of use is lost then.
//
// When it is full: of the eviction_choice keys that were not used for longest,
// one goes that has nothing to lose, or else the one that has used least; that
// its budget is thereby given back is counted in ZoneCounts::forgotten. A zone
// that is large enough for the keys of two periods never comes to that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "llm/limit.hpp"
#include "llm/usage_sketch.hpp"

namespace llm::cache {
class Sha256;
}

namespace llm::limit {

// The first half of a SHA-256: two texts of the same key cannot be found with
// less than 2^64 attempts, and not by a client who only chooses his own. (With
// a quick hash one could make keys that use up another one's budget.)
using Key = std::array<std::uint8_t, 16>;

// Of what a key was made of: "team\0acme", say. Throws std::bad_alloc where
// libcrypto has no memory.
Key key_of(std::string_view text);

// Makes the same keys, and keeps what libcrypto needs for it, which takes
// longer to get than a key: for one who makes many.
class KeyMaker {
public:
    KeyMaker();                             // throws std::bad_alloc
    ~KeyMaker();
    KeyMaker(const KeyMaker &) = delete;
    KeyMaker &operator=(const KeyMaker &) = delete;

    Key make(std::string_view text);        // throws std::bad_alloc

private:
    std::unique_ptr<cache::Sha256> hash_;
};

inline constexpr std::size_t eviction_choice = 16;

enum class ZoneStatus : std::uint8_t {
    ok,
    too_small,      // for the header and 16 keys
    not_a_zone,     // never formatted, or not to the end
    other_version,  // formatted by another version of this code
    other_shape,    // of another size, or for another purpose
};

// In words, lower case, for a log.
std::string_view describe(ZoneStatus status) noexcept;

// All since the block was formatted, save the last two.
struct ZoneCounts {
    std::uint64_t granted = 0;
    std::uint64_t refused = 0;
    std::uint64_t too_large = 0;
    std::uint64_t reservations = 0; // settled or refunded
    std::uint64_t settled = 0;      // sum of all that was really used
    std::uint64_t evictions = 0;
    std::uint64_t forgotten = 0;    // of them: had something to lose ...
    std::uint64_t given_back = 0;   // ... and that was so much in all
    std::uint64_t repairs = 0;      // after a death inside

    std::uint64_t keys = 0;         // now
    std::uint64_t capacity = 0;     // keys
};

// One process's access to a block of budgets. A value: may be copied, owns
// nothing, and lives as long as the memory is mapped. A block that is
// formatted anew with another purpose is lost for those that were attached
// before: they refuse nothing and count nothing.
class LimitZone {
public:
    // Any memory will do; some bytes are lost where it is not aligned to 64.
    // purpose: a number for what the states mean (a hash of the limit's kind,
    // say); states of one purpose make no sense to another.
    static ZoneStatus format(std::span<std::byte> memory,
                             std::uint64_t purpose) noexcept;

    // Uses a block that was formatted for the same purpose, mapped at an
    // address that is equal to the first one's modulo 64.
    static ZoneStatus attach(std::span<std::byte> memory,
                             std::uint64_t purpose, LimitZone *zone) noexcept;

    // Attached to nothing.
    LimitZone() noexcept = default;

    // As the functions of limit.hpp. All calls of a key have to come with
    // limits of one kind and period; budgets may differ from call to call.
    Decision reserve(const Key &key, const Limit &limit, std::int64_t now,
                     std::int64_t amount, Reservation *reservation) noexcept;
    // Also when the key was forgotten meanwhile: if its window is not over,
    // it is charged.
    void settle(const Key &key, const Limit &limit, std::int64_t now,
                const Reservation &reservation, std::int64_t actual) noexcept;

    void renew(const Key &key, const Limit &limit, std::int64_t now,
               Reservation *reservation) noexcept;

    // Changes nothing, nor does it count as use.
    Usage usage(const Key &key, const Limit &limit,
                std::int64_t now) noexcept;

    // Forgets a key. False: there was none.
    bool remove(const Key &key) noexcept;

    // Forgets keys that have nothing to lose among the `count` that were not
    // used for longest. Each reserve() of a new key does some of that; a timer
    // can do the rest, so that ZoneCounts::keys is what is in use. Returns
    // how many.
    std::size_t sweep(const Limit &limit, std::int64_t now,
                      std::size_t count) noexcept;

    ZoneCounts counts() const noexcept;

    // What is wrong with the links of the zone; nullptr: nothing. For tests.
    const char *check() const noexcept;

private:
    std::byte *base_ = nullptr;
    std::uint64_t shape_ = 0;
};

// Sketches of completion tokens by consumer and model, in the same manner.
class SketchZone {
public:
    static ZoneStatus format(std::span<std::byte> memory) noexcept;
    static ZoneStatus attach(std::span<std::byte> memory,
                             SketchZone *zone) noexcept;

    SketchZone() noexcept = default;

    // A call of the key used so many tokens.
    void add(const Key &key, std::int64_t tokens) noexcept;
    // The key's sketch; an empty one if there is none.
    UsageSketch get(const Key &key) noexcept;

    ZoneCounts counts() const noexcept;
    const char *check() const noexcept;

private:
    std::byte *base_ = nullptr;
    std::uint64_t shape_ = 0;
};

}  // namespace llm::limit
