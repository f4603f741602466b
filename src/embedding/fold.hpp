// What BERT's uncased text cleaning makes of one code point.
#pragma once

#include <cstdint>

namespace llm::embedding {

enum class Kind : std::uint8_t {
    letter,         // part of a word
    punctuation,    // a word by itself
    ideograph,      // likewise
    space,          // ends a word
    drop,           // as if it were not there
};

struct Folded {
    Kind kind = Kind::letter;
    std::uint8_t size = 1;      // of `becomes`; 0 for space and drop
    char32_t becomes[3] = {};   // lower case, without accents
};

Folded fold(char32_t code) noexcept;

}  // namespace llm::embedding
