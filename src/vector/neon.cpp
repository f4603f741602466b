// NEON is part of every 64-bit ARM; the dot products of ARMv8.2 are not.
#include "forms.hpp"

#if defined(__aarch64__)

#include <arm_neon.h>

#if defined(__clang__)
#define LLM_DOTPROD __attribute__((target("dotprod")))
#else
#define LLM_DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))
#endif

namespace llm::vector {

namespace {

std::int32_t dot_i8_neon(const std::int8_t *a, const std::int8_t *b,
                         std::size_t size) noexcept {
    int32x4_t sums = vdupq_n_s32(0);
    for (std::size_t i = 0; i < size; i += 16) {
        int8x16_t x = vld1q_s8(a + i);
        int8x16_t y = vld1q_s8(b + i);
        // Two products of 127 by 127 fit into 16 bits.
        int16x8_t pairs = vmull_s8(vget_low_s8(x), vget_low_s8(y));
        pairs = vmlal_s8(pairs, vget_high_s8(x), vget_high_s8(y));
        sums = vpadalq_s16(sums, pairs);
    }
    return vaddvq_s32(sums);
}

#if defined(LLM_NEON_DOTPROD)
LLM_DOTPROD std::int32_t dot_i8_dotprod(const std::int8_t *a,
                                        const std::int8_t *b,
                                        std::size_t size) noexcept {
    int32x4_t first = vdupq_n_s32(0);
    int32x4_t second = vdupq_n_s32(0);
    for (std::size_t i = 0; i < size; i += 32) {
        first = vdotq_s32(first, vld1q_s8(a + i), vld1q_s8(b + i));
        second = vdotq_s32(second, vld1q_s8(a + i + 16),
                           vld1q_s8(b + i + 16));
    }
    return vaddvq_s32(vaddq_s32(first, second));
}
#endif

float dot_f32_neon(const float *a, const float *b,
                   std::size_t size) noexcept {
    float32x4_t first = vdupq_n_f32(0);
    float32x4_t second = vdupq_n_f32(0);
    std::size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        first = vfmaq_f32(first, vld1q_f32(a + i), vld1q_f32(b + i));
        second = vfmaq_f32(second, vld1q_f32(a + i + 4),
                           vld1q_f32(b + i + 4));
    }
    float sum = vaddvq_f32(vaddq_f32(first, second));
    for (; i < size; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

}  // namespace

constinit const Kernels neon_kernels = {"neon", dot_i8_neon, dot_f32_neon};
#if defined(LLM_NEON_DOTPROD)
constinit const Kernels neon_dotprod_kernels = {"neon-dotprod",
                                                dot_i8_dotprod, dot_f32_neon};
#endif

}  // namespace llm::vector

#endif
