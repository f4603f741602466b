#include "text/base64.hpp"

#include <array>
#include <cstdint>

namespace llm::base64 {

namespace {

constexpr std::uint8_t invalid = 0xFF;

constexpr std::array<std::uint8_t, 256> make_values() {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::array<std::uint8_t, 256> values{};
    values.fill(invalid);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        values[static_cast<unsigned char>(alphabet[i])] =
            static_cast<std::uint8_t>(i);
    }
    return values;
}

constexpr auto values = make_values();

}  // namespace

std::optional<std::string> decode(std::string_view text) {
    while (!text.empty() && (text.back() == '=' || text.back() == '\n'
                             || text.back() == '\r')) {
        text.remove_suffix(1);
    }

    std::string out;
    out.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    int held = 0;

    for (char c : text) {
        if (c == '\n' || c == '\r') {
            continue;
        }
        std::uint8_t value = values[static_cast<unsigned char>(c)];
        if (value == invalid) {
            return std::nullopt;
        }
        bits = bits << 6 | value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out.push_back(static_cast<char>(bits >> held & 0xFF));
        }
    }

    // Six bits left over are no byte.
    if (held == 6) {
        return std::nullopt;
    }
    return out;
}

}  // namespace llm::base64
