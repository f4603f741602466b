#include "formats/cohere/tables.hpp"

#include "formats/finish_words.hpp"

namespace llm::cohere {

namespace {

using chat::FinishReason;
using chat::Request;
using chat::Role;

struct RoleWord {
    std::string_view word;
    Role role;
};

constexpr RoleWord roles[] = {
    {"system", Role::system},
    {"user", Role::user},
    {"assistant", Role::assistant},
    {"tool", Role::tool},
};

// API reference, "finish_reason". The first word of a reason is the one that
// is written. ERROR_TOXIC is of version 1, which has a word for answers that
// were filtered.
constexpr FinishWord finishes[] = {
    {"COMPLETE", FinishReason::stop},
    {"STOP_SEQUENCE", FinishReason::stop},
    {"MAX_TOKENS", FinishReason::length},
    {"TOOL_CALL", FinishReason::tool_calls},
    {"ERROR", FinishReason::error},
    {"TIMEOUT", FinishReason::error},
    {"ERROR_TOXIC", FinishReason::content_filter},
};

constexpr double unbounded = 1e300;

// API reference, "Chat": request parameters.
constexpr NumberMember numbers[] = {
    {"temperature", &Request::temperature, 0, unbounded},
    {"seed", &Request::seed, 0, unbounded},
    {"frequency_penalty", &Request::frequency_penalty, 0, 1},
    {"presence_penalty", &Request::presence_penalty, 0, 1},
    {"k", &Request::top_k, 0, 500},
    {"p", &Request::top_p, 0.01, 0.99},
};

// Our own steps: no API says how many tokens a word stands for.
struct Effort {
    std::string_view word;
    std::int64_t tokens;
};

constexpr Effort efforts[] = {
    {"minimal", 1024},
    {"low", 1024},
    {"medium", 4096},
};

}  // namespace

std::optional<Role> role_of(std::string_view word) noexcept {
    for (const RoleWord &row : roles) {
        if (row.word == word) {
            return row.role;
        }
    }
    return std::nullopt;
}

FinishReason finish_reason_of(std::string_view word) noexcept {
    return llm::finish_reason_of(finishes, word);
}

std::string_view finish_word(FinishReason reason,
                             std::string_view stop_sequence) noexcept {
    if (reason == FinishReason::stop && !stop_sequence.empty()) {
        return "STOP_SEQUENCE";
    }
    std::string_view word = finish_word_of(finishes, reason);
    return word.empty() ? "COMPLETE" : word;
}

std::span<const NumberMember> number_members() noexcept {
    return numbers;
}

std::int64_t budget_of_effort(std::string_view effort) noexcept {
    for (const Effort &row : efforts) {
        if (row.word == effort) {
            return row.tokens;
        }
    }
    return 0;
}

}  // namespace llm::cohere
