#include "llm/limit.hpp"

#include <type_traits>

#include "limit/arithmetic.hpp"

namespace llm::limit {

static_assert(std::is_trivially_copyable_v<State>);
static_assert(std::is_trivially_copyable_v<Reservation>);

std::int64_t Limit::capacity() const noexcept {
    return clamp_amount(window == Window::bucket ? burst : budget);
}

namespace {

static_assert(lease_slots == 3);

std::int64_t sum(const std::int64_t (&slots)[lease_slots]) noexcept {
    return slots[0] + slots[1] + slots[2];
}

// The first of the moments after `low` for which done() holds; it holds for
// `high` and all later ones.
template <typename Done>
std::int64_t first_moment(std::int64_t low, std::int64_t high,
                          Done done) noexcept {
    while (high - low > 1) {
        std::int64_t middle = low + (high - low) / 2;
        (done(middle) ? high : low) = middle;
    }
    return high;
}

// A window of a moment, and how it changes from one moment to the next.
class Windows {
public:
    Windows(const Limit &limit, const WindowState &state,
            std::int64_t now) noexcept
        : limit_(limit),
          period_(period_of(limit)), slot_(slot_of(limit)) {
        if (limit.window == Window::calendar) {
            // A clock that went back a little stands still.
            bool behind = state.at > now && state.at - now <= clock_slack;
            span_ = calendar_span(limit.unit, limit.zone,
                                  behind ? state.at : now);
        }
    }

    // True: the clock was put back. That has to be kept whatever comes of the
    // call, or the time from then on would not count.
    bool advance(WindowState &state, std::int64_t now) const noexcept {
        if (state.turn == 0) {
            state.at = begin_of(now);
            state.leased_at = now;
            state.turn = 1;
            return false;
        }
        bool put_back = advance_leases(state, now);
        if (now < state.at) {
            if (state.at - now > clock_slack) {
                state.at = begin_of(now);
                put_back = true;
            }
            return put_back;
        }
        switch (limit_.window) {
        case Window::sliding:
            if (std::int64_t start = begin_of(now); start > state.at) {
                bool adjacent = start - state.at <= period_;
                rotate(state);
                if (!adjacent) {
                    rotate(state);
                }
                state.at = start;
            }
            break;
        case Window::fixed:
            if (now - state.at >= period_) {
                clear(state);
                state.at = now;
            }
            break;
        default:
            // A moment beyond the present window may be asked for, too.
            if (now >= span_.end || span_.start > state.at) {
                clear(state);
                state.at = now >= span_.end ? span_.end : span_.start;
            }
        }
        return put_back;
    }

    // Of a state that is advanced to this moment, as all the following.
    std::int64_t used(const WindowState &state,
                      std::int64_t now) const noexcept {
        std::int64_t used = add(state.spent, sum(state.held));
        std::int64_t before = add(state.before, sum(state.held_before));
        if (limit_.window == Window::sliding && before > 0) {
            std::int64_t tick = tick_of(period_);
            std::int64_t left = state.at + period_ - std::max(now, state.at);
            auto share = scale(before, (left + tick - 1) / tick,
                               period_ / tick);
            used = add(used, share.whole + (share.rest > 0));
        }
        return used;
    }

    std::int64_t end(const WindowState &state) const noexcept {
        return limit_.window == Window::calendar
                   ? std::max(span_.end, state.at + 1)
                   : state.at + period_;
    }

    std::int64_t reset(const WindowState &state,
                       std::int64_t now) const noexcept {
        if (state.spent + sum(state.held) > 0) {
            return end(state) - now
                   + (limit_.window == Window::sliding ? period_ : 0);
        }
        return state.before + sum(state.held_before) > 0 ? end(state) - now
                                                         : 0;
    }

