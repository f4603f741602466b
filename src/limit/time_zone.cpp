#include "llm/time_zone.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace llm {

namespace {

constexpr std::int64_t hour = 3600;
constexpr std::int64_t day = 24 * hour;
constexpr auto never = std::numeric_limits<std::int64_t>::max();
constexpr auto always = std::numeric_limits<std::int64_t>::min();
// Beyond these a time is taken for the nearest: years -27000 to 30000.
constexpr std::int64_t farthest = 900'000'000'000;

std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept {
    return a / b - (a % b < 0);
}

bool is_leap(std::int64_t year) noexcept {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

Error bad_zone(std::string_view what) {
    return invalid_request("invalid time zone: " + std::string(what));
}

}  // namespace

// Both count years from March on, so that the leap day is the last of a year,
// and in eras of 400 years, which all have the same days.
std::int64_t days_of(const Date &date) noexcept {
    std::int64_t year = date.year - (date.month <= 2);
    std::int64_t era = floor_div(year, 400);
    std::int64_t year_of_era = year - era * 400;
    std::int64_t month = (date.month + 9) % 12;
    std::int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4
                              - year_of_era / 100 + day_of_year;
    constexpr std::int64_t epoch = 719468;
    return era * 146097 + day_of_era - epoch;
}

Date date_of(std::int64_t days) noexcept {
    constexpr std::int64_t epoch = 719468;
    days += epoch;
    std::int64_t era = floor_div(days, 146097);
    std::int64_t day_of_era = days - era * 146097;
    std::int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524
         - day_of_era / 146096)
        / 365;
    std::int64_t day_of_year =
        day_of_era
        - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    std::int64_t month = (5 * day_of_year + 2) / 153;
    Date date;
    date.day = static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1);
    date.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
    date.year = year_of_era + era * 400 + (date.month <= 2);
    return date;
}

// POSIX.1-2017, Base Definitions, section 8.3, TZ.
class TimeZone::RuleReader {
public:
    explicit RuleReader(std::string_view text) : rest_(text) {}

    bool read(Rule &rule) {
        if (!name() || !offset(24 * 7 - 1, rule.standard)) {
            return false;
        }
        // POSIX counts westwards.
        rule.standard = -rule.standard;
        if (rest_.empty()) {
            return true;
        }
        if (!name()) {
            return false;
        }
        rule.has_daylight = true;
        rule.daylight = rule.standard + hour;
        if (!rest_.empty() && rest_[0] != ',') {
            if (!offset(24 * 7 - 1, rule.daylight)) {
                return false;
            }
            rule.daylight = -rule.daylight;
        }
        return date(rule.begin) && date(rule.end) && rest_.empty();
    }

private:
    bool take(char c) {
        if (rest_.empty() || rest_[0] != c) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    bool name() {
        if (take('<')) {
            std::size_t end = rest_.find('>');
            if (end == std::string_view::npos || end < 3) {
                return false;
            }
            rest_.remove_prefix(end + 1);
            return true;
        }
        std::size_t size = 0;
        while (size < rest_.size() && is_letter(rest_[size])) {
            ++size;
        }
        rest_.remove_prefix(size);
        return size >= 3;
    }

    bool number(int low, int high, int &value) {
        std::size_t size = 0;
        value = 0;
        while (size < rest_.size() && size < 4 && is_digit(rest_[size])) {
            value = value * 10 + (rest_[size++] - '0');
        }
        rest_.remove_prefix(size);
        return size > 0 && value >= low && value <= high;
    }

    // [+-]hh[:mm[:ss]]
    bool offset(int most_hours, std::int64_t &seconds) {
        bool negative = take('-');
        if (!negative) {
            (void)take('+');
        }
        int hours = 0;
        int minutes = 0;
        int rest = 0;
        if (!number(0, most_hours, hours)) {
            return false;
        }
        if (take(':')) {
            if (!number(0, 59, minutes)
                || (take(':') && !number(0, 59, rest)))
            {
                return false;
            }
        }
        seconds = hours * hour + minutes * 60 + rest;
        if (negative) {
            seconds = -seconds;
        }
        return true;
    }

    bool date(RuleDate &date) {
        if (!take(',')) {
            return false;
        }
        if (take('M')) {
            date.kind = RuleDate::Kind::month_week_day;
            if (!number(1, 12, date.month) || !take('.')
                || !number(1, 5, date.week) || !take('.')
                || !number(0, 6, date.day))
            {
                return false;
            }
        } else if (take('J')) {
            date.kind = RuleDate::Kind::julian;
            if (!number(1, 365, date.day)) {
                return false;
            }
        } else if (!number(0, 365, date.day)) {
            return false;
        }
        return !take('/') || offset(24 * 7 - 1, date.time);
    }

    std::string_view rest_;
};

Result<TimeZone> TimeZone::parse_posix(std::string_view text) {
    TimeZone zone;
    if (!RuleReader(text).read(zone.rule_)) {
        return bad_zone("\"" + std::string(text.substr(0, 100)) + "\"");
    }
    zone.first_offset_ = zone.rule_.standard;
    return zone;
}

namespace {

// Numbers of a TZif file: big-endian.
class Bytes {
public:
    explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

