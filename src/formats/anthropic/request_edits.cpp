// The changes of a body that stays in this format.
#include <algorithm>
#include <string>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/tables.hpp"
#include "formats/model_edits.hpp"

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

// The members that stand in the path or another member at this hosting.
bool is_moved(std::string_view name, Hosting hosting) noexcept {
    return name == "anthropic_version"
           || (hosting == Hosting::bedrock
               && (name == "stream" || name == "anthropic_beta"));
}

// The path has the model, and the body what headers say elsewhere: it stands
// where the model's name was.
void host(std::string_view body, json::Value root,
          const WriteOptions &options, std::vector<json::Edit> &edits) {
    Hosting hosting = options.quirks.hosting;
    std::string made = "\"anthropic_version\":";
    json::append_string(made, body_version(hosting));
    if (hosting == Hosting::bedrock) {
        std::string betas =
            beta_features(options.betas, root["anthropic_beta"]);
        if (!betas.empty()) {
            made.append(",\"anthropic_beta\":").append(betas);
        }
    }

    auto offset = [&](std::string_view part) {
        return static_cast<std::size_t>(part.data() - body.data());
    };
    // A member goes with the comma before it; before the first one that stays,
    // with the comma after it.
    bool any_stays = false;
    std::size_t previous_end = 0;
    std::size_t first_moved = std::string_view::npos;
    for (json::Member member : root.members()) {
        std::size_t start = offset(member.raw);
        std::size_t end = start + member.raw.size();
        if (is_moved(member.name, hosting)) {
            if (any_stays) {
                edits.push_back({previous_end, end - previous_end, {}});
            } else {
                first_moved = std::min(first_moved, start);
            }
        } else {
            if (first_moved != std::string_view::npos) {
                edits.push_back({first_moved, start - first_moved, {}});
                first_moved = std::string_view::npos;
            }
            any_stays = true;
            if (member.name == "model") {
                edits.push_back(replace(body, member.raw, made));
            }
        }
        previous_end = end;
    }
}

}  // namespace

std::vector<json::Edit> request_edits(std::string_view body,
                                      const json::Document &document,
                                      const WriteOptions &options) {
    std::vector<json::Edit> edits;
    json::Value root = document.root();

    if (!body_version(options.quirks.hosting).empty()) {
        host(body, root, options, edits);
    } else {
        edit_model(body, root, options.model, edits);
    }
    remove_signatures(body, root["messages"], edits);

    std::sort(edits.begin(), edits.end(),
              [](const json::Edit &a, const json::Edit &b) {
                  return a.offset < b.offset;
              });
    return edits;
}

}  // namespace llm::anthropic
