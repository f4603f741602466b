#include <algorithm>

#include "llm/consumer.hpp"

namespace llm {

namespace {

constexpr std::string_view blank = " \t";

std::string_view trimmed(std::string_view text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    return text.substr(0, text.find_last_not_of(blank) + 1);
}

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                      [](char a, char b) {
                          return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b;
                      });
}

}  // namespace

std::string_view credential_in(CredentialSource source,
                               std::string_view value) noexcept {
    value = trimmed(value);
    if (source == CredentialSource::authorization) {
        // RFC 6750, section 2.1; schemes are without case (RFC 9110, 11.1).
        std::size_t end = std::min(value.find_first_of(blank), value.size());
        if (!equal_ignoring_case(value.substr(0, end), "bearer")) {
            return {};
        }
        value = trimmed(value.substr(end));
    }
    // No key has white space in it.
    return value.find_first_of(blank) == std::string_view::npos
               ? value
               : std::string_view();
}

}  // namespace llm
