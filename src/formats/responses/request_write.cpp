#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "formats/functions.hpp"
#include "formats/openai/models.hpp"
#include "formats/openai/tables.hpp"
#include "formats/responses/responses.hpp"
#include "formats/responses/sealed.hpp"
#include "formats/tool_name.hpp"
#include "formats/unsupported.hpp"
#include "llm/json.hpp"
#include "text/hash.hpp"

namespace llm::responses {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;
using json::Value;

// What other APIs can ask for and this one has no way to say, where leaving it
// out would make the answer another one. Hints (seed, logit_bias, penalties,
// prediction) are left out without a word.
constexpr Unsupported unsupported_rows[] = {
    {"n", wants_several_answers},
    {"stop", [](const Request &request) { return !request.stop.empty(); }},
    {"modalities", wants_more_than_text},
    {"web_search_options", wants_web_search},
    {"mcp_servers", has_mcp_servers},
};

// OpenAI refuses less.
constexpr std::int64_t least_max_tokens = 16;

// Of what a user's message can hold by mistake: neither is sent.
bool is_said(const Part &part) {
    return part.type != PartType::reasoning
           && part.type != PartType::redacted_reasoning
           && part.type != PartType::tool_call;
}

class RequestWriter {
public:
    RequestWriter(const Request &request, const WriteOptions &options,
                  std::string &out)
        : request_(request), options_(options), w_(out),
          own_(request.origin == &responses_format()),
          traits_(own_ ? nullptr : openai::find_model(options.model)),
          effort_(openai::effort_word(request.reasoning, traits_)) {}

    Result<void> write();

private:
    bool write_body();
    // False after it has set error_; true where unsupported is dropped.
    bool unsupported(std::string_view what, std::string_view param);
    bool check();

    bool write_input();
    bool write_message(const Message &message);
    bool write_turn(const Message &message);
    bool write_parts(const chat::List<Part> &parts);
    bool write_part(const Part &part);
    std::string_view obstacle(const Part &part) const;
    void write_data_url(std::string_view media_type, std::string_view data);
    void write_assistant(const Message &message);
    void write_words(std::string_view text);
    void write_call(const Part &part);
    void write_reasoning_item(const Part &part);
    bool write_output(const Message &message);

    void write_settings();
    bool write_tools();
    void write_tool(const chat::Tool &tool);
    void write_tool_choice();
    void write_tool_name(std::string_view name);
    void write_text();
    void write_reasoning();
    void write_include();

