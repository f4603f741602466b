// Byte-pair encoding as OpenAI's tiktoken does it: a text is split by a regular
// expression into pieces, words roughly, and in each piece the two neighbours
// whose joint bytes are the token of the lowest rank are merged, again and
// again, the leftmost first. The vocabularies are o200k_base and cl100k_base;
// pattern and rank of each token are those of
// https://github.com/openai/tiktoken (tiktoken_ext/openai_public.py).
//
// Nothing is merged here. A sequence of tokens is the one that merging ends
// with exactly if each two neighbours in it are (this is known from GitHub's
// crate "bpe"), and whether two are takes a look at the few halves that meet
// at their border. So tokens are taken greedily, the longest first, and taken
// back where none fits. Since the tokens of each beginning of a text are
// unique, no place is ever tried twice: the time is linear, whatever the text.
//
// "<|endoftext|>" and the like in a text are text, as in encode_ordinary().
// Bytes that are not UTF-8 are characters of no class, one each.
//
// The files are data/o200k_base.llmb and data/cl100k_base.llmb, which
// scripts/make-bpe-table made. All numbers are little-endian:
//
//     bytes   what
//     8       "LLMB\r\n\x1a\n"
//     4       version: 1
//     4       split pattern: 1 cl100k_base, 2 o200k_base
//     4       tokens, 257 .. 2^18
//     4       units, a multiple of 256, at most 2^20
//     32      name, padded with NUL
//     8       checksum: FNV-1a, 64 bits, of the whole file without these 8
//     4       units[], a double-array trie of the tokens' bytes
//
// The child `byte` of a node whose base is b is units[b ^ byte], if the lowest
// 8 bits of it are `byte`. A unit is one of
//
//     node    bits 0..7 its byte, 8 is it a token, 9..28 its base, 29 bit 6 of
//             its left half, 31: 0
//     last    a token that begins no other: bits 0..7 its byte, 8..25 its rank,
//             26..30 its left half, 31: 1
//     value   at base ^ 0xFF of a node that is a token: bits 0..7 0xFF, 8..25
//             its rank, 26..31 bits 0..5 of its left half
//
// The root's base is 0; no token has a byte 0xFF behind its first. A token's
// left half is the left one of the two that it is merged from, here in bytes
// less 1. Ranks below 256 are the single bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "llm/result.hpp"

namespace llm::tokens {

enum class Pattern : std::uint8_t { cl100k = 1, o200k = 2 };

// Where the piece that begins at `start` < text.size() ends, after `start`.
std::size_t piece_end(Pattern pattern, std::string_view text,
                      std::size_t start) noexcept;

// A vocabulary: a view, cheap to copy, of a file that is used in place.
class Vocabulary {
public:
    // `file` is aligned to 4 bytes, outlives all copies and does not change.
    // Reads all of it once; an error says what is wrong with it.
    static Result<Vocabulary> open(std::span<const std::byte> file);

    std::string_view name() const noexcept { return name_; }
    Pattern pattern() const noexcept { return pattern_; }
    std::size_t size() const noexcept { return tokens_; }   // tokens

private:
    friend class Counter;

    Vocabulary() = default;

    std::span<const std::uint32_t> units_;
    std::string_view name_;
    Pattern pattern_ = Pattern::o200k;
    std::size_t tokens_ = 0;
};

// Counts the tokens of one text after the other. It keeps what memory it had
// to allocate: for a piece of n bytes that is no token itself at most 4.2 n
// bytes, next to nothing for words.
class Counter {
public:
    explicit Counter(const Vocabulary &vocabulary) noexcept
        : vocabulary_(vocabulary) {}

    // Begins with another text, a view that must last until it is counted.
    // Where `tokens` is given, the ranks are appended to it.
    void start(std::string_view text,
               std::vector<std::uint32_t> *tokens = nullptr) noexcept;

    // Goes on for so much work, in any case a little, and returns whether the
    // text is done. A byte of text is one to five units of work, in texts that
    // are made to be hard up to thirty; a thousand units take 5 to 20 us. To
    // share a thread with others call it with some hundred thousands and see
    // to them in between. What is not divided is the search for the end of a
    // piece, 3 ms for a piece of a megabyte.
    bool advance(std::size_t work);

    // Units since start().
    std::size_t work() const noexcept { return work_; }

    // So far; all of them once the text is done. Between the two it can go
    // down by a little.
    std::int64_t count() const noexcept;

    // Bytes of the text that are counted. Between two calls of advance() the
    // rest can be estimated: from count() / position() say.
    std::size_t position() const noexcept { return piece_ + at_; }

    // All at once.
    std::int64_t count(std::string_view text);

private:
    // A token at a place of the text: rank, length - 1, left half - 1.
    struct Token {
        std::uint32_t packed = 0;

        std::uint32_t rank() const noexcept { return packed >> 14; }
        std::size_t size() const noexcept { return (packed >> 7 & 127) + 1; }
        std::size_t left() const noexcept { return (packed & 127) + 1; }
    };
    static constexpr std::size_t longest = 128;     // token, in bytes

    bool open_piece();
    void match(std::size_t limit) noexcept;
    void add_level(Token left);
    bool fits(Token left);
    bool step();
    void close_piece();

    const unsigned char *here() const noexcept;
    std::uint32_t child(std::uint32_t unit, unsigned char byte) const noexcept;
    static bool is_token(std::uint32_t unit) noexcept;
    Token token(std::uint32_t unit, std::size_t size) const noexcept;

    Vocabulary vocabulary_;
    std::string_view text_;
    std::vector<std::uint32_t> *tokens_ = nullptr;
    std::int64_t count_ = 0;        // of the pieces that are done
    std::size_t work_ = 0;

    std::size_t piece_ = 0;         // where the present one begins
    std::size_t size_ = 0;          // its bytes; 0: there is none
    std::size_t at_ = 0;            // in it: the end of the last of found_
    std::vector<Token> found_;      // its tokens up to there
    std::vector<std::uint64_t> dead_;   // bits: no way on from this place

    // The tokens at piece_ + at_: how many, the shortest first, and each by
    // its length.
    std::size_t matches_ = 0;
    std::uint8_t match_size_[longest] = {};
    Token match_[longest + 1] = {};

    // The last of found_ and its right halves, as far as they were needed, and
    // for each the ranks of the tokens that it makes with the first 1, 2, ...
    // bytes behind it.
    struct Level {
        Token token;
        std::uint32_t merges;       // index of the first in merges_
        std::uint32_t reach;        // how many
    };
    std::vector<Level> levels_;
    std::vector<std::uint32_t> merges_;
};

}  // namespace llm::tokens
