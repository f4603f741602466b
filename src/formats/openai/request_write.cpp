#include <algorithm>
#include <span>
#include <utility>

#include "formats/functions.hpp"
#include "formats/model_edits.hpp"
#include "formats/openai/models.hpp"
#include "formats/openai/openai.hpp"
#include "formats/openai/tables.hpp"
#include "formats/tool_name.hpp"
#include "formats/unsupported.hpp"

namespace llm::openai {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;
using json::Value;

// OpenAI API reference: up to four sequences.
constexpr std::size_t most_stops = 4;

// What models that think refuse.
constexpr std::string_view sampling_members[] = {
    "temperature", "top_p", "frequency_penalty", "presence_penalty",
    "logit_bias",
};

// Members of other formats that change what the model can do, and that this
// API has no place for; all others can be left out.
constexpr Unsupported unsupported_rows[] = {
    {"mcp_servers", has_mcp_servers},
    {"cachedContent", has_cached_content},
    {"responseMimeType", has_response_type},
};

class RequestWriter {
public:
    RequestWriter(const Request &request, const WriteOptions &options,
                  std::string &out)
        : request_(request), options_(options), w_(out),
          own_(request.origin == &openai_format()),
          traits_(own_ ? nullptr : find_model(options.model)),
          effort_(effort()) {}

    Result<void> write();

private:
    using Parts = std::vector<const Part *>;
    using Messages = std::span<const Message>;

    // False after it has set error_; true where unsupported is dropped.
    bool unsupported(std::string_view what, std::string_view param);

    void write_scalar(const ScalarMember &scalar);
    void write_limits();
    void write_stream();
    bool write_messages();
    std::size_t turn_at(std::size_t index) const;
    bool write_turn(Messages turn);
    bool write_attachments();
    void write_source(const Message &message);
    std::string_view role_word(Role role) const;
    void write_system(const Message &message);
    bool write_user(std::string_view name, Parts parts);
    bool keep_writable(Parts &parts);
    std::string_view obstacle(const Part &part) const;
    void write_part(const Part &part);
    void write_data_url(std::string_view media_type, std::string_view data);
    void write_assistant(Messages turn);
    void write_tool_call(const Part &part);
    bool write_tool_result(const Message &message);
    bool write_tools();
    void write_custom_format(Value format);
    void write_named_tool(std::string_view name);
    void write_tool_choice();
    void write_response_format();
    std::string_view effort() const;
    bool takes(const ScalarMember &scalar) const;
    bool write_extra();

