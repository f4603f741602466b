// How many tokens answers have: a histogram of fixed size whose buckets grow
// by a quarter of an octave, so that a quantile is too high by at most 19 %.
// Old values fade: when half_life of them were counted, all counts are halved.
//
// It is what a request without max_tokens is held to need: reserving the
// model's whole window for it would refuse the first one, and reserving
// nothing would let any number of them through.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace llm::limit {

// Plain data, empty when all its bytes are zero.
struct UsageSketch {
    static constexpr std::size_t buckets = 77;      // up to 2^19
    static constexpr std::uint16_t half_life = 1024;

    std::array<std::uint16_t, buckets> counts;
    std::uint16_t total;

    void add(std::int64_t tokens) noexcept;

    // What `share` (0..1) of the values did not exceed, or a bit more; 0
    // without values. Values above 2^19 count as that.
    std::int64_t quantile(double share) const noexcept;
};

struct BoundOptions {
    double quantile = 0.95;
    double margin = 1.2;                // times the quantile
    std::uint16_t least_values = 20;    // with fewer, `otherwise` counts
    std::int64_t otherwise = 4096;      // tokens
};

// What to reserve for the answer to a request that does not say max_tokens:
// never above maximum, the most that the model can answer with (0: unknown).
std::int64_t completion_bound(const UsageSketch &sketch,
                              const BoundOptions &options,
                              std::int64_t maximum) noexcept;

}  // namespace llm::limit
