#include <algorithm>
#include <unordered_set>

#include "formats/openai/data_url.hpp"
#include "formats/openai/fields.hpp"
#include "formats/openai/openai.hpp"
#include "formats/openai/reasoning.hpp"
#include "formats/openai/tables.hpp"
#include "llm/arena.hpp"

namespace llm::openai {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;
using json::Kind;
using json::Value;

std::string_view expected(Kind kind) {
    switch (kind) {
    case Kind::null:
        return "must be null";
    case Kind::boolean:
        return "must be true or false";
    case Kind::number:
        return "must be a number";
    case Kind::string:
        return "must be a string";
    case Kind::array:
        return "must be an array";
    case Kind::object:
        return "must be an object";
    }
    return {};
}

constexpr unsigned bit(Role role) {
    return 1U << static_cast<unsigned>(role);
}

// Every function that reads returns false after it has set error_.
class RequestReader {
public:
    RequestReader(Value root, std::pmr::memory_resource *memory)
        : root_(root), memory_(memory), request_(memory), calls_(memory),
          legacy_calls_(memory) {}

    Result<Request> read();

private:
    using Read = bool (RequestReader::*)(Value, const Path &);
    using ReadPart = bool (RequestReader::*)(Value, const Path &, Part &);

    // A member that needs more than a check of its type.
    struct MemberReader {
        std::string_view name;
        Read read;
    };
    static const MemberReader member_readers[];

    // A content part, and the roles that may have it.
    struct PartReader {
        std::string_view type;
        unsigned roles;
        ReadPart read;
    };
    static const PartReader part_readers[];

    // A call in the deprecated form, which has no id.
    struct LegacyCall {
        std::string_view name;
        std::string_view id;
    };

    bool fail(const Path &path, std::string_view reason);
    bool expect(Value value, Kind kind, const Path &path);
    bool required_text(Value parent, const Path &path, std::string_view name,
                       std::string_view &out);
    bool optional_text(Value parent, const Path &path, std::string_view name,
                       std::string_view &out);

    bool read_member(const json::Member &member);
    bool read_scalar(const ScalarMember &scalar, Value value,
                     const Path &path);

    bool ignore(Value, const Path &) { return true; }
    bool read_model(Value value, const Path &path);
    bool read_messages(Value value, const Path &path);
    bool read_max_tokens(Value value, const Path &path);
    bool read_max_completion_tokens(Value value, const Path &path);
    bool read_stop(Value value, const Path &path);
    bool read_stream(Value value, const Path &path);
    bool read_stream_options(Value value, const Path &path);
    bool read_tools(Value value, const Path &path);
    bool read_functions(Value value, const Path &path);
    bool read_tool_choice(Value value, const Path &path);
    bool read_function_call(Value value, const Path &path);
    bool read_parallel_tool_calls(Value value, const Path &path);
    bool read_response_format(Value value, const Path &path);
    bool read_reasoning_effort(Value value, const Path &path);
    bool read_service_tier(Value value, const Path &path);

    bool read_message(Value value, const Path &path);
    bool read_content(Value value, const Path &path, Message &message);
    bool read_part(Value value, const Path &path, Message &message);
    bool read_assistant(Value value, const Path &path, Message &message);
    bool read_tool_call(Value value, const Path &path, Message &message);
    bool read_legacy_call(Value value, const Path &path, Message &message);
    bool read_tool_result(Value value, const Path &path, Message &message);
    bool read_legacy_result(Value value, const Path &path, Message &message);
    bool read_function(Value value, const Path &path, chat::Tool &tool);
    bool read_arguments(Value value, const Path &path, std::string_view &out);

    bool read_text(Value value, const Path &path, Part &part);
    bool read_refusal(Value value, const Path &path, Part &part);
    bool read_image(Value value, const Path &path, Part &part);
    bool read_audio(Value value, const Path &path, Part &part);
    bool read_file(Value value, const Path &path, Part &part);

