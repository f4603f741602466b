// Thresholds that learn: whatever the entries are like, no more answers are
// wrong than the operator allows; and where the answers are right, they come
// to be served.
#include "catch.hpp"

#include <cmath>
#include <functional>
#include <random>

#include "llm/cache_learn.hpp"

using namespace llm::cache;

namespace {

struct Outcome {
    double wrong = 0;       // of all questions, served and wrong
    double served = 0;      // of all questions
    double served_late = 0; // of the second half
};

// Entries, each asked so many times, at similarities of 0.8 to 1. `right`:
// the chance that the stored answer is right at a similarity, for an entry
// with this trait (0 .. 1).
Outcome simulate(double delta, int entries, int questions,
                 const std::function<double(double, double)> &right) {
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> uniform(0, 1);
    Outcome outcome;
    for (int entry = 0; entry < entries; ++entry) {
        double trait = uniform(random);
        Observations seen;
        for (int i = 0; i < questions; ++i) {
            double similarity = 0.8 + 0.2 * uniform(random);
            bool is_right = uniform(random) < right(similarity, trait);
            if (serve(seen, similarity, delta, uniform(random))) {
                outcome.wrong += !is_right;
                outcome.served += 1;
                outcome.served_late += i >= questions / 2;
            } else {
                seen.add(similarity, is_right);
            }
        }
    }
    double all = static_cast<double>(entries) * questions;
    outcome.wrong /= all;
    outcome.served /= all;
    outcome.served_late /= all / 2;
    return outcome;
}

double logistic(double x) {
    return 1 / (1 + std::exp(-x));
}

Observations all_right(double similarity, int count) {
    Observations seen;
    for (int i = 0; i < count; ++i) {
        seen.add(similarity, true);
    }
    return seen;
}

}  // namespace

TEST_CASE("cache learn: no more answers are wrong than allowed") {
    double delta = GENERATE(0.02, 0.05, 0.1, 0.3);
    CAPTURE(delta);
    SECTION("each entry has a similarity from which on it is right") {
        Outcome outcome = simulate(delta, 60, 2000, [](double s, double t) {
            return logistic((s - 0.82 - 0.15 * t) * 200);
        });
        CAPTURE(outcome.wrong, outcome.served);
        CHECK(outcome.wrong <= delta);
    }
    SECTION("a slow rise") {
        Outcome outcome = simulate(delta, 60, 2000, [](double s, double t) {
            return logistic((s - 0.8 - 0.2 * t) * 20);
        });
        CHECK(outcome.wrong <= delta);
    }
    SECTION("just a little worse than allowed, at any similarity") {
        Outcome outcome = simulate(delta, 60, 2000, [&](double, double) {
            return 1 - delta * 1.3;
        });
        CHECK(outcome.wrong <= delta);
    }
    SECTION("always wrong") {
        Outcome outcome = simulate(delta, 20, 2000,
                                   [](double, double) { return 0; });
        CHECK(outcome.served == 0);
    }
}

TEST_CASE("cache learn: what is right comes to be served") {
    Outcome outcome = simulate(0.05, 20, 4000,
                               [](double, double) { return 1; });
    CHECK(outcome.wrong == 0);
    CHECK(outcome.served_late > 0.9);

    Outcome mixed = simulate(0.1, 20, 4000, [](double s, double) {
        return s >= 0.9 ? 1.0 : 0.0;
    });
    CHECK(mixed.wrong <= 0.1);
    CHECK(mixed.served_late > 0.35);
}

TEST_CASE("cache learn: what was seen counts for what is more similar") {
    Observations seen = all_right(0.90, 1000);
    CHECK(serving_chance(seen, 0.90, 0.05) == 1);
    CHECK(serving_chance(seen, 0.95, 0.05) == 1);
    CHECK(serving_chance(seen, 1.0, 0.05) == 1);
    CHECK(serving_chance(seen, 0.89, 0.05) == 0);
    CHECK(serving_chance(seen, 0.5, 0.05) == 0);
}

TEST_CASE("cache learn: nothing seen, nothing served; more seen, more served") {
    CHECK(serving_chance(Observations(), 1.0, 0.05) == 0);
    double before = 0;
    for (int count = 0; count <= 400; ++count) {
        double chance = serving_chance(all_right(0.9, count), 0.95, 0.05);
        CHECK(chance >= before);
        before = chance;
    }
    CHECK(before == 1);
    // As the header says.
    CHECK(serving_chance(all_right(0.9, 15), 0.95, 0.05) > 0);
    CHECK(serving_chance(all_right(0.9, 250), 0.95, 0.05) == 1);
}

TEST_CASE("cache learn: a wrong answer and a lower bound make it stricter") {
    for (int count : {10, 20, 50, 100, 200, 400, 800}) {
        Observations seen = all_right(0.9, count);
        for (int wrong = 0; wrong < 20; ++wrong) {
            double chance = serving_chance(seen, 0.95, 0.1);
            CHECK(serving_chance(seen, 0.95, 0.05) <= chance);
            seen.add(0.93, false);
            CHECK(serving_chance(seen, 0.95, 0.1) <= chance);
        }
    }
}

TEST_CASE("cache learn: the ends of the scale") {
    Observations seen = all_right(0.9, 1000);
    CHECK(serving_chance(seen, 0.95, 0) == 0);
    CHECK(serving_chance(seen, 0.95, -1) == 0);
    CHECK(serving_chance(Observations(), 0.0, 1) == 1);
    double nan = std::nan("");
    CHECK(serving_chance(seen, nan, 0.05) == 0);
    CHECK(serving_chance(seen, 0.95, nan) == 0);
    seen.add(nan, true);
    seen.add(7, true);
    seen.add(-7, false);

    // A full bin keeps its proportions.
    Observations full;
    for (int i = 0; i < 70000; ++i) {
        full.add(0.9, true);
        full.add(0.9, i % 10 == 0);
    }
    std::size_t bin = 10;
    CHECK(full.right[bin] > 10000);
    double share = full.right[bin]
                   / static_cast<double>(full.right[bin] + full.wrong[bin]);
    CHECK(std::abs(share - 0.55) < 0.05);
}

TEST_CASE("what is seen at a similarity counts for that similarity",
          "[cache][learn]") {
    for (double similarity : {0.75, 0.80, 0.853, 0.991, 0.999, 1.0}) {
        CAPTURE(similarity);
        Observations seen;
        for (int i = 0; i < 400; ++i) {
            seen.add(similarity, true);
        }
        CHECK(serving_chance(seen, similarity, 0.05) == 1);
    }
}
