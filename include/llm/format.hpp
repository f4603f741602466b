// A format is one wire API of language models, in both directions. Since each
// format reads and writes requests, answers, streams and errors, any client's
// format can be served by any provider's: N formats, not N times N.
//
// To add one: a file in src/formats/, a declaration below, and a row in
// src/formats/registry.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "llm/chat.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"
#include "llm/wire.hpp"

namespace llm {

enum class Operation : std::uint8_t { chat, models };

// One way into a format: how a client's path ends, and what it asks for.
struct Route {
    std::string_view suffix;    // "/chat/completions"
    Operation operation;
};

struct HeaderField {
    std::string_view name;      // lower case
    std::string_view value;
};

// What may differ between providers of one format: data, in a provider's row.
struct Quirks {
    // OpenAI: the member that bounds the answer. Reasoning models refuse
    // max_tokens; most compatible servers know nothing else.
    bool max_completion_tokens = false;
    bool developer_role = false;        // else sent as "system"
    bool stream_options = true;         // accepts stream_options
    bool parallel_tool_calls = true;    // accepts parallel_tool_calls
    // Anthropic: accepts output_config {effort, format} (4.5 and later).
    bool output_config = false;
};

struct RequestHead {
    std::string_view model;
    bool stream = false;
    bool include_usage = false;     // the client wants usage in its stream
    std::optional<std::int64_t> max_tokens;
    std::int64_t choices = 1;       // answers that are wanted, each so long
};

struct WriteOptions {
    std::string_view model;             // the name the provider knows
    // What the target cannot express is dropped also where leaving it out
    // changes the answer, not refused. Mere hints are always dropped.
    bool drop_unsupported = false;
    // For targets that demand a bound when the client set none.
    std::int64_t default_max_tokens = 4096;
    Quirks quirks{};
};

// What a writer needs to know besides the answer itself.
struct AnswerContext {
    // What the client called the model; used where the provider names none.
    std::string_view request_model;
    bool include_usage = false;     // the client asked for usage in a stream
    std::int64_t now = 0;           // Unix seconds, for "created"
    // Made by the caller, unique: the tail of ids that the format must have
    // and the provider did not give, e.g. "chatcmpl-" + this.
    std::string_view unique;
    // A count or a guess of the prompt's tokens, for answers in which the
    // provider does not name them, or only at the end; 0: unknown.
    std::int64_t prompt_estimate = 0;
};

// Whether a client of the same format gets a frame of a stream as it is.
enum class Relay : std::uint8_t { as_is, edited, drop };

// Reads the frames of one streamed answer.
class StreamReader {
public:
    virtual ~StreamReader() = default;

    // One frame; frames without data are ignored.
    virtual void read(const wire::Frame &frame, chat::EventSink &sink) = 0;

    // For a stream that stays in its format: what the client gets of the
    // frame that was read last. Relay::edited: `edited` received the bytes to
    // send in its place (usage that the client did not ask for is gone).
    virtual Relay relay(const wire::Frame &frame, bool include_usage,
                        std::string &edited) = 0;

    // The stream is at its end. Emits what a missing terminator left out:
    // done after a finish reason, else an error. Nothing
    // where done or error was emitted already.
    virtual void end(chat::EventSink &sink) = 0;
};

// Writes the events of one streamed answer.
class StreamWriter {
public:
    virtual ~StreamWriter() = default;

    // Appends the bytes that the event becomes, maybe none.
    virtual void write(const chat::Event &event, std::string &out) = 0;
};

class Format {
public:
    virtual ~Format() = default;

    virtual std::string_view name() const noexcept = 0;

    // Ways in, for clients.
    virtual std::span<const Route> routes() const noexcept = 0;

    // The path that a request goes to, to be appended to a provider's URL;
    // the model is percent-encoded where it is part of the path.
    virtual std::string path(std::string_view model, bool stream) const = 0;

    // Where a provider lists its models, to be appended to its URL.
    virtual std::string_view models_path() const noexcept = 0;

    // Headers that every request of this format carries, such as
    // anthropic-version. Not the credentials.
    virtual std::span<const HeaderField> headers() const noexcept = 0;

    // Headers of the client's request that a provider of this format also
    // understands and that are not credentials: passed on when present.
    virtual std::span<const std::string_view> client_headers() const noexcept {
        return {};
    }

    // Whether a stream's first event names the prompt's tokens, before most
    // providers do.
    virtual bool begins_with_usage() const noexcept { return false; }

    // The header of an answer that names the request, for support and logs;
    // in lower case.
    virtual std::string_view request_id_header() const noexcept = 0;

    // How a key is sent: "authorization" (as "Bearer KEY") or a header's name.
    virtual std::string_view key_header() const noexcept = 0;

    // The few members that routing needs, and whether the rest can be a
    // request at all: refuses what no server of this format would take (no
    // model, no messages), but leaves new roles, parts and members to the
    // provider, so that a call which stays in its format is never refused for
    // being newer than this gateway.
    virtual Result<RequestHead> parse_head(
        const json::Document &document) const = 0;

    // Body to normalised call. `document` is the parsed body. Strict: what it
    // does not understand and cannot leave out is an Error with its param.
    virtual Result<chat::Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const = 0;

    // Normalised call to body.
    virtual Result<void> write_request(const chat::Request &request,
                                       const WriteOptions &options,
                                       std::string &out) const = 0;

    // For a call that stays in its format: the changes that it needs all the
    // same, as edits of the body (the model's name, usage in streams). Sorted
    // and disjoint; empty: the body goes as it is.
    virtual std::vector<json::Edit> request_edits(
        std::string_view body, const json::Document &document,
        const WriteOptions &options) const = 0;

    // An answer with a 2xx status. An error in the provider's shape under
    // such a status is an Error.
    virtual Result<chat::Response> parse_response(
        const json::Document &document,
        std::pmr::memory_resource *memory) const = 0;

    virtual void write_response(const chat::Response &response,
                                const AnswerContext &context,
                                std::string &out) const = 0;

    // max_event: bytes of one frame; more is an error.
    virtual std::unique_ptr<wire::Framer> make_framer(
        std::size_t max_event) const = 0;
    virtual std::unique_ptr<StreamReader> make_reader() const = 0;
    virtual std::unique_ptr<StreamWriter> make_writer(
        const AnswerContext &context) const = 0;

    // The content type of a stream in this format.
    virtual std::string_view stream_type() const noexcept = 0;

    // A provider's error answer: any status, any body, JSON or not.
    virtual Error parse_error(int status, std::string_view body) const = 0;
    // Appends the body of an error answer.
    virtual void write_error(const Error &error, std::string &out) const = 0;
    // The status that this API's SDKs expect for the error.
    virtual int error_status(const Error &error) const noexcept = 0;

    // The answer to Operation::models.
    virtual void write_models(std::span<const std::string_view> models,
                              std::int64_t now, std::string &out) const = 0;
};

const Format &openai_format() noexcept;
const Format &anthropic_format() noexcept;

// All formats, in the order of their routes' precedence.
std::span<const Format *const> formats() noexcept;

// nullptr where no format has this name.
const Format *find_format(std::string_view name) noexcept;

// The format and operation that a path asks for, by its end: any location
// prefix works. `headers` decide where two formats share a path (/models:
// "anthropic-version" means Anthropic). nullptr: no such route.
struct RouteMatch {
    const Format *format = nullptr;
    Operation operation = Operation::chat;
};
RouteMatch match_route(std::string_view path, bool anthropic_version) noexcept;

}  // namespace llm
