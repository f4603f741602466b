// What Ollama's API calls things.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "llm/chat.hpp"

namespace llm::ollama {

// The role of a message, in any case; nothing for a word that is none.
std::optional<chat::Role> role_of(std::string_view word) noexcept;

// "done_reason" and back. Older servers give none: stop. content_filter and
// tool_calls are no words of Ollama's: an answer with calls says stop.
chat::FinishReason finish_reason_of(std::string_view word) noexcept;
std::string_view done_reason(chat::FinishReason reason) noexcept;

// A member of "options" that stands for a field of chat::Request.
struct Option {
    std::string_view name;
    json::Value chat::Request::*field;
};
std::span<const Option> options() noexcept;
// Those that are read and written by code: num_predict and stop.
bool is_known_option(std::string_view name) noexcept;

// "think" for an effort of OpenAI's, as JSON; empty: nothing is said.
std::string_view think_of_effort(std::string_view effort) noexcept;

}  // namespace llm::ollama
