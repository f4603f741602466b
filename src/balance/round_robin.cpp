#include "llm/balance.hpp"

#include <algorithm>

namespace llm::balance {

namespace {

// The time from which on a member may be chosen, but for being down.
std::int64_t available_at(const Pool &pool, std::size_t index) noexcept {
    const auto &target = pool.targets[index];
    const auto &state = *pool.states[index];

    std::int64_t at = state.unavailable_until;
    if (target.max_fails != 0 && state.fails >= target.max_fails
        && pool.targets.size() > 1)
    {
        at = std::max(at, state.checked + target.fail_timeout + 1);
    }
    return at;
}

bool is_available(const Pool &pool, std::size_t index,
                  std::int64_t now) noexcept {
    return !pool.targets[index].down && available_at(pool, index) <= now;
}

void start_try(const Pool &pool, std::size_t index, std::int64_t now) noexcept {
    auto &state = *pool.states[index];
    // One request at a time finds out whether a failed member is well again:
    // the next may try only after another fail_timeout.
    if (now - state.checked > pool.targets[index].fail_timeout) {
        state.checked = now;
    }
    ++state.conns;
    ++state.selected;
}

// Smooth weighted round robin: each candidate gains its weight, the best one
// pays what all have gained together.
std::optional<std::size_t> best_of(const Pool &pool, bool backup,
                                   Members tried, std::int64_t now) noexcept {
    std::optional<std::size_t> best;
    std::int64_t total = 0;

    for (std::size_t i = 0; i < pool.targets.size(); ++i) {
        const auto &target = pool.targets[i];
        if (target.backup != backup || (tried & bit(i)) != 0
            || !is_available(pool, i, now))
        {
            continue;
        }

        auto &state = *pool.states[i];
        state.current_weight += state.effective_weight;
        total += state.effective_weight;
        if (state.effective_weight < target.weight) {
            ++state.effective_weight;
        }
        if (!best
            || state.current_weight > pool.states[*best]->current_weight)
        {
            best = i;
        }
    }

    if (best) {
        pool.states[*best]->current_weight -= total;
    }
    return best;
}

}  // namespace

std::optional<std::size_t> choose(const Pool &pool, Members tried,
                                  std::int64_t now) noexcept {
    auto best = best_of(pool, false, tried, now);
    if (!best) {
        best = best_of(pool, true, tried, now);
    }
    if (best) {
        start_try(pool, *best, now);
    }
    return best;
}

bool any(const Pool &pool, Members tried, std::int64_t now) noexcept {
    for (std::size_t i = 0; i < pool.targets.size(); ++i) {
        if ((tried & bit(i)) == 0 && is_available(pool, i, now)) {
            return true;
        }
    }
    return false;
}

bool take(const Pool &pool, std::size_t index, std::int64_t now) noexcept {
    if (!is_available(pool, index, now)) {
        return false;
    }
    start_try(pool, index, now);
    return true;
}

bool failed(const Pool &pool, std::size_t index, std::int64_t now) noexcept {
    const auto &target = pool.targets[index];
    auto &state = *pool.states[index];

    ++state.fails;
    ++state.failures;
    state.accessed = now;
    state.checked = now;
    if (target.max_fails == 0) {
        return false;
    }
    state.effective_weight = std::max<std::int64_t>(
        0, state.effective_weight - target.weight / target.max_fails);
    return state.fails >= target.max_fails && pool.targets.size() > 1;
}

void succeeded(const Pool &pool, std::size_t index) noexcept {
    auto &state = *pool.states[index];
    if (state.accessed < state.checked) {
        state.fails = 0;
    }
}

void block_until(const Pool &pool, std::size_t index,
                 std::int64_t until) noexcept {
    auto &state = *pool.states[index];
    ++state.failures;
    state.unavailable_until = std::max(state.unavailable_until, until);
}

void release(const Pool &pool, std::size_t index) noexcept {
    auto &state = *pool.states[index];
    // A state that was taken over by another configuration may have begun
    // anew: never below nothing.
    state.conns = std::max<std::int64_t>(0, state.conns - 1);
}

std::optional<std::int64_t> earliest_available(const Pool &pool,
                                               std::int64_t now) noexcept {
    std::optional<std::int64_t> earliest;
    for (std::size_t i = 0; i < pool.targets.size(); ++i) {
        if (pool.targets[i].down) {
            continue;
        }
        auto wait = std::max<std::int64_t>(0, available_at(pool, i) - now);
        earliest = std::min(wait, earliest.value_or(wait));
    }
    return earliest;
}

}  // namespace llm::balance
