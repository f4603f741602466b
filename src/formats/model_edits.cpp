#include "formats/model_edits.hpp"

#include <string>

namespace llm {

void edit_model(std::string_view body, json::Value root,
                std::string_view model, std::vector<json::Edit> &edits) {
    if (root["model"].string() == model) {
        return;
    }
    std::string text;
    json::append_string(text, model);
    edits.push_back(json::set_member(body, root, "model", text));
}

std::vector<json::Edit> model_edits(std::string_view body,
                                    const json::Document &document,
                                    const WriteOptions &options) {
    std::vector<json::Edit> edits;
    edit_model(body, document.root(), options.model, edits);
    return edits;
}

}  // namespace llm
