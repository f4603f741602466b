// What a text says, as far as two questions can be compared: its tokens with
// their classes, and what it asks for.
#pragma once

#include "cache/tokens.hpp"

namespace llm::cache {

// How much a token counts.
enum class Weight : std::uint8_t {
    none,       // not at all, or in the sentence's own traits
    faint,      // where strict
    soft,       // unless on one side only
    hard,
};

Weight weight(const Token &token) noexcept;

// Bits of Meaning::tenses.
inline constexpr unsigned tense_present = 1;
inline constexpr unsigned tense_past = 2;
inline constexpr unsigned tense_future = 4;

// What somebody wants to have made.
enum class Order : std::uint8_t { none, make, wish };

struct Meaning {
    Kind kind = Kind::none;
    Order order = Order::none;
    unsigned tenses = 0;
    unsigned persons = 0;       // 1 << Person
    unsigned subject_person = 0;    // the first of them
    unsigned negations = 0;
    Modality modality = Modality::none;
    bool progressive = false;   // "is winning", right after "who"
    bool subject = false;       // "who beat him": the one who does it
    bool object = false;        // "who did he beat": whom it is done to
    bool owns = false;          // "have" is the verb
    bool does = false;          // "do" is the verb: "What does it do?"
    bool copula = false;        // "is", and no other auxiliary
    // A preposition without its object, at the end or before the question
    // word ("What is it for?"), or 0; those of a place do not count.
    std::uint64_t stranded = 0;
    std::uint64_t stranded_place = 0;
    bool only_names = true;     // every hard token is a name
    std::string_view kind_word;
    std::string_view tense_word;
    std::string_view negation_word;
    std::string_view modal_word;
};

// Language::unknown where too few words are known to tell.
Language language_of(const Tokens &tokens) noexcept;

// Gives the tokens their classes, keys and roles. `language`: the lexicon to
// use; with Language::unknown every word is one with a meaning of its own.
Meaning understand(Tokens &tokens, Language language) noexcept;

}  // namespace llm::cache