    Value root_;
    std::pmr::memory_resource *memory_;
    Request request_;
    Error error_;
    std::optional<std::int64_t> max_tokens_;    // the deprecated member
    std::pmr::unordered_set<std::string_view> calls_;   // ids so far
    std::pmr::vector<LegacyCall> legacy_calls_;
};

const RequestReader::MemberReader RequestReader::member_readers[] = {
    {"model", &RequestReader::read_model},
    {"messages", &RequestReader::read_messages},
    {"max_tokens", &RequestReader::read_max_tokens},
    {"max_completion_tokens", &RequestReader::read_max_completion_tokens},
    {"stop", &RequestReader::read_stop},
    {"stream", &RequestReader::read_stream},
    {"stream_options", &RequestReader::read_stream_options},
    {"tools", &RequestReader::read_tools},
    {"functions", &RequestReader::read_functions},
    {"tool_choice", &RequestReader::read_tool_choice},
    {"function_call", &RequestReader::read_function_call},
    {"parallel_tool_calls", &RequestReader::read_parallel_tool_calls},
    {"response_format", &RequestReader::read_response_format},
    {"reasoning_effort", &RequestReader::read_reasoning_effort},
    {"service_tier", &RequestReader::read_service_tier},
};

// OpenAI API reference: text everywhere, refusals from the assistant, the rest
// from users. Images and files in tool results are an extension of compatible
// servers, which other formats have, too.
const RequestReader::PartReader RequestReader::part_readers[] = {
    {"text", ~0U, &RequestReader::read_text},
    {"refusal", bit(Role::assistant), &RequestReader::read_refusal},
    {"image_url", bit(Role::user) | bit(Role::tool),
     &RequestReader::read_image},
    {"input_audio", bit(Role::user), &RequestReader::read_audio},
    {"file", bit(Role::user) | bit(Role::tool), &RequestReader::read_file},
};

bool RequestReader::fail(const Path &path, std::string_view reason) {
    std::string param = path.text();
    std::string message = param + ' ' + std::string(reason);
    error_ = invalid_request(std::move(message), std::move(param));
    return false;
}

bool RequestReader::expect(Value value, Kind kind, const Path &path) {
    if (value && value.kind() == kind) {
        return true;
    }
    return fail(path, expected(kind));
}

bool RequestReader::required_text(Value parent, const Path &path,
                                  std::string_view name,
                                  std::string_view &out) {
    Path member(path, name);
    out = parent[name].string();
    if (!out.empty()) {
        return true;
    }
    return fail(member, "must be a string that is not empty");
}

bool RequestReader::optional_text(Value parent, const Path &path,
                                  std::string_view name,
                                  std::string_view &out) {
    Value value = parent[name];
    out = value.string();
    return value.is_null() || expect(value, Kind::string, Path(path, name));
}

Result<Request> RequestReader::read() {
    if (!root_.is_object()) {
        return invalid_request("the body must be a JSON object");
    }
    for (std::string_view name : {"model", "messages"}) {
        if (root_[name].is_null()) {
            fail(Path(name), "is missing");
            return std::move(error_);
        }
    }

    for (const json::Member &member : root_.members()) {
        if (!read_member(member)) {
            return std::move(error_);
        }
    }

    if (!request_.max_tokens) {
        request_.max_tokens = max_tokens_;
    }
    return std::move(request_);
}

bool RequestReader::read_member(const json::Member &member) {
    Path path(member.name);

    for (const MemberReader &row : member_readers) {
        if (row.name == member.name) {
            // SDKs send null for what their caller left out.
            return member.value.is_null() || (this->*row.read)(member.value,
                                                               path);
        }
    }
    for (const ScalarMember &row : scalar_members()) {
        if (row.name == member.name) {
            return member.value.is_null() || read_scalar(row, member.value,
                                                         path);
        }
    }
    request_.extra.push_back(member);
    return true;
}

bool RequestReader::read_scalar(const ScalarMember &scalar, Value value,
                                const Path &path) {
    if (auto *text = std::get_if<ScalarMember::Text>(&scalar.target)) {
        request_.*text->field = value.string();
        return expect(value, Kind::string, path);
    }
    if (auto *count = std::get_if<ScalarMember::Count>(&scalar.target)) {
        auto integer = value.integer();
        if (!integer || *integer < count->least) {
            return fail(path, "must be an integer of at least " +
                                  std::to_string(count->least));
        }
        request_.*count->field = integer;
        return true;
    }
    if (auto *flag = std::get_if<ScalarMember::Flag>(&scalar.target)) {
        request_.*flag->field = value.boolean();
        return expect(value, Kind::boolean, path);
    }
    auto &raw = std::get<ScalarMember::Raw>(scalar.target);
    request_.*raw.field = value;
    return expect(value, raw.kind, path);
}

bool RequestReader::read_model(Value value, const Path &path) {
    request_.model = value.string();
    return !request_.model.empty()
           || fail(path, "must be a string that is not empty");
}

bool RequestReader::read_messages(Value value, const Path &path) {
    if (!expect(value, Kind::array, path)) {
        return false;
    }
    if (value.size() == 0) {
        return fail(path, "must not be empty");
    }

    request_.messages.reserve(value.size());
    std::size_t index = 0;
    for (Value message : value.elements()) {
        if (!read_message(message, Path(path, index++))) {
            return false;
        }
    }
    return true;
}

bool RequestReader::read_max_tokens(Value value, const Path &path) {
    max_tokens_ = value.integer();
    return (max_tokens_ && *max_tokens_ >= 1)
           || fail(path, "must be an integer of at least 1");
}

bool RequestReader::read_max_completion_tokens(Value value, const Path &path) {
    request_.max_tokens = value.integer();
    return (request_.max_tokens && *request_.max_tokens >= 1)
           || fail(path, "must be an integer of at least 1");
}

bool RequestReader::read_stop(Value value, const Path &path) {
    if (value.is_string()) {
        request_.stop.push_back(value.string());
        return true;
    }
    if (!value.is_array()) {
        return fail(path, "must be a string or an array of strings");
    }
    std::size_t index = 0;
    for (Value element : value.elements()) {
        if (!expect(element, Kind::string, Path(path, index++))) {
            return false;
        }
        request_.stop.push_back(element.string());
    }
    return true;
}

bool RequestReader::read_stream(Value value, const Path &path) {
    request_.stream = value.boolean();
    return expect(value, Kind::boolean, path);
}

bool RequestReader::read_stream_options(Value value, const Path &path) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }
    Value include = value["include_usage"];
    request_.include_usage = include.boolean();
    return include.is_null()
           || expect(include, Kind::boolean, Path(path, "include_usage"));
}

