// What OpenAI's own models take, by their names. For calls of clients of other
// APIs, who do not know: a client of OpenAI's says what its model takes.
#pragma once

#include <cstdint>
#include <string_view>

#include "llm/chat.hpp"

namespace llm::openai {

// Whether a model takes a temperature and the like.
enum class Sampling : std::uint8_t {
    always,
    unless_thinking,    // without an effort, or with "none"
    never,
};

struct ModelTraits {
    std::string_view begins;        // of the model's name
    std::int64_t max_tokens = 0;    // of an answer; 0: not known
    Sampling sampling = Sampling::always;
    // The least and the most effort that it knows; empty: it knows none.
    std::string_view least_effort = {};
    std::string_view most_effort = {};
    // In chat completions it refuses functions unless it does not think.
    bool thinks_without_functions = false;
};

// nullptr: not known, and taken for one that takes everything.
const ModelTraits *find_model(std::string_view model) noexcept;

// The word of "reasoning_effort" for what is asked for, or the next one that
// the model knows; empty: none is said.
std::string_view effort_word(const chat::Reasoning &reasoning,
                             const ModelTraits *traits) noexcept;

// Whether the model takes a temperature with this effort.
bool takes_sampling(const ModelTraits *traits,
                    std::string_view effort) noexcept;

}  // namespace llm::openai
