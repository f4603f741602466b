// The changes of a body that stays in this format.
#include <algorithm>
#include <string>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/tables.hpp"

namespace llm::anthropic {

namespace {

json::Edit replace(std::string_view body, std::string_view part,
                   std::string text) {
    return {static_cast<std::size_t>(part.data() - body.data()), part.size(),
            std::move(text)};
}

bool is_googles(json::Value block) {
    return block["type"].string() == "redacted_thinking"
           && block["data"].string().starts_with(google_mark);
}

// What another provider's calls were signed with, and Anthropic refuses.
void remove_signatures(std::string_view body, json::Value messages,
                       std::vector<json::Edit> &edits) {
    for (json::Value message : messages.elements()) {
        json::Value content = message["content"];
        bool any = false;
        for (json::Value block : content.elements()) {
            any = any || is_googles(block);
        }
        if (!any) {
            continue;
        }
        std::string text;
        json::Writer writer(text);
        writer.begin_array();
        for (json::Value block : content.elements()) {
            if (!is_googles(block)) {
                writer.raw(block.raw());
            }
        }
        writer.end_array();
        edits.push_back(replace(body, content.raw(), std::move(text)));
    }
}

// The path has the model, and the body what a header says elsewhere.
void host(std::string_view body, json::Value root, std::string_view version,
          std::vector<json::Edit> &edits) {
    std::string made;
    json::append_string(made, version);
    if (root["anthropic_version"]) {
        edits.push_back(json::remove_member(body, root, "model"));
        edits.push_back(
            json::set_member(body, root, "anthropic_version", made));
        return;
    }
    for (json::Member member : root.members()) {
        if (member.name == "model") {
            edits.push_back(
                replace(body, member.raw, "\"anthropic_version\":" + made));
        }
    }
}

}  // namespace

std::vector<json::Edit> request_edits(std::string_view body,
                                      const json::Document &document,
                                      const WriteOptions &options) {
    std::vector<json::Edit> edits;
    json::Value root = document.root();

    if (auto version = body_version(options.quirks.hosting);
        !version.empty()) {
        host(body, root, version, edits);
    } else if (root["model"].string() != options.model) {
        std::string model;
        json::append_string(model, options.model);
        edits.push_back(json::set_member(body, root, "model", model));
    }
    remove_signatures(body, root["messages"], edits);

    std::sort(edits.begin(), edits.end(),
              [](const json::Edit &a, const json::Edit &b) {
                  return a.offset < b.offset;
              });
    return edits;
}

}  // namespace llm::anthropic
