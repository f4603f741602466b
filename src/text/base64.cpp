#include "text/base64.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace llm::base64 {

namespace {

constexpr std::uint8_t invalid = 0xFF;

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::uint8_t, 256> make_values() {
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

std::string encode(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::size_t count = std::min<std::size_t>(bytes.size() - at, 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            bits = bits << 8
                   | (i < count ? static_cast<std::uint8_t>(bytes[at + i]) : 0);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            out.push_back(i <= count ? alphabet[bits >> (18 - 6 * i) & 63]
                                     : '=');
        }
    }
    return out;
}

}  // namespace llm::base64
