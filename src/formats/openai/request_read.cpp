#include <string>
#include <utility>
#include <variant>

#include "formats/fields.hpp"
#include "formats/openai/message_read.hpp"
#include "formats/openai/openai.hpp"
#include "formats/openai/tables.hpp"

namespace llm::openai {

namespace {

using chat::Request;
using fields::Path;
using json::Kind;
using json::Value;

class RequestReader : fields::Reader {
public:
    RequestReader(Value root, std::pmr::memory_resource *memory)
        : root_(root), memory_(memory), request_(memory) {}

    Result<Request> read();

private:
    using Read = bool (RequestReader::*)(Value, const Path &);

    // A member that needs more than a check of its type.
    struct MemberReader {
        std::string_view name;
        Read read;
    };
    static const MemberReader member_readers[];

    bool read_member(const json::Member &member);
    bool read_scalar(const ScalarMember &scalar, Value value,
                     const Path &path);

    bool read_model(Value value, const Path &path);
    bool read_messages(Value value, const Path &path);
    bool read_max_tokens(Value value, const Path &path);
    bool read_max_completion_tokens(Value value, const Path &path);
    bool read_stop(Value value, const Path &path);
    bool read_stream(Value value, const Path &path);
    bool read_stream_options(Value value, const Path &path);
    bool read_tools(Value value, const Path &path);
    bool read_functions(Value value, const Path &path);
    bool read_function(Value value, const Path &path, chat::Tool &tool);
    bool read_tool_choice(Value value, const Path &path);
    bool read_function_call(Value value, const Path &path);
    bool read_parallel_tool_calls(Value value, const Path &path);
    bool read_response_format(Value value, const Path &path);
    bool read_reasoning_effort(Value value, const Path &path);
    bool read_service_tier(Value value, const Path &path);

    Value root_;
    std::pmr::memory_resource *memory_;
    Request request_;
    std::optional<std::int64_t> max_tokens_;    // the deprecated member
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
    auto outcome = openai::read_messages(value, path, request_, memory_);
    if (!outcome) {
        error_ = std::move(outcome.error());
        return false;
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
        return fail("stream", fields::expected(Kind::boolean));
    }

    Value options = root["stream_options"];
    if (!options.is_null() && !options.is_object()) {
        return fail("stream_options", fields::expected(Kind::object));
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
    head.choices = std::max<std::int64_t>(root["n"].integer().value_or(1), 1);
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
