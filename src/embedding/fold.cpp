#include "embedding/fold.hpp"

#include <algorithm>
#include <iterator>

namespace llm::embedding {

namespace {

struct Range {
    char32_t first;
    char32_t last;
    Kind kind;
};

// first, first + step, ... (count of them) each become themselves + delta.
struct Run {
    char32_t first;
    std::uint16_t count;
    std::uint8_t step;
    std::int32_t delta;
};

struct Several {
    char32_t code;
    char32_t becomes[3];
};

#include "embedding/unicode_tables.inc"

// Hangul syllables are made of jamo by arithmetic (Unicode, section 3.12).
constexpr char32_t hangul_first = 0xAC00;
constexpr char32_t hangul_last = 0xD7A3;
constexpr char32_t lead_first = 0x1100;
constexpr char32_t vowel_first = 0x1161;
constexpr char32_t tail_first = 0x11A7;
constexpr char32_t vowels = 21;
constexpr char32_t tails = 28;

Folded fold_hangul(char32_t code) noexcept {
    char32_t index = code - hangul_first;
    Folded folded;
    folded.size = 2;
    folded.becomes[0] = lead_first + index / (vowels * tails);
    folded.becomes[1] = vowel_first + index % (vowels * tails) / tails;
    if (index % tails != 0) {
        folded.becomes[2] = tail_first + index % tails;
        folded.size = 3;
    }
    return folded;
}

// The last entry that does not begin behind `code`, or null.
template <typename Table, typename Key>
auto at_or_before(const Table &table, char32_t code, Key key) noexcept {
    auto next = std::upper_bound(
        std::begin(table), std::end(table), code,
        [&](char32_t value, const auto &entry) { return value < key(entry); });
    return next == std::begin(table) ? nullptr : next - 1;
}

}  // namespace

Folded fold(char32_t code) noexcept {
    Folded folded;
    folded.becomes[0] = code;

    if (code >= hangul_first && code <= hangul_last) {
        return fold_hangul(code);
    }

    auto range = at_or_before(ranges, code,
                              [](const Range &entry) { return entry.first; });
    if (range && code <= range->last) {
        folded.kind = range->kind;
        if (range->kind == Kind::space || range->kind == Kind::drop) {
            folded.size = 0;
            return folded;
        }
    }

    auto run = at_or_before(runs, code,
                            [](const Run &entry) { return entry.first; });
    if (run) {
        char32_t distance = code - run->first;
        if (distance % run->step == 0 && distance / run->step < run->count) {
            folded.becomes[0] = static_cast<char32_t>(
                static_cast<std::int32_t>(code) + run->delta);
            return folded;
        }
    }

    auto split = at_or_before(several, code,
                              [](const Several &entry) { return entry.code; });
    if (split && split->code == code) {
        folded.size = split->becomes[2] != 0 ? 3 : 2;
        std::copy(std::begin(split->becomes), std::end(split->becomes),
                  folded.becomes);
    }
    return folded;
}

}  // namespace llm::embedding