    const Request &request_;
    const WriteOptions &options_;
    json::Writer w_;
    bool own_;                      // the client spoke this format
    // nullptr also where the client knows them.
    const openai::ModelTraits *traits_;
    std::string_view effort_;
    Error error_;
    std::string text_;              // put together from parts
    std::unordered_set<std::string_view> custom_calls_;     // ids so far
};

bool RequestWriter::unsupported(std::string_view what,
                                std::string_view param) {
    if (options_.drop_unsupported) {
        return true;
    }
    error_ = llm::unsupported(std::string(what) +
                                  " cannot be sent to this model's provider",
                              std::string(param));
    return false;
}

bool RequestWriter::check() {
    std::string_view param = first_unsupported(unsupported_rows, request_);
    return param.empty() || unsupported(param, param);
}

Result<void> RequestWriter::write() {
    if (!check() || !write_body()) {
        return std::move(error_);
    }
    return {};
}

bool RequestWriter::write_body() {
    w_.begin_object().member("model", options_.model);
    if (!write_input()) {
        return false;
    }
    write_settings();
    if (!write_tools()) {
        return false;
    }
    if (own_) {
        for (const json::Member &member : request_.extra) {
            w_.member(member.name, member.value);
        }
    } else {
        write_text();
        write_reasoning();
        write_include();
        // Unlike chat completions, this API keeps what it is not told to
        // forget.
        w_.member("store", request_.store.boolean());
        if (request_.metadata) {
            w_.member("metadata", request_.metadata);
        }
    }
    w_.end_object();
    return true;
}

// Input

bool RequestWriter::write_input() {
    const auto &messages = request_.messages;
    std::size_t first = 0;
    if (own_ && !messages.empty() && messages[0].role == Role::system
        && messages[0].source.is_string()) {
        w_.member("instructions", messages[0].source);
        first = 1;
    }
    if (own_ && messages.size() == first + 1
        && messages[first].source.is_string()) {
        w_.member("input", messages[first].source);
        return true;
    }

    w_.key("input").begin_array();
    for (std::size_t i = first; i < messages.size(); ++i) {
        if (!write_message(messages[i])) {
            return false;
        }
    }
    w_.end_array();
    return true;
}

bool RequestWriter::write_message(const Message &message) {
    if (own_ && message.source.is_object()) {
        w_.raw(message.source.raw());
        return true;
    }
    switch (message.role) {
    case Role::assistant:
        write_assistant(message);
        return true;
    case Role::tool:
        return write_output(message);
    default:
        return write_turn(message);
    }
}

// What a system message or a user says.
bool RequestWriter::write_turn(const Message &message) {
    if (std::none_of(message.parts.begin(), message.parts.end(), is_said)) {
        return true;
    }
    w_.begin_object().member("type", "message")
        .member("role", chat::to_string(message.role)).key("content");
    if (message.parts.size() == 1 && message.parts[0].type == PartType::text) {
        w_.string(message.parts[0].text);
    } else if (!write_parts(message.parts)) {
        return false;
    }
    w_.end_object();
    return true;
}

bool RequestWriter::write_parts(const chat::List<Part> &parts) {
    w_.begin_array();
    for (const Part &part : parts) {
        if (!write_part(part)) {
            return false;
        }
    }
    w_.end_array();
    return true;
}

// Why a part has no form in an input; empty: it has one.
std::string_view RequestWriter::obstacle(const Part &part) const {
    // Files are kept by OpenAI for both of its APIs.
    bool same_store = own_ || request_.origin == &openai_format();
    switch (part.type) {
    case PartType::image:
    case PartType::file:
        if (!part.data.empty() || !part.url.empty()
            || (same_store && !part.file_id.empty())) {
            return "";
        }
        return part.type == PartType::image
                   ? "an image given by a file id"
                   : "a document given by a file id";
    case PartType::audio:
        return "audio";
    case PartType::native:
        return "a content block of this type";
    default:
        return "";
    }
}

void RequestWriter::write_data_url(std::string_view media_type,
                                   std::string_view data) {
    text_.assign("data:").append(media_type).append(";base64,").append(data);
    w_.string(text_);
}

bool RequestWriter::write_part(const Part &part) {
    if (own_ && part.source) {
        w_.raw(part.source.raw());
        return true;
    }
    if (!is_said(part)) {
        return true;
    }
    if (auto what = obstacle(part); !what.empty()) {
        return unsupported(what, functions::param_of(request_, part));
    }

    w_.begin_object();
    switch (part.type) {
    case PartType::image:
        w_.member("type", "input_image");
        if (!part.data.empty()) {
            w_.key("image_url");
            write_data_url(part.media_type, part.data);
        } else if (!part.url.empty()) {
            w_.member("image_url", part.url);
        } else {
            w_.member("file_id", part.file_id);
        }
        w_.member("detail", part.detail.empty() ? "auto" : part.detail);
        break;
    case PartType::file:
        w_.member("type", "input_file");
        if (!part.data.empty()) {
            // The API takes no data without a name.
            bool pdf = part.media_type == "application/pdf";
            w_.member("filename", !part.filename.empty() ? part.filename
                                  : pdf ? "document.pdf" : "document")
                .key("file_data");
            write_data_url(part.media_type, part.data);
        } else if (!part.url.empty()) {
            w_.member("file_url", part.url);
        } else {
            w_.member("file_id", part.file_id);
        }
        break;
    default:
        w_.member("type", "input_text").member("text", part.text);
        break;
    }
    w_.end_object();
    return true;
}

// Texts between two other parts are one message; thoughts and calls are items
// of their own, in their order. Blocks that only another format knows are left
// out: what they led to is in the text that follows them.
void RequestWriter::write_assistant(const Message &message) {
    const auto &parts = message.parts;
    auto item_of = [](const Part &part) { return part.source.raw().data(); };

    text_.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Part &part = parts[i];
        if (own_ && part.source.is_object()) {
            // The parts of one message have it as their source, all of them.
            write_words(std::exchange(text_, {}));
            if (i == 0 || item_of(parts[i - 1]) != item_of(part)) {
                w_.raw(part.source.raw());
            }
            continue;
        }

        switch (part.type) {
        case PartType::text:
        case PartType::refusal:
            text_.append(part.text);
            break;
        case PartType::tool_call:
            write_words(std::exchange(text_, {}));
            write_call(part);
            break;
        case PartType::reasoning:
            write_words(std::exchange(text_, {}));
            write_reasoning_item(part);
            break;
        default:
            break;
        }
        if (part.type == PartType::tool_call && part.custom) {
            custom_calls_.insert(part.id);
        }
    }
    write_words(std::exchange(text_, {}));
}

