#include "forms.hpp"

namespace llm::vector {

namespace {

std::int32_t dot_i8(const std::int8_t *a, const std::int8_t *b,
                    std::size_t size) noexcept {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < size; ++i) {
        sum += static_cast<std::int32_t>(a[i]) * b[i];
    }
    return sum;
}

float dot_f32(const float *a, const float *b, std::size_t size) noexcept {
    // Four sums: shorter chains of additions, and smaller errors of rounding.
    float sums[4] = {};
    std::size_t i = 0;
    for (; i + 4 <= size; i += 4) {
        for (std::size_t j = 0; j < 4; ++j) {
            sums[j] += a[i + j] * b[i + j];
        }
    }
    for (; i < size; ++i) {
        sums[0] += a[i] * b[i];
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

constinit const Kernels plain_kernels = {"plain", dot_i8, dot_f32};

}  // namespace llm::vector
