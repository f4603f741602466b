#include <algorithm>
#include <unordered_set>

#include "formats/body_reader.hpp"
#include "formats/cohere/cohere.hpp"
#include "formats/cohere/tables.hpp"
#include "formats/head_reader.hpp"
#include "formats/openai/part_read.hpp"

namespace llm::cohere {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;
using fields::Path;
using json::Kind;
using json::Value;

class RequestReader : fields::BodyReader {
public:
    RequestReader(Value root, std::pmr::memory_resource *memory)
        : BodyReader(root, memory), calls_(memory) {}

    Result<Request> read();

private:
    using Row = fields::MemberRow<RequestReader>;
    static const Row member_rows[];

    bool read_body();
    bool read_member(const json::Member &member);
    bool read_messages(Value value, const Path &path);
    bool read_message(Value value, const Path &path);
    bool read_content(Value value, const Path &path, Message &message);
    bool read_part(Value value, const Path &path, Message &message);
    bool read_image(Value value, const Path &path, Part &part);
    bool read_calls(Value value, const Path &path, Message &message);
    bool read_result(Value value, const Path &path, Message &message);
    bool read_strict_tools(Value value, const Path &path);
    bool read_tool_choice(Value value, const Path &path);
    bool read_response_format(Value value, const Path &path);
    bool read_thinking(Value value, const Path &path);
    bool read_documents(Value value, const Path &path);

    std::pmr::unordered_set<std::string_view> calls_;   // ids so far
};

// "strict_tools" marks tools that are there already: it comes last.
const RequestReader::Row RequestReader::member_rows[] = {
    {"model", &RequestReader::read_model},
    {"messages", &RequestReader::read_messages},
    {"stream", &RequestReader::flag<&Request::stream>},
    {"max_tokens", &RequestReader::count<&Request::max_tokens, 1>},
    {"stop_sequences", &RequestReader::read_stops},
    {"tools", &RequestReader::read_function_list},
    {"tool_choice", &RequestReader::read_tool_choice},
    {"response_format", &RequestReader::read_response_format},
    {"thinking", &RequestReader::read_thinking},
    {"documents", &RequestReader::read_documents},
    {"logprobs", &RequestReader::flag<&Request::logprobs>},
};

Result<Request> RequestReader::read() {
    if (!read_body()) {
        return std::move(error_);
    }
    request_.include_usage = true;
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
    Value strict = root_["strict_tools"];
    return strict.is_null() || read_strict_tools(strict, Path("strict_tools"));
}

bool RequestReader::read_member(const json::Member &member) {
    Path path(member.name);
    bool absent = member.value.is_null();
    if (const Row *row = fields::find_row(member_rows, member.name)) {
        return absent || (this->*row->read)(member.value, path);
    }
    for (const NumberMember &row : number_members()) {
        if (row.name == member.name) {
            request_.*row.field = absent ? Value() : member.value;
            return absent || expect(member.value, Kind::number, path);
        }
    }
    if (member.name != "strict_tools") {
        request_.extra.push_back(member);
    }
    return true;
}

// Messages

bool RequestReader::read_messages(Value value, const Path &path) {
    if (!expect(value, Kind::array, path)) {
        return false;
    }
    if (value.size() == 0) {
        return fail(path, "must not be empty");
    }
    request_.messages.reserve(value.size());
    return each(value, path, [this](Value message, const Path &where) {
        return read_message(message, where);
    });
}

bool RequestReader::read_message(Value value, const Path &path) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }
    Message &message = request_.messages.emplace_back(memory_);
    auto role = role_of(value["role"].string());
    if (!role) {
        return fail(Path(path, "role"), "must be \"system\", \"user\", "
                                        "\"assistant\" or \"tool\"");
    }
    message.role = *role;
    message.source = value;

    if (message.role == Role::assistant) {
        std::string_view plan;
        if (!optional_text(value, path, "tool_plan", plan)) {
            return false;
        }
        if (!plan.empty()) {
            // What it says before it calls tools.
            Part part;
            part.text = plan;
            message.parts.push_back(part);
        }
        if (value["content"].is_null()) {
            return read_calls(value["tool_calls"], Path(path, "tool_calls"),
                              message);
        }
    }
    return read_content(value["content"], Path(path, "content"), message)
           && (message.role != Role::assistant
               || read_calls(value["tool_calls"], Path(path, "tool_calls"),
                             message))
           && (message.role != Role::tool || read_result(value, path, message));
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
    return each(value, path, [&](Value element, const Path &where) {
        return read_part(element, where, message);
    });
}

