// What is data in AWS Bedrock's Converse API: words and what they mean.
// Source, where nothing else is said: the service model of bedrock-runtime
// (2023-09-30) that AWS' SDKs are made from, and the Bedrock API reference.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "llm/chat.hpp"
#include "llm/result.hpp"

namespace llm::bedrock {

// A stopReason's meaning; a word that is new counts as stop, an empty one as
// none.
chat::FinishReason finish_reason(std::string_view stop_reason) noexcept;

// The stopReason to write; `native` is kept where it is one of the API's own
// words for that reason.
std::string_view stop_reason(chat::FinishReason reason,
                             std::string_view native) noexcept;

// An exception of the API: its name, as in "__type" and x-amzn-errortype, and
// its status.
struct ErrorRow {
    std::string_view name;
    ErrorKind kind;
    int status;
};

// The exception that a client of this API gets for an error.
const ErrorRow &error_row(ErrorKind kind) noexcept;
// What the provider means by one; the name may begin in lower case, as in
// streams. nullptr: unknown.
const ErrorRow *find_exception(std::string_view name) noexcept;

// The exception that ends a stream for an error: the API has fewer there.
std::string_view stream_exception(ErrorKind kind) noexcept;

// The media that a block may hold. `block`: "image", "document", "audio" or
// "video".
struct MediaRow {
    std::string_view block;
    std::string_view format;        // the API's word
    std::string_view media_type;    // the first of a format is the one to write
    std::string_view extension;     // of a file's name; empty: no file
};

// nullptr: there is none.
const MediaRow *find_format(std::string_view block,
                            std::string_view format) noexcept;
const MediaRow *find_media_type(std::string_view block,
                                std::string_view media_type) noexcept;
// By the ending of a file's name.
const MediaRow *find_file(std::string_view name) noexcept;

// OpenAI's name of a service tier for Bedrock's, and back; empty: none.
std::string_view openai_tier(std::string_view tier) noexcept;
std::string_view bedrock_tier(std::string_view openai_tier) noexcept;

// How a model is told to think: what additionalModelRequestFields holds.
enum class Thinking : std::uint8_t {
    none,       // there is no way
    claude,     // "thinking", as in Anthropic's own API
    nova,       // "reasoningConfig"
    effort,     // "reasoning_effort"
};

// How a model is held to a JSON schema.
enum class Schema : std::uint8_t {
    none,       // it cannot be
    tool,       // by a tool that it must call
    format,     // outputConfig.textFormat
};

// What a family of models takes beyond what all do.
struct ModelTraits {
    std::string_view contains;      // in the model's id; "": any other
    Thinking thinking;
    Schema schema;
    bool cache_points;
    // Where top_k goes in additionalModelRequestFields: a member, or one
    // within an object ("inferenceConfig.topK"); empty: nowhere.
    std::string_view top_k;
};

const ModelTraits &model_traits(std::string_view model) noexcept;

}  // namespace llm::bedrock
