// The normalised call: the one vocabulary that every format is translated to
// and from. Names follow OpenAI's chat completions and the OpenTelemetry GenAI
// conventions; OpenAI's API reference is the source of the shapes.
//
// Texts are views: into the body that was parsed, into its json::Document, or
// into memory of the resource that the request was made with. All three must
// outlive the request, the response or (for events) the callback.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm {

class Format;

namespace chat {

template <typename T>
using List = std::pmr::vector<T>;

enum class Role : std::uint8_t { system, developer, user, assistant, tool };

enum class PartType : std::uint8_t {
    text,           // text
    image,          // url, or data and media_type; detail
    audio,          // data, media_type ("audio/wav")
    file,           // data and media_type, or url, or file_id; filename
    refusal,        // text
    reasoning,      // text, signature (may be empty)
    redacted_reasoning, // data
    tool_call,      // id, name, arguments; only in assistant messages
    native,         // a block that only its own format knows: `source`
};

// One piece of a message. Members that a type does not name are empty.
struct Part {
    PartType type = PartType::text;
    std::string_view text;
    std::string_view media_type;    // MIME type
    std::string_view data;          // base64
    std::string_view url;
    std::string_view file_id;
    std::string_view filename;
    std::string_view detail;        // image: "auto", "low", "high"
    // reasoning, and what Google's models sign besides: the provider's proof,
    // to be given back with the part as it came.
    std::string_view signature;
    std::string_view id;            // tool_call
    std::string_view name;          // tool_call
    // tool_call: JSON text of an object, as the model wrote it ("" is legal:
    // no arguments). A custom (free-form) tool call: its input, plain text.
    std::string_view arguments;
    bool custom = false;            // tool_call of an OpenAI "custom" tool
    json::Value cache_control;      // Anthropic's, or absent
    // The block as it came; absent if made. What a format cannot express in
    // the members above it takes from here, so whoever changes a part must
    // clear it.
    json::Value source;
};

struct Message {
    explicit Message(std::pmr::memory_resource *memory) : parts(memory) {}

    Role role = Role::user;
    List<Part> parts;
    std::string_view name;          // participant's name; may be empty
    std::string_view tool_call_id;  // Role::tool: the call it answers
    bool tool_error = false;        // Role::tool: the tool failed
    json::Value source;             // the message as it came; absent if made
};

struct Tool {
    enum class Type : std::uint8_t { function, custom, native };

    Type type = Type::function;
    std::string_view name;
    std::string_view description;
    json::Value parameters;         // JSON Schema; absent: no parameters
    std::optional<bool> strict;
    json::Value cache_control;
    json::Value source;             // the tool as it came
};

struct ToolChoice {
    enum class Mode : std::uint8_t { automatic, none, required, named, allowed };

    Mode mode = Mode::automatic;
    std::string_view name;          // Mode::named
    json::Value source;             // Mode::allowed: OpenAI's object
};

struct ResponseFormat {
    enum class Type : std::uint8_t { text, json_object, json_schema };

    Type type = Type::text;
    std::string_view name;          // json_schema
    std::string_view description;
    json::Value schema;
    std::optional<bool> strict;
};

// How much the model is to think before it answers.
struct Reasoning {
    enum class Mode : std::uint8_t { unset, disabled, adaptive, budget };

    Mode mode = Mode::unset;
    // OpenAI's word: none, minimal, low, medium, high, xhigh, max. May be set
    // with any mode; empty: not said.
    std::string_view effort;
    std::int64_t budget_tokens = 0; // Mode::budget
    json::Value source;             // Anthropic's "thinking" object
};

struct Request {
    explicit Request(std::pmr::memory_resource *memory)
        : messages(memory), tools(memory), stop(memory), extra(memory),
          essential(memory) {}

    std::string_view model;
    List<Message> messages;         // system and developer ones in their place
    List<Tool> tools;
    std::optional<ToolChoice> tool_choice;
    std::optional<bool> parallel_tool_calls;
    std::optional<ResponseFormat> response_format;

    std::optional<std::int64_t> max_tokens;
    // Numbers keep the digits they were written with: raw() is what is sent.
    json::Value temperature;        // 0..2
    json::Value top_p;              // 0..1
    json::Value top_k;
    json::Value frequency_penalty;
    json::Value presence_penalty;
    json::Value seed;
    json::Value logit_bias;
    std::optional<std::int64_t> n;  // absent: 1
    std::optional<bool> logprobs;
    std::optional<std::int64_t> top_logprobs;
    List<std::string_view> stop;