bool RequestReader::read_part(Value value, const Path &path,
                              Message &message) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }
    Part part;
    part.source = value;
    std::string_view type = value["type"].string();
    bool read = false;
    if (type == "text") {
        part.text = value["text"].string();
        read = expect(value["text"], Kind::string, Path(path, "text"));
    } else if (type == "thinking" && message.role == Role::assistant) {
        part.type = PartType::reasoning;
        part.text = value["thinking"].string();
        read = expect(value["thinking"], Kind::string, Path(path, "thinking"));
    } else if (type == "image_url" && message.role == Role::user) {
        read = read_image(value, path, part);
    } else if (type == "document" && message.role == Role::tool) {
        // Fields that the model is shown; elsewhere their JSON has to do.
        Value data = value["document"]["data"];
        part.text = data.is_string() ? data.string() : data.raw();
        read = !data.is_null()
               || fail(Path(path, "document"), "must have \"data\"");
    } else {
        return fail(Path(path, "type"),
                    "is no type of a part of this role's messages");
    }
    if (read) {
        message.parts.push_back(part);
    }
    return read;
}

bool RequestReader::read_image(Value value, const Path &path, Part &part) {
    part.type = PartType::image;
    Value image = value["image_url"];
    Path where(path, "image_url");
    if (!expect(image, Kind::object, where)
        || !required_text(image, where, "url", part.url)
        || !optional_text(image, where, "detail", part.detail)) {
        return false;
    }
    std::string_view wrong = openai::take_image_url(part);
    return wrong.empty() || fail(Path(where, "url"), wrong);
}

bool RequestReader::read_calls(Value value, const Path &path,
                               Message &message) {
    if (value.is_null()) {
        return true;
    }
    return each(value, path, [&](Value element, const Path &call) {
        Path function(call, "function");
        Value body = element["function"];
        Part part;
        part.type = PartType::tool_call;
        part.source = element;
        if (!expect(element, Kind::object, call)
            || !required_text(element, call, "id", part.id)
            || !expect(body, Kind::object, function)
            || !required_text(body, function, "name", part.name)
            || !optional_text(body, function, "arguments", part.arguments)) {
            return false;
        }
        calls_.insert(part.id);
        message.parts.push_back(part);
        return true;
    });
}

bool RequestReader::read_result(Value value, const Path &path,
                                Message &message) {
    if (!required_text(value, path, "tool_call_id", message.tool_call_id)) {
        return false;
    }
    return calls_.contains(message.tool_call_id)
           || fail(Path(path, "tool_call_id"),
                   "must be the id of a tool call in an earlier message");
}

// All else

bool RequestReader::read_strict_tools(Value value, const Path &path) {
    for (chat::Tool &tool : request_.tools) {
        tool.strict = value.boolean();
    }
    return expect(value, Kind::boolean, path);
}

bool RequestReader::read_tool_choice(Value value, const Path &path) {
    using Mode = chat::ToolChoice::Mode;

    auto &choice = request_.tool_choice.emplace();
    std::string_view word = value.string();
    choice.mode = word == "NONE" ? Mode::none : Mode::required;
    return word == "NONE" || word == "REQUIRED"
           || fail(path, "must be \"REQUIRED\" or \"NONE\"");
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
    if (type != "json_object") {
        return fail(Path(path, "type"), "must be \"text\" or \"json_object\"");
    }
    format.type = Type::json_object;
    Value schema = value["json_schema"];
    // The older name.
    if (schema.is_null()) {
        schema = value["schema"];
    }
    if (schema.is_null()) {
        return true;
    }
    format.type = Type::json_schema;
    format.schema = schema;
    return expect(schema, Kind::object, Path(path, "json_schema"));
}

bool RequestReader::read_thinking(Value value, const Path &path) {
    using Mode = chat::Reasoning::Mode;

    if (!expect(value, Kind::object, path)) {
        return false;
    }
    chat::Reasoning &reasoning = request_.reasoning;
    reasoning.source = value;
    std::string_view type = value["type"].string();
    if (type == "disabled") {
        reasoning.mode = Mode::disabled;
        reasoning.effort = "none";
        return true;
    }
    if (type != "enabled") {
        return fail(Path(path, "type"), "must be \"enabled\" or \"disabled\"");
    }
    reasoning.mode = Mode::adaptive;
    Value budget = value["token_budget"];
    if (budget.is_null()) {
        return true;
    }
    auto tokens = budget.integer();
    reasoning.mode = Mode::budget;
    reasoning.budget_tokens = tokens.value_or(0);
    return (tokens && *tokens > 0)
           || fail(Path(path, "token_budget"),
                   "must be an integer of at least 1");
}

// What the answer is to be made of; no other API has a place for it.
bool RequestReader::read_documents(Value value, const Path &path) {
    if (!expect(value, Kind::array, path)) {
        return false;
    }
    request_.extra.push_back({"documents", value, {}});
    if (value.size() > 0) {
        request_.essential.push_back("documents");
    }
    return true;
}

}  // namespace

Result<RequestHead> parse_head(const json::Document &document) {
    fields::HeadReader reader(document.root());
    // The last event of every stream has it.
    reader.head.include_usage = true;
    return reader.result(reader.read_model() && reader.check_list("messages")
                         && reader.read_stream()
                         && reader.read_max_tokens("max_tokens", 1));
}

Result<Request> parse_request(const json::Document &document,
                              std::pmr::memory_resource *memory) {
    auto request = RequestReader(document.root(), memory).read();
    if (request) {
        request->origin = &cohere_format();
    }
    return request;
}

}  // namespace llm::cohere
