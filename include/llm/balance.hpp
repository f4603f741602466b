// Which member of a pool is next: smooth weighted round robin with backups
// and passive health, as nginx's own upstream {} does it, and beyond it a
// member that asked for a pause (Retry-After of a 429) gets it.
//
// Nothing here locks, allocates or reads a clock. Times are milliseconds of
// one monotonic clock, which all who share the states must share.
//
// To add a rule of balancing: a function like choose() over the same pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace llm::balance {

// What the configuration says of a member.
struct Target {
    std::int64_t weight = 1;            // at least 1
    std::int64_t max_fails = 1;         // 0: failures have no effect
    std::int64_t fail_timeout = 10000;  // ms: the window and the pause
    bool backup = false;
    bool down = false;
};

// What was learned of a member. Lives in shared memory: no pointers. Zeroed
// memory is a valid state, save for effective_weight, which is to be the
// target's weight.
struct State {
    std::int64_t current_weight = 0;
    std::int64_t effective_weight = 0;  // falls with failures, then recovers
    std::int64_t fails = 0;
    std::int64_t accessed = 0;          // time of the last failure
    std::int64_t checked = 0;           // ... or of the last try after it
    std::int64_t unavailable_until = 0; // Retry-After
    std::int64_t conns = 0;             // tries that run
    std::uint64_t selected = 0;         // tries, ever
    std::uint64_t failures = 0;         // of them failed
};

// A view: both spans have the same length, at most max_members.
struct Pool {
    std::span<const Target> targets;
    std::span<State *const> states;
};

// A bit per member.
using Members = std::uint64_t;
constexpr std::size_t max_members = 64;

constexpr Members bit(std::size_t index) noexcept {
    return Members{1} << index;
}

// Chooses a member that is not in `tried` and takes it: its try runs until
// release(). Skipped are members that are down, that asked for a pause, and
// that failed max_fails times within fail_timeout, for fail_timeout; backups
// are only looked at when no other member is left. The only member of a pool
// is not skipped for failures. nullopt: nobody is left.
std::optional<std::size_t> choose(const Pool &pool, Members tried,
                                  std::int64_t now) noexcept;

// Whether choose() would find somebody.
bool any(const Pool &pool, Members tried, std::int64_t now) noexcept;

// Takes this one member, for a client that named it; false where choose()
// would have skipped it.
bool take(const Pool &pool, std::size_t index, std::int64_t now) noexcept;

// The try failed; true: it put the member out of rotation.
bool failed(const Pool &pool, std::size_t index, std::int64_t now) noexcept;

// The try succeeded: the failures before it are forgotten, if it came after
// them.
void succeeded(const Pool &pool, std::size_t index) noexcept;

// The try failed, and the member asked not to be tried before `until`; never
// shortens a pause.
void block_until(const Pool &pool, std::size_t index,
                 std::int64_t until) noexcept;

// The try is over, however it ended: once for each choose() and take().
void release(const Pool &pool, std::size_t index) noexcept;

// In how many ms a member can be chosen again; 0: now. nullopt: never, all
// are down.
std::optional<std::int64_t> earliest_available(const Pool &pool,
                                               std::int64_t now) noexcept;

}  // namespace llm::balance
