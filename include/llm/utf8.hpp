// UTF-8 as RFC 3629 defines it: no surrogates, no overlong forms, at most
// U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace llm::utf8 {

// The length of the longest prefix that is whole, valid UTF-8;
// text.size() where all of it is.
std::size_t valid_prefix(std::string_view text) noexcept;

inline bool is_valid(std::string_view text) noexcept {
    return valid_prefix(text) == text.size();
}

}  // namespace llm::utf8
