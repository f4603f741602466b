#include <string>
#include <utility>

#include "formats/body_reader.hpp"
#include "formats/head_reader.hpp"
#include "formats/responses/item_read.hpp"
#include "formats/responses/responses.hpp"
#include "formats/responses/tables.hpp"

namespace llm::responses {

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
    static const Row member_rows[];

    bool read_body();
    bool refuse_stored();

    bool read_input(Value value, const Path &path);
    bool read_instructions(Value value, const Path &path);
    bool read_top_logprobs(Value value, const Path &path);
    bool read_include(Value value, const Path &path);
    bool read_stream(Value value, const Path &path);
    bool read_text(Value value, const Path &path);
    bool read_format(Value value, const Path &path);
    bool read_reasoning(Value value, const Path &path);
    bool read_tools(Value value, const Path &path);
    bool read_tool(Value value, const Path &path, chat::Tool &tool);
    bool read_tool_choice(Value value, const Path &path);
};

// The body's members in the order in which they are read: instructions stand
// before the input, whatever the client's order is. Some hold more than a
// chat::Request does, and are kept in its `extra` besides.
const RequestReader::Row RequestReader::member_rows[] = {
    {"model", &RequestReader::read_model},
    {"instructions", &RequestReader::read_instructions},
    {"input", &RequestReader::read_input},
    {"max_output_tokens", &RequestReader::count<&Request::max_tokens, 1>},
    {"temperature",
     &RequestReader::keep<&Request::temperature, Kind::number>},
    {"top_p", &RequestReader::keep<&Request::top_p, Kind::number>},
    {"top_logprobs", &RequestReader::read_top_logprobs},
    {"include", &RequestReader::read_include},
    {"user", &RequestReader::text<&Request::user>},
    {"service_tier", &RequestReader::text<&Request::service_tier>},
    {"stream", &RequestReader::read_stream},
    {"text", &RequestReader::read_text},
    {"reasoning", &RequestReader::read_reasoning},
    {"tools", &RequestReader::read_tools},
    {"tool_choice", &RequestReader::read_tool_choice},
    {"parallel_tool_calls",
     &RequestReader::flag<&Request::parallel_tool_calls>},
};

constexpr std::string_view kept_whole[] = {"include", "reasoning", "text",
                                           "top_logprobs"};

bool is_kept_whole(std::string_view name) {
    for (std::string_view known : kept_whole) {
        if (known == name) {
            return true;
        }
    }
    return false;
}

Result<Request> RequestReader::read() {
    if (!read_body()) {
        return std::move(error_);
    }
    return std::move(request_);
}

bool RequestReader::read_body() {
    // Before anything is missed that is in the store.
    if (!has({}) || !refuse_stored() || !has({"model", "input"})) {
        return false;
    }
    for (const Row &row : member_rows) {
        // SDKs send null for what their caller left out.
        if (Value value = root_[row.name];
            !value.is_null() && !(this->*row.read)(value, Path(row.name))) {
            return false;
        }
    }
    for (const json::Member &member : root_.members()) {
        if (!fields::find_row(member_rows, member.name)
            || is_kept_whole(member.name)) {
            request_.extra.push_back(member);
        }
    }
    return true;
}

bool RequestReader::refuse_stored() {
    for (const StoredMember &row : stored_members()) {
        Value value = root_[row.name];
        bool asked = value.is_bool() ? value.boolean() : !value.is_null();
        if (asked) {
            std::string message = std::string(row.name) + ' '
                                  + std::string(row.reason)
                                  + ", which only a provider that speaks the "
                                    "Responses API has";
            error_ = unsupported(std::move(message), std::string(row.name));
            return false;
        }
    }
    return true;
}

bool RequestReader::read_instructions(Value value, const Path &path) {
    if (!expect(value, Kind::string, path)) {
        return false;
    }
    if (value.string().empty()) {
        return true;
    }
    chat::Message &message = request_.messages.emplace_back(memory_);
    message.role = chat::Role::system;
    message.source = value;
    message.parts.emplace_back().text = value.string();
    return true;
}

bool RequestReader::read_input(Value value, const Path &path) {
    auto outcome = responses::read_input(value, path, request_, memory_);
    if (!outcome) {
        error_ = std::move(outcome.error());
        return false;
    }
    return true;
}

