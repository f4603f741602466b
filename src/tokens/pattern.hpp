// Names of models, and patterns for them.
#pragma once

#include <string_view>

namespace llm::tokens {

constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// "openai/gpt-4o" is gpt-4o.
constexpr std::string_view bare_model(std::string_view model) noexcept {
    return model.substr(model.rfind('/') + 1);
}

// Whether a name fits a pattern in lower case, in which * stands for any
// characters. Case does not matter. Linear but for the patterns' stars.
constexpr bool matches(std::string_view pattern,
                       std::string_view name) noexcept {
    std::size_t p = 0;
    std::size_t n = 0;
    std::size_t star = std::string_view::npos;
    std::size_t from = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            from = n;
        } else if (p < pattern.size() && pattern[p] == to_lower(name[n])) {
            p++;
            n++;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++from;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace llm::tokens
