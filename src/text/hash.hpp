// FNV-1a, 64 bits (draft-eastlake-fnv): for ids and the like, where nobody
// gains by a collision.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llm {

inline constexpr std::uint64_t fnv1a_basis = 0xcbf29ce484222325;

// `hash` of what came before, to hash a text in pieces.
constexpr std::uint64_t fnv1a(std::string_view text,
                              std::uint64_t hash = fnv1a_basis) noexcept {
    constexpr std::uint64_t prime = 0x100000001b3;
    for (char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * prime;
    }
    return hash;
}

// Appends 16 hexadecimal digits.
inline void append_hex(std::string &out, std::uint64_t value) {
    for (int shift = 60; shift >= 0; shift -= 4) {
        out.push_back("0123456789abcdef"[value >> shift & 0xF]);
    }
}

}  // namespace llm
