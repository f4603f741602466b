#include "llm/limit_spec.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "limit/arithmetic.hpp"

namespace llm::limit {

namespace {

struct CountRow {
    std::string_view name;
    Count count;
};

constexpr CountRow counts[] = {
    {"total", Count::total},       {"prompt", Count::prompt},
    {"completion", Count::completion}, {"cost", Count::cost},
    {"requests", Count::requests},
};

struct WindowRow {
    std::string_view name;
    Window window;
};

constexpr WindowRow windows[] = {
    {"sliding", Window::sliding},
    {"fixed", Window::fixed},
    {"calendar", Window::calendar},
};

struct UnitRow {
    std::string_view name;
    std::int64_t period;                // ms; 0: differs
    std::optional<CalendarUnit> unit;
};

constexpr UnitRow units[] = {
    {"s", 1000, std::nullopt},
    {"m", 60'000, CalendarUnit::minute},
    {"h", 3'600'000, CalendarUnit::hour},
    {"d", day, CalendarUnit::day},
    {"month", 0, CalendarUnit::month},
};

struct ScaleRow {
    std::string_view name;
    std::int64_t factor;
};

constexpr ScaleRow scales[] = {{"", 1}, {"k", 1000}, {"m", 1'000'000}};

std::string quoted(std::string_view text) {
    constexpr std::size_t most = 60;
    std::string out = "\"";
    out += text.substr(0, most);
    out += text.size() > most ? "...\"" : "\"";
    return out;
}

Error bad(std::string_view name, std::string_view word,
          std::string_view why) {
    std::string message = "invalid ";
    message += name;
    message += ' ';
    message += quoted(word);
    message += ": ";
    message += why;
    return invalid_request(std::move(message), std::string(name));
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// A decimal number as an integer of `factor` parts, and what follows it.
// Empty: all went well.
std::string_view read_number(std::string_view &text, std::int64_t factor,
                             std::int64_t *value) {
    std::int64_t whole = 0;
    std::size_t size = 0;
    while (size < text.size() && is_digit(text[size])) {
        whole = whole * 10 + (text[size++] - '0');
        if (whole > max_amount / factor) {
            return "is too large";
        }
    }
    if (size == 0) {
        return "must begin with a number";
    }
    whole *= factor;
    if (size < text.size() && text[size] == '.') {
        std::size_t point = size++;
        while (size < text.size() && is_digit(text[size])) {
            std::int64_t digit = text[size++] - '0';
            if (factor % 10 != 0) {
                if (digit != 0) {
                    return "has a part of the smallest unit";
                }
                continue;
            }
            factor /= 10;
            whole += digit * factor;
        }
        if (size == point + 1) {
            return "has a point without digits";
        }
        if (whole > max_amount) {
            return "is too large";
        }
    }
    text.remove_prefix(size);
    *value = whole;
    return {};
}

std::string_view number_part(std::string_view text) noexcept {
    return text.substr(0, std::min(text.find_first_not_of("0123456789."),
                                   text.size()));
}

bool is_currency(std::string_view text) noexcept {
    return text.size() == 3
           && std::all_of(text.begin(), text.end(), [](char c) {
                  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
              });
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char &c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }
    return out;
}

// `name` is what the word is called in an error.
Result<std::int64_t> read_amount(std::string_view name, std::string_view word,
                                 std::string_view text,
                                 std::string *currency) {
    auto suffix = text.substr(number_part(text).size());
    std::int64_t factor = 0;
    if (is_currency(suffix)) {
        factor = money_unit;
        *currency = lower(suffix);
    } else {
        for (const auto &row : scales) {
            if (lower(suffix) == row.name) {
                factor = row.factor;
            }
        }
        currency->clear();
    }
    if (factor == 0) {
        return bad(name, word,
                   number_part(text).empty()
                       ? "must begin with a number"
                       : "unknown unit " + quoted(suffix));
    }
    std::int64_t value = 0;
    if (auto why = read_number(text, factor, &value); !why.empty()) {
        return bad(name, word, why);
    }
    if (text != suffix) {
        return bad(name, word, "is not a number");
    }
    return value;
}

}  // namespace

std::string_view name_of(Count count) noexcept {
    for (const auto &row : counts) {
        if (row.count == count) {
            return row.name;
        }
    }
    return {};
}

Result<std::int64_t> parse_count(std::string_view text) {
    std::string currency;
    auto amount = read_amount("amount", text, text, &currency);
    if (amount && !currency.empty()) {
        return bad("amount", text, "must not be money");
    }
    return amount;
}

Result<std::int64_t> parse_money(std::string_view text,
                                 std::string *currency) {
    auto amount = read_amount("amount", text, text, currency);
    if (amount && currency->empty()) {
        return bad("amount", text, "has no currency");
    }
    return amount;
}

Result<Rate> parse_rate(std::string_view text) {
    Rate rate;
    std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return bad("rate", text, "has no period: use \"100k/m\", say");
    }
    auto amount =
        read_amount("rate", text, text.substr(0, slash), &rate.currency);
    if (!amount) {
        return amount.error();
    }
    rate.amount = *amount;
    if (rate.amount == 0) {
        return bad("rate", text, "must be above 0");
    }

