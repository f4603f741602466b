#include "llm/provider.hpp"

namespace llm {

namespace {

// Base URLs and quirks are from each provider's own API reference and SDK.
// A quirk differs from its default only where the provider says so:
//   max_completion_tokens   OpenAI, Groq, xAI, Cerebras: max_tokens is
//                           deprecated or unknown there
//   developer_role          only OpenAI's own
//   stream_options          Mistral refuses members that it does not know,
//                           and sends usage unasked, as Perplexity does
//   output_config           Anthropic's models from 4.5 on
// A row without a URL is of a provider that has one for each customer.
//
// Of the other formats those are named that the provider's documentation
// promises for the models that its own format reaches. Hence no completions
// for OpenAI and Azure, whose chat models are not to be had there; who has one
// of the others says so with "also". The key of who also speaks Anthropic's
// API goes where it goes for OpenAI's: not all look at "x-api-key".
constexpr Preset table[] = {
    {"openai", "https://api.openai.com/v1", "openai",
     {.max_completion_tokens = true, .developer_role = true}, {},
     "responses"},
    {"anthropic", "https://api.anthropic.com", "anthropic",
     {.output_config = true}},
    {"azure", "", "openai",
     {.max_completion_tokens = true, .developer_role = true}, "api-key",
     "responses"},
    {"cerebras", "https://api.cerebras.ai/v1", "openai",
     {.max_completion_tokens = true}, {}, "completions"},
    {"dashscope", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
     "openai", {}},
    {"databricks", "", "openai", {}},
    {"deepseek", "https://api.deepseek.com", "openai", {}},
    {"fireworks", "https://api.fireworks.ai/inference/v1", "openai", {},
     "authorization", "responses completions anthropic"},
    {"groq", "https://api.groq.com/openai/v1", "openai",
     {.max_completion_tokens = true}, {}, "responses"},
    {"huggingface", "https://router.huggingface.co/v1", "openai", {}, {},
     "responses"},
    {"llamacpp", "", "openai", {},
     "authorization", "responses completions anthropic"},
    {"mistral", "https://api.mistral.ai/v1", "openai",
     {.stream_options = false}},
    {"moonshot", "https://api.moonshot.ai/v1", "openai", {}},
    {"nim", "", "openai", {},
     "authorization", "responses completions anthropic"},
    {"nvidia", "https://integrate.api.nvidia.com/v1", "openai", {}},
    {"ollama-v1", "", "openai", {},
     "authorization", "responses completions anthropic"},
    {"openrouter", "https://openrouter.ai/api/v1", "openai", {},
     "authorization", "responses completions anthropic"},
    {"perplexity", "https://api.perplexity.ai", "openai",
     {.stream_options = false, .parallel_tool_calls = false}},
    {"together", "https://api.together.xyz/v1", "openai", {}, {},
     "completions"},
    {"vllm", "", "openai", {},
     "authorization", "responses completions anthropic"},
    {"xai", "https://api.x.ai/v1", "openai", {.max_completion_tokens = true},
     {}, "responses"},
};

}  // namespace

std::span<const Preset> presets() noexcept {
    return table;
}

const Preset *find_preset(std::string_view name) noexcept {
    for (const auto &preset : table) {
        if (preset.name == name) {
            return &preset;
        }
    }
    return nullptr;
}

}  // namespace llm
