#include "llm/chat.hpp"

#include <algorithm>

namespace llm::chat {

namespace {

// Chat completions nest what the Responses API has flat.
json::Value allowed_object(const ToolChoice &choice) noexcept {
    json::Value inner = choice.source["allowed_tools"];
    return inner ? inner : choice.source;
}

}  // namespace

std::vector<std::string_view> allowed_tools(const ToolChoice &choice) {
    std::vector<std::string_view> names;
    for (json::Value tool : allowed_object(choice)["tools"].elements()) {
        json::Value inner = tool[tool["type"].string()];
        names.push_back((inner.is_object() ? inner : tool)["name"].string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

bool demands_call(const ToolChoice &choice) noexcept {
    return allowed_object(choice)["mode"].string() == "required";
}

json::Value custom_format(const Tool &tool) noexcept {
    json::Value inner = tool.source["custom"];
    return (inner.is_object() ? inner : tool.source)["format"];
}

std::string_view to_string(Role role) noexcept {
    switch (role) {
    case Role::system:
        return "system";
    case Role::developer:
        return "developer";
    case Role::user:
        return "user";
    case Role::assistant:
        return "assistant";
    case Role::tool:
        return "tool";
    }
    return {};
}

std::string_view to_string(FinishReason reason) noexcept {
    switch (reason) {
    case FinishReason::none:
        return {};
    case FinishReason::stop:
        return "stop";
    case FinishReason::length:
        return "length";
    case FinishReason::tool_calls:
        return "tool_calls";
    case FinishReason::content_filter:
        return "content_filter";
    // Not OpenAI's own word; OpenRouter uses it.
    case FinishReason::error:
        return "error";
    }
    return {};
}

}  // namespace llm::chat
