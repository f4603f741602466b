#include "formats/finish_words.hpp"

namespace llm {

using chat::FinishReason;

FinishReason finish_reason_of(std::span<const FinishWord> table,
                              std::string_view word) noexcept {
    if (word.empty()) {
        return FinishReason::none;
    }
    for (const FinishWord &row : table) {
        if (row.word == word) {
            return row.reason;
        }
    }
    return FinishReason::stop;
}

std::string_view finish_word_of(std::span<const FinishWord> table,
                                FinishReason reason,
                                std::string_view native) noexcept {
    std::string_view first;
    for (const FinishWord &row : table) {
        if (row.reason != reason) {
            continue;
        }
        if (row.word == native) {
            return row.word;
        }
        if (first.empty()) {
            first = row.word;
        }
    }
    return first;
}

}  // namespace llm
