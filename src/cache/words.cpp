// Which class each word of a question has: phrases, forms, numbers, dates,
// units and names.
#include <algorithm>
#include <array>
#include <cstring>

#include "cache/morphology.hpp"
#include "cache/reader.hpp"

namespace llm::cache {

namespace {

// "US" is not "us".
void spell_out(Token &token) {
    struct Capitals {
        std::string_view letters;
        std::string_view word;
    };
    static constexpr Capitals rows[] = {
        {"us", "usa"}, {"la", "los_angeles"}, {"ml", "machine_learning"},
    };
    for (const Capitals &row : rows) {
        if (token.text == row.letters) {
            token.text = row.word;
            token.key = text_key(row.word);
        }
    }
}

}  // namespace

void Reader::classify() {
    for (std::size_t i = 0; i < all().size(); ++i) {
        Token &token = all()[i];
        if (token.type != TokenType::word
            || token.cls != WordClass::unlisted || token.quoted) {
            continue;
        }
        // In a language that nobody knows every word counts; but "two", "km"
        // and "May" are what they are in English, in many of them.
        if (language_ == Language::unknown) {
            Word word = look_up(Language::english, token.text);
            if (weight_of(word.cls) == Weight::hard) {
                token.cls = word.cls;
                token.value = word.value;
            }
            continue;
        }
        if (english() && token.capitals
            && (i == 0 || all()[i - 1].type != TokenType::number)) {
            spell_out(token);
        }
        if (!join_phrase(i)) {
            classify_word(all()[i]);
        }
    }
}

// A word that is not listed has the class of a word that it is a form of,
// where that has synonyms.
void Reader::classify_word(Token &token) {
    Word word = look_up(language_, token.text);
    if (english()) {
        token.past = is_past(token.text);
        if (word.cls == WordClass::unlisted) {
            const Bases bases(token.text);
            for (std::size_t i = 0; i < bases.size(); ++i) {
                Word base = look_up(language_, bases[i]);
                if (base.cls == WordClass::synonym) {
                    word = base;
                    break;
                }
            }
        }
    }
    token.cls = word.cls;
    token.value = word.value;
}

// Several words that mean one thing; the longest that there are.
bool Reader::join_phrase(std::size_t index) {
    Token &first = all()[index];
    if (!begins_phrase(language_, first.text)) {
        return false;
    }
    std::array<char, 40> joined;
    std::array<std::size_t, longest_phrase + 1> ends;
    std::size_t size = 0;
    std::size_t words = 0;
    while (words < longest_phrase && index + words < all().size()) {
        const Token &token = all()[index + words];
        bool digits = words > 0 && token.type == TokenType::number;
        if ((token.type != TokenType::word && !digits) || token.quoted
            || token.text.empty() || (words > 0 && !token.joined)
            || size + 1 + token.text.size() > joined.size()) {
            break;
        }
        if (words > 0) {
            joined[size++] = '_';
        }
        std::memcpy(joined.data() + size, token.text.data(),
                    token.text.size());
        size += token.text.size();
        ends[++words] = size;
    }
    for (; words > 1; --words) {
        Word word = look_up(language_, {joined.data(), ends[words]});
        if (word.cls == WordClass::unlisted) {
            continue;
        }
        // "going to" is the future before a verb, not before a place.
        if (word.cls == WordClass::future) {
            const Token &next = peek(index + words);
            Word what = look_up(language_, next.text);
            if (next.capital || what.cls == WordClass::article
                || what.cls == WordClass::pronoun) {
                continue;
            }
        }
        const Token &last = all()[index + words - 1];
        if (last.raw.data() >= first.raw.data()) {
            first.raw = {first.raw.data(),
                         static_cast<std::size_t>(last.raw.data()
                                                  + last.raw.size()
                                                  - first.raw.data())};
        }
        first.cls = word.cls;
        first.value = word.value;
        first.phrase = true;
        first.past = english() && is_past(first.text);
        first.key = text_key({joined.data(), ends[words]});
        for (std::size_t k = 1; k < words; ++k) {
            tokens_.drop(index + 1);
        }
        return true;
    }
    return false;
}

// false: too large to be exact.
bool Reader::multiply(Token &number, Scale scale) {
    constexpr int zeros[] = {2, 3, 6, 9, 12};
    if (scale != Scale::dozen) {
        number.exponent = static_cast<std::int16_t>(
            number.exponent + zeros[static_cast<std::size_t>(scale)]);
        return true;
    }
    if (number.mantissa > (std::uint64_t{1} << 60)) {
        return false;
    }
    number.mantissa *= 12;
    return true;
}

// "two", "twenty-one", "two hundred and five", "2 million", "two dozen".
void Reader::combine_numbers() {
    constexpr std::uint64_t most = 1'000'000'000'000;
    auto power = [](Scale scale) -> std::uint64_t {
        constexpr std::uint64_t powers[] = {
            100, 1'000, 1'000'000, 1'000'000'000, 1'000'000'000'000, 12};
        return powers[static_cast<std::size_t>(scale)];
    };

    for (std::size_t i = 0; i < all().size(); ++i) {
        Token &first = all()[i];

        if (first.type == TokenType::number) {
            // Digits and the words for zeros.
            while (is_word(peek(i + 1), WordClass::scale)
                   && first.exact
                   && multiply(first, value_as<Scale>(peek(i + 1)))) {
                tokens_.drop(i + 1);
            }
            continue;
        }
        // "one" is a number only beside another.
        auto one = [&](std::size_t index) {
            return is_word(peek(index), WordClass::pronoun)
                   && peek(index).text == "one";
        };
        bool starts = is_word(first, WordClass::number)
                      || is_word(first, WordClass::scale)
                      || (one(i) && is_word(peek(i + 1), WordClass::scale));
        if (!starts) {
            continue;
        }

        std::uint64_t total = 0;    // whole thousands
        std::uint64_t part = 0;     // what is under them
        std::uint64_t last = 0;     // the last word's own value
        std::size_t j = i;
        for (; j < all().size(); ++j) {
            const Token &token = all()[j];
            if (is_word(token, WordClass::number) || one(j)) {
                // "twenty" "one", "hundred" "five"; "five" "six" is two.
                std::uint64_t value = one(j) ? 1 : token.value;
                bool fits = j == i || (last >= 100 && value < 100)
                            || (last >= 20 && last < 100 && value < 10
                                && value > 0);
                if (!fits) {
                    break;
                }
                part += value;
                last = value;
            } else if (is_word(token, WordClass::scale)) {
                auto scale = value_as<Scale>(token);
                std::uint64_t factor = power(scale);
                if (total > most || part > most) {
                    break;
                }
                if (scale == Scale::hundred || scale == Scale::dozen) {
                    part = std::max<std::uint64_t>(part, 1) * factor;
                } else {
                    total += std::max<std::uint64_t>(part, 1) * factor;
                    part = 0;
                }
                last = factor;
            } else if (is_word(token, WordClass::conjunction)
                       && token.text == "and" && last >= 100
                       && is_word(peek(j + 1), WordClass::number)) {
                continue;
            } else {
                break;
            }
        }
        first.type = TokenType::number;
        first.mantissa = total + part;
        first.exponent = 0;
        first.exact = true;
        for (std::size_t k = i + 1; k < j; ++k) {
            tokens_.drop(i + 1);
        }
    }
}

void Reader::find_dates() {
    for (std::size_t i = 0; i < all().size(); ++i) {
        Token &token = all()[i];
        bool number_near =
            (i > 0 && peek(i - 1).type == TokenType::number)
            || (i > 0 && is_word(peek(i - 1), WordClass::ordinal))
            || peek(i + 1).type == TokenType::number
            || is_word(peek(i + 1), WordClass::ordinal);

        if (is_word(token, WordClass::short_month)) {
            token.cls = number_near || (token.capital && !token.starts)
                            ? WordClass::month
                            : WordClass::unlisted;
        } else if (language_ == Language::english && token.text == "may"
                   && is_word(token, WordClass::modal)
                   && (number_near
                       || (token.capital && !token.starts
                           && !tokens_.title_case()))) {
            token.cls = WordClass::month;
            token.value = 5;
        }

        // 5 pm, 5:30 p.m.
        const Token &next = peek(i + 1);
        bool half = next.text == "am" || next.text == "pm"
                    || next.text == "a.m" || next.text == "p.m";
        if (half && next.type == TokenType::word
            && (token.type == TokenType::time
                || (token.type == TokenType::number && token.exact
                    && token.exponent == 0 && token.mantissa <= 12))) {
            std::uint64_t minutes = token.type == TokenType::time
                                        ? token.mantissa
                                        : token.mantissa * 60;
            minutes %= 720;
            minutes += next.text[0] == 'p' ? 720 : 0;
            token.type = TokenType::time;
            token.mantissa = minutes;
            tokens_.drop(i + 1);
        }
    }
}

// Letters that are units only after a number; days, which are not a question
// then.
void Reader::find_units() {
    for (std::size_t i = 0; i < all().size(); ++i) {
        Token &token = all()[i];
        bool after_number = i > 0 && peek(i - 1).type == TokenType::number;
        if (is_word(token, WordClass::short_unit)) {
            // 20 °C: the degree says nothing more.
            bool degree = token.text == "\xC2\xB0";
            const Token &next = peek(i + 1);
            if (degree && is_word(next, WordClass::short_unit)
                && next.joined) {
                tokens_.drop(i);
                Token &scale = all()[i];
                scale.cls = WordClass::unit;
                continue;
            }
            token.cls = after_number || degree ? WordClass::unit
                                               : WordClass::unlisted;
        }
    }
}

// A capital letter in the middle of a sentence makes a name of a word that
// would not count: "Will Smith", "Our Town", "IT".
void Reader::raise_names() {
    bool says_nothing = language_ == Language::german || tokens_.title_case();
    if (says_nothing) {
        return;
    }
    for (Token &token : all()) {
        if (token.type != TokenType::word || token.starts || token.text == "i"
            || !token.capital) {
            continue;
        }
        switch (token.cls) {
        case WordClass::article:
        case WordClass::pronoun:
        case WordClass::question:
        case WordClass::negation:
        case WordClass::present:
        case WordClass::past:
        case WordClass::preposition:
        case WordClass::conjunction:
            // "The Who", but also "HOW do I": only abbreviations.
            if (!token.capitals || token.text.size() > 3
                || is_word(token, WordClass::negation)) {
                break;
            }
            token.cls = WordClass::unlisted;
            token.key = value_key(capitals_space, token.key);
            break;
        case WordClass::filler:
        case WordClass::polite:
        case WordClass::request:
        case WordClass::faint:
        case WordClass::event:
        case WordClass::soft:
        case WordClass::soft_noun:
        case WordClass::manner:
        case WordClass::moment:
        case WordClass::quantity:
        case WordClass::future:
        case WordClass::modal:
            token.cls = WordClass::unlisted;
            break;
        default:
            break;
        }
    }
}

// Nouns without much meaning have one as a part of a name ("city state",
// "class method"), after "which", and, where they could be verbs, after an
// article ("the mean of"); and "a" is a name where no noun follows.
void Reader::raise_nouns() {
    auto hard_word = [&](std::size_t index) {
        const Token &token = peek(index);
        return index < all().size() && token.type == TokenType::word
               && weight(token) == Weight::hard;
    };
    for (std::size_t i = 0; i < all().size(); ++i) {
        Token &token = all()[i];
        if (is_word(token, WordClass::article) && token.text == "a"
            && language_ == Language::english) {
            const Token &next = peek(i + 1);
            if (i + 1 == all().size() || !next.joined
                || next.cls == WordClass::preposition
                || next.cls == WordClass::conjunction) {
                token.cls = WordClass::unlisted;
            }
        }
        // "The current king", but not "the current in a wire".
        constexpr std::string_view adjectives[] = {
            "exact", "precise", "actual", "specific", "particular", "main",
            "current", "proper"};
        if (is_word(token, WordClass::faint)
            && std::find(std::begin(adjectives), std::end(adjectives),
                         token.text)
                   != std::end(adjectives)
            && (i == 0 || i + 1 == all().size() || !peek(i + 1).joined
                || weight(peek(i + 1)) == Weight::none
                || !(is_word(peek(i - 1), WordClass::article)
                     || (peek(i - 1).raw.ends_with('s')
                         && peek(i - 1).raw.size()
                                > peek(i - 1).text.size())))) {
            token.cls = WordClass::unlisted;
        }
        bool noun = is_word(token, WordClass::soft_noun);
        if (!noun && !is_word(token, WordClass::manner)
            && !is_word(token, WordClass::quantity)) {
            continue;
        }
        const Token &before = i > 0 ? peek(i - 1) : peek(all().size());
        // "How do people make cheese?"
        bool does = before.text == "do" || before.text == "does"
                    || before.text == "did"
                    || is_word(before, WordClass::modal);
        if (token.text == "people" && does) {
            continue;
        }
        // "What is the name of", but not "How do I change the name of".
        bool is_the = i > 1 && is_word(before, WordClass::article)
                      && is_auxiliary(peek(i - 2).cls);
        if (token.text.starts_with("name") && english() && !is_the) {
            token.cls = WordClass::synonym;
            continue;
        }
        bool in_name = (token.joined && i > 0 && hard_word(i - 1))
                       || ((noun || is_word(token, WordClass::manner))
                           && peek(i + 1).joined && hard_word(i + 1)
                           && !(token.starts && token.text == "define"));
        bool asked_for = is_word(before, WordClass::question)
                         && value_as<Kind>(before) == Kind::what
                         && !is_word(token, WordClass::manner);
        bool the_mean = noun && (token.text.starts_with("mean")
                                 || token.text == "definition")
                        && is_word(before, WordClass::article);
        bool many = token.text == "many" || token.text == "much";
        if ((in_name || asked_for || the_mean) && !many) {
            token.cls = noun ? WordClass::synonym : WordClass::unlisted;
        }
    }
}

}  // namespace llm::cache
