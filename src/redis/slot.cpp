#include <array>

#include "llm/redis.hpp"

namespace llm::redis {

namespace {

// CRC-16/XMODEM: polynomial 0x1021, nothing reflected, starts with 0.
constexpr std::array<std::uint16_t, 256> make_table() noexcept {
    std::array<std::uint16_t, 256> table{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        unsigned crc = byte << 8;
        for (int bit = 0; bit < 8; ++bit) {
            crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
        }
        table[byte] = static_cast<std::uint16_t>(crc);
    }
    return table;
}

constexpr auto table = make_table();

std::string_view hashed_part(std::string_view key) noexcept {
    auto open = key.find('{');
    if (open == key.npos) {
        return key;
    }
    auto close = key.find('}', open + 1);
    if (close == key.npos || close == open + 1) {
        return key;
    }
    return key.substr(open + 1, close - open - 1);
}

}  // namespace

unsigned key_slot(std::string_view key) noexcept {
    unsigned crc = 0;
    for (unsigned char byte : hashed_part(key)) {
        crc = (crc << 8 & 0xffff) ^ table[crc >> 8 ^ byte];
    }
    return crc % slot_count;
}

}  // namespace llm::redis
