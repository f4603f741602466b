#include <algorithm>

#include "formats/responses/responses.hpp"

namespace llm::responses {

namespace {

using chat::Usage;
using json::Value;

struct UsageMember {
    std::string_view group;         // "" or the object that holds it
    std::string_view name;
    std::int64_t Usage::*field;
};

constexpr UsageMember members[] = {
    {"", "input_tokens", &Usage::prompt_tokens},
    {"input_tokens_details", "cached_tokens", &Usage::cached_tokens},
    {"input_tokens_details", "cache_write_tokens",
     &Usage::cache_write_tokens},
    {"", "output_tokens", &Usage::completion_tokens},
    {"output_tokens_details", "reasoning_tokens", &Usage::reasoning_tokens},
    {"", "total_tokens", &Usage::total_tokens},
};

// Sums of a few counts must not overflow, whatever a provider sends.
constexpr std::int64_t most_tokens = std::int64_t{1} << 53;

}  // namespace

Usage parse_usage(Value value) {
    Usage usage;
    for (const auto &row : members) {
        Value group = row.group.empty() ? value : value[row.group];
        if (auto count = group[row.name].integer()) {
            usage.*row.field = std::clamp<std::int64_t>(*count, 0, most_tokens);
        }
    }
    usage.known = value["input_tokens"].is_number()
                  || value["output_tokens"].is_number();
    if (usage.total_tokens == 0) {
        usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
    }
    return usage;
}

void write_usage(json::Writer &writer, const Usage &usage) {
    writer.begin_object();
    std::string_view open;
    for (const auto &row : members) {
        if (row.group != open) {
            if (!open.empty()) {
                writer.end_object();
            }
            if (!row.group.empty()) {
                writer.key(row.group).begin_object();
            }
            open = row.group;
        }
        writer.member(row.name, usage.*row.field);
    }
    writer.end_object();
}

}  // namespace llm::responses
