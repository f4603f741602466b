// Source: the service model of bedrock-runtime, ContentBlock and
// SystemContentBlock.
#include "formats/bedrock/message_reader.hpp"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <string>

#include "formats/bedrock/bedrock.hpp"
#include "formats/bedrock/tables.hpp"
#include "formats/block_message_reader.hpp"
#include "formats/tool_name.hpp"
#include "llm/arena.hpp"

namespace llm::bedrock {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Role;
using fields::Path;
using fields::quoted;

// Whether the object has these members and no other.
bool has_only(json::Value object,
              std::initializer_list<std::string_view> names) {
    auto members = object.members();
    return std::all_of(members.begin(), members.end(),
                       [&](const json::Member &member) {
                           return std::find(names.begin(), names.end(),
                                            member.name) != names.end();
                       });
}

class MessageReader final : public BlockMessageReader {
public:
    using BlockMessageReader::BlockMessageReader;

private:
    // `value` is the member that names the block, `path` its place; the part
    // has the block as its source, and loses it where its members say all of
    // it. What becomes a part is pushed to the message.
    using BlockReader = bool (MessageReader::*)(json::Value value,
                                                const Path &path, Part part,
                                                Message &message);

    struct BlockRow {
        std::string_view name;
        unsigned places;
        BlockReader read;
    };

    static const BlockRow block_rows[];
    static const BlockRow *end_of_block_rows();

    bool read_content(json::Value blocks, const Path &path, Place place,
                      Message &message) override {
        if (!blocks.is_array()) {
            return fail(path, blocks ? "must be an array" : "is required");
        }
        message.parts.reserve(blocks.size());
        std::size_t results = request_.messages.size();
        return each(blocks, path,
                    [&](json::Value block, const Path &where) {
                        return read_block(block, where, place, results,
                                          message);
                    });
    }

    // `results`: the first of request_.messages that this message's tool
    // results have become.
    bool read_block(json::Value block, const Path &path, Place place,
                    std::size_t results, Message &message) {
        if (!block.is_object()) {
            return fail(path, "must be an object");
        }
        // A union: one member says what the block is.
        for (json::Member member : block.members()) {
            if (member.value.is_null()) {
                continue;
            }
            if (member.name == "cachePoint") {
                mark(member.value, results, message);
                return true;
            }
            auto row = std::find_if(
                block_rows, end_of_block_rows(), [&](const BlockRow &row) {
                    return row.name == member.name;
                });
            Path at(path, member.name);
            if (row == end_of_block_rows() || (row->places & place) == 0) {
                return fail(path, "cannot be " + quoted(member.name)
                                      + " in this place");
            }
            Part part;
            part.source = block;
            return (this->*row->read)(member.value, at, part, message);
        }
        return fail(path, "is empty");
    }

    // What the cache is to keep ends with the block before.
    void mark(json::Value cache_point, std::size_t results, Message &message) {
        Message *marked = &message;
        if (message.parts.empty() && request_.messages.size() > results) {
            marked = &request_.messages.back();
        }
        if (!marked->parts.empty()) {
            marked->parts.back().cache_control = cache_mark(cache_point);
        }
    }

    // `known`: nothing in the block but what the part's members say. Another
    // API's call of the same words is then the same call.
    static void forget(Part &part, bool known) {
        if (known && part.source.size() == 1) {
            part.source = {};
        }
    }

    bool push(Part &part, PartType type, Message &message) {
        part.type = type;
        message.parts.push_back(part);
        return true;
    }

    bool push_text(Part &part, std::string_view text, Message &message) {
        part.text = text;
        return push(part, PartType::text, message);
    }

    // Content blocks

    bool read_text(json::Value value, const Path &path, Part part,
                   Message &message) {
        if (!value.is_string()) {
            return fail(path, "must be a string");
        }
        forget(part, part.source["text"].is_string());
        return push_text(part, value.string(), message);
    }

