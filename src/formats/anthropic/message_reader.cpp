// Source: Anthropic API reference, Create a Message; the request types of the
// official Python SDK.
#include "formats/anthropic/message_reader.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "formats/anthropic/tables.hpp"
#include "formats/block_message_reader.hpp"
#include "llm/arena.hpp"

namespace llm::anthropic {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Role;
using fields::Path;
using fields::quoted;

class MessageReader final : public BlockMessageReader {
public:
    using BlockMessageReader::BlockMessageReader;

private:
    using BlockReader = bool (MessageReader::*)(json::Value, const Path &,
                                                Message &);

    struct BlockRow {
        std::string_view type;
        unsigned places;
        BlockReader read;
    };

    static const BlockRow block_rows[];
    static const BlockRow *end_of_block_rows();

    // A string, or an array of blocks.
    bool read_content(json::Value content, const Path &path, Place place,
                      Message &message) override {
        if (content.is_string()) {
            Part part;
            part.text = content.string();
            message.parts.push_back(part);
            return true;
        }
        if (!content.is_array()) {
            return fail(path, "must be a string or an array");
        }
        message.parts.reserve(content.size());
        return each(content, path,
                    [&](json::Value block, const Path &where) {
                        return read_block(block, where, place, message);
                    });
    }

    bool read_block(json::Value block, const Path &path, Place place,
                    Message &message) {
        if (!block.is_object()) {
            return fail(path, "must be an object");
        }
        std::string_view type;
        if (!required_string(block, path, "type", type)) {
            return false;
        }

        auto row = std::find_if(
            block_rows, end_of_block_rows(),
            [&](const BlockRow &row) { return row.type == type; });
        if (row == end_of_block_rows()) {
            // Results of tools that Anthropic runs, one type for each tool.
            if (place == in_assistant && type.ends_with("_tool_result")) {
                return read_native(block, path, message);
            }
            return fail(Path(path, "type"),
                        "has an unknown value " + quoted(type));
        }
        if ((row->places & place) == 0) {
            return fail(Path(path, "type"), "cannot be " + quoted(type)
                                                + " in this place");
        }
        return (this->*row->read)(block, path, message);
    }

    // Content blocks

    static Part made_of(json::Value block, PartType type) {
        Part part;
        part.type = type;
        part.source = block;
        return part;
    }

    bool read_text(json::Value block, const Path &path, Message &message) {
        Part part = made_of(block, PartType::text);
        if (!required_string(block, path, "text", part.text)
            || !optional_object(block, path, "cache_control",
                                part.cache_control)) {
            return false;
        }
        message.parts.push_back(part);
        return true;
    }

    bool read_image(json::Value block, const Path &path, Message &message) {
        Part part = made_of(block, PartType::image);
        if (!optional_object(block, path, "cache_control", part.cache_control)
            || !read_source(block["source"], Path(path, "source"), part)) {
            return false;
        }
        message.parts.push_back(part);
        return true;
    }

    // A source that images and documents have in common.
    bool read_source(json::Value source, const Path &path, Part &part) {
        std::string_view type;
        if (!source.is_object()) {
            return fail(path, source ? "must be an object" : "is required");
        }
        if (!required_string(source, path, "type", type)) {
            return false;
        }
        if (type == "base64") {
            return required_string(source, path, "media_type",
                                   part.media_type)
                   && required_string(source, path, "data", part.data);
        }
        if (type == "url") {
            return required_string(source, path, "url", part.url);
        }
        if (type == "file") {
            return required_string(source, path, "file_id", part.file_id);
        }
        return fail(Path(path, "type"), "has an unknown value " + quoted(type));
    }

    bool read_document(json::Value block, const Path &path,
                       Message &message) {
        Path at(path, "source");
        json::Value source = block["source"];
        Part part = made_of(block, PartType::file);
        if (!optional_object(block, path, "cache_control", part.cache_control)
            || !optional_text(block, path, "title", part.filename)) {
            return false;
        }

        std::string_view text;
        if (source["type"].string() == "text") {
            if (!required_string(source, at, "data", text)) {
                return false;
            }
        } else if (source["type"].string() == "content") {
            return read_content_document(block, at, part, message);
        } else {
            if (!read_source(source, at, part)) {
                return false;
            }
            message.parts.push_back(part);
            return true;
        }

        part.type = PartType::text;
        part.text = titled(part.filename, {}, text);
        part.filename = {};
        message.parts.push_back(part);
        return true;
    }

    // A document in the form of blocks: one text, or, with images in it,
    // something that only this format can say.
    bool read_content_document(json::Value block, const Path &path, Part part,
                               Message &message) {
        Message inner(memory_);
        if (!read_content(block["source"]["content"], Path(path, "content"),
                          in_result, inner)) {
            return false;
        }
        bool all_text = std::all_of(
            inner.parts.begin(), inner.parts.end(),
            [](const Part &part) { return part.type == PartType::text; });
        if (!all_text) {
            part.type = PartType::native;
            message.parts.push_back(part);
            return true;
        }

        part.type = PartType::text;
        part.text = titled(part.filename, {}, joined(inner));
        part.filename = {};
        message.parts.push_back(part);
        return true;
    }