bool RequestReader::read_top_logprobs(Value value, const Path &path) {
    if (!integer(value, path, 0, request_.top_logprobs)) {
        return false;
    }
    if (*request_.top_logprobs > 0) {
        request_.logprobs = true;
    } else {
        request_.top_logprobs.reset();
    }
    return true;
}

bool RequestReader::read_include(Value value, const Path &path) {
    if (!expect(value, Kind::array, path)) {
        return false;
    }
    for (Value one : value.elements()) {
        if (one.string() == "message.output_text.logprobs") {
            request_.logprobs = true;
        }
    }
    return true;
}

bool RequestReader::read_stream(Value value, const Path &path) {
    request_.stream = value.boolean();
    // The last event of every stream has it.
    request_.include_usage = request_.stream;
    return expect(value, Kind::boolean, path);
}

bool RequestReader::read_text(Value value, const Path &path) {
    if (!expect(value, Kind::object, path)
        || !optional_text(value, path, "verbosity", request_.verbosity)) {
        return false;
    }
    Value format = value["format"];
    return format.is_null() || read_format(format, Path(path, "format"));
}

bool RequestReader::read_format(Value value, const Path &path) {
    if (!read_format_type(value, path)) {
        return false;
    }
    return !wants_json_schema()
           || (expect(value["schema"], Kind::object, Path(path, "schema"))
               && read_json_schema(value, path));
}

bool RequestReader::read_reasoning(Value value, const Path &path) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }
    return optional_text(value, path, "effort", request_.reasoning.effort);
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
    if (type != "function" && type != "custom") {
        tool.type = chat::Tool::Type::native;
        tool.name = type;
        return true;
    }

    if (type == "custom") {
        tool.type = chat::Tool::Type::custom;
        return required_text(value, path, "name", tool.name)
               && optional_text(value, path, "description", tool.description);
    }
    return read_function(value, path, tool)
           && optional_boolean(value, path, "strict", tool.strict);
}

bool RequestReader::read_tool_choice(Value value, const Path &path) {
    using Mode = chat::ToolChoice::Mode;

    auto &choice = request_.tool_choice.emplace();
    choice.source = value;
    if (value.is_string()) {
        return read_choice_word(value, path, choice);
    }
    if (!value.is_object()) {
        return fail(path, "must be a string or an object");
    }

    std::string_view type;
    if (!required_text(value, path, "type", type)) {
        return false;
    }
    if (type == "function" || type == "custom") {
        choice.mode = Mode::named;
        return required_text(value, path, "name", choice.name);
    }
    if (type == "allowed_tools") {
        choice.mode = Mode::allowed;
        return expect(value["tools"], Kind::array, Path(path, "tools"));
    }
    error_ = unsupported("tool_choice: a tool of type \"" + std::string(type)
                             + "\" can only be chosen of a provider that "
                               "speaks the Responses API",
                         "tool_choice");
    return false;
}

// Input may be elsewhere: in what is stored at the provider.
bool has_stored_input(Value root) {
    for (const StoredMember &row : stored_members()) {
        Value value = root[row.name];
        if (value.is_string() || value.is_object()) {
            return true;
        }
    }
    return false;
}

}  // namespace

Result<RequestHead> parse_head(const json::Document &document) {
    Value root = document.root();
    fields::HeadReader reader(root);
    bool read = reader.read_model();
    if (read) {
        Value input = root["input"];
        if (input.is_null()) {
            read = has_stored_input(root)
                   || reader.fail(Path("input"), fields::missing);
        } else {
            read = input.is_string() || input.is_array()
                   || reader.fail(Path("input"),
                                  "must be a string or an array of items");
        }
    }
    read = read && reader.read_stream()
           && reader.read_max_tokens("max_output_tokens", 1);
    // The last event of every stream has it.
    reader.head.include_usage = reader.head.stream;
    return reader.result(read);
}

Result<Request> parse_request(const json::Document &document,
                              std::pmr::memory_resource *memory) {
    auto request = RequestReader(document.root(), memory).read();
    if (request) {
        request->origin = &responses_format();
    }
    return request;
}

}  // namespace llm::responses