void RequestWriter::write_words(std::string_view text) {
    if (!text.empty()) {
        w_.begin_object().member("type", "message")
            .member("role", "assistant")
            .member("content", text)
            .end_object();
    }
}

void RequestWriter::write_call(const Part &part) {
    w_.begin_object()
        .member("type", part.custom ? "custom_tool_call" : "function_call")
        .member("call_id", part.id)
        .member("name", std::string_view(legal_tool_name(part.name)));
    if (part.custom) {
        w_.member("input", part.arguments);
    } else {
        w_.member("arguments",
                  part.arguments.empty() ? "{}" : part.arguments);
    }
    w_.end_object();
}

// Thoughts of other providers are none of this one's.
void RequestWriter::write_reasoning_item(const Part &part) {
    auto sealed = unseal(part.signature);
    if (!sealed) {
        return;
    }
    w_.begin_object().member("type", "reasoning").key("id");
    if (sealed->id == "rs_") {
        std::string id = "rs_";
        append_hex(id, fnv1a(sealed->encrypted_content));
        w_.string(id);
    } else {
        w_.string(sealed->id);
    }
    w_.key("summary").begin_array();
    if (!part.text.empty()) {
        w_.begin_object().member("type", "summary_text")
            .member("text", part.text).end_object();
    }
    w_.end_array().member("encrypted_content", sealed->encrypted_content)
        .end_object();
}

bool RequestWriter::write_output(const Message &message) {
    bool custom = custom_calls_.contains(message.tool_call_id);
    w_.begin_object()
        .member("type", custom ? "custom_tool_call_output"
                               : "function_call_output")
        .member("call_id", message.tool_call_id)
        .key("output");

    bool texts = std::all_of(
        message.parts.begin(), message.parts.end(), [](const Part &part) {
            return part.type == PartType::text
                   || part.type == PartType::refusal;
        });
    if (texts) {
        text_.assign(message.tool_error ? "Error: " : "");
        for (std::size_t i = 0; i < message.parts.size(); ++i) {
            text_.append(i > 0 ? "\n" : "").append(message.parts[i].text);
        }
        w_.string(text_);
    } else if (!write_parts(message.parts)) {
        return false;
    }
    w_.end_object();
    return true;
}

// Settings

void RequestWriter::write_settings() {
    if (request_.max_tokens) {
        // Clients of other APIs ask for 0, to warm a cache, or 1, to see
        // whether anybody answers.
        std::int64_t most = *request_.max_tokens;
        if (!own_) {
            most = std::max(most, least_max_tokens);
        }
        if (traits_ && traits_->max_tokens != 0) {
            most = std::min(most, traits_->max_tokens);
        }
        w_.member("max_output_tokens", most);
    }
    bool sampling = openai::takes_sampling(traits_, effort_);
    if (request_.temperature && sampling) {
        w_.member("temperature", request_.temperature);
    }
    if (request_.top_p && sampling) {
        w_.member("top_p", request_.top_p);
    }
    if (!request_.user.empty()) {
        std::string user = openai::end_user(request_.user);
        w_.member("user", own_ ? request_.user : std::string_view(user));
    }
    if (!request_.service_tier.empty()) {
        w_.member("service_tier", request_.service_tier);
    }
    if (request_.stream) {
        w_.member("stream", true);
    }
}

bool RequestWriter::write_tools() {
    bool any = false;
    for (const chat::Tool &tool : request_.tools) {
        if (!own_ && tool.type == chat::Tool::Type::native) {
            if (!unsupported("a tool that another API defines",
                             functions::param_of(request_, tool))) {
                return false;
            }
            continue;
        }
        if (!any) {
            w_.key("tools").begin_array();
            any = true;
        }
        if (own_ && tool.source) {
            w_.raw(tool.source.raw());
        } else {
            write_tool(tool);
        }
    }
    if (!any) {
        return true;
    }
    w_.end_array();

    write_tool_choice();
    if (request_.parallel_tool_calls && options_.quirks.parallel_tool_calls) {
        w_.member("parallel_tool_calls", *request_.parallel_tool_calls);
    }
    return true;
}

