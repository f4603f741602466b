// Words that ask for an answer and are no part of the question, and verbs that
// say nothing of their own.
#include <algorithm>
#include <iterator>
#include <span>

#include "cache/morphology.hpp"
#include "cache/reader.hpp"

namespace llm::cache {

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

}  // namespace llm::cache
