#include "formats/unsupported.hpp"

#include <algorithm>

namespace llm {

namespace {

bool has_extra(const chat::Request &request, std::string_view name) noexcept {
    return std::any_of(
        request.extra.begin(), request.extra.end(),
        [name](const json::Member &member) { return member.name == name; });
}

}  // namespace

bool wants_several_answers(const chat::Request &request) noexcept {
    return request.n.value_or(1) > 1;
}

bool wants_logprobs(const chat::Request &request) noexcept {
    return request.logprobs.value_or(false);
}

bool wants_more_than_text(const chat::Request &request) noexcept {
    auto words = request.modalities.elements();
    return std::any_of(words.begin(), words.end(), [](json::Value word) {
        return word.string() != "text";
    });
}

bool wants_web_search(const chat::Request &request) noexcept {
    return request.web_search_options.is_object();
}

bool has_mcp_servers(const chat::Request &request) noexcept {
    return has_extra(request, "mcp_servers");
}

bool has_cached_content(const chat::Request &request) noexcept {
    return has_extra(request, "cachedContent")
           || has_extra(request, "cached_content");
}

bool has_response_type(const chat::Request &request) noexcept {
    return has_extra(request, "responseMimeType");
}

std::string_view first_unsupported(std::span<const Unsupported> rows,
                                   const chat::Request &request) noexcept {
    for (const Unsupported &row : rows) {
        if (row.asked(request)) {
            return row.param;
        }
    }
    return {};
}

}  // namespace llm