void RequestWriter::write_tool(const chat::Tool &tool) {
    bool custom = tool.type == chat::Tool::Type::custom;
    w_.begin_object().member("type", custom ? "custom" : "function")
        .member("name", std::string_view(legal_tool_name(tool.name)));
    if (!tool.description.empty()) {
        w_.member("description", tool.description);
    }
    if (custom) {
        Value format = chat::custom_format(tool);
        if (format["type"].string() == "grammar") {
            Value inner = format["grammar"];
            Value grammar = inner.is_object() ? inner : format;
            w_.key("format").begin_object().member("type", "grammar")
                .member("syntax", grammar["syntax"].string())
                .member("definition", grammar["definition"].string())
                .end_object();
        }
    } else {
        w_.key("parameters");
        if (tool.parameters) {
            w_.raw(tool.parameters.raw());
        } else {
            w_.raw(R"({"type":"object","properties":{}})");
        }
        // True where nothing is said, which most schemas do not satisfy.
        w_.member("strict", tool.strict.value_or(false));
    }
    w_.end_object();
}

void RequestWriter::write_tool_name(std::string_view name) {
    bool custom = std::any_of(
        request_.tools.begin(), request_.tools.end(),
        [&](const chat::Tool &tool) {
            return tool.type == chat::Tool::Type::custom && tool.name == name;
        });
    w_.begin_object().member("type", custom ? "custom" : "function")
        .member("name", std::string_view(legal_tool_name(name)))
        .end_object();
}

void RequestWriter::write_tool_choice() {
    using Mode = chat::ToolChoice::Mode;

    if (!request_.tool_choice) {
        return;
    }
    const chat::ToolChoice &choice = *request_.tool_choice;
    w_.key("tool_choice");
    if (own_ && choice.source) {
        w_.raw(choice.source.raw());
        return;
    }
    switch (choice.mode) {
    case Mode::automatic:
        w_.string("auto");
        break;
    case Mode::none:
        w_.string("none");
        break;
    case Mode::required:
        w_.string("required");
        break;
    case Mode::named:
        write_tool_name(choice.name);
        break;
    case Mode::allowed: {
        auto allowed = chat::allowed_tools(choice);
        w_.begin_object().member("type", "allowed_tools")
            .member("mode", chat::demands_call(choice) ? "required" : "auto")
            .key("tools").begin_array();
        for (const chat::Tool &tool : request_.tools) {
            if (tool.type != chat::Tool::Type::native
                && std::binary_search(allowed.begin(), allowed.end(),
                                      tool.name)) {
                w_.begin_object()
                    .member("type", tool.type == chat::Tool::Type::custom
                                        ? "custom" : "function")
                    .member("name",
                            std::string_view(legal_tool_name(tool.name)))
                    .end_object();
            }
        }
        w_.end_array().end_object();
        break;
    }
    }
}

void RequestWriter::write_text() {
    using Type = chat::ResponseFormat::Type;

    if (!request_.response_format && request_.verbosity.empty()) {
        return;
    }
    w_.key("text").begin_object();
    if (request_.response_format) {
        const chat::ResponseFormat &format = *request_.response_format;
        w_.key("format").begin_object();
        switch (format.type) {
        case Type::text:
            w_.member("type", "text");
            break;
        case Type::json_object:
            w_.member("type", "json_object");
            break;
        case Type::json_schema:
            w_.member("type", "json_schema")
                .member("name", format.name.empty() ? "answer" : format.name);
            if (!format.description.empty()) {
                w_.member("description", format.description);
            }
            w_.key("schema").raw(format.schema ? format.schema.raw()
                                               : R"({"type":"object"})");
            if (format.strict) {
                w_.member("strict", *format.strict);
            }
            break;
        }
        w_.end_object();
    }
    if (!request_.verbosity.empty()) {
        w_.member("verbosity", request_.verbosity);
    }
    w_.end_object();
}

void RequestWriter::write_reasoning() {
    if (!effort_.empty()) {
        w_.key("reasoning").begin_object().member("effort", effort_)
            .end_object();
    }
}

// The thoughts, sealed, for the client to give back: nobody keeps them.
// Models that do not think refuse to be asked for them.
void RequestWriter::write_include() {
    bool logprobs = request_.logprobs.value_or(false);
    bool reasoning = !effort_.empty() && effort_ != "none";
    if (!reasoning && !logprobs) {
        return;
    }
    w_.key("include").begin_array();
    if (reasoning) {
        w_.string("reasoning.encrypted_content");
    }
    if (logprobs) {
        w_.string("message.output_text.logprobs");
    }
    w_.end_array();
    if (logprobs && request_.top_logprobs) {
        w_.member("top_logprobs", *request_.top_logprobs);
    }
}

}  // namespace

Result<void> write_request(const Request &request, const WriteOptions &options,
                           std::string &out) {
    return RequestWriter(request, options, out).write();
}

}  // namespace llm::responses
