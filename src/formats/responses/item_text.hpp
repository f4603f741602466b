// What reasoning items of an answer hold.
#pragma once

#include <string>

#include "formats/responses/sealed.hpp"
#include "llm/json.hpp"

namespace llm::responses {

// The thoughts themselves where the provider shows them, else their summary;
// the parts of it a blank line apart, as a stream's are.
inline constexpr std::string_view summary_gap = "\n\n";

inline std::string reasoning_text(json::Value item) {
    std::string text;
    for (json::Value part : item["content"].elements()) {
        text.append(part["text"].string());
    }
    if (!text.empty()) {
        return text;
    }
    for (json::Value part : item["summary"].elements()) {
        text.append(text.empty() ? std::string_view() : summary_gap)
            .append(part["text"].string());
    }
    return text;
}

// What is sealed of a reasoning item. Proof::none: nothing. Proof::signature
// may be the item's own seal, or what another gateway of this kind has marked.
struct ReasoningProof {
    Proof proof = Proof::none;
    std::string data;
};

inline ReasoningProof reasoning_proof(json::Value item) {
    std::string_view encrypted = item["encrypted_content"].string();
    if (encrypted.empty()) {
        return {};
    }
    if (Marked marked = read_mark(encrypted); marked.proof != Proof::none) {
        return {marked.proof, std::string(marked.data)};
    }
    return {Proof::signature, seal({item["id"].string(), encrypted})};
}

}  // namespace llm::responses