    // An image, a document, a sound or a film: its format and where it is.
    bool read_media(json::Value value, const Path &path,
                    std::string_view block, Part &part) {
        std::string_view format;
        if (!required_string(value, path, "format", format)) {
            return false;
        }
        const MediaRow *row = find_format(block, format);
        if (!row) {
            return fail(Path(path, "format"),
                        "has an unknown value " + quoted(format));
        }
        part.media_type = row->media_type;

        Path at(path, "source");
        json::Value source = value["source"];
        if (source["bytes"].is_string()) {
            part.data = source["bytes"].string();
        } else if (source["s3Location"]["uri"].is_string()) {
            part.url = source["s3Location"]["uri"].string();
        } else {
            return fail(at, source ? "must have bytes or an s3Location"
                                   : "is required");
        }
        return true;
    }

    bool read_image(json::Value value, const Path &path, Part part,
                    Message &message) {
        if (!read_media(value, path, "image", part)) {
            return false;
        }
        forget(part, part.source["image"] && !part.data.empty()
                         && has_only(value, {"format", "source"})
                         && has_only(value["source"], {"bytes"}));
        return push(part, PartType::image, message);
    }

    bool read_audio(json::Value value, const Path &path, Part part,
                    Message &message) {
        return read_media(value, path, "audio", part)
               && push(part, PartType::audio, message);
    }

    // Other APIs have no films but as files.
    bool read_video(json::Value value, const Path &path, Part part,
                    Message &message) {
        return read_media(value, path, "video", part)
               && push(part, PartType::file, message);
    }

    bool read_document(json::Value value, const Path &path, Part part,
                       Message &message) {
        std::string_view name;
        if (!required_string(value, path, "name", name)) {
            return false;
        }
        json::Value source = value["source"];
        if (source["text"].is_string()) {
            return push_text(part, titled(name, {}, source["text"].string()),
                             message);
        }
        if (source["content"].is_array()) {
            Message inner(memory_);
            if (!read_content(source["content"],
                              Path(Path(path, "source"), "content"),
                              in_document, inner)) {
                return false;
            }
            return push_text(part, titled(name, {}, joined(inner)), message);
        }
        if (!read_media(value, path, "document", part)) {
            return false;
        }
        const MediaRow *row = find_format("document", value["format"].string());
        // Names have no dots in this API, and files no type without one in
        // others.
        part.filename = arena_concat(memory_, {name, ".", row->extension});
        return push(part, PartType::file, message);
    }

    bool read_search_result(json::Value value, const Path &path, Part part,
                            Message &message) {
        std::string_view title;
        std::string_view source;
        Message inner(memory_);
        if (!required_string(value, path, "title", title)
            || !required_string(value, path, "source", source)
            || !read_content(value["content"], Path(path, "content"),
                             in_document, inner)) {
            return false;
        }
        return push_text(part, titled(title, source, joined(inner)), message);
    }

    // What the model said with the sources it had it from.
    bool read_citations(json::Value value, const Path &path, Part part,
                        Message &message) {
        Message inner(memory_);
        if (!value["content"].is_null()
            && !read_content(value["content"], Path(path, "content"),
                             in_document, inner)) {
            return false;
        }
        return push_text(part, joined(inner), message);
    }

    // What a guardrail is to look at, which the model reads as any other.
    bool read_guarded(json::Value value, const Path &path, Part part,
                      Message &message) {
        if (value["image"].is_object()) {
            return read_image(value["image"], Path(path, "image"), part,
                              message);
        }
        return read_text(value["text"]["text"], Path(path, "text"), part,
                         message);
    }

    bool read_reasoning(json::Value value, const Path &path, Part part,
                        Message &message) {
        json::Value redacted = value["redactedContent"];
        if (redacted.is_string()) {
            part.data = redacted.string();
            forget(part, value.size() == 1);
            return push(part, PartType::redacted_reasoning, message);
        }
        json::Value text = value["reasoningText"];
        Path at(path, "reasoningText");
        if (!required_string(text, at, "text", part.text)
            || !optional_text(text, at, "signature", part.signature)) {
            return false;
        }
        forget(part, value.size() == 1
                         && has_only(text, {"text", "signature"}));
        return push(part, PartType::reasoning, message);
    }

