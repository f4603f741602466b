#include <string>
#include <utility>

#include "formats/fields.hpp"
#include "formats/responses/item_read.hpp"
#include "formats/responses/responses.hpp"
#include "formats/responses/tables.hpp"

namespace llm::responses {

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

    struct MemberReader {
        std::string_view name;
        Read read;
    };
    static const MemberReader member_readers[];

    bool read_body();
    bool refuse_stored();

    bool read_model(Value value, const Path &path);
    bool read_input(Value value, const Path &path);
    bool read_instructions(Value value, const Path &path);
    bool read_max_output_tokens(Value value, const Path &path);
    bool read_temperature(Value value, const Path &path);
    bool read_top_p(Value value, const Path &path);
    bool read_top_logprobs(Value value, const Path &path);
    bool read_include(Value value, const Path &path);
    bool read_user(Value value, const Path &path);
    bool read_service_tier(Value value, const Path &path);
    bool read_stream(Value value, const Path &path);
    bool read_text(Value value, const Path &path);
    bool read_format(Value value, const Path &path);
    bool read_reasoning(Value value, const Path &path);
    bool read_tools(Value value, const Path &path);
    bool read_tool(Value value, const Path &path, chat::Tool &tool);
    bool read_tool_choice(Value value, const Path &path);
    bool read_parallel_tool_calls(Value value, const Path &path);

    Value root_;
    std::pmr::memory_resource *memory_;
    Request request_;
};

// The body's members in the order in which they are read: instructions stand
// before the input, whatever the client's order is. Some hold more than a
// chat::Request does, and are kept in its `extra` besides.
const RequestReader::MemberReader RequestReader::member_readers[] = {
    {"model", &RequestReader::read_model},
    {"instructions", &RequestReader::read_instructions},
    {"input", &RequestReader::read_input},
    {"max_output_tokens", &RequestReader::read_max_output_tokens},
    {"temperature", &RequestReader::read_temperature},
    {"top_p", &RequestReader::read_top_p},
    {"top_logprobs", &RequestReader::read_top_logprobs},
    {"include", &RequestReader::read_include},
    {"user", &RequestReader::read_user},
    {"service_tier", &RequestReader::read_service_tier},
    {"stream", &RequestReader::read_stream},
    {"text", &RequestReader::read_text},
    {"reasoning", &RequestReader::read_reasoning},
    {"tools", &RequestReader::read_tools},
    {"tool_choice", &RequestReader::read_tool_choice},
    {"parallel_tool_calls", &RequestReader::read_parallel_tool_calls},
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
    if (!root_.is_object()) {
        error_ = invalid_request("the body must be a JSON object");
        return false;
    }
    // Before anything is missed that is in the store.
    if (!refuse_stored()) {
        return false;
    }
    for (std::string_view name : {"model", "input"}) {
        if (root_[name].is_null()) {
            return fail(Path(name), "is missing");
        }
    }

    for (const MemberReader &row : member_readers) {
        // SDKs send null for what their caller left out.
        if (Value value = root_[row.name];
            !value.is_null() && !(this->*row.read)(value, Path(row.name))) {
            return false;
        }
    }
    for (const json::Member &member : root_.members()) {
        bool known = false;
        for (const MemberReader &row : member_readers) {
            known = known || row.name == member.name;
        }
        if (!known || is_kept_whole(member.name)) {
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

bool RequestReader::read_model(Value value, const Path &path) {
    request_.model = value.string();
    return !request_.model.empty()
           || fail(path, "must be a string that is not empty");
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

bool RequestReader::read_max_output_tokens(Value value, const Path &path) {
    request_.max_tokens = value.integer();
    return (request_.max_tokens && *request_.max_tokens >= 1)
           || fail(path, "must be an integer of at least 1");
}

bool RequestReader::read_temperature(Value value, const Path &path) {
    request_.temperature = value;
    return expect(value, Kind::number, path);
}

bool RequestReader::read_top_p(Value value, const Path &path) {
    request_.top_p = value;
    return expect(value, Kind::number, path);
}

bool RequestReader::read_top_logprobs(Value value, const Path &path) {
    request_.top_logprobs = value.integer();
    if (!request_.top_logprobs || *request_.top_logprobs < 0) {
        return fail(path, "must be an integer of at least 0");
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

bool RequestReader::read_user(Value value, const Path &path) {
    request_.user = value.string();
    return expect(value, Kind::string, path);
}

bool RequestReader::read_service_tier(Value value, const Path &path) {
    request_.service_tier = value.string();
    return expect(value, Kind::string, path);
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
    format.schema = value["schema"];
    if (!optional_text(value, path, "name", format.name)
        || !optional_text(value, path, "description", format.description)
        || !expect(format.schema, Kind::object, Path(path, "schema"))) {
        return false;
    }
    if (Value strict = value["strict"]; !strict.is_null()) {
        format.strict = strict.boolean();
        return expect(strict, Kind::boolean, Path(path, "strict"));
    }
    return true;
}

bool RequestReader::read_reasoning(Value value, const Path &path) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }
    return optional_text(value, path, "effort", request_.reasoning.effort);
}

bool RequestReader::read_tools(Value value, const Path &path) {
    if (!expect(value, Kind::array, path)) {
        return false;
    }
    std::size_t index = 0;
    for (Value element : value.elements()) {
        chat::Tool tool;
        if (!read_tool(element, Path(path, index++), tool)) {
            return false;
        }
        request_.tools.push_back(tool);
    }
    return true;
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

    if (!required_text(value, path, "name", tool.name)
        || !optional_text(value, path, "description", tool.description)) {
        return false;
    }
    if (type == "custom") {
        tool.type = chat::Tool::Type::custom;
        return true;
    }
    if (Value parameters = value["parameters"]; !parameters.is_null()) {
        tool.parameters = parameters;
        if (!expect(parameters, Kind::object, Path(path, "parameters"))) {
            return false;
        }
    }
    if (Value strict = value["strict"]; !strict.is_null()) {
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

bool RequestReader::read_parallel_tool_calls(Value value, const Path &path) {
    request_.parallel_tool_calls = value.boolean();
    return expect(value, Kind::boolean, path);
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

    Value input = root["input"];
    if (input.is_null()) {
        bool elsewhere = false;
        for (const StoredMember &row : stored_members()) {
            Value value = root[row.name];
            elsewhere = elsewhere || value.is_string() || value.is_object();
        }
        if (!elsewhere) {
            return fail("input", "is missing");
        }
    } else if (!input.is_string() && !input.is_array()) {
        return fail("input", "must be a string or an array of items");
    }

    Value stream = root["stream"];
    if (!stream.is_null() && !stream.is_bool()) {
        return fail("stream", fields::expected(Kind::boolean));
    }
    head.stream = stream.boolean();
    head.include_usage = head.stream;

    if (Value most = root["max_output_tokens"]; !most.is_null()) {
        head.max_tokens = most.integer();
        if (!head.max_tokens || *head.max_tokens < 1) {
            return fail("max_output_tokens",
                        "must be an integer of at least 1");
        }
    }
    return head;
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