    const Request &request_;
    const WriteOptions &options_;
    json::Writer w_;
    bool own_;                  // the client spoke this format
    const ModelTraits *traits_; // nullptr also where the client knows them
    std::string_view effort_;
    Error error_;
    std::string text_;          // put together from parts
    // Images and files of tool results, which cannot hold them here: a user
    // message after the results does.
    Parts attachments_;
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

Result<void> RequestWriter::write() {
    w_.begin_object().member("model", options_.model);
    if (!write_messages()) {
        return std::move(error_);
    }
    write_limits();
    for (const ScalarMember &scalar : scalar_members()) {
        if (takes(scalar)) {
            write_scalar(scalar);
        }
    }
    if (!request_.service_tier.empty()) {
        w_.member("service_tier", request_.service_tier);
    }
    if (!write_tools()) {
        return std::move(error_);
    }
    write_response_format();
    if (!effort_.empty()) {
        w_.member("reasoning_effort", effort_);
    }
    write_stream();
    if (!write_extra()) {
        return std::move(error_);
    }
    w_.end_object();
    return {};
}

void RequestWriter::write_scalar(const ScalarMember &scalar) {
    if (auto *text = std::get_if<ScalarMember::Text>(&scalar.target)) {
        auto value = request_.*text->field;
        if (value.empty()) {
            return;
        }
        std::string user;
        if (!own_ && text->field == &Request::user) {
            value = user = end_user(value);
        }
        w_.member(scalar.name, value);
    } else if (auto *count = std::get_if<ScalarMember::Count>(
                   &scalar.target)) {
        if (auto value = request_.*count->field) {
            w_.member(scalar.name, *value);
        }
    } else if (auto *flag = std::get_if<ScalarMember::Flag>(&scalar.target)) {
        if (auto value = request_.*flag->field) {
            w_.member(scalar.name, *value);
        }
    } else if (auto value =
                   request_.*std::get<ScalarMember::Raw>(scalar.target).field) {
        w_.member(scalar.name, value);
    }
}

void RequestWriter::write_limits() {
    if (request_.max_tokens) {
        // Anthropic's 0, which only warms a cache, is refused here.
        std::int64_t most = std::max<std::int64_t>(*request_.max_tokens, 1);
        if (traits_ && traits_->max_tokens != 0) {
            most = std::min(most, traits_->max_tokens);
        }
        w_.member(options_.quirks.max_completion_tokens
                      ? "max_completion_tokens"
                      : "max_tokens",
                  most);
    }

    if (!request_.stop.empty()) {
        std::size_t count = request_.stop.size();
        if (!own_) {
            count = std::min(count, most_stops);
        }
        w_.key("stop").begin_array();
        for (std::size_t i = 0; i < count; ++i) {
            w_.string(request_.stop[i]);
        }
        w_.end_array();
    }
}

void RequestWriter::write_stream() {
    if (!request_.stream) {
        return;
    }
    w_.member("stream", true);
    if (options_.quirks.stream_options) {
        w_.key("stream_options").begin_object()
            .member("include_usage", true)
            .end_object();
    }
}

// Messages

bool RequestWriter::write_messages() {
    w_.key("messages").begin_array();
    Messages all = request_.messages;
    for (std::size_t i = 0; i < all.size();) {
        std::size_t count = turn_at(i);
        if (!write_turn(all.subspan(i, count))) {
            return false;
        }
        i += count;
    }
    if (!write_attachments()) {
        return false;
    }
    w_.end_array();
    return true;
}

// How many messages from this one on are written as one: after calls the API
// takes nothing but their results, where others let the assistant speak again.
std::size_t RequestWriter::turn_at(std::size_t index) const {
    std::size_t end = index;
    bool calls = false;
    do {
        const auto &parts = request_.messages[end].parts;
        calls = calls
                || std::any_of(parts.begin(), parts.end(),
                               [](const Part &part) {
                                   return part.type == PartType::tool_call;
                               });
        ++end;
    } while (!own_ && calls && end < request_.messages.size()
             && request_.messages[end - 1].role == Role::assistant
             && request_.messages[end].role == Role::assistant);
    return end - index;
}

bool RequestWriter::write_turn(Messages turn) {
    const Message &message = turn.front();
    bool as_it_came = own_ && message.source;

    if (message.role == Role::tool && !as_it_came) {
        return write_tool_result(message);
    }
    if (message.role == Role::user && !as_it_came) {
        Parts parts = std::exchange(attachments_, {});
        for (const Part &part : message.parts) {
            parts.push_back(&part);
        }
        return write_user(message.name, std::move(parts));
    }

    // Results of one turn's calls stand together; after the last of them is
    // the place for what they could not hold.
    if (message.role != Role::tool && !write_attachments()) {
        return false;
    }
    if (as_it_came) {
        write_source(message);
    } else if (message.role == Role::assistant) {
        write_assistant(turn);
    } else {
        write_system(message);
    }
    return true;
}

bool RequestWriter::write_attachments() {
    return write_user({}, std::exchange(attachments_, {}));
}

// As it came, the role's word apart: members that we do not know are kept.
void RequestWriter::write_source(const Message &message) {
    std::string_view text = message.source.raw();
    std::string_view role = role_word(message.role);
    if (message.source["role"].string() == role) {
        w_.raw(text);
        return;
    }
    std::string word;
    json::append_string(word, role);
    json::Edit edit = json::set_member(text, message.source, "role", word);
    text_.clear();
    json::apply_edits(text, {&edit, 1}, text_);
    w_.raw(text_);
}

std::string_view RequestWriter::role_word(Role role) const {
    if (role == Role::developer && !options_.quirks.developer_role) {
        role = Role::system;
    }
    return chat::to_string(role);
}

void RequestWriter::write_system(const Message &message) {
    std::size_t texts = 0;
    for (const Part &part : message.parts) {
        texts += part.type == PartType::text;
    }
    if (texts == 0) {
        return;
    }

    w_.begin_object().member("role", role_word(message.role)).key("content");
    // Servers with a chat template often take nothing but a string.
    if (texts > 1) {
        w_.begin_array();
    }
    for (const Part &part : message.parts) {
        if (part.type != PartType::text) {
            continue;
        }
        if (texts == 1) {
            w_.string(part.text);
        } else {
            w_.begin_object().member("type", "text").member("text", part.text)
                .end_object();
        }
    }
    if (texts > 1) {
        w_.end_array();
    }
    if (!message.name.empty()) {
        w_.member("name", message.name);
    }
    w_.end_object();
}

// Why a part has no form in a user message; empty: it has one.
std::string_view RequestWriter::obstacle(const Part &part) const {
    switch (part.type) {
    case PartType::image:
        return part.data.empty() && part.url.empty()
                   ? "an image given by a file id"
                   : "";
    case PartType::audio:
        return audio_format(part.media_type).empty() ? "audio of this type"
                                                     : "";
    case PartType::file:
        if (!part.data.empty() || (own_ && !part.file_id.empty())) {
            return "";
        }
        return part.url.empty() ? "a document given by a file id"
                                : "a document given by a URL";
    case PartType::native:
        return own_ ? "" : "a content block of this type";
    default:
        return "";
    }
}

// False where one of the parts cannot be sent, and must not be dropped.
bool RequestWriter::keep_writable(Parts &parts) {
    bool failed = false;
    std::erase_if(parts, [&](const Part *part) {
        std::string_view what = obstacle(*part);
        if (!what.empty()) {
            failed = failed
                     || !unsupported(what,
                                     functions::param_of(request_, *part));
            return true;
        }
        return part->type == PartType::reasoning
               || part->type == PartType::redacted_reasoning
               || part->type == PartType::tool_call;
    });
    return !failed;
}

bool RequestWriter::write_user(std::string_view name, Parts parts) {
    if (!keep_writable(parts)) {
        return false;
    }
    if (parts.empty()) {
        return true;
    }

    w_.begin_object().member("role", "user").key("content");
    if (parts.size() == 1 && parts[0]->type == PartType::text) {
        w_.string(parts[0]->text);
    } else {
        w_.begin_array();
        for (const Part *part : parts) {
            write_part(*part);
        }
        w_.end_array();
    }
    if (!name.empty()) {
        w_.member("name", name);
    }
    w_.end_object();
    return true;
}

void RequestWriter::write_data_url(std::string_view media_type,
                                   std::string_view data) {
    text_.assign("data:").append(media_type).append(";base64,").append(data);
    w_.string(text_);
}

void RequestWriter::write_part(const Part &part) {
    if (own_ && part.source) {
        w_.raw(part.source.raw());
        return;
    }

    w_.begin_object();
    switch (part.type) {
    case PartType::image:
        w_.member("type", "image_url").key("image_url").begin_object()
            .key("url");
        if (part.data.empty()) {
            w_.string(part.url);
        } else {
            write_data_url(part.media_type, part.data);
        }
        if (!part.detail.empty()) {
            w_.member("detail", part.detail);
        }
        w_.end_object();
        break;
    case PartType::audio:
        w_.member("type", "input_audio").key("input_audio").begin_object()
            .member("data", part.data)
            .member("format", audio_format(part.media_type))
            .end_object();
        break;
    case PartType::file:
        w_.member("type", "file").key("file").begin_object();
        if (part.data.empty()) {
            w_.member("file_id", part.file_id);
        } else {
            // The API takes no data without a name.
            bool pdf = part.media_type == "application/pdf";
            w_.member("filename", !part.filename.empty() ? part.filename
                                  : pdf ? "document.pdf" : "document")
                .key("file_data");
            write_data_url(part.media_type, part.data);
        }
        w_.end_object();
        break;
    default:
        w_.member("type", "text").member("text", part.text);
        break;
    }
    w_.end_object();
}

// Reasoning is left out but where the server wants it back: OpenAI has no
// member for it, and servers that have one differ. So are blocks that only another
// format knows: what they led to is in the text that follows them.
void RequestWriter::write_assistant(Messages turn) {
    std::string_view refusal;
    std::string thoughts;
    Value audio;
    std::size_t texts = 0;
    std::size_t calls = 0;
    text_.clear();

    Parts parts;
    for (const Message &message : turn) {
        for (const Part &part : message.parts) {
            parts.push_back(&part);
        }
    }
    for (const Part *each : parts) {
        const Part &part = *each;
        switch (part.type) {
        case PartType::text:
            text_.append(part.text);
            ++texts;
            break;
        case PartType::refusal:
            refusal = part.text;
            break;
        case PartType::reasoning:
            // What is signed is another provider's.
            if (part.signature.empty()) {
                thoughts.append(part.text);
            }
            break;
        case PartType::tool_call:
            ++calls;
            break;
        case PartType::native:
            if (own_ && part.name == "audio") {
                audio = part.source;
            }
            break;
        default:
            break;
        }
    }
    if (texts == 0 && calls == 0 && refusal.empty() && !audio) {
        return;
    }

    w_.begin_object().member("role", "assistant").key("content");
    if (texts == 0 && options_.quirks.null_content) {
        w_.null();
    } else {
        w_.string(text_);
    }
    if (!thoughts.empty() && options_.quirks.reasoning_content) {
        w_.member("reasoning_content", thoughts);
    }
    if (!refusal.empty()) {
        w_.member("refusal", refusal);
    }
    if (audio) {
        w_.member("audio", audio);
    }
    if (!turn.front().name.empty()) {
        w_.member("name", turn.front().name);
    }
    if (calls > 0) {
        w_.key("tool_calls").begin_array();
        for (const Part *part : parts) {
            if (part->type == PartType::tool_call) {
                write_tool_call(*part);
            }
        }
        w_.end_array();
    }
    w_.end_object();
}

void RequestWriter::write_tool_call(const Part &part) {
    if (own_ && part.source) {
        w_.raw(part.source.raw());
        return;
    }

    std::string legal = legal_tool_name(part.name);
    std::string_view name = legal;
    w_.begin_object().member("id", part.id);
    if (part.custom) {
        w_.member("type", "custom").key("custom").begin_object()
            .member("name", name)
            .member("input", part.arguments);
    } else {
        w_.member("type", "function").key("function").begin_object()
            .member("name", name)
            .member("arguments", part.arguments.empty() ? "{}"
                                                        : part.arguments);
    }
    w_.end_object().end_object();
}

// A tool message holds nothing but text.
bool RequestWriter::write_tool_result(const Message &message) {
    text_.assign(message.tool_error ? "Error: " : "");
    bool first = true;
    auto add = [&](std::string_view text) {
        if (!first) {
            text_.push_back('\n');
        }
        text_.append(text);
        first = false;
    };

    for (const Part &part : message.parts) {
        switch (part.type) {
        case PartType::text:
        case PartType::refusal:
            add(part.text);
            break;
        case PartType::image:
            add("[image: see the next user message]");
            attachments_.push_back(&part);
            break;
        case PartType::file:
        case PartType::audio:
            add("[file: see the next user message]");
            attachments_.push_back(&part);
            break;
        default:
            if (!unsupported("a content block of this type",
                             functions::param_of(request_, part))) {
                return false;
            }
            break;
        }
    }

    w_.begin_object()
        .member("role", "tool")
        .member("tool_call_id", message.tool_call_id)
        .member("content", text_)
        .end_object();
    return true;
}

// Tools and the rest

bool RequestWriter::write_tools() {
    // Elsewhere the list of allowed tools has another shape, and few servers
    // know it at all: what is not allowed is not offered.
    bool only_allowed = !own_ && request_.tool_choice
                        && request_.tool_choice->mode
                               == chat::ToolChoice::Mode::allowed;
    std::vector<std::string_view> allowed;
    if (only_allowed) {
        allowed = chat::allowed_tools(*request_.tool_choice);
    }

    bool any = false;
    for (const chat::Tool &tool : request_.tools) {
        if (only_allowed
            && !std::binary_search(allowed.begin(), allowed.end(),
                                   tool.name)) {
            continue;
        }
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
            continue;
        }
        bool custom = tool.type == chat::Tool::Type::custom;
        std::string_view type = custom ? "custom" : "function";
        w_.begin_object().member("type", type).key(type).begin_object()
            .member("name", std::string_view(legal_tool_name(tool.name)));
        if (!tool.description.empty()) {
            w_.member("description", tool.description);
        }
        if (custom) {
            write_custom_format(chat::custom_format(tool));
            w_.end_object().end_object();
            continue;
        }
        w_.key("parameters");
        if (tool.parameters) {
            w_.raw(tool.parameters.raw());
        } else {
            w_.raw(R"({"type":"object","properties":{}})");
        }
        if (tool.strict) {
            w_.member("strict", *tool.strict);
        }
        w_.end_object().end_object();
    }
    // Without tools the other two members are refused.
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

// Chat completions nest the grammar that Responses has flat.
void RequestWriter::write_custom_format(Value format) {
    if (format["type"].string() != "grammar") {
        return;
    }
    Value inner = format["grammar"];
    Value grammar = inner.is_object() ? inner : format;
    w_.key("format").begin_object().member("type", "grammar").key("grammar")
        .begin_object()
        .member("definition", grammar["definition"].string())
        .member("syntax", grammar["syntax"].string())
        .end_object().end_object();
}

void RequestWriter::write_named_tool(std::string_view name) {
    bool custom = std::any_of(
        request_.tools.begin(), request_.tools.end(),
        [&](const chat::Tool &tool) {
            return tool.type == chat::Tool::Type::custom && tool.name == name;
        });
    std::string_view type = custom ? "custom" : "function";
    w_.key("tool_choice").begin_object().member("type", type).key(type)
        .begin_object()
        .member("name", std::string_view(legal_tool_name(name)))
        .end_object().end_object();
}

void RequestWriter::write_tool_choice() {
    using Mode = chat::ToolChoice::Mode;

    if (!request_.tool_choice) {
        return;
    }
    const chat::ToolChoice &choice = *request_.tool_choice;
    if (own_ && choice.source) {
        w_.member("tool_choice", choice.source);
        return;
    }
    switch (choice.mode) {
    case Mode::automatic:
        w_.member("tool_choice", "auto");
        break;
    case Mode::allowed:
        w_.member("tool_choice",
                  chat::demands_call(choice) ? "required" : "auto");
        break;
    case Mode::none:
        w_.member("tool_choice", "none");
        break;
    case Mode::required:
        w_.member("tool_choice", "required");
        break;
    case Mode::named:
        write_named_tool(choice.name);
        break;
    }
}

void RequestWriter::write_response_format() {
    using Type = chat::ResponseFormat::Type;

    if (!request_.response_format) {
        return;
    }
    const chat::ResponseFormat &format = *request_.response_format;
    w_.key("response_format").begin_object();
    switch (format.type) {
    case Type::text:
        w_.member("type", "text");
        break;
    case Type::json_object:
        w_.member("type", "json_object");
        break;
    case Type::json_schema:
        w_.member("type", "json_schema").key("json_schema").begin_object()
            .member("name", format.name.empty() ? "answer" : format.name);
        if (!format.description.empty()) {
            w_.member("description", format.description);
        }
        if (format.schema) {
            w_.member("schema", format.schema);
        }
        if (format.strict) {
            w_.member("strict", *format.strict);
        }
        w_.end_object();
        break;
    }
    w_.end_object();
}

std::string_view RequestWriter::effort() const {
    std::string_view word = effort_word(request_.reasoning, traits_);
    bool functions = std::any_of(
        request_.tools.begin(), request_.tools.end(),
        [](const chat::Tool &tool) {
            return tool.type != chat::Tool::Type::native;
        });
    // Said in any case: these models think where nothing is said.
    if (traits_ && traits_->thinks_without_functions && functions) {
        return "none";
    }
    return word;
}

bool RequestWriter::takes(const ScalarMember &scalar) const {
    if (own_) {
        return true;
    }
    bool sampling = std::find(std::begin(sampling_members),
                              std::end(sampling_members), scalar.name)
                    != std::end(sampling_members);
    return !scalar.extension
           && (!sampling || takes_sampling(traits_, effort_));
}

bool RequestWriter::write_extra() {
    if (own_) {
        for (const json::Member &member : request_.extra) {
            w_.member(member.name, member.value);
        }
        return true;
    }
    std::string_view param = first_unsupported(unsupported_rows, request_);
    return param.empty() || unsupported(param, param);
}

}  // namespace

namespace {

void sort_edits(std::vector<json::Edit> &edits) {
    // What is inserted comes before what is replaced at the same place.
    std::stable_sort(edits.begin(), edits.end(),
                     [](const json::Edit &a, const json::Edit &b) {
                         return a.offset < b.offset
                                || (a.offset == b.offset && a.length == 0
                                    && b.length != 0);
                     });
}

}  // namespace

Result<void> write_request(const Request &request, const WriteOptions &options,
                           std::string &out) {
    if (!rewrites(options.quirks)) {
        return RequestWriter(request, options, out).write();
    }

    std::string text;
    if (auto outcome = RequestWriter(request, options, text).write();
        !outcome) {
        return outcome;
    }
    json::Document document;
    // One level more than a client may send: writers wrap what came in.
    if (auto parsed = document.parse(text, {.depth = 256, .duplicates = true});
        !parsed) {
        return parsed;
    }
    std::vector<json::Edit> edits;
    add_quirk_edits(text, document.root(), options.quirks, edits);
    sort_edits(edits);
    json::apply_edits(text, edits, out);
    return {};
}

std::vector<json::Edit> request_edits(std::string_view body,
                                      const json::Document &document,
                                      const WriteOptions &options) {
    std::vector<json::Edit> edits;
    Value root = document.root();

    edit_model(body, root, options.model, edits);

    Value stream_options = root["stream_options"];
    if (options.quirks.stream_options && root["stream"].boolean()) {
        if (!stream_options.is_object()) {
            edits.push_back(json::set_member(body, root, "stream_options",
                                             R"({"include_usage":true})"));
        } else if (!stream_options["include_usage"].boolean()) {
            edits.push_back(json::set_member(body, stream_options,
                                             "include_usage", "true"));
        }
    }

    add_quirk_edits(body, root, options.quirks, edits);
    sort_edits(edits);
    return edits;
}

}  // namespace llm::openai
