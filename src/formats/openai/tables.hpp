// What OpenAI's API, and servers that follow it, call things.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "llm/chat.hpp"
#include "llm/result.hpp"

namespace llm::openai {

// A member of a request that stands for one field of chat::Request and needs
// no more than a check of its type. Source: OpenAI API reference, "Create chat
// completion"; top_k is an extension that most compatible servers know.
struct ScalarMember {
    struct Text {
        std::string_view chat::Request::*field;
    };
    struct Count {
        std::optional<std::int64_t> chat::Request::*field;
        std::int64_t least;
    };
    struct Flag {
        std::optional<bool> chat::Request::*field;
    };
    // Kept as it was written, if it is of this kind.
    struct Raw {
        json::Value chat::Request::*field;
        json::Kind kind;
    };

    std::string_view name;
    std::variant<Text, Count, Flag, Raw> target;
    // Not OpenAI's own: sent only where the client spoke this format, and so
    // chose it knowing the server.
    bool extension = false;
};

std::span<const ScalarMember> scalar_members() noexcept;

// The role of a message; nothing for a word that is none. "function", the
// deprecated form of "tool", is not in the table.
std::optional<chat::Role> role_of(std::string_view word) noexcept;

// FinishReason::none for no word, stop for one that nobody has heard of.
chat::FinishReason finish_reason_of(std::string_view word) noexcept;

// The "type" and "code" of an error; an empty code is null.
struct ErrorWords {
    std::string_view type;
    std::string_view code;
};
ErrorWords error_words(ErrorKind kind) noexcept;

// Whether OpenAI's API has this error type.
bool is_error_type(std::string_view type) noexcept;

// The kind that an error's "type" or "code" names, in the words of OpenAI and
// of servers that follow it.
std::optional<ErrorKind> error_kind_of_word(std::string_view word) noexcept;

// MIME type of an input_audio "format", and back; empty for unknown ones.
std::string_view audio_media_type(std::string_view format) noexcept;
std::string_view audio_format(std::string_view media_type) noexcept;

// The "reasoning_effort" that stands for a budget of thinking tokens.
std::string_view effort_of_budget(std::int64_t tokens) noexcept;

// The "user" that OpenAI takes for the end user's id: ids of other APIs are
// longer than its 64 characters.
std::string end_user(std::string_view id);

// A name in a usage object (or one level below) and the field it stands for.
struct UsageMember {
    std::string_view group;         // "" or "prompt_tokens_details" say
    std::string_view name;
    std::int64_t chat::Usage::*field;
};
std::span<const UsageMember> usage_members() noexcept;

}  // namespace llm::openai
