// Limits as directives write them:
//   rate=100k/m burst=20k            a bucket
//   rate=1m/d window=calendar        days of a time zone
//   rate=5.50usd/month               months, money
//   rate=60/m count=requests
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "llm/limit.hpp"
#include "llm/result.hpp"

namespace llm::limit {

// What a limit counts.
enum class Count : std::uint8_t {
    total,          // prompt and completion tokens
    prompt,
    completion,
    cost,           // millionths of the currency's unit
    requests,
};

std::string_view name_of(Count count) noexcept;

inline constexpr std::int64_t money_unit = 1'000'000;

struct Spec {
    Limit limit;                // its time zone is the caller's
    Count count = Count::total;
    std::string currency;       // "usd"; cost only
};

// "100k/m": AMOUNT/[N]UNIT with s, m, h, d or month.
struct Rate {
    std::int64_t amount = 0;
    std::int64_t period = 0;    // ms; 0: a calendar month
    bool one_unit = true;       // without N: has a calendar's window
    CalendarUnit unit = CalendarUnit::minute;
    bool has_unit = true;       // of the calendar: seconds are none
    std::string currency;       // empty: no money
};

// "20k", "1.5m": a whole number of tokens or requests up to max_amount; k is
// 1000 and m a million.
Result<std::int64_t> parse_count(std::string_view text);

// "5.50usd", in millionths, of which it has no parts.
Result<std::int64_t> parse_money(std::string_view text,
                                 std::string *currency);

Result<Rate> parse_rate(std::string_view text);

// The parameters of a limit; one that is not given is empty. Every mistake is
// an error that quotes the word:
// `invalid rate "100x/m": unknown unit "x"`.
struct SpecWords {
    std::string_view rate = {};
    std::string_view burst = {};
    std::string_view window = {};
    std::string_view count = {};
};

// Without `window`: with `burst` a bucket, per month the calendar's months,
// else sliding. Without `count`: cost for money, else total.
Result<Spec> parse_spec(const SpecWords &words);

// For a rate that is a variable: the spec of the zone with another rate, which
// must count the same; a burst grows and shrinks with the rate, as far as it
// was given as one.
Result<Limit> with_rate(const Spec &spec, std::string_view rate);

}  // namespace llm::limit
