// Who does what to whom: whether the words that two questions share play the
// same parts in both.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "cache/meaning.hpp"

namespace llm::cache {

// A word that is in both questions.
struct Place {
    std::uint16_t a;        // index of the token in the one
    std::uint16_t b;        // and in the other
};

using Places = std::array<Place, Tokens::most>;

struct Side {
    std::span<const Token> tokens;
    const Meaning &meaning;
};

// A word that plays another part, if there is one. Where two words have
// changed places, something must say that it is the same all the same: a
// preposition that each has kept ("from A to B"), a genitive ("the wife of A",
// "A's wife"), "and" between them, the passive voice. `places` are in the
// order of a.
std::optional<Place> find_moved(const Side &a, const Side &b,
                                std::span<const Place> places);

}  // namespace llm::cache
