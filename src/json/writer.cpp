#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "llm/json.hpp"
#include "llm/utf8.hpp"

namespace llm::json {

namespace {

// What a byte of a string becomes: 0 as it is, 'u' a \u00XX escape, else the
// letter after the backslash (RFC 8259, section 7).
struct EscapeTable {
    char letter[256] = {};

    constexpr EscapeTable() {
        for (int c = 0; c < 0x20; ++c) {
            letter[c] = 'u';
        }
        letter[static_cast<int>('"')] = '"';
        letter[static_cast<int>('\\')] = '\\';
        letter[static_cast<int>('\b')] = 'b';
        letter[static_cast<int>('\f')] = 'f';
        letter[static_cast<int>('\n')] = 'n';
        letter[static_cast<int>('\r')] = 'r';
        letter[static_cast<int>('\t')] = 't';
    }
};

constexpr EscapeTable escapes;

constexpr std::uint64_t ones = 0x0101010101010101U;
constexpr std::uint64_t tops = ones * 0x80;

// Whether a byte of the eight is a control character, a quote or a backslash.
// Subtracting takes a borrow from the next byte only where it has found one.
bool any_escape(std::uint64_t word) {
    std::uint64_t quote = word ^ ones * '"';
    std::uint64_t backslash = word ^ ones * '\\';
    return (((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote)
            | ((backslash - ones) & ~backslash)) & tops;
}

// Whether the text is ASCII that needs no escapes: most pieces of a stream.
bool is_plain(std::string_view text) {
    std::size_t i = 0;
    for (; text.size() - i >= 8; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + i, 8);
        if ((word & tops) != 0 || any_escape(word)) {
            return false;
        }
    }
    for (; i < text.size(); ++i) {
        auto byte = static_cast<unsigned char>(text[i]);
        if (byte >= 0x80 || escapes.letter[byte] != 0) {
            return false;
        }
    }
    return true;
}

void append_escaped(std::string &out, std::string_view text) {
    constexpr char hex[] = "0123456789abcdef";
    std::size_t start = 0;

    for (std::size_t i = 0; i < text.size(); ++i) {
        // Most text needs no escapes: eight bytes at a time.
        std::uint64_t word;
        while (text.size() - i >= 8) {
            std::memcpy(&word, text.data() + i, 8);
            if (any_escape(word)) {
                break;
            }
            i += 8;
        }
        if (i == text.size()) {
            break;
        }
        auto byte = static_cast<unsigned char>(text[i]);
        char letter = escapes.letter[byte];
        if (letter == 0) {
            continue;
        }
        out.append(text, start, i - start);
        start = i + 1;
        out.push_back('\\');
        out.push_back(letter);
        if (letter == 'u') {
            out.append("00");
            out.push_back(hex[byte >> 4]);
            out.push_back(hex[byte & 0xF]);
        }
    }

    out.append(text, start, text.size() - start);
}

}  // namespace

void append_string(std::string &out, std::string_view text) {
    out.push_back('"');
    if (is_plain(text)) {
        out.append(text).push_back('"');
        return;
    }

    for (;;) {
        std::size_t valid = utf8::valid_prefix(text);
        append_escaped(out, text.substr(0, valid));
        if (valid == text.size()) {
            break;
        }
        out.append("\xEF\xBF\xBD");
        text.remove_prefix(valid + 1);
    }

    out.push_back('"');
}

void Writer::separate() {
    if (comma_) {
        out_.push_back(',');
    }
    comma_ = true;
}

Writer &Writer::begin_object() {
    separate();
    out_.push_back('{');
    comma_ = false;
    return *this;
}

Writer &Writer::end_object() {
    out_.push_back('}');
    comma_ = true;
    return *this;
}

Writer &Writer::begin_array() {
    separate();
    out_.push_back('[');
    comma_ = false;
    return *this;
}

Writer &Writer::end_array() {
    out_.push_back(']');
    comma_ = true;
    return *this;
}

Writer &Writer::key(std::string_view name) {
    separate();
    append_string(out_, name);
    out_.push_back(':');
    comma_ = false;
    return *this;
}

Writer &Writer::string(std::string_view text) {
    separate();
    append_string(out_, text);
    return *this;
}

Writer &Writer::integer(std::int64_t value) {
    char digits[24];
    auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    return raw({digits, static_cast<std::size_t>(end - digits)});
}

Writer &Writer::number(double value) {
    if (!std::isfinite(value)) {
        return null();
    }
    char digits[32];
    auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    return raw({digits, static_cast<std::size_t>(end - digits)});
}

Writer &Writer::boolean(bool value) {
    return raw(value ? "true" : "false");
}

Writer &Writer::null() {
    return raw("null");
}

Writer &Writer::raw(std::string_view json) {
    separate();
    out_.append(json);
    return *this;
}

}  // namespace llm::json
