#include "llm/cache_verify.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "cache/meaning.hpp"

namespace llm::cache {

namespace {

constexpr std::string_view differences[] = {
    "none", "too_long", "language", "kind",  "negation", "number",
    "date", "unit",     "sign",     "literal", "name",   "opposite",
    "word", "tense",    "modality", "person", "order",
};

// What follows a common beginning of two forms of one word. The agent of a
// verb (-er, -or, -ee) is not among them.
constexpr std::string_view inflections[] = {
    "", "s", "es", "ed", "d", "ing", "e", "y", "ies", "ied", "ly", "ment",
    "ments", "ation", "ations", "ion", "ions", "ance", "al",
};

// A beginning this long is enough to try them.
constexpr std::size_t least_stem = 3;
constexpr std::size_t long_stem = 5;    // for all but the first few endings

bool is_inflection(std::string_view rest, std::size_t stem) {
    constexpr std::size_t short_ones = 6;
    auto end = stem < long_stem ? std::begin(inflections) + short_ones
                                : std::end(inflections);
    return std::find(std::begin(inflections), end, rest) != end;
}

// "run" and "running": the last letter doubled.
bool is_doubled(std::string_view stem, std::string_view rest) {
    return rest.size() >= 3 && !stem.empty() && rest[0] == stem.back()
           && (rest.substr(1) == "ing" || rest.substr(1) == "ed");
}

bool same_stem(std::string_view a, std::string_view b) {
    std::size_t common = 0;
    while (common < a.size() && common < b.size() && a[common] == b[common]) {
        ++common;
    }
    if (common < least_stem) {
        return false;
    }
    std::string_view stem = a.substr(0, common);
    std::string_view rest_a = a.substr(common);
    std::string_view rest_b = b.substr(common);
    if (is_inflection(rest_a, common) && is_inflection(rest_b, common)) {
        return true;
    }
    return (rest_a.empty() && is_doubled(stem, rest_b))
           || (rest_b.empty() && is_doubled(stem, rest_a));
}

// Words whose form may differ; those of a closed class are what they are.
bool inflects(const Token &token) {
    if (token.type != TokenType::word) {
        return false;
    }
    switch (token.cls) {
    case WordClass::month:
    case WordClass::weekday:
    case WordClass::ordinal:
        return false;
    default:
        return true;
    }
}

// "invented" and "inventor": the same, where a question asks who it was.
bool is_agent(std::string_view verb, std::string_view agent) {
    constexpr std::string_view agents[] = {"ers", "ors", "er", "or", "r", "rs"};
    for (std::string_view ending : agents) {
        if (agent.ends_with(ending)
            && agent.size() >= ending.size() + least_stem) {
            std::string_view stem =
                agent.substr(0, agent.size() - ending.size());
            if (verb.starts_with(stem)
                && is_inflection(verb.substr(stem.size()), stem.size())) {
                return true;
            }
        }
    }
    return false;
}

// The next letter, without its accent where it has one in Latin-1; 0 at the
// end.
char next_plain(std::string_view &text) {
    // U+00E0 .. U+00FF.
    constexpr std::string_view plain = "aaaaaaaceeeeiiiidnooooo/ouuuuypy";
    if (text.empty()) {
        return '\0';
    }
    if (text[0] == '\xC3' && text.size() > 1
        && static_cast<unsigned char>(text[1]) >= 0xA0) {
        char c = plain[static_cast<unsigned char>(text[1]) - 0xA0];
        text.remove_prefix(2);
        return c;
    }
    char c = text[0];
    text.remove_prefix(1);
    return c;
}

// "café" and "cafe".
bool same_but_accents(std::string_view a, std::string_view b) {
    while (!a.empty() || !b.empty()) {
        if (next_plain(a) != next_plain(b)) {
            return false;
        }
    }
    return true;
}

// What the two questions have in common already.
struct Setting {
    bool who = false;       // both ask who
    bool english = false;   // accents are decoration
};

bool same(const Token &a, const Token &b, Setting setting) {
    if (a.key == b.key) {
        return true;
    }
    bool opposites = a.cls == WordClass::opposite
                     && b.cls == WordClass::opposite;
    if (!inflects(a) || !inflects(b) || opposites) {
        return false;
    }
    if (setting.english && same_but_accents(a.text, b.text)) {
        return true;
    }
    return same_stem(a.text, b.text)
           || (setting.who
               && (is_agent(a.text, b.text) || is_agent(b.text, a.text)));
}

// The difference that a token makes that only one question has.
Difference difference_of(const Token &token) {
    switch (token.type) {
    case TokenType::number:
        return Difference::number;
    case TokenType::time:
        return Difference::date;
    case TokenType::literal:
        return Difference::literal;
    case TokenType::sign:
        return Difference::sign;
    case TokenType::word:
        break;
    }
    switch (token.cls) {
    case WordClass::month:
    case WordClass::weekday:
        return Difference::date;
    case WordClass::unit:
        return Difference::unit;
    case WordClass::ordinal:
        return Difference::number;
    default:
        return token.capital && !token.starts ? Difference::name
                                              : Difference::word;
    }
}

// Of two tokens of this sort the order matters even without a preposition.
bool is_entity(const Token &token) {
    return token.type != TokenType::word || token.cls == WordClass::unit
           || token.cls == WordClass::opposite
           || (token.capital && !token.starts);
}

class Comparison {
public:
    Comparison(Strictness strictness) : strict_(strictness
                                                == Strictness::strict) {}

