// Time zones as data: the content of a TZif file (RFC 9636), such as those
// below /usr/share/zoneinfo, or the rule that POSIX writes into TZ:
// "CET-1CEST,M3.5.0,M10.5.0/3". Who reads the file is the caller.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "llm/result.hpp"

namespace llm {

// A day of the proleptic Gregorian calendar.
struct Date {
    std::int64_t year;
    int month;              // 1..12
    int day;                // 1..31
    bool operator==(const Date &) const = default;
};

// Days since 1970-01-01.
std::int64_t days_of(const Date &date) noexcept;
Date date_of(std::int64_t days) noexcept;

// All times are seconds; "local" ones as if they were UTC.
class TimeZone {
public:
    // UTC.
    TimeZone() = default;

    static Result<TimeZone> parse_tzif(std::string_view bytes);
    // Names of any letters, or of anything in <>; offsets up to 167 hours, as
    // TZif allows them; rules in the forms Mm.w.d, Jn and n. Daylight saving
    // time without rules is refused: POSIX leaves open when it is.
    static Result<TimeZone> parse_posix(std::string_view text);

    // What is added to `utc` to have the local time of that moment.
    std::int64_t offset_at(std::int64_t utc) const noexcept;

    // When clocks show `local`: the first time if they do so twice; if never,
    // the moment that they are put forward over it.
    std::int64_t first_moment_of(std::int64_t local) const noexcept;

    // The last moment up to `utc` and the first one after it at which the
    // offset changes; the least and the greatest number where there is none.
    std::int64_t change_before(std::int64_t utc) const noexcept;
    std::int64_t change_after(std::int64_t utc) const noexcept;

private:
    // When in a year, on the clock that goes until then.
    struct RuleDate {
        enum class Kind : std::uint8_t { month_week_day, julian, day };
        Kind kind = Kind::day;
        int month = 0;
        int week = 0;
        int day = 0;
        std::int64_t time = 2 * 3600;
    };
    struct Rule {
        std::int64_t standard = 0;
        std::int64_t daylight = 0;
        bool has_daylight = false;
        RuleDate begin;
        RuleDate end;
    };
    struct Change {
        std::int64_t at;
        std::int64_t offset;    // from then on
    };
    class RuleReader;

    static std::int64_t local_of(const RuleDate &date,
                                 std::int64_t year) noexcept;
    // The two changes of a year, the earlier one first.
    void changes_of(std::int64_t year, Change (&changes)[2]) const noexcept;
    std::int64_t rule_offset(std::int64_t utc) const noexcept;

    std::int64_t first_offset_ = 0;
    std::vector<Change> changes_;
    Rule rule_;                 // after the last of them
};

}  // namespace llm
