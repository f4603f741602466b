#include "formats/tool_plan.hpp"

#include <algorithm>
#include <utility>

namespace llm {

using chat::Tool;
using Mode = chat::ToolChoice::Mode;

std::string sent_tool_name(std::string_view name, bool custom) {
    return std::string(custom ? custom_prefix : std::string_view())
        .append(name);
}

bool take_custom_prefix(std::string_view &name) noexcept {
    bool custom = name.starts_with(custom_prefix);
    name.remove_prefix(custom ? custom_prefix.size() : 0);
    return custom;
}

std::string_view custom_text(json::Value arguments,
                             std::string_view whole) noexcept {
    json::Value input = arguments[custom_input];
    return input.is_string() ? input.string() : whole;
}

ToolFilter::ToolFilter(const chat::Request &request) {
    if (!request.tool_choice) {
        return;
    }
    const chat::ToolChoice &choice = *request.tool_choice;
    limits_ = choice.mode == Mode::allowed;
    if (limits_) {
        names_ = chat::allowed_tools(choice);
    }
    demands_call_ = choice.mode == Mode::required || choice.mode == Mode::named
                    || (limits_ && chat::demands_call(choice));
}

bool ToolFilter::allows(std::string_view name) const {
    return !limits_
           || std::binary_search(names_.begin(), names_.end(), name);
}

namespace {

// Why a tool cannot be sent as it is; `member` is the one that says so.
struct Obstacle {
    std::string_view member;
    std::string_view what;
    bool fatal = false;     // nothing of it can be sent
};

Obstacle obstacle(const Tool &tool, bool ours) {
    if (tool.type == Tool::Type::native && !ours) {
        return {".type", "is not supported by this model's provider", true};
    }
    if (tool.type == Tool::Type::custom
        && chat::custom_format(tool)["type"].string() == "grammar") {
        bool nested = tool.source["custom"].is_object();
        return {nested ? ".custom.format" : ".format",
                "must be text for this model's provider"};
    }
    return {};
}

}  // namespace

Result<bool> plan_tool(const chat::Request &request, std::size_t index,
                       const WriteOptions &options, bool ours) {
    Obstacle found = obstacle(request.tools[index], ours);
    if (!found.what.empty()) {
        std::string param = "tools[" + std::to_string(index) + "]";
        auto outcome =
            refuse(options, param.append(found.member), found.what);
        if (!outcome) {
            return std::move(outcome.error());
        }
    }
    return !found.fatal;
}

Result<std::vector<std::size_t>> plan_tools(const chat::Request &request,
                                            const WriteOptions &options,
                                            bool ours) {
    ToolFilter filter(request);
    std::vector<std::size_t> sent;
    for (std::size_t i = 0; i < request.tools.size(); ++i) {
        // A choice of its own a format can repeat.
        if (!ours && !filter.allows(request.tools[i].name)) {
            continue;
        }
        auto is_sent = plan_tool(request, i, options, ours);
        if (!is_sent) {
            return std::move(is_sent.error());
        }
        if (*is_sent) {
            sent.push_back(i);
        }
    }
    return sent;
}

Result<void> refuse(const WriteOptions &options, const std::string &param,
                    std::string_view what) {
    if (options.drop_unsupported) {
        return {};
    }
    return unsupported(param + " " + std::string(what), param);
}

}  // namespace llm
