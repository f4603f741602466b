// Base64 as RFC 4648 section 4 defines it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace llm::base64 {

// Padding may be missing; line ends are skipped. nullopt: not base64.
std::optional<std::string> decode(std::string_view text);

// With padding, in one line.
std::string encode(std::string_view bytes);

}  // namespace llm::base64
