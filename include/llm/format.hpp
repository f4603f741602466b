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
#include <vector>

#include "llm/chat.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"
#include "llm/wire.hpp"

namespace llm {

class Format;

namespace embedding {
class Api;
}  // namespace embedding

enum class Operation : std::uint8_t {
    chat,
    models,
    model,              // which of them the path names
    version,            // what the server is: Ollama's /api/version
    show,               // what a model is: Ollama's /api/show
    embeddings,
    pass_through,       // not translated (llm/pass_through.hpp)
};

// Whether it is asked for with POST and a body; else with GET.
constexpr bool has_body(Operation operation) noexcept {
    return operation == Operation::chat || operation == Operation::embeddings
           || operation == Operation::show;
}

constexpr bool is_about_models(Operation operation) noexcept {
    return operation == Operation::models || operation == Operation::model;
}

// One way into a format: how a client's path ends, and what it asks for.
struct Route {
    // "/chat/completions". At most one "{model}" stands for the model's name:
    // "/models/{model}:generateContent".
    std::string_view pattern = {};
    Operation operation;
    bool stream = false;        // the path says so, not the body
};

// What a client's headers say of the API that it speaks, for paths that
// several formats have.
struct ClientHints {
    bool anthropic_version = false;     // "anthropic-version"
    bool google_key = false;            // "x-goog-api-key", or "key" in a query
    bool cohere_sdk = false;            // "x-fern-sdk-name: cohere..."
};

// What a client's path and query ask for.
struct RouteMatch {
    const Format *format = nullptr;     // nullptr: no such route
    Operation operation = Operation::chat;
    std::string_view model = {};             // of the path; empty: the body has it
    bool stream = false;                // of the path
    std::string_view query = {};             // as it came, without "?"
    // Operation::embeddings: in whose API; `format` is that of its errors.
    const embedding::Api *embeddings = nullptr;
    bool single = false;                // of embeddings: one text, no list
};

struct HeaderField {
    std::string_view name = {};      // lower case
    std::string_view value = {};
};

// Whose service a format is offered by, where its paths and bodies differ
// there from those of the vendor's own.
enum class Hosting : std::uint8_t {
    own,
    azure_deployments,  // OpenAI's: /deployments/{model}/..., api-version
    vertex,             // Anthropic's on Google Cloud
    bedrock,            // Anthropic's as InvokeModel on AWS
};

// A member of a request that a server has another name for, or none.
struct MemberRule {
    std::string_view name;
    std::string_view to = {};   // empty: left out
};

// How a server of OpenAI's API is told the JSON Schema of its answer.
enum class SchemaForm : std::uint8_t {
    openai,     // {"type":"json_schema","json_schema":{"name","schema"}}
    flat,       // {"type":"json_schema","schema":...}
    schema,     // {"type":"json_object","schema":...}
    value,      // {"type":"json_object","value":...}
    prompt,     // {"type":"json_object"}, and the schema in a system message
};

// What may differ between providers of one format: data, in a provider's row.
struct Quirks {
    Hosting hosting = Hosting::own;
    std::string_view api_version = {};  // Azure's "api-version"; empty: none
    // OpenAI: the member that bounds the answer. Reasoning models refuse
    // max_tokens; most compatible servers know nothing else.
    bool max_completion_tokens = false;
    bool developer_role = false;        // else sent as "system"
    bool stream_options = true;         // accepts stream_options
    bool parallel_tool_calls = true;    // accepts parallel_tool_calls
    // OpenAI: members of the request that are called otherwise or unknown, of
    // which the server must not hear. The row, or the configuration, owns it.
    std::span<const MemberRule> members = {};
    SchemaForm schema = SchemaForm::openai;
    // OpenAI: Mistral's rules for messages. Nothing but the members that its
    // API names; ids of calls are 9 letters and digits; after results comes
    // the assistant; a last message of the assistant is marked as a prefix.
    bool mistral_messages = false;
    bool null_content = true;           // accepts "content": null
    // OpenAI: takes the assistant's "reasoning_content" back, or wants it.
    bool reasoning_content = false;
    // Anthropic: accepts output_config {effort, format} (4.5 and later).
    bool output_config = false;
    // Completions: how a conversation becomes one text, a name that
    // find_prompt_template() knows; empty: it cannot (llm/prompt_template.hpp).
    std::string_view prompt_template = {};
};

struct RequestHead {
    std::string_view model = {};
    bool stream = false;
    bool include_usage = false;     // the client wants usage in its stream
    std::optional<std::int64_t> max_tokens;
    std::int64_t choices = 1;       // answers that are wanted, each so long
};

struct WriteOptions {
    std::string_view model = {};             // the name the provider knows
    // What the target cannot express is dropped also where leaving it out
    // changes the answer, not refused. Mere hints are always dropped.
    bool drop_unsupported = false;
    // For targets that demand a bound when the client set none.
    std::int64_t default_max_tokens = 4096;
    Quirks quirks{};
    // Anthropic: the beta features asked for, separated by commas, where the
    // body names them (Hosting::bedrock) and not a header.
    std::string_view betas = {};
};

// What a request to a provider is for: what its path is made of.
struct CallPath {
    Operation operation = Operation::chat;
    std::string_view model = {};             // the name the provider knows
    bool stream = false;
    Quirks quirks{};
};

// How answers come whose form depends on who hosts the service.
struct AnswerWire {
    std::string_view stream_type;           // content type of a stream
    std::string_view request_id_header;     // as Format::request_id_header()
    std::string_view error_type_header;     // as Format::error_type_header()
};

// The head of a provider's answer.
struct AnswerHead {
    int status = 0;
    std::string_view content_type = {};
    std::string_view content_encoding = {};
    std::string_view request_id = {};        // of request_id_header
    std::string_view error_type = {};        // of error_type_header
};

// What a writer needs to know besides the answer itself.
struct AnswerContext {
    // What the client called the model; used where the provider names none.
    std::string_view request_model = {};
    bool include_usage = false;     // the client asked for usage in a stream
    std::int64_t now = 0;           // Unix seconds, for "created"
    // Made by the caller, unique: the tail of ids that the format must have
    // and the provider did not give, e.g. "chatcmpl-" + this.
    std::string_view unique = {};
    // A count or a guess of the prompt's tokens, for answers in which the
    // provider does not name them, or only at the end; 0: unknown.
    std::int64_t prompt_estimate = 0;
    std::string_view query = {};    // of the client's path: Gemini's "alt=sse"
    // The client's body, which lives as long as any writer made with this:
    // for formats whose answers repeat what was asked. Absent: not known.
    json::Value request = {};
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

