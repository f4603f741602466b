// Source: the service model of bedrock-runtime, ContentBlock; Bedrock API
// reference, DocumentBlock (names).
#include "formats/bedrock/block_writer.hpp"

#include <algorithm>

#include "formats/anthropic/request_plan.hpp"
#include "formats/bedrock/bedrock.hpp"
#include "formats/tool_name.hpp"
#include "formats/tool_plan.hpp"
#include "text/hash.hpp"

namespace llm::bedrock {

namespace {

using anthropic::is_blank;
using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Role;

// What is written where the API demands a text and there is none.
constexpr std::string_view filler = ".";
constexpr std::string_view empty_result = "(empty)";

constexpr std::size_t longest_id = 64;
constexpr std::size_t longest_name = 200;

constexpr bool is_alnum(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9');
}

// An object of S3 is named by its URL, which no other place has.
bool is_reachable(const Part &part) noexcept {
    return part.url.empty() ? part.file_id.empty()
                            : part.url.starts_with("s3://");
}

}  // namespace

void BlockWriter::end_turn() {
    // A cache point has no block to follow, either.
    if (!has_any_ || (has_document_ && !has_text_)) {
        write_text(filler);
    }
}

// The API demands a result for each call; a client that broke off has none,
// and the model is told so.
void BlockWriter::write_missing_result(std::string_view id) {
    has_any_ = true;
    writer_.begin_object().key("toolResult").begin_object();
    writer_.key("toolUseId");
    write_id(id);
    writer_.key("content").begin_array();
    writer_.begin_object().member("text", "no result").end_object();
    writer_.end_array();
    writer_.member("status", "error").end_object().end_object();
}

Result<void> BlockWriter::write_result(const Message &message,
                                       std::size_t i) {
    writer_.begin_object().key("toolResult").begin_object();
    writer_.key("toolUseId");
    write_id(message.tool_call_id);

    writer_.key("content").begin_array();
    bool had_text = has_text_;
    bool had_document = has_document_;
    has_any_ = false;
    json::Value mark;
    for (std::size_t j = 0; j < message.parts.size(); ++j) {
        const Part &part = message.parts[j];
        if (part.cache_control) {
            mark = part.cache_control;
        }
        std::string param = "messages[" + std::to_string(i) + "].content["
                            + std::to_string(j) + "]";
        if (!is_written(part, plan_.ours)) {
            continue;
        }
        if (part.type == PartType::audio) {
            auto outcome = refuse(options_, param,
                                  "is audio in a tool's result, which is not "
                                  "supported by this model's provider");
            if (!outcome) {
                return outcome;
            }
            continue;
        }
        if (auto outcome = write_part(part, param, false); !outcome) {
            return outcome;
        }
    }
    if (!has_any_) {
        write_text(empty_result);
    }
    // Those in a result do not count for the message.
    has_text_ = had_text;
    has_document_ = had_document;
    has_any_ = true;
    writer_.end_array();

    std::string_view came = plan_.ours ? message.source["status"].string()
                                       : std::string_view();
    if (!came.empty()) {
        writer_.member("status", came);
    } else if (message.tool_error) {
        writer_.member("status", "error");
    }
    write_unknown(message.source, {"toolUseId", "content", "status"});
    writer_.end_object().end_object();
    write_cache_point(mark);
    return {};
}

Result<void> BlockWriter::write_parts(const Message &message, std::size_t i,
                                      bool last_turn) {
    for (std::size_t j = 0; j < message.parts.size(); ++j) {
        const Part &part = message.parts[j];
        if (!is_written(part, plan_.ours)) {
            continue;
        }
        bool last = last_turn && j + 1 == message.parts.size()
                    && message.role == Role::assistant;
        auto outcome = write_part(part,
                                  "messages[" + std::to_string(i)
                                      + "].content[" + std::to_string(j)
                                      + "]",
                                  last);
        if (!outcome) {
            return outcome;
        }
        write_cache_point(part.cache_control);
    }
    return {};
}

Result<void> BlockWriter::write_part(const Part &part,
                                     const std::string &param, bool last) {
    if (plan_.ours && part.source.is_object()) {
        has_any_ = true;
        has_text_ |= part.source["text"].is_string();
        has_document_ |= part.source["document"].is_object();
        writer_.raw(part.source.raw());
        return {};
    }

    switch (part.type) {
    case PartType::text:
    case PartType::refusal:
        // Claude refuses white space at the end of what it is to go on from.
        write_text(last && !plan_.ours
                       ? anthropic::without_trailing_space(part.text)
                       : part.text);
        return {};
    case PartType::image:
        return write_image(part, param);
    case PartType::audio:
        return write_audio(part, param);
    case PartType::file:
        return write_file(part, param);
    case PartType::reasoning:
        has_any_ = true;
        writer_.begin_object().key("reasoningContent").begin_object();
        writer_.key("reasoningText").begin_object();
        writer_.member("text", part.text);
        if (!part.signature.empty()) {
            writer_.member("signature", part.signature);
        }
        writer_.end_object().end_object().end_object();
        return {};
    case PartType::redacted_reasoning:
        has_any_ = true;
        writer_.begin_object().key("reasoningContent").begin_object();
        writer_.member("redactedContent", part.data);
        writer_.end_object().end_object();
        return {};
    case PartType::tool_call:
        return write_tool_use(part, param);
    case PartType::native:
        break;
    }
    return {};
}

void BlockWriter::write_text(std::string_view text) {
    has_any_ = has_text_ = true;
    writer_.begin_object().member("text", text).end_object();
}

void BlockWriter::begin_media(const MediaRow &row) {
    has_any_ = true;
    writer_.begin_object().key(row.block).begin_object();
    writer_.member("format", row.format);
}

void BlockWriter::end_media(const Part &part) {
    writer_.key("source").begin_object();
    if (part.url.empty()) {
        writer_.member("bytes", part.data);
    } else {
        writer_.key("s3Location").begin_object();
        writer_.member("uri", part.url).end_object();
    }
    writer_.end_object().end_object().end_object();
}

Result<void> BlockWriter::write_image(const Part &part,
                                      const std::string &param) {
    if (!is_reachable(part)) {
        return refuse(options_, param,
                      "is an image by URL, which this model's provider does "
                      "not fetch: send its data");
    }
    const MediaRow *row = part.media_type.empty()
                              ? find_file(part.url)
                              : find_media_type("image", part.media_type);
    if (!row || row->block != "image") {
        return refuse(options_, param,
                      "must be a JPEG, PNG, GIF or WebP image for this "
                      "model's provider");
    }
    begin_media(*row);
    end_media(part);
    return {};
}

Result<void> BlockWriter::write_audio(const Part &part,
                                      const std::string &param) {
    const MediaRow *row = find_media_type("audio", part.media_type);
    if (!row || !is_reachable(part)) {
        return refuse(options_, param,
                      "is audio in a form that is not supported by this "
                      "model's provider");
    }
    begin_media(*row);
    end_media(part);
    return {};
}

Result<void> BlockWriter::write_file(const Part &part,
                                     const std::string &param) {
    if (!is_reachable(part)) {
        return refuse(options_, param,
                      part.file_id.empty()
                          ? "is a file by URL, which this model's provider "
                            "does not fetch: send its data"
                          : "is a file id of another provider");
    }
    const MediaRow *row = nullptr;
    for (std::string_view block : {"document", "video", "image"}) {
        row = row ? row : find_media_type(block, part.media_type);
    }
    if (!row) {
        row = find_file(part.filename.empty() ? part.url : part.filename);
    }
    if (!row) {
        return refuse(options_, param,
                      "must be a PDF, a text, an office document, an image "
                      "or a film for this model's provider");
    }

    begin_media(*row);
    if (row->block == "document") {
        has_document_ = true;
        writer_.key("name");
        write_document_name(part.filename);
    }
    end_media(part);
    return {};
}

// Letters, digits, single spaces, hyphens, parentheses and brackets; no name
// may come twice.
void BlockWriter::write_document_name(std::string_view filename) {
    constexpr std::string_view others = " -()[]";
    filename = filename.substr(0, filename.rfind('.'));
    std::string name;
    for (char c : filename.substr(0, longest_name - 8)) {
        char legal = is_alnum(c) || others.find(c) != others.npos ? c : '-';
        if (legal != ' ' || (!name.empty() && name.back() != ' ')) {
            name.push_back(legal);
        }
    }
    if (name.empty()) {
        name = "document";
    }
    std::string unique = name;
    for (std::size_t n = 2;
         std::find(names_.begin(), names_.end(), unique) != names_.end();
         ++n) {
        unique = name + " (" + std::to_string(n) + ")";
    }
    writer_.string(unique);
    names_.push_back(std::move(unique));
}

Result<void> BlockWriter::write_tool_name(std::string_view name, bool custom,
                                          const std::string &param) {
    auto encoded = encode_tool_name(name, custom);
    if (!encoded) {
        return invalid_request(param + " must not be empty", param);
    }
    writer_.string(*encoded);
    return {};
}

Result<void> BlockWriter::write_tool_use(const Part &part,
                                         const std::string &param) {
    has_any_ = true;
    writer_.begin_object().key("toolUse").begin_object();
    writer_.key("toolUseId");
    write_id(part.id);
    writer_.key("name");
    auto outcome = write_tool_name(part.name, part.custom, param + ".name");
    if (!outcome) {
        return outcome;
    }
    writer_.key("input");
    write_input(part);
    writer_.end_object().end_object();
    return {};
}

void BlockWriter::write_input(const Part &part) {
    if (!part.custom && is_blank(part.arguments)) {
        writer_.raw("{}");
        return;
    }
    // What the model wrote may not be JSON, or no object: kept all the same,
    // since the result that follows answers it.
    json::ParseLimits limits;
    limits.duplicates = true;
    if (part.custom || !document_.parse(part.arguments, limits)) {
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

// Ids are [a-zA-Z0-9_.:-]{1,64}. Others (of another provider, earlier in the
// conversation) are mapped: by their text alone, so that a call and its
// result agree, in every request of the conversation.
void BlockWriter::write_id(std::string_view id) {
    auto is_legal = [](char c) {
        return is_alnum(c) || c == '_' || c == '-' || c == '.' || c == ':';
    };
    if (!id.empty() && id.size() <= longest_id
        && std::all_of(id.begin(), id.end(), is_legal)) {
        writer_.string(id);
        return;
    }
    std::string mapped = "id_";
    for (char c : id.substr(0, 32)) {
        mapped.push_back(is_legal(c) ? c : '_');
    }
    mapped.push_back('_');
    append_hex(mapped, fnv1a(id));
    writer_.string(mapped);
}

void BlockWriter::write_cache_point(json::Value cache_control) {
    if (!cache_control.is_object()
        || !(plan_.traits->cache_points || plan_.ours)) {
        return;
    }
    writer_.begin_object().key("cachePoint").begin_object();
    writer_.member("type", "default");
    if (cache_control["ttl"].string() == "1h") {
        writer_.member("ttl", "1h");
    }
    writer_.end_object().end_object();
}

void BlockWriter::write_unknown(
    json::Value source, std::initializer_list<std::string_view> known) {
    if (!plan_.ours) {
        return;
    }
    for (json::Member member : source.members()) {
        if (std::find(known.begin(), known.end(), member.name)
            == known.end()) {
            writer_.raw(member.raw);
        }
    }
}

}  // namespace llm::bedrock
