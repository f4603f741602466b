#include "formats/openai/message_read.hpp"

#include <algorithm>
#include <unordered_set>

#include "formats/openai/data_url.hpp"
#include "formats/openai/google.hpp"
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

constexpr unsigned bit(Role role) {
    return 1U << static_cast<unsigned>(role);
}

class MessageReader : fields::Reader {
public:
    MessageReader(Request &request, std::pmr::memory_resource *memory)
        : memory_(memory), request_(request), calls_(memory),
          legacy_calls_(memory) {}

    Result<void> read(Value value, const Path &path);

private:
    using ReadPart = bool (MessageReader::*)(Value, const Path &, Part &);

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

    bool read_text(Value value, const Path &path, Part &part);
    bool read_refusal(Value value, const Path &path, Part &part);
    bool read_image(Value value, const Path &path, Part &part);
    bool read_audio(Value value, const Path &path, Part &part);
    bool read_file(Value value, const Path &path, Part &part);

    std::pmr::memory_resource *memory_;
    Request &request_;
    std::pmr::unordered_set<std::string_view> calls_;   // ids so far
    std::pmr::vector<LegacyCall> legacy_calls_;
};

// OpenAI API reference: text everywhere, refusals from the assistant, the rest
// from users. Images and files in tool results are an extension of compatible
// servers, which other formats have, too.
const MessageReader::PartReader MessageReader::part_readers[] = {
    {"text", ~0U, &MessageReader::read_text},
    {"refusal", bit(Role::assistant), &MessageReader::read_refusal},
    {"image_url", bit(Role::user) | bit(Role::tool),
     &MessageReader::read_image},
    {"input_audio", bit(Role::user), &MessageReader::read_audio},
    {"file", bit(Role::user) | bit(Role::tool), &MessageReader::read_file},
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
    std::size_t index = 0;
    for (Value message : value.elements()) {
        if (!read_message(message, Path(path, index++))) {
            return false;
        }
    }
    return true;
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
    std::size_t index = 0;
    for (Value element : value.elements()) {
        if (!read_part(element, Path(path, index++), message)) {
            return false;
        }
    }
    return true;
}

bool MessageReader::read_part(Value value, const Path &path,
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

bool MessageReader::read_text(Value value, const Path &path, Part &part) {
    part.text = value["text"].string();
    return expect(value["text"], Kind::string, Path(path, "text"));
}

bool MessageReader::read_refusal(Value value, const Path &path, Part &part) {
    part.type = PartType::refusal;
    part.text = value["refusal"].string();
    return expect(value["refusal"], Kind::string, Path(path, "refusal"));
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

bool MessageReader::read_audio(Value value, const Path &path, Part &part) {
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
