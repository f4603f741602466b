// What items hold, of answers and of the conversations that repeat them.
#pragma once

#include <string>
#include <string_view>

#include "formats/media_type.hpp"
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

// The image of an item "image_generation_call", in base64; empty: it has none.
// Its type is the file's own: items name it in members of the moment, or not.
struct ItemImage {
    std::string_view data;
    std::string_view media_type;
};

inline ItemImage item_image(json::Value item) {
    std::string_view data = item["result"].string();
    std::string_view media_type = media_type_of(data);
    return {data, media_type.empty() ? "image/png" : media_type};
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
