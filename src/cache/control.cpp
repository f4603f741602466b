#include "llm/cache_control.hpp"

#include <algorithm>

namespace llm::cache {

namespace {

// RFC 9111, section 1.2.2: larger values are taken for this one.
constexpr std::int64_t longest = std::int64_t{1} << 31;

using Time = std::optional<std::int64_t> CacheControl::*;

struct FlagRow {
    std::string_view name;
    bool CacheControl::*flag;
};

constexpr FlagRow flags[] = {
    {"no-store", &CacheControl::no_store},
    {"no-cache", &CacheControl::no_cache},
    {"private", &CacheControl::is_private},
    {"only-if-cached", &CacheControl::only_if_cached},
};

struct TimeRow {
    std::string_view name;
    Time time;
    bool larger_is_stricter;
    std::int64_t without_value;
};

constexpr TimeRow times[] = {
    {"max-age", &CacheControl::max_age, false, 0},
    {"s-maxage", &CacheControl::s_maxage, false, 0},
    {"max-stale", &CacheControl::max_stale, false, longest},
    {"min-fresh", &CacheControl::min_fresh, true, longest},
    {"stale-if-error", &CacheControl::stale_if_error, false, 0},
    {"stale-while-revalidate", &CacheControl::stale_while_revalidate, false,
     0},
};

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                      [](char a, char b) {
                          return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b;
                      });
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// Takes one element off a list, up to a comma that is not in quotes.
std::string_view next_element(std::string_view &list) {
    bool quoted = false;
    std::size_t i = 0;
    for (; i < list.size(); ++i) {
        if (quoted && list[i] == '\\') {
            ++i;
        } else if (list[i] == '"') {
            quoted = !quoted;
        } else if (list[i] == ',' && !quoted) {
            break;
        }
    }
    i = std::min(i, list.size());
    std::string_view element = list.substr(0, i);
    list.remove_prefix(std::min(i + 1, list.size()));
    return trimmed(element);
}

// Digits, maybe in quotes; nullopt for anything else.
std::optional<std::int64_t> seconds(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        text = text.substr(1, text.size() - 2);
    }
    if (text.empty()) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    for (char c : text) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        value = std::min(value * 10 + (c - '0'), longest);
    }
    return value;
}

}  // namespace

void CacheControl::add(std::string_view header) noexcept {
    while (!header.empty()) {
        std::string_view element = next_element(header);
        std::size_t sign = element.find('=');
        bool has_value = sign != std::string_view::npos;
        std::string_view name = trimmed(element.substr(0, sign));

        for (const FlagRow &row : flags) {
            if (equal_ignoring_case(name, row.name)) {
                this->*row.flag = true;
            }
        }
        for (const TimeRow &row : times) {
            if (!equal_ignoring_case(name, row.name)) {
                continue;
            }
            std::int64_t strictest = row.larger_is_stricter ? longest : 0;
            std::int64_t value =
                has_value ? seconds(trimmed(element.substr(sign + 1)))
                                .value_or(strictest)
                          : row.without_value;
            auto &known = this->*row.time;
            if (!known || (row.larger_is_stricter ? value > *known
                                                  : value < *known)) {
                known = value;
            }
        }
    }
}

void CacheControl::add_pragma(std::string_view header) noexcept {
    while (!header.empty()) {
        if (equal_ignoring_case(next_element(header), "no-cache")) {
            no_cache = true;
        }
    }
}

RequestPolicy request_policy(const CacheControl &request) noexcept {
    RequestPolicy policy;
    policy.store = !request.no_store;
    policy.read = !request.no_cache && !request.no_store;
    policy.must_hit = request.only_if_cached;
    policy.max_age = request.max_age.value_or(longest);
    policy.min_fresh = request.min_fresh.value_or(0);
    policy.max_stale = request.max_stale.value_or(0);
    policy.stale_if_error = request.stale_if_error;
    return policy;
}

bool RequestPolicy::accepts(std::int64_t age,
                            std::int64_t ttl) const noexcept {
    // Who wants it fresh for some time yet does not want it stale.
    std::int64_t least_left = min_fresh > 0 ? min_fresh : -max_stale;
    return read && age <= max_age && ttl - age >= least_left;
}

AnswerPolicy answer_policy(const CacheControl &answer,
                           std::int64_t ttl) noexcept {
    AnswerPolicy policy;
    policy.ttl = ttl;
    if (answer.max_age) {
        policy.ttl = *answer.max_age;
    }
    // For a cache that several share it has the last word.
    if (answer.s_maxage) {
        policy.ttl = *answer.s_maxage;
    }
    policy.stale_while_revalidate = answer.stale_while_revalidate.value_or(0);
    policy.stale_if_error = answer.stale_if_error.value_or(0);
    // no-cache: may be kept, but not served before it was checked with the
    // provider, which no language model can do.
    policy.store = !answer.no_store && !answer.no_cache && !answer.is_private
                   && policy.ttl > 0;
    return policy;
}

}  // namespace llm::cache
