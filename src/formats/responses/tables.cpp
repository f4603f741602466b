#include "formats/responses/tables.hpp"

namespace llm::responses {

namespace {

using chat::FinishReason;

struct IncompleteReason {
    std::string_view word;
    FinishReason reason;
};

// Of several words for one reason the first is written.
constexpr IncompleteReason incomplete[] = {
    {"max_output_tokens", FinishReason::length},
    {"content_filter", FinishReason::content_filter},
};

struct ErrorCode {
    ErrorKind kind;
    std::string_view code;
};

// The codes are a closed list, most of them about images.
constexpr ErrorCode codes[] = {
    {ErrorKind::invalid_request, "invalid_prompt"},
    {ErrorKind::unsupported, "invalid_prompt"},
    {ErrorKind::too_large, "invalid_prompt"},
    {ErrorKind::rate_limit, "rate_limit_exceeded"},
    {ErrorKind::quota, "rate_limit_exceeded"},
};

// "store" is always false: this gateway keeps no responses, whatever it was
// asked for.
constexpr EchoedMember echoed[] = {
    {"instructions", "null"},
    {"max_output_tokens", "null"},
    {"max_tool_calls", "null"},
    {"parallel_tool_calls", "true"},
    {"prompt_cache_key", "null"},
    {"reasoning", R"({"effort":null,"summary":null})"},
    {"safety_identifier", "null"},
    {"temperature", "null"},
    {"text", R"({"format":{"type":"text"}})"},
    {"tool_choice", R"("auto")"},
    {"tools", "[]"},
    {"top_logprobs", "null"},
    {"top_p", "null"},
    {"truncation", R"("disabled")"},
    {"user", "null"},
    {"metadata", "{}"},
};

constexpr StoredMember stored[] = {
    {"previous_response_id", "names a stored response"},
    {"conversation", "names a stored conversation"},
    {"prompt", "names a stored prompt"},
    {"background", "asks for an answer that is fetched later"},
};

constexpr std::string_view hosted_items[] = {
    "code_interpreter_call", "file_search_call", "mcp_call",
    "mcp_list_tools",        "web_search_call",
};

}  // namespace

FinishReason finish_reason_of(std::string_view reason) noexcept {
    for (const auto &row : incomplete) {
        if (row.word == reason) {
            return row.reason;
        }
    }
    return FinishReason::length;
}

std::string_view incomplete_reason(FinishReason reason) noexcept {
    for (const auto &row : incomplete) {
        if (row.reason == reason) {
            return row.word;
        }
    }
    return {};
}

std::string_view error_code(ErrorKind kind) noexcept {
    for (const auto &row : codes) {
        if (row.kind == kind) {
            return row.code;
        }
    }
    return "server_error";
}

std::span<const EchoedMember> echoed_members() noexcept {
    return echoed;
}

std::span<const StoredMember> stored_members() noexcept {
    return stored;
}

bool is_hosted_item(std::string_view type) noexcept {
    for (std::string_view known : hosted_items) {
        if (known == type) {
            return true;
        }
    }
    return false;
}

}  // namespace llm::responses
