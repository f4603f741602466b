// Budgets of tokens, money or requests: who may spend how much in which time.
//
// An amount is reserved before a call and settled after it: with what was
// really used, or with nothing if the call failed. What is reserved counts as
// used until then, so that requests which run at the same time cannot exceed
// a budget together. How exact each kind is: docs/limits-algorithms.md.
//
// The state of one key is plain data of fixed size, without pointers: it may
// be in shared memory, be copied, and is as good as new when all its bytes
// are zero. The functions know no clock; they are given the time, in ms since
// the Unix epoch, and survive when it jumps:
//   - back by up to clock_slack (clocks of processes differ): as if it stood;
//   - back by more: windows begin anew at the new time, and what was used in
//     them stays used; nothing is given back and nobody is locked out for
//     longer than a window;
//   - forward: cannot be told from time that went by.
//
// When it counts: at the time of the reservation, whenever it is settled. A
// window is charged with what was admitted in it, so a stream that goes on for
// an hour does not eat the budget of the minutes in which it ends.
//
// Beyond the budget: a window never has more than its budget admitted in it,
// but for what was used above its reservation, and what was settled after its
// reservation's deadline.
//
// Amounts: 0..max_amount; others are taken for the nearest of these. All
// arithmetic is of integers below 2^53, so that a script in Redis, where
// numbers are doubles, comes to the same results (llm/limit_redis.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace llm {
class TimeZone;
}

namespace llm::limit {

inline constexpr std::int64_t max_amount = std::int64_t{1} << 50;
inline constexpr std::int64_t day = 86'400'000;             // ms
// Periods are 1 ms .. max_period; above a day, in whole seconds.
inline constexpr std::int64_t max_period = 366 * day;
inline constexpr std::int64_t clock_slack = 10'000;         // ms
// No answer says to wait for longer.
inline constexpr std::int64_t longest_wait = 10 * max_period;

enum class Window : std::uint8_t {
    // Two buckets: the present one and as much of the one before as the
    // period still reaches into it, taken as spread evenly.
    sliding,
    // Begins with the first request after the last one is over.
    fixed,
    // Minutes, hours, days or months of a time zone.
    calendar,
    // No window: what is used drains at an even rate, and never more than
    // `burst` is undrained. This is the generic cell rate algorithm in the
    // form of a continuous-state leaky bucket (ITU-T I.371, annex A).
    bucket,
};

enum class CalendarUnit : std::uint8_t { minute, hour, day, month };

struct Limit {
    Window window = Window::sliding;
    CalendarUnit unit = CalendarUnit::minute;   // calendar
    std::int64_t period = 60'000;   // ms; all but calendar
    std::int64_t budget = 0;        // in one period
    std::int64_t burst = 0;         // bucket: the most at once
    const TimeZone *zone = nullptr; // calendar; nullptr: UTC
    // How long a reservation lasts if nobody settles it: at least so many ms,
    // at most half as much again. In a bucket it drains instead.
    std::int64_t lease = 600'000;

    // The largest amount that can ever be granted.
    std::int64_t capacity() const noexcept;
};

// [start, end) in ms since the epoch.
struct Span {
    std::int64_t start;
    std::int64_t end;
};

// The calendar's window that has `now` in it. Windows have no gaps between
// them and do not overlap: hours and minutes follow the clock on the wall and
// are cut where it is put forward or back; days and months begin with their
// first moment and end with the next one's.
Span calendar_span(CalendarUnit unit, const TimeZone *zone,
                   std::int64_t now) noexcept;

// What is reserved is kept by the time when its deadline is, in slots of half
// a lease: when a slot is over, what is left in it is forgotten.
inline constexpr std::size_t lease_slots = 3;

struct WindowState {
    std::int64_t at;                    // begin of the window
    std::int64_t spent;                 // settled of what it admitted
    std::int64_t before;                // and of the window before it
    std::int64_t held[lease_slots];     // not settled yet
    std::int64_t held_before[lease_slots];
    std::int64_t leased_at;             // begin of the present slot ...
    std::int64_t lease;                 // ... which has this number
    std::int64_t turn;                  // number of the window; 0: not begun
};

struct BucketState {
    std::int64_t at;                    // drained up to here
    std::int64_t level;                 // whole units
    std::int64_t fraction;              // and parts of a unit
    std::int64_t charged;               // all that ever came, up to 2^52 and
                                        // from the beginning; 0: nothing
    std::int64_t rate;                  // Limit::budget of the last charge
};

struct State {
    // Given by who owns the state, another one for each state that a key has
    // had: a reservation of a state that was forgotten is told by it.
    std::int64_t birth = 0;
    union {
        WindowState window = {};
        BucketState bucket;
    };
};

// What is needed to settle: plain data, of the caller. To be settled once.
struct Reservation {
    std::int64_t amount = 0;
    std::int64_t birth = 0;     // State::birth
    std::int64_t mark = 0;      // turn, or charged
    std::int64_t lease = 0;     // number of its slot
    std::int64_t at = 0;        // begin of its window; of a bucket: its time
};

enum class Outcome : std::uint8_t {
    granted,
    refused,        // for now
    too_large,      // more than the whole budget: will never be granted
};

struct Decision {
    Outcome outcome = Outcome::refused;
    std::int64_t limit = 0;         // the capacity
    // With this request, if it was granted; never below 0.
    std::int64_t remaining = 0;
    // ms: if refused, when the same would be granted if nothing else happened
    // until then.
    std::int64_t retry_after = 0;
    // ms until the whole budget is there again if nothing else happens.
    std::int64_t reset = 0;

    bool granted() const noexcept { return outcome == Outcome::granted; }
};

// Grants the amount or takes nothing at all: a refused request costs nothing.
// *reservation is set if granted.
Decision reserve(const Limit &limit, State &state, std::int64_t now,
                 std::int64_t amount, Reservation *reservation) noexcept;

// Replaces what is reserved by what was used. A window that is over is not
// charged any more. A bucket gets back what has not drained since.
void settle(const Limit &limit, State &state, std::int64_t now,
            const Reservation &reservation, std::int64_t actual) noexcept;

inline void refund(const Limit &limit, State &state, std::int64_t now,
                   const Reservation &reservation) noexcept {
    settle(limit, state, now, reservation, 0);
}

// The call still runs: what it has reserved lasts for another lease. To be
// called before the lease is over; after that, the reservation is made anew
// all the same, even beyond the budget, since what it stands for is being
// used. *reservation is the one to settle from then on. A window that is over
// is not charged any more, and a bucket has no leases: nothing happens.
void renew(const Limit &limit, State &state, std::int64_t now,
           Reservation *reservation) noexcept;

// What a state amounts to at a time.
struct Usage {
    std::int64_t used = 0;      // what counts against the capacity
    std::int64_t spent = 0;     // settled in the present window; bucket: level
    std::int64_t held = 0;      // reserved, in this window or the one before
    std::int64_t reset = 0;     // ms, as Decision::reset

    // Nothing is lost if the state is forgotten.
    bool idle() const noexcept { return used == 0 && held == 0; }
};

Usage usage(const Limit &limit, const State &state, std::int64_t now) noexcept;

}  // namespace llm::limit
