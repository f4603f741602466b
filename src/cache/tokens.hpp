// A text cut into words, numbers, times, literals and signs, in one pass.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "cache/lexicon.hpp"
#include "llm/cache_verify.hpp"

namespace llm::cache {

enum class TokenType : std::uint8_t { word, number, time, literal, sign };

struct Token {
    std::string_view raw;       // in the text
    std::string_view text;      // in lower case, without endings like 's
    std::uint64_t key;          // of equal tokens: the same
    std::uint64_t role;         // what stands before it; see meaning.cpp
    std::uint64_t governor;     // the preposition it belongs to, or 0
    std::uint64_t mantissa;     // a number is mantissa * 10 ^ exponent
    std::int16_t exponent;
    std::uint16_t value;        // of its class
    TokenType type;
    WordClass cls;
    Direction direction;
    Direction governing;        // the governor's
    bool after_preposition;
    bool linked;                // "and" or the like stands before it
    bool phrase;                // several words; `text` is the first
    bool past;                  // a verb
    bool passive;               // a verb: "was written"
    bool asked;                 // "which company": right after the question
    bool exact;                 // number: mantissa and exponent are all of it
    bool negative;              // number
    bool capital;               // the first letter
    bool capitals;              // all letters, two at least
    bool starts;                // a sentence starts with it
    bool joined;                // nothing but blanks before it
    bool quoted;
};

// The tokens of one text, which must outlive them. Large: made for the stack.
class Tokens {
public:
    static constexpr std::size_t most = 256;

    // false: the text is too long, or has too many tokens.
    bool read(std::string_view text) noexcept;

    std::span<Token> all() noexcept { return {tokens_.data(), count_}; }
    std::span<const Token> all() const noexcept {
        return {tokens_.data(), count_};
    }
    void drop(std::size_t index) noexcept;
    bool title_case() const noexcept;

private:
    void normalize();
    bool put(char c, std::size_t at, bool upper = false);

    void read_all();
    void read_quotation(char quote, std::size_t opening);
    bool read_single_quotation();
    void read_code();
    void read_chunk(std::size_t end);
    bool read_literal(std::size_t begin, std::size_t end);
    void read_words(std::size_t end);
    void read_word(std::size_t end);
    void read_number(std::size_t end);
    void read_time(std::uint64_t hours, std::size_t begin);
    bool read_date(std::size_t begin, std::size_t end);
    void read_punctuation();

    Token *add(TokenType type, std::size_t begin, std::size_t end);
    void add_word(std::string_view text, std::size_t begin, std::size_t end);
    void add_ending(std::string_view text, std::size_t begin,
                    std::size_t end);
    void add_literal(std::size_t begin, std::size_t end, bool exact_case);
    void add_number(std::uint64_t mantissa, int exponent, std::size_t begin,
                    std::size_t end);

    std::string_view view(std::size_t begin, std::size_t end) const {
        return {chars_.data() + begin, end - begin};
    }
    std::string_view raw(std::size_t begin, std::size_t end) const;
    char at(std::size_t index) const {
        return index < size_ ? chars_[index] : ' ';
    }

    std::string_view text_;
    std::size_t size_ = 0;      // of chars_
    std::size_t i_ = 0;         // in chars_
    std::size_t count_ = 0;
    bool overflow_ = false;
    bool starts_ = true;
    bool joined_ = false;
    bool quoted_ = false;

    // The text in lower case, typography made plain; where each character
    // came from; whether it was a capital letter.
    std::array<char, verify_max_text + 1> chars_;
    std::array<std::uint16_t, verify_max_text + 2> from_;
    std::array<bool, verify_max_text + 1> upper_;
    std::array<Token, most> tokens_;
};

// Hashes of a token's meaning: equal only for equal arguments, as far as 64
// bits go.
std::uint64_t number_key(const Token &number) noexcept;
std::uint64_t sign_key(char sign) noexcept;
std::uint64_t text_key(std::string_view text) noexcept;
std::uint64_t value_key(unsigned space, std::uint64_t value) noexcept;

}  // namespace llm::cache
