#include "formats/tool_plan.hpp"

#include <algorithm>
#include <utility>

namespace llm {

using chat::Tool;
using Mode = chat::ToolChoice::Mode;

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

Result<std::vector<std::size_t>> plan_tools(const chat::Request &request,
                                            const WriteOptions &options,
                                            bool ours) {
    ToolFilter filter(request);
    std::vector<std::size_t> sent;
    for (std::size_t i = 0; i < request.tools.size(); ++i) {
        const Tool &tool = request.tools[i];
        // A choice of its own a format can repeat.
        if (!ours && !filter.allows(tool.name)) {
            continue;
        }
        Obstacle found = obstacle(tool, ours);
        if (!found.what.empty()) {
            std::string param = "tools[" + std::to_string(i) + "]";
            auto outcome = refuse(options, param.append(found.member),
                                  found.what);
            if (!outcome) {
                return std::move(outcome.error());
            }
        }
        if (!found.fatal) {
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
