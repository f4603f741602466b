#include <algorithm>
#include <cmath>

#include "llm/simulate.hpp"
#include "text/hash.hpp"

namespace llm::simulate {

namespace {

// Bytes beyond ASCII belong to words, whatever they are.
bool is_word(unsigned char c) noexcept {
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z');
}

// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
std::uint64_t scramble(std::uint64_t x) noexcept {
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

// Plus or minus one in each dimension, by the word.
void add_word(std::string_view word, std::uint64_t seed,
              std::span<float> sum) {
    std::uint64_t hash = fnv1a_basis;
    for (char c : word) {
        char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
        hash = fnv1a({&lower, 1}, hash);
    }
    std::uint64_t signs = 0;
    for (std::size_t i = 0; i < sum.size(); ++i) {
        if (i % 64 == 0) {
            signs = scramble(hash ^ scramble(seed + i));
        }
        sum[i] += signs & 1 ? 1.0F : -1.0F;
        signs >>= 1;
    }
}

}  // namespace

void embed(std::string_view text, std::uint64_t seed, std::span<float> out) {
    std::fill(out.begin(), out.end(), 0.0F);
    auto letter = [](char c) {
        return is_word(static_cast<unsigned char>(c));
    };
    for (auto at = text.begin(); at != text.end();) {
        auto first = std::find_if(at, text.end(), letter);
        at = std::find_if_not(first, text.end(), letter);
        if (first != at) {
            add_word({first, at}, seed, out);
        }
    }

    double squares = 0;
    for (float value : out) {
        squares += double{value} * value;
    }
    if (squares == 0) {
        std::fill(out.begin(), out.end(), 1.0F);
        squares = static_cast<double>(out.size());
    }
    auto factor = static_cast<float>(1 / std::sqrt(squares));
    for (float &value : out) {
        value *= factor;
    }
}

}  // namespace llm::simulate
