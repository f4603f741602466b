#include "formats/responses/item_read.hpp"

#include <string>
#include <unordered_set>
#include <utility>

#include "formats/openai/part_read.hpp"
#include "formats/openai/tables.hpp"
#include "formats/responses/item_text.hpp"
#include "formats/responses/sealed.hpp"
#include "formats/responses/tables.hpp"
#include "llm/arena.hpp"

namespace llm::responses {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;
using fields::Path;
using json::Kind;
using json::Value;
using openai::bit;

constexpr unsigned any_role = ~0U;
constexpr unsigned not_assistant = any_role & ~bit(Role::assistant);

// What one turn of the assistant's is, is one item each here: its thoughts,
// its texts, its calls. They become one message, as other APIs have it.
class ItemReader : openai::PartReader {
public:
    ItemReader(Request &request, std::pmr::memory_resource *memory)
        : memory_(memory), request_(request), calls_(memory) {}

    Result<void> read(Value value, const Path &path);

private:
    using ReadItem = bool (ItemReader::*)(Value, const Path &);

    struct ItemRow {
        std::string_view type;
        ReadItem read;
    };
    static const ItemRow item_rows[];

    using PartRow = openai::PartRow<ItemReader>;
    static const PartRow part_rows[];

    bool read_items(Value value, const Path &path);
    bool read_item(Value value, const Path &path);
    bool read_message(Value value, const Path &path);
    bool read_function_call(Value value, const Path &path);
    bool read_custom_call(Value value, const Path &path);
    bool read_call(Value value, const Path &path, std::string_view arguments,
                   Part &part);
    bool read_output(Value value, const Path &path);
    bool read_made_image(Value value, const Path &path);
    bool read_reasoning(Value value, const Path &path);
    bool refuse(std::string_view what, const Path &path);

    // `whole`: the source of the message's parts, if not each its own.
    bool read_content(Value value, const Path &path, Message &message,
                      Value whole);
    bool read_part(Value value, const Path &path, Message &message,
                   Value whole);
    bool read_image(Value value, const Path &path, Part &part);
    bool read_file(Value value, const Path &path, Part &part);

    Message &assistant();
    std::string_view joined(Value texts);

    std::pmr::memory_resource *memory_;
    Request &request_;
    std::pmr::unordered_set<std::string_view> calls_;   // ids so far
    std::string_view call_signature_;   // of the call that comes next
};

const ItemReader::ItemRow ItemReader::item_rows[] = {
    {"message", &ItemReader::read_message},
    {"function_call", &ItemReader::read_function_call},
    {"function_call_output", &ItemReader::read_output},
    {"custom_tool_call", &ItemReader::read_custom_call},
    {"custom_tool_call_output", &ItemReader::read_output},
    {"image_generation_call", &ItemReader::read_made_image},
    {"reasoning", &ItemReader::read_reasoning},
};

// Clients give the assistant's words as input_text, too.
const ItemReader::PartRow ItemReader::part_rows[] = {
    {"input_text", any_role, &ItemReader::read_text},
    {"output_text", bit(Role::assistant), &ItemReader::read_text},
    {"refusal", bit(Role::assistant), &ItemReader::read_refusal},
    {"input_image", not_assistant, &ItemReader::read_image},
    {"input_audio", bit(Role::user), &ItemReader::read_audio},
    {"input_file", not_assistant, &ItemReader::read_file},
};

Result<void> ItemReader::read(Value value, const Path &path) {
    if (!read_items(value, path)) {
        return std::move(error_);
    }
    return {};
}

bool ItemReader::read_items(Value value, const Path &path) {
    if (value.is_string()) {
        Message &message = request_.messages.emplace_back(memory_);
        message.source = value;
        message.parts.emplace_back().text = value.string();
        return true;
    }
    if (!value.is_array()) {
        return fail(path, "must be a string or an array of items");
    }
    if (value.size() == 0) {
        return fail(path, "must not be empty");
    }

    return each(value, path, [this](Value item, const Path &where) {
        return read_item(item, where);
    });
}

bool ItemReader::read_item(Value value, const Path &path) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }

    // Messages need no type, and neither do references to stored items.
    std::string_view type = value["type"].string();
    if (type.empty()) {
        type = value["role"].is_null() ? "item_reference" : "message";
    }
    for (const ItemRow &row : item_rows) {
        if (row.type == type) {
            return (this->*row.read)(value, path);
        }
    }
    if (is_hosted_item(type)) {
        Part &part = assistant().parts.emplace_back();
        part.type = PartType::native;
        part.name = type;
        part.source = value;
        return true;
    }
    return refuse("an item of type \"" + std::string(type) + '"',
                  Path(path, "type"));
}

