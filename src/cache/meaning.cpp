#include "cache/meaning.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "cache/morphology.hpp"

namespace llm::cache {

namespace {

// Spaces of value_key() that tokens.cpp does not use.
enum Space : unsigned {
    group_space = 8,
    opposite_space,
    month_space,
    weekday_space,
    unit_space,
    ordinal_space,
    time_space,
    role_space,
    capitals_space,
};

bool is_word(const Token &token, WordClass cls) {
    return token.type == TokenType::word && token.cls == cls;
}

template <typename Enum>
Enum value_as(const Token &token) {
    return static_cast<Enum>(token.value);
}

bool is_auxiliary(WordClass cls) {
    return cls == WordClass::present || cls == WordClass::past
           || cls == WordClass::future || cls == WordClass::modal;
}

constexpr std::uint16_t value_of(Direction direction) {
    return static_cast<std::uint16_t>(direction);
}

// Words that hold a sentence together: what a language is known by.
bool is_structure(WordClass cls) {
    switch (cls) {
    case WordClass::article:
    case WordClass::filler:
    case WordClass::polite:
    case WordClass::request:
    case WordClass::pronoun:
    case WordClass::negation:
    case WordClass::question:
    case WordClass::present:
    case WordClass::past:
    case WordClass::future:
    case WordClass::modal:
    case WordClass::preposition:
    case WordClass::conjunction:
        return true;
    default:
        return false;
    }
}

Weight weight_of(WordClass cls) {
    switch (cls) {
    case WordClass::filler:
    case WordClass::article:
    case WordClass::polite:
    case WordClass::request:
    case WordClass::pronoun:
    case WordClass::negation:
    case WordClass::question:
    case WordClass::present:
    case WordClass::past:
    case WordClass::future:
    case WordClass::modal:
    case WordClass::preposition:
    case WordClass::conjunction:
        return Weight::none;
    case WordClass::faint:
    case WordClass::manner:
    case WordClass::quantity:
        return Weight::faint;
    case WordClass::soft:
    case WordClass::soft_noun:
        return Weight::soft;
    default:
        return Weight::hard;
    }
}

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

class Reader {
public:
    Reader(Tokens &tokens, Language language)
        : tokens_(tokens), language_(language) {}

    Meaning understand();

private:
    std::span<Token> all() { return tokens_.all(); }
    // The token that many places further on; one without a class at the end.
    const Token &peek(std::size_t index) {
        static constexpr Token none{};
        return index < all().size() ? all()[index] : none;
    }

    void classify();
    void classify_word(Token &token);
    bool join_phrase(std::size_t index);
    void settle_requests();
    bool is_request(std::size_t index);
    void lighten_verbs();
    void settle_guides();
    void combine_numbers();
    bool multiply(Token &number, Scale scale);
    void find_dates();
    void find_units();
    void raise_names();
    void raise_nouns();
    void find_kind();
    Kind kind_of_question(std::size_t index);
    void find_orders();
    void find_traits();
    void find_voice();
    void find_stranded();
    void set_keys();
    void set_roles();

    bool english() const { return language_ == Language::english; }

