#include <algorithm>
#include <span>

#include "formats/body_reader.hpp"
#include "formats/head_reader.hpp"
#include "formats/media_type.hpp"
#include "formats/ollama/ollama.hpp"
#include "formats/ollama/tables.hpp"
#include "llm/arena.hpp"

namespace llm::ollama {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;
using fields::Path;
using json::Kind;
using json::Value;

// What is read before all other members.
constexpr std::string_view chat_first[] = {"messages"};
constexpr std::string_view generate_first[] = {"prompt", "system", "images"};

// Members of /api/generate with which it is not a chat: no other API here has
// a place for them, and the answer would be another one without.
constexpr std::string_view generate_only[] = {
    "suffix", "template", "context", "raw", "width", "height", "steps",
};

// null, false, "", 0 and [] ask for nothing.
bool asks_for_something(Value value) {
    switch (value.kind()) {
    case Kind::null:
        return false;
    case Kind::boolean:
        return value.boolean();
    case Kind::number:
        return value.number() != 0;
    case Kind::string:
        return !value.string().empty();
    case Kind::array:
    case Kind::object:
        return value.size() > 0;
    }
    return false;
}

class RequestReader : fields::BodyReader {
public:
    RequestReader(Api api, Value root, std::pmr::memory_resource *memory)
        : BodyReader(root, memory), api_(api), open_(memory) {}

    Result<Request> read();

private:
    using Row = fields::MemberRow<RequestReader>;
    static const Row member_rows[];

    // A call that no result has answered yet.
    struct OpenCall {
        std::string_view id;
        std::string_view name;
    };

    bool read_body();
    bool read_member(const json::Member &member);
    bool read_messages(Value value, const Path &path);
    bool read_message(Value value, const Path &path);
    bool read_content(Value value, const Path &path, Message &message);
    bool read_images(Value value, const Path &path, Message &message);
    bool read_calls(Value value, const Path &path, Message &message);
    bool read_result(Value value, const Path &path, Message &message);
    bool read_prompt();
    bool read_format(Value value, const Path &path);
    bool read_options(Value value, const Path &path);
    bool read_stop(Value value, const Path &path);
    bool read_think(Value value, const Path &path);

