#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "catch.hpp"
#include "llm/vector.hpp"

using namespace llm;

namespace {

std::vector<std::int8_t> random_row(std::mt19937 &random, std::size_t size) {
    std::uniform_int_distribution<int> value(-127, 127);
    std::vector<std::int8_t> row(size);
    for (auto &x : row) {
        x = static_cast<std::int8_t>(value(random));
    }
    return row;
}

std::vector<float> random_vector(std::mt19937 &random, std::size_t size) {
    std::normal_distribution<float> value;
    std::vector<float> vector(size);
    for (auto &x : vector) {
        x = value(random);
    }
    return vector;
}

double exact_dot(const std::vector<float> &a, const std::vector<float> &b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += static_cast<double>(a[i]) * b[i];
    }
    return sum;
}

}  // namespace

TEST_CASE("every form of the int8 product gives the same number") {
    std::mt19937 random(1);
    const auto &plain = vector::usable_kernels().front();
    REQUIRE(plain.name == "plain");

    for (const auto &form : vector::usable_kernels()) {
        INFO(form.name);
        for (std::size_t size = 0; size <= 4096; size += 64) {
            auto a = random_row(random, size + 1);
            auto b = random_row(random, size);
            // Also where the row is not aligned.
            for (std::size_t offset : {0, 1}) {
                REQUIRE(form.dot_i8(a.data() + offset, b.data(), size)
                        == plain.dot_i8(a.data() + offset, b.data(), size));
            }
        }
        // The largest sums that there can be.
        std::vector<std::int8_t> most(4096, 127), least(4096, -127);
        CHECK(form.dot_i8(most.data(), most.data(), 4096) == 127 * 127 * 4096);
        CHECK(form.dot_i8(most.data(), least.data(), 4096)
              == -127 * 127 * 4096);
        CHECK(form.dot_i8(least.data(), least.data(), 4096)
              == 127 * 127 * 4096);
    }
}

TEST_CASE("every form of the float product is exact up to rounding") {
    std::mt19937 random(2);
    for (const auto &form : vector::usable_kernels()) {
        INFO(form.name);
        for (std::size_t size = 0; size < 200; ++size) {
            auto a = random_vector(random, size);
            auto b = random_vector(random, size);
            REQUIRE(form.dot_f32(a.data(), b.data(), size)
                    == Approx(exact_dot(a, b)).margin(1e-4));
        }
    }
}

TEST_CASE("the best form is one that the processor can run") {
    CHECK(&vector::kernels() == &vector::usable_kernels().back());
}

TEST_CASE("a normalised vector has length one and the same direction") {
    std::vector<float> out(2);
    REQUIRE(vector::normalise(std::vector<float>{3, -4}, out));
    CHECK(out[0] == Approx(0.6f));
    CHECK(out[1] == Approx(-0.8f));

    // Squares that are too large or too small for a float.
    REQUIRE(vector::normalise(std::vector<float>{3e30f, -4e30f}, out));
    CHECK(out[1] == Approx(-0.8f));
    REQUIRE(vector::normalise(std::vector<float>{3e-30f, -4e-30f}, out));
    CHECK(out[1] == Approx(-0.8f));
}

TEST_CASE("what has no direction is not normalised") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> out(2);
    CHECK_FALSE(vector::normalise(std::vector<float>{0, 0}, out));
    CHECK_FALSE(vector::normalise(std::vector<float>{1, nan}, out));
    CHECK_FALSE(vector::normalise(std::vector<float>{infinity, 1}, out));
    CHECK_FALSE(vector::normalise(std::span<const float>(), {}));
}

TEST_CASE("a row stands for its vector within half a step") {
    std::mt19937 random(3);
    for (std::size_t size : {1, 63, 64, 65, 256, 1536}) {
        auto in = random_vector(random, size);
        std::vector<std::int8_t> row(vector::row_size(size), 99);
        float scale = vector::quantise(in, row);
        for (std::size_t i = 0; i < size; ++i) {
            REQUIRE(std::fabs(in[i] - scale * row[i]) <= scale * 0.501f);
            REQUIRE(row[i] >= -127);
        }
        for (std::size_t i = size; i < row.size(); ++i) {
            REQUIRE(row[i] == 0);
        }
    }
}

TEST_CASE("the row of nothing is nothing") {
    std::vector<std::int8_t> row(64, 99);
    CHECK(vector::quantise(std::vector<float>(3, 0.0f), row) == 0);
    CHECK(row == std::vector<std::int8_t>(64, 0));
}

TEST_CASE("products of rows are near the similarity of the vectors") {
    std::mt19937 random(4);
    constexpr std::size_t size = 256;
    std::vector<std::int8_t> row_a(size), row_b(size);
    for (int i = 0; i < 1000; ++i) {
        auto a = random_vector(random, size);
        auto b = random_vector(random, size);
        REQUIRE(vector::normalise(a, a));
        REQUIRE(vector::normalise(b, b));
        float scale = vector::quantise(a, row_a) * vector::quantise(b, row_b);
        float near = scale * static_cast<float>(vector::kernels().dot_i8(
                                 row_a.data(), row_b.data(), size));
        REQUIRE(std::fabs(near - exact_dot(a, b)) < 0.01);
    }
}
