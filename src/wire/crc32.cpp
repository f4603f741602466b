#include "wire/crc32.hpp"

#include <array>
#include <cstddef>

namespace llm::wire {

namespace {

constexpr std::uint32_t polynomial = 0xEDB88320;    // reflected
constexpr std::size_t slices = 8;

using Table = std::array<std::array<std::uint32_t, 256>, slices>;

// Row 0 takes one byte further; row n does that and n zero bytes more, so that
// eight bytes are looked up at once and not one after the other.
constexpr Table make_table() {
    Table table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) {
            crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
        }
        table[0][byte] = crc;
    }
    for (std::size_t n = 1; n < slices; ++n) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            std::uint32_t crc = table[n - 1][byte];
            table[n][byte] = crc >> 8 ^ table[0][crc & 0xFF];
        }
    }
    return table;
}

constexpr Table table = make_table();

std::uint32_t byte_at(std::string_view bytes, std::size_t i) noexcept {
    return static_cast<unsigned char>(bytes[i]);
}

}  // namespace

std::uint32_t crc32(std::string_view bytes, std::uint32_t before) noexcept {
    std::uint32_t crc = ~before;
    for (; bytes.size() >= slices; bytes.remove_prefix(slices)) {
        crc ^= byte_at(bytes, 0) | byte_at(bytes, 1) << 8
               | byte_at(bytes, 2) << 16 | byte_at(bytes, 3) << 24;
        crc = table[7][crc & 0xFF] ^ table[6][crc >> 8 & 0xFF]
              ^ table[5][crc >> 16 & 0xFF] ^ table[4][crc >> 24]
              ^ table[3][byte_at(bytes, 4)] ^ table[2][byte_at(bytes, 5)]
              ^ table[1][byte_at(bytes, 6)] ^ table[0][byte_at(bytes, 7)];
    }
    for (char c : bytes) {
        crc = crc >> 8 ^ table[0][(crc ^ static_cast<unsigned char>(c)) & 0xFF];
    }
    return ~crc;
}

}  // namespace llm::wire