    std::int64_t retry_after(const WindowState &state, std::int64_t now,
                             std::int64_t amount) const noexcept {
        std::int64_t last =
            end(state) + (limit_.window == Window::sliding ? period_ : 0);
        auto moment = first_moment(now, last, [&](std::int64_t moment) {
            WindowState then = state;
            advance(then, moment);
            return used(then, moment) + amount <= limit_.capacity();
        });
        return moment - now;
    }

private:
    std::int64_t begin_of(std::int64_t now) const noexcept {
        switch (limit_.window) {
        case Window::sliding:
            return now - now % period_;
        case Window::fixed:
            return now;
        default:
            return span_.start;
        }
    }

    bool advance_leases(WindowState &state, std::int64_t now) const noexcept {
        if (now < state.leased_at) {
            bool put_back = state.leased_at - now > clock_slack;
            if (put_back) {
                state.leased_at = now;
            }
            return put_back;
        }
        std::int64_t over = (now - state.leased_at) / slot_;
        for (std::int64_t i = 0;
             i < std::min<std::int64_t>(over, lease_slots); ++i)
        {
            auto slot = static_cast<std::size_t>(state.lease + i)
                        % lease_slots;
            state.held[slot] = 0;
            state.held_before[slot] = 0;
        }
        state.lease += over;
        state.leased_at += over * slot_;
        return false;
    }

    static void rotate(WindowState &state) noexcept {
        state.before = state.spent;
        state.spent = 0;
        for (std::size_t i = 0; i < lease_slots; ++i) {
            state.held_before[i] = state.held[i];
            state.held[i] = 0;
        }
        ++state.turn;
    }

    static void clear(WindowState &state) noexcept {
        rotate(state);
        rotate(state);
    }

    const Limit &limit_;
    std::int64_t period_;
    std::int64_t slot_;
    Span span_ = {};
};

// How a bucket drains.
class Drain {
public:
    explicit Drain(const Limit &limit) noexcept
        : rate_(clamp_amount(limit.budget)),
          tick_(tick_of(period_of(limit))),
          ticks_(period_of(limit) / tick_) {}

    // As Windows::advance().
    bool advance(BucketState &state, std::int64_t now) const noexcept {
        if (used(state) == 0) {
            state.at = now;
            return false;
        }
        if (now < state.at) {
            bool put_back = state.at - now > clock_slack;
            if (put_back) {
                state.at = now;
            }
            return put_back;
        }
        std::int64_t ticks = (now - state.at) / tick_;
        state.at += ticks * tick_;
        drain(state, ticks);
        return false;
    }

    // The sum goes in a circle: all that is asked of it is what came since.
    void charge(BucketState &state, std::int64_t amount) const noexcept {
        state.level = add(state.level, amount);
        state.charged += amount;
        if (state.charged > most) {
            state.charged -= most;
        }
        state.rate = rate_;
    }

    static std::int64_t used(const BucketState &state) noexcept {
        return state.level + (state.fraction > 0);
    }

    // ms until no more than `rest` is in it.
    std::int64_t time_to(const BucketState &state, std::int64_t now,
                         std::int64_t rest) const noexcept {
        if (used(state) <= rest) {
            return 0;
        }
        if (rate_ == 0) {
            return longest_wait;
        }
        std::int64_t most_ticks = longest_wait / tick_;
        std::int64_t periods = (used(state) - rest) / rate_ + 1;
        if (periods > most_ticks / ticks_) {
            return longest_wait;
        }
        auto ticks = first_moment(0, periods * ticks_, [&](std::int64_t ticks) {
            BucketState then = state;
            drain(then, ticks);
            return used(then) <= rest;
        });
        return std::max<std::int64_t>(state.at - now + ticks * tick_, 1);
    }

    // What drains in so many ms, as far as it is no more than `level`.
    std::int64_t drained(std::int64_t elapsed,
                         std::int64_t level) const noexcept {
        BucketState state = {0, level, 0, level, rate_};
        drain(state, std::max<std::int64_t>(elapsed, 0) / tick_);
        return level - used(state);
    }

private:
    void drain(BucketState &state, std::int64_t ticks) const noexcept {
        std::int64_t periods = ticks / ticks_;
        if (rate_ > 0 && periods > state.level / rate_) {
            state.level = 0;
            state.fraction = 0;
            return;
        }
        auto part = scale(rate_, ticks % ticks_, ticks_);
        state.level -= periods * rate_ + part.whole;
        state.fraction -= part.rest;
        if (state.fraction < 0) {
            state.fraction += ticks_;
            --state.level;
        }
        if (state.level < 0) {
            state.level = 0;
            state.fraction = 0;
        }
    }

