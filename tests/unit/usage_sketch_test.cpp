#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "catch.hpp"
#include "llm/usage_sketch.hpp"

using namespace llm::limit;

TEST_CASE("a quantile is not too low, and too high by a fifth at most") {
    std::mt19937 random(1);
    for (double spread : {0.1, 0.5, 1.0, 2.0}) {
        std::lognormal_distribution<double> lengths(6, spread);
        UsageSketch sketch{};
        std::vector<std::int64_t> values;
        for (int i = 0; i < 1000; ++i) {
            auto tokens = static_cast<std::int64_t>(
                std::clamp(lengths(random), 1.0, 500'000.0));
            sketch.add(tokens);
            values.push_back(tokens);
        }
        std::sort(values.begin(), values.end());
        for (double share : {0.5, 0.9, 0.95, 0.99, 1.0}) {
            auto exact = values[static_cast<std::size_t>(
                std::ceil(share * 1000) - 1)];
            auto found = sketch.quantile(share);
            INFO("share " << share << " exact " << exact);
            CHECK(found >= exact);
            CHECK(static_cast<double>(found)
                  <= static_cast<double>(exact) * 1.19 + 1);
        }
    }
}

TEST_CASE("old answers fade") {
    UsageSketch sketch{};
    for (int i = 0; i < 100'000; ++i) {
        sketch.add(8000);
    }
    CHECK(sketch.total <= UsageSketch::half_life);
    CHECK(sketch.quantile(0.95) >= 8000);
    for (int i = 0; i < 10 * UsageSketch::half_life; ++i) {
        sketch.add(100);
    }
    CHECK(sketch.quantile(0.95) < 120);
}

TEST_CASE("values of any size are counted") {
    UsageSketch sketch{};
    CHECK(sketch.quantile(0.95) == 0);
    for (std::int64_t tokens : {INT64_MIN, std::int64_t{-1}, std::int64_t{0},
                                std::int64_t{1}, INT64_MAX})
    {
        sketch.add(tokens);
    }
    CHECK(sketch.quantile(0.5) == 1);
    CHECK(sketch.quantile(1) >= 400'000);
    CHECK(sketch.quantile(7) == sketch.quantile(1));
    CHECK(sketch.quantile(-1) == 1);
    for (std::int64_t tokens = 1; tokens < 300'000; tokens += 17) {
        UsageSketch one{};
        one.add(tokens);
        REQUIRE(one.quantile(0.95) >= tokens);
        REQUIRE(static_cast<double>(one.quantile(0.95))
                <= static_cast<double>(tokens) * 1.19 + 1);
    }
}

TEST_CASE("what is reserved for an answer is what answers needed") {
    BoundOptions options;
    options.otherwise = 4000;
    UsageSketch sketch{};
    CHECK(completion_bound(sketch, options, 0) == 4000);
    CHECK(completion_bound(sketch, options, 2000) == 2000);
    for (int i = 0; i < 19; ++i) {
        sketch.add(256);
    }
    CHECK(completion_bound(sketch, options, 0) == 4000);
    sketch.add(256);
    CHECK(completion_bound(sketch, options, 128'000) == 308);
    CHECK(completion_bound(sketch, options, 300) == 300);
}