    bool has(std::size_t size) const { return bytes_.size() >= size; }
    void skip(std::size_t size) { bytes_.remove_prefix(size); }
    std::string_view rest() const { return bytes_; }

    std::uint8_t byte() {
        auto value = static_cast<std::uint8_t>(bytes_[0]);
        skip(1);
        return value;
    }
    std::uint64_t word(std::size_t size) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < size; ++i) {
            value = value << 8 | byte();
        }
        return value;
    }

private:
    std::string_view bytes_;
};

struct Counts {
    std::uint64_t utc_indicators;
    std::uint64_t standard_indicators;
    std::uint64_t leaps;
    std::uint64_t times;
    std::uint64_t types;
    std::uint64_t letters;
    char version;

    std::uint64_t size(std::uint64_t time_size) const {
        return times * (time_size + 1) + types * 6 + letters
               + leaps * (time_size + 4) + standard_indicators
               + utc_indicators;
    }
};

constexpr std::size_t head_size = 44;

// RFC 9636, section 3.1.
bool read_head(Bytes &bytes, Counts &counts) {
    if (!bytes.has(head_size) || bytes.rest().substr(0, 4) != "TZif") {
        return false;
    }
    bytes.skip(4);
    counts.version = static_cast<char>(bytes.byte());
    bytes.skip(15);
    counts.utc_indicators = bytes.word(4);
    counts.standard_indicators = bytes.word(4);
    counts.leaps = bytes.word(4);
    counts.times = bytes.word(4);
    counts.types = bytes.word(4);
    counts.letters = bytes.word(4);
    return counts.types > 0 && counts.types <= 256;
}

}  // namespace

Result<TimeZone> TimeZone::parse_tzif(std::string_view text) {
    Bytes bytes(text);
    Counts counts;
    std::size_t time_size = 4;
    if (!read_head(bytes, counts)) {
        return bad_zone("not a TZif file");
    }
    if (counts.version >= '2') {
        // The same once more, with times of 64 bits.
        if (!bytes.has(counts.size(4))) {
            return bad_zone("file is cut off");
        }
        bytes.skip(counts.size(4));
        time_size = 8;
        if (!read_head(bytes, counts)) {
            return bad_zone("not a TZif file");
        }
    }
    if (!bytes.has(counts.size(time_size))) {
        return bad_zone("file is cut off");
    }
    if (counts.leaps != 0) {
        return bad_zone("file counts leap seconds, clocks do not");
    }

    TimeZone zone;
    zone.changes_.resize(counts.times);
    for (auto &change : zone.changes_) {
        std::uint64_t bits = bytes.word(time_size);
        change.at = time_size == 8
                        ? static_cast<std::int64_t>(bits)
                        : static_cast<std::int32_t>(bits);
    }
    std::vector<std::size_t> types(counts.times);
    for (auto &type : types) {
        type = bytes.byte();
        if (type >= counts.types) {
            return bad_zone("file names a type that it does not have");
        }
    }
    std::vector<std::int64_t> offsets(counts.types);
    for (auto &offset : offsets) {
        offset = static_cast<std::int32_t>(bytes.word(4));
        bytes.skip(2);
        // RFC 9636, section 3.2: between -25 and 26 hours, or so.
        if (offset < -7 * day || offset > 7 * day) {
            return bad_zone("offset is too large");
        }
    }
    bytes.skip(counts.letters + counts.standard_indicators
               + counts.utc_indicators);

    zone.first_offset_ = offsets[0];
    for (std::size_t i = 0; i < types.size(); ++i) {
        zone.changes_[i].offset = offsets[types[i]];
        if (i > 0 && zone.changes_[i].at <= zone.changes_[i - 1].at) {
            return bad_zone("times are out of order");
        }
    }
    zone.rule_.standard =
        types.empty() ? offsets[0] : zone.changes_.back().offset;
    // Some change the name only.
    std::int64_t offset = zone.first_offset_;
    std::erase_if(zone.changes_, [&](const Change &change) {
        return change.offset == std::exchange(offset, change.offset);
    });
    if (time_size == 8) {
        auto footer = bytes.rest();
        std::size_t end = footer.find('\n', 1);
        if (footer.empty() || footer[0] != '\n'
            || end == std::string_view::npos)
        {
            return bad_zone("file is cut off");
        }
        if (end > 1) {
            auto rule = footer.substr(1, end - 1);
            zone.rule_ = {};
            if (!RuleReader(rule).read(zone.rule_)) {
                return bad_zone("\"" + std::string(rule.substr(0, 100))
                                + "\"");
            }
        }
    }
    return zone;
}

