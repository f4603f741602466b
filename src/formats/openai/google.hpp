// The signatures of Google's models in OpenAI's shape: each call, or a message
// whose text is signed, has {"extra_content":{"google":{"thought_signature"}}},
// to be given back as it came. Source: Gemini API docs, Thought signatures
// (OpenAI compatibility).
#pragma once

#include <string_view>

#include "llm/chat.hpp"
#include "llm/json.hpp"

namespace llm::openai {

// Of a call, a message or a delta; empty: there is none.
inline std::string_view google_signature(json::Value value) {
    return value["extra_content"]["google"]["thought_signature"].string();
}

// Appends the member; nothing where there is no signature.
inline void write_google_signature(json::Writer &writer,
                                   std::string_view signature) {
    if (signature.empty()) {
        return;
    }
    writer.key("extra_content").begin_object().key("google").begin_object()
        .member("thought_signature", signature)
        .end_object().end_object();
}

// The signature of a message is that of its last text, which may be empty.
inline void sign_text(json::Value source, chat::Message &message) {
    std::string_view signature = google_signature(source);
    if (signature.empty()) {
        return;
    }
    for (auto part = message.parts.rbegin(); part != message.parts.rend();
         ++part) {
        if (part->type == chat::PartType::text) {
            part->signature = signature;
            return;
        }
    }
    chat::Part part;
    part.signature = signature;
    message.parts.push_back(part);
}

}  // namespace llm::openai
