// Source: Anthropic API reference, Create a Message.
#include "formats/anthropic/block_writer.hpp"

#include <algorithm>
#include <optional>

#include "formats/anthropic/request_plan.hpp"
#include "formats/anthropic/tables.hpp"
#include "formats/tool_name.hpp"
#include "formats/tool_plan.hpp"
#include "text/base64.hpp"
#include "text/hash.hpp"

namespace llm::anthropic {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Role;

struct MediaType {
    std::string_view name;
    std::string_view written;
};

constexpr MediaType image_types[] = {
    {"image/jpeg", "image/jpeg"}, {"image/jpg", "image/jpeg"},
    {"image/png", "image/png"},   {"image/gif", "image/gif"},
    {"image/webp", "image/webp"},
};

// The type of the block that a part of a request is by nature: what comes as
// another (a document that is text, say) is written as it came, where it came
// from a client of this API.
std::string_view natural_type(PartType type) {
    switch (type) {
    case PartType::text:
        return "text";
    case PartType::image:
        return "image";
    case PartType::file:
        return "document";
    case PartType::reasoning:
        return "thinking";
    case PartType::redacted_reasoning:
        return "redacted_thinking";
    case PartType::tool_call:
        return "tool_use";
    case PartType::audio:
    case PartType::refusal:
    case PartType::native:
        break;
    }
    return {};
}

}  // namespace

// The API demands a result for each call; a client that broke off has none,
// and the model is told so.
void BlockWriter::write_missing_result(std::string_view id) {
    writer_.begin_object().member("type", "tool_result");
    writer_.key("tool_use_id");
    write_id(id);
    writer_.member("content", "no result")
        .member("is_error", true)
        .end_object();
}

Result<void> BlockWriter::write_result(const Message &message, std::size_t i) {
    writer_.begin_object().member("type", "tool_result");
    writer_.key("tool_use_id");
    write_id(message.tool_call_id);

    bool any = std::any_of(
        message.parts.begin(), message.parts.end(),
        [this](const Part &part) { return is_written(part, ours_); });
    if (any) {
        writer_.key("content").begin_array();
        auto outcome = write_parts(message, i, false);
        if (!outcome) {
            return outcome;
        }
        writer_.end_array();
    }
    if (message.tool_error) {
        writer_.member("is_error", true);
    }
    write_unknown(message.source, {"type", "tool_use_id", "content",
                                   "is_error"});
    writer_.end_object();
    return {};
}

Result<void> BlockWriter::write_parts(const Message &message, std::size_t i,
                                      bool last_turn) {
    for (std::size_t j = 0; j < message.parts.size(); ++j) {
        const Part &part = message.parts[j];
        if (!is_written(part, ours_)) {
            continue;
        }
        std::string_view came_as = part.source["type"].string();
        if (ours_ && part.source && came_as != natural_type(part.type)) {
            writer_.raw(part.source.raw());
            continue;
        }
        bool last = last_turn && j + 1 == message.parts.size()
                    && message.role == Role::assistant;
        if (auto outcome = write_part(part, i, j, last); !outcome) {
            return outcome;
        }
    }
    return {};
}

Result<void> BlockWriter::write_part(const Part &part, std::size_t i,
                                     std::size_t j, bool last) {
    auto param = [&] {
        return "messages[" + std::to_string(i) + "].content["
               + std::to_string(j) + "]";
    };

    switch (part.type) {
    case PartType::text:
    case PartType::refusal:
        // The API refuses white space at the end of what the model is to
        // go on from.
        if (last) {
            Part trimmed = part;
            trimmed.text = without_trailing_space(part.text);
            write_text(trimmed);
        } else {
            write_text(part);
        }
        return {};
    case PartType::image:
        return write_image(part, param());
    case PartType::file:
        return write_document(part, param());
    case PartType::audio:
        return refuse(options_, param(),
                      "is audio, which is not supported by this model's "
                      "provider");
    case PartType::reasoning:
        writer_.begin_object()
            .member("type", "thinking")
            .member("thinking", part.text)
            .member("signature", part.signature);
        write_unknown(part.source, {"type", "thinking", "signature"});
        writer_.end_object();
        return {};
    case PartType::redacted_reasoning:
        writer_.begin_object()
            .member("type", "redacted_thinking")
            .member("data", part.data)
            .end_object();
        return {};
    case PartType::tool_call:
        write_tool_use(part);
        return {};
    case PartType::native:
        break;
    }
    return {};
}

void BlockWriter::write_text_block(std::string_view text) {
    writer_.begin_object()
        .member("type", "text")
        .member("text", text)
        .end_object();
}

void BlockWriter::write_text(const Part &part) {
    writer_.begin_object()
        .member("type", "text")
        .member("text", part.text);
    write_cache_control(part.cache_control);
    write_unknown(part.source, {"type", "text", "cache_control"});
    writer_.end_object();
}

