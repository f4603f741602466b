#include <algorithm>

#include "cache/redis_reply.hpp"

namespace llm::cache::remote {

namespace {

constexpr std::size_t hex_digits = 2 * std::tuple_size_v<ZoneKey>;
constexpr std::size_t id_digits = 16;
constexpr std::string_view digits = "0123456789abcdef";

bool is_hex(std::string_view text, std::size_t size) noexcept {
    return text.size() == size
           && text.find_first_not_of(digits) == text.npos;
}

std::string hex_of(std::span<const std::uint8_t> bytes) {
    std::string out;
    out.reserve(2 * bytes.size());
    for (std::uint8_t byte : bytes) {
        out.push_back(digits[byte >> 4]);
        out.push_back(digits[byte & 0xf]);
    }
    return out;
}

// Takes what a text begins with off it.
bool take(std::string_view &text, std::string_view start) noexcept {
    if (!text.starts_with(start)) {
        return false;
    }
    text.remove_prefix(start.size());
    return true;
}

bool is_tag(std::string_view text) noexcept {
    return text.size() == hex_digits + 2 && text.front() == '{'
           && text.back() == '}'
           && is_hex(text.substr(1, hex_digits), hex_digits);
}

// "ID:" of any embedding.
bool take_id(std::string_view &text) noexcept {
    if (text.size() <= id_digits || text[id_digits] != ':'
        || !is_hex(text.substr(0, id_digits), id_digits))
    {
        return false;
    }
    text.remove_prefix(id_digits + 1);
    return true;
}

}  // namespace

std::string hex(const ZoneKey &key) { return hex_of(key); }

std::optional<ZoneKey> from_hex(std::string_view text) noexcept {
    if (!is_hex(text, hex_digits)) {
        return std::nullopt;
    }
    ZoneKey key;
    for (std::size_t i = 0; i < key.size(); ++i) {
        key[i] = static_cast<std::uint8_t>(digits.find(text[2 * i]) << 4
                                           | digits.find(text[2 * i + 1]));
    }
    return key;
}

Names::Names(std::string_view prefix,
             const std::array<std::uint8_t, 32> &identity)
    : prefix_(prefix),
      id_(hex_of(std::span(identity).first(id_digits / 2))) {}

std::string Names::entry(const ZoneKey &key) const {
    return prefix_ + "e:" + hex(key);
}

std::string Names::members(const ZoneKey &partition) const {
    return prefix_ + "p:{" + hex(partition) + '}';
}

std::string Names::hash(const ZoneKey &key) const {
    return hashes() + hex(key);
}

std::string Names::hashes() const { return prefix_ + "h:" + id_ + ':'; }

std::string Names::index() const { return prefix_ + "idx:" + id_; }

std::string Names::set(const ZoneKey &partition) const {
    return prefix_ + "v:" + id_ + ":{" + hex(partition) + '}';
}

std::string Names::stream() const { return prefix_ + 's'; }

std::string Names::epoch() const { return prefix_ + 'g'; }

std::optional<ZoneKey> Names::key_of_hash(std::string_view name)
    const noexcept {
    bool ours = take(name, prefix_) && take(name, "h:") && take(name, id_)
                && take(name, ":");
    return ours ? from_hex(name) : std::nullopt;
}

bool Names::is_content(std::string_view name) const noexcept {
    if (!take(name, prefix_)) {
        return false;
    }
    if (take(name, "e:")) {
        return is_hex(name, hex_digits);
    }
    if (take(name, "p:")) {
        return is_tag(name);
    }
    if (take(name, "h:")) {
        return take_id(name) && is_hex(name, hex_digits);
    }
    return take(name, "v:") && take_id(name) && is_tag(name);
}

}  // namespace llm::cache::remote
