#include <algorithm>

#include "formats/openai/openai.hpp"
#include "formats/openai/tables.hpp"

namespace llm::openai {

namespace {

// Sums of a few counts must not overflow, whatever a provider sends.
constexpr std::int64_t most_tokens = std::int64_t{1} << 53;

}  // namespace

chat::Usage parse_usage(json::Value value) {
    chat::Usage usage;

    for (const auto &row : usage_members()) {
        json::Value group = row.group.empty() ? value : value[row.group];
        auto count = group[row.name].integer();
        if (count) {
            usage.*row.field = std::clamp<std::int64_t>(*count, 0, most_tokens);
        }
    }

    usage.known = value["prompt_tokens"].is_number()
                  || value["completion_tokens"].is_number();

    // xAI leaves the reasoning tokens out of the completion's, but not out of
    // the total.
    std::int64_t sum = usage.prompt_tokens + usage.completion_tokens;
    if (usage.reasoning_tokens > 0
        && usage.total_tokens == sum + usage.reasoning_tokens) {
        usage.completion_tokens += usage.reasoning_tokens;
    }
    if (usage.total_tokens == 0) {
        usage.total_tokens = sum;
    }
    return usage;
}

json::Value find_usage(json::Value root) {
    if (json::Value usage = root["usage"]; usage.is_object()) {
        return usage;
    }
    // Groq, in the last chunk.
    if (json::Value usage = root["x_groq"]["usage"]; usage.is_object()) {
        return usage;
    }
    // Moonshot.
    for (json::Value choice : root["choices"].elements()) {
        if (json::Value usage = choice["usage"]; usage.is_object()) {
            return usage;
        }
    }
    return {};
}

void write_usage(json::Writer &writer, const chat::Usage &usage) {
    writer.begin_object()
        .member("prompt_tokens", usage.prompt_tokens)
        .member("completion_tokens", usage.completion_tokens)
        .member("total_tokens", usage.total_tokens);

    writer.key("prompt_tokens_details").begin_object()
        .member("cached_tokens", usage.cached_tokens);
    if (usage.cache_write_tokens > 0) {
        writer.member("cache_write_tokens", usage.cache_write_tokens);
    }
    writer.member("audio_tokens", usage.audio_prompt_tokens).end_object();

    writer.key("completion_tokens_details").begin_object()
        .member("reasoning_tokens", usage.reasoning_tokens)
        .member("audio_tokens", usage.audio_completion_tokens)
        .end_object();

    writer.end_object();
}

}  // namespace llm::openai