    bool read_tool_use(json::Value value, const Path &path, Part part,
                       Message &message) {
        if (!value["type"].is_null()) {
            // A tool that the provider runs itself.
            return push(part, PartType::native, message);
        }
        if (!required_string(value, path, "toolUseId", part.id)
            || !required_string(value, path, "name", part.name)) {
            return false;
        }
        json::Value input = value["input"];
        if (!input) {
            return fail(Path(path, "input"), "is required");
        }
        part.arguments = input.raw();
        // A name that an answer would decode stays as it is.
        forget(part, input.is_object()
                         && decode_tool_name(part.name).name == part.name
                         && has_only(value, {"toolUseId", "name", "input"}));
        return push(part, PartType::tool_call, message);
    }

    // Becomes a message of its own, before the rest of the user's.
    bool read_tool_result(json::Value value, const Path &path, Part part,
                          Message &message) {
        if (!value["type"].is_null()) {
            return push(part, PartType::native, message);
        }
        Message result(memory_);
        result.role = Role::tool;
        result.source = value;
        std::string_view status;
        if (!required_string(value, path, "toolUseId", result.tool_call_id)
            || !optional_text(value, path, "status", status)
            || !read_content(value["content"], Path(path, "content"),
                             in_result, result)) {
            return false;
        }
        result.tool_error = status == "error";
        if (status != "success"
            && has_only(value, {"toolUseId", "content", "status"})) {
            result.source = {};
        }
        request_.messages.push_back(std::move(result));
        return true;
    }

    bool read_json(json::Value value, const Path &, Part part,
                   Message &message) {
        return push_text(part, value.raw(), message);
    }

    bool read_native(json::Value, const Path &, Part part, Message &message) {
        return push(part, PartType::native, message);
    }
};

const MessageReader::BlockRow MessageReader::block_rows[] = {
    {"text",
     in_system | in_user | in_assistant | in_result | in_document,
     &MessageReader::read_text},
    {"image", in_user | in_assistant | in_result, &MessageReader::read_image},
    {"document", in_user | in_result, &MessageReader::read_document},
    {"video", in_user | in_result, &MessageReader::read_video},
    {"audio", in_user, &MessageReader::read_audio},
    {"toolUse", in_assistant, &MessageReader::read_tool_use},
    {"toolResult", in_user | in_assistant, &MessageReader::read_tool_result},
    {"json", in_result, &MessageReader::read_json},
    {"searchResult", in_user | in_result, &MessageReader::read_search_result},
    {"reasoningContent", in_assistant, &MessageReader::read_reasoning},
    {"citationsContent", in_assistant, &MessageReader::read_citations},
    {"guardContent", in_system | in_user, &MessageReader::read_guarded},
    {"toolAddition", in_system | in_user, &MessageReader::read_native},
    {"toolRemoval", in_system | in_user, &MessageReader::read_native},
};

const MessageReader::BlockRow *MessageReader::end_of_block_rows() {
    return std::end(block_rows);
}

}  // namespace

Result<void> read_messages(json::Value root, chat::Request &request,
                           std::pmr::memory_resource *memory) {
    return MessageReader(request, memory).read(root);
}

json::Value cache_mark(json::Value cache_point) {
    struct Marks {
        Marks() {
            (void) usual.parse(R"({"type":"ephemeral"})");
            (void) hour.parse(R"({"type":"ephemeral","ttl":"1h"})");
        }
        json::Document usual;
        json::Document hour;
    };
    static const Marks marks;
    return (cache_point["ttl"].string() == "1h" ? marks.hour : marks.usual)
        .root();
}

}  // namespace llm::bedrock
