// The forms of the products that this build has; each may only be called
// where the processor can run it.
#pragma once

#include "llm/vector.hpp"

namespace llm::vector {

extern const Kernels plain_kernels;

#if defined(__x86_64__)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
extern const Kernels avx512_vnni_kernels;
#elif defined(__aarch64__)
extern const Kernels neon_kernels;
// Before version 16, clang knows the instructions only if the whole build may
// use them.
#if defined(__ARM_FEATURE_DOTPROD) || !defined(__clang__) \
    || __clang_major__ >= 16
#define LLM_NEON_DOTPROD 1
extern const Kernels neon_dotprod_kernels;
#endif
#endif

}  // namespace llm::vector
