#include <algorithm>
#include <utility>
#include <variant>

#include "formats/body_reader.hpp"
#include "formats/head_reader.hpp"
#include "formats/openai/message_read.hpp"
#include "formats/openai/openai.hpp"
#include "formats/openai/tables.hpp"

namespace llm::openai {

namespace {

using chat::Request;
using fields::Path;
using json::Kind;
using json::Value;

class RequestReader : fields::BodyReader {
public:
    using BodyReader::BodyReader;

    Result<Request> read();

private:
    using Row = fields::MemberRow<RequestReader>;
    // Members that need more than a check of their type.
    static const Row member_rows[];

    bool read_body();
    bool read_member(const json::Member &member);
    bool read_scalar(const ScalarMember &scalar, Value value,
                     const Path &path);

    bool read_messages(Value value, const Path &path);
    bool read_max_tokens(Value value, const Path &path);
    bool read_tools(Value value, const Path &path);
    bool read_tool(Value value, const Path &path, chat::Tool &tool);
    bool read_functions(Value value, const Path &path);
    bool read_function(Value value, const Path &path, chat::Tool &tool);
    bool read_tool_choice(Value value, const Path &path);
    bool read_function_call(Value value, const Path &path);
    bool read_response_format(Value value, const Path &path);
    bool read_reasoning_effort(Value value, const Path &path);

    std::optional<std::int64_t> max_tokens_;    // the deprecated member
};

const RequestReader::Row RequestReader::member_rows[] = {
    {"model", &RequestReader::read_model},
    {"messages", &RequestReader::read_messages},
    {"max_tokens", &RequestReader::read_max_tokens},
    {"max_completion_tokens", &RequestReader::count<&Request::max_tokens, 1>},
    {"stop", &RequestReader::read_stop},
    {"stream", &RequestReader::flag<&Request::stream>},
    {"stream_options", &RequestReader::read_stream_options},
    {"tools", &RequestReader::read_tools},
    {"functions", &RequestReader::read_functions},
    {"tool_choice", &RequestReader::read_tool_choice},
    {"function_call", &RequestReader::read_function_call},
    {"parallel_tool_calls",
     &RequestReader::flag<&Request::parallel_tool_calls>},
    {"response_format", &RequestReader::read_response_format},
    {"reasoning_effort", &RequestReader::read_reasoning_effort},
    {"service_tier", &RequestReader::text<&Request::service_tier>},
};

Result<Request> RequestReader::read() {
    if (!read_body()) {
        return std::move(error_);
    }
    if (!request_.max_tokens) {
        request_.max_tokens = max_tokens_;
    }
    return std::move(request_);
}

bool RequestReader::read_body() {
    if (!has({"model", "messages"})) {
        return false;
    }
    for (const json::Member &member : root_.members()) {
        if (!read_member(member)) {
            return false;
        }
    }
    return true;
}

bool RequestReader::read_member(const json::Member &member) {
    Path path(member.name);
    // SDKs send null for what their caller left out.
    bool absent = member.value.is_null();

    if (const Row *row = fields::find_row(member_rows, member.name)) {
        return absent || (this->*row->read)(member.value, path);
    }
    for (const ScalarMember &row : scalar_members()) {
        if (row.name == member.name) {
            return absent || read_scalar(row, member.value, path);
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
        return integer(value, path, count->least, request_.*count->field);
    }
    if (auto *flag = std::get_if<ScalarMember::Flag>(&scalar.target)) {
        request_.*flag->field = value.boolean();
        return expect(value, Kind::boolean, path);
    }
    auto &raw = std::get<ScalarMember::Raw>(scalar.target);
    request_.*raw.field = value;
    return expect(value, raw.kind, path);
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
    return integer(value, path, 1, max_tokens_);
}

bool RequestReader::read_tools(Value value, const Path &path) {
    return each(value, path, [this](Value element, const Path &where) {
        return read_tool(element, where, request_.tools.emplace_back());
    });
}

bool RequestReader::read_tool(Value value, const Path &path,
                              chat::Tool &tool) {
    std::string_view type;
    if (!expect(value, Kind::object, path)
        || !required_text(value, path, "type", type)) {
        return false;
    }
    tool.source = value;
    if (Value mark = value["cache_control"]; mark.is_object()) {
        tool.cache_control = mark;
    }
    if (type == "function") {
        return read_function(value["function"], Path(path, "function"), tool);
    }
    if (type == "custom") {
        Value custom = value["custom"];
        Path where(path, "custom");
        tool.type = chat::Tool::Type::custom;
        return expect(custom, Kind::object, where)
               && required_text(custom, where, "name", tool.name)
               && optional_text(custom, where, "description",
                                tool.description);
    }
    tool.type = chat::Tool::Type::native;
    tool.name = type;
    return true;
}

// The deprecated form of tools.
bool RequestReader::read_functions(Value value, const Path &path) {
    return each(value, path, [this](Value element, const Path &where) {
        return read_function(element, where, request_.tools.emplace_back());
    });
}

bool RequestReader::read_function(Value value, const Path &path,
                                  chat::Tool &tool) {
    return BodyReader::read_function(value, path, tool)
           && optional_boolean(value, path, "strict", tool.strict);
}

bool RequestReader::read_tool_choice(Value value, const Path &path) {
    using Mode = chat::ToolChoice::Mode;

    auto &choice = request_.tool_choice.emplace();
    choice.source = value;
    if (value.string() == "any") {
        choice.mode = Mode::required;   // Mistral's word
        return true;
    }
    if (value.is_string()) {
        return read_choice_word(value, path, choice);
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

bool RequestReader::read_response_format(Value value, const Path &path) {
    if (!read_format_type(value, path)) {
        return false;
    }
    if (!wants_json_schema()) {
        return true;
    }
    Value schema = value["json_schema"];
    Path where(path, "json_schema");
    return expect(schema, Kind::object, where)
           && read_json_schema(schema, where);
}

bool RequestReader::read_reasoning_effort(Value value, const Path &path) {
    request_.reasoning.effort = value.string();
    return expect(value, Kind::string, path);
}

}  // namespace

Result<RequestHead> parse_head(const json::Document &document) {
    fields::HeadReader reader(document.root());
    bool read = reader.read_model() && reader.check_list("messages")
                && reader.read_stream() && reader.read_stream_options()
                && reader.read_max_tokens("max_tokens", 1);
    auto older = reader.head.max_tokens;
    read = read && reader.read_max_tokens("max_completion_tokens", 1);
    // With both, it is the server's choice which of them it heeds.
    reader.head.max_tokens = std::max(older, reader.head.max_tokens);
    reader.head.choices = std::max<std::int64_t>(
        document.root()["n"].integer().value_or(1), 1);
    return reader.result(read);
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
