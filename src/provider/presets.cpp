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
//   schema                  Together, Fireworks: as huggingface_hub sends it
//                           to them; DeepSeek has JSON mode alone
//   reasoning_content       Moonshot, DeepSeek: demanded back with tools
// A row without a URL is of a provider that has one for each customer, or one
// for each region.
//
// Of the other formats those are named that the provider's documentation
// promises for the models that its own format reaches. Hence no completions
// for OpenAI and Azure, whose chat models are not to be had there; who has one
// of the others says so with "also". The key of who also speaks Anthropic's
// API goes where it goes for OpenAI's: not all look at "x-api-key".

// Mistral answers 422 to members that it does not know (API reference, and
// the types of its Python package).
constexpr MemberRule mistral_members[] = {
    {"max_completion_tokens", "max_tokens"},
    {"seed", "random_seed"},
    {"user"},
    {"store"},
    {"logit_bias"},
    {"verbosity"},
    {"safety_identifier"},
    {"prompt_cache_retention"},
};

// Documented to be answered with 400 (Cerebras, "OpenAI compatibility").
constexpr MemberRule cerebras_members[] = {
    {"frequency_penalty"},
    {"presence_penalty"},
    {"logit_bias"},
};

// Refused with 400 (Groq's API reference, "OpenAI compatibility").
constexpr MemberRule groq_members[] = {{"logit_bias"}};

constexpr MemberRule deepseek_members[] = {
    {"max_completion_tokens", "max_tokens"},
    {"seed"},
    {"logit_bias"},
};

constexpr MemberRule perplexity_members[] = {
    {"max_completion_tokens", "max_tokens"},
    {"seed"},
    {"logit_bias"},
};

// Model Studio's reference of the OpenAI-compatible API has no such members.
constexpr MemberRule dashscope_members[] = {
    {"frequency_penalty"},
    {"logit_bias"},
};

constexpr Preset table[] = {
    {"openai", "https://api.openai.com/v1", "openai",
     {.max_completion_tokens = true, .developer_role = true}, {},
     "responses"},
    {"anthropic", "https://api.anthropic.com", "anthropic",
     {.output_config = true}},
    {"azure", "", "openai",
     {.max_completion_tokens = true, .developer_role = true}, "api-key",
     "responses"},
    {"bedrock", "", "bedrock", {}},
    {"bedrock-anthropic", "", "anthropic",
     {.hosting = Hosting::bedrock, .output_config = true}, "authorization"},
    {"cerebras", "https://api.cerebras.ai/v1", "openai",
     {.max_completion_tokens = true, .members = cerebras_members}, {},
     "completions"},
    // The accounts' gateway of Workers AI.
    {"cloudflare", "", "openai", {.null_content = false}},
    {"cohere", "https://api.cohere.com", "cohere", {}},
    {"dashscope", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
     "openai", {.members = dashscope_members}},
    {"databricks", "", "openai", {}},
    {"deepseek", "https://api.deepseek.com", "openai",
     {.members = deepseek_members, .schema = SchemaForm::prompt,
      .reasoning_content = true}},
    {"fireworks", "https://api.fireworks.ai/inference/v1", "openai",
     {.schema = SchemaForm::schema}, "authorization",
     "responses completions anthropic"},
    {"gemini", "https://generativelanguage.googleapis.com/v1beta", "gemini",
     {}},
    {"groq", "https://api.groq.com/openai/v1", "openai",
     {.max_completion_tokens = true, .members = groq_members}, {},
     "responses"},
    {"huggingface", "https://router.huggingface.co/v1", "openai", {}, {},
     "responses"},
    {"llamacpp", "", "openai", {},
     "authorization", "responses completions anthropic"},
    {"mistral", "https://api.mistral.ai/v1", "openai",
     {.stream_options = false, .members = mistral_members,
      .mistral_messages = true}},
    {"moonshot", "https://api.moonshot.ai/v1", "openai",
     {.reasoning_content = true}},
    {"nim", "", "openai", {}, "authorization",
     "responses completions anthropic"},
    {"nvidia", "https://integrate.api.nvidia.com/v1", "openai", {}},
    {"ollama", "http://127.0.0.1:11434", "ollama", {}, {},
     "ollama-generate"},
    {"ollama-v1", "", "openai", {}, "authorization",
     "responses completions anthropic"},
    {"openrouter", "https://openrouter.ai/api/v1", "openai", {},
     "authorization", "responses completions anthropic"},
    {"perplexity", "https://api.perplexity.ai", "openai",
     {.stream_options = false, .parallel_tool_calls = false,
      .members = perplexity_members}},
    {"tgi", "", "openai", {.schema = SchemaForm::value}},
    {"together", "https://api.together.xyz/v1", "openai",
     {.schema = SchemaForm::flat}, {}, "completions"},
    {"vertex", "", "gemini", {.hosting = Hosting::vertex}, "authorization"},
    {"vertex-anthropic", "", "anthropic", {.hosting = Hosting::vertex},
     "authorization"},
    {"vllm", "", "openai", {}, "authorization",
     "responses completions anthropic"},
    {"voyage", "https://api.voyageai.com/v1", "openai", {}},
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