bool RequestReader::read_tools(Value value, const Path &path) {
    if (!expect(value, Kind::array, path)) {
        return false;
    }

    std::size_t index = 0;
    for (Value element : value.elements()) {
        Path where(path, index++);
        if (!expect(element, Kind::object, where)) {
            return false;
        }

        chat::Tool tool;
        tool.source = element;
        if (Value mark = element["cache_control"]; mark.is_object()) {
            tool.cache_control = mark;
        }
        std::string_view type;
        if (!required_text(element, where, "type", type)) {
            return false;
        }
        if (type == "function") {
            if (!read_function(element["function"], Path(where, "function"),
                               tool)) {
                return false;
            }
        } else if (type == "custom") {
            Path custom(where, "custom");
            tool.type = chat::Tool::Type::custom;
            if (!expect(element["custom"], Kind::object, custom)
                || !required_text(element["custom"], custom, "name", tool.name)
                || !optional_text(element["custom"], custom, "description",
                                  tool.description)) {
                return false;
            }
        } else {
            tool.type = chat::Tool::Type::native;
            tool.name = type;
        }
        request_.tools.push_back(tool);
    }
    return true;
}

// The deprecated form of tools.
bool RequestReader::read_functions(Value value, const Path &path) {
    if (!expect(value, Kind::array, path)) {
        return false;
    }
    std::size_t index = 0;
    for (Value element : value.elements()) {
        chat::Tool tool;
        if (!read_function(element, Path(path, index++), tool)) {
            return false;
        }
        request_.tools.push_back(tool);
    }
    return true;
}

