#include "cache/morphology.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>

namespace llm::cache {

namespace {

using Words = std::span<const std::string_view>;

bool among(std::string_view word, Words words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// The tables below that are searched for every word.
bool among_sorted(std::string_view word, Words words) {
    return std::binary_search(words.begin(), words.end(), word);
}

bool is_vowel(char c) {
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

bool has_vowel(std::string_view text) {
    return text.find_first_of("aeiouy") != std::string_view::npos;
}

std::string_view common_beginning(std::string_view a, std::string_view b) {
    auto end = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
    return a.substr(0, static_cast<std::size_t>(end - a.begin()));
}

constexpr std::size_t least_stem = 3;

// English.

// Endings after one stem. Two words are forms of one if a row has both of
// their endings. The agent of a verb (-er, -or, -ee) is in none, and neither
// are -al, -ance and -ment, which as often make another word ("depart",
// "department"); those that do not are in the lexicon.
struct Paradigm {
    std::size_t least;                  // letters of the stem
    std::string_view stem_ends;         // one of these letters; empty: any
    std::array<std::string_view, 7> endings;
    std::size_t count;
};

constexpr Paradigm paradigms[] = {
    {3, "", {"", "s", "ed", "ing"}, 4},
    {3, "sxzho", {"", "es", "ed", "ing"}, 4},
    {3, "e", {"", "s", "d"}, 3},
    {2, "", {"e", "es", "ed", "ing"}, 4},
    {2, "", {"y", "ies", "ied", "ying"}, 4},
    {1, "", {"ie", "ies", "ied", "ying"}, 4},
    {4, "t", {"e", "es", "ed", "ing", "ion", "ions"}, 6},
    {3, "i", {"ze", "zes", "zed", "zing", "zation", "se", "sing"}, 7},
    {3, "i", {"se", "ses", "sed", "sing", "sation", "sations", "ze"}, 7},
    {2, "", {"ify", "ifies", "ified", "ifying", "ification"}, 5},
    {5, "", {"", "ly"}, 2},
    {4, "l", {"e", "y"}, 2},
};

// Not of the word that they look like a form of.
constexpr std::string_view words_of_their_own[] = {
    "arms", "brotherly", "clothes", "colors", "contents", "corporation",
    "costly", "cowardly", "customs", "damages", "earnings", "economics",
    "ethics", "fatherly", "forces", "formation", "friendly", "generation",
    "generations", "glasses", "goods", "grounds", "heavenly", "largely",
    "leisurely", "looks", "manners", "masterly", "monthly", "motherly",
    "news", "operation", "operations", "orderly", "organisation",
    "organisations", "organization", "organizations", "pants", "politics",
    "population", "premises", "quarterly", "relation", "relations", "ruling",
    "savings", "scarcely", "shortly", "shorts", "spectacles", "spirits",
    "station", "stations", "statistics", "vacation", "vacations", "worldly",
};

// "hop" makes "hopped", so that "hoped" is of "hope".
bool doubles(std::string_view stem) {
    std::size_t size = stem.size();
    return size >= 2 && size <= 4 && !is_vowel(stem[size - 1])
           && std::string_view("hwxy").find(stem[size - 1])
                  == std::string_view::npos
           && is_vowel(stem[size - 2])
           && (size == 2 || !is_vowel(stem[size - 3]));
}

// "run" and "running".
bool is_doubled(std::string_view stem, std::string_view rest) {
    return rest.size() >= 3 && stem.size() >= least_stem - 1
           && rest[0] == stem.back() && !is_vowel(rest[0])
           && (rest.substr(1) == "ing" || rest.substr(1) == "ed"
               || rest.substr(1) == "s" || rest.substr(1) == "es");
}

bool fits(const Paradigm &paradigm, std::string_view stem,
          std::string_view rest_a, std::string_view rest_b) {
    if (stem.size() < paradigm.least || !has_vowel(stem)
        || (!paradigm.stem_ends.empty()
            && paradigm.stem_ends.find(stem.back())
                   == std::string_view::npos)) {
        return false;
    }
    Words endings(paradigm.endings.data(), paradigm.count);
    return among(rest_a, endings) && among(rest_b, endings);
}

bool same_english_stem(std::string_view a, std::string_view b) {
    std::string_view common = common_beginning(a, b);
    if (common.empty()) {
        return false;
    }
    // An ending may begin like the other, as in "carries" and "carried".
    for (std::size_t back = 0; back < 6 && back < common.size(); ++back) {
        std::string_view stem = common.substr(0, common.size() - back);
        std::string_view rest_a = a.substr(stem.size());
        std::string_view rest_b = b.substr(stem.size());
        if ((rest_a.empty() && is_doubled(stem, rest_b))
            || (rest_b.empty() && is_doubled(stem, rest_a))) {
            return true;
        }
        bool undoubled =
            (rest_a.empty() || rest_b.empty())
            && (rest_a == "ed" || rest_a == "ing" || rest_b == "ed"
                || rest_b == "ing")
            && doubles(stem);
        bool ends_in_s = stem.ends_with('s')
                         && (rest_a == "s" || rest_b == "s");
        if (undoubled || ends_in_s) {
            continue;
        }
        for (const Paradigm &paradigm : paradigms) {
            if (fits(paradigm, stem, rest_a, rest_b)) {
                return true;
            }
        }
    }
    return false;
}

// British and American: "colour", "organise", "travelling".
bool same_spelling(std::string_view a, std::string_view b) {
    std::size_t i = 0;
    std::size_t j = 0;
    auto at = [](std::string_view text, std::size_t k) {
        return k < text.size() ? text[k] : '\0';
    };
    auto our = [&](std::string_view text, std::size_t k) {
        return k >= 3 && text[k - 1] == 'o' && at(text, k) == 'u'
               && at(text, k + 1) == 'r';
    };
    auto double_l = [&](std::string_view text, std::size_t k) {
        return k >= 3 && text[k - 1] == 'l' && at(text, k) == 'l'
               && (at(text, k + 1) == 'e' || at(text, k + 1) == 'i');
    };
    while (i < a.size() || j < b.size()) {
        char x = at(a, i);
        char y = at(b, j);
        bool ise = ((x == 's' && y == 'z') || (x == 'z' && y == 's'))
                   && i >= 4 && a[i - 1] == 'i';
        if (x == y || ise) {
            ++i;
            ++j;
        } else if ((our(a, i) && y == 'r')
                   || (double_l(a, i) && y == at(a, i + 1))) {
            ++i;
        } else if ((our(b, j) && x == 'r')
                   || (double_l(b, j) && x == at(b, j + 1))) {
            ++j;
        } else {
            return false;
        }
    }
    return true;
}

// Other languages: what follows a common beginning of two forms.
constexpr std::string_view inflections[] = {
    "", "s", "e", "es", "n", "en", "er", "ed", "d", "t", "te", "ten", "a",
    "o", "as", "os", "ar", "ir", "an", "ons", "ez",
};

constexpr std::size_t shortest = 4;

// The next letter, without its accent where it has one in Latin-1; 0 at the
// end.
char next_plain(std::string_view &text) {
    // U+00E0 .. U+00FF.
    constexpr std::string_view plain = "aaaaaaaceeeeiiiidnooooo/ouuuuypy";
    if (text.empty()) {
        return '\0';
    }
    if (text[0] == '\xC3' && text.size() > 1
        && (static_cast<unsigned char>(text[1]) & 0xE0) == 0xA0) {
        char c = plain[static_cast<unsigned char>(text[1]) - 0xA0];
        text.remove_prefix(2);
        return c;
    }
    char c = text[0];
    text.remove_prefix(1);
    return c;
}

// Sorted.
constexpr std::string_view irregular_past[] = {
    "ate", "beat", "became", "began", "blew", "bought", "broke", "brought",
    "built", "came", "caught", "chose", "drank", "drew", "drove", "fell",
    "felt", "flew", "forgot", "fought", "froze", "gave", "got", "grew",
    "held", "hid", "kept", "knew", "laid", "led", "left", "lent", "lost",
    "made", "meant", "met", "paid", "ran", "rode", "sang", "sank", "sat",
    "saw", "sent", "shook", "shot", "slept", "sold", "spent", "spoke",
    "stole", "stood", "swam", "swore", "taught", "thought", "threw", "told",
    "took", "understood", "went", "woke", "won", "wore", "wrote",
};

constexpr std::string_view irregular_participles[] = {
    "beaten", "bitten", "blown", "born", "bought", "broken", "brought",
    "built", "caught", "chosen", "cut", "done", "drawn", "driven", "drunk",
    "eaten", "felt", "forgotten", "fought", "found", "frozen", "given",
    "got", "gotten", "grown", "heard", "held", "hidden", "hit", "hurt",
    "kept", "known", "laid", "led", "left", "lent", "lost", "made", "meant",
    "met", "paid", "put", "read", "ridden", "run", "said", "seen", "sent",
    "set", "shaken", "shot", "shown", "sold", "spent", "split", "spoken",
    "stolen", "sung", "sunk", "taken", "taught", "thought", "thrown", "told",
    "understood", "won", "worn", "written",
};

// "-ed" is a part of these.
constexpr std::string_view end_in_ed[] = {
    "bed", "bleed", "breed", "exceed", "feed", "hundred", "indeed", "need",
    "proceed", "red", "seed", "shed", "speed", "succeed", "weed",
};

bool ends_in_ed(std::string_view word) {
    return word.size() > 3 && word.ends_with("ed")
           && !among_sorted(word, end_in_ed);
}

static_assert(std::is_sorted(std::begin(irregular_past),
                             std::end(irregular_past)));
static_assert(std::is_sorted(std::begin(irregular_participles),
                             std::end(irregular_participles)));
static_assert(std::is_sorted(std::begin(words_of_their_own),
                             std::end(words_of_their_own)));
static_assert(std::is_sorted(std::begin(end_in_ed), std::end(end_in_ed)));

}  // namespace

bool same_word(Language language, std::string_view a,
               std::string_view b) noexcept {
    if (language != Language::english) {
        std::string_view common = common_beginning(a, b);
        return common.size() >= shortest
               && among(a.substr(common.size()), inflections)
               && among(b.substr(common.size()), inflections);
    }
    return a[0] == b[0]
           && (same_spelling(a, b)
               || (same_english_stem(a, b)
                   && !among_sorted(a, words_of_their_own)
                   && !among_sorted(b, words_of_their_own)));
}

bool is_agent(std::string_view verb, std::string_view agent) noexcept {
    constexpr std::string_view agents[] = {"ers", "ors", "er", "or"};
    for (std::string_view ending : agents) {
        if (!agent.ends_with(ending)
            || agent.size() < ending.size() + least_stem) {
            continue;
        }
        std::string_view stem = agent.substr(0, agent.size() - ending.size());
        if (!verb.starts_with(stem)) {
            continue;
        }
        std::string_view rest = verb.substr(stem.size());
        constexpr std::string_view forms[] = {"", "s", "e", "es", "ed", "ing"};
        if (among(rest, forms)) {
            return true;
        }
    }
    return false;
}

bool same_but_accents(std::string_view a, std::string_view b) noexcept {
    while (!a.empty() || !b.empty()) {
        if (next_plain(a) != next_plain(b)) {
            return false;
        }
    }
    return true;
}

bool is_past(std::string_view verb) noexcept {
    return ends_in_ed(verb) || among_sorted(verb, irregular_past);
}

bool is_participle(std::string_view verb) noexcept {
    return ends_in_ed(verb) || among_sorted(verb, irregular_participles);
}

Bases::Bases(std::string_view word) noexcept {
    if (word.size() > longest || among_sorted(word, words_of_their_own)) {
        return;
    }
    struct Ending {
        std::string_view ending;
        std::array<std::string_view, 2> instead;
    };
    static constexpr Ending endings[] = {
        {"ies", {"y", "ie"}}, {"ied", {"y", "ie"}}, {"es", {"", "e"}},
        {"s", {"", ""}},      {"ing", {"", "e"}},   {"ed", {"", "e"}},
    };
    for (const Ending &row : endings) {
        if (!word.ends_with(row.ending)
            || word.size() < row.ending.size() + least_stem) {
            continue;
        }
        std::string_view stem = word.substr(0, word.size()
                                                   - row.ending.size());
        add(stem, row.instead[0], word);
        if (row.instead[1] != row.instead[0]) {
            add(stem, row.instead[1], word);
        }
        bool doubled = stem.size() > least_stem
                       && stem[stem.size() - 1] == stem[stem.size() - 2];
        if (doubled && row.ending != "s") {
            add(stem.substr(0, stem.size() - 1), "", word);
        }
        return;
    }
}

void Bases::add(std::string_view stem, std::string_view ending,
                std::string_view word) {
    Base &base = bases_[count_];
    base.size = stem.size() + ending.size();
    std::memcpy(base.text.data(), stem.data(), stem.size());
    if (!ending.empty()) {
        std::memcpy(base.text.data() + stem.size(), ending.data(),
                    ending.size());
    }
    std::string_view text(base.text.data(), base.size);
    if (text.size() >= least_stem && text != word
        && same_english_stem(text, word)) {
        ++count_;
    }
}

}  // namespace llm::cache
