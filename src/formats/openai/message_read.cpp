#include "formats/openai/message_read.hpp"

#include <algorithm>
#include <unordered_set>

#include "formats/openai/answer.hpp"
#include "formats/openai/google.hpp"
#include "formats/openai/part_read.hpp"
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
using fields::Path;
using json::Kind;
using json::Value;

class MessageReader : PartReader {
public:
    MessageReader(Request &request, std::pmr::memory_resource *memory)
        : memory_(memory), request_(request), calls_(memory),
          legacy_calls_(memory) {}

    Result<void> read(Value value, const Path &path);

private:
    using PartRow = openai::PartRow<MessageReader>;
    static const PartRow part_rows[];

    // A call in the deprecated form, which has no id.
    struct LegacyCall {
        std::string_view name;
        std::string_view id;
    };

    bool read_messages(Value value, const Path &path);
    bool read_message(Value value, const Path &path);
    bool read_content(Value value, const Path &path, Message &message);
    bool read_part(Value value, const Path &path, Message &message);
    bool read_assistant(Value value, const Path &path, Message &message);
    bool read_tool_call(Value value, const Path &path, Message &message);
    bool read_legacy_call(Value value, const Path &path, Message &message);
    bool read_tool_result(Value value, const Path &path, Message &message);
    bool read_legacy_result(Value value, const Path &path, Message &message);
    bool read_arguments(Value value, const Path &path, std::string_view &out);

    bool read_image(Value value, const Path &path, Part &part);
    bool read_file(Value value, const Path &path, Part &part);
    bool read_thinking(Value value, const Path &path, Part &part);

    std::pmr::memory_resource *memory_;
    Request &request_;
    std::pmr::unordered_set<std::string_view> calls_;   // ids so far
    std::pmr::vector<LegacyCall> legacy_calls_;
};

// OpenAI API reference: text everywhere, refusals from the assistant, the rest
// from users. Images and files in tool results are an extension of compatible
// servers, which other formats have, too; thoughts are Mistral's, whose clients
// give them back as they came.
const MessageReader::PartRow MessageReader::part_rows[] = {
    {"text", ~0U, &MessageReader::read_text},
    {"refusal", bit(Role::assistant), &MessageReader::read_refusal},
    {"image_url", bit(Role::user) | bit(Role::tool),
     &MessageReader::read_image},
    {"input_audio", bit(Role::user), &MessageReader::read_audio},
    {"file", bit(Role::user) | bit(Role::tool), &MessageReader::read_file},
    {"thinking", bit(Role::assistant), &MessageReader::read_thinking},
};

Result<void> MessageReader::read(Value value, const Path &path) {
    if (!read_messages(value, path)) {
        return std::move(error_);
    }
    return {};
}

bool MessageReader::read_messages(Value value, const Path &path) {
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

bool MessageReader::read_message(Value value, const Path &path) {
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

bool MessageReader::read_content(Value value, const Path &path,
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
    return each(value, path, [&](Value element, const Path &where) {
        return read_part(element, where, message);
    });
}

bool MessageReader::read_part(Value value, const Path &path,
                              Message &message) {
    const PartRow *row = row_of(value, path, message.role, part_rows);
    if (!row) {
        return false;
    }
    Part part;
    part.source = value;
    if (Value mark = value["cache_control"]; mark.is_object()) {
        part.cache_control = mark;
    }
    if (!(this->*row->read)(value, path, part)) {
        return false;
    }
    message.parts.push_back(part);
    return true;
}

bool MessageReader::read_image(Value value, const Path &path, Part &part) {
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

    std::string_view wrong = take_image_url(part);
    return wrong.empty() || fail(Path(where, "url"), wrong);
}

bool MessageReader::read_file(Value value, const Path &path, Part &part) {
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
    return take_file_data(url, Path(where, "file_data"), part);
}

bool MessageReader::read_thinking(Value value, const Path &, Part &part) {
    std::string text;
    part.type = PartType::reasoning;
    for_each_thought(value["thinking"], [&](std::string_view thought) {
        text.append(thought);
    });
    part.text = arena_copy(memory_, text);
    return true;
}

bool MessageReader::read_assistant(Value value, const Path &path,
                                   Message &message) {
    for_each_reasoning(value, [&](ReasoningPiece piece, std::string_view text) {
        append_reasoning(piece, text, message);
    });

    Value content = value["content"];
    if (!content.is_null()
        && !read_content(content, Path(path, "content"), message)) {
        return false;
    }

    sign_text(value, message);

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

bool MessageReader::read_arguments(Value value, const Path &path,
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

bool MessageReader::read_tool_call(Value value, const Path &path,
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

    part.signature = google_signature(value);
    calls_.insert(part.id);
    message.parts.push_back(part);
    return true;
}

bool MessageReader::read_legacy_call(Value value, const Path &path,
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

bool MessageReader::read_tool_result(Value value, const Path &path,
                                     Message &message) {
    if (!required_text(value, path, "tool_call_id", message.tool_call_id)
        || !read_content(value["content"], Path(path, "content"), message)) {
        return false;
    }
    return calls_.contains(message.tool_call_id)
           || fail(Path(path, "tool_call_id"),
                   "must be the id of a tool call in an earlier message");
}

bool MessageReader::read_legacy_result(Value value, const Path &path,
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

Result<void> read_messages(Value value, const Path &path, Request &request,
                           std::pmr::memory_resource *memory) {
    return MessageReader(request, memory).read(value, path);
}

}  // namespace llm::openai
