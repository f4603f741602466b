// Any words are refused with a message or are a limit that can be used; any
// bytes are refused or are a time zone whose windows have every moment in
// them.
#include <algorithm>

#include "fuzz.hpp"
#include "llm/limit_spec.hpp"
#include "llm/time_zone.hpp"

using namespace llm;

namespace {

void check_limit(const limit::Limit &limit, std::string_view text) {
    limit::State state;
    limit::Reservation reservation;
    std::int64_t now = 1'700'000'000'000;
    auto all = limit::reserve(limit, state, now, limit.capacity(),
                              &reservation);
    fuzz::promise(all.granted() && all.remaining == 0,
                  "a new key has its whole budget", text);
    auto more = limit::reserve(limit, state, now, 1, &reservation);
    fuzz::promise(more.outcome == limit::Outcome::refused
                      && more.retry_after > 0,
                  "a budget that is used up refuses for now", text);
}

void check_zone(const TimeZone &zone, std::int64_t now,
                std::string_view text) {
    using limit::CalendarUnit;
    for (auto unit : {CalendarUnit::minute, CalendarUnit::hour,
                      CalendarUnit::day, CalendarUnit::month})
    {
        auto span = limit::calendar_span(unit, &zone, now);
        fuzz::promise(span.start <= now && now < span.end,
                      "a window has its moment in it", text);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    std::string_view text(reinterpret_cast<const char *>(data), size);

    // rate burst window count
    limit::SpecWords words;
    std::string_view rest = text;
    for (auto *word :
         {&words.rate, &words.burst, &words.window, &words.count})
    {
        *word = rest.substr(0, rest.find(' '));
        rest.remove_prefix(std::min(word->size() + 1, rest.size()));
    }
    if (auto spec = limit::parse_spec(words)) {
        check_limit(spec->limit, text);
        fuzz::promise(static_cast<bool>(limit::with_rate(*spec, words.rate)),
                      "a spec takes its own rate", text);
    } else {
        fuzz::promise(!spec.error().message.empty(), "errors say something");
    }

    std::int64_t now = 1'700'000'000'000;
    for (char c : text.substr(0, 6)) {
        now = now * 31 % 4'000'000'000'000 + static_cast<unsigned char>(c);
    }
    for (const auto &zone :
         {TimeZone::parse_posix(text), TimeZone::parse_tzif(text)})
    {
        if (zone) {
            check_zone(*zone, now, text);
        } else {
            fuzz::promise(!zone.error().message.empty(),
                          "errors say something");
        }
    }
    return 0;
}
