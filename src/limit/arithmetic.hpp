// Integer arithmetic whose intermediate results stay below 2^53, as
// scripts.cpp does it in Lua.
#pragma once

#include <algorithm>
#include <cstdint>

#include "llm/limit.hpp"

namespace llm::limit {

// ms: some 25,000 years, and far from where arithmetic ends.
inline constexpr std::int64_t last_moment = 800'000'000'000'000;

constexpr std::int64_t clamp_time(std::int64_t now) noexcept {
    return std::clamp<std::int64_t>(now, 0, last_moment);
}

// Sums stop here.
inline constexpr std::int64_t most = std::int64_t{1} << 52;

// Time is counted in ticks, of which a period has no more than a day has ms:
// the product of two numbers below that is below 2^53.
constexpr std::int64_t tick_of(std::int64_t period) noexcept {
    return period <= day ? 1 : 1000;
}

constexpr std::int64_t clamp_amount(std::int64_t amount) noexcept {
    return std::clamp<std::int64_t>(amount, 0, max_amount);
}

constexpr std::int64_t add(std::int64_t a, std::int64_t b) noexcept {
    return std::min(a + b, most);
}

constexpr std::int64_t period_of(const Limit &limit) noexcept {
    auto period = std::clamp<std::int64_t>(limit.period, 1, max_period);
    return period - period % tick_of(period);
}

// How long a slot of reservations lasts.
constexpr std::int64_t slot_of(const Limit &limit) noexcept {
    return (std::clamp<std::int64_t>(limit.lease, 1, max_period) + 1) / 2;
}

struct Quotient {
    std::int64_t whole;
    std::int64_t rest;      // over c
};

// a * b / c for a <= most, b <= c and c of a tick's size: whole <= a.
constexpr Quotient scale(std::int64_t a, std::int64_t b,
                         std::int64_t c) noexcept {
    std::int64_t rest = a % c * b;
    return {a / c * b + rest / c, rest % c};
}

}  // namespace llm::limit
