#include "cache/meaning.hpp"

#include <algorithm>
#include <iterator>

#include "cache/morphology.hpp"
#include "cache/reader.hpp"

namespace llm::cache {

namespace {

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

}  // namespace

Weight weight_of(WordClass cls) noexcept {
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
    bool by = meaning_.stranded
              == value_key(role_space, value_of(Direction::by));
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
