#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "llm/tokens.hpp"
#include "tokens/pattern.hpp"

namespace llm::tokens {

namespace {

// What costs tokens in a text. The order is that of scripts/calibrate-tokens.
enum Kind : std::uint8_t {
    words,      // of ASCII letters
    letters,    // ASCII
    capitals,   // ASCII, once more
    numbers,    // runs of digits
    digits,     // ASCII
    symbols,    // ASCII
    spaces,     // runs that begin with a line end or tab; others go with words
    latin,      // from here on, characters that are not ASCII, by blocks
    greek,
    cyrillic,
    semitic,
    indic,
    southeast_asian,
    kana,
    han,
    hangul,
    bmp,        // the rest of the Basic Multilingual Plane
    astral,     // beyond it: emoji for the most part
    kinds,
};

struct Rates {
    Family family;
    std::int32_t millionths[kinds];
};

#include "tokens/rates.inc"

struct Block {
    std::uint32_t first;
    std::uint32_t last;
    Kind kind;
};

constexpr Block blocks[] = {
    {0x80, 0x24F, latin},      {0x370, 0x3FF, greek},
    {0x400, 0x52F, cyrillic},  {0x590, 0x8FF, semitic},
    {0x900, 0xDFF, indic},     {0xE00, 0x109F, southeast_asian},
    {0x3000, 0x30FF, kana},    {0x3400, 0x9FFF, han},
    {0xAC00, 0xD7A3, hangul},  {0x0, 0xFFFF, bmp},
    {0x10000, 0x1FFFFF, astral},
};

// Tokens of white space are no longer than this in most vocabularies.
constexpr std::size_t space_run = 16;

constexpr Kind ascii_kind(unsigned c) noexcept {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        return letters;
    }
    if (c >= '0' && c <= '9') {
        return digits;
    }
    return c <= ' ' ? spaces : symbols;
}

// The kind of a character that is not ASCII and begins here; its size.
std::pair<Kind, std::size_t> wide_kind(std::string_view text) noexcept {
    // Good enough for an estimate, whatever the bytes are.
    const auto c = static_cast<unsigned char>(text[0]);
    const std::size_t size = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    std::uint32_t code = c & (0x7FU >> size);
    for (std::size_t k = 1; k < size && k < text.size(); k++) {
        code = code << 6 | (static_cast<unsigned char>(text[k]) & 0x3F);
    }
    auto block = std::find_if(std::begin(blocks), std::end(blocks),
                              [code](const Block &block) {
                                  return code >= block.first &&
                                         code <= block.last;
                              });
    return {block->kind, size};
}

struct Name {
    std::string_view model;     // a pattern; the first that fits counts
    Family family;
};

// OpenAI's are those of tiktoken/model.py.
constexpr Name names[] = {
    {"gpt-4o*", Family::o200k},
    {"gpt-4.*", Family::o200k},
    {"gpt-4*", Family::cl100k},
    {"gpt-3.5*", Family::cl100k},
    {"gpt-35-turbo*", Family::cl100k},
    {"ft:gpt-4o*", Family::o200k},
    {"ft:gpt-4.*", Family::o200k},
    {"ft:gpt-4*", Family::cl100k},
    {"ft:gpt-3.5*", Family::cl100k},
    {"ft:o*", Family::o200k},
    {"gpt-*", Family::o200k},
    {"chatgpt-*", Family::o200k},
    {"o1*", Family::o200k},
    {"o3*", Family::o200k},
    {"o4*", Family::o200k},
    {"codex-*", Family::o200k},
    {"text-embedding-*", Family::cl100k},
    // Distilled ones have the tokenizer of the model that learned.
    {"*deepseek-r1-distill-llama*", Family::llama},
    {"*deepseek-r1-distill-qwen*", Family::qwen},
    {"*gpt-oss*", Family::o200k},
    {"*claude*", Family::claude},
    {"*gemini*", Family::gemini},
    {"*gemma*", Family::gemini},
    {"*llama*", Family::llama},
    {"*mistral*", Family::mistral},
    {"*mixtral*", Family::mistral},
    {"*ministral*", Family::mistral},
    {"*codestral*", Family::mistral},
    {"*devstral*", Family::mistral},
    {"*magistral*", Family::mistral},
    {"*voxtral*", Family::mistral},
    {"*pixtral*", Family::mistral},
    {"*qwen*", Family::qwen},
    {"*qwq*", Family::qwen},
    {"*deepseek*", Family::deepseek},
    {"*", Family::other},
};

constexpr std::string_view family_names[] = {
    "o200k", "cl100k", "claude",   "gemini", "llama",
    "mistral", "qwen", "deepseek", "other",
};

}  // namespace

Family family_of(std::string_view model) noexcept {
    model = bare_model(model);
    return std::find_if(std::begin(names), std::end(names),
                        [model](const Name &name) {
                            return matches(name.model, model);
                        })
        ->family;
}

std::string_view to_string(Family family) noexcept {
    return family_names[static_cast<std::size_t>(family)];
}

void TextEstimate::add(std::string_view piece) noexcept {
    static_assert(std::tuple_size_v<decltype(counts_)> == kinds);

    auto &counts = counts_;
    Kind before = before_ ? static_cast<Kind>(before_ - 1) : kinds;
    std::size_t run = run_;
    for (std::size_t i = 0; i < piece.size();) {
        const auto c = static_cast<unsigned char>(piece[i]);
        if (c >= 0x80) {
            const auto [kind, size] = wide_kind(piece.substr(i));
            i += size;
            counts[kind]++;
            before = kind;
            continue;
        }

        i++;
        const Kind kind = ascii_kind(c);
        if (kind == spaces) {
            run = before == spaces ? run + 1 : 1;
            counts[spaces] += (run == 1 && c != ' ') || run % space_run == 0;
        } else {
            counts[kind]++;
            if (kind == letters) {
                counts[words] += before != letters;
                counts[capitals] += c < 'a';
            } else if (kind == digits) {
                counts[numbers] += before != digits;
            }
        }
        before = kind;
    }
    before_ = before == kinds ? 0 : static_cast<std::uint8_t>(before + 1);
    run_ = run;
}

std::int64_t TextEstimate::tokens(Family family) const noexcept {
    if (before_ == 0) {
        return 0;
    }
    const Family known = family == Family::other ? Family::o200k : family;
    const Rates &row = *std::find_if(
        std::begin(rates), std::end(rates),
        [known](const Rates &r) { return r.family == known; });

    std::int64_t sum = 0;
    for (std::size_t kind = 0; kind < kinds; kind++) {
        sum += counts_[kind] * row.millionths[kind];
    }
    if (family == Family::other) {
        sum += sum / 10;
    }
    return std::max<std::int64_t>(1, (sum + 500000) / 1000000);
}

std::int64_t estimate_tokens(std::string_view text, Family family) noexcept {
    TextEstimate estimate;
    estimate.add(text);
    return estimate.tokens(family);
}

}  // namespace llm::tokens
