#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <random>

#include "catch.hpp"
#include "llm/limit.hpp"
#include "llm/time_zone.hpp"

using namespace llm;
using limit::CalendarUnit;

namespace {

constexpr std::int64_t hour = 3600;

// Of UTC.
std::int64_t at(std::int64_t year, int month, int day, int hours = 0,
                int minutes = 0) {
    return days_of({year, month, day}) * 86400 + hours * hour + minutes * 60;
}

TimeZone zone_of(std::string_view text) {
    auto zone = TimeZone::parse_posix(text);
    INFO(text);
    REQUIRE(zone);
    return *zone;
}

const char *berlin_rule = "CET-1CEST,M3.5.0,M10.5.0/3";

limit::Span span(CalendarUnit unit, const TimeZone &zone, std::int64_t now) {
    auto span = limit::calendar_span(unit, &zone, now * 1000);
    return {span.start / 1000, span.end / 1000};
}

std::string file_of(std::string_view name) {
    std::ifstream in("/usr/share/zoneinfo/" + std::string(name),
                     std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("days are those of the Gregorian calendar") {
    CHECK(days_of({1970, 1, 1}) == 0);
    CHECK(days_of({2000, 3, 1}) == 11017);
    CHECK(days_of({1900, 3, 1}) - days_of({1900, 2, 28}) == 1);
    CHECK(days_of({2024, 3, 1}) - days_of({2024, 2, 28}) == 2);
    for (std::int64_t days = -800'000; days < 800'000; days += 7) {
        REQUIRE(days_of(date_of(days)) == days);
    }
    CHECK(date_of(days_of({2100, 2, 28}) + 1) == Date{2100, 3, 1});
}

TEST_CASE("a rule of POSIX says when clocks change") {
    auto berlin = zone_of(berlin_rule);
    CHECK(berlin.offset_at(at(2026, 1, 15)) == 1 * hour);
    CHECK(berlin.offset_at(at(2026, 7, 15)) == 2 * hour);
    CHECK(berlin.offset_at(at(2026, 3, 29, 1) - 1) == 1 * hour);
    CHECK(berlin.offset_at(at(2026, 3, 29, 1)) == 2 * hour);
    CHECK(berlin.offset_at(at(2026, 10, 25, 1) - 1) == 2 * hour);
    CHECK(berlin.offset_at(at(2026, 10, 25, 1)) == 1 * hour);

    // The south, where summer goes over the new year.
    auto sydney = zone_of("AEST-10AEDT,M10.1.0,M4.1.0/3");
    CHECK(sydney.offset_at(at(2026, 1, 1)) == 11 * hour);
    CHECK(sydney.offset_at(at(2026, 7, 1)) == 10 * hour);

    CHECK(zone_of("<+0545>-5:45").offset_at(0) == 5 * hour + 45 * 60);
    CHECK(zone_of("EST5").offset_at(0) == -5 * hour);
    CHECK(zone_of("XXX-1:02:03").offset_at(0) == hour + 123);
    // Days of the year, with and without a leap day.
    auto julian = zone_of("AAA0BBB,J60/0,J300/0");
    CHECK(julian.offset_at(at(2024, 3, 1)) == hour);
    CHECK(julian.offset_at(at(2024, 3, 1) - 1) == 0);
    CHECK(julian.offset_at(at(2023, 3, 1) - 1) == 0);
    auto day = zone_of("AAA0BBB,59/0,300/0");
    CHECK(day.offset_at(at(2024, 2, 29)) == hour);
    CHECK(day.offset_at(at(2024, 2, 29) - 1) == 0);
}

TEST_CASE("a rule that makes no sense is refused with its text") {
    for (const char *text :
         {"", "CET", "C-1", "CET-1CEST", "CET-200", "CET-1CEST,M3.5.0",
          "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
          "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J10", "CET-1 ",
          "CET-1CEST,M3.5.0,M10.5.0/3x", "<CET-1", "CET-1:60", "Europe/Rome"})
    {
        INFO(text);
        auto zone = TimeZone::parse_posix(text);
        REQUIRE_FALSE(zone);
        CHECK(zone.error().message
              == "invalid time zone: \"" + std::string(text) + "\"");
    }
}

TEST_CASE("files of the system say what its C library says") {
    for (const char *name :
         {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
          "Asia/Kathmandu", "Pacific/Apia", "America/Havana",
          "Africa/Casablanca", "Europe/Dublin", "UTC"})
    {
        auto bytes = file_of(name);
        if (bytes.empty()) {
            WARN("no " << name << " here: not tested");
            continue;
        }
        INFO(name);
        auto zone = TimeZone::parse_tzif(bytes);
        REQUIRE(zone);
        setenv("TZ", name, 1);
        tzset();
        std::mt19937_64 random(1);
        for (int i = 0; i < 20'000; ++i) {
            // 1970 to 2100.
            auto now = static_cast<std::int64_t>(random() % 4'100'000'000);
            std::time_t time = now;
            std::tm local;
            localtime_r(&time, &local);
            INFO(now);
            REQUIRE(zone->offset_at(now) == local.tm_gmtoff);
        }
        unsetenv("TZ");
        tzset();
    }
}

TEST_CASE("a file that is cut off or damaged is refused or usable") {
    auto bytes = file_of("Europe/Berlin");
    if (bytes.empty()) {
        WARN("no time zones here: not tested");
        return;
    }
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK_FALSE(TimeZone::parse_tzif(bytes.substr(0, size)));
    }
    std::mt19937_64 random(1);
    for (int i = 0; i < 5'000; ++i) {
        auto damaged = bytes;
        damaged[random() % damaged.size()] = static_cast<char>(random());
        if (auto zone = TimeZone::parse_tzif(damaged)) {
            (void)zone->offset_at(static_cast<std::int64_t>(random()));
            auto now = static_cast<std::int64_t>(random() % 4'100'000'000);
            auto day = span(CalendarUnit::day, *zone, now);
            CHECK(day.start <= now);
            CHECK(day.end > now);
        }
    }
}

TEST_CASE("windows of the calendar follow the clock on the wall") {
    auto berlin = zone_of(berlin_rule);
    SECTION("days have 23, 24 or 25 hours") {
        auto winter = span(CalendarUnit::day, berlin, at(2026, 1, 15, 12));
        CHECK(winter.start == at(2026, 1, 14, 23));
        CHECK(winter.end - winter.start == 24 * hour);
        auto spring = span(CalendarUnit::day, berlin, at(2026, 3, 29, 12));
        CHECK(spring.end - spring.start == 23 * hour);
        auto autumn = span(CalendarUnit::day, berlin, at(2026, 10, 25, 12));
        CHECK(autumn.end - autumn.start == 25 * hour);
    }
    SECTION("months end when they end") {
        TimeZone utc;
        auto february = span(CalendarUnit::month, utc, at(2024, 2, 29, 23));
        CHECK(february.start == at(2024, 2, 1));
        CHECK(february.end == at(2024, 3, 1));
        CHECK(span(CalendarUnit::month, utc, at(2023, 2, 28, 23)).end
              == at(2023, 3, 1));
        auto december = span(CalendarUnit::month, utc, at(2025, 12, 31, 23));
        CHECK(december.start == at(2025, 12, 1));
        CHECK(december.end == at(2026, 1, 1));
        auto march = span(CalendarUnit::month, berlin, at(2026, 3, 31, 21));
        CHECK(march.start == at(2026, 2, 28, 23));
        CHECK(march.end == at(2026, 3, 31, 22));
        CHECK(march.end - march.start == 31 * 24 * hour - hour);
    }
    SECTION("an hour that the clocks show twice is two windows") {
        auto first = span(CalendarUnit::hour, berlin, at(2026, 10, 25, 0, 30));
        auto second = span(CalendarUnit::hour, berlin, at(2026, 10, 25, 1));
        CHECK(first.end == second.start);
        CHECK(second.end - second.start == hour);
    }
    SECTION("an hour that is cut has what is left of it") {
        // Put forward by half an hour at 2:00.
        auto howe = zone_of("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");
        auto change = at(2026, 10, 3, 15, 30);
        auto before = span(CalendarUnit::hour, howe, change - 1);
        auto after = span(CalendarUnit::hour, howe, change);
        CHECK(before.end == change);
        CHECK(after.start == change);
        CHECK(after.end - after.start == hour / 2);
    }
    SECTION("a midnight that never was is the moment after it") {
        // From 0:00 to 1:00.
        auto zone = zone_of("AAA3BBB,M10.3.0/0,M2.3.0/0");
        auto day = span(CalendarUnit::day, zone, at(2026, 10, 18, 12));
        CHECK(day.start == at(2026, 10, 18, 3));
        CHECK(day.end - day.start == 23 * hour);
    }
}

TEST_CASE("windows of the calendar have no gaps and do not overlap") {
    const char *rules[] = {
        "UTC0",
        berlin_rule,
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "AAA3BBB,M10.3.0/0,M2.3.0/0",           // at midnight
        "CST5CDT,M3.2.0/0,M11.1.0/1",           // midnight twice
        "AAA3BBB,M10.3.0/0:30,M2.3.0/0:30",     // around it
        "EST5EDT,0/0,J365/25",                  // summer always
        "XXX-3YYY-1,M3.4.4/50,M10.4.4/50",
    };
    for (const char *rule : rules) {
        auto zone = zone_of(rule);
        for (auto unit : {CalendarUnit::minute, CalendarUnit::hour,
                          CalendarUnit::day, CalendarUnit::month})
        {
            INFO(rule << " unit " << static_cast<int>(unit));
            std::mt19937_64 random(3);
            for (int i = 0; i < 400; ++i) {
                auto now = static_cast<std::int64_t>(random() % 4'100'000'000);
                for (int j = 0; j < 40; ++j) {
                    auto here = span(unit, zone, now);
                    INFO(now << " in " << here.start << " " << here.end);
                    REQUIRE(here.start <= now);
                    REQUIRE(now < here.end);
                    auto first = span(unit, zone, here.start);
                    REQUIRE(first.start == here.start);
                    REQUIRE(first.end == here.end);
                    auto last = span(unit, zone, here.end - 1);
                    REQUIRE(last.start == here.start);
                    REQUIRE(last.end == here.end);
                    auto next = span(unit, zone, here.end);
                    REQUIRE(next.start == here.end);
                    now = here.end;
                }
            }
        }
    }
}
