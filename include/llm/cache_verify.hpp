// Whether an answer that was given to one question also answers another. An
// embedding tells which stored question is near; it does not tell "activate"
// from "cancel", 2019 from 2020 or "A to B" from "B to A". verify() does: it
// compares what must not differ and refuses when in doubt, since a miss costs
// a call and a wrong hit costs trust.
//
// Each text is cut into words, numbers, dates, times, units, quotations, code
// and so on, in one pass without backtracking. Of two questions must agree:
//
// - the language, where it is known;
// - the kind of question: who, when, where, why, how, how many, yes or no;
// - how often something is negated;
// - numbers, in their order ("two" is 2, "1,000" is 1000), dates, times,
//   units, currencies, mathematical signs;
// - quotations, code, URLs, e-mail addresses, file names, versions;
// - every other word that is not known to be harmless, names first of all:
//   both questions must have it, in any inflection, or have a word for the
//   same thing, as often. Harmless are words without a meaning of their own
//   ("please", "the"), words that ask for the answer where they do so ("can
//   you help me", not "how do I help") and, on one side only, some with
//   little ("find", "main");
//   Where the question is about words ("How do I say hello in Japanese?") none
//   is harmless, and each must be there as it is;
// - "or", and units that capitals tell apart (mW and MW);
// - tense, where one asks for the past and the other for the future or, by
//   the verb alone, the present; "can" and "should" in yes-no questions; he
//   and she, and in what order; who asks about whom;
// - a preposition that ends the question ("What is it for?");
// - who does what to whom: words that come in another order must have a
//   reason to, which is a preposition that each has kept ("from A to B"), a
//   genitive ("A's wife", "the wife of A"), "and" between them, a comma
//   ("After lunch, can I swim?") or the passive voice ("was written by").
//
// The words are data (src/cache/lexicon.cpp): English, and the basics of
// German, French and Spanish. In any other language nothing is harmless, so
// that two questions agree only if they have the same words.
//
// Costs a few microseconds, under half a millisecond for the worst of texts,
// and no memory but the stack's (about 120 KB).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace llm::cache {

enum class Strictness : std::uint8_t {
    normal,
    // For similarities in the grey zone: no word may be on one side only,
    // kind and tense must be the same, and so must the order of names.
    strict,
};

// What differs.
enum class Difference : std::uint8_t {
    none,
    too_long,       // over verify_max_text, or too many words, to compare
    language,
    kind,           // "when" and "where"
    negation,       // "does" and "does not"
    number,
    date,           // months, days of the week, times of day
    unit,           // units and currencies
    sign,           // "+" and "-"
    literal,        // quotations, code, URLs, addresses, files, versions
    name,           // words with a capital letter
    opposite,       // "increase" and "decrease"
    word,           // any other word
    tense,
    modality,       // "can" and "should"
    person,         // "he" and "she", "you" and "I"
    order,          // "A to B" and "B to A"
};

// "opposite" say: for variables, metrics and logs.
std::string_view to_string(Difference difference) noexcept;

inline constexpr std::size_t verify_max_text = 4096;    // bytes

struct Verdict {
    Difference difference = Difference::none;
    // What differs, as views into the texts; empty where one side has nothing
    // that could be named.
    std::string_view asked;
    std::string_view stored;

    bool agrees() const noexcept { return difference == Difference::none; }
};

// Symmetric: whichever was asked first. Texts of the same bytes always agree.
// The texts may be anything, invalid UTF-8 included.
Verdict verify(std::string_view asked, std::string_view stored,
               Strictness strictness = Strictness::normal) noexcept;

}  // namespace llm::cache
