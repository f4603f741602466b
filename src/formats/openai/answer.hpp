// What whole answers and chunks of a stream have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/openai/tables.hpp"
#include "llm/chat.hpp"

namespace llm::openai {

// Calls piece(std::string_view) for a thought: a string, or an array of texts.
template <typename F>
void for_each_thought(json::Value thoughts, F &&piece) {
    if (thoughts.is_string()) {
        piece(thoughts.string());
    }
    for (json::Value thought : thoughts.elements()) {
        piece(thought["text"].string());
    }
}

// Calls piece(chat::PartType, std::string_view) for the text and the
// reasoning in a "content": a string, or an array of parts, as Mistral
// ("thinking") and Databricks ("reasoning" with a summary) send it.
template <typename F>
void for_each_content(json::Value content, F &&piece) {
    using chat::PartType;

    if (content.is_string()) {
        piece(PartType::text, content.string());
        return;
    }
    for (json::Value part : content.elements()) {
        if (part.is_string()) {
            piece(PartType::text, part.string());
            continue;
        }
        std::string_view type = part["type"].string();
        if (type == "text") {
            piece(PartType::text, part["text"].string());
        } else if (type == "refusal") {
            piece(PartType::refusal, part["refusal"].string());
        } else if (type == "thinking" || type == "reasoning") {
            for_each_thought(part[type == "thinking" ? "thinking" : "summary"],
                             [&](std::string_view thought) {
                                 piece(PartType::reasoning, thought);
                             });
        }
    }
}

// Arguments are a string of JSON; some servers send the object itself.
inline std::string_view text_of(json::Value arguments) {
    if (arguments.is_object() || arguments.is_array()) {
        return arguments.raw();
    }
    return arguments.string();
}

// Mistral writes the word "null" where it has no id.
inline bool is_id(std::string_view id) {
    return !id.empty() && id != "null";
}

// An id for a call that came without one, unique in the conversation as far
// as the answer's id is.
std::string made_call_id(std::string_view answer_id, std::size_t number);

// Unix seconds; some servers send a fraction. 0 where it is no number.
std::int64_t read_created(json::Value value);

// OpenAI itself says "stop" after a call that tool_choice forced, compatible
// servers after any: who acts on the reason must hear of the calls.
inline chat::FinishReason finish_reason(std::string_view word, bool calls) {
    chat::FinishReason reason = finish_reason_of(word);
    if (reason == chat::FinishReason::stop && calls) {
        return chat::FinishReason::tool_calls;
    }
    return reason;
}

inline Error incomplete_answer() {
    return Error{ErrorKind::server,
                 "the provider failed before the answer was complete",
                 {}, {}, 0, {}};
}

}  // namespace llm::openai
