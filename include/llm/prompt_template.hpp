// How a conversation becomes the one text that a model's raw completion goes
// on from, for servers that know no messages.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/chat.hpp"

namespace llm {

// A family of models and the text that it was trained on.
struct PromptTemplate {
    // Where the words of the system go: they have a turn of their own, or
    // stand before a user's words.
    enum class System : unsigned char { own_turn, first_user, last_user };

    // What stands around the words of a turn.
    struct Turn {
        std::string_view before;
        std::string_view after;
    };

    std::string_view name;          // of the directive "prompt_template"
    System system;
    Turn system_turn;
    Turn user_turn;
    // A conversation that ends with the assistant's words is gone on with:
    // what comes after them is left out.
    Turn assistant_turn;
    // After the last turn, if it is not the assistant's.
    std::string_view answer;
    // Texts that end the answer where the server does not know that they do.
    std::span<const std::string_view> stops;
    // Texts that mean something to the model. In a message they are broken
    // up, or its author could speak as somebody else.
    std::span<const std::string_view> markers;
};

std::span<const PromptTemplate> prompt_templates() noexcept;

// nullptr where there is none of this name.
const PromptTemplate *find_prompt_template(std::string_view name) noexcept;

// One turn of a conversation: its text, and whose it is.
struct PromptTurn {
    chat::Role role = chat::Role::user;     // tool: as a user's
    std::string text;
};

// Appends the prompt. The token that begins every text is not in it: servers
// add it to what they are sent.
void write_prompt(const PromptTemplate &prompt_template,
                  std::span<const PromptTurn> turns, std::string &out);

}  // namespace llm