    Verdict compare(std::string_view asked, std::string_view stored);

private:
    static constexpr std::size_t unmatched = Tokens::most;
    using Matches = std::array<std::uint16_t, Tokens::most>;

    bool differs(Difference difference, std::string_view asked,
                 std::string_view stored) {
        verdict_ = {difference, asked, stored};
        return true;
    }

    // Each returns true where it found a difference.
    bool kinds_differ();
    bool negations_differ();
    bool numbers_differ();
    void match(Tokens &from, Tokens &to, Matches &matches);
    bool words_differ();
    bool verbs_differ();
    bool tenses_differ();
    bool persons_differ();
    bool orders_differ();
    bool nothing_to_compare();

    const Token *first_unmatched(Tokens &tokens, const Matches &matches,
                                 Weight weight);

    bool strict_;
    Language language_ = Language::unknown;
    Verdict verdict_;
    Tokens a_;      // asked
    Tokens b_;      // stored
    Meaning asked_;
    Meaning stored_;
    Matches a_to_b_;
    Matches b_to_a_;
};

Verdict Comparison::compare(std::string_view asked, std::string_view stored) {
    if (!a_.read(asked) || !b_.read(stored)) {
        return {Difference::too_long, {}, {}};
    }

    Language language = language_of(a_);
    Language other = language_of(b_);
    if (language != other && language != Language::unknown
        && other != Language::unknown) {
        return {Difference::language, {}, {}};
    }
    language_ = std::max(language, other);
    asked_ = understand(a_, language_);
    stored_ = understand(b_, language_);

    match(a_, b_, a_to_b_);
    match(b_, a_, b_to_a_);
    (void)(numbers_differ() || words_differ() || negations_differ()
           || kinds_differ() || tenses_differ() || persons_differ()
           || orders_differ() || nothing_to_compare());
    return verdict_;
}

void Comparison::match(Tokens &from, Tokens &to, Matches &matches) {
    auto others = to.all();
    Setting setting;
    setting.who = asked_.kind == Kind::who && stored_.kind == Kind::who;
    setting.english = language_ == Language::english;
    std::size_t i = 0;
    for (const Token &token : from.all()) {
        matches[i] = unmatched;
        if (weight(token) != Weight::none) {
            for (std::size_t j = 0; j < others.size(); ++j) {
                if (weight(others[j]) != Weight::none
                    && same(token, others[j], setting)) {
                    matches[i] = static_cast<std::uint16_t>(j);
                    break;
                }
            }
        }
        ++i;
    }
}

// Numbers, times and signs, one after the other.
bool Comparison::numbers_differ() {
    auto counts = [](const Token &token) {
        return token.type == TokenType::number
               || token.type == TokenType::time
               || token.type == TokenType::sign;
    };
    auto a = a_.all();
    auto b = b_.all();
    std::size_t i = 0;
    std::size_t j = 0;
    for (;; ++i, ++j) {
        while (i < a.size() && !counts(a[i])) {
            ++i;
        }
        while (j < b.size() && !counts(b[j])) {
            ++j;
        }
        bool a_ends = i >= a.size();
        bool b_ends = j >= b.size();
        if (a_ends && b_ends) {
            return false;
        }
        if (a_ends || b_ends || a[i].key != b[j].key) {
            return differs(difference_of(a_ends ? b[j] : a[i]),
                           a_ends ? std::string_view() : a[i].raw,
                           b_ends ? std::string_view() : b[j].raw);
        }
    }
}

const Token *Comparison::first_unmatched(Tokens &tokens,
                                         const Matches &matches,
                                         Weight least) {
    std::size_t i = 0;
    for (const Token &token : tokens.all()) {
        if (matches[i++] == unmatched && weight(token) >= least) {
            return &token;
        }
    }
    return nullptr;
}

bool Comparison::words_differ() {
    auto report = [&](const Token *a, const Token *b) {
        Difference difference = difference_of(a ? *a : *b);
        // Which of them tells most.
        if (a && b) {
            Difference other = difference_of(*b);
            bool pair = a->cls == WordClass::opposite
                        && b->cls == WordClass::opposite
                        && a->value / 2 == b->value / 2;
            difference = pair ? Difference::opposite
                              : std::min(difference, other);
        }
        return differs(difference, a ? a->raw : std::string_view(),
                       b ? b->raw : std::string_view());
    };

    const Token *a = first_unmatched(a_, a_to_b_, Weight::hard);
    const Token *b = first_unmatched(b_, b_to_a_, Weight::hard);
    if (a || b) {
        return report(a, b);
    }
    a = first_unmatched(a_, a_to_b_, strict_ ? Weight::faint : Weight::soft);
    b = first_unmatched(b_, b_to_a_, strict_ ? Weight::faint : Weight::soft);
    if ((a && b) || (strict_ && (a || b))) {
        return report(a, b);
    }
    return false;
}

bool Comparison::negations_differ() {
    if (asked_.negations == stored_.negations) {
        return false;
    }
    return differs(Difference::negation, asked_.negation_word,
                   stored_.negation_word);
}

// "parcel tracking" beside "How do I track a parcel?", but not "Track my
// parcel", which is an order: it starts with the verb that the question has.
bool is_fragment(const Tokens &question, const Tokens &words) {
    auto first = [](const Tokens &tokens) {
        auto all = tokens.all();
        return std::find_if(all.begin(), all.end(), [](const Token &token) {
            return weight(token) == Weight::hard;
        });
    };
    auto verb = first(question);
    auto word = first(words);
    return verb != question.all().end() && word != words.all().end()
           && verb->text != word->text;
}

bool Comparison::kinds_differ() {
    auto open = [](Kind kind) {
        return kind == Kind::none || kind == Kind::describe
               || kind == Kind::what;
    };
    Kind a = asked_.kind;
    Kind b = stored_.kind;
    bool near = (open(a) && open(b))
                // "Tell me about" a person, and "what is the height".
                || (a == Kind::who && (b == Kind::none || b == Kind::describe))
                || (b == Kind::who && (a == Kind::none || a == Kind::describe))
                || (a == Kind::how_much && (b == Kind::none || b == Kind::what))
                || (b == Kind::how_much
                    && (a == Kind::none || a == Kind::what))
                || (a == Kind::how && b == Kind::none && is_fragment(a_, b_))
                || (b == Kind::how && a == Kind::none && is_fragment(b_, a_));
    if (a != b && (strict_ || !near)) {
        return differs(Difference::kind, asked_.kind_word, stored_.kind_word);
    }
    if ((asked_.object && stored_.subject)
        || (asked_.subject && stored_.object)) {
        return differs(Difference::kind, asked_.kind_word, stored_.kind_word);
    }
    if (a == Kind::yes_no && asked_.modality != stored_.modality) {
        return differs(Difference::modality, asked_.modal_word,
                       stored_.modal_word);
    }
    return false;
}

// "Who owns" and "who owned": the verb itself has the tense where no other
// does.
bool Comparison::verbs_differ() {
    auto a = a_.all();
    auto b = b_.all();
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a_to_b_[i] == unmatched || a[i].type != TokenType::word) {
            continue;
        }
        const Token &other = b[a_to_b_[i]];
        if (a[i].text.ends_with("ed") != other.text.ends_with("ed")
            && a[i].text != other.text) {
            return differs(Difference::tense, a[i].raw, other.raw);
        }
    }
    return false;
}