bool RequestReader::read_function(Value value, const Path &path,
                                  chat::Tool &tool) {
    if (!expect(value, Kind::object, path)
        || !required_text(value, path, "name", tool.name)
        || !optional_text(value, path, "description", tool.description)) {
        return false;
    }

    Value parameters = value["parameters"];
    if (!parameters.is_null()) {
        tool.parameters = parameters;
        if (!expect(parameters, Kind::object, Path(path, "parameters"))) {
            return false;
        }
    }
    Value strict = value["strict"];
    if (!strict.is_null()) {
        tool.strict = strict.boolean();
        return expect(strict, Kind::boolean, Path(path, "strict"));
    }
    return true;
}

bool RequestReader::read_tool_choice(Value value, const Path &path) {
    using Mode = chat::ToolChoice::Mode;
    constexpr struct {
        std::string_view word;
        Mode mode;
    } words[] = {
        {"auto", Mode::automatic},
        {"none", Mode::none},
        {"required", Mode::required},
        {"any", Mode::required},    // Mistral's word
    };

    auto &choice = request_.tool_choice.emplace();
    choice.source = value;
    if (value.is_string()) {
        for (const auto &row : words) {
            if (row.word == value.string()) {
                choice.mode = row.mode;
                return true;
            }
        }
        return fail(path, "must be \"auto\", \"none\", \"required\" or an "
                          "object");
    }
    if (!value.is_object()) {
        return fail(path, "must be a string or an object");
    }

    std::string_view type = value["type"].string();
    if (type == "function" || type == "custom") {
        choice.mode = Mode::named;
        return required_text(value[type], Path(path, type), "name",
                             choice.name);
    }
    if (type == "allowed_tools") {
        choice.mode = Mode::allowed;
        return expect(value[type], Kind::object, Path(path, type));
    }
    return fail(Path(path, "type"),
                "must be \"function\", \"custom\" or \"allowed_tools\"");
}

// The deprecated form of tool_choice.
bool RequestReader::read_function_call(Value value, const Path &path) {
    using Mode = chat::ToolChoice::Mode;

    chat::ToolChoice choice;
    if (value.is_object()) {
        choice.mode = Mode::named;
        if (!required_text(value, path, "name", choice.name)) {
            return false;
        }
    } else if (value.string() == "none") {
        choice.mode = Mode::none;
    } else if (value.string() != "auto") {
        return fail(path, "must be \"none\", \"auto\" or an object");
    }
    if (!request_.tool_choice) {
        request_.tool_choice = choice;
    }
    return true;
}

bool RequestReader::read_parallel_tool_calls(Value value, const Path &path) {
    request_.parallel_tool_calls = value.boolean();
    return expect(value, Kind::boolean, path);
}

bool RequestReader::read_response_format(Value value, const Path &path) {
    using Type = chat::ResponseFormat::Type;

    if (!expect(value, Kind::object, path)) {
        return false;
    }
    auto &format = request_.response_format.emplace();
    std::string_view type = value["type"].string();
    if (type == "text") {
        return true;
    }
    if (type == "json_object") {
        format.type = Type::json_object;
        return true;
    }
    if (type != "json_schema") {
        return fail(Path(path, "type"),
                    "must be \"text\", \"json_object\" or \"json_schema\"");
    }

    format.type = Type::json_schema;
    Value schema = value["json_schema"];
    Path where(path, "json_schema");
    if (!expect(schema, Kind::object, where)
        || !optional_text(schema, where, "name", format.name)
        || !optional_text(schema, where, "description", format.description)) {
        return false;
    }
    if (Value inner = schema["schema"]; !inner.is_null()) {
        format.schema = inner;
        if (!expect(inner, Kind::object, Path(where, "schema"))) {
            return false;
        }
    }
    if (Value strict = schema["strict"]; !strict.is_null()) {
        format.strict = strict.boolean();
        return expect(strict, Kind::boolean, Path(where, "strict"));
    }
    return true;
}

