// Small tables of embeddings in memory, as their files would be.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/hash.hpp"

namespace llm::testing {

struct TableRow {
    std::string piece;
    float scale = 1;
    std::vector<std::int8_t> vector;
};

class TableFile {
public:
    explicit TableFile(const std::vector<TableRow> &rows,
                       std::string_view name = "test") {
        auto dimensions = rows.front().vector.size();
        std::size_t stride = (dimensions + 31) / 32 * 32;
        std::string text;
        std::vector<std::uint32_t> offsets{0};
        for (const auto &row : rows) {
            text += row.piece;
            offsets.push_back(static_cast<std::uint32_t>(text.size()));
        }

        bytes_ = "LLMV\r\n\x1a\n";
        put<std::uint32_t>(1);
        put(static_cast<std::uint32_t>(rows.size()));
        put(static_cast<std::uint32_t>(dimensions));
        put(static_cast<std::uint32_t>(text.size()));
        bytes_ += name;
        bytes_.resize(64);
        for (auto offset : offsets) {
            put(offset);
        }
        bytes_ += text;
        bytes_.resize((bytes_.size() + 3) / 4 * 4);
        for (const auto &row : rows) {
            put(row.scale);
        }
        for (const auto &row : rows) {
            for (std::size_t i = 0; i < stride; i++) {
                bytes_.push_back(static_cast<char>(
                    i < dimensions ? row.vector[i] : 0));
            }
        }
        sign();
    }

    // Makes the checksum fit again after a change.
    void sign() {
        std::uint64_t sum =
            fnv1a(std::string_view(bytes_).substr(64),
                  fnv1a(std::string_view(bytes_).substr(0, 56)));
        std::memcpy(bytes_.data() + 56, &sum, sizeof(sum));
    }

    template <typename T>
    void set(std::size_t at, T value) {
        std::memcpy(bytes_.data() + at, &value, sizeof(value));
    }

    std::string &bytes() { return bytes_; }
    std::span<const std::byte> view() const {
        return std::as_bytes(std::span(bytes_));
    }

private:
    template <typename T>
    void put(T value) {
        bytes_.append(reinterpret_cast<const char *>(&value), sizeof(value));
    }

    std::string bytes_;
};

}  // namespace llm::testing
