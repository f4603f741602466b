#include "cache/meaning.hpp"

#include <algorithm>
#include <cstring>

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

// Words that hold a sentence together: what a language is known by.
bool is_structure(WordClass cls) {
    switch (cls) {
    case WordClass::article:
    case WordClass::filler:
    case WordClass::polite:
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
    bool join_pair(std::size_t index);
    void combine_numbers();
    bool multiply(Token &number, Scale scale);
    void find_dates();
    void find_units();
    void raise_names();
    void raise_nouns();
    void find_kind();
    Kind kind_of_question(std::size_t index);
    void find_traits();
    void set_keys();
    void set_roles();

    Tokens &tokens_;
    Language language_;
    Meaning meaning_;
};

Meaning Reader::understand() {
    classify();
    combine_numbers();
    find_dates();
    find_units();
    raise_names();
    raise_nouns();
    find_kind();
    find_traits();
    set_keys();
    set_roles();
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
        // "US" is not "us".
        if (language_ == Language::english && token.capitals
            && token.text == "us") {
            token.text = "usa";
        }
        if (join_pair(i)) {
            continue;
        }
        Word word = look_up(language_, token.text);
        token.cls = word.cls;
        token.value = word.value;
    }
}

// Two words that mean one thing.
bool Reader::join_pair(std::size_t index) {
    Token &first = all()[index];
    const Token &second = peek(index + 1);
    char both[40];
    std::size_t size = first.text.size() + 1 + second.text.size();
    if (second.type != TokenType::word || !second.joined || second.quoted
        || second.text.empty() || size > sizeof(both)) {
        return false;
    }
    std::memcpy(both, first.text.data(), first.text.size());
    both[first.text.size()] = '_';
    std::memcpy(both + first.text.size() + 1, second.text.data(),
                second.text.size());

    Word word = look_up(language_, {both, size});
    if (word.cls == WordClass::unlisted) {
        return false;
    }
    // "going to" is the future before a verb, not before a place.
    if (word.cls == WordClass::future) {
        const Token &next = peek(index + 2);
        Word what = look_up(language_, next.text);
        if (next.capital || what.cls == WordClass::article
            || what.cls == WordClass::pronoun) {
            return false;
        }
    }
    first.cls = word.cls;
    first.value = word.value;
    if (second.raw.data() >= first.raw.data()) {
        first.raw = {first.raw.data(),
                     static_cast<std::size_t>(second.raw.data()
                                              + second.raw.size()
                                              - first.raw.data())};
    }
    tokens_.drop(index + 1);
    return true;
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
        case WordClass::faint:
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
        bool noun = is_word(token, WordClass::soft_noun);
        if (!noun && !is_word(token, WordClass::manner)
            && !is_word(token, WordClass::quantity)) {
            continue;
        }
        const Token &before = i > 0 ? peek(i - 1) : peek(all().size());
        bool in_name = (token.joined && i > 0 && hard_word(i - 1))
                       || (noun && peek(i + 1).joined && hard_word(i + 1));
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

void Reader::find_traits() {
    auto note = [](std::string_view &word, const Token &token) {
        if (word.empty()) {
            word = token.raw;
        }
    };

    for (const Token &token : all()) {
        if (token.type != TokenType::word) {
            continue;
        }
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
            break;
        case WordClass::negation:
            ++meaning_.negations;
            note(meaning_.negation_word, token);
            break;
        default:
            break;
        }
        if (weight(token) == Weight::hard) {
            meaning_.only_names &= token.capital && !token.starts;
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
    bool joined = false;        // by a conjunction

    for (Token &token : all()) {
        if (weight(token) == Weight::hard) {
            token.linked = joined;
            joined = false;
            token.role = last_role = role;
            token.direction = last_direction = direction;
            token.after_preposition = last_preposition = preposition;
            role = value_key(role_space, token.key);
            direction = Direction::none;
            preposition = infinitive = false;
            continue;
        }
        switch (token.cls) {
        case WordClass::preposition:
            if (infinitive
                && value_as<Direction>(token) == Direction::to) {
                break;
            }
            direction = value_as<Direction>(token);
            role = value_key(role_space, direction == Direction::none
                                             ? token.key
                                             : token.value);
            preposition = true;
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
