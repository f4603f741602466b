// The patterns of tiktoken 0.14, written out. Both are alternatives, of which
// the first that matches counts. o200k_base:
//
//     [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*
//         [\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//     [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+
//         [\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//     \p{N}{1,3}
//      ?[^\s\p{L}\p{N}]+[\r\n/]*
//     \s*[\r\n]+
//     \s+(?!\S)
//     \s+
//
// cl100k_base:
//
//     '(?i:[sdmt]|ll|ve|re)
//     [^\r\n\p{L}\p{N}]?+\p{L}++
//     \p{N}{1,3}+
//      ?[^\s\p{L}\p{N}]++[\r\n]*+
//     \s++$
//     \s*[\r\n]
//     \s+(?!\S)
//     \s
#include <algorithm>

#include "llm/bpe.hpp"

namespace llm::tokens {

namespace {

#include "tokens/unicode_classes.inc"

constexpr std::size_t block_size = 128;

// Sets of classes, each a bit: the numbers in unicode_classes.inc, in their
// order.
enum Set : unsigned {
    upper = 1,          // Lu, Lt
    lower = 2,          // Ll
    letter = 4,         // Lm, Lo: have no case
    mark = 8,
    number = 16,
    space = 32,
    newline = 64,       // CR, LF
    other = 128,

    any_letter = upper | lower | letter,
    first_letters = upper | letter | mark,
    last_letters = lower | letter | mark,
    symbol = mark | other,
    any_space = space | newline,
    none = 0,           // the end of the text
};

struct Character {
    unsigned set;
    std::size_t size;   // in bytes
};

class Text {
public:
    explicit Text(std::string_view text) noexcept
        : bytes_(reinterpret_cast<const unsigned char *>(text.data())),
          size_(text.size()) {}

    std::size_t size() const noexcept { return size_; }

    unsigned char operator[](std::size_t i) const noexcept {
        return i < size_ ? bytes_[i] : 0;
    }

    Character at(std::size_t i) const noexcept {
        if (i >= size_) {
            return {none, 0};
        }
        unsigned char byte = bytes_[i];
        return byte < 0x80 ? Character{1U << classes[byte], 1} : beyond(i);
    }

    std::size_t skip(std::size_t i, unsigned set) const noexcept {
        for (;;) {
            Character c = at(i);
            if (!(c.set & set)) {
                return i;
            }
            i += c.size;
        }
    }

private:
    // A character of several bytes, as RFC 3629 section 4 has them.
    Character beyond(std::size_t i) const noexcept {
        constexpr Character bad{other, 1};
        const unsigned char *p = bytes_ + i;
        const std::size_t left = size_ - i;
        auto tail = [p](std::size_t k) { return (p[k] & 0xC0) == 0x80; };
        std::uint32_t code;
        std::size_t size;

        if (p[0] < 0xE0) {
            if (p[0] < 0xC2 || left < 2 || !tail(1)) {
                return bad;
            }
            code = (p[0] & 0x1FU) << 6 | (p[1] & 0x3FU);
            size = 2;
        } else if (p[0] < 0xF0) {
            if (left < 3 || !tail(1) || !tail(2)) {
                return bad;
            }
            code = (p[0] & 0x0FU) << 12 | (p[1] & 0x3FU) << 6 | (p[2] & 0x3FU);
            if (code < 0x800 || (code >= 0xD800 && code < 0xE000)) {
                return bad;
            }
            size = 3;
        } else {
            if (left < 4 || !tail(1) || !tail(2) || !tail(3)) {
                return bad;
            }
            code = (p[0] & 0x0FU) << 18 | (p[1] & 0x3FU) << 12 |
                   (p[2] & 0x3FU) << 6 | (p[3] & 0x3FU);
            if (code < 0x10000 || code > 0x10FFFF) {
                return bad;
            }
            size = 4;
        }

        std::size_t block = class_blocks[code / block_size];
        return {1U << classes[block * block_size + code % block_size], size};
    }

