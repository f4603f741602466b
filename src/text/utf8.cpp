#include "llm/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace llm::utf8 {

namespace {

// Bytes of the sequence that starts at p, or 0 where none is valid there.
// The ranges are the table in RFC 3629, section 4.
std::size_t sequence(const unsigned char *p, std::size_t left) noexcept {
    auto tail = [&](std::size_t i) { return (p[i] & 0xC0) == 0x80; };

    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] >= 0xC2 && p[0] <= 0xDF) {
        return left >= 2 && tail(1) ? 2 : 0;
    }
    if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        if (left < 3 || !tail(1) || !tail(2)) {
            return 0;
        }
        bool overlong = p[0] == 0xE0 && p[1] < 0xA0;
        bool surrogate = p[0] == 0xED && p[1] > 0x9F;
        return overlong || surrogate ? 0 : 3;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        if (left < 4 || !tail(1) || !tail(2) || !tail(3)) {
            return 0;
        }
        bool overlong = p[0] == 0xF0 && p[1] < 0x90;
        bool too_large = p[0] == 0xF4 && p[1] > 0x8F;
        return overlong || too_large ? 0 : 4;
    }
    return 0;
}

}  // namespace

std::size_t valid_prefix(std::string_view text) noexcept {
    auto p = reinterpret_cast<const unsigned char *>(text.data());
    std::size_t i = 0;
    const std::size_t n = text.size();

    while (i < n) {
        // Most text is ASCII: eight bytes at a time.
        while (n - i >= 8) {
            std::uint64_t word;
            std::memcpy(&word, p + i, 8);
            if (word & 0x8080808080808080U) {
                break;
            }
            i += 8;
        }
        if (i == n) {
            break;
        }
        std::size_t size = sequence(p + i, n - i);
        if (size == 0) {
            break;
        }
        i += size;
    }

    return i;
}

}  // namespace llm::utf8