    auto period = text.substr(slash + 1);
    std::size_t digits = 0;
    std::int64_t times = 0;
    while (digits < period.size() && is_digit(period[digits])
           && times <= max_period)
    {
        times = times * 10 + (period[digits++] - '0');
    }
    auto name = period.substr(digits);
    auto unit = std::find_if(
        std::begin(units), std::end(units),
        [&](const UnitRow &row) { return row.name == name; });
    if (unit == std::end(units)) {
        return bad("rate", text,
                   "unknown period " + quoted(period)
                       + ", must be s, m, h, d or month");
    }
    if (digits > 0 && unit->period == 0) {
        return bad("rate", text, "must be per one month");
    }
    if (digits > 0 && times == 0) {
        return bad("rate", text, "must be for a period above 0");
    }
    rate.one_unit = digits == 0 || times == 1;
    rate.has_unit = unit->unit.has_value();
    rate.unit = unit->unit.value_or(CalendarUnit::minute);
    if (unit->period != 0) {
        times = digits == 0 ? 1 : times;
        if (times > max_period / unit->period) {
            return bad("rate", text, "must be for 366 days at most");
        }
        rate.period = times * unit->period;
    }
    return rate;
}

Result<Spec> parse_spec(const SpecWords &words) {
    auto rate = parse_rate(words.rate);
    if (!rate) {
        return rate.error();
    }
    Spec spec;
    spec.currency = rate->currency;
    spec.limit.budget = rate->amount;
    spec.limit.period = rate->period;
    spec.limit.unit = rate->unit;

    if (!spec.currency.empty()) {
        spec.count = Count::cost;
    }
    if (!words.count.empty()) {
        auto row = std::find_if(
            std::begin(counts), std::end(counts),
            [&](const CountRow &row) { return row.name == words.count; });
        if (row == std::end(counts)) {
            return bad("count", words.count,
                       "must be total, prompt, completion, cost or requests");
        }
        spec.count = row->count;
    }
    if ((spec.count == Count::cost) != !spec.currency.empty()) {
        return bad("rate", words.rate,
                   spec.count == Count::cost
                       ? "needs a currency, since cost is counted"
                       : "is money, but " + std::string(name_of(spec.count))
                             + " is counted");
    }

    bool month = rate->period == 0;
    if (!words.window.empty()) {
        auto row = std::find_if(
            std::begin(windows), std::end(windows),
            [&](const WindowRow &row) { return row.name == words.window; });
        if (row == std::end(windows)) {
            return bad("window", words.window,
                       "must be sliding, fixed or calendar");
        }
        spec.limit.window = row->window;
        if (month && row->window != Window::calendar) {
            return bad("window", words.window,
                       "months differ in length: use a rate per 30d, or "
                       "window=calendar");
        }
        if (row->window == Window::calendar
            && (!rate->one_unit || !rate->has_unit))
        {
            return bad("window", words.window,
                       "must have a rate per m, h, d or month");
        }
        if (!words.burst.empty()) {
            return bad("burst", words.burst,
                       "a window has none: leave out one of the two");
        }
    } else if (!words.burst.empty()) {
        if (month) {
            return bad("burst", words.burst,
                       "a rate per month has none: use a rate per 30d");
        }
        std::string currency;
        auto burst =
            read_amount("burst", words.burst, words.burst, &currency);
        if (!burst) {
            return burst.error();
        }
        if (currency != spec.currency) {
            return bad("burst", words.burst,
                       "must be of the unit that the rate has");
        }
        if (*burst == 0) {
            return bad("burst", words.burst, "must be above 0");
        }
        spec.limit.window = Window::bucket;
        spec.limit.burst = *burst;
    } else if (month) {
        spec.limit.window = Window::calendar;
    }
    return spec;
}

Result<Limit> with_rate(const Spec &spec, std::string_view text) {
    auto rate = parse_rate(text);
    if (!rate) {
        return rate.error();
    }
    if (rate->currency != spec.currency) {
        return bad("rate", text, "must be of the unit that the limit has");
    }
    bool calendar = spec.limit.window == Window::calendar;
    if (calendar ? rate->unit != spec.limit.unit || !rate->one_unit
                       || !rate->has_unit
                 : rate->period != spec.limit.period)
    {
        return bad("rate", text, "must be for the period of the limit");
    }
    Limit limit = spec.limit;
    limit.budget = rate->amount;
    if (limit.window == Window::bucket) {
        // As if by long division: neither product may overflow.
        auto scaled = static_cast<double>(spec.limit.burst)
                      / static_cast<double>(spec.limit.budget)
                      * static_cast<double>(rate->amount);
        limit.burst = scaled >= static_cast<double>(max_amount)
                          ? max_amount
                          : std::max<std::int64_t>(
                                static_cast<std::int64_t>(scaled), 1);
    }
    return limit;
}

}  // namespace llm::limit
