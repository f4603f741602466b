#include <algorithm>

#include "llm/limit.hpp"
#include "llm/time_zone.hpp"

namespace llm::limit {

namespace {

constexpr std::int64_t second = 1000;       // ms
constexpr std::int64_t day_seconds = 86400;
constexpr std::int64_t farthest = 800'000'000'000;      // s

std::int64_t floor_to(std::int64_t value, std::int64_t step) noexcept {
    std::int64_t rest = value % step;
    return value - (rest < 0 ? rest + step : rest);
}

// In seconds.
Span clock_span(std::int64_t step, const TimeZone &zone,
                std::int64_t now) noexcept {
    std::int64_t offset = zone.offset_at(now);
    std::int64_t start = floor_to(now + offset, step) - offset;
    return {std::max(start, zone.change_before(now)),
            std::min(start + step, zone.change_after(now))};
}

Span date_span(CalendarUnit unit, const TimeZone &zone,
               std::int64_t now) noexcept {
    std::int64_t local = now + zone.offset_at(now);
    Date first = date_of(floor_to(local, day_seconds) / day_seconds);
    Date next = first;
    if (unit == CalendarUnit::month) {
        first.day = next.day = 1;
        next.month = first.month % 12 + 1;
        next.year += next.month == 1;
    } else {
        next = date_of(days_of(first) + 1);
    }
    auto moment = [&](const Date &date) {
        return zone.first_moment_of(days_of(date) * day_seconds);
    };
    std::int64_t start = moment(first);
    std::int64_t end = moment(next);
    if (now >= end) {
        // The clock was put back over midnight: it is the day before for a
        // second time, and the next one has begun already.
        start = end;
        next = unit == CalendarUnit::month
                   ? Date{next.year + next.month / 12, next.month % 12 + 1, 1}
                   : date_of(days_of(next) + 1);
        end = moment(next);
    }
    return {std::min(start, now), std::max(end, now + 1)};
}

}  // namespace

Span calendar_span(CalendarUnit unit, const TimeZone *zone,
                   std::int64_t now) noexcept {
    const TimeZone utc;
    const TimeZone &used = zone != nullptr ? *zone : utc;
    std::int64_t seconds = std::clamp(floor_to(now, second) / second,
                                      -farthest, farthest);
    Span span;
    switch (unit) {
    case CalendarUnit::minute:
        span = clock_span(60, used, seconds);
        break;
    case CalendarUnit::hour:
        span = clock_span(3600, used, seconds);
        break;
    default:
        span = date_span(unit, used, seconds);
    }
    return {span.start * second, span.end * second};
}

}  // namespace llm::limit
