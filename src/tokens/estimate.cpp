#include "llm/exchange.hpp"

namespace llm {

namespace {

// Members that hold media or names of things, not text that a model reads as
// text: images and files are priced by other rules.
bool is_media(std::string_view name) {
    for (std::string_view media :
         {"data", "url", "image_url", "file_data", "file_url", "file_id",
          "encrypted_content", "signature", "id", "type"}) {
        if (name == media) {
            return true;
        }
    }
    return false;
}

std::size_t text_bytes(json::Value value) {
    std::size_t bytes = 0;

    // The tree is no deeper than the parser allowed.
    switch (value.kind()) {
    case json::Kind::string:
        return value.string().size();
    case json::Kind::array:
        for (auto element : value.elements()) {
            bytes += text_bytes(element);
        }
        break;
    case json::Kind::object:
        for (auto member : value.members()) {
            if (!is_media(member.name)) {
                bytes += text_bytes(member.value);
            }
        }
        break;
    default:
        break;
    }
    return bytes;
}

}  // namespace

std::int64_t estimate_prompt_tokens(json::Value body) noexcept {
    std::size_t bytes = 0;
    // The last three are those of OpenAI's Responses and completions.
    for (std::string_view name : {"messages", "system", "tools", "input",
                                  "instructions", "prompt"}) {
        bytes += text_bytes(body[name]);
    }
    return static_cast<std::int64_t>((bytes + 3) / 4);
}

}  // namespace llm
