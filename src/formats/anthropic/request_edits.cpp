// The changes of a body that stays in this format.
#include <algorithm>
#include <string>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/tables.hpp"
#include "formats/model_edits.hpp"
#include "formats/responses/sealed.hpp"

namespace llm::anthropic {

namespace {

json::Edit replace(std::string_view body, std::string_view part,
                   std::string text) {
    return {static_cast<std::size_t>(part.data() - body.data()), part.size(),
            std::move(text)};
}

// What another provider's calls and thoughts are signed with, and Anthropic
// refuses. Without any proof are the thoughts of models that sign nothing:
// only Claude's own servers are known to refuse those.
bool is_foreign(json::Value block, bool claude) {
    std::string_view type = block["type"].string();
    if (type == "redacted_thinking") {
        return block["data"].string().starts_with(google_mark);
    }
    if (type != "thinking") {
        return false;
    }
    std::string_view signature = block["signature"].string();
    return signature.empty() ? claude
                             : responses::unseal(signature).has_value();
}

void remove_foreign(std::string_view body, json::Value messages, bool claude,
                    std::vector<json::Edit> &edits) {
    for (json::Value message : messages.elements()) {
        json::Value content = message["content"];
        bool any = false;
        for (json::Value block : content.elements()) {
            any = any || is_foreign(block, claude);
        }
        if (!any) {
            continue;
        }
        std::string text;
        json::Writer writer(text);
        writer.begin_array();
        bool empty = true;
        for (json::Value block : content.elements()) {
            if (!is_foreign(block, claude)) {
                writer.raw(block.raw());
                empty = false;
            }
        }
        // No message may be without a block.
        if (empty) {
            writer.raw(R"({"type":"text","text":"."})");
        }
        writer.end_array();
        edits.push_back(replace(body, content.raw(), std::move(text)));
    }
}

bool has_result(json::Value message) {
    for (json::Value block : message["content"].elements()) {
        if (block["type"].string() == "tool_result") {
            return true;
        }
    }
    return false;
}

// Whether the turn that the request goes on with began with a thought of
// another provider: the model, which has to begin it with one of its own,
// would refuse it.
bool lacks_thought(json::Value messages, bool claude) {
    json::Value first;      // the assistant's message that begins the turn
    for (json::Value message : messages.elements()) {
        if (message["role"].string() != "assistant") {
            first = has_result(message) ? first : json::Value();
        } else if (!first) {
            first = message;
        }
    }
    for (json::Value block : first["content"].elements()) {
        return is_foreign(block, claude);
    }
    return false;
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
    bool claude = options.model.find("claude") != std::string_view::npos;
    json::Value thinking = root["thinking"];
    remove_foreign(body, root["messages"], claude, edits);
    if (thinking["type"].string() == "enabled"
        && lacks_thought(root["messages"], claude)) {
        edits.push_back(
            replace(body, thinking.raw(), R"({"type":"disabled"})"));
    }

    std::sort(edits.begin(), edits.end(),
              [](const json::Edit &a, const json::Edit &b) {
                  return a.offset < b.offset;
              });
    return edits;
}

}  // namespace llm::anthropic
