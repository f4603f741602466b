#include "forms.hpp"

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace llm::vector {

namespace {

struct Usable {
    static constexpr std::size_t most = 4;

    Usable() noexcept {
        add(plain_kernels);
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
            add(avx2_kernels);
        }
        if (__builtin_cpu_supports("avx512f")
            && __builtin_cpu_supports("avx512bw"))
        {
            add(avx512_kernels);
            if (__builtin_cpu_supports("avx512vnni")) {
                add(avx512_vnni_kernels);
            }
        }
#elif defined(__aarch64__)
        add(neon_kernels);
#if defined(LLM_NEON_DOTPROD) && defined(__linux__)
        if ((getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0) {
            add(neon_dotprod_kernels);
        }
#endif
#endif
    }

    void add(const Kernels &kernels) noexcept { forms[count++] = kernels; }

    Kernels forms[most] = {};
    std::size_t count = 0;
};

}  // namespace

std::span<const Kernels> usable_kernels() noexcept {
    static const Usable usable;
    return {usable.forms, usable.count};
}

const Kernels &kernels() noexcept {
    return usable_kernels().back();
}

}  // namespace llm::vector
