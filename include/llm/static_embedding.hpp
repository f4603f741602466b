// A static embedding: a table with a vector for each piece of a vocabulary.
// The embedding of a text is the sum of its pieces' vectors at unit length;
// no layer above it, so a question costs some microseconds. (The idea is that
// of Model2Vec: a sentence transformer, distilled into its vocabulary.) The
// cosine similarity of two texts is the dot product of their embeddings.
//
// The built-in table is data/all-minilm-l6-v2.static256.llmv;
// scripts/make-static-embedding made it, and makes others.
//
// The file, all numbers little-endian, floats IEEE 754:
//
//     bytes   what
//     8       "LLMV\r\n\x1a\n"
//     4       version: 1
//     4       rows, 2 .. 2^24: pieces of the vocabulary
//     4       dimensions, 1 .. 1024
//     4       bytes of the vocabulary's text
//     32      name of the model, padded with NUL
//     8       checksum: FNV-1a, 64 bits, of the whole file without these 8
//     4       offsets[rows + 1], of each piece in the text; the last: its end
//     ...     text: the pieces, UTF-8, one after the other
//     ...     0 .. 3 NUL, to a multiple of 4
//     4       scales[rows], float32, finite
//     ...     rows x stride bytes, int8; stride: dimensions rounded up to a
//             multiple of 32, the rest 0
//
// A vector is its row times its scale; how much a piece weighs is in the
// length of its vector. The vocabulary is WordPiece's, uncased ("##" continues
// a word), with a piece "[UNK]". The length of [UNK]'s vector is the weight of
// a word that no piece fits: it gets a direction of its own, made from a hash
// of it, so that texts that differ in such a word differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "llm/result.hpp"
#include "llm/wordpiece.hpp"

namespace llm::embedding {

// Adds scale * row[i] to sum[i]; count is a multiple of 32.
using AddRow = void (*)(float *sum, const std::int8_t *row, float scale,
                        std::size_t count) noexcept;

struct Kernel {
    std::string_view name;      // "plain", "avx2", "neon"
    AddRow add_row;
};

// What this processor can do, the fastest last. Never empty.
std::span<const Kernel> kernels() noexcept;

class StaticTable {
public:
    static constexpr std::size_t max_dimensions = 1024;

    // What embed() needs again and again; one for each thread.
    struct Scratch {
        std::vector<Token> tokens;
    };

    // A view of a whole file, aligned to 4 bytes (a mapped file is), which
    // must outlive the table and not change. Reads all of it once; an error
    // says what is wrong with it.
    static Result<StaticTable> open(std::span<const std::byte> file,
                                    Kernel kernel = kernels().back());

    // Writes dimensions() floats to `out`, of unit length, and returns how
    // many tokens the text has. 0: there is nothing to embed (no words, or
    // none that weighs anything), and `out` is all 0.
    std::size_t embed(std::string_view text, std::span<float> out,
                      Scratch &scratch) const;

    std::size_t dimensions() const noexcept { return dimensions_; }
    std::size_t rows() const noexcept { return scales_.size(); }
    // As the file has it, "all-minilm-l6-v2.static256" say.
    std::string_view name() const noexcept { return name_; }
    // Vectors can be compared where this is the same.
    std::uint64_t checksum() const noexcept { return checksum_; }
    const WordPiece &tokenizer() const noexcept { return tokenizer_; }

private:
    explicit StaticTable(WordPiece tokenizer)
        : tokenizer_(std::move(tokenizer)) {}
    void add_unknown(float *sum, std::uint32_t word) const noexcept;

    WordPiece tokenizer_;
    std::span<const float> scales_;
    const std::int8_t *vectors_ = nullptr;
    std::size_t dimensions_ = 0;
    std::size_t stride_ = 0;
    float unknown_length_ = 0;
    std::string_view name_;
    std::uint64_t checksum_ = 0;
    AddRow add_row_ = nullptr;
};

}  // namespace llm::embedding
