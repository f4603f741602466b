// How similar a question must be to be answered from an entry, learned for
// each entry by itself (or for a whole zone, if one is kept for that): the
// operator says how many of the answers may be wrong, and questions that are
// asked again although an answer was at hand tell how often it would have
// been. The aim is that of vCache (arXiv 2502.03771); the rule is our own.
//
// The one assumption: the more similar two questions are, the more likely the
// stored answer is right. So let p(s) be the chance that it is right at
// similarity s, never falling with s, and all else unknown. Similarities are
// taken in steps (Observations): p(s) is the chance within the step, so the
// bound holds for all that is asked there together. Then
//
// 1. For a bound q, and answers seen at similarities of at most s, which were
//    right (x = 1) or wrong (x = 0), and any guess g in (q, 1],
//        E = product of (g/q)^x ((1-g)/(1-q))^(1-x)
//    cannot be expected to grow while p(s) <= q, whichever answers were
//    looked at and however that was decided: each factor's mean is at most 1,
//    since the chance of x = 1 was at most p(s). So is a mean of such
//    products, over guesses and over ranges of similarity, each with its own
//    weight. By Ville's inequality it ever reaches 1/a with a chance of at
//    most a. Where it does, p(s) > q is taken for granted. This holds at
//    every time, not only after a number of answers set before: that matters
//    here, since how much is seen depends on what was seen.
// 2. With a = delta/5 shared by five bounds q, and q the best of them that is
//    taken for granted, the answer is served with the chance
//        e = min(1, (4/5 delta) / (1 - q)),
//    else the question is asked anew. The chance of serving a wrong answer is
//    at most e (1 - q) <= 4/5 delta where q holds, and it fails to hold with
//    a chance of at most delta/5: together delta.
//
// What it takes: with delta = 0.05 some 250 answers that were all right
// before an entry is served every time, and some 15 before it is served now
// and then. A zone's own statistics get there sooner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace llm::cache {

// What was seen, by similarity. Plain data, for shared memory; all zero is
// nothing seen.
struct Observations {
    // The first bin holds all up to 0.80, the others 0.01 each.
    static constexpr std::size_t bins = 21;

    std::array<std::uint16_t, bins> right{};
    std::array<std::uint16_t, bins> wrong{};

    // Counts stop before they overflow: of a full bin both are halved.
    void add(double similarity, bool was_right) noexcept;
};

// The chance, 0 .. 1, with which an answer may be served at this similarity
// while no more than `delta` (0 .. 1) of the answers may be wrong. Never
// rises when a wrong answer is added, nor with a smaller delta.
double serving_chance(const Observations &seen, double similarity,
                      double delta) noexcept;

// Whether to serve (true) or to ask anew and tell add() how it went.
// `random`: uniform in [0, 1), another one each time.
inline bool serve(const Observations &seen, double similarity, double delta,
                  double random) noexcept {
    return random < serving_chance(seen, similarity, delta);
}

}  // namespace llm::cache
