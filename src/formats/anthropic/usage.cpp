#include <algorithm>

#include "formats/anthropic/anthropic.hpp"

namespace llm::anthropic {

void UsageCounts::update(json::Value usage) noexcept {
    auto set = [](std::optional<std::int64_t> &count, json::Value value) {
        if (auto tokens = value.integer(); tokens && *tokens >= 0) {
            count = tokens;
        }
    };
    set(input_, usage["input_tokens"]);
    set(cache_read_, usage["cache_read_input_tokens"]);
    set(cache_write_, usage["cache_creation_input_tokens"]);
    set(output_, usage["output_tokens"]);
    set(thinking_, usage["output_tokens_details"]["thinking_tokens"]);
}

chat::Usage UsageCounts::usage() const noexcept {
    chat::Usage usage;
    usage.known = input_ || output_;
    usage.cached_tokens = cache_read_.value_or(0);
    usage.cache_write_tokens = cache_write_.value_or(0);
    usage.prompt_tokens = input_.value_or(0) + usage.cached_tokens
                          + usage.cache_write_tokens;
    usage.completion_tokens = output_.value_or(0);
    usage.reasoning_tokens = thinking_.value_or(0);
    usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
    return usage;
}

void write_usage(json::Writer &writer, const chat::Usage &usage,
                 std::int64_t estimate) {
    std::int64_t input = usage.known
                             ? usage.prompt_tokens - usage.cached_tokens
                                   - usage.cache_write_tokens
                             : estimate;
    writer.begin_object()
        .member("input_tokens", std::max<std::int64_t>(input, 0))
        .member("cache_creation_input_tokens", usage.cache_write_tokens)
        .member("cache_read_input_tokens", usage.cached_tokens)
        .member("output_tokens", usage.completion_tokens);
    if (usage.reasoning_tokens != 0) {
        writer.key("output_tokens_details")
            .begin_object()
            .member("thinking_tokens", usage.reasoning_tokens)
            .end_object();
    }
    writer.end_object();
}

}  // namespace llm::anthropic
