// BERT's WordPiece tokenizer, uncased: what the reference (Hugging Face
// tokenizers: BertNormalizer, BertPreTokenizer, WordPiece) makes of a text.
//
// - Control characters, bytes that are not UTF-8 and U+FFFD go; white space
//   parts words; each CJK ideograph and each punctuation mark is a word.
// - Canonical decomposition (NFD) without its combining marks, lower case.
// - Each word becomes the longest piece that it begins with, and the rest the
//   longest that begins with "##", and so on. A word with a part that is in
//   no piece, or of more than 100 characters, is [UNK] as a whole.
//
// Where it differs: "[SEP]" and the like in a text are words between brackets,
// never the special tokens; [CLS] and [SEP] are not added. Characters newer
// than Unicode 8 are taken as this Unicode's tables have them, older tables
// in the reference do not know them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "llm/result.hpp"

namespace llm::embedding {

// A view. Piece i is text[offsets[i], offsets[i + 1]): one offset more than
// there are pieces, the first 0, none smaller than the one before it.
struct Vocabulary {
    std::span<const std::uint32_t> offsets;
    std::string_view text;

    std::size_t size() const noexcept { return offsets.size() - 1; }
    std::string_view piece(std::size_t id) const noexcept {
        return text.substr(offsets[id], offsets[id + 1] - offsets[id]);
    }
};

struct Token {
    std::uint32_t id;       // of the piece
    std::uint32_t word;     // a hash of the whole word, as it was cleaned
};

class WordPiece {
public:
    // The vocabulary's memory must outlive it. An error: a piece twice, none
    // named "[UNK]", offsets that do not ascend or leave the text.
    static Result<WordPiece> make(Vocabulary vocabulary);

    // Appends the tokens of a text. Takes time in proportion to the text, of
    // whatever bytes, and allocates only where `tokens` grows.
    void encode(std::string_view text, std::vector<Token> &tokens) const;

    const Vocabulary &vocabulary() const noexcept { return vocabulary_; }
    std::uint32_t unknown() const noexcept { return unknown_; }

    static constexpr std::size_t max_word = 100;    // characters

private:
    class Words;

    struct Slot {
        std::uint32_t next_id = 0;  // id + 1; 0: free
        std::uint32_t tag = 0;      // of the hash, to compare few strings
    };
    static constexpr std::uint32_t none = UINT32_MAX;

    WordPiece() = default;
    // The piece `prefix` + `text`, of which `hash` is the hash.
    std::uint32_t find(std::uint64_t hash, std::string_view prefix,
                       std::string_view text) const noexcept;

    Vocabulary vocabulary_;
    std::vector<Slot> slots_;       // open addressing, a power of two
    std::size_t longest_ = 0;       // piece, in bytes
    std::uint32_t unknown_ = 0;
};

}  // namespace llm::embedding
