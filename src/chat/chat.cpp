#include "llm/chat.hpp"

namespace llm::chat {

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
