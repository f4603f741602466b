// Usage. Source: UsageMetadata. promptTokenCount has the cached tokens in it,
// candidatesTokenCount has not those of thoughts.
#include <algorithm>

#include "formats/gemini/gemini.hpp"

namespace llm::gemini {

namespace {

// Sums of a few counts must not overflow, whatever a provider sends.
constexpr std::int64_t most_tokens = std::int64_t{1} << 53;

std::int64_t count(json::Value usage, std::string_view name) noexcept {
    return std::clamp<std::int64_t>(usage[name].integer().value_or(0), 0,
                                    most_tokens);
}

std::int64_t audio(json::Value details) noexcept {
    for (json::Value one : details.elements()) {
        if (one["modality"].string() == "AUDIO") {
            return count(one, "tokenCount");
        }
    }
    return 0;
}

}  // namespace

chat::Usage parse_usage(json::Value value) noexcept {
    chat::Usage usage;
    usage.known = value["promptTokenCount"].is_number()
                  || value["candidatesTokenCount"].is_number()
                  || value["totalTokenCount"].is_number();
    usage.prompt_tokens = count(value, "promptTokenCount")
                          + count(value, "toolUsePromptTokenCount");
    usage.cached_tokens = count(value, "cachedContentTokenCount");
    usage.reasoning_tokens = count(value, "thoughtsTokenCount");
    usage.completion_tokens =
        count(value, "candidatesTokenCount") + usage.reasoning_tokens;
    usage.audio_prompt_tokens = audio(value["promptTokensDetails"]);
    usage.audio_completion_tokens = audio(value["candidatesTokensDetails"]);
    usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
    return usage;
}

void write_usage(json::Writer &writer, const chat::Usage &usage) {
    std::int64_t reasoning =
        std::min(usage.reasoning_tokens, usage.completion_tokens);
    writer.begin_object()
        .member("promptTokenCount", usage.prompt_tokens)
        .member("candidatesTokenCount", usage.completion_tokens - reasoning)
        .member("totalTokenCount", usage.total_tokens);
    if (usage.cached_tokens != 0) {
        writer.member("cachedContentTokenCount", usage.cached_tokens);
    }
    if (reasoning != 0) {
        writer.member("thoughtsTokenCount", reasoning);
    }
    auto details = [&](std::string_view name, std::int64_t tokens) {
        if (tokens != 0) {
            writer.key(name).begin_array().begin_object()
                .member("modality", "AUDIO")
                .member("tokenCount", tokens)
                .end_object().end_array();
        }
    };
    details("promptTokensDetails", usage.audio_prompt_tokens);
    details("candidatesTokensDetails", usage.audio_completion_tokens);
    writer.end_object();
}

}  // namespace llm::gemini
