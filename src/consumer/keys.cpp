#include <algorithm>
#include <bit>
#include <cstring>

#include "cache/sha256.hpp"
#include "llm/consumer.hpp"
#include "llm/limit_spec.hpp"
#include "llm/time_zone.hpp"
#include "llm/utf8.hpp"

namespace llm {

namespace {

constexpr std::string_view blank = " \t\r";
constexpr std::size_t longest_line = 64 * 1024;
constexpr std::size_t longest_name = 128;

std::string quoted(std::string_view text) {
    constexpr std::size_t most = 60;
    std::string out = "\"";
    out += text.substr(0, most);
    out += text.size() > most ? "...\"" : "\"";
    return out;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool is_word_character(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || c == '_';
}

bool has_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
}

// A name goes into variables, headers and logs.
bool is_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= longest_name && !has_control(text)
           && text.find_first_of(" \"\\") == std::string_view::npos;
}

int hex_digit(char c) noexcept {
    if (is_digit(c)) {
        return c - '0';
    }
    c = static_cast<char>(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool read_digest(std::string_view text, KeyDigest &digest) noexcept {
    if (text.size() != 2 * digest.size()) {
        return false;
    }
    for (std::size_t i = 0; i < digest.size(); ++i) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        digest[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return true;
}

void skip_blank(std::string_view &line) noexcept {
    line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
}

// Digits where the form has 0, else the same characters.
bool has_form(std::string_view text, std::string_view form) noexcept {
    return std::equal(text.begin(), text.end(), form.begin(), form.end(),
                      [](char c, char wanted) {
                          return wanted == '0' ? is_digit(c) : c == wanted;
                      });
}

int number_at(std::string_view text, std::size_t at, std::size_t size) {
    int value = 0;
    for (char c : text.substr(at, size)) {
        value = value * 10 + (c - '0');
    }
    return value;
}

// 0: not a time.
std::int64_t read_time(std::string_view text) noexcept {
    bool whole_day = has_form(text, "0000-00-00");
    if (!whole_day && !has_form(text, "0000-00-00T00:00:00Z")) {
        return 0;
    }
    Date date{number_at(text, 0, 4), number_at(text, 5, 2),
              number_at(text, 8, 2)};
    constexpr std::int64_t day = 86400;
    if (date.month < 1 || date.month > 12 || date.day < 1
        || date_of(days_of(date)) != date || date.year <= 1970)
    {
        return 0;
    }
    if (whole_day) {
        return (days_of(date) + 1) * day;
    }
    int hour = number_at(text, 11, 2);
    int minute = number_at(text, 14, 2);
    int second = number_at(text, 17, 2);
    if (hour > 23 || minute > 59 || second > 59) {
        return 0;
    }
    return days_of(date) * day + hour * 3600 + minute * 60 + second;
}

Error bad_parameter(std::string_view name, std::string_view value,
                    std::string_view why) {
    return invalid_request("invalid " + std::string(name) + " "
                               + quoted(value) + ": " + std::string(why),
                           std::string(name));
}

Error duplicate(std::string_view name) {
    return invalid_request("duplicate parameter " + quoted(name),
                           std::string(name));
}

Result<void> set_group(Consumer &consumer, std::string_view name,
                       std::string_view value) {
    if (!consumer.group.empty()) {
        return duplicate(name);
    }
    if (!is_name(value)) {
        return bad_parameter(name, value, "must be a name");
    }
    consumer.group = value;
    return {};
}

Result<void> set_expires(Consumer &consumer, std::string_view name,
                         std::string_view value) {
    if (consumer.expires != 0) {
        return duplicate(name);
    }
    consumer.expires = read_time(value);
    if (consumer.expires == 0) {
        return bad_parameter(name, value,
                             "must be like 2027-06-30 or "
                             "2027-06-30T12:00:00Z");
    }
    return {};
}

Result<void> set_patterns(std::vector<std::string> &patterns,
                          std::string_view name, std::string_view value) {
    if (!patterns.empty()) {
        return duplicate(name);
    }
    std::string_view rest = value;
    for (;;) {
        std::size_t comma = rest.find(',');
        // "a, b" in quotes, or in Redis: no model begins with a blank.
        auto pattern = rest.substr(0, comma);
        skip_blank(pattern);
        pattern = pattern.substr(0, pattern.find_last_not_of(blank) + 1);
        if (pattern.empty()) {
            return bad_parameter(name, value, "has an empty pattern");
        }
        patterns.emplace_back(pattern);
        if (comma == std::string_view::npos) {
            return {};
        }
        rest.remove_prefix(comma + 1);
    }
}

Result<void> set_models(Consumer &consumer, std::string_view name,
                        std::string_view value) {
    return set_patterns(consumer.models, name, value);
}

Result<void> set_denied(Consumer &consumer, std::string_view name,
                        std::string_view value) {
    return set_patterns(consumer.denied_models, name, value);
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

const std::string *find_pair(const Pairs &pairs,
                             std::string_view name) noexcept {
    for (const auto &pair : pairs) {
        if (pair.first == name) {
            return &pair.second;
        }
    }
    return nullptr;
}

Result<void> add_rate(Consumer &consumer, std::string_view name,
                      std::string_view zone, std::string_view value) {
    if (find_pair(consumer.rates, zone) != nullptr) {
        return duplicate(name);
    }
    if (auto rate = limit::parse_rate(value); !rate) {
        return rate.error();
    }
    consumer.rates.emplace_back(zone, value);
    return {};
}

struct ParameterRow {
    std::string_view name;
    Result<void> (*set)(Consumer &, std::string_view, std::string_view);
};

constexpr ParameterRow parameters[] = {
    {"group", set_group},
    {"expires", set_expires},
    {"models", set_models},
    {"deny_models", set_denied},
};

std::string_view next_word(std::string_view &line) noexcept {
    skip_blank(line);
    auto word = line.substr(0, line.find_first_of(blank));
    line.remove_prefix(word.size());
    return word;
}

// A value up to white space, or one in quotes. False: its end is missing, or
// something follows it.
bool read_value(std::string_view &line, std::string &value) {
    value.clear();
    if (line.empty() || line[0] != '"') {
        value = next_word(line);
        return value.find('"') == std::string::npos;
    }
    std::size_t i = 1;
    while (i < line.size() && line[i] != '"') {
        if (line[i] == '\\') {
            ++i;
            if (i == line.size() || (line[i] != '"' && line[i] != '\\')) {
                return false;
            }
        }
        value.push_back(line[i++]);
    }
    if (i == line.size()) {
        return false;
    }
    line.remove_prefix(i + 1);
    return line.empty() || blank.find(line[0]) != std::string_view::npos;
}

Result<void> read_line(std::string_view line, Consumer &consumer) {
    if (line.size() > longest_line) {
        return invalid_request("is too long");
    }
    if (!utf8::is_valid(line)) {
        return invalid_request("is not UTF-8");
    }
    auto name = next_word(line);
    if (!is_name(name)) {
        return invalid_request("invalid name " + quoted(name));
    }
    consumer.name = name;
    auto digest = next_word(line);
    if (!read_digest(digest, consumer.digest)) {
        // Neither is quoted: one may be the key itself, put there by mistake.
        return invalid_request("no SHA-256 of 64 hexadecimal digits after the "
                               "name");
    }
    std::string value;
    for (skip_blank(line); !line.empty(); skip_blank(line)) {
        if (line[0] == '#') {
            return {};
        }
        std::size_t end = line.find_first_of(" \t\r=\"");
        if (end == std::string_view::npos || line[end] != '=') {
            return invalid_request("no value in "
                                   + quoted(line.substr(0, end)));
        }
        auto parameter = line.substr(0, end);
        line.remove_prefix(end + 1);
        if (!read_value(line, value)) {
            return invalid_request("quotes are wrong in the value of "
                                   + quoted(parameter));
        }
        if (auto set = set_parameter(consumer, parameter, value); !set) {
            return set;
        }
    }
    return {};
}

}  // namespace

KeyDigest digest_of_key(std::string_view key) {
    cache::Sha256 hash;
    hash.update(key);
    auto digest = hash.finish();
    KeyDigest out;
    std::copy(digest.bytes.begin(), digest.bytes.end(), out.begin());
    return out;
}

bool equal_in_constant_time(const KeyDigest &a, const KeyDigest &b) noexcept {
    // volatile: or the compiler could leave the loop early.
    volatile std::uint8_t different = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        different = static_cast<std::uint8_t>(different | (a[i] ^ b[i]));
    }
    return different == 0;
}

std::string_view Consumer::rate_of(std::string_view zone) const noexcept {
    const auto *found = find_pair(rates, zone);
    if (found == nullptr) {
        found = find_pair(rates, {});
    }
    return found != nullptr ? std::string_view(*found) : std::string_view();
}

std::string_view Consumer::meta(std::string_view name) const noexcept {
    const auto *found = find_pair(metadata, name);
    return found != nullptr ? std::string_view(*found) : std::string_view();
}

bool Consumer::may_use(std::string_view model) const noexcept {
    return is_model_allowed(models, denied_models, model);
}

Result<void> set_parameter(Consumer &consumer, std::string_view name,
                           std::string_view value) {
    constexpr std::string_view rate = "rate.";
    constexpr std::string_view meta = "meta.";

    if (value.empty()) {
        return invalid_request("no value in " + quoted(name),
                               std::string(name));
    }
    if (has_control(value)) {
        return bad_parameter(name, value, "has a control character");
    }
    for (const auto &row : parameters) {
        if (row.name == name) {
            return row.set(consumer, name, value);
        }
    }
    if (name == "rate") {
        return add_rate(consumer, name, {}, value);
    }
    if (name.starts_with(rate) && is_name(name.substr(rate.size()))) {
        return add_rate(consumer, name, name.substr(rate.size()), value);
    }
    if (name.starts_with(meta) && name.size() > meta.size()
        && std::all_of(name.begin() + meta.size(), name.end(),
                       is_word_character))
    {
        auto key = name.substr(meta.size());
        if (find_pair(consumer.metadata, key) != nullptr) {
            return duplicate(name);
        }
        consumer.metadata.emplace_back(key, value);
        return {};
    }
    return invalid_request("unknown parameter " + quoted(name),
                           std::string(name));
}

Result<Consumer> consumer_of_fields(
    const KeyDigest &digest, std::span<const std::string_view> fields) {
    Consumer consumer;
    consumer.digest = digest;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        if (!utf8::is_valid(fields[i]) || !utf8::is_valid(fields[i + 1])) {
            return invalid_request("is not UTF-8");
        }
        if (fields[i] != "name") {
            auto set = set_parameter(consumer, fields[i], fields[i + 1]);
            if (!set) {
                return set.error();
            }
        } else if (is_name(fields[i + 1])) {
            consumer.name = fields[i + 1];
        } else {
            return invalid_request("invalid name " + quoted(fields[i + 1]));
        }
    }
    if (consumer.name.empty()) {
        return invalid_request("has no field \"name\"");
    }
    return consumer;
}

Result<ConsumerKeys> ConsumerKeys::parse(std::string_view text) {
    ConsumerKeysReader reader(text);
    if (auto read = reader.read(SIZE_MAX); !read) {
        return read.error();
    }
    return reader.take();
}

ConsumerKeysReader::ConsumerKeysReader(std::string_view text) : rest_(text) {
    // No more keys than lines, nor than fit in with their digests.
    std::size_t shortest_line = sizeof("a ") + 2 * sizeof(KeyDigest);
    std::size_t most = std::min<std::size_t>(
        static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'))
            + 1,
        text.size() / shortest_line + 1);
    keys_.consumers_.reserve(most);
    lines_.reserve(most);
    // Half of the places stay free: no search is long, and all of them end.
    keys_.places_.resize(std::bit_ceil(2 * most + 2));
}

Result<void> ConsumerKeysReader::read(std::size_t lines) {
    for (; lines != 0 && !rest_.empty(); --lines) {
        auto line = rest_.substr(0, rest_.find('\n'));
        rest_.remove_prefix(std::min(line.size() + 1, rest_.size()));
        ++number_;
        if (auto read = read_one(line); !read) {
            return invalid_request("line " + std::to_string(number_) + ": "
                                       + read.error().message,
                                   read.error().param);
        }
    }
    return {};
}

Result<void> ConsumerKeysReader::read_one(std::string_view line) {
    skip_blank(line);
    if (line.empty() || line[0] == '#') {
        return {};
    }
    Consumer consumer;
    if (auto read = read_line(line, consumer); !read) {
        return read;
    }
    auto &place = keys_.places_[keys_.place_of(consumer.digest)];
    if (place != 0) {
        return invalid_request("the key of line "
                               + std::to_string(lines_[place - 1])
                               + " again");
    }
    keys_.consumers_.push_back(std::move(consumer));
    lines_.push_back(number_);
    place = static_cast<std::uint32_t>(keys_.consumers_.size());
    return {};
}

// Where it is, or where it would be.
std::size_t ConsumerKeys::place_of(const KeyDigest &digest) const noexcept {
    std::uint64_t word;
    std::memcpy(&word, digest.data(), sizeof(word));
    std::size_t place = word & (places_.size() - 1);
    while (places_[place] != 0
           && !equal_in_constant_time(consumers_[places_[place] - 1].digest,
                                      digest))
    {
        place = (place + 1) & (places_.size() - 1);
    }
    return place;
}

const Consumer *ConsumerKeys::find(const KeyDigest &digest) const noexcept {
    if (places_.empty()) {
        return nullptr;
    }
    auto found = places_[place_of(digest)];
    return found != 0 ? &consumers_[found - 1] : nullptr;
}

}  // namespace llm