bool ItemReader::refuse(std::string_view what, const Path &path) {
    error_ = unsupported(path.text() + ": " + std::string(what)
                             + " can only be sent to a provider that speaks "
                               "the Responses API",
                         path.text());
    return false;
}

// The message that the assistant's next item belongs to.
Message &ItemReader::assistant() {
    auto &messages = request_.messages;
    if (messages.empty() || messages.back().role != Role::assistant) {
        messages.emplace_back(memory_).role = Role::assistant;
    }
    return messages.back();
}

bool ItemReader::read_message(Value value, const Path &path) {
    auto role = openai::role_of(value["role"].string());
    if (!role || *role == Role::tool) {
        return fail(Path(path, "role"),
                    "must be \"user\", \"assistant\", \"system\" or "
                    "\"developer\"");
    }

    Value content = value["content"];
    Path where(path, "content");
    if (*role == Role::assistant) {
        // Some clients send null for an answer that was nothing but calls.
        return content.is_null()
               || read_content(content, where, assistant(), value);
    }
    Message &message = request_.messages.emplace_back(memory_);
    message.role = *role;
    message.source = value;
    return read_content(content, where, message, {});
}

bool ItemReader::read_content(Value value, const Path &path, Message &message,
                              Value whole) {
    if (value.is_string()) {
        Part &part = message.parts.emplace_back();
        part.text = value.string();
        part.source = whole;
        return true;
    }
    if (!value.is_array()) {
        return fail(path, "must be a string or an array of parts");
    }

    message.parts.reserve(message.parts.size() + value.size());
    return each(value, path, [&](Value element, const Path &where) {
        return read_part(element, where, message, whole);
    });
}

bool ItemReader::read_part(Value value, const Path &path, Message &message,
                           Value whole) {
    const PartRow *row = row_of(value, path, message.role, part_rows);
    if (!row) {
        return false;
    }
    Part part;
    part.source = whole ? whole : value;
    if (!(this->*row->read)(value, path, part)) {
        return false;
    }
    message.parts.push_back(part);
    return true;
}

bool ItemReader::read_image(Value value, const Path &path, Part &part) {
    part.type = PartType::image;
    if (!optional_text(value, path, "image_url", part.url)
        || !optional_text(value, path, "file_id", part.file_id)
        || !optional_text(value, path, "detail", part.detail)) {
        return false;
    }
    if (part.url.empty()) {
        return !part.file_id.empty()
               || fail(path, "must have \"image_url\" or \"file_id\"");
    }

    std::string_view wrong = openai::take_image_url(part);
    return wrong.empty() || fail(Path(path, "image_url"), wrong);
}

bool ItemReader::read_file(Value value, const Path &path, Part &part) {
    part.type = PartType::file;
    std::string_view data_url;
    if (!optional_text(value, path, "filename", part.filename)
        || !optional_text(value, path, "file_id", part.file_id)
        || !optional_text(value, path, "file_url", part.url)
        || !optional_text(value, path, "file_data", data_url)) {
        return false;
    }
    if (data_url.empty() && part.file_id.empty() && part.url.empty()) {
        return fail(path,
                    "must have \"file_data\", \"file_url\" or \"file_id\"");
    }
    if (!take_file_data(data_url, Path(path, "file_data"), part)) {
        return false;
    }
    if (!part.url.empty() && !part.url.starts_with("https://")
        && !part.url.starts_with("http://")) {
        return fail(Path(path, "file_url"), "must be an http or https URL");
    }
    return true;
}

