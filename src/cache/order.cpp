#include "cache/order.hpp"

#include <algorithm>
#include <iterator>

#include "cache/morphology.hpp"

namespace llm::cache {

namespace {

// Names and the like have no more words.
constexpr std::size_t longest_name = 12;

bool is_hard(const Token &token) {
    return weight(token) == Weight::hard;
}

bool is_conjunction(const Token &token) {
    return token.type == TokenType::word
           && token.cls == WordClass::conjunction;
}

// What may stand inside of one thing: "the old city".
bool is_inside(const Token &token) {
    return is_hard(token)
           || (token.type == TokenType::word
               && (token.cls == WordClass::article
                   || weight(token) != Weight::none));
}

// "A and B": the one is before the conjunction, the other after it, and
// nothing else between.
bool are_joined(std::span<const Token> tokens, std::size_t first,
                std::size_t second) {
    if (second - first > 2 * longest_name) {
        return false;
    }
    std::size_t conjunctions = 0;
    for (std::size_t i = first; i <= second; ++i) {
        if (is_conjunction(tokens[i])) {
            ++conjunctions;
        } else if (!is_inside(tokens[i])) {
            return false;
        }
    }
    return conjunctions == 1;
}

// Parts of one name: "Tom's old wife".
bool are_together(std::span<const Token> tokens, std::size_t first,
                  std::size_t second) {
    if (second - first > longest_name) {
        return false;
    }
    for (std::size_t i = first; i <= second; ++i) {
        if (!is_inside(tokens[i])) {
            return false;
        }
    }
    return true;
}

// Nothing but articles and the like between.
bool are_adjacent(std::span<const Token> tokens, std::size_t first,
                  std::size_t second) {
    if (second - first > longest_name) {
        return false;
    }
    for (std::size_t i = first + 1; i < second; ++i) {
        if (weight(tokens[i]) != Weight::none
            || is_conjunction(tokens[i])
            || tokens[i].cls == WordClass::preposition) {
            return false;
        }
    }
    return true;
}

// "Of", "for", "in" and so on: what they govern can stand before the noun
// just as well. Milk with chocolate is not milk chocolate.
bool is_genitive(const Token &token) {
    constexpr std::string_view others[] = {"with", "through", "about",
                                           "mit", "avec", "con"};
    return token.governor != 0 && token.governing == Direction::none
           && std::none_of(std::begin(others), std::end(others),
                           [&](std::string_view word) {
                               return token.governor == text_key(word);
                           });
}

class Comparison {
public:
    Comparison(const Side &a, const Side &b, std::span<const Place> places)
        : a_(a), b_(b), places_(places) {
        find_cuts(a.tokens, true, cuts_a_);
        find_cuts(b.tokens, false, cuts_b_);
    }

    std::optional<Place> find_moved();

private:
    bool direction_differs(const Place &place) const;
    bool unit_differs(const Place &place) const;
    bool voice_differs(const Place &verb);
    bool may_swap(const Place &x, const Place &y) const;
    bool kept(const Place &place) const;
    bool rotated(const Place &x, const Place &y) const;
    struct Cuts {
        std::array<std::uint16_t, Tokens::most> last;
        std::array<std::uint16_t, Tokens::most> at;
        std::array<std::uint16_t, Tokens::most> earliest;
        std::array<std::uint16_t, Tokens::most> latest_after;
    };
    void find_cuts(std::span<const Token> tokens, bool of_a,
                   Cuts &cuts) const;

    bool governed_alike(const Place &place) const;

