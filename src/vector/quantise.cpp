#include <algorithm>
#include <cmath>

#include "llm/vector.hpp"

namespace llm::vector {

bool normalise(std::span<const float> in, std::span<float> out) noexcept {
    // In double, where the square of any float is finite.
    double square = 0;
    for (float x : in) {
        square += static_cast<double>(x) * x;
    }
    if (!(square > 0) || !std::isfinite(square)) {
        return false;
    }
    double factor = 1 / std::sqrt(square);
    for (std::size_t i = 0; i < in.size(); ++i) {
        out[i] = static_cast<float>(in[i] * factor);
    }
    return true;
}

float quantise(std::span<const float> in,
               std::span<std::int8_t> row) noexcept {
    float largest = 0;
    for (float x : in) {
        largest = std::max(largest, std::fabs(x));
    }
    std::fill(row.begin() + static_cast<std::ptrdiff_t>(in.size()), row.end(),
              std::int8_t{0});
    float scale = largest / 127;
    if (scale == 0) {
        std::fill(row.begin(), row.end(), std::int8_t{0});
        return 0;
    }
    for (std::size_t i = 0; i < in.size(); ++i) {
        // To the nearest, without a call for each. A scale among the denormal
        // numbers is itself rounded, hence the bounds.
        float steps = std::clamp(in[i] / scale, -127.0f, 127.0f);
        row[i] = static_cast<std::int8_t>(steps + std::copysign(0.5f, steps));
    }
    return scale;
}

}  // namespace llm::vector
