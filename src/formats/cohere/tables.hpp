// What Cohere's API calls things.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "llm/chat.hpp"

namespace llm::cohere {

std::optional<chat::Role> role_of(std::string_view word) noexcept;

// FinishReason::none for no word, stop for one that nobody has heard of.
chat::FinishReason finish_reason_of(std::string_view word) noexcept;
std::string_view finish_word(chat::FinishReason reason,
                             std::string_view stop_sequence) noexcept;

// A number of a request, and the range that the API takes it from.
struct NumberMember {
    std::string_view name;
    json::Value chat::Request::*field;
    double least;
    double most;
};
std::span<const NumberMember> number_members() noexcept;

inline constexpr std::size_t most_stops = 5;

// The "token_budget" of an effort of OpenAI's; 0: as many as it takes.
std::int64_t budget_of_effort(std::string_view effort) noexcept;

}  // namespace llm::cohere