bool ItemReader::read_function_call(Value value, const Path &path) {
    Part part;
    return read_call(value, path, "arguments", part);
}

bool ItemReader::read_custom_call(Value value, const Path &path) {
    Part part;
    part.custom = true;
    return read_call(value, path, "input", part);
}

bool ItemReader::read_call(Value value, const Path &path,
                           std::string_view arguments, Part &part) {
    part.type = PartType::tool_call;
    part.source = value;
    if (!required_text(value, path, "call_id", part.id)
        || !required_text(value, path, "name", part.name)
        || !optional_text(value, path, arguments, part.arguments)) {
        return false;
    }
    part.signature = std::exchange(call_signature_, {});
    calls_.insert(part.id);
    assistant().parts.push_back(part);
    return true;
}

bool ItemReader::read_output(Value value, const Path &path) {
    Message &message = request_.messages.emplace_back(memory_);
    message.role = Role::tool;
    message.source = value;
    if (!required_text(value, path, "call_id", message.tool_call_id)
        || !read_content(value["output"], Path(path, "output"), message, {})) {
        return false;
    }
    return calls_.contains(message.tool_call_id)
           || fail(Path(path, "call_id"),
                   "must be the id of a call in an earlier item");
}

// An image of an earlier answer. Without its data it only names one that
// OpenAI keeps.
bool ItemReader::read_made_image(Value value, const Path &path) {
    std::string_view result;
    if (!optional_text(value, path, "result", result)) {
        return false;
    }
    Part &part = assistant().parts.emplace_back();
    part.source = value;
    if (result.empty()) {
        part.type = PartType::native;
        part.name = "image_generation_call";
        return true;
    }
    ItemImage image = item_image(value);
    part.type = PartType::image;
    part.data = image.data;
    part.media_type = image.media_type;
    return true;
}

// The texts of a list of {text}, a blank line between them.
std::string_view ItemReader::joined(Value texts) {
    std::string all;
    for (Value text : texts.elements()) {
        if (texts.size() == 1) {
            return text["text"].string();
        }
        all.append(all.empty() ? "" : "\n\n").append(text["text"].string());
    }
    return arena_copy(memory_, all);
}

bool ItemReader::read_reasoning(Value value, const Path &path) {
    std::string_view encrypted;
    if (!optional_text(value, path, "encrypted_content", encrypted)) {
        return false;
    }

    Part part;
    part.type = PartType::reasoning;
    part.source = value;
    part.text = joined(value["content"]);
    if (part.text.empty()) {
        part.text = joined(value["summary"]);
    }

    // What is not marked was sealed by a provider that speaks this API, and
    // says nothing to any other.
    Marked marked = read_mark(encrypted);
    switch (marked.proof) {
    case Proof::none:
        break;
    case Proof::signature:
        if (!unseal(marked.data)) {
            part.signature = marked.data;
        }
        break;
    case Proof::redacted:
        part.type = PartType::redacted_reasoning;
        part.data = marked.data;
        break;
    case Proof::call:
        call_signature_ = marked.data;
        break;
    }
    if (part.type == PartType::reasoning && part.text.empty()
        && part.signature.empty()) {
        part.type = PartType::native;
        part.name = "reasoning";
    }
    assistant().parts.push_back(part);
    return true;
}

}  // namespace

Result<void> read_input(Value value, const Path &path, Request &request,
                        std::pmr::memory_resource *memory) {
    return ItemReader(request, memory).read(value, path);
}

}  // namespace llm::responses
