// CRC-32 as IEEE 802.3 defines it (zlib's crc32, ISO 3309).
#pragma once

#include <cstdint>
#include <string_view>

namespace llm::wire {

// `before`: the CRC of the bytes that come before these.
std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace llm::wire
