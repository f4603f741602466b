#include "json/shape.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "llm/utf8.hpp"

namespace llm::json {

using detail::Node;

namespace {

// Beyond this a text is seldom like the one before.
constexpr std::size_t most_bytes = std::size_t{4} << 10;
constexpr std::size_t most_nodes = 128;

// An event seldom has more that is new in each.
constexpr std::size_t most_varying = 16;

// Any longer, and the parser may have something to say of its value.
constexpr std::size_t most_digits = 18;

// What a byte of a string's literal is.
enum class Byte : std::uint8_t { plain, end, escape, wide, control };

constexpr auto bytes_of_strings = [] {
    std::array<Byte, 256> table{};
    for (std::size_t c = 0; c < table.size(); ++c) {
        table[c] = c < 0x20 ? Byte::control
                   : c >= 0x80 ? Byte::wide
                               : Byte::plain;
    }
    table['"'] = Byte::end;
    table['\\'] = Byte::escape;
    return table;
}();

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The end of the digits that stand at `position`.
std::size_t skip_digits(std::string_view text, std::size_t position) {
    while (position < text.size() && is_digit(text[position])) {
        ++position;
    }
    return position;
}

// Moves behind a number without an exponent and with few digits.
bool read_number(std::string_view text, std::size_t &position) {
    if (position < text.size() && text[position] == '-') {
        ++position;
    }
    std::size_t first = position;
    position = skip_digits(text, first);
    std::size_t digits = position - first;
    if (digits == 0 || digits > most_digits
        || (digits > 1 && text[first] == '0')) {
        return false;
    }
    if (position < text.size() && text[position] == '.') {
        first = position + 1;
        position = skip_digits(text, first);
        digits = position - first;
        return digits != 0 && digits <= most_digits;
    }
    return true;
}

// The letter after a backslash -> what it stands for; 0: none.
char unescaped(char letter) {
    switch (letter) {
    case '"':
    case '\\':
    case '/':
        return letter;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

// Four hexadecimal digits; over 0xFFFF where they are none.
std::uint32_t read_hex(std::string_view text) {
    if (text.size() < 4) {
        return 0x10000;
    }
    std::uint32_t code = 0;
    for (char c : text.substr(0, 4)) {
        auto lower = static_cast<char>(c | 0x20);
        std::uint32_t digit = is_digit(c) ? static_cast<std::uint32_t>(c - '0')
                              : lower >= 'a' && lower <= 'f'
                                  ? static_cast<std::uint32_t>(lower - 'a' + 10)
                                  : 0x10000;
        code = code << 4 | digit;
    }
    return code;
}

// Writes the UTF-8 of a character of up to 16 bits; its size.
std::size_t write_utf8(std::uint32_t code, char *out) {
    if (code < 0x80) {
        out[0] = static_cast<char>(code);
        return 1;
    }
    if (code < 0x800) {
        out[0] = static_cast<char>(0xC0 | code >> 6);
        out[1] = static_cast<char>(0x80 | (code & 0x3F));
        return 2;
    }
    out[0] = static_cast<char>(0xE0 | code >> 12);
    out[1] = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out[2] = static_cast<char>(0x80 | (code & 0x3F));
    return 3;
}

}  // namespace

void Shape::forget() noexcept {
    text_.clear();
}

void Shape::learn(std::string_view text, std::span<const Node> nodes) {
    forget();
    if (text.size() > most_bytes || nodes.size() > most_nodes) {
        return;
    }

    text_ = text;
    ++form_;
    leaves_.clear();
    varying_.clear();
    places_.clear();
    places_.reserve(nodes.size());
    for (const Node &node : nodes) {
        Place place{};
        place.begin = static_cast<Offset>(node.raw - text.data());
        place.end = static_cast<Offset>(place.begin + node.raw_size);
        if (node.kind == Kind::string || node.kind == Kind::number) {
            leaves_.push_back({place.begin, place.end,
                               static_cast<Offset>(places_.size()),
                               node.kind == Kind::string, false});
        }
        places_.push_back(place);
    }
    shifts_.assign(1, 0);
}

bool Shape::read(std::string_view text, std::span<Node> nodes) {
    if (text_.empty() || text.size() > most_bytes) {
        return false;
    }
    Outcome outcome;
    do {
        outcome = read_once(text, nodes);
    } while (outcome == Outcome::one_more_varies);
    return outcome == Outcome::read;
}

Shape::Outcome Shape::read_once(std::string_view text,
                                std::span<Node> nodes) {
    std::size_t position = 0;       // in text
    std::size_t learnt = 0;         // in text_
    decoded_size_ = 0;

    // What stands before a leaf, or after the last one.
    auto skip = [&](std::size_t end) {
        std::size_t size = end - learnt;
        if (text.size() - position < size
            || std::memcmp(text.data() + position, text_.data() + learnt, size)
                   != 0) {
            return false;
        }
        position += size;
        learnt = end;
        return true;
    };

    // Sums of what leaves have become longer; shorter ones wrap around.
    std::uint32_t shift = 0;
    std::uint32_t *shifts = shifts_.data();
    for (const Leaf &leaf : varying_) {
        if (!skip(leaf.begin)) {
            return vary(text.substr(position), learnt);
        }
        std::size_t begin = position;
        if (!(leaf.string ? read_string(text, position, nodes[leaf.node])
                          : read_number(text, position))) {
            return Outcome::unlike;
        }
        learnt = leaf.end;
        shift += static_cast<std::uint32_t>(position - begin);
        shift -= static_cast<std::uint32_t>(leaf.end - leaf.begin);
        *++shifts = shift;
    }
    if (!skip(text_.size())) {
        return vary(text.substr(position), learnt);
    }
    if (position != text.size()) {
        return Outcome::unlike;
    }

    Node *node = nodes.data();
    for (const Place &place : places_) {
        std::uint32_t begin = place.begin + shifts_[place.before_begin];
        node->raw = text.data() + begin;
        node->raw_size = place.end + shifts_[place.before_end] - begin;
        ++node;
    }
    return Outcome::read;
}

// `text` is not what text_ has from `learnt` on: because of a leaf that has
// not varied yet?
Shape::Outcome Shape::vary(std::string_view text, std::size_t learnt) {
    std::string_view expected = std::string_view(text_).substr(learnt);
    auto difference = std::mismatch(
        expected.begin(), expected.end(), text.begin(), text.end());
    learnt += static_cast<std::size_t>(difference.first - expected.begin());

    auto leaf = std::find_if(leaves_.begin(), leaves_.end(),
                             [&](const Leaf &leaf) {
        // More digits: the difference is where the number has ended.
        return learnt < leaf.end || (!leaf.string && learnt == leaf.end);
    });
    if (leaf == leaves_.end() || learnt < leaf->begin || leaf->varies
        || varying_.size() == most_varying) {
        return Outcome::unlike;
    }

    ++form_;
    leaf->varies = true;
    auto next = std::find_if(
        varying_.begin(), varying_.end(),
        [&](const Leaf &other) { return other.begin > leaf->begin; });
    varying_.insert(next, *leaf);
    shifts_.push_back(0);
    for (Place &place : places_) {
        place.before_begin += place.begin >= leaf->end;
        place.before_end += place.end >= leaf->end;
    }
    return Outcome::one_more_varies;
}

bool Shape::read_string(std::string_view text, std::size_t &position,
                        Node &node) {
    if (position == text.size() || text[position] != '"') {
        return false;
    }
    const std::size_t begin = ++position;
    bool escapes = false;
    bool wide = false;
    for (;; ++position) {
        if (position == text.size()) {
            return false;
        }
        Byte byte = bytes_of_strings[static_cast<unsigned char>(
            text[position])];
        if (byte == Byte::plain) {
            continue;
        }
        if (byte == Byte::end) {
            break;
        }
        if (byte == Byte::control) {
            return false;
        }
        wide |= byte == Byte::wide;
        if (byte == Byte::escape) {
            escapes = true;
            if (++position == text.size()) {
                return false;
            }
        }
    }

    std::string_view body = text.substr(begin, position - begin);
    ++position;
    if (wide && utf8::valid_prefix(body) != body.size()) {
        return false;
    }
    if (escapes) {
        if (decoded_.size() < text.size()) {
            decoded_.resize(text.size());
        }
        return unescape(body, node);
    }
    node.string = body.data();
    node.string_size = static_cast<std::uint32_t>(body.size());
    return true;
}

// Surrogates are left to the parser.
bool Shape::unescape(std::string_view body, Node &node) {
    char *const begin = decoded_.data() + decoded_size_;
    char *out = begin;
    while (!body.empty()) {
        std::size_t plain = std::min(body.find('\\'), body.size());
        std::memcpy(out, body.data(), plain);
        out += plain;
        body.remove_prefix(plain);
        if (body.empty()) {
            break;
        }
        if (body[1] == 'u') {
            std::uint32_t code = read_hex(body.substr(2));
            if (code > 0xFFFF || (code >= 0xD800 && code <= 0xDFFF)) {
                return false;
            }
            out += write_utf8(code, out);
            body.remove_prefix(6);
        } else {
            char c = unescaped(body[1]);
            if (c == 0) {
                return false;
            }
            *out++ = c;
            body.remove_prefix(2);
        }
    }
    node.string = begin;
    node.string_size = static_cast<std::uint32_t>(out - begin);
    decoded_size_ += node.string_size;
    return true;
}

}  // namespace llm::json
