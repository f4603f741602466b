// Why an answer ended, in the words of an API: a table that is read both ways.
#pragma once

#include <span>
#include <string_view>

#include "llm/chat.hpp"

namespace llm {

struct FinishWord {
    std::string_view word;
    chat::FinishReason reason;
};

// FinishReason::none for no word, stop for one that nobody has heard of.
chat::FinishReason finish_reason_of(std::span<const FinishWord> table,
                                    std::string_view word) noexcept;

// `native` where it is one of the reason's words, else the first of them;
// empty: it has none.
std::string_view finish_word_of(std::span<const FinishWord> table,
                                chat::FinishReason reason,
                                std::string_view native = {}) noexcept;

}  // namespace llm
