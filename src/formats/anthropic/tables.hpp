// What is data in the Anthropic Messages API: words and what they mean.
// Source, where nothing else is said: Anthropic API reference (Messages,
// Errors) and the types of the official Python SDK.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/tool_plan.hpp"
#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/result.hpp"

namespace llm::anthropic {

// The API version that this format speaks.
inline constexpr std::string_view api_version = "2023-06-01";

// What a body says instead of the header anthropic-version where the model is
// in the path; empty: neither. Source: Claude on Vertex AI and on Amazon
// Bedrock, in Anthropic's docs and its Python SDK.
std::string_view body_version(Hosting hosting) noexcept;

// Where a model cannot be held to a JSON schema, it is made to call this tool,
// whose input is the answer. The readers of answers and streams know it by
// this name alone, and give its input as text.
inline constexpr std::string_view answer_tool = "llm_structured_answer";

// The signature of a call that one of Google's models has made travels as the
// data of redacted thinking before the call, with this in front of it: clients
// give that back as it came. The reader of requests puts it where it belongs,
// and no provider of this API is sent any.
inline constexpr std::string_view google_mark = "google:";

// A stop_reason's meaning; a word that is new counts as stop, an empty one as
// none.
chat::FinishReason finish_reason(std::string_view stop_reason) noexcept;

// The stop_reason to write; `native` is kept where it is one of the API's own
// words for that reason. Empty: null.
std::string_view stop_reason(chat::FinishReason reason,
                             std::string_view native) noexcept;

// An error's type and status towards clients of this API.
struct ErrorRow {
    ErrorKind kind;
    int status;
    std::string_view type;
};

const ErrorRow &error_row(ErrorKind kind) noexcept;
// nullptr where the type is none of the API's.
const ErrorRow *find_error_type(std::string_view type) noexcept;

// OpenAI's name of a service tier for Anthropic's in a request ("auto",
// "standard_only") or an answer ("standard"), and back; empty: there is none.
std::string_view openai_tier(std::string_view tier) noexcept;
std::string_view request_tier(std::string_view openai_tier) noexcept;
std::string_view answer_tier(std::string_view openai_tier) noexcept;

// How a model can be made to think.
enum class Thinking : std::uint8_t {
    none,       // not at all
    budget,     // "enabled" with budget_tokens
    both,       // "adaptive", too
    adaptive,   // "adaptive" only; thinks unless told not to
};

// The highest word of output_config.effort.
enum class Effort : std::uint8_t { none, high, max, xhigh };

// What a family of models takes.
struct ModelTraits {
    std::string_view contains;      // in the model's name; "": any other
    Thinking thinking;
    Effort effort;
    bool schema;                    // output_config.format
    bool sampling;                  // temperature, top_p and top_k
    std::int64_t max_tokens;        // of one answer; 0: not known
};

const ModelTraits &model_traits(std::string_view model) noexcept;

// The budget of thinking tokens for one of OpenAI's reasoning efforts.
std::int64_t thinking_budget(std::string_view effort) noexcept;

// The least budget_tokens that the API takes.
inline constexpr std::int64_t min_thinking_budget = 1024;

}  // namespace llm::anthropic