bool RequestReader::read_reasoning_effort(Value value, const Path &path) {
    request_.reasoning.effort = value.string();
    return expect(value, Kind::string, path);
}

bool RequestReader::read_service_tier(Value value, const Path &path) {
    request_.service_tier = value.string();
    return expect(value, Kind::string, path);
}

// Messages

bool RequestReader::read_message(Value value, const Path &path) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }

    Message &message = request_.messages.emplace_back(memory_);
    std::string_view word = value["role"].string();
    if (word == "function") {
        return read_legacy_result(value, path, message);
    }
    auto role = role_of(word);
    if (!role) {
        return fail(Path(path, "role"),
                    "must be \"system\", \"developer\", \"user\", "
                    "\"assistant\" or \"tool\"");
    }
    message.role = *role;
    message.source = value;
    if (!optional_text(value, path, "name", message.name)) {
        return false;
    }

    switch (message.role) {
    case Role::assistant:
        return read_assistant(value, path, message);
    case Role::tool:
        return read_tool_result(value, path, message);
    default:
        return read_content(value["content"], Path(path, "content"), message);
    }
}

bool RequestReader::read_content(Value value, const Path &path,
                                 Message &message) {
    if (value.is_string()) {
        Part part;
        part.text = value.string();
        message.parts.push_back(part);
        return true;
    }
    if (!value.is_array()) {
        return fail(path, "must be a string or an array of parts");
    }

    message.parts.reserve(value.size());
    std::size_t index = 0;
    for (Value element : value.elements()) {
        if (!read_part(element, Path(path, index++), message)) {
            return false;
        }
    }
    return true;
}

bool RequestReader::read_part(Value value, const Path &path,
                              Message &message) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }

    std::string_view type = value["type"].string();
    for (const PartReader &row : part_readers) {
        if (row.type != type || (row.roles & bit(message.role)) == 0) {
            continue;
        }
        Part part;
        part.source = value;
        if (Value mark = value["cache_control"]; mark.is_object()) {
            part.cache_control = mark;
        }
        if (!(this->*row.read)(value, path, part)) {
            return false;
        }
        message.parts.push_back(part);
        return true;
    }

    std::string reason = "must be one of";
    char separator = ' ';
    for (const PartReader &row : part_readers) {
        if (row.roles & bit(message.role)) {
            reason.push_back(separator);
            reason.append(separator == ',' ? " \"" : "\"");
            reason.append(row.type).push_back('"');
            separator = ',';
        }
    }
    return fail(Path(path, "type"), reason);
}

bool RequestReader::read_text(Value value, const Path &path, Part &part) {
    part.text = value["text"].string();
    return expect(value["text"], Kind::string, Path(path, "text"));
}

bool RequestReader::read_refusal(Value value, const Path &path, Part &part) {
    part.type = PartType::refusal;
    part.text = value["refusal"].string();
    return expect(value["refusal"], Kind::string, Path(path, "refusal"));
}

bool RequestReader::read_image(Value value, const Path &path, Part &part) {
    part.type = PartType::image;

    Value image = value["image_url"];
    Path where(path, "image_url");
    // Some clients put the URL where the object belongs.
    if (image.is_string()) {
        part.url = image.string();
    } else if (!expect(image, Kind::object, where)
               || !required_text(image, where, "url", part.url)
               || !optional_text(image, where, "detail", part.detail)) {
        return false;
    }

    if (is_data_url(part.url)) {
        auto data = parse_data_url(part.url);
        if (!data) {
            return fail(Path(where, "url"), "must be a base64 data URL");
        }
        part.url = {};
        part.media_type = data->media_type;
        part.data = data->data;
    } else if (!part.url.starts_with("https://")
               && !part.url.starts_with("http://")) {
        return fail(Path(where, "url"), "must be an http, https or data URL");
    }
    return true;
}