Result<void> BlockWriter::write_image(const Part &part,
                                      const std::string &param) {
    std::string_view media_type;
    if (part.url.empty() && part.file_id.empty()) {
        for (const MediaType &type : image_types) {
            if (type.name == part.media_type) {
                media_type = type.written;
            }
        }
        if (media_type.empty()) {
            return refuse(options_, param,
                          "must be a JPEG, PNG, GIF or WebP image for "
                          "this model's provider");
        }
    }

    writer_.begin_object().member("type", "image");
    write_source(part, media_type);
    write_cache_control(part.cache_control);
    write_unknown(part.source, {"type", "source", "cache_control"});
    writer_.end_object();
    return {};
}

void BlockWriter::write_source(const Part &part, std::string_view media_type) {
    writer_.key("source").begin_object();
    if (!part.url.empty()) {
        writer_.member("type", "url").member("url", part.url);
    } else if (!part.file_id.empty()) {
        writer_.member("type", "file").member("file_id", part.file_id);
    } else {
        writer_.member("type", "base64")
            .member("media_type", media_type)
            .member("data", part.data);
    }
    writer_.end_object();
}

Result<void> BlockWriter::write_document(const Part &part,
                                         const std::string &param) {
    // An id of another provider's store means nothing here.
    if (!part.file_id.empty() && !ours_) {
        return refuse(options_, param, "is a file id of another provider");
    }

    bool inlined = part.url.empty() && part.file_id.empty();
    std::optional<std::string> text;
    if (inlined && part.media_type.starts_with("text/")) {
        text = base64::decode(part.data);
        if (!text) {
            return invalid_request(param + " is not base64", param);
        }
    } else if (inlined && part.media_type != "application/pdf") {
        return refuse(options_, param,
                      "must be a PDF or a text for this model's provider");
    }

    writer_.begin_object().member("type", "document");
    if (text) {
        writer_.key("source")
            .begin_object()
            .member("type", "text")
            .member("media_type", "text/plain")
            .member("data", *text)
            .end_object();
    } else {
        write_source(part, part.media_type);
    }
    if (!part.filename.empty()) {
        writer_.member("title", part.filename);
    }
    write_cache_control(part.cache_control);
    write_unknown(part.source,
                  {"type", "source", "title", "cache_control"});
    writer_.end_object();
    return {};
}

void BlockWriter::write_tool_use(const Part &part) {
    writer_.begin_object().member("type", "tool_use");
    writer_.key("id");
    write_id(part.id);
    writer_.key("name");
    write_tool_name(part.name, part.custom);
    writer_.key("input");
    write_input(part);
    write_cache_control(part.cache_control);
    write_unknown(part.source,
                  {"type", "id", "name", "input", "cache_control"});
    writer_.end_object();
}

void BlockWriter::write_input(const Part &part) {
    if (part.custom) {
        writer_.begin_object()
            .member(custom_input, part.arguments)
            .end_object();
        return;
    }
    if (is_blank(part.arguments)) {
        writer_.raw("{}");
        return;
    }

    // What the model wrote may not be JSON, or no object: kept all the
    // same, since the result that follows answers it.
    json::ParseLimits limits;
    limits.duplicates = true;
    if (!document_.parse(part.arguments, limits)) {
        writer_.begin_object()
            .member(custom_input, part.arguments)
            .end_object();
        return;
    }
    json::Value value = document_.root();
    if (value.is_object()) {
        writer_.raw(value.raw());
    } else {
        writer_.begin_object().member(custom_input, value).end_object();
    }
}

// Ids are ^[a-zA-Z0-9_-]+$. Others (of another provider, earlier in the
// conversation) are mapped: by their text alone, so that a call and its
// result agree, in every request of the conversation.
void BlockWriter::write_id(std::string_view id) {
    auto is_legal = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
               || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    if (!id.empty() && std::all_of(id.begin(), id.end(), is_legal)) {
        writer_.string(id);
        return;
    }

    std::string mapped = "id_";
    for (char c : id) {
        mapped.push_back(is_legal(c) ? c : '_');
    }
    mapped.push_back('_');
    append_hex(mapped, fnv1a(id));
    writer_.string(mapped);
}

void BlockWriter::write_tool_name(std::string_view name, bool custom) {
    writer_.string(legal_tool_name(name, custom));
}

void BlockWriter::write_cache_control(json::Value cache_control) {
    if (cache_control.is_object()) {
        writer_.member("cache_control", cache_control);
    }
}

// Members that the normalised call has no place for, where client and
// provider speak this format both.
void BlockWriter::write_unknown(json::Value source,
                                std::initializer_list<std::string_view> known) {
    if (!ours_) {
        return;
    }
    for (json::Member member : source.members()) {
        if (std::find(known.begin(), known.end(), member.name)
            == known.end()) {
            writer_.raw(member.raw);
        }
    }
}

}  // namespace llm::anthropic
