#include "llm/cache_learn.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace llm::cache {

namespace {

constexpr double first_edge = 0.80;
constexpr double width = 0.01;

// Chances of being wrong to test for: the share that is allowed, times these.
// Where the k-th holds, the answer is served with the chance 1/factors[k].
constexpr double factors[] = {1, 2, 4, 8, 16};

// Guesses at the true chance of being wrong, as shares of the one tested.
constexpr double guesses[] = {0, 0.1, 0.25, 0.5};

// A little slack makes 0.83, which no double is, the edge that it is meant to
// be.
constexpr double slack = 1e-9;

std::size_t bin_of(double similarity) {
    if (!(similarity > first_edge)) {
        return 0;
    }
    // Bin 1 holds (0.80, 0.81].
    double place = std::ceil((similarity - first_edge) / width - slack);
    return static_cast<std::size_t>(
        std::clamp(place, 1.0, static_cast<double>(Observations::bins - 1)));
}

// The logarithm of the mean product of the comment in the header, where the
// chance of being wrong is tested to be at least `w`.
double log_evidence(const Observations &seen, std::size_t bins, double w) {
    constexpr double guess_count = std::size(guesses);
    constexpr double never = -std::numeric_limits<double>::infinity();
    // Few enough terms to keep them: their logarithms are large.
    double terms[Observations::bins * std::size(guesses)];
    std::size_t count = 0;
    double largest = never;

    double right = 0;
    double wrong = 0;
    // Ranges of similarity, from the narrowest to all.
    for (std::size_t i = bins; i-- > 0;) {
        right += seen.right[i];
        wrong += seen.wrong[i];
        for (double share : guesses) {
            double guess = share * w;
            double sum = right * (std::log1p(-guess) - std::log1p(-w));
            if (wrong > 0) {
                sum += share > 0 ? wrong * std::log(share) : never;
            }
            terms[count++] = sum;
            largest = std::max(largest, sum);
        }
    }
    if (largest == never) {
        return never;
    }
    double total = 0;
    for (std::size_t i = 0; i < count; ++i) {
        total += std::exp(terms[i] - largest);
    }
    // Every range has the same weight, those above the question included.
    return largest + std::log(total)
           - std::log(guess_count * Observations::bins);
}

}  // namespace

void Observations::add(double similarity, bool was_right) noexcept {
    std::size_t bin = bin_of(similarity);
    auto &count = was_right ? right[bin] : wrong[bin];
    if (count == std::numeric_limits<std::uint16_t>::max()) {
        right[bin] /= 2;
        wrong[bin] /= 2;
    }
    ++count;
}

double serving_chance(const Observations &seen, double similarity,
                      double delta) noexcept {
    if (!(delta > 0)) {
        return 0;
    }
    if (delta >= 1) {
        return 1;
    }
    std::size_t bins = bin_of(similarity) + 1;
    double doubt = delta / 5;           // that a bound does not hold
    double allowed = delta - doubt;     // of being wrong where it does
    double needed = std::log(std::size(factors) / doubt);
    for (double factor : factors) {
        double w = allowed * factor;
        if (w >= 1) {
            break;
        }
        if (log_evidence(seen, bins, w) >= needed) {
            return 1 / factor;
        }
    }
    return 0;
}

}  // namespace llm::cache
