// Reasoning in OpenAI's shape. OpenAI has no member for it; servers agreed on
// "reasoning_content" (DeepSeek, vLLM, Qwen, xAI) or "reasoning" (OpenRouter,
// Groq, Ollama, newer vLLM), and OpenRouter documents "reasoning_details" for
// what must be given back unchanged: signatures and encrypted thoughts.
#pragma once

#include <string_view>

#include "llm/chat.hpp"

namespace llm::openai {

enum class ReasoningPiece { text, signature, encrypted };

// Calls piece(ReasoningPiece, std::string_view) for what a message or a delta
// holds; a signature follows the text that it signs. A text that is there
// under two names comes once.
template <typename F>
void for_each_reasoning(json::Value message, F &&piece) {
    json::Value details = message["reasoning_details"];
    bool texts = false;
    int signatures = 0;
    for (json::Value detail : details.elements()) {
        texts |= !detail["text"].string().empty();
        signatures += !detail["signature"].string().empty();
    }

    if (!texts) {
        std::string_view text = message["reasoning_content"].string();
        if (text.empty()) {
            text = message["reasoning"].string();
        }
        if (!text.empty()) {
            piece(ReasoningPiece::text, text);
        }
    }

    for (json::Value detail : details.elements()) {
        if (auto text = detail["text"].string(); !text.empty()) {
            piece(ReasoningPiece::text, text);
        }
        // Several signatures with one text, put together from a stream: which
        // part each one signs is not known any more, and a wrong signature is
        // worse than none.
        auto signature = detail["signature"].string();
        if (!signature.empty() && (texts || signatures == 1)) {
            piece(ReasoningPiece::signature, signature);
        }
        if (auto data = detail["data"].string(); !data.empty()) {
            piece(ReasoningPiece::encrypted, data);
        }
    }
}

// Adds the piece to the parts of a message.
inline void append_reasoning(ReasoningPiece piece, std::string_view text,
                             chat::Message &message) {
    chat::Part part;
    part.type = chat::PartType::reasoning;

    switch (piece) {
    case ReasoningPiece::text:
        part.text = text;
        break;
    case ReasoningPiece::encrypted:
        part.type = chat::PartType::redacted_reasoning;
        part.data = text;
        break;
    case ReasoningPiece::signature:
        if (!message.parts.empty()) {
            chat::Part &last = message.parts.back();
            if (last.type == chat::PartType::reasoning
                && last.signature.empty()) {
                last.signature = text;
                return;
            }
        }
        part.signature = text;
        break;
    }
    message.parts.push_back(part);
}

}  // namespace llm::openai
