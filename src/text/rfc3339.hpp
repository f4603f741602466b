// Points in time as texts, in the form of RFC 3339 ("2026-01-02T03:04:05Z").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llm::rfc3339 {

// Unix seconds; a fraction of a second is cut off. nullopt: no such text, or
// a year outside 1970..9999.
std::optional<std::int64_t> parse(std::string_view text) noexcept;

// Appends the time in UTC, without a fraction. Times that parse() would not
// give become the nearest one that it would.
void append(std::string &out, std::int64_t seconds);

}  // namespace llm::rfc3339
