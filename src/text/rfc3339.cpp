#include "text/rfc3339.hpp"

#include <algorithm>
#include <chrono>

namespace llm::rfc3339 {

namespace {

constexpr std::int64_t last = 253402300799;     // of the year 9999

// The number that the next `digits` characters are, which are removed;
// -1 where they are something else.
int take(std::string_view &text, std::size_t digits) noexcept {
    if (text.size() < digits) {
        return -1;
    }
    int number = 0;
    for (char c : text.substr(0, digits)) {
        if (c < '0' || c > '9') {
            return -1;
        }
        number = number * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return number;
}

bool take(std::string_view &text, std::string_view any_of) noexcept {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

void append_number(std::string &out, int number, int digits) {
    std::string text = std::to_string(number);
    out.append(static_cast<std::size_t>(
                   std::max(digits - static_cast<int>(text.size()), 0)),
               '0');
    out.append(text);
}

}  // namespace

std::optional<std::int64_t> parse(std::string_view text) noexcept {
    using namespace std::chrono;

    int y = take(text, 4);
    bool form = take(text, "-");
    int mon = take(text, 2);
    form = form && take(text, "-");
    int d = take(text, 2);
    form = form && take(text, "Tt ");
    int h = take(text, 2);
    form = form && take(text, ":");
    int min = take(text, 2);
    form = form && take(text, ":");
    int s = take(text, 2);
    if (!form || y < 1970 || mon < 1 || d < 1 || h < 0 || h > 23 || min < 0
        || min > 59 || s < 0 || s > 60) {
        return std::nullopt;
    }
    year_month_day date{year(y), month(static_cast<unsigned>(mon)),
                        day(static_cast<unsigned>(d))};
    if (!date.ok()) {
        return std::nullopt;
    }

    if (take(text, ".")) {
        while (take(text, 1) >= 0) {
        }
    }
    int offset = 0;
    if (!take(text, "Zz")) {
        bool west = !text.empty() && text.front() == '-';
        form = take(text, "+-");
        int hours = take(text, 2);
        form = form && take(text, ":");
        int minutes = take(text, 2);
        if (!form || hours < 0 || minutes < 0) {
            return std::nullopt;
        }
        offset = (hours * 60 + minutes) * (west ? -1 : 1);
    }
    if (!text.empty()) {
        return std::nullopt;
    }

    std::int64_t seconds = sys_days(date).time_since_epoch().count();
    seconds = ((seconds * 24 + h) * 60 + min - offset) * 60 + s;
    if (seconds < 0 || seconds > last) {
        return std::nullopt;
    }
    return seconds;
}

void append(std::string &out, std::int64_t seconds) {
    using namespace std::chrono;

    seconds = std::clamp<std::int64_t>(seconds, 0, last);
    constexpr std::int64_t of_day = 24 * 60 * 60;
    year_month_day date{sys_days(days(seconds / of_day))};
    int rest = static_cast<int>(seconds % of_day);

    append_number(out, static_cast<int>(date.year()), 4);
    out.push_back('-');
    append_number(out, static_cast<int>(unsigned(date.month())), 2);
    out.push_back('-');
    append_number(out, static_cast<int>(unsigned(date.day())), 2);
    out.push_back('T');
    append_number(out, rest / 3600, 2);
    out.push_back(':');
    append_number(out, rest / 60 % 60, 2);
    out.push_back(':');
    append_number(out, rest % 60, 2);
    out.push_back('Z');
}

}  // namespace llm::rfc3339
