#include "llm/usage_sketch.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace llm::limit {

namespace {

constexpr int steps = 4;        // to an octave

// The greatest value that a bucket counts.
std::int64_t upper_edge(std::size_t bucket) noexcept {
    return static_cast<std::int64_t>(
        std::floor(std::exp2(static_cast<double>(bucket) / steps)));
}

// The first whose edge is not below: so that no value is taken for less.
std::size_t bucket_of(std::int64_t tokens) noexcept {
    if (tokens <= 1) {
        return 0;
    }
    auto octave = static_cast<std::size_t>(
        std::bit_width(static_cast<std::uint64_t>(tokens)) - 1);
    std::size_t bucket = octave * steps;
    while (bucket < UsageSketch::buckets - 1 && upper_edge(bucket) < tokens) {
        ++bucket;
    }
    return std::min(bucket, UsageSketch::buckets - 1);
}

}  // namespace

void UsageSketch::add(std::int64_t tokens) noexcept {
    if (total >= half_life) {
        total = 0;
        for (auto &count : counts) {
            count /= 2;
            total = static_cast<std::uint16_t>(total + count);
        }
    }
    ++counts[bucket_of(tokens)];
    ++total;
}

std::int64_t UsageSketch::quantile(double share) const noexcept {
    if (total == 0) {
        return 0;
    }
    double wanted = std::clamp(share, 0.0, 1.0) * total;
    std::uint32_t seen = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
        seen += counts[i];
        if (seen > 0 && seen >= wanted) {
            return upper_edge(i);
        }
    }
    return upper_edge(buckets - 1);
}

std::int64_t completion_bound(const UsageSketch &sketch,
                              const BoundOptions &options,
                              std::int64_t maximum) noexcept {
    std::int64_t bound = options.otherwise;
    if (sketch.total > 0 && sketch.total >= options.least_values) {
        bound = static_cast<std::int64_t>(std::ceil(
            static_cast<double>(sketch.quantile(options.quantile))
            * options.margin));
    }
    return maximum > 0 ? std::min(bound, maximum) : bound;
}

}  // namespace llm::limit
