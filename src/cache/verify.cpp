#include "llm/cache_verify.hpp"

#include <algorithm>
#include <array>

#include "cache/meaning.hpp"
#include "cache/morphology.hpp"
#include "cache/order.hpp"
#include "cache/reader.hpp"

namespace llm::cache {

namespace {

constexpr std::string_view differences[] = {
    "none", "too_long", "language", "kind",  "negation", "number",
    "date", "unit",     "sign",     "literal", "name",   "opposite",
    "word", "tense",    "modality", "person", "order",
};

// Words whose form may differ; those of a closed class are what they are.
bool inflects(const Token &token) {
    if (token.type != TokenType::word || token.phrase) {
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

// What the two questions have in common already.
struct Setting {
    bool who = false;       // both ask who
    Language language = Language::unknown;
};

bool same(const Token &a, const Token &b, Setting setting) {
    // Forms of one word begin alike, but for an accent.
    if (a.text.empty() || b.text.empty()
        || (a.text[0] != b.text[0] && a.text[0] != '\xC3'
            && b.text[0] != '\xC3')) {
        return false;
    }
    auto listed = [](const Token &token) {
        return token.cls == WordClass::opposite
               || token.cls == WordClass::synonym
               || token.cls == WordClass::aspect;
    };
    if (!inflects(a) || !inflects(b) || (listed(a) && listed(b))
        || a.quoted || b.quoted) {
        return false;
    }
    // Accents are decoration in English.
    if (setting.language == Language::english
        && same_but_accents(a.text, b.text)) {
        return true;
    }
    return same_word(setting.language, a.text, b.text)
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
    bool gerunds_differ();
    bool kinds_differ();
    bool negations_differ();
    bool numbers_differ();
    void match(Tokens &from, Tokens &to, Matches &matches);
    bool converse(const Token &a, const Token &b);
    bool words_differ();
    bool verbs_differ();
    bool tenses_differ();
    bool persons_differ();
    bool counts_differ();
    bool orders_differ();
    bool nothing_to_compare();
    template <typename Predicate>
    bool any_match(Predicate differ, Difference difference);
    bool mentions_differ();
    bool joins_differ();
    bool cases_differ();

    const Token *first_unmatched(Tokens &tokens, const Matches &matches,
                                 Weight weight);

    bool strict_;
    bool converse_ = false;     // "A is bigger", "B is smaller"
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
           || counts_differ() || orders_differ() || nothing_to_compare()
           || mentions_differ() || joins_differ() || cases_differ());
    return verdict_;
}

void Comparison::match(Tokens &from, Tokens &to, Matches &matches) {
    auto others = to.all();
    auto find = [](std::span<const Token> among, auto &&is) {
        for (std::size_t j = 0; j < among.size(); ++j) {
            if (weight(among[j]) != Weight::none && is(among[j])) {
                return static_cast<std::uint16_t>(j);
            }
        }
        return static_cast<std::uint16_t>(unmatched);
    };
    // Of long texts the words must be the same as they are.
    constexpr std::size_t most_pairs = 6400;
    bool forms = from.all().size() * others.size() <= most_pairs;
    Setting setting;
    setting.who = asked_.kind == Kind::who && stored_.kind == Kind::who;
    setting.language = language_;
    std::size_t i = 0;
    for (const Token &token : from.all()) {
        matches[i] = unmatched;
        if (weight(token) != Weight::none) {
            // The same word first, in whatever form only then.
            matches[i] = find(others, [&](const Token &other) {
                return other.key == token.key;
            });
            if (matches[i] == unmatched && forms) {
                matches[i] = find(others, [&](const Token &other) {
                    return same(token, other, setting);
                });
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

// "Is A bigger than B" and "Is B smaller than A": nothing else, and the same
// words on the other side of the comparison.
bool Comparison::converse(const Token &a, const Token &b) {
    bool opposites = a.cls == WordClass::opposite
                     && b.cls == WordClass::opposite && a.value != b.value
                     && a.value / 2 == b.value / 2;
    if (!opposites || strict_ || asked_.kind != Kind::yes_no
        || stored_.kind != Kind::yes_no || asked_.negations != 0
        || stored_.negations != 0) {
        return false;
    }
    // The words of one side of the comparison, in their order.
    struct Words {
        std::array<std::uint64_t, Tokens::most> keys;
        std::size_t count = 0;
        void add(std::uint64_t key) { keys[count++] = key; }
        bool operator==(const Words &other) const {
            return std::equal(keys.data(), keys.data() + count,
                              other.keys.data(),
                              other.keys.data() + other.count);
        }
    };
    auto read = [](const Tokens &tokens, const Token &comparison,
                   Words &before, Words &after) {
        bool than = false;
        for (const Token &token : tokens.all()) {
            if (token.cls == WordClass::preposition && &token > &comparison) {
                if (than || after.count != 0
                    || token.value != static_cast<std::uint16_t>(
                           Direction::than)) {
                    return false;
                }
                than = true;
            } else if (token.cls == WordClass::conjunction) {
                return false;
            } else if (&token != &comparison
                       && weight(token) == Weight::hard) {
                if (&token > &comparison && !than) {
                    return false;
                }
                (than ? after : before).add(token.key);
            }
        }
        return than && before.count != 0 && after.count != 0;
    };
    Words a_before;
    Words a_after;
    Words b_before;
    Words b_after;
    bool turned = read(a_, a, a_before, a_after)
                  && read(b_, b, b_before, b_after) && a_before == b_after
                  && a_after == b_before;
    converse_ = turned;
    return turned;
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
    if (a && b && converse(*a, *b)) {
        return false;
    }
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

bool Comparison::gerunds_differ() {
    auto a = a_.all();
    auto b = b_.all();
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a_to_b_[i] != unmatched
            && a[i].text.ends_with("ing")
                   != b[a_to_b_[i]].text.ends_with("ing")) {
            return true;
        }
    }
    return false;
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
    bool made = asked_.order == Order::make || stored_.order == Order::make;
    if (made && (asked_.order == Order::none || stored_.order == Order::none
                 || (strict_ && asked_.order != stored_.order))) {
        return differs(Difference::kind, asked_.kind_word, stored_.kind_word);
    }
    // "What is baking" is not "What can I bake".
    if (a == Kind::what && b == Kind::what
        && asked_.copula != stored_.copula && gerunds_differ()) {
        return differs(Difference::kind, asked_.kind_word, stored_.kind_word);
    }
    // "What can I do in Paris" is not "What is Paris".
    if (a != Kind::how && b != Kind::how && asked_.does != stored_.does) {
        return differs(Difference::kind, asked_.kind_word, stored_.kind_word);
    }
    // "Is Tom a dog" is not "Does Tom have a dog".
    if (a == Kind::yes_no && b == Kind::yes_no
        && asked_.owns != stored_.owns) {
        return differs(Difference::kind, asked_.kind_word, stored_.kind_word);
    }
    // "Can I" is not "Do I", nor "When can I" "When should I"; but how one can
    // and how one should do a thing is the same question.
    Modality can = asked_.modality;
    Modality should = stored_.modality;
    bool matters = a == Kind::yes_no
                   || (a != Kind::how && can != Modality::none
                       && should != Modality::none)
                   // "Why do I sleep" asks for causes, not for reasons to.
                   || (a == Kind::why && (can >= Modality::advised
                                          || should >= Modality::advised));
    if (can != should && matters) {
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
        if (a[i].past != other.past && a[i].text != other.text) {
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
    // "Where can I sell it" and "Where do they sell it".
    auto only = [&](unsigned persons, unsigned mask) {
        return (persons & mask) != 0
               && (persons & (third | here) & ~mask) == 0;
    };
    bool others = (only(asked_.persons, here) && only(stored_.persons, third))
                  || (only(asked_.persons, third)
                      && only(stored_.persons, here));
    // "Why do I love him" and "why does he love me".
    unsigned a = asked_.subject_person;
    unsigned b = stored_.subject_person;
    const unsigned somebody = here | (anybody ? bit(Person::they) : 0);
    bool turned = a != 0 && b != 0 && a != b
                  && !(anybody && (a & somebody) != 0 && (b & somebody) != 0);
    if (turned && (asked_.persons & stored_.persons & (a | b)) != 0) {
        return differs(Difference::person, {}, {});
    }
    if (apart(third) || (!anybody && (apart(here) || others))) {
        return differs(Difference::person, {}, {});
    }
    // "Write to him for me" and "write to me for him": the same persons, as
    // often, in other places.
    struct Persons {
        std::array<std::uint16_t, Tokens::most> all;
        std::size_t count = 0;
    };
    auto read = [](const Tokens &tokens, Persons &persons) {
        for (const Token &token : tokens.all()) {
            if (is_word(token, WordClass::pronoun)) {
                persons.all[persons.count++] = token.value;
            }
        }
    };
    Persons one;
    Persons other;
    read(a_, one);
    read(b_, other);
    auto end = one.all.begin() + one.count;
    if (one.count == other.count
        && !std::equal(one.all.begin(), end, other.all.begin())
        && std::is_permutation(one.all.begin(), end, other.all.begin())) {
        return differs(Difference::person, {}, {});
    }
    return false;
}

// What each has more than once, the other has as often.
bool Comparison::counts_differ() {
    for (const Token &token : a_.all()) {
        if (weight(token) != Weight::hard) {
            continue;
        }
        auto times = [&](const Tokens &tokens) {
            auto all = tokens.all();
            return std::count_if(all.begin(), all.end(),
                                 [&](const Token &other) {
                                     return other.key == token.key
                                            && weight(other) == Weight::hard;
                                 });
        };
        auto there = times(b_);
        if (there != 0 && there != times(a_)) {
            return differs(difference_of(token), token.raw, {});
        }
    }
    return false;
}

bool Comparison::orders_differ() {
    if (converse_) {
        return false;
    }
    if (asked_.stranded != stored_.stranded
        || (asked_.stranded_place != stored_.stranded_place
            && ((asked_.stranded_place != 0 && stored_.stranded_place != 0)
                || asked_.kind != Kind::where))) {
        return differs(Difference::order, {}, {});
    }

    // Hard tokens that are once in each.
    auto a = a_.all();
    auto b = b_.all();
    Places places;
    std::size_t count = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t j = a_to_b_[i];
        if (j != unmatched && b_to_a_[j] == i
            && weight(a[i]) == Weight::hard) {
            places[count++] = {static_cast<std::uint16_t>(i),
                               static_cast<std::uint16_t>(j)};
        }
    }
    auto moved = find_moved({a, asked_}, {b, stored_},
                            std::span(places).first(count));
    return moved
           && differs(Difference::order, a[moved->a].raw, b[moved->b].raw);
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

// Of the words that were found on the other side, from both sides.
template <typename Predicate>
bool Comparison::any_match(Predicate differ, Difference difference) {
    auto look = [&](std::span<const Token> from, std::span<const Token> to,
                    const Matches &matches, bool turned) {
        for (std::size_t i = 0; i < from.size(); ++i) {
            if (matches[i] == unmatched || from[i].type != TokenType::word
                || !differ(from[i], to[matches[i]])) {
                continue;
            }
            std::string_view one = from[i].raw;
            std::string_view other = to[matches[i]].raw;
            return turned ? differs(difference, other, one)
                          : differs(difference, one, other);
        }
        return false;
    };
    return look(a_.all(), b_.all(), a_to_b_, false)
           || look(b_.all(), a_.all(), b_to_a_, true);
}

// What makes a question one about words: there none is harmless, and no form
// stands for another.
bool is_about_words(const Token &token) {
    // Sorted.
    constexpr std::string_view words[] = {
        "antonym", "antonyms", "buchstabiert", "conjugate", "conjugation",
        "conjugations", "consonants", "decir", "di", "dice", "dire", "dis",
        "dit", "dit-on", "echo", "etymology", "frase", "grammar", "letters",
        "mot", "palabra", "paraphrase", "phrase", "phrases", "pronounce",
        "pronounced", "pronouncing", "pronunciation", "proofread", "repeat",
        "rephrase", "rhyme", "rhymes", "sage", "sagen", "sagt", "satz", "say",
        "saying", "sentence", "sentences", "spell", "spelled", "spelling",
        "spelt", "syllables", "synonym", "synonyms", "tense", "traduce",
        "traducir", "traduction", "traduire", "traduis", "traduisez",
        "traduzca", "translate", "translated", "translating", "translation",
        "translations", "vowels", "word", "words", "wort",
        "\xC3\xBC" "bersetze", "\xC3\xBC" "bersetzen", "\xC3\xBC" "bersetzung",
    };
    static_assert(std::is_sorted(std::begin(words), std::end(words)));
    // Not "Can you say ...", nor the program "Word".
    bool is_program = token.text == "word" && token.capital && !token.starts;
    return weight(token) == Weight::hard && !token.quoted && !is_program
           && std::binary_search(std::begin(words), std::end(words),
                                 token.text);
}

// Of two words that are set against each other, and of what is printed, those
// that are harmless elsewhere count.
bool shows_words(const Token &token) {
    constexpr std::string_view words[] = {"difference", "differences", "print",
                                          "printing", "prints"};
    return is_about_words(token)
           || (token.type == TokenType::word
               && std::find(std::begin(words), std::end(words), token.text)
                      != std::end(words));
}

// "How do I say hello in Japanese?"
bool Comparison::mentions_differ() {
    auto a = a_.all();
    auto b = b_.all();
    // Behind the word that says so.
    auto begin = [](std::span<const Token> tokens) {
        std::size_t i = 0;
        while (i < tokens.size() && !shows_words(tokens[i])) {
            ++i;
        }
        return i + 1;
    };
    std::size_t i = begin(a);
    std::size_t j = begin(b);
    if (i > a.size() && j > b.size()) {
        return false;
    }

    auto is_other = [](const Token &token, const Token &other) {
        return token.text != other.text
               && !(is_about_words(token) && is_about_words(other));
    };
    auto is_about = [](std::span<const Token> tokens) {
        return std::any_of(tokens.begin(), tokens.end(), is_about_words);
    };
    if ((is_about(a) || is_about(b)) && any_match(is_other, Difference::word)) {
        return true;
    }

    auto counts = [](const Token &token) {
        return is_auxiliary(token.cls) || token.cls == WordClass::filler
               || token.cls == WordClass::polite
               || token.cls == WordClass::request;
    };
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
            return differs(Difference::word,
                           a_ends ? std::string_view() : a[i].raw,
                           b_ends ? std::string_view() : b[j].raw);
        }
    }
}

// "Milk and eggs", "milk with eggs", "milk or eggs". "A vs B" may be "A or B".
bool Comparison::joins_differ() {
    struct Joins {
        std::size_t either = 0;
        bool against = false;
        std::string_view word;
    };
    auto count = [](const Tokens &tokens) {
        constexpr std::string_view ors[] = {"or", "oder", "ou", "o", "u"};
        Joins joins;
        for (const Token &token : tokens.all()) {
            if (token.cls != WordClass::conjunction || token.phrase) {
                continue;
            }
            joins.against |= token.text.starts_with("v")
                             || token.text == "between";
            if (std::find(std::begin(ors), std::end(ors), token.text)
                != std::end(ors)) {
                ++joins.either;
                joins.word = token.raw;
            }
        }
        return joins;
    };
    Joins a = count(a_);
    Joins b = count(b_);
    return a.either != b.either && !a.against && !b.against
           && differs(Difference::word, a.word, b.word);
}

// "mW" and "MW". Who writes all in small letters does not mean to say more.
bool Comparison::cases_differ() {
    constexpr std::size_t longest_unit = 4;
    auto has_capital = [](std::string_view text) {
        return std::any_of(text.begin(), text.end(),
                           [](char c) { return c >= 'A' && c <= 'Z'; });
    };
    auto is_other = [&](const Token &token, const Token &other) {
        bool is_unit = token.cls == WordClass::unit
                       || !token.capital || !other.capital;
        return is_unit && token.text == other.text && token.raw != other.raw
               && token.raw.size() == other.raw.size()
               && token.raw.size() <= longest_unit && !token.starts
               && !other.starts && has_capital(token.raw)
               && has_capital(other.raw);
    };
    return any_match(is_other, Difference::unit);
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