    const unsigned char *bytes_;
    std::size_t size_;
};

// The end of a contraction ('s, 'LL, ...) at i; i: there is none.
std::size_t contraction(Text text, std::size_t i) noexcept {
    if (text[i] != '\'') {
        return i;
    }
    auto low = [&](std::size_t k) { return text[k] | 0x20; };
    switch (low(i + 1)) {
    case 's':
    case 't':
    case 'm':
    case 'd':
        return i + 2;
    case 'r':
    case 'v':
        return low(i + 2) == 'e' ? i + 3 : i;
    case 'l':
        return low(i + 2) == 'l' ? i + 3 : i;
    default:
        // U+017F, the long s, is an s to whom case does not matter.
        return text[i + 1] == 0xC5 && text[i + 2] == 0xBF ? i + 3 : i;
    }
}

// A word without what may stand before or behind it.
struct Word {
    std::size_t end;
    bool mixed;     // matches the first alternative; else capitals, or nothing
};

Word word(Text text, std::size_t start) noexcept {
    std::size_t i = start;
    std::size_t last = start;   // the end of the last one that is in both sets
    for (;;) {
        Character c = text.at(i);
        if (c.set & last_letters & ~first_letters) {
            return {text.skip(i, last_letters), true};
        }
        if (!(c.set & first_letters)) {
            break;
        }
        i += c.size;
        if (c.set & last_letters) {
            last = i;
        }
    }
    // The first set gives back what the second needs: one of both sets.
    return last > start ? Word{last, true} : Word{i, false};
}

std::size_t numbers(Text text, std::size_t i) noexcept {
    for (int k = 0; k < 3; k++) {
        Character c = text.at(i);
        if (!(c.set & number)) {
            break;
        }
        i += c.size;
    }
    return i;
}

struct Spaces {
    std::size_t end;
    std::size_t last;       // where the last of them begins
    std::size_t newline;    // the end of the last line end, 0: there is none
};

Spaces spaces(Text text, std::size_t start) noexcept {
    Spaces found{start, start, 0};
    for (;;) {
        Character c = text.at(found.end);
        if (!(c.set & any_space)) {
            return found;
        }
        found.last = found.end;
        found.end += c.size;
        if (c.set & newline) {
            found.newline = found.end;
        }
    }
}

// Without the last space, which goes with the word behind it.
std::size_t indent(Text text, const Spaces &found, std::size_t start) noexcept {
    return found.end < text.size() && found.last > start ? found.last
                                                         : found.end;
}

std::size_t o200k(Text text, std::size_t start) noexcept {
    const Character first = text.at(start);
    const std::size_t second = start + first.size;

    if (first.set & any_letter) {
        return contraction(text, word(text, start).end);
    }
    if (first.set & number) {
        return numbers(text, start);
    }
    if (!(first.set & newline)) {
        Word behind = word(text, second);
        if (behind.mixed) {
            return contraction(text, behind.end);
        }
        if (first.set & mark) {
            return contraction(text, second);
        }
        if (behind.end > second) {
            return contraction(text, behind.end);
        }
    }

    if ((first.set & other) ||
        (text[start] == ' ' && (text.at(second).set & symbol))) {
        std::size_t end = text.skip(second, symbol);
        while (text[end] == '/' || (text.at(end).set & newline)) {
            end++;
        }
        return end;
    }

    Spaces found = spaces(text, start);
    return found.newline > 0 ? found.newline : indent(text, found, start);
}

std::size_t cl100k(Text text, std::size_t start) noexcept {
    const Character first = text.at(start);
    const std::size_t second = start + first.size;

    if (std::size_t end = contraction(text, start); end > start) {
        return end;
    }
    if (first.set & any_letter) {
        return text.skip(second, any_letter);
    }
    if (first.set & number) {
        return numbers(text, start);
    }
    if (!(first.set & newline) && (text.at(second).set & any_letter)) {
        return text.skip(second, any_letter);
    }
    if ((first.set & symbol) ||
        (text[start] == ' ' && (text.at(second).set & symbol))) {
        return text.skip(text.skip(second, symbol), newline);
    }

    Spaces found = spaces(text, start);
    return found.newline > 0 && found.end < text.size()
               ? found.newline
               : indent(text, found, start);
}

}  // namespace

std::size_t piece_end(Pattern pattern, std::string_view text,
                      std::size_t start) noexcept {
    return pattern == Pattern::o200k ? o200k(Text(text), start)
                                     : cl100k(Text(text), start);
}

}  // namespace llm::tokens