    // For such a stream that breaks: appends the event that ends it, in its
    // place after the frames that were relayed. False, and nothing is
    // appended: it looks as in a stream of its own, which a StreamWriter
    // writes.
    virtual bool break_off(const Error & /*error*/, std::string & /*out*/) {
        return false;
    }

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

    // Whether a client with these hints speaks this API and no other.
    virtual bool recognises(const ClientHints &) const noexcept {
        return false;
    }

    // The path (and query) that a request goes to, to be appended to a
    // provider's URL; the model is percent-encoded where it is part of it.
    virtual std::string path(const CallPath &call) const = 0;

    // Where a provider lists its models, to be appended to its URL.
    virtual std::string_view models_path() const noexcept = 0;

    // Headers that every request of this format carries, such as
    // anthropic-version. Not the credentials.
    virtual std::span<const HeaderField> headers() const noexcept = 0;

    // Headers of the client's request that a provider of this format also
    // understands and that are not credentials: passed on when present.
    // Hosting::bedrock takes neither these nor those of headers().
    virtual std::span<const std::string_view> client_headers() const noexcept {
        return {};
    }

    // Whether a stream's first event names the prompt's tokens, before most
    // providers do.
    virtual bool begins_with_usage() const noexcept { return false; }

    // The header of an answer that names the request, for support and logs;
    // in lower case.
    virtual std::string_view request_id_header() const noexcept = 0;

    // The header of an error answer that names its type; empty: none.
    virtual std::string_view error_type_header() const noexcept { return {}; }

    // How a key is sent: "authorization" (as "Bearer KEY") or a header's name.
    virtual std::string_view key_header() const noexcept = 0;

    // The few members that routing needs, and whether the rest can be a
    // request at all: refuses what no server of this format would take (no
    // model, no messages), but leaves new roles, parts and members to the
    // provider, so that a call which stays in its format is never refused for
    // being newer than this gateway. What the path says, `route` holds.
    virtual Result<RequestHead> parse_head(const json::Document &document,
                                           const RouteMatch &route) const = 0;

    // Body to normalised call. `document` is the parsed body. Strict: what it
    // does not understand and cannot leave out is an Error with its param.
    // The caller adds what only the path says: the model, whether to stream.
    virtual Result<chat::Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const = 0;

    // How many prompts a call lists, each of which is answered by itself.
    // parse_request() refuses several.
    virtual std::size_t prompts(const json::Document &) const noexcept {
        return 1;
    }
    // As parse_request(), of one of them.
    virtual Result<chat::Request> parse_prompt(
        const json::Document &document, std::size_t,
        std::pmr::memory_resource *memory) const {
        return parse_request(document, memory);
    }

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