    Api api_;
    std::pmr::vector<OpenCall> open_;
    std::size_t calls_ = 0;
};

const RequestReader::Row RequestReader::member_rows[] = {
    {"model", &RequestReader::read_model},
    {"stream", &RequestReader::flag<&Request::stream>},
    {"tools", &RequestReader::read_function_list},
    {"format", &RequestReader::read_format},
    {"options", &RequestReader::read_options},
    {"think", &RequestReader::read_think},
    {"logprobs", &RequestReader::flag<&Request::logprobs>},
    {"top_logprobs", &RequestReader::count<&Request::top_logprobs, 0>},
};

Result<Request> RequestReader::read() {
    if (!read_body()) {
        return std::move(error_);
    }
    return std::move(request_);
}

bool RequestReader::read_body() {
    if (!has({"model"})) {
        return false;
    }
    // The API's default.
    request_.stream = true;
    request_.include_usage = true;
    bool read = api_ == Api::chat
                    ? read_messages(root_["messages"], Path("messages"))
                    : read_prompt();
    if (!read) {
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
    if (const Row *row = fields::find_row(member_rows, member.name)) {
        return member.value.is_null()
               || (this->*row->read)(member.value, Path(member.name));
    }
    std::span<const std::string_view> first =
        api_ == Api::chat ? std::span<const std::string_view>(chat_first)
                          : generate_first;
    if (std::find(first.begin(), first.end(), member.name) != first.end()) {
        return true;
    }
    if (api_ == Api::generate) {
        bool essential = std::find(std::begin(generate_only),
                                   std::end(generate_only), member.name)
                         != std::end(generate_only);
        if (essential && asks_for_something(member.value)) {
            request_.essential.push_back(member.name);
        }
    }
    request_.extra.push_back(member);
    return true;
}

// Messages

bool RequestReader::read_messages(Value value, const Path &path) {
    // Without any the server loads the model, and says nothing.
    if (value.is_null() || (value.is_array() && value.size() == 0)) {
        return fail(path, "must not be empty");
    }
    if (!expect(value, Kind::array, path)) {
        return false;
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

    std::string_view thinking;
    if (!optional_text(value, path, "thinking", thinking)) {
        return false;
    }
    if (!thinking.empty() && message.role == Role::assistant) {
        Part part;
        part.type = PartType::reasoning;
        part.text = thinking;
        message.parts.push_back(part);
    }
    return read_content(value["content"], Path(path, "content"), message)
           && read_images(value["images"], Path(path, "images"), message)
           && read_calls(value["tool_calls"], Path(path, "tool_calls"),
                         message)
           && (message.role != Role::tool
               || read_result(value, path, message));
}

bool RequestReader::read_content(Value value, const Path &path,
                                 Message &message) {
    if (!value.is_null() && !expect(value, Kind::string, path)) {
        return false;
    }
    // What users and tools say is a message, even if it is nothing.
    bool wanted = message.role != Role::assistant
                  && message.source["images"].size() == 0;
    if (wanted || !value.string().empty()) {
        Part part;
        part.text = value.string();
        message.parts.push_back(part);
    }
    return true;
}

bool RequestReader::read_images(Value value, const Path &path,
                                Message &message) {
    if (value.is_null()) {
        return true;
    }
    return each(value, path, [&](Value element, const Path &where) {
        if (!expect(element, Kind::string, where)) {
            return false;
        }
        Part part;
        part.data = element.string();
        if (part.data.empty() || part.data.find(':') != part.data.npos) {
            return fail(where, "must be base64, without a \"data:\" prefix");
        }
        part.media_type = media_type_of(part.data);
        if (part.media_type.empty()) {
            part.media_type = "image/jpeg";
        }
        part.type = part.media_type.starts_with("audio/") ? PartType::audio
                                                          : PartType::image;
        message.parts.push_back(part);
        return true;
    });
}

bool RequestReader::read_calls(Value value, const Path &path,
                               Message &message) {
    if (value.is_null()) {
        return true;
    }
    if (!expect(value, Kind::array, path)) {
        return false;
    }
    if (message.role != Role::assistant) {
        return value.size() == 0
               || fail(path, "is for messages of the assistant");
    }

    std::size_t index = 0;
    for (Value element : value.elements()) {
        Path call(path, index++);
        Path function(call, "function");
        Value body = element["function"];
        Part part;
        part.type = PartType::tool_call;
        part.source = element;
        if (!expect(element, Kind::object, call)
            || !expect(body, Kind::object, function)
            || !required_text(body, function, "name", part.name)
            || !optional_text(element, call, "id", part.id)) {
            return false;
        }
        Value arguments = body["arguments"];
        // Clients send back what other servers gave them: a text.
        if (arguments.is_string()) {
            part.arguments = arguments.string();
        } else if (!arguments.is_null()) {
            part.arguments = arguments.raw();
            if (!expect(arguments, Kind::object,
                        Path(function, "arguments"))) {
                return false;
            }
        }
        // Older clients know no ids: one that is unlike any other here.
        if (part.id.empty()) {
            part.id = arena_concat(memory_,
                                   {"call_", std::to_string(calls_)});
        }
        ++calls_;
        open_.push_back({part.id, part.name});
        message.parts.push_back(part);
    }
    return true;
}

// The call that it answers: by its id, else by the function's name, else the
// next one.
bool RequestReader::read_result(Value value, const Path &path,
                                Message &message) {
    std::string_view id;
    std::string_view name;
    if (!optional_text(value, path, "tool_call_id", id)
        || !optional_text(value, path, "tool_name", name)) {
        return false;
    }
    // Clients of before there was "tool_name".
    if (name.empty()) {
        name = value["name"].string();
    }

    auto call = std::find_if(open_.begin(), open_.end(),
                             [&](const OpenCall &open) {
                                 return id.empty() ? name.empty()
                                                         || open.name == name
                                                   : open.id == id;
                             });
    if (call == open_.end()) {
        return fail(path, "answers no tool call of an earlier message");
    }
    message.tool_call_id = call->id;
    open_.erase(call);
    return true;
}

// /api/generate: one turn.
bool RequestReader::read_prompt() {
    std::string_view system;
    std::string_view prompt;
    auto text = [this](std::string_view name, std::string_view &out) {
        Value value = root_[name];
        out = value.string();
        return value.is_null() || expect(value, Kind::string, Path(name));
    };
    if (!text("system", system) || !text("prompt", prompt)) {
        return false;
    }
    if (!system.empty()) {
        Message &message = request_.messages.emplace_back(memory_);
        message.role = Role::system;
        Part part;
        part.text = system;
        message.parts.push_back(part);
    }

    Message &message = request_.messages.emplace_back(memory_);
    if (!prompt.empty()) {
        Part part;
        part.text = prompt;
        message.parts.push_back(part);
    }
    if (!read_images(root_["images"], Path("images"), message)) {
        return false;
    }
    return !message.parts.empty()
           || fail(Path("prompt"), "must not be empty");
}

// All else

bool RequestReader::read_format(Value value, const Path &path) {
    using Type = chat::ResponseFormat::Type;

    if (value.is_string() && value.string().empty()) {
        return true;
    }
    auto &format = request_.response_format.emplace();
    if (value.string() == "json") {
        format.type = Type::json_object;
        return true;
    }
    if (!value.is_object()) {
        return fail(path, "must be \"json\" or a JSON schema");
    }
    format.type = Type::json_schema;
    format.schema = value;
    return true;
}

bool RequestReader::read_options(Value value, const Path &path) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }
    bool unknown = false;
    for (const json::Member &member : value.members()) {
        unknown |= !is_known_option(member.name);
    }
    if (unknown) {
        request_.extra.push_back({"options", value, {}});
    }

    for (const Option &row : options()) {
        Value number = value[row.name];
        if (number.is_null()) {
            continue;
        }
        request_.*row.field = number;
        if (!expect(number, Kind::number, Path(path, row.name))) {
            return false;
        }
    }
    if (Value most = value["num_predict"]; !most.is_null()) {
        auto tokens = most.integer();
        if (!tokens) {
            return fail(Path(path, "num_predict"), "must be an integer");
        }
        // -1 and -2: as many as there may be.
        if (*tokens > 0) {
            request_.max_tokens = tokens;
        }
    }
    Value stop = value["stop"];
    return stop.is_null() || read_stop(stop, Path(path, "stop"));
}

bool RequestReader::read_stop(Value value, const Path &path) {
    if (value.is_string()) {
        request_.stop.push_back(value.string());
        return true;
    }
    return texts(value, path, request_.stop);
}

bool RequestReader::read_think(Value value, const Path &path) {
    using Mode = chat::Reasoning::Mode;

    chat::Reasoning &reasoning = request_.reasoning;
    reasoning.source = value;
    if (value.is_bool()) {
        // The server takes true for medium (api/types.go).
        reasoning.mode = value.boolean() ? Mode::adaptive : Mode::disabled;
        reasoning.effort = value.boolean() ? "medium" : "none";
        return true;
    }
    std::string_view word = value.string();
    reasoning.effort = word;
    return word == "low" || word == "medium" || word == "high" || word == "max"
           || fail(path, "must be true, false, \"low\", \"medium\", \"high\" "
                         "or \"max\"");
}

}  // namespace

Result<RequestHead> parse_head(Api, const json::Document &document) {
    fields::HeadReader reader(document.root());
    bool read = reader.read_model() && reader.read_stream(true);
    // The last line of every stream has it.
    reader.head.include_usage = true;
    auto tokens = document.root()["options"]["num_predict"].integer();
    if (tokens && *tokens > 0) {
        reader.head.max_tokens = tokens;
    }
    return reader.result(read);
}

Result<Request> parse_request(Api api, const json::Document &document,
                              std::pmr::memory_resource *memory) {
    auto request = RequestReader(api, document.root(), memory).read();
    if (request) {
        request->origin = &format_of(api);
    }
    return request;
}

}  // namespace llm::ollama