    Reasoning reasoning;
    std::string_view verbosity;
    json::Value modalities;         // OpenAI's array
    json::Value audio;
    json::Value prediction;
    json::Value web_search_options;
    json::Value metadata;           // OpenAI's object of strings
    std::string_view user;          // end user's id (Anthropic: user_id)
    std::string_view service_tier;
    json::Value store;

    bool stream = false;
    bool include_usage = false;     // OpenAI's stream_options.include_usage

    // Members that no field above stands for, in their order. A writer of the
    // same format passes them on; any other treats them by its table
    // (what would change the answer is refused) or drops them.
    List<json::Member> extra;
    // Names of members in `extra` that only their own format can say, and
    // without which the answer would be another one: such a call is refused
    // for a provider of any other format, or they are dropped if configured.
    List<std::string_view> essential;
    const Format *origin = nullptr; // the format of `extra` and of `source`s
};

enum class FinishReason : std::uint8_t {
    none,           // not finished
    stop,
    length,
    tool_calls,
    content_filter,
    error,          // the provider failed in the middle of the answer
};

// Tokens, as OpenAI counts them: cached and cache_write are parts of prompt,
// reasoning is a part of completion. Anthropic's three input counts are
// disjoint and are added up.
struct Usage {
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    std::int64_t total_tokens = 0;
    std::int64_t cached_tokens = 0;         // prompt read from a cache
    std::int64_t cache_write_tokens = 0;    // prompt written to a cache
    std::int64_t reasoning_tokens = 0;
    std::int64_t audio_prompt_tokens = 0;
    std::int64_t audio_completion_tokens = 0;
    bool known = false;             // false: the provider has not said
    bool estimated = false;         // counted by the gateway
};

struct Choice {
    explicit Choice(std::pmr::memory_resource *memory) : message(memory) {}

    std::int64_t index = 0;
    Message message;                // Role::assistant
    FinishReason finish_reason = FinishReason::none;
    std::string_view native_finish_reason;  // the provider's word
    std::string_view stop_sequence;         // which one stopped it, if said
    json::Value logprobs;
};

struct Response {
    explicit Response(std::pmr::memory_resource *memory) : choices(memory) {}

    std::string_view id;
    std::string_view model;         // what the provider says it was
    std::int64_t created = 0;       // Unix seconds; 0: not said
    List<Choice> choices;
    Usage usage;
    std::string_view service_tier;
    std::string_view system_fingerprint;
};

// One step of a streamed answer. Order, per stream: start; then any of text,
// image, reasoning, refusal, tool_call, tool_arguments; then finish, per choice;
// usage at any time, each one replaces what it names; at last done or error.
struct Event {
    enum class Type : std::uint8_t {
        start,          // id, model, created
        text,           // text; signature, which may come with no text
        image,          // media_type, text: base64, whole
        reasoning,      // text
        reasoning_signature,    // text: the signature
        redacted_reasoning,     // text: the data
        refusal,        // text
        tool_call,      // call, id, name, signature: a call begins
        tool_arguments, // call, text: a fragment of its JSON
        logprobs,       // value: OpenAI's logprobs object of this choice
        finish,         // finish_reason, native, stop_sequence
        usage,          // usage (cumulative, not to be added up)
        ping,           // the provider is alive
        error,          // error: the stream is over and failed
        done,           // the stream is over, as it should be
    };

    Type type = Type::ping;
    std::int64_t choice = 0;        // 0 but where n > 1
    std::string_view text;
    // Dense from 0 in order of first appearance, per choice.
    std::size_t call = 0;
    std::string_view id;
    std::string_view name;
    bool custom = false;            // tool_call: of an OpenAI "custom" tool
    std::string_view signature;     // as Part::signature
    std::string_view media_type;
    std::string_view model;
    std::int64_t created = 0;
    FinishReason finish_reason = FinishReason::none;
    std::string_view native;        // the provider's word for finish_reason
    std::string_view stop_sequence;
    json::Value value;
    Usage usage;
    const Error *error = nullptr;
};

// Where a StreamReader puts its events; views in them die with the call.
class EventSink {
public:
    virtual void on_event(const Event &event) = 0;

protected:
    ~EventSink() = default;
};

// What OpenAI's two APIs write in different shapes, from either's `source`.
// The names that Mode::allowed allows, sorted.
std::vector<std::string_view> allowed_tools(const ToolChoice &choice);
// Whether Mode::allowed demands that one of them is called.
bool demands_call(const ToolChoice &choice) noexcept;
// The "format" of a custom tool, {"type":"grammar",...}; absent: free text.
json::Value custom_format(const Tool &tool) noexcept;

std::string_view to_string(Role role) noexcept;             // OpenAI's word
std::string_view to_string(FinishReason reason) noexcept;   // OpenAI's word

}  // namespace chat
}  // namespace llm