bool Comparison::tenses_differ() {
    unsigned a = asked_.tenses;
    unsigned b = stored_.tenses;
    if (a == 0 && b == 0 && verbs_differ()) {
        return true;
    }
    bool future = ((a ^ b) & tense_future) != 0;
    bool apart = a != 0 && b != 0 && (a & b) == 0;
    // Who somebody is or was is the same question.
    if (apart && !future && !strict_ && asked_.only_names
        && stored_.only_names
        && (asked_.kind == Kind::who || asked_.kind == Kind::what)) {
        apart = false;
    }
    bool past = ((a ^ b) & tense_past) != 0;
    if (future || apart || (strict_ && past)
        || asked_.progressive != stored_.progressive) {
        return differs(Difference::tense, asked_.tense_word,
                       stored_.tense_word);
    }
    return false;
}

bool Comparison::persons_differ() {
    auto bit = [](Person person) {
        return 1U << static_cast<unsigned>(person);
    };
    const unsigned third = bit(Person::he) | bit(Person::she)
                           | bit(Person::they);
    const unsigned here = bit(Person::first) | bit(Person::second);
    auto apart = [&](unsigned mask) {
        unsigned a = asked_.persons & mask;
        unsigned b = stored_.persons & mask;
        return a != 0 && b != 0 && (strict_ ? a != b : (a & b) == 0);
    };
    // How one does a thing is the same for all of us.
    bool anybody = asked_.kind == Kind::how || asked_.kind == Kind::how_much
                   || asked_.kind == Kind::none
                   || asked_.kind == Kind::describe;
    if (apart(third) || (!anybody && apart(here))) {
        return differs(Difference::person, {}, {});
    }
    return false;
}

