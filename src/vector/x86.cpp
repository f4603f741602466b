// AVX2 and AVX-512. The functions say themselves which instructions they
// use, so the file needs no options of the compiler and the rest of the
// library runs on any x86-64.
#include "forms.hpp"

#if defined(__x86_64__)

// Intrinsics that begin with an undefined register make g++ 12 warn of its
// own header once they are inlined.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#define LLM_AVX2 __attribute__((target("avx2,fma")))
#define LLM_AVX512 __attribute__((target("avx512f,avx512bw")))
#define LLM_AVX512_VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

namespace llm::vector {

namespace {

LLM_AVX2 std::int32_t sum_of(__m256i sums) noexcept {
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(sums),
                                _mm256_extracti128_si256(sums, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
    return _mm_cvtsi128_si32(sum);
}

LLM_AVX2 float sum_of(__m256 sums) noexcept {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(sums),
                            _mm256_extractf128_ps(sums, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    sum = _mm_add_ss(sum, _mm_movehdup_ps(sum));
    return _mm_cvtss_f32(sum);
}

// The instruction multiplies unsigned by signed bytes and adds pairs with
// saturation to 16 bits: |a| * sign(a) b is a * b, and two products of 127 by
// 127 still fit.
LLM_AVX2 std::int32_t dot_i8_avx2(const std::int8_t *a, const std::int8_t *b,
                                  std::size_t size) noexcept {
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sums = _mm256_setzero_si256();
    for (std::size_t i = 0; i < size; i += 32) {
        __m256i x = _mm256_loadu_si256(
            reinterpret_cast<const __m256i *>(a + i));
        __m256i y = _mm256_loadu_si256(
            reinterpret_cast<const __m256i *>(b + i));
        __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x),
                                             _mm256_sign_epi8(y, x));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, ones));
    }
    return sum_of(sums);
}

LLM_AVX2 float dot_f32_avx2(const float *a, const float *b,
                            std::size_t size) noexcept {
    __m256 first = _mm256_setzero_ps();
    __m256 second = _mm256_setzero_ps();
    std::size_t i = 0;
    for (; i + 16 <= size; i += 16) {
        first = _mm256_fmadd_ps(_mm256_loadu_ps(a + i),
                                _mm256_loadu_ps(b + i), first);
        second = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8),
                                 _mm256_loadu_ps(b + i + 8), second);
    }
    float sum = sum_of(_mm256_add_ps(first, second));
    for (; i < size; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

LLM_AVX512 std::int32_t dot_i8_avx512(const std::int8_t *a,
                                      const std::int8_t *b,
                                      std::size_t size) noexcept {
    __m512i sums = _mm512_setzero_si512();
    for (std::size_t i = 0; i < size; i += 32) {
        __m512i x = _mm512_cvtepi8_epi16(_mm256_loadu_si256(
            reinterpret_cast<const __m256i *>(a + i)));
        __m512i y = _mm512_cvtepi8_epi16(_mm256_loadu_si256(
            reinterpret_cast<const __m256i *>(b + i)));
        sums = _mm512_add_epi32(sums, _mm512_madd_epi16(x, y));
    }
    return _mm512_reduce_add_epi32(sums);
}

LLM_AVX512 float dot_f32_avx512(const float *a, const float *b,
                                std::size_t size) noexcept {
    __m512 first = _mm512_setzero_ps();
    __m512 second = _mm512_setzero_ps();
    std::size_t i = 0;
    for (; i + 32 <= size; i += 32) {
        first = _mm512_fmadd_ps(_mm512_loadu_ps(a + i),
                                _mm512_loadu_ps(b + i), first);
        second = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16),
                                 _mm512_loadu_ps(b + i + 16), second);
    }
    for (; i < size; i += 16) {
        auto mask = static_cast<__mmask16>(
            size - i >= 16 ? 0xFFFF : (1u << (size - i)) - 1);
        first = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, a + i),
                                _mm512_maskz_loadu_ps(mask, b + i), first);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(first, second));
}

// Unsigned by signed once more, here without saturation: (a + 128) b, less
// 128 b.
LLM_AVX512_VNNI std::int32_t dot_i8_vnni(const std::int8_t *a,
                                         const std::int8_t *b,
                                         std::size_t size) noexcept {
    const __m512i top = _mm512_set1_epi8(-128);
    __m512i sums = _mm512_setzero_si512();
    __m512i excess = _mm512_setzero_si512();
    for (std::size_t i = 0; i < size; i += 64) {
        __m512i x = _mm512_loadu_si512(a + i);
        __m512i y = _mm512_loadu_si512(b + i);
        sums = _mm512_dpbusd_epi32(sums, _mm512_xor_si512(x, top), y);
        excess = _mm512_dpbusd_epi32(excess, top, y);
    }
    return _mm512_reduce_add_epi32(_mm512_sub_epi32(sums, excess));
}

}  // namespace

constinit const Kernels avx2_kernels = {"avx2", dot_i8_avx2, dot_f32_avx2};
constinit const Kernels avx512_kernels = {"avx512", dot_i8_avx512,
                                          dot_f32_avx512};
constinit const Kernels avx512_vnni_kernels = {"avx512-vnni", dot_i8_vnni,
                                               dot_f32_avx512};

}  // namespace llm::vector

#endif
