#include "formats/ollama/tables.hpp"

#include "formats/finish_words.hpp"

namespace llm::ollama {

namespace {

using chat::FinishReason;
using chat::Request;
using chat::Role;

struct RoleWord {
    std::string_view word;
    Role role;
};

constexpr RoleWord roles[] = {
    {"system", Role::system},       {"developer", Role::developer},
    {"user", Role::user},           {"assistant", Role::assistant},
    {"tool", Role::tool},
};

// llm/llama_server.go (stop, length), server/routes.go (load, unload: there
// was no prompt). The first word of a reason is the one that is written.
constexpr FinishWord done_words[] = {
    {"stop", FinishReason::stop},
    {"load", FinishReason::stop},
    {"unload", FinishReason::stop},
    {"length", FinishReason::length},
    {"stop", FinishReason::tool_calls},
    {"content_filter", FinishReason::content_filter},
};

// docs/modelfile.md, "Valid parameters and values".
constexpr Option option_rows[] = {
    {"temperature", &Request::temperature},
    {"top_p", &Request::top_p},
    {"top_k", &Request::top_k},
    {"seed", &Request::seed},
    {"frequency_penalty", &Request::frequency_penalty},
    {"presence_penalty", &Request::presence_penalty},
};

// api/types.go, ThinkValue: true, false, or one of four levels.
struct Effort {
    std::string_view effort;
    std::string_view think;
};

constexpr Effort efforts[] = {
    {"none", "false"},      {"minimal", "\"low\""}, {"low", "\"low\""},
    {"medium", "\"medium\""}, {"high", "\"high\""},  {"xhigh", "\"max\""},
    {"max", "\"max\""},
};

}  // namespace

std::optional<Role> role_of(std::string_view word) noexcept {
    auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    for (const RoleWord &row : roles) {
        bool equal = row.word.size() == word.size();
        for (std::size_t i = 0; equal && i < word.size(); ++i) {
            equal = lower(word[i]) == row.word[i];
        }
        if (equal) {
            return row.role;
        }
    }
    return std::nullopt;
}

FinishReason finish_reason_of(std::string_view word) noexcept {
    // A last line without a word is an end like any other.
    return word.empty() ? FinishReason::stop
                        : llm::finish_reason_of(done_words, word);
}

std::string_view done_reason(FinishReason reason) noexcept {
    std::string_view word = finish_word_of(done_words, reason);
    return word.empty() ? "stop" : word;
}

std::span<const Option> options() noexcept {
    return option_rows;
}

bool is_known_option(std::string_view name) noexcept {
    for (const Option &row : option_rows) {
        if (row.name == name) {
            return true;
        }
    }
    return name == "num_predict" || name == "stop";
}

std::string_view think_of_effort(std::string_view effort) noexcept {
    for (const Effort &row : efforts) {
        if (row.effort == effort) {
            return row.think;
        }
    }
    return {};
}

}  // namespace llm::ollama