    Tokens &tokens_;
    Language language_;
    Meaning meaning_;
};

Meaning Reader::understand() {
    classify();
    combine_numbers();
    find_dates();
    find_units();
    settle_requests();
    lighten_verbs();
    settle_guides();
    raise_names();
    raise_nouns();
    find_kind();
    find_orders();
    find_traits();
    set_keys();
    set_roles();
    find_stranded();
    find_voice();
    return meaning_;
}

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

// Whether the word asks for the answer and is no part of what is asked: "Can
// you help me", but not "How do I help"; "tell me", but not "Should I tell".
bool Reader::is_request(std::size_t index) {
    const Token &token = all()[index];
    std::size_t sentence = index;
    while (sentence > 0 && !all()[sentence].starts) {
        --sentence;
    }
    bool first = true;
    for (std::size_t i = sentence; i < index; ++i) {
        const Token &before = all()[i];
        if (is_word(before, WordClass::question)
            || weight(before) == Weight::hard
            || (english() && is_word(before, WordClass::pronoun)
                && value_as<Person>(before) != Person::first
                && value_as<Person>(before) != Person::second)) {
            return false;
        }
        first &= is_word(before, WordClass::filler)
                 || is_word(before, WordClass::request);
    }
    if (index == sentence) {
        return true;
    }
    const Token &before = all()[index - 1];
    const Token &next = peek(index + 1);
    bool to_me = next.text == "me" || next.text == "us";
    bool noun = before.text == "a" || before.text == "an"
                || before.text == "the";
    if (english() && noun) {
        return false;
    }
    bool i_before = is_word(before, WordClass::pronoun)
                    && value_as<Person>(before) == Person::first;
    bool i_ask = token.text == "ask" || token.text == "know";
    if (english() && i_before && index >= sentence + 2 && !i_ask
        && is_auxiliary(all()[index - 2].cls)) {
        return false;
    }
    // "Can you give blood?"
    bool gives = token.text == "give" || token.text == "show"
                 || token.text == "teach" || token.text == "provide";
    return !gives || first || to_me;
}

void Reader::settle_requests() {
    for (std::size_t i = 0; i < all().size(); ++i) {
        Token &token = all()[i];
        if (token.type != TokenType::word) {
            continue;
        }
        // "How do I dig a well?"
        if (english() && token.cls == WordClass::filler && i > 0
            && is_word(all()[i - 1], WordClass::article)
            && (i + 1 == all().size() || !peek(i + 1).joined
                || is_word(peek(i + 1), WordClass::preposition))) {
            token.cls = WordClass::unlisted;
        }
        if ((token.cls == WordClass::polite || token.cls == WordClass::request)
            && !is_request(i)) {
            token.cls = token.value != 0 ? WordClass::synonym
                                         : WordClass::unlisted;
        } else if (token.cls == WordClass::request_noun) {
            // "Give me a short explanation of".
            std::size_t j = i;
            while (j > 0 && weight(all()[j - 1]) == Weight::none
                   && !is_word(all()[j - 1], WordClass::polite)
                   && !is_word(all()[j - 1], WordClass::question)
                   && !is_auxiliary(all()[j - 1].cls)) {
                --j;
            }
            bool asked_for = j > 0 && is_word(all()[j - 1], WordClass::polite);
            token.cls = asked_for && is_word(peek(i + 1),
                                             WordClass::preposition)
                            ? WordClass::filler
                            : WordClass::unlisted;
        } else if (token.cls == WordClass::operation) {
            bool between = i > 0 && all()[i - 1].type == TokenType::number
                           && peek(i + 1).type == TokenType::number;
            if (between) {
                token.type = TokenType::sign;
                token.key = sign_key(static_cast<char>(token.value));
            } else {
                token.cls = token.text == "plus" ? WordClass::conjunction
                                                 : WordClass::unlisted;
            }
        }
    }
}

// "Make a payment" is "pay": a verb that says nothing of its own, and the
// noun that has its meaning.
void Reader::lighten_verbs() {
    struct LightVerb {
        std::string_view verbs;     // between blanks
        std::string_view nouns;     // noun:verb
    };
    static constexpr LightVerb light_verbs[] = {
        {" make makes making made ",
         " payment:pay reservation:reserve booking:book complaint:complain "
         "decision:decide promise:promise choice:choose "
         "suggestion:suggest recommendation:recommend purchase:buy "
         "donation:donate call:call comparison:compare "
         "calculation:calculate copy:copy contribution:contribute "
         "investment:invest request:request improvement:improve "
         "discovery:discover backup:back_up estimate:estimate "
         "apology:apologize appointment:appointment order:order "
         "difference:matter "},
        {" do does doing did perform performs performing performed conduct "
         "conducts conducting conducted carry carries carrying carried ",
         " backup:back_up search:search analysis:analyze survey:survey "
         "calculation:calculate installation:install update:update "
         "upgrade:upgrade test:test comparison:compare "
         "translation:translate evaluation:evaluate review:review "
         "inspection:inspect experiment:experiment "},
        {" take takes taking took taken do ",
         " shower:shower nap:nap screenshot:screenshot walk:walk "
         "picture:photograph photo:photograph measurement:measure "
         "backup:back_up "},
        {" give gives giving gave given ",
         " presentation:present speech:speak permission:allow "
         "feedback:feedback "},
        {" have has having had ",
         " effect:affect influence:influence impact:impact "
         "conversation:talk argument:argue "},
    };
    auto inside = [](std::string_view list, std::string_view word, char end) {
        // Both marks are needed, so that no part of a word is found.
        for (std::size_t at = list.find(word); at != list.npos;
             at = list.find(word, at + 1)) {
            if (at > 0 && list[at - 1] == ' '
                && list[at + word.size()] == end) {
                return at + word.size() + 1;
            }
        }
        return std::string_view::npos;
    };
    if (!english()) {
        return;
    }
    for (std::size_t i = 0; i + 1 < all().size(); ++i) {
        Token &verb = all()[i];
        if (verb.type != TokenType::word || verb.text.empty()
            || verb.capitals || verb.quoted
            || std::string_view("cdghmpt").find(verb.text[0])
                   == std::string_view::npos) {
            continue;
        }
        std::size_t at = i + 1;
        while (is_word(peek(at), WordClass::article)
               && peek(at).joined) {
            ++at;
        }
        if (at >= all().size() || !peek(at).joined
            || peek(at).type != TokenType::word || peek(at).text.size() < 3) {
            continue;
        }
        Token &noun = all()[at];
        std::string_view text = noun.text;
        for (const LightVerb &row : light_verbs) {
            if (inside(row.verbs, verb.text, ' ') == std::string_view::npos) {
                continue;
            }
            std::size_t found = inside(row.nouns, text, ':');
            if (found == std::string_view::npos && text.ends_with('s')) {
                found = inside(row.nouns, text.substr(0, text.size() - 1),
                               ':');
            }
            // "make payment plans": only where it ends the noun.
            const Token &next = peek(at + 1);
            // "How do backups work?" has no light verb.
            bool auxiliary = is_auxiliary(verb.cls) && at == i + 1;
            bool compound = at + 1 < all().size() && next.joined
                            && weight(next) == Weight::hard
                            && next.cls != WordClass::opposite
                            && next.type == TokenType::word;
            if (found == std::string_view::npos || compound || auxiliary) {
                continue;
            }
            std::string_view rest = row.nouns.substr(found);
            noun.text = rest.substr(0, rest.find(' '));
            noun.key = text_key(noun.text);
            noun.phrase = noun.text.find('_') != std::string_view::npos;
            Word word = look_up(language_, noun.text);
            noun.cls = weight_of(word.cls) == Weight::hard
                           ? word.cls
                           : WordClass::unlisted;
            noun.value = word.value;
            noun.past = is_past(verb.text) || verb.cls == WordClass::past;
            verb.cls = WordClass::filler;
            break;
        }
    }
}

// "The process for returning", "a guide to pruning": how it is done; a
// "process" alone is one.
void Reader::settle_guides() {
    for (std::size_t i = 0; i < all().size(); ++i) {
        Token &token = all()[i];
        if (!is_word(token, WordClass::guide)) {
            continue;
        }
        const Token &next = peek(i + 1);
        const Token &after = peek(i + 2);
        bool before_verb =
            is_word(next, WordClass::preposition) && next.joined
            && (after.text.ends_with("ing")
                || (value_as<Direction>(next) == Direction::to
                    && is_word(after, WordClass::unlisted)
                    && token.text != "guide"));
        token.cls = before_verb ? WordClass::manner : WordClass::unlisted;
    }
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
                       || ((noun || is_word(token, WordClass::manner)) && peek(i + 1).joined && hard_word(i + 1)
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

Kind Reader::kind_of_question(std::size_t index) {
    Kind kind = value_as<Kind>(all()[index]);
    std::size_t next = index + 1;

    if (kind == Kind::how) {
        if (is_word(peek(next), WordClass::quantity)
            || is_word(peek(next), WordClass::aspect)) {
            return Kind::how_much;
        }
        // "How is A different from B" is "What is the difference".
        for (const Token &token : all()) {
            if (is_word(token, WordClass::synonym)
                && token.text.starts_with("differ")) {
                return Kind::what;
            }
        }
        return kind;
    }
    if (kind != Kind::what) {
        return kind;
    }

    if (is_word(peek(next), WordClass::moment)) {
        // The word is in the kind now, but "year" is not "day".
        all()[next].cls = WordClass::soft;
        return Kind::when;
    }
    // What is the ...
    while (is_word(peek(next), WordClass::present)
           || is_word(peek(next), WordClass::article)
           || is_word(peek(next), WordClass::faint)) {
        ++next;
    }
    if (is_word(peek(next), WordClass::manner)) {
        return Kind::how;
    }
    if (is_word(peek(next), WordClass::quantity)) {
        return Kind::how_much;
    }
    if (is_word(peek(next), WordClass::synonym)
        && peek(next).text.starts_with("reason")) {
        all()[next].cls = WordClass::faint;
        return Kind::why;
    }
    // What should I do to ...
    for (; next < all().size() && next < index + 5; ++next) {
        if (peek(next).text == "do" && is_word(peek(next + 1),
                                               WordClass::preposition)
            && value_as<Direction>(peek(next + 1)) == Direction::to) {
            return Kind::how;
        }
    }
    return kind;
}

void Reader::find_kind() {
    const auto tokens = all();
    // The question word: the first one that a verb follows ("When baking
    // bread, what does salt do?"), else the first.
    std::size_t question = tokens.size();
    for (std::size_t i = tokens.size(); i-- > 0;) {
        if (is_word(tokens[i], WordClass::question)
            && (question == tokens.size() || !is_auxiliary(peek(question + 1).cls)
                || is_auxiliary(peek(i + 1).cls))) {
            question = i;
        }
    }
    bool asks = question < tokens.size();

    // The first word that says something.
    std::size_t first = 0;
    while (first < tokens.size()
           && (is_word(tokens[first], WordClass::filler)
               || is_word(tokens[first], WordClass::request)
               || is_word(tokens[first], WordClass::conjunction))) {
        ++first;
    }

    // "Can you tell me ...", "Do you know ...": not a yes-no question.
    bool polite = false;
    std::size_t before = asks ? question : std::min(first + 6, tokens.size());
    for (std::size_t i = first; i < before; ++i) {
        polite |= is_word(tokens[i], WordClass::polite)
                  || tokens[i].text == "know" || tokens[i].text == "wei\xC3\x9F"
                  || tokens[i].text == "sais" || tokens[i].text == "sabes";
    }

    // A verb first, or first after a comma: "In Python, can I ...".
    auto verb_at = [&](std::size_t i) {
        return tokens[i].type == TokenType::word
               && is_auxiliary(tokens[i].cls);
    };
    std::size_t verb = tokens.size();
    if (first < tokens.size() && verb_at(first)) {
        verb = first;
    }
    for (std::size_t i = first; i < tokens.size() && !asks; ++i) {
        if (verb == tokens.size() && !tokens[i].joined && verb_at(i)) {
            verb = i;
        }
    }
    // "Can you write ..." is a request, not a question.
    bool request = verb + 1 < tokens.size()
                   && is_word(tokens[verb], WordClass::modal)
                   && value_as<Modality>(tokens[verb]) == Modality::possible
                   && is_word(tokens[verb + 1], WordClass::pronoun)
                   && value_as<Person>(tokens[verb + 1]) == Person::second;

    if (verb < tokens.size() && !polite && !(request && !asks)) {
        meaning_.kind = Kind::yes_no;
        meaning_.kind_word = tokens[verb].raw;
        // "Is there a way to ...": who asks that wants to know it.
        if (is_word(peek(verb + 1), WordClass::filler)
            && is_word(peek(verb + 2), WordClass::article)
            && is_word(peek(verb + 3), WordClass::manner)
            && is_word(peek(verb + 4), WordClass::preposition)) {
            meaning_.kind = Kind::how;
        }
        // "Is it possible to ..." is "Can I ...".
        for (const Token &token : tokens) {
            if (is_word(token, WordClass::soft)
                && token.text.starts_with("possibl")) {
                meaning_.modality = Modality::possible;
            }
        }
    } else if (asks) {
        meaning_.kind = kind_of_question(question);
        meaning_.kind_word = tokens[question].raw;
        // "Who is winning": now, not in general.
        std::size_t verb_after = question + 1;
        if (meaning_.kind == Kind::who) {
            meaning_.progressive =
                is_word(peek(verb_after), WordClass::present)
                && peek(verb_after + 1).text.ends_with("ing");
        }
        if (meaning_.kind == Kind::who || meaning_.kind == Kind::what) {
            // "Which company does": the noun stands between.
            bool any = false;
            for (std::size_t i = verb_after; i < tokens.size(); ++i) {
                any |= is_auxiliary(tokens[i].cls);
            }
            const Token &next = peek(verb_after);
            const Token &second = peek(verb_after + 1);
            auto does = [](const Token &token) {
                return token.text == "do" || token.text == "does"
                       || token.text == "did";
            };
            meaning_.object = tokens[question].text == "whom" || does(next)
                              || (weight(next) == Weight::hard
                                  && does(second));
            meaning_.subject = !any && !meaning_.object;
        }
    } else if (polite) {
        meaning_.kind = Kind::describe;
    } else if (first < tokens.size()
               && is_word(tokens[first], WordClass::manner)) {
        // "Steps to reset a password", "Best way to ...".
        meaning_.kind = Kind::how;
        meaning_.kind_word = tokens[first].raw;
    }
}

// "Write a poem" is "I would like a poem", but not "Explain a poem".
void Reader::find_orders() {
    constexpr std::string_view makers[] = {"write", "create", "generate",
                                           "draft", "compose"};
    constexpr std::string_view request_nouns[] = {
        "explanation", "description", "overview", "introduction", "details"};
    constexpr std::string_view wishes[] = {"want", "need", "would", "give"};
    bool first = true;
    bool mine = false;      // "I write"
    for (std::size_t i = 0; english() && i < all().size(); ++i) {
        Token &token = all()[i];
        if (is_word(token, WordClass::pronoun)) {
            mine = value_as<Person>(token) != Person::second;
        }
        if (token.type != TokenType::word) {
            first = false;
            continue;
        }
        const Token &next = peek(i + 1);
        // "Write me a".
        const Token &what = next.text == "me" || next.text == "us"
                                ? peek(i + 2)
                                : next;
        bool one = is_word(what, WordClass::article)
                   && (what.text == "a" || what.text == "an"
                       || what.text == "some");
        auto is_any_of = [&](std::span<const std::string_view> words) {
            return std::find(words.begin(), words.end(), token.text)
                   != words.end();
        };
        if (first && !mine && one && is_any_of(makers)
            && meaning_.kind != Kind::yes_no) {
            token.cls = WordClass::filler;
            meaning_.order = Order::make;
            break;
        }
        bool wish = is_any_of(wishes)
                    && (token.cls == WordClass::request
                        || token.cls == WordClass::polite);
        // "Give me an overview of".
        if (token.cls == WordClass::filler && is_any_of(request_nouns)) {
            meaning_.order = Order::none;
            break;
        }
        if (wish && meaning_.kind != Kind::yes_no) {
            meaning_.order = Order::wish;
        }
        first &= weight(token) == Weight::none
                 && !is_word(token, WordClass::question);
    }
}

void Reader::find_traits() {
    auto owner = [](const Token &token) {
        constexpr std::string_view words[] = {"my",  "our", "your", "his",
                                              "her", "its", "their"};
        return std::find(std::begin(words), std::end(words), token.text)
               != std::end(words);
    };
    bool asked = false;         // the question has begun
    bool circumstance = meaning_.kind == Kind::when
                        || meaning_.kind == Kind::where
                        || meaning_.kind == Kind::why;
    auto note = [](std::string_view &word, const Token &token) {
        if (word.empty()) {
            word = token.raw;
        }
    };

    for (Token &token : all()) {
        if (token.type != TokenType::word) {
            continue;
        }
        asked |= !meaning_.kind_word.empty()
                 && token.raw.data() >= meaning_.kind_word.data();
        switch (token.cls) {
        case WordClass::present:
            meaning_.tenses |= tense_present;
            note(meaning_.tense_word, token);
            break;
        case WordClass::past:
            meaning_.tenses |= tense_past;
            note(meaning_.tense_word, token);
            break;
        case WordClass::future:
            meaning_.tenses |= tense_future;
            meaning_.tense_word = token.raw;
            break;
        case WordClass::modal:
            if (meaning_.modality == Modality::none) {
                meaning_.modality = value_as<Modality>(token);
            }
            note(meaning_.modal_word, token);
            break;
        case WordClass::pronoun:
            meaning_.persons |= 1U << token.value;
            if (meaning_.subject_person == 0 && asked && !owner(token)
                && value_as<Person>(token) != Person::thing) {
                meaning_.subject_person = 1U << token.value;
            }
            break;
        case WordClass::negation:
            ++meaning_.negations;
            note(meaning_.negation_word, token);
            break;
        case WordClass::event:
            token.cls = circumstance ? WordClass::soft : WordClass::synonym;
            break;
        default:
            break;
        }
        if (weight(token) == Weight::hard) {
            meaning_.only_names &= token.capital && !token.starts;
        }
    }
}

// "Is there a river" and "does it have a river"; "has been" is no verb of its
// own. And who does what: "who was taught by Plato", "who was Plato taught by".
void Reader::find_voice() {
    if (!english()) {
        return;
    }
    auto is_be = [](const Token &token) {
        constexpr std::string_view forms[] = {
            "is", "are", "was", "were", "am", "be", "been", "being"};
        return is_auxiliary(token.cls)
               && std::find(std::begin(forms), std::end(forms), token.text)
                      != std::end(forms);
    };
    bool copula = false;        // nothing but forms of "be"
    bool acts = false;
    bool be = false;
    bool have = false;
    bool owns = false;
    const Token *question = nullptr;
    bool at_question = false;   // the last auxiliary: right after it
    const Token *verb = nullptr;        // the first passive one
    bool between = false;               // somebody, of auxiliary and verb

    for (std::size_t i = 0; i < all().size(); ++i) {
        Token &token = all()[i];
        if (token.type != TokenType::word) {
            continue;
        }
        if (is_word(token, WordClass::question)) {
            question = &token;
            between = false;
            for (std::size_t k = i + 1;
                 k < all().size() && value_as<Kind>(token) == Kind::what
                 && weight(peek(k)) == Weight::hard && peek(k).joined;
                 ++k) {
                all()[k].asked = true;
            }
        } else if (is_auxiliary(token.cls)) {
            const Token &next = peek(i + 1);
            bool ends = i + 1 == all().size() || !next.joined
                        || (weight(next) < Weight::soft
                            && !is_word(next, WordClass::article)
                            && !is_word(next, WordClass::pronoun)
                            && !is_word(next, WordClass::negation));
            bool does = token.text == "do" || token.text == "does"
                        || token.text == "doing" || token.text == "done";
            meaning_.does |= does && ends && i > 0;
            be = is_be(token);
            copula |= be;
            acts |= !be;
            have = token.text == "have" || token.text == "has";
            owns |= token.text == "have" || token.text == "has"
                    || token.text == "had" || token.text == "having";
            at_question = question != nullptr && !between;
            between = false;
        } else if (is_word(token, WordClass::pronoun)
                   || is_word(token, WordClass::article)) {
            between = true;
        } else if (weight(token) == Weight::hard) {
            const Token &next = peek(i + 1);
            bool alone = i + 1 == all().size() || !next.joined
                         || weight(next) != Weight::hard;
            bool participle = is_participle(token.text) && !token.phrase;
            if (be && participle && alone) {
                token.passive = true;
                if (!verb) {
                    verb = &token;
                    meaning_.object |= !between && question
                                       && at_question
                                       && (meaning_.kind == Kind::who
                                           || meaning_.kind == Kind::what);
                }
            } else {
                between |= !token.asked;
            }
            owns &= !participle;
            // "What has he written" is "What did he write".
            if (have && participle && alone) {
                meaning_.tenses |= tense_past;
            }
        }
    }
    meaning_.copula = copula && !acts;
    meaning_.owns = owns && !be;
    // "What has four legs".
    if (meaning_.owns && question
        && (meaning_.kind == Kind::who || meaning_.kind == Kind::what)) {
        const auto &next = peek(static_cast<std::size_t>(question - &all()[0])
                                + 1);
        meaning_.subject |= next.text.starts_with("ha")
                            && is_auxiliary(next.cls);
    }
    bool by = meaning_.stranded == value_key(role_space, value_of(Direction::by));
    if (verb && by) {
        meaning_.subject = true;
        meaning_.object = false;
        meaning_.stranded = 0;
    } else if (verb && question && question > verb
               && (meaning_.kind == Kind::who
                   || meaning_.kind == Kind::what)) {
        meaning_.subject = question > &all()[0]
                           && question[-1].text == "by";
        meaning_.object = false;
    }
}

// Prepositions without their objects.
void Reader::find_stranded() {
    // "What is it like", but not "What does it like".
    const auto tokens = all();
    bool does = std::any_of(tokens.begin(), tokens.end(),
                            [](const Token &token) {
                                return token.text == "do"
                                       || token.text == "does"
                                       || token.text == "did";
                            });
    if (english() && !does && !tokens.empty() && tokens.back().text == "like") {
        meaning_.stranded = tokens.back().key;
    }
    for (std::size_t i = 0; i < all().size(); ++i) {
        const Token &token = all()[i];
        if (!is_word(token, WordClass::preposition)) {
            continue;
        }
        const Token &next = peek(i + 1);
        bool ends = i + 1 == all().size() || !next.joined;
        bool asked = is_word(next, WordClass::question) && i == 0
                     && (meaning_.kind == Kind::what
                         || meaning_.kind == Kind::who
                         || meaning_.kind == Kind::where);
        for (std::size_t k = i + 1; ends && k < all().size(); ++k) {
            // "In Python, ...", "... for? Thanks!"
            ends = weight(all()[k]) == Weight::none;
        }
        if (!ends && !asked) {
            continue;
        }
        auto direction = value_as<Direction>(token);
        bool place = english()
                     && (token.text == "in" || token.text == "at"
                         || token.text == "on");
        bool goal = direction == Direction::to
                    && meaning_.kind == Kind::where;
        if (place) {
            meaning_.stranded_place = token.key;
        } else if (!goal) {
            meaning_.stranded =
                direction == Direction::none
                    ? value_key(role_space, token.key)
                    : value_key(role_space, value_of(direction));
        }
    }
}

void Reader::set_keys() {
    for (Token &token : all()) {
        switch (token.type) {
        case TokenType::number:
            token.key = number_key(token);
            break;
        case TokenType::time:
            token.key = value_key(time_space, token.mantissa);
            break;
        case TokenType::literal:
        case TokenType::sign:
            break;
        case TokenType::word:
            switch (token.cls) {
            case WordClass::synonym:
            case WordClass::aspect:
                token.key = value_key(group_space, token.value);
                break;
            case WordClass::opposite:
                token.key = value_key(opposite_space, token.value);
                break;
            case WordClass::faint:
            case WordClass::soft:
            case WordClass::soft_noun:
                if (token.value != 0) {
                    token.key = value_key(group_space, token.value);
                }
                break;
            case WordClass::manner:
            case WordClass::quantity:
                token.key = value_key(
                    group_space, 0x10000 + static_cast<unsigned>(token.cls));
                break;
            case WordClass::month:
                token.key = value_key(month_space, token.value);
                break;
            case WordClass::weekday:
                token.key = value_key(weekday_space, token.value);
                break;
            case WordClass::unit:
                token.key = value_key(unit_space, token.value);
                break;
            case WordClass::ordinal:
                token.key = value_key(ordinal_space, token.value);
                break;
            default:
                break;
            }
            break;
        }
    }
}

// A token's role is what stands before it: a preposition, a negation, or the
// word before; articles and the like between them do not matter. Things that
// "and" joins have one role.
void Reader::set_roles() {
    std::uint64_t role = 0;
    std::uint64_t last_role = 0;
    Direction direction = Direction::none;
    Direction last_direction = Direction::none;
    bool preposition = false;
    bool last_preposition = false;
    bool infinitive = true;     // "to" here stands before a verb
    std::uint64_t governor = 0;
    Direction governing = Direction::none;
    bool governed = false;      // something was, since the preposition
    bool joined = false;        // by a conjunction

    for (Token &token : all()) {
        // "From the city" says where from.
        bool goal = direction == Direction::from || direction == Direction::to;
        if (is_word(token, WordClass::soft_noun) && goal) {
            token.cls = WordClass::synonym;
        }
        if (weight(token) == Weight::hard) {
            token.linked = joined;
            joined = false;
            token.role = last_role = role;
            token.direction = last_direction = direction;
            token.after_preposition = last_preposition = preposition;
            token.governor = token.joined || !governed ? governor : 0;
            token.governing =
                token.governor != 0 ? governing : Direction::none;
            governed = true;
            role = value_key(role_space, token.key);
            direction = Direction::none;
            preposition = infinitive = false;
            continue;
        }
        if (governed && token.cls != WordClass::conjunction) {
            governor = 0;
            governed = false;
        }
        switch (token.cls) {
        case WordClass::preposition:
            if (infinitive
                && value_as<Direction>(token) == Direction::to) {
                break;
            }
            // "Than in Rome" is "than".
            if (direction == Direction::than
                && value_as<Direction>(token) == Direction::none) {
                break;
            }
            direction = value_as<Direction>(token);
            role = value_key(role_space, direction == Direction::none
                                             ? token.key
                                             : token.value);
            preposition = true;
            governor = token.key;
            governing = direction;
            governed = false;
            break;
        case WordClass::negation:
            direction = Direction::negated;
            role = value_key(role_space, 0x100);
            preposition = true;
            break;
        case WordClass::conjunction:
            joined = true;
            role = last_role;
            direction = last_direction;
            preposition = last_preposition;
            break;
        case WordClass::question:
        case WordClass::manner:
        case WordClass::filler:
        case WordClass::polite:
        case WordClass::pronoun:
        case WordClass::present:
        case WordClass::past:
        case WordClass::future:
        case WordClass::modal:
            infinitive = true;
            if (is_auxiliary(token.cls)) {
                governor = 0;
                role = 0;
                direction = Direction::none;
                preposition = false;
            }
            break;
        default:
            break;
        }
    }
}

}  // namespace

Weight weight(const Token &token) noexcept {
    return token.type == TokenType::word ? weight_of(token.cls) : Weight::hard;
}

Language language_of(const Tokens &tokens) noexcept {
    std::size_t score[language_count] = {};
    std::size_t words = 0;

    for (const Token &token : tokens.all()) {
        if (token.type != TokenType::word || token.quoted) {
            continue;
        }
        ++words;
        for (std::size_t i = 1; i < language_count; ++i) {
            Word word = look_up(static_cast<Language>(i), token.text);
            score[i] += is_structure(word.cls);
        }
    }
    // English first where two are alike.
    std::size_t best = 1;
    for (std::size_t i = 2; i < language_count; ++i) {
        if (score[i] > score[best]) {
            best = i;
        }
    }
    // A word or two of another language are in many English texts.
    bool known = best == static_cast<std::size_t>(Language::english)
                     ? score[best] > 0 && score[best] * 5 >= words
                     : score[best] > 1 && score[best] * 5 >= words * 2;
    return known ? static_cast<Language>(best) : Language::unknown;
}

Meaning understand(Tokens &tokens, Language language) noexcept {
    return Reader(tokens, language).understand();
}

}  // namespace llm::cache
