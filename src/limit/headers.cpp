#include "llm/limit_headers.hpp"

#include <algorithm>

namespace llm::limit {

namespace {

struct Names {
    std::string_view limit;
    std::string_view remaining;
    std::string_view reset;
};

constexpr Names token_names = {"x-ratelimit-limit-tokens",
                               "x-ratelimit-remaining-tokens",
                               "x-ratelimit-reset-tokens"};
constexpr Names request_names = {"x-ratelimit-limit-requests",
                                 "x-ratelimit-remaining-requests",
                                 "x-ratelimit-reset-requests"};

constexpr std::int64_t second = 1000;

std::int64_t seconds_up(std::int64_t ms) noexcept {
    return ms / second + (ms % second > 0);
}

bool is_tokens(const Held &held) noexcept {
    return held.count == Count::total || held.count == Count::prompt
           || held.count == Count::completion;
}

bool is_tighter(const Held &a, const Held &b) noexcept {
    const auto &x = a.decision;
    const auto &y = b.decision;
    if (x.outcome != y.outcome) {
        return x.outcome > y.outcome;
    }
    if (x.outcome == Outcome::refused && x.retry_after != y.retry_after) {
        return x.retry_after > y.retry_after;
    }
    return x.remaining != y.remaining ? x.remaining < y.remaining
                                      : x.reset > y.reset;
}

template <typename Wanted>
const Held *tightest_of(std::span<const Held> limits,
                        Wanted wanted) noexcept {
    const Held *found = nullptr;
    for (const auto &held : limits) {
        if (wanted(held) && (found == nullptr || is_tighter(held, *found))) {
            found = &held;
        }
    }
    return found;
}

void append(std::vector<HeaderField> &fields, const Names &names,
            const Held *held) {
    if (held == nullptr) {
        return;
    }
    const auto &decision = held->decision;
    fields.push_back({names.limit, std::to_string(decision.limit)});
    fields.push_back({names.remaining, std::to_string(decision.remaining)});
    fields.push_back({names.reset, openai_duration(decision.reset)});
}

// A string of RFC 9651.
void append_string(std::string &out, std::string_view text) {
    out.push_back('"');
    for (char c : text) {
        if (c == '"' || c == '\\') {
            out.push_back('\\');
        }
        out.push_back(c >= 0x20 && c < 0x7F ? c : '_');
    }
    out.push_back('"');
}

// Seconds of a window; of a month, those of a mean one.
std::int64_t window_seconds(const Limit &limit) noexcept {
    if (limit.window != Window::calendar) {
        return seconds_up(limit.period);
    }
    constexpr std::int64_t lengths[] = {60, 3600, 86400, 2629746};
    return lengths[static_cast<std::size_t>(limit.unit)];
}

void append_ietf(std::vector<HeaderField> &fields,
                 std::span<const Held> limits) {
    std::string policies;
    std::string states;
    for (const auto &held : limits) {
        if (held.count == Count::cost) {
            continue;
        }
        if (!policies.empty()) {
            policies += ", ";
            states += ", ";
        }
        append_string(policies, held.name);
        policies += ";q=" + std::to_string(held.decision.limit);
        if (is_tokens(held)) {
            policies += ";qu=\"tokens\"";
        }
        policies += ";w=" + std::to_string(window_seconds(held.limit));
        append_string(states, held.name);
        states += ";r=" + std::to_string(held.decision.remaining)
                  + ";t=" + std::to_string(seconds_up(held.decision.reset));
    }
    if (!policies.empty()) {
        fields.push_back({"ratelimit-policy", std::move(policies)});
        fields.push_back({"ratelimit", std::move(states)});
    }
}

}  // namespace

std::string openai_duration(std::int64_t ms) {
    ms = std::max<std::int64_t>(ms, 0);
    if (ms > 0 && ms < second) {
        return std::to_string(ms) + "ms";
    }
    std::int64_t minutes = ms / (60 * second);
    std::string out;
    if (minutes >= 60) {
        out += std::to_string(minutes / 60) + "h";
    }
    if (minutes > 0) {
        out += std::to_string(minutes % 60) + "m";
    }
    ms %= 60 * second;
    out += std::to_string(ms / second);
    if (std::int64_t part = ms % second; part > 0) {
        auto digits = std::to_string(second + part);
        digits[0] = '.';
        digits.erase(digits.find_last_not_of('0') + 1);
        out += digits;
    }
    return out + "s";
}

const Held *tightest(std::span<const Held> limits) noexcept {
    return tightest_of(limits, [](const Held &) { return true; });
}

std::int64_t retry_after(std::span<const Held> limits) noexcept {
    std::int64_t longest = 0;
    for (const auto &held : limits) {
        if (held.decision.outcome == Outcome::too_large) {
            return -1;
        }
        if (held.decision.outcome == Outcome::refused) {
            longest = std::max<std::int64_t>(
                {longest, held.decision.retry_after, 1});
        }
    }
    return longest;
}

std::vector<HeaderField> limit_headers(std::span<const Held> limits,
                                       const HeaderOptions &options) {
    std::vector<HeaderField> fields;
    fields.reserve(8);
    if (options.openai) {
        append(fields, token_names, tightest_of(limits, is_tokens));
        append(fields, request_names,
               tightest_of(limits, [](const Held &held) {
                   return held.count == Count::requests;
               }));
    }
    if (options.ietf) {
        append_ietf(fields, limits);
    }
    std::int64_t wait = retry_after(limits);
    if (wait > 0) {
        fields.push_back({"retry-after", std::to_string(seconds_up(wait))});
        fields.push_back({"retry-after-ms", std::to_string(wait)});
    } else if (wait < 0) {
        fields.push_back({"x-should-retry", "false"});
    }
    return fields;
}

}  // namespace llm::limit