    // Whether answers hold members of AnswerContext::request, so that they
    // fit that one request alone.
    virtual bool echoes_request() const noexcept { return false; }

    // max_event: bytes of one frame; more is an error.
    virtual std::unique_ptr<wire::Framer> make_framer(
        std::size_t max_event) const = 0;
    virtual std::unique_ptr<StreamReader> make_reader() const = 0;
    virtual std::unique_ptr<StreamWriter> make_writer(
        const AnswerContext &context) const = 0;

    // The content type of a provider's stream in this format.
    virtual std::string_view stream_type() const noexcept = 0;
    // The content type of a stream that make_writer() writes for a client
    // whose path has this query.
    virtual std::string_view client_stream_type(
        std::string_view /*query*/) const noexcept {
        return stream_type();
    }

    // A provider's error answer: any status, any body, JSON or not.
    virtual Error parse_error(const AnswerHead &head,
                              std::string_view body) const = 0;
    Error parse_error(int status, std::string_view body) const {
        AnswerHead head;
        head.status = status;
        return parse_error(head, body);
    }
    // Appends the body of an error answer.
    virtual void write_error(const Error &error, std::string &out) const = 0;
    // What error_type_header() says of an error that a client of this API
    // gets; empty: there is no such header.
    virtual std::string_view error_type(const Error & /*error*/)
        const noexcept {
        return {};
    }
    // The status that this API's SDKs expect for the error.
    virtual int error_status(const Error &error) const noexcept = 0;

    // The array that is a provider's list of models, and the name of one of
    // its elements.
    virtual json::Value listed_models(json::Value root) const {
        return root["data"];
    }
    virtual std::string_view listed_name(json::Value model) const {
        return model["id"].string();
    }
    // The names in a provider's list of models; nullopt: it is none.
    std::optional<std::vector<std::string_view>> parse_models(
        json::Value root) const;
    // The answer to Operation::models.
    virtual void write_models(std::span<const std::string_view> models,
                              std::int64_t now, std::string &out) const = 0;
    // The answer to Operation::model; formats that have no such route have
    // none. `listed`: what a provider of this format lists of it, or absent.
    virtual void write_model(std::string_view /*model*/,
                             json::Value /*listed*/, std::int64_t /*now*/,
                             std::string & /*out*/) const {}
    // The answer to Operation::version; formats that have no such route have
    // none.
    virtual void write_version(std::string & /*out*/) const {}
    // Operation::show: the model that the body asks about, empty where it
    // names none; and the answer, with what a gateway knows of it.
    virtual std::string_view parse_show(json::Value /*root*/) const {
        return {};
    }
    virtual void write_show(std::string_view /*model*/, std::int64_t /*now*/,
                            std::string & /*out*/) const {}

    // How a provider with this hosting answers: what differs from
    // stream_type(), the names of headers, and make_framer(). make_reader()
    // reads what comes of it too, and makes Relay::edited of frames that a
    // client of the format cannot have as they came.
    virtual AnswerWire answer_wire(Hosting) const noexcept {
        return {stream_type(), request_id_header(), error_type_header()};
    }
    virtual std::unique_ptr<wire::Framer> make_hosted_framer(
        Hosting, std::size_t max_event) const {
        return make_framer(max_event);
    }
};

const Format &openai_format() noexcept;
const Format &anthropic_format() noexcept;
const Format &gemini_format() noexcept;
const Format &bedrock_format() noexcept;
const Format &responses_format() noexcept;      // OpenAI's Responses API
const Format &completions_format() noexcept;    // OpenAI's legacy completions
const Format &cohere_format() noexcept;
// Ollama's own API: /api/chat, and /api/generate, which is a format of its
// own since its requests and answers look different.
const Format &ollama_format() noexcept;
const Format &ollama_generate_format() noexcept;

// All formats, in the order of their routes' precedence.
std::span<const Format *const> formats() noexcept;

// nullptr where no format has this name.
const Format *find_format(std::string_view name) noexcept;

// The format that a client with these hints speaks; nullptr: they say nothing.
const Format *recognise(const ClientHints &hints) noexcept;

// What a path asks for, by its end: any location prefix works. Where several
// formats have a path, `hints` decide, else the longer pattern.
RouteMatch match_route(std::string_view path,
                       const ClientHints &hints) noexcept;
// Likewise, where only one format is spoken.
RouteMatch match_route(std::string_view path, const Format &format) noexcept;

// The ends of paths that match_route() knows, each once, for an error's text:
// ".../chat/completions, .../models, ...".
std::string list_routes();

}  // namespace llm