    Side a_;
    Side b_;
    std::span<const Place> places_;
    // Where one question is in the passive voice: its verb, who does it and
    // to whom, by their index in a.
    std::array<bool, Tokens::most> turned_{};
    Cuts cuts_a_;
    Cuts cuts_b_;
};

// "To push to a branch" and "to push a branch".
bool lost_goal(std::span<const Token> a, std::size_t with,
               std::span<const Token> b, std::size_t without) {
    auto before = [](std::span<const Token> tokens, std::size_t i) {
        while (i-- > 0) {
            if (is_hard(tokens[i])) {
                return tokens[i].key;
            }
        }
        return std::uint64_t{0};
    };
    // In English; elsewhere the genitive has prepositions like these.
    bool goal = a[with].after_preposition
                && (a[with].governor == text_key("to")
                    || a[with].governor == text_key("from"));
    std::uint64_t verb = before(a, with);
    return goal && !b[without].after_preposition && !b[without].linked
           && b[without].role != 0 && verb != 0
           && verb == before(b, without);
}

// A preposition that tells two things apart.
bool Comparison::direction_differs(const Place &place) const {
    const Token &x = a_.tokens[place.a];
    const Token &y = b_.tokens[place.b];
    bool than = x.direction == Direction::than
                || y.direction == Direction::than;
    bool both = x.after_preposition && y.after_preposition;
    // "To train for running" and "to train to run".
    auto gerund = [](const Token &verb, const Token &other) {
        return verb.text.ends_with("ing") && !other.text.ends_with("ing")
               && verb.direction == Direction::none
               && other.direction == Direction::to;
    };
    if (x.direction != y.direction && (than || both) && !gerund(x, y)
        && !gerund(y, x)) {
        return true;
    }
    if (lost_goal(a_.tokens, place.a, b_.tokens, place.b)
        || lost_goal(b_.tokens, place.b, a_.tokens, place.a)) {
        return true;
    }
    // Prepositions that say something else of what they govern.
    struct Pair {
        std::string_view one;
        std::string_view other;
        bool in_how;        // in how it is done as well
    };
    static constexpr Pair pairs[] = {
        {"with", "for", true},  {"with", "of", true},
        {"with", "in", false},  {"about", "for", true},
        {"about", "with", true}, {"about", "in", true},
        {"for", "in", true},
    };
    bool how = a_.meaning.kind == Kind::how || b_.meaning.kind == Kind::how;
    return both
           && std::any_of(std::begin(pairs), std::end(pairs),
                          [&](const Pair &pair) {
                              auto one = text_key(pair.one);
                              auto other = text_key(pair.other);
                              return (!how || pair.in_how)
                                     && ((x.governor == one
                                          && y.governor == other)
                                         || (y.governor == one
                                             && x.governor == other));
                          });
}

// "5 km in miles" and "5 miles in km": what there are five of.
bool Comparison::unit_differs(const Place &place) const {
    auto unit = [](std::span<const Token> tokens, std::size_t number) {
        bool counts = tokens[number].type == TokenType::number
                      && number + 1 < tokens.size()
                      && tokens[number + 1].type == TokenType::word
                      && tokens[number + 1].cls == WordClass::unit;
        return counts ? tokens[number + 1].key : 0;
    };
    std::uint64_t a = unit(a_.tokens, place.a);
    std::uint64_t b = unit(b_.tokens, place.b);
    return a != 0 && b != 0 && a != b;
}

// "Was written" and "writes": who wrote must be before the verb in the one,
// and after "by" in the other.
bool Comparison::voice_differs(const Place &verb) {
    bool a_is_passive = a_.tokens[verb.a].passive;
    if (a_is_passive == b_.tokens[verb.b].passive) {
        return false;
    }
    std::size_t passive_verb = a_is_passive ? verb.a : verb.b;
    std::size_t active_verb = a_is_passive ? verb.b : verb.a;
    auto passive = a_is_passive ? a_.tokens : b_.tokens;

    // "How is it formed" and "how does it form".
    constexpr std::string_view both_voices[] = {
        "form", "open", "close", "develop", "evolve", "melt", "freeze",
        "dissolve", "spread", "erupt",
    };
    auto active_text = (a_is_passive ? b_.tokens : a_.tokens)[active_verb].text;
    bool either = std::any_of(
        std::begin(both_voices), std::end(both_voices),
        [&](std::string_view word) {
            return same_word(Language::english, word, active_text);
        });

    std::size_t parts = 0;
    for (const Place &place : places_) {
        std::size_t at = a_is_passive ? place.a : place.b;
        std::size_t active = a_is_passive ? place.b : place.a;
        const Token &token = passive[at];
        bool agent = at > passive_verb && token.direction == Direction::by
                     && token.after_preposition;
        bool agent_goes_on = at > passive_verb
                             && token.governor == text_key("by");
        bool patient = at < passive_verb && token.governor == 0
                       && !token.asked;
        if (agent || agent_goes_on) {
            if (active > active_verb) {
                return true;
            }
        } else if (patient) {
            if (active < active_verb && !either) {
                return true;
            }
        } else {
            continue;
        }
        ++parts;
        turned_[place.a] = true;
    }
    turned_[verb.a] = true;
    // "Why was my order refused" is not "Why did I refuse my order".
    const Meaning &active_meaning = a_is_passive ? b_.meaning : a_.meaning;
    bool i_did = active_meaning.subject_person
                     == 1U << static_cast<unsigned>(Person::first)
                 && active_meaning.kind != Kind::how
                 && active_meaning.kind != Kind::how_much;
    if (i_did) {
        return true;
    }
    bool asked_alike =
        (a_.meaning.object && b_.meaning.object)
        || (a_.meaning.subject && b_.meaning.subject);
    return parts == 0 && !asked_alike;
}

bool Comparison::kept(const Place &place) const {
    return a_.tokens[place.a].role == b_.tokens[place.b].role;
}

// For each token the last one before the next comma, and where the tokens up
// to there, and those after it, are in the other text.
void Comparison::find_cuts(std::span<const Token> tokens, bool of_a,
                           Cuts &cuts) const {
    std::size_t last = tokens.size();
    for (std::size_t i = tokens.size(); i-- > 0;) {
        if (i + 1 == tokens.size() || !tokens[i + 1].joined) {
            last = i;
        }
        cuts.last[i] = static_cast<std::uint16_t>(last);
        cuts.at[i] = Tokens::most;
    }
    for (const Place &place : places_) {
        cuts.at[of_a ? place.a : place.b] = of_a ? place.b : place.a;
    }
    std::uint16_t earliest = Tokens::most;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        earliest = std::min(earliest, cuts.at[i]);
        cuts.earliest[i] = earliest;
    }
    std::uint16_t latest = 0;
    for (std::size_t i = tokens.size(); i-- > 0;) {
        cuts.latest_after[i] = latest;
        if (cuts.at[i] != Tokens::most) {
            latest = std::max(latest, cuts.at[i]);
        }
    }
}

// "After lunch, can I swim" and "Can I swim after lunch": all that is before
// the comma comes last.
bool Comparison::rotated(const Place &x, const Place &y) const {
    auto moved = [](const Cuts &cuts, std::size_t first, std::size_t second) {
        std::size_t last = cuts.last[first];
        return last < second && cuts.earliest[last] > cuts.latest_after[last];
    };
    return moved(cuts_a_, x.a, y.a) || moved(cuts_b_, y.b, x.b);
}

bool Comparison::governed_alike(const Place &place) const {
    return a_.tokens[place.a].governor == b_.tokens[place.b].governor;
}

// x is before y in a, and after it in b.
bool Comparison::may_swap(const Place &x, const Place &y) const {
    const Token &xa = a_.tokens[x.a];
    const Token &ya = a_.tokens[y.a];
    const Token &xb = b_.tokens[x.b];
    const Token &yb = b_.tokens[y.b];

    bool bare = xa.role == 0 && ya.role == 0 && xb.role == 0 && yb.role == 0
                && !xa.linked && !ya.linked && !xb.linked && !yb.linked;
    if (kept(x) && kept(y) && !bare) {
        return true;
    }
    if (turned_[x.a] && turned_[y.a]) {
        return true;
    }
    if (are_joined(a_.tokens, x.a, y.a) && are_joined(b_.tokens, y.b, x.b)) {
        return true;
    }
    // "In Python, how do I sort" and "How do I sort in Python".
    if (governed_alike(x) && governed_alike(y)
        && (xa.governor != 0) != (ya.governor != 0)) {
        return true;
    }
    // "Tom's wife" and "the wife of Tom"; "with Tom's wife" and "with the
    // wife of Tom".
    auto genitive = [](std::span<const Token> tokens, std::size_t first,
                       std::size_t second, const Token &head,
                       const Token &owner) {
        bool alike = tokens[first].governor == tokens[second].governor
                     && tokens[first].governor == head.governor
                     && (head.governor == 0
                         || are_together(tokens, first, second));
        return alike && is_genitive(owner);
    };
    if (genitive(a_.tokens, x.a, y.a, yb, xb)
        || genitive(b_.tokens, y.b, x.b, xa, ya)) {
        return true;
    }
    if (governed_alike(x) && governed_alike(y) && rotated(x, y)) {
        return true;
    }
    // "How long is the wall" and "The wall: how long is it"; "Which company
    // makes it" and "It is made by which company".
    auto free = [](const Token &token) {
        return token.cls == WordClass::aspect || token.asked;
    };
    if ((free(xa) && free(xb)) != (free(ya) && free(yb))) {
        return true;
    }
    // "The largest planet" and "which planet is the largest".
    auto predicate = [](const Token &noun, const Token &adjective) {
        return noun.asked && adjective.cls == WordClass::opposite
               && adjective.governor == 0;
    };
    if ((predicate(yb, xb) && are_adjacent(a_.tokens, x.a, y.a))
        || (predicate(xa, ya) && are_adjacent(b_.tokens, y.b, x.b))) {
        return true;
    }
    // "How do I track a parcel" and "parcel tracking".
    bool fragment =
        (a_.meaning.kind == Kind::how && b_.meaning.kind == Kind::none
         && xa.role == 0)
        || (b_.meaning.kind == Kind::how && a_.meaning.kind == Kind::none
            && yb.role == 0);
    auto is_action = [](const Token &token, const Token &other) {
        constexpr std::string_view endings[] = {"ing", "ion", "ment", "ance",
                                                "al", "ure"};
        return token.text != other.text
               && std::any_of(std::begin(endings), std::end(endings),
                              [&](std::string_view ending) {
                                  return token.text.ends_with(ending)
                                         != other.text.ends_with(ending);
                              });
    };
    bool forms = is_action(xa, xb) || is_action(ya, yb);
    return (fragment || forms) && are_adjacent(a_.tokens, x.a, y.a)
           && are_adjacent(b_.tokens, y.b, x.b);
}

std::optional<Place> Comparison::find_moved() {
    for (const Place &place : places_) {
        if (direction_differs(place) || unit_differs(place)
            || voice_differs(place)) {
            return place;
        }
    }
    for (std::size_t i = 0; i < places_.size(); ++i) {
        for (std::size_t j = i + 1; j < places_.size(); ++j) {
            if (places_[i].b > places_[j].b
                && !may_swap(places_[i], places_[j])) {
                return places_[j];
            }
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<Place> find_moved(const Side &a, const Side &b,
                                std::span<const Place> places) {
    return Comparison(a, b, places).find_moved();
}

}  // namespace llm::cache
