#include <algorithm>

#include "llm/consumer.hpp"

namespace llm {

namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

}  // namespace

bool matches_model(std::string_view pattern, std::string_view model) noexcept {
    std::size_t at = 0;
    // Where to go on after the last *, when it has to stand for more.
    std::size_t after_star = std::string_view::npos;
    std::size_t retry = 0;
    std::size_t i = 0;
    while (i < model.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            after_star = ++at;
            retry = i;
        } else if (at < pattern.size() && lower(pattern[at]) == lower(model[i]))
        {
            ++at;
            ++i;
        } else if (after_star != std::string_view::npos) {
            at = after_star;
            i = ++retry;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

bool is_model_allowed(std::span<const std::string> allowed,
                      std::span<const std::string> denied,
                      std::string_view model) noexcept {
    auto matches = [model](const std::string &pattern) {
        return matches_model(pattern, model);
    };
    return std::none_of(denied.begin(), denied.end(), matches)
           && (allowed.empty()
               || std::any_of(allowed.begin(), allowed.end(), matches));
}

}  // namespace llm
