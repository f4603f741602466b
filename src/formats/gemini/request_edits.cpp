// The changes of a body that stays in this format.
#include <algorithm>
#include <string>
#include <string_view>

#include "formats/gemini/gemini.hpp"
#include "formats/gemini/tables.hpp"

namespace llm::gemini {

namespace {

// Thoughts of another provider's model, from earlier in the conversation:
// their proof is none to Google.
bool is_foreign(json::Value part) {
    if (!part["thought"].boolean()) {
        return false;
    }
    std::string_view proof = field(part, "thoughtSignature").string();
    return proof.starts_with(signature_mark)
           || proof.starts_with(redacted_mark);
}

void remove_foreign(std::string_view body, json::Value contents,
                    std::vector<json::Edit> &edits) {
    for (json::Value content : contents.elements()) {
        json::Value parts = content["parts"];
        bool any = false;
        for (json::Value part : parts.elements()) {
            any = any || is_foreign(part);
        }
        if (!any) {
            continue;
        }
        json::Edit edit{
            static_cast<std::size_t>(parts.raw().data() - body.data()),
            parts.raw().size(), {}};
        json::Writer writer(edit.text);
        writer.begin_array();
        bool empty = true;
        for (json::Value part : parts.elements()) {
            if (!is_foreign(part)) {
                writer.raw(part.raw());
                empty = false;
            }
        }
        // A content without parts is refused; chunks of Google's own answers
        // look like this.
        if (empty) {
            writer.begin_object().member("text", "").end_object();
        }
        writer.end_array();
        edits.push_back(std::move(edit));
    }
}

}  // namespace

std::vector<json::Edit> request_edits(std::string_view body,
                                      const json::Document &document) {
    std::vector<json::Edit> edits;
    json::Value root = document.root();
    // The path names the model; a body that names another one is refused.
    if (root["model"]) {
        edits.push_back(json::remove_member(body, root, "model"));
    }
    remove_foreign(body, root["contents"], edits);
    std::sort(edits.begin(), edits.end(),
              [](const json::Edit &a, const json::Edit &b) {
                  return a.offset < b.offset;
              });
    return edits;
}

}  // namespace llm::gemini
