#include <cstring>

#include "llm/consumer.hpp"

namespace llm {

std::string pack_fields(std::span<const std::string_view> fields) {
    std::string packed;
    for (auto field : fields) {
        auto size = static_cast<std::uint32_t>(field.size());
        packed.append(reinterpret_cast<const char *>(&size), sizeof(size));
        packed += field;
    }
    return packed;
}

std::vector<std::string_view> unpack_fields(std::string_view packed) {
    std::vector<std::string_view> fields;
    while (!packed.empty()) {
        std::uint32_t size = 0;
        if (packed.size() < sizeof(size)) {
            return {};
        }
        std::memcpy(&size, packed.data(), sizeof(size));
        packed.remove_prefix(sizeof(size));
        if (packed.size() < size) {
            return {};
        }
        fields.push_back(packed.substr(0, size));
        packed.remove_prefix(size);
    }
    return fields;
}

std::string to_hex(const KeyDigest &digest) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (auto byte : digest) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace llm
