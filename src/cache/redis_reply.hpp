// What the readers of Redis' replies share.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

#include "llm/cache_redis.hpp"

namespace llm::cache::remote {

// An Error from an error reply. Its code is that of the errors that are acted
// on whatever was asked.
Error error_of(const redis::Reply &reply);

// An Error that says what a reply should have been.
Error unexpected(std::string_view what);

// The value beside a name: in a map, or in an array of names and values. Names
// differ in case between products. nullptr: there is none.
const redis::Reply *field(const redis::Reply &reply, std::string_view name)
    noexcept;

// Of a number in any of its shapes; no value: it is none, or not finite.
std::optional<double> number(const redis::Reply &reply) noexcept;

bool equal_words(std::string_view a, std::string_view b) noexcept;
// Does the text have the words (which are lower case) in it, in any case?
bool mentions(std::string_view text, std::string_view words) noexcept;

// The bytes of a vector as Redis' modules want them: FLOAT32, little-endian.
std::string blob(std::span<const float> vector);

template <typename Integer>
std::optional<Integer> parse_integer(std::string_view text) noexcept {
    Integer value{};
    auto end = text.data() + text.size();
    auto result = std::from_chars(text.data(), end, value);
    if (text.empty() || result.ec != std::errc() || result.ptr != end) {
        return std::nullopt;
    }
    return value;
}

// EVAL of a script with its keys, the first of which decides the node.
Command script(std::string_view text, std::vector<std::string> keys,
               std::vector<std::string> arguments);

// Sorts by similarity, the nearest first.
void sort_neighbours(std::vector<Neighbour> &neighbours);

}  // namespace llm::cache::remote