bool RequestReader::read_audio(Value value, const Path &path, Part &part) {
    part.type = PartType::audio;

    Value audio = value["input_audio"];
    Path where(path, "input_audio");
    std::string_view format;
    if (!expect(audio, Kind::object, where)
        || !required_text(audio, where, "data", part.data)
        || !required_text(audio, where, "format", format)) {
        return false;
    }
    part.media_type = audio_media_type(format);
    return !part.media_type.empty()
           || fail(Path(where, "format"), "must be \"wav\" or \"mp3\"");
}

bool RequestReader::read_file(Value value, const Path &path, Part &part) {
    part.type = PartType::file;

    Value file = value["file"];
    Path where(path, "file");
    std::string_view url;
    if (!expect(file, Kind::object, where)
        || !optional_text(file, where, "filename", part.filename)
        || !optional_text(file, where, "file_id", part.file_id)
        || !optional_text(file, where, "file_data", url)) {
        return false;
    }
    if (url.empty() && part.file_id.empty()) {
        return fail(where, "must have \"file_data\" or \"file_id\"");
    }
    if (!url.empty()) {
        auto data = parse_data_url(url);
        if (!data) {
            return fail(Path(where, "file_data"),
                        "must be a base64 data URL");
        }
        part.media_type = data->media_type;
        part.data = data->data;
    }
    return true;
}

bool RequestReader::read_assistant(Value value, const Path &path,
                                   Message &message) {
    for_each_reasoning(value, [&](ReasoningPiece piece, std::string_view text) {
        append_reasoning(piece, text, message);
    });

    Value content = value["content"];
    if (!content.is_null()
        && !read_content(content, Path(path, "content"), message)) {
        return false;
    }

    std::string_view refusal;
    if (!optional_text(value, path, "refusal", refusal)) {
        return false;
    }
    if (!refusal.empty()) {
        Part part;
        part.type = PartType::refusal;
        part.text = refusal;
        message.parts.push_back(part);
    }

    // An earlier spoken answer: an id that only its own server can resolve.
    if (Value audio = value["audio"]; !audio.is_null()) {
        Part part;
        part.type = PartType::native;
        part.name = "audio";
        part.source = audio;
        message.parts.push_back(part);
    }

    if (Value calls = value["tool_calls"]; !calls.is_null()) {
        Path where(path, "tool_calls");
        if (!expect(calls, Kind::array, where)) {
            return false;
        }
        std::size_t index = 0;
        for (Value call : calls.elements()) {
            if (!read_tool_call(call, Path(where, index++), message)) {
                return false;
            }
        }
    }

    Value legacy = value["function_call"];
    if (!legacy.is_null()
        && !read_legacy_call(legacy, Path(path, "function_call"), message)) {
        return false;
    }

    if (content.is_null() && message.parts.empty()) {
        return fail(Path(path, "content"),
                    "must be a string or an array of parts where the message "
                    "has no \"tool_calls\"");
    }
    return true;
}

bool RequestReader::read_arguments(Value value, const Path &path,
                                   std::string_view &out) {
    if (value.is_null()) {
        return true;
    }
    if (value.is_string()) {
        out = value.string();
        return true;
    }
    // An object instead of its text: what several servers' answers hold, and
    // so what their clients send back.
    if (value.is_object()) {
        out = value.raw();
        return true;
    }
    return fail(path, "must be a string");
}