    std::int64_t rate_;
    std::int64_t tick_;
    std::int64_t ticks_;        // of a period
};

Decision decide(const Limit &limit, std::int64_t used,
                std::int64_t amount) noexcept {
    Decision decision;
    decision.limit = limit.capacity();
    decision.outcome = amount > decision.limit          ? Outcome::too_large
                       : used + amount > decision.limit ? Outcome::refused
                                                        : Outcome::granted;
    if (decision.granted()) {
        used += amount;
    }
    decision.remaining = std::max<std::int64_t>(decision.limit - used, 0);
    return decision;
}

Decision reserve_window(const Limit &limit, WindowState &kept,
                        std::int64_t now, std::int64_t amount,
                        Reservation *reservation) noexcept {
    Windows windows(limit, kept, now);
    WindowState state = kept;
    bool put_back = windows.advance(state, now);
    auto decision = decide(limit, windows.used(state, now), amount);
    if (put_back) {
        kept = state;
    }
    if (decision.granted()) {
        // The one that is over not before the lease is.
        std::int64_t lease = state.lease + lease_slots - 1;
        auto &held = state.held[static_cast<std::size_t>(lease) % lease_slots];
        held = add(held, amount);
        reservation->mark = state.turn;
        reservation->lease = lease;
        reservation->at = state.at;
        kept = state;
    } else if (decision.outcome == Outcome::refused) {
        decision.retry_after = windows.retry_after(state, now, amount);
    }
    decision.reset = windows.reset(state, now);
    return decision;
}

Decision reserve_bucket(const Limit &limit, BucketState &kept,
                        std::int64_t now, std::int64_t amount,
                        Reservation *reservation) noexcept {
    Drain drain(limit);
    BucketState state = kept;
    bool put_back = drain.advance(state, now);
    auto decision = decide(limit, Drain::used(state), amount);
    if (put_back) {
        kept = state;
    }
    if (decision.granted()) {
        drain.charge(state, amount);
        reservation->mark = state.charged;
        reservation->lease = 0;
        reservation->at = now;
        kept = state;
    } else if (decision.outcome == Outcome::refused) {
        decision.retry_after =
            drain.time_to(state, now, decision.limit - amount);
    }
    decision.reset = drain.time_to(state, now, 0);
    return decision;
}

void take_back(std::int64_t &held, std::int64_t amount) noexcept {
    held -= std::min(held, amount);
}

// A reservation in the windows of its state, which it advances to `now`.
struct Place {
    Place(const Limit &limit, WindowState &state, std::int64_t now,
          const Reservation &reservation, bool known) noexcept {
        Windows windows(limit, state, now);
        if (state.turn == 0 && limit.window == Window::fixed
            && now - reservation.at < period_of(limit))
        {
            // The window of the reservation was forgotten, but is not over.
            windows.advance(state, std::min(now, reservation.at));
        }
        windows.advance(state, now);

        present = known ? reservation.mark == state.turn
                  : limit.window == Window::fixed
                      ? now - reservation.at < period_of(limit)
                      : reservation.at >= state.at;
        before = limit.window == Window::sliding && !present
                 && (known ? reservation.mark == state.turn - 1
                           : reservation.at >= state.at - period_of(limit));
        held = known && reservation.lease >= state.lease;
    }

    // What is still held for it, if it is.
    void release(WindowState &state,
                 const Reservation &reservation) const noexcept {
        if (!held) {
            return;
        }
        auto slot = static_cast<std::size_t>(reservation.lease) % lease_slots;
        if (present) {
            take_back(state.held[slot], reservation.amount);
        } else if (before) {
            take_back(state.held_before[slot], reservation.amount);
        }
    }

