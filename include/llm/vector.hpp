// Vectors of an embedding: unit length, so that the dot product of two is
// their cosine similarity (1: same direction, 0: nothing in common).
//
// For searching, a vector is kept as int8 with one float: component i is about
// scale * row[i]. The scale is that of the vector's own largest component, so
// the product of two rows is off by some thousandths; what is worth knowing
// exactly is then computed with the floats.
//
// Nothing here allocates, fails or locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace llm::vector {

inline constexpr std::size_t max_dimensions = 4096;

// Rows are as long as a multiple of this, filled up with zeros.
inline constexpr std::size_t row_unit = 64;

constexpr std::size_t row_size(std::size_t dimensions) noexcept {
    return (dimensions + row_unit - 1) / row_unit * row_unit;
}

// The products, in the form that one kind of processor does best.
struct Kernels {
    std::string_view name;

    // Of two rows without -128. size: a multiple of row_unit, at most
    // row_size(max_dimensions). Every form gives the same number.
    std::int32_t (*dot_i8)(const std::int8_t *a, const std::int8_t *b,
                           std::size_t size) noexcept;

    // Of two vectors of any size. The forms differ in rounding.
    float (*dot_f32)(const float *a, const float *b,
                     std::size_t size) noexcept;
};

// The forms that this processor can run, the best one last.
std::span<const Kernels> usable_kernels() noexcept;

// The best of them; found out once.
const Kernels &kernels() noexcept;

// Writes the vector of unit length with the direction of `in` to `out`, which
// has the same size and may be the same memory. False, with `out` undefined:
// the vector has no direction (all zeros) or a component that is no number.
[[nodiscard]] bool normalise(std::span<const float> in,
                             std::span<float> out) noexcept;

// Fills a row, of row_size(in.size()) bytes, and returns its scale; 0 where
// all components are zero. The components are finite.
float quantise(std::span<const float> in, std::span<std::int8_t> row) noexcept;

}  // namespace llm::vector
