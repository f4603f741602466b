#include <algorithm>

#include "formats/cohere/cohere.hpp"

namespace llm::cohere {

namespace {

// Sums of a few counts must not overflow, whatever a provider sends.
constexpr double most_tokens = 0x1p53;

// The API's numbers are floating point.
std::int64_t count(json::Value value) {
    double number = value.number().value_or(0);
    return number > 0 ? static_cast<std::int64_t>(std::min(number, most_tokens))
                      : 0;
}

}  // namespace

// What is billed leaves out what Cohere puts before a prompt; what counts
// here is what the model read and wrote.
chat::Usage read_usage(json::Value value) {
    json::Value tokens = value["tokens"];
    if (!tokens.is_object()) {
        tokens = value["billed_units"];
    }
    chat::Usage usage;
    usage.prompt_tokens = count(tokens["input_tokens"]);
    usage.completion_tokens = count(tokens["output_tokens"]);
    usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
    usage.cached_tokens = count(value["cached_tokens"]);
    usage.known = tokens["input_tokens"].is_number()
                  || tokens["output_tokens"].is_number();
    return usage;
}

void write_usage(json::Writer &w, const chat::Usage &usage) {
    w.begin_object();
    for (std::string_view group : {"billed_units", "tokens"}) {
        w.key(group).begin_object()
            .member("input_tokens", usage.prompt_tokens)
            .member("output_tokens", usage.completion_tokens)
            .end_object();
    }
    w.member("cached_tokens", usage.cached_tokens).end_object();
}

}  // namespace llm::cohere