    bool present;       // of the present window
    bool before;        // of the one before it, which still counts
    bool held;          // its lease is not over
};

void settle_window(const Limit &limit, WindowState &state, std::int64_t now,
                   const Reservation &reservation, std::int64_t actual,
                   bool known) noexcept {
    Place place(limit, state, now, reservation, known);
    place.release(state, reservation);
    if (place.present) {
        state.spent = add(state.spent, actual);
    } else if (place.before) {
        state.before = add(state.before, actual);
    }
}

void settle_bucket(const Limit &limit, BucketState &state, std::int64_t now,
                   const Reservation &reservation, std::int64_t actual,
                   bool known) noexcept {
    Drain drain(limit);
    drain.advance(state, now);
    std::int64_t more = actual - reservation.amount;
    if (!known) {
        more = actual - drain.drained(now - reservation.at, actual);
    }
    if (more >= 0) {
        drain.charge(state, more);
        return;
    }
    // Charges drain in the order in which they came: what came later is in
    // the bucket as a whole, and of this one, what is left beside that.
    std::int64_t later = state.charged - reservation.mark;
    if (later < 0) {
        later += most;
    }
    state.level -= std::clamp<std::int64_t>(state.level - later, 0, -more);
}

// Of this state, and not of one that was forgotten.
bool is_known(const Limit &limit, const State &state,
              const Reservation &reservation) noexcept {
    bool begun = limit.window == Window::bucket ? state.bucket.charged != 0
                                                : state.window.turn != 0;
    return begun && reservation.birth == state.birth;
}

}  // namespace

Decision reserve(const Limit &limit, State &state, std::int64_t now,
                 std::int64_t amount, Reservation *reservation) noexcept {
    now = clamp_time(now);
    amount = clamp_amount(amount);
    auto decision =
        limit.window == Window::bucket
            ? reserve_bucket(limit, state.bucket, now, amount, reservation)
            : reserve_window(limit, state.window, now, amount, reservation);
    if (decision.granted()) {
        reservation->amount = amount;
        reservation->birth = state.birth;
    }
    return decision;
}

void settle(const Limit &limit, State &state, std::int64_t now,
            const Reservation &reservation, std::int64_t actual) noexcept {
    now = clamp_time(now);
    actual = clamp_amount(actual);
    bool known = is_known(limit, state, reservation);
    if (limit.window == Window::bucket) {
        settle_bucket(limit, state.bucket, now, reservation, actual, known);
    } else {
        settle_window(limit, state.window, now, reservation, actual, known);
    }
}

void renew(const Limit &limit, State &state, std::int64_t now,
           Reservation *reservation) noexcept {
    if (limit.window == Window::bucket) {
        return;
    }
    auto &window = state.window;
    Place place(limit, window, clamp_time(now), *reservation,
                is_known(limit, state, *reservation));
    if (!place.present && !place.before) {
        return;
    }
    place.release(window, *reservation);
    std::int64_t lease = window.lease + lease_slots - 1;
    auto slot = static_cast<std::size_t>(lease) % lease_slots;
    auto &held = place.present ? window.held[slot] : window.held_before[slot];
    held = add(held, reservation->amount);
    reservation->birth = state.birth;
    reservation->mark = window.turn - (place.present ? 0 : 1);
    reservation->lease = lease;
}

Usage usage(const Limit &limit, const State &state,
            std::int64_t now) noexcept {
    now = clamp_time(now);
    Usage usage;
    if (limit.window == Window::bucket) {
        Drain drain(limit);
        BucketState then = state.bucket;
        drain.advance(then, now);
        usage.used = Drain::used(then);
        usage.spent = then.level;
        usage.reset = drain.time_to(then, now, 0);
        return usage;
    }
    Windows windows(limit, state.window, now);
    WindowState then = state.window;
    windows.advance(then, now);
    usage.used = windows.used(then, now);
    usage.spent = then.spent;
    usage.held = sum(then.held) + sum(then.held_before);
    usage.reset = windows.reset(then, now);
    return usage;
}

}  // namespace llm::limit
