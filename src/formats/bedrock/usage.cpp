#include <algorithm>

#include "formats/bedrock/bedrock.hpp"

namespace llm::bedrock {

chat::Usage read_usage(json::Value value) noexcept {
    bool known = false;
    auto count = [&](std::string_view name) {
        auto tokens = value[name].integer();
        known |= tokens.has_value();
        return std::max<std::int64_t>(tokens.value_or(0), 0);
    };
    chat::Usage usage;
    usage.cached_tokens = count("cacheReadInputTokens");
    usage.cache_write_tokens = count("cacheWriteInputTokens");
    usage.prompt_tokens = count("inputTokens") + usage.cached_tokens
                          + usage.cache_write_tokens;
    usage.completion_tokens = count("outputTokens");
    usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
    usage.known = known;
    return usage;
}

void write_usage(json::Writer &writer, const chat::Usage &usage,
                 std::int64_t estimate) {
    bool counted = usage.known || usage.estimated;
    std::int64_t input = counted ? usage.prompt_tokens - usage.cached_tokens
                                       - usage.cache_write_tokens
                                 : estimate;
    input = std::max<std::int64_t>(input, 0);
    writer.begin_object()
        .member("inputTokens", input)
        .member("outputTokens", usage.completion_tokens)
        .member("totalTokens", input + usage.cached_tokens
                                   + usage.cache_write_tokens
                                   + usage.completion_tokens);
    if (usage.cached_tokens != 0) {
        writer.member("cacheReadInputTokens", usage.cached_tokens);
    }
    if (usage.cache_write_tokens != 0) {
        writer.member("cacheWriteInputTokens", usage.cache_write_tokens);
    }
    writer.end_object();
}

void write_metrics(json::Writer &writer) {
    writer.key("metrics").begin_object().member("latencyMs", 0).end_object();
}

}  // namespace llm::bedrock