    bool read_search_result(json::Value block, const Path &path,
                            Message &message) {
        Part part = made_of(block, PartType::text);
        std::string_view title;
        std::string_view source;
        if (!optional_object(block, path, "cache_control", part.cache_control)
            || !required_string(block, path, "title", title)
            || !required_string(block, path, "source", source)) {
            return false;
        }
        Message inner(memory_);
        if (!read_content(block["content"], Path(path, "content"), in_system,
                          inner)) {
            return false;
        }
        part.text = titled(title, source, joined(inner));
        message.parts.push_back(part);
        return true;
    }

    bool read_thinking_block(json::Value block, const Path &path,
                             Message &message) {
        Part part = made_of(block, PartType::reasoning);
        if (!required_string(block, path, "thinking", part.text)
            || !optional_text(block, path, "signature", part.signature)) {
            return false;
        }
        message.parts.push_back(part);
        return true;
    }

    bool read_redacted_thinking(json::Value block, const Path &path,
                                Message &message) {
        Part part = made_of(block, PartType::redacted_reasoning);
        if (!required_string(block, path, "data", part.data)) {
            return false;
        }
        if (part.data.starts_with(google_mark)) {
            call_signature_ = part.data.substr(google_mark.size());
            return true;
        }
        message.parts.push_back(part);
        return true;
    }

    bool read_tool_use(json::Value block, const Path &path,
                       Message &message) {
        Part part = made_of(block, PartType::tool_call);
        if (!optional_object(block, path, "cache_control", part.cache_control)
            || !required_string(block, path, "id", part.id)
            || !required_string(block, path, "name", part.name)) {
            return false;
        }
        json::Value input = block["input"];
        if (!input.is_object()) {
            return fail(Path(path, "input"),
                        input ? "must be an object" : "is required");
        }
        part.arguments = input.raw();
        part.signature = std::exchange(call_signature_, {});
        message.parts.push_back(part);
        return true;
    }

    // Becomes a message of its own, before the rest of the user's.
    bool read_tool_result(json::Value block, const Path &path, Message &) {
        Message result(memory_);
        result.role = Role::tool;
        result.source = block;
        std::optional<bool> is_error;
        if (!required_string(block, path, "tool_use_id", result.tool_call_id)
            || !optional_boolean(block, path, "is_error", is_error)) {
            return false;
        }
        result.tool_error = is_error.value_or(false);
        json::Value content = block["content"];
        if (!content.is_null()
            && !read_content(content, Path(path, "content"), in_result,
                             result)) {
            return false;
        }
        request_.messages.push_back(std::move(result));
        return true;
    }

    // The operator's words in the middle of a user's message: what stood
    // before them becomes a message, what follows another.
    bool read_system_block(json::Value block, const Path &path,
                           Message &message) {
        Message system(memory_);
        system.role = Role::system;
        system.source = block;
        if (!read_content(block["content"], Path(path, "content"), in_system,
                          system)) {
            return false;
        }
        json::Value source = message.source;
        push_unless_empty(message);
        push_unless_empty(system);
        message = Message(memory_);
        message.source = source;
        return true;
    }

    bool read_native(json::Value block, const Path &, Message &message) {
        message.parts.push_back(made_of(block, PartType::native));
        return true;
    }

    // Of the call that follows, by one of Google's models.
    std::string_view call_signature_;
};

const MessageReader::BlockRow MessageReader::block_rows[] = {
    {"text", in_system | in_user | in_assistant | in_result,
     &MessageReader::read_text},
    {"image", in_user | in_result, &MessageReader::read_image},
    {"document", in_user | in_result, &MessageReader::read_document},
    {"search_result", in_user | in_result, &MessageReader::read_search_result},
    {"tool_result", in_user, &MessageReader::read_tool_result},
    {"mid_conv_system", in_user, &MessageReader::read_system_block},
    {"tool_use", in_assistant, &MessageReader::read_tool_use},
    {"thinking", in_assistant, &MessageReader::read_thinking_block},
    {"redacted_thinking", in_assistant,
     &MessageReader::read_redacted_thinking},
    {"server_tool_use", in_assistant, &MessageReader::read_native},
    {"mcp_tool_use", in_assistant, &MessageReader::read_native},
    {"container_upload", in_user | in_assistant, &MessageReader::read_native},
    {"compaction", in_user | in_assistant, &MessageReader::read_native},
    {"tool_reference", in_result, &MessageReader::read_native},
};

const MessageReader::BlockRow *MessageReader::end_of_block_rows() {
    return std::end(block_rows);
}

}  // namespace

Result<void> read_messages(json::Value root, chat::Request &request,
                           std::pmr::memory_resource *memory) {
    return MessageReader(request, memory).read(root);
}

}  // namespace llm::anthropic
