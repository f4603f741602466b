// What verification knows of words. See lexicon.cpp for the data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace llm::cache {

enum class Language : std::uint8_t { unknown, english, german, french, spanish };

inline constexpr std::size_t language_count = 5;

enum class WordClass : std::uint8_t {
    unlisted,       // a word with a meaning of its own
    // Nothing to compare.
    filler,
    article,        // likewise; stands before its noun
    // Where somebody asks for an answer; elsewhere like unlisted, or one of
    // its group.
    polite,         // "tell", "explain": what follows is the question
    request,        // "I want to know", "help me"
    request_noun,   // "explanation of": after a polite word
    // Little to compare.
    faint,          // may be there or not; value: 0 or a group
    soft,           // on one side only; value: 0 or a group
    soft_noun,      // likewise, unless it is a part of a name: "city state"
    manner,         // like faint; "way", "steps" after "what": how
    guide,          // manner before what is to be done: "process for"
    event,          // "happen": faint after when, where and why
    moment,         // "year" after "what": when; else like unlisted
    quantity,       // "much", "many"
    pronoun,        // value: Person
    // Both sides must have it.
    synonym,        // value: a group of words for the same thing
    opposite,       // value: twice the pair, plus the pole
    aspect,         // "tall" after "how" is a number; value: a group
    month,          // value: 1 .. 12
    short_month,    // likewise: "mar", a month only beside a number
    weekday,        // value: 1 (Monday) .. 7
    unit,           // value: a group
    short_unit,     // likewise: "m", a unit only after a number
    number,         // value: 0 .. 90
    scale,          // value: Scale
    ordinal,        // value: 1 .. 20
    // What holds the sentence together.
    negation,
    operation,      // "times" between numbers; value: the sign
    question,       // value: Kind
    present,        // auxiliary verbs
    past,
    future,
    modal,          // value: Modality
    preposition,    // value: Direction
    conjunction,    // joins things of one kind: "and", "or", "versus"
};

enum class Person : std::uint8_t { first, second, he, she, they, thing };

enum class Scale : std::uint8_t {
    hundred, thousand, million, billion, trillion, dozen
};

// What a question asks for.
enum class Kind : std::uint8_t {
    none,           // a fragment or an order
    describe,       // "tell me about"
    what,
    who,
    whose,
    when,
    where,
    where_to,
    where_from,
    why,
    how,
    how_much,       // a number: how many, how long, how old
    yes_no,
};

enum class Modality : std::uint8_t { none, possible, advised, required };

// Prepositions that tell two things apart; none: "in", "of", "with".
enum class Direction : std::uint8_t { none, to, from, than, by, negated };

struct Word {
    WordClass cls = WordClass::unlisted;
    std::uint16_t value = 0;
};

// The most words that are one in the data.
inline constexpr std::size_t longest_phrase = 5;

// `word` in lower case. Words that mean one thing together are one with "_"
// between them: "united_states".
Word look_up(Language language, std::string_view word) noexcept;

// Whether a word of several begins with it.
bool begins_phrase(Language language, std::string_view word) noexcept;

// The index-th word that is in the data of its language twice, which would be
// a mistake; empty where there are no more.
std::string_view repeated_word(std::size_t index);

}  // namespace llm::cache