std::int64_t TimeZone::local_of(const RuleDate &date,
                                std::int64_t year) noexcept {
    std::int64_t first = days_of({year, 1, 1});
    switch (date.kind) {
    case RuleDate::Kind::julian:
        // February 29 is not counted.
        return (first + date.day - 1 + (is_leap(year) && date.day >= 60)) * day
               + date.time;
    case RuleDate::Kind::day:
        return (first + date.day) * day + date.time;
    case RuleDate::Kind::month_week_day:
        break;
    }
    std::int64_t month = days_of({year, date.month, 1});
    std::int64_t next = date.month == 12
                            ? days_of({year + 1, 1, 1})
                            : days_of({year, date.month + 1, 1});
    // 1970-01-01 was a Thursday.
    std::int64_t weekday = month + 4 - floor_div(month + 4, 7) * 7;
    std::int64_t days = month + (date.day - weekday + 7) % 7
                        + (date.week - 1) * 7;
    return (days < next ? days : days - 7) * day + date.time;
}

void TimeZone::changes_of(std::int64_t year,
                          Change (&changes)[2]) const noexcept {
    changes[0] = {local_of(rule_.begin, year) - rule_.standard,
                  rule_.daylight};
    changes[1] = {local_of(rule_.end, year) - rule_.daylight, rule_.standard};
    if (changes[1].at < changes[0].at) {
        std::swap(changes[0], changes[1]);
    }
}

std::int64_t TimeZone::rule_offset(std::int64_t utc) const noexcept {
    if (!rule_.has_daylight) {
        return rule_.standard;
    }
    // What changed last; it may have been in the year before.
    std::int64_t year = date_of(floor_div(utc + rule_.standard, day)).year;
    for (std::int64_t i = year + 1; i >= year - 1; --i) {
        Change changes[2];
        changes_of(i, changes);
        for (int j = 1; j >= 0; --j) {
            // Two at once: daylight saving time all year round ends as it
            // begins again.
            if (changes[j].at <= utc) {
                return changes[0].at == changes[1].at ? rule_.daylight
                                                      : changes[j].offset;
            }
        }
    }
    return rule_.standard;
}

std::int64_t TimeZone::offset_at(std::int64_t utc) const noexcept {
    utc = std::clamp(utc, -farthest, farthest);
    if (changes_.empty() || utc >= changes_.back().at) {
        return rule_offset(utc);
    }
    auto next = std::upper_bound(
        changes_.begin(), changes_.end(), utc,
        [](std::int64_t at, const Change &change) { return at < change.at; });
    return next == changes_.begin() ? first_offset_ : (next - 1)->offset;
}

std::int64_t TimeZone::first_moment_of(std::int64_t local) const noexcept {
    local = std::clamp(local, -farthest, farthest);
    std::int64_t offsets[] = {offset_at(local - 2 * day),
                              offset_at(local + 2 * day)};
    auto [least, greatest] = std::minmax(offsets[0], offsets[1]);
    // The greater offset is the earlier moment.
    for (std::int64_t offset : {greatest, least}) {
        if (offset_at(local - offset) == offset) {
            return local - offset;
        }
    }
    std::int64_t low = local - greatest - 1;
    std::int64_t high = local - least;
    while (high - low > 1) {
        std::int64_t middle = low + (high - low) / 2;
        (middle + offset_at(middle) >= local ? high : low) = middle;
    }
    return high;
}

std::int64_t TimeZone::change_before(std::int64_t utc) const noexcept {
    utc = std::clamp(utc, -farthest, farthest);
    std::int64_t last = changes_.empty() ? always : changes_.back().at;
    if (utc >= last && rule_.has_daylight) {
        std::int64_t year = date_of(floor_div(utc + rule_.standard, day)).year;
        for (std::int64_t i = year + 1; i >= year - 1; --i) {
            Change changes[2];
            changes_of(i, changes);
            for (int j = 1; j >= 0; --j) {
                if (changes[j].at <= utc) {
                    return std::max(changes[j].at, last);
                }
            }
        }
    }
    auto next = std::upper_bound(
        changes_.begin(), changes_.end(), utc,
        [](std::int64_t at, const Change &change) { return at < change.at; });
    return next == changes_.begin() ? always : (next - 1)->at;
}

std::int64_t TimeZone::change_after(std::int64_t utc) const noexcept {
    utc = std::clamp(utc, -farthest, farthest);
    auto next = std::upper_bound(
        changes_.begin(), changes_.end(), utc,
        [](std::int64_t at, const Change &change) { return at < change.at; });
    if (next != changes_.end()) {
        return next->at;
    }
    if (rule_.has_daylight) {
        std::int64_t year = date_of(floor_div(utc + rule_.standard, day)).year;
        for (std::int64_t i = year - 1; i <= year + 1; ++i) {
            Change changes[2];
            changes_of(i, changes);
            for (const auto &change : changes) {
                if (change.at > utc) {
                    return change.at;
                }
            }
        }
    }
    return never;
}

}  // namespace llm
