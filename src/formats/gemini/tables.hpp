// What is data in Google's API: words and what they mean.
// Source, where nothing else is said: Gemini API reference and the types of
// google-genai.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "formats/tool_plan.hpp"
#include "llm/chat.hpp"
#include "llm/result.hpp"

namespace llm::gemini {

// Gemini API reference, GenerationConfig.
inline constexpr std::size_t most_stops = 5;

// Functions whose names Google does not allow ("3d_view") travel with this
// prefix, which the readers of answers take off again.
inline constexpr std::string_view name_prefix = "llm_name_";

// The value that lets a call in the history pass that no model of Google's has
// made, and so none has signed. Source: Gemini API docs, Thought signatures.
inline constexpr std::string_view no_signature =
    "skip_thought_signature_validator";

// What stands before another provider's signature, or its encrypted thoughts,
// on the way through a client of this API. Base64, in whole groups of four, as
// what follows it: SDKs decode and encode the member.
inline constexpr std::string_view signature_mark = "llmSignature";
inline constexpr std::string_view redacted_mark = "llmRedacted0";

// A finishReason's meaning. A word that is new counts as stop, an empty one
// as none; FinishReason::error: the model failed, and what there is of an
// answer may be none.
chat::FinishReason finish_reason(std::string_view word) noexcept;
// The finishReason to write; `native` is kept where it is one of the API's own
// words for that reason.
std::string_view finish_word(chat::FinishReason reason,
                             std::string_view native) noexcept;

// An error's status, as a number and as google.rpc.Code's word.
struct ErrorRow {
    ErrorKind kind;
    int status;
    std::string_view word;
};
const ErrorRow &error_row(ErrorKind kind) noexcept;
std::optional<ErrorKind> error_kind(std::string_view word) noexcept;

// OpenAI's service tier for Google's and back; empty: there is none.
std::string_view openai_tier(std::string_view tier) noexcept;
std::string_view google_tier(std::string_view openai_tier) noexcept;

// Google's word for one of OpenAI's modalities, "TEXT" for "text"; empty:
// there is none. And back, in any case.
std::string_view google_modality(std::string_view openai) noexcept;
std::string_view openai_modality(std::string_view google) noexcept;

// The MIME type as Google writes it, or as others do.
std::string_view google_media_type(std::string_view media_type) noexcept;
std::string_view common_media_type(std::string_view media_type) noexcept;
// Of a file, by the end of its URL; empty: not known.
std::string_view media_type_of_url(std::string_view url) noexcept;

// How a model can be made to think.
enum class Thinking : std::uint8_t {
    none,       // not at all
    budget,     // thinkingBudget
    level,      // thinkingLevel
};

// What a family of models takes.
struct ModelTraits {
    std::string_view contains;      // in the model's name; "": any other
    Thinking thinking;
    std::int64_t least_budget;      // 0: it can be made not to think
    std::int64_t most_budget;
    bool minimal;                   // has the level MINIMAL
    bool medium;                    // has the level MEDIUM
    bool json_schema;               // takes JSON Schema, not just its subset
    bool mixes;                     // tools with a schema, or with a search
    bool signatures;                // demands those of its calls back
};
const ModelTraits &model_traits(std::string_view model) noexcept;

// thinkingLevel for one of OpenAI's reasoning efforts, and its budget.
std::string_view thinking_level(std::string_view effort,
                                const ModelTraits &traits) noexcept;
std::int64_t thinking_budget(std::string_view effort) noexcept;
// OpenAI's reasoning effort for a level or a budget; empty: there is none.
std::string_view effort_of_level(std::string_view level) noexcept;
std::string_view effort_of_budget(std::int64_t tokens) noexcept;

}  // namespace llm::gemini
