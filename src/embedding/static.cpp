#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "llm/static_embedding.hpp"
#include "text/hash.hpp"

namespace llm::embedding {

namespace {

// The beginning of the file.
struct Header {
    char magic[8];
    std::uint32_t version;
    std::uint32_t rows;
    std::uint32_t dimensions;
    std::uint32_t text_bytes;
    char name[32];
    std::uint64_t checksum;
};
static_assert(sizeof(Header) == 64);

constexpr char magic[] = "LLMV\r\n\x1a\n";
constexpr std::uint32_t version = 1;
constexpr std::uint32_t max_rows = 1 << 24;
constexpr std::size_t row_unit = 32;

constexpr std::size_t round_up(std::size_t value, std::size_t unit) noexcept {
    return (value + unit - 1) / unit * unit;
}

// Where the parts of a file are, in bytes from its beginning.
struct Layout {
    explicit Layout(const Header &header) noexcept
        : stride(round_up(header.dimensions, row_unit)),
          text(sizeof(Header) + (header.rows + std::size_t{1}) * 4),
          scales(text + round_up(header.text_bytes, 4)),
          vectors(scales + std::size_t{header.rows} * 4),
          end(vectors + header.rows * stride) {}

    std::size_t stride;
    std::size_t text;
    std::size_t scales;
    std::size_t vectors;
    std::size_t end;
};

std::string_view characters(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

Result<void> check(const Header &header, std::span<const std::byte> file) {
    if (header.version != version) {
        return invalid_request("the table has version " +
                               std::to_string(header.version) + ", not " +
                               std::to_string(version));
    }
    if (header.rows < 2 || header.rows > max_rows) {
        return invalid_request("the table has " + std::to_string(header.rows) +
                               " rows, not 2 to " + std::to_string(max_rows));
    }
    if (header.dimensions < 1 ||
        header.dimensions > StaticTable::max_dimensions) {
        return invalid_request(
            "the table has " + std::to_string(header.dimensions) +
            " dimensions, not 1 to " +
            std::to_string(StaticTable::max_dimensions));
    }
    Layout layout(header);
    if (file.size() != layout.end) {
        return invalid_request("the table has " + std::to_string(file.size()) +
                               " bytes, but its header says " +
                               std::to_string(layout.end));
    }
    constexpr std::size_t at = offsetof(Header, checksum);
    if (fnv1a(characters(file.subspan(sizeof(Header))),
              fnv1a(characters(file.first(at)))) != header.checksum) {
        return invalid_request("the table is damaged: wrong checksum");
    }
    return {};
}

// splitmix64: numbers without a pattern from a counter.
std::uint64_t mix(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

}  // namespace

Result<StaticTable> StaticTable::open(std::span<const std::byte> file,
                                      Kernel kernel) {
    if constexpr (std::endian::native != std::endian::little) {
        return invalid_request("the table needs a little-endian processor");
    }
    if (reinterpret_cast<std::uintptr_t>(file.data()) % 4 != 0) {
        return invalid_request("the table is not aligned in memory");
    }
    if (file.size() < sizeof(Header) ||
        std::memcmp(file.data(), magic, sizeof(Header::magic)) != 0) {
        return invalid_request("not a table of embeddings");
    }

    Header header;
    std::memcpy(&header, file.data(), sizeof(header));
    if (auto checked = check(header, file); !checked) {
        return checked.error();
    }

    Layout layout(header);
    auto tokenizer = WordPiece::make(
        {{reinterpret_cast<const std::uint32_t *>(file.data() +
                                                  sizeof(Header)),
          header.rows + std::size_t{1}},
         characters(file.subspan(layout.text, header.text_bytes))});
    if (!tokenizer) {
        return tokenizer.error();
    }

    StaticTable table(std::move(*tokenizer));
    table.scales_ = {reinterpret_cast<const float *>(file.data() +
                                                     layout.scales),
                     header.rows};
    auto wrong = std::find_if_not(
        table.scales_.begin(), table.scales_.end(),
        [](float scale) { return std::isfinite(scale); });
    if (wrong != table.scales_.end()) {
        return invalid_request(
            "the scale of row " +
            std::to_string(wrong - table.scales_.begin()) +
            " is not a finite number");
    }
    table.vectors_ =
        reinterpret_cast<const std::int8_t *>(file.data() + layout.vectors);
    table.dimensions_ = header.dimensions;
    table.stride_ = layout.stride;
    table.checksum_ = header.checksum;
    table.add_row_ = kernel.add_row;
    table.name_ = characters(
        file.subspan(offsetof(Header, name), sizeof(Header::name)));
    table.name_ = table.name_.substr(0, table.name_.find('\0'));

    std::uint32_t unknown = table.tokenizer_.unknown();
    double squares = 0;
    for (std::size_t i = 0; i < table.stride_; i++) {
        double value = table.vectors_[unknown * table.stride_ + i];
        squares += value * value;
    }
    table.unknown_length_ = static_cast<float>(
        std::sqrt(squares) * std::fabs(table.scales_[unknown]));
    return table;
}

void StaticTable::add_unknown(float *sum, std::uint32_t word) const noexcept {
    // Each coordinate is plus or minus the same.
    const float step =
        unknown_length_ / std::sqrt(static_cast<float>(dimensions_));
    std::uint64_t signs = 0;
    for (std::size_t i = 0; i < dimensions_; i++) {
        if (i % 64 == 0) {
            signs = mix(std::uint64_t{word} << 32 | i);
        }
        sum[i] += signs & 1 ? step : -step;
        signs >>= 1;
    }
}

std::size_t StaticTable::embed(std::string_view text, std::span<float> out,
                               Scratch &scratch) const {
    scratch.tokens.clear();
    tokenizer_.encode(text, scratch.tokens);

    alignas(64) float sum[max_dimensions];
    std::fill_n(sum, stride_, 0.0F);
    for (const Token &token : scratch.tokens) {
        if (token.id == tokenizer_.unknown()) {
            add_unknown(sum, token.word);
        } else {
            add_row_(sum, vectors_ + token.id * stride_, scales_[token.id],
                     stride_);
        }
    }

    double squares = 0;
    for (std::size_t i = 0; i < dimensions_; i++) {
        squares += double{sum[i]} * sum[i];
    }
    // Too short, or so long that floats ran over: no direction to trust.
    const double length = std::sqrt(squares);
    const bool some = std::isfinite(length) && length > 1e-12;
    const auto factor = static_cast<float>(some ? 1 / length : 0);
    for (std::size_t i = 0; i < dimensions_; i++) {
        out[i] = some ? sum[i] * factor : 0;
    }
    return some ? scratch.tokens.size() : 0;
}

}  // namespace llm::embedding
