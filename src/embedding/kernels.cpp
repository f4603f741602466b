#include "llm/static_embedding.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace llm::embedding {

namespace {

void add_row_plain(float *sum, const std::int8_t *row, float scale,
                   std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; i++) {
        sum[i] += scale * static_cast<float>(row[i]);
    }
}

#if defined(__x86_64__)

__attribute__((target("avx2,fma")))
void add_row_avx2(float *sum, const std::int8_t *row, float scale,
                  std::size_t count) noexcept {
    const __m256 factor = _mm256_set1_ps(scale);
    for (std::size_t i = 0; i < count; i += 8) {
        __m128i bytes = _mm_loadl_epi64(
            reinterpret_cast<const __m128i *>(row + i));
        __m256 values = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
        _mm256_storeu_ps(
            sum + i,
            _mm256_fmadd_ps(factor, values, _mm256_loadu_ps(sum + i)));
    }
}

#elif defined(__aarch64__)

void add_row_neon(float *sum, const std::int8_t *row, float scale,
                  std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; i += 8) {
        int16x8_t words = vmovl_s8(vld1_s8(row + i));
        float32x4_t low = vcvtq_f32_s32(vmovl_s16(vget_low_s16(words)));
        float32x4_t high = vcvtq_f32_s32(vmovl_s16(vget_high_s16(words)));
        vst1q_f32(sum + i, vfmaq_n_f32(vld1q_f32(sum + i), low, scale));
        vst1q_f32(sum + i + 4,
                  vfmaq_n_f32(vld1q_f32(sum + i + 4), high, scale));
    }
}

#endif

constexpr Kernel all[] = {
    {"plain", add_row_plain},
#if defined(__x86_64__)
    {"avx2", add_row_avx2},
#elif defined(__aarch64__)
    {"neon", add_row_neon},     // part of the architecture
#endif
};

}  // namespace

std::span<const Kernel> kernels() noexcept {
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        return std::span(all).first(1);
    }
#endif
    return all;
}

}  // namespace llm::embedding
