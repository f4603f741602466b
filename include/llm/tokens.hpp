// How many tokens a request costs its sender, before it is sent.
//
// For OpenAI's models the text is counted exactly (llm/bpe.hpp), and messages
// and tools by OpenAI's published recipe
// (https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken). For
// other models the text is estimated from its characters, by a table that
// scripts/calibrate-tokens fitted to their tokenizers. Images are counted by
// the providers' rules. docs/tokens.md has sources and errors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "llm/bpe.hpp"
#include "llm/chat.hpp"

namespace llm::tokens {

// Models that share a tokenizer, or nearly.
enum class Family : std::uint8_t {
    o200k, cl100k, claude, gemini, llama, mistral, qwen, deepseek,
    other,      // estimated as o200k, rounded up by a tenth
};

// By the model's name, "gpt-4o-mini" say; what stands before the last "/"
// does not matter, nor does case.
Family family_of(std::string_view model) noexcept;
std::string_view to_string(Family family) noexcept;

// Tokens of a text, from its characters alone; 300 MB/s or more.
std::int64_t estimate_tokens(std::string_view text, Family family) noexcept;

// The same of a text that comes in pieces, wherever they are cut.
class TextEstimate {
public:
    void add(std::string_view piece) noexcept;
    std::int64_t tokens(Family family) const noexcept;

private:
    std::array<std::int64_t, 18> counts_{};     // by kind, see tokens/text.cpp
    std::uint8_t before_ = 0;                   // the last character's kind,
                                                // from 1; 0: none
    std::size_t run_ = 0;                       // of spaces
};

// Pixels.
struct ImageSize {
    std::int64_t width = 0;
    std::int64_t height = 0;
};

// From the header of a PNG, JPEG, GIF or WebP file, or the beginning of one.
// None: it is something else, or the header is not whole or makes no sense.
std::optional<ImageSize> image_size(std::string_view bytes) noexcept;

// Tokens of an image. `size` unknown: the most that the model charges for
// one. `detail`: OpenAI's "low", "high", "auto" or empty.
std::int64_t image_tokens(std::string_view model,
                          std::optional<ImageSize> size,
                          std::string_view detail) noexcept;

// The most tokens that a call's body can be, whatever the vocabulary: its bytes.
// A token has one at least, and what providers add for a message or a tool is
// less than the JSON around it. None: there are images, files or parts that are
// not known, whose tokens have nothing to do with their bytes, or the body only
// names what is kept with the provider. Takes nanoseconds for a message.
std::optional<std::int64_t> prompt_bound(json::Value body) noexcept;

struct PromptTokens {
    std::int64_t tokens = 0;
    // Of them, text that was not counted but estimated.
    std::int64_t estimated = 0;
    // All of it is text, and each token of it was counted. Else part of it is
    // an estimate: another family, tools, media, or text beyond the limit.
    bool exact = false;
};

// Counts requests; keeps its memory, so use one for each worker.
class PromptCounter {
public:
    // Units of Counter::work() that fit a slice of a worker's time: enough for
    // 240 to 700 KB of most texts, in 5 to 20 ms.
    static constexpr std::size_t default_limit = std::size_t{1} << 20;

    // Where a vocabulary is missing its family is estimated.
    PromptCounter(std::optional<Vocabulary> o200k,
                  std::optional<Vocabulary> cl100k);

    // Of one choice: n > 1 costs the prompt once. Text for which
    // `limit`, of all messages together, does not last is estimated.
    PromptTokens count(const chat::Request &request, std::string_view model,
                       std::size_t limit = default_limit);

private:
    class Call;

    std::optional<Counter> o200k_;
    std::optional<Counter> cl100k_;
};

}  // namespace llm::tokens
