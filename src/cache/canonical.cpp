#include "cache/canonical.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace llm::cache {

void Canonical::count(std::uint64_t number) {
    char bytes[8];
    for (char &byte : bytes) {
        byte = static_cast<char>(number & 0xFF);
        number >>= 8;
    }
    hash_.update({bytes, sizeof(bytes)});
}

void Canonical::text(std::string_view text) {
    count(text.size());
    hash_.update(text);
}

// JSON's grammar: -?digits[.digits][e[+-]digits]. The value is compared, not
// a double made of it: digits that a double cannot hold count.
void Canonical::number(std::string_view raw) {
    bool negative = raw.starts_with('-');
    std::string_view mantissa = raw.substr(negative ? 1 : 0);
    std::int64_t exponent = 0;

    if (auto e = mantissa.find_first_of("eE"); e != std::string_view::npos) {
        std::string_view power = mantissa.substr(e + 1);
        power.remove_prefix(power.starts_with('+') ? 1 : 0);
        const char *end = power.data() + power.size();
        auto outcome = std::from_chars(power.data(), end, exponent);
        // So large that the points below could overflow: as it is written.
        constexpr std::int64_t most = std::int64_t{1} << 60;
        if (outcome.ec != std::errc() || exponent > most || exponent < -most) {
            tag('N');
            text(raw);
            return;
        }
        mantissa = mantissa.substr(0, e);
    }

    std::pmr::vector<char> digits(memory_);
    digits.reserve(mantissa.size());
    bool fraction = false;
    for (char c : mantissa) {
        if (c == '.') {
            fraction = true;
            continue;
        }
        exponent -= fraction ? 1 : 0;
        if (c != '0' || !digits.empty()) {
            digits.push_back(c);
        }
    }
    while (!digits.empty() && digits.back() == '0') {
        digits.pop_back();
        ++exponent;
    }
    if (digits.empty()) {
        negative = false;
        exponent = 0;
    }

    tag('n');
    tag(negative ? '-' : '+');
    text({digits.data(), digits.size()});
    count(static_cast<std::uint64_t>(exponent));
}

void Canonical::members(std::span<json::Member> members) {
    // Stable: of a name that is there twice the first one stays the first.
    std::stable_sort(members.begin(), members.end(),
                     [](const json::Member &a, const json::Member &b) {
                         return a.name < b.name;
                     });
    tag('o');
    count(members.size());
    for (const json::Member &member : members) {
        text(member.name);
        json(member.value);
    }
}

// The parser has bounded the depth.
void Canonical::json(json::Value value) {
    switch (value.kind()) {
    case json::Kind::null:
        tag('z');
        break;
    case json::Kind::boolean:
        tag(value.boolean() ? 't' : 'f');
        break;
    case json::Kind::number:
        number(value.raw());
        break;
    case json::Kind::string:
        tag('s');
        text(value.string());
        break;
    case json::Kind::array:
        tag('a');
        count(value.size());
        for (json::Value element : value.elements()) {
            json(element);
        }
        break;
    case json::Kind::object: {
        std::pmr::vector<json::Member> all(memory_);
        all.reserve(value.size());
        for (json::Member member : value.members()) {
            all.push_back(member);
        }
        members(all);
        break;
    }
    }
}

void Canonical::rest(char name, json::Value object,
                     std::span<const std::string_view> known) {
    std::pmr::vector<json::Member> left(memory_);
    for (json::Member member : object.members()) {
        if (!member.value.is_null()
            && std::find(known.begin(), known.end(), member.name)
                   == known.end()) {
            left.push_back(member);
        }
    }
    if (!left.empty()) {
        tag(name);
        members(left);
    }
}

void Canonical::json_text(std::string_view text) {
    json::Document document(memory_);
    if (document.parse(text)) {
        tag('j');
        json(document.root());
    } else {
        tag('t');
        this->text(text);
    }
}

void Canonical::field(char name, std::string_view value) {
    if (!value.empty()) {
        tag(name);
        text(value);
    }
}

void Canonical::field(char name, json::Value value) {
    if (!value.is_null()) {
        tag(name);
        json(value);
    }
}

void Canonical::flag(char name, bool value) {
    if (value) {
        tag(name);
    }
}

}  // namespace llm::cache