bool Comparison::orders_differ() {
    auto a = a_.all();
    auto b = b_.all();

    // Hard tokens that are once in each, with their places.
    struct Place {
        std::uint16_t a;
        std::uint16_t b;
    };
    std::array<Place, Tokens::most> places;
    std::size_t count = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t j = a_to_b_[i];
        if (j != unmatched && b_to_a_[j] == i
            && weight(a[i]) == Weight::hard) {
            places[count++] = {static_cast<std::uint16_t>(i),
                               static_cast<std::uint16_t>(j)};
        }
    }

    auto differ = [&](const Place &place) {
        return differs(Difference::order, a[place.a].raw, b[place.b].raw);
    };
    auto turned = [&](const Place &place) {
        return a[place.a].role != b[place.b].role;
    };
    auto directed = [&](const Place &place) {
        return a[place.a].direction != Direction::none
               || b[place.b].direction != Direction::none;
    };

    for (std::size_t i = 0; i < count; ++i) {
        const Token &x = a[places[i].a];
        const Token &y = b[places[i].b];
        bool than = x.direction == Direction::than
                    || y.direction == Direction::than;
        if (x.direction != y.direction
            && (than || (x.after_preposition && y.after_preposition))) {
            return differ(places[i]);
        }
    }
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = i + 1; j < count; ++j) {
            if (places[i].b < places[j].b) {
                continue;
            }
            bool changed = turned(places[i]) || turned(places[j]);
            bool entities = is_entity(a[places[i].a])
                            && is_entity(a[places[j].a]);
            // Without a word before either, nothing says that they have
            // kept their parts.
            auto bare_place = [&](const Place &place) {
                return a[place.a].role == 0 && b[place.b].role == 0
                       && !a[place.a].linked && !b[place.b].linked;
            };
            bool bare = bare_place(places[i]) && bare_place(places[j]);
            bool with_direction =
                directed(places[i]) && directed(places[j]);
            // Two that have changed places around a third.
            bool around = false;
            for (std::size_t k = i + 1; k < j; ++k) {
                around |= places[k].b > places[j].b
                          && places[k].b < places[i].b;
            }
            bool counts = strict_ || asked_.kind == Kind::yes_no || entities
                          || with_direction || around;
            if (bare || (changed && counts)) {
                return differ(places[j]);
            }
        }
    }
    return false;
}

// Questions of which every word is one that does not count ("Who are you?")
// are compared word for word.
bool Comparison::nothing_to_compare() {
    auto a = a_.all();
    auto b = b_.all();
    auto counts = [](const Token &token) {
        return weight(token) == Weight::hard;
    };
    if (std::any_of(a.begin(), a.end(), counts)) {
        return false;
    }
    bool equal = std::equal(a.begin(), a.end(), b.begin(), b.end(),
                            [](const Token &x, const Token &y) {
                                return x.key == y.key;
                            });
    return !equal && differs(Difference::word, {}, {});
}

}  // namespace

std::string_view to_string(Difference difference) noexcept {
    return differences[static_cast<std::size_t>(difference)];
}

Verdict verify(std::string_view asked, std::string_view stored,
               Strictness strictness) noexcept {
    if (asked == stored) {
        return {};
    }
    return Comparison(strictness).compare(asked, stored);
}

}  // namespace llm::cache