bool RequestReader::read_tool_call(Value value, const Path &path,
                                   Message &message) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }

    Part part;
    part.type = PartType::tool_call;
    part.source = value;
    if (!required_text(value, path, "id", part.id)) {
        return false;
    }

    part.custom = value["type"].string() == "custom";
    std::string_view kind = part.custom ? "custom" : "function";
    std::string_view arguments = part.custom ? "input" : "arguments";
    Path where(path, kind);
    if (!expect(value[kind], Kind::object, where)
        || !required_text(value[kind], where, "name", part.name)
        || !read_arguments(value[kind][arguments], Path(where, arguments),
                           part.arguments)) {
        return false;
    }

    calls_.insert(part.id);
    message.parts.push_back(part);
    return true;
}

bool RequestReader::read_legacy_call(Value value, const Path &path,
                                     Message &message) {
    Part part;
    part.type = PartType::tool_call;
    if (!expect(value, Kind::object, path)
        || !required_text(value, path, "name", part.name)
        || !read_arguments(value["arguments"], Path(path, "arguments"),
                           part.arguments)) {
        return false;
    }

    part.id = arena_concat(
        memory_, {"call_function_", std::to_string(legacy_calls_.size())});
    legacy_calls_.push_back({part.name, part.id});
    message.parts.push_back(part);
    message.source = {};
    return true;
}

bool RequestReader::read_tool_result(Value value, const Path &path,
                                     Message &message) {
    if (!required_text(value, path, "tool_call_id", message.tool_call_id)
        || !read_content(value["content"], Path(path, "content"), message)) {
        return false;
    }
    return calls_.contains(message.tool_call_id)
           || fail(Path(path, "tool_call_id"),
                   "must be the id of a tool call in an earlier message");
}

bool RequestReader::read_legacy_result(Value value, const Path &path,
                                       Message &message) {
    message.role = Role::tool;
    std::string_view name;
    if (!required_text(value, path, "name", name)) {
        return false;
    }
    Value content = value["content"];
    if (!content.is_null()
        && !read_content(content, Path(path, "content"), message)) {
        return false;
    }

    auto call = std::find_if(
        legacy_calls_.rbegin(), legacy_calls_.rend(),
        [&](const LegacyCall &known) { return known.name == name; });
    if (call == legacy_calls_.rend()) {
        return fail(Path(path, "name"),
                    "must be the name of a function call in an earlier "
                    "message");
    }
    message.tool_call_id = call->id;
    return true;
}

}  // namespace

Result<RequestHead> parse_head(const json::Document &document) {
    Value root = document.root();
    if (!root.is_object()) {
        return invalid_request("the body must be a JSON object");
    }

    auto fail = [](std::string_view name, std::string_view reason) -> Error {
        return invalid_request(std::string(name) + ' ' + std::string(reason),
                               std::string(name));
    };

    RequestHead head;
    Value model = root["model"];
    head.model = model.string();
    if (head.model.empty()) {
        return fail("model", model.is_null()
                                 ? "is missing"
                                 : "must be a string that is not empty");
    }

    Value messages = root["messages"];
    if (messages.is_null()) {
        return fail("messages", "is missing");
    }
    if (!messages.is_array() || messages.size() == 0) {
        return fail("messages", "must be an array that is not empty");
    }

    Value stream = root["stream"];
    head.stream = stream.boolean();
    if (!stream.is_null() && !stream.is_bool()) {
        return fail("stream", expected(Kind::boolean));
    }

    Value options = root["stream_options"];
    if (!options.is_null() && !options.is_object()) {
        return fail("stream_options", expected(Kind::object));
    }
    head.include_usage = options["include_usage"].boolean();

    for (std::string_view name : {"max_tokens", "max_completion_tokens"}) {
        Value value = root[name];
        if (value.is_null()) {
            continue;
        }
        head.max_tokens = value.integer();
        if (!head.max_tokens || *head.max_tokens < 1) {
            return fail(name, "must be an integer of at least 1");
        }
    }
    return head;
}

Result<Request> parse_request(const json::Document &document,
                              std::pmr::memory_resource *memory) {
    auto request = RequestReader(document.root(), memory).read();
    if (request) {
        request->origin = &openai_format();
    }
    return request;
}

}  // namespace llm::openai
