// One-shot answers.
// Source: Anthropic API reference, Create a Message, response.
#include <algorithm>
#include <string>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/tables.hpp"
#include "formats/tool_name.hpp"

namespace llm::anthropic {

namespace {

using chat::FinishReason;
using chat::Message;
using chat::Part;
using chat::PartType;

// Provider's blocks -> parts. A block that is new is kept as it came.

void read_text(json::Value block, Part &part,
               std::pmr::memory_resource *) {
    part.type = PartType::text;
    part.text = block["text"].string();
}

void read_thinking(json::Value block, Part &part,
                   std::pmr::memory_resource *) {
    part.type = PartType::reasoning;
    part.text = block["thinking"].string();
    part.signature = block["signature"].string();
}

void read_redacted_thinking(json::Value block, Part &part,
                            std::pmr::memory_resource *) {
    part.type = PartType::redacted_reasoning;
    part.data = block["data"].string();
}

void read_tool_use(json::Value block, Part &part,
                   std::pmr::memory_resource *memory) {
    json::Value input = block["input"];
    std::string_view name = block["name"].string();

    if (name == answer_tool) {
        part.type = PartType::text;
        part.text = input.raw();
        part.source = {};
        return;
    }

    part.type = PartType::tool_call;
    part.id = block["id"].string();
    part.name = name;
    part.arguments = input.is_null() ? "{}" : input.raw();
    if (name.starts_with(custom_prefix) && input[custom_input].is_string()) {
        part.custom = true;
        part.name.remove_prefix(custom_prefix.size());
        part.arguments = input[custom_input].string();
    }
    part.name = plain_tool_name(part.name, memory);
}

struct BlockRow {
    std::string_view type;
    void (*read)(json::Value, Part &, std::pmr::memory_resource *);
};

constexpr BlockRow block_rows[] = {
    {"text", read_text},
    {"thinking", read_thinking},
    {"redacted_thinking", read_redacted_thinking},
    {"tool_use", read_tool_use},
};

bool has(const Message &message, PartType type) {
    return std::any_of(message.parts.begin(), message.parts.end(),
                       [type](const Part &part) { return part.type == type; });
}

// Parts -> blocks for a client. The place of a part in the answer, 0 first.
int rank(PartType type) {
    switch (type) {
    case PartType::reasoning:
    case PartType::redacted_reasoning:
        return 0;
    case PartType::tool_call:
        return 2;
    default:
        return 1;
    }
}

constexpr int ranks = 3;

// Blocks of tools that the provider itself runs, which only a client of this
// API understands.
bool is_own_block(json::Value block) {
    std::string_view type = block["type"].string();
    return type == "server_tool_use" || type == "mcp_tool_use"
           || type == "container_upload" || type.ends_with("_tool_result");
}

void write_text_block(json::Writer &writer, std::string_view text) {
    writer.begin_object().member("type", "text").member("text", text);
    writer.end_object();
}

class ResponseWriter {
public:
    ResponseWriter(const AnswerContext &context, std::string &out)
        : context_(context), writer_(out) {}

    void write(const chat::Response &response) {
        std::string id;
        append_message_id(id, response.id, context_);
        writer_.begin_object()
            .member("id", id)
            .member("type", "message")
            .member("role", "assistant")
            .member("model", response.model.empty() ? context_.request_model
                                                    : response.model);

        writer_.key("content").begin_array();
        const chat::Choice *choice =
            response.choices.empty() ? nullptr : &response.choices.front();
        if (choice) {
            for (int r = 0; r < ranks; ++r) {
                for (const Part &part : choice->message.parts) {
                    if (rank(part.type) == r) {
                        write_part(part);
                    }
                }
            }
        }
        writer_.end_array();

        write_stop(choice);
        write_usage(writer_.key("usage"), response.usage,
                    context_.prompt_estimate);
        writer_.end_object();
    }

private:
    void write_part(const Part &part) {
        switch (part.type) {
        case PartType::text:
        case PartType::refusal:
            if (!part.text.empty()) {
                write_text_block(writer_, part.text);
            }
            break;
        case PartType::reasoning:
            if (!part.text.empty() || !part.signature.empty()) {
                writer_.begin_object()
                    .member("type", "thinking")
                    .member("thinking", part.text)
                    .member("signature", part.signature)
                    .end_object();
            }
            break;
        case PartType::redacted_reasoning:
            writer_.begin_object()
                .member("type", "redacted_thinking")
                .member("data", part.data)
                .end_object();
            break;
        case PartType::tool_call:
            write_tool_use(part);
            break;
        case PartType::native:
            if (is_own_block(part.source)) {
                writer_.raw(part.source.raw());
            }
            break;
        case PartType::image:
        case PartType::audio:
        case PartType::file:
            break;      // no assistant's message has them in this API
        }
    }

    void write_tool_use(const Part &part) {
        std::string id(part.id);
        if (id.empty()) {
            append_tool_id(id, context_, calls_);
        }
        ++calls_;
        if (!part.signature.empty()) {
            std::string data(google_mark);
            writer_.begin_object()
                .member("type", "redacted_thinking")
                .member("data",
                        std::string_view(data.append(part.signature)))
                .end_object();
        }
        writer_.begin_object()
            .member("type", "tool_use")
            .member("id", id)
            .member("name", part.name);

        writer_.key("input");
        json::ParseLimits limits;
        limits.duplicates = true;
        if (part.custom) {
            writer_.begin_object()
                .member(custom_input, part.arguments)
                .end_object();
        } else if (document_.parse(part.arguments, limits)
                   && document_.root().is_object()) {
            writer_.raw(document_.root().raw());
        } else {
            // Clients take an object or fail.
            writer_.raw("{}");
        }
        writer_.end_object();
    }

    void write_stop(const chat::Choice *choice) {
        std::string_view word;
        std::string_view sequence;
        if (choice) {
            FinishReason reason = choice->finish_reason;
            // Servers exist that call tools and say "stop".
            if (reason == FinishReason::stop
                && has(choice->message, PartType::tool_call)) {
                reason = FinishReason::tool_calls;
            }
            if (has(choice->message, PartType::refusal)) {
                reason = FinishReason::content_filter;
            }
            sequence = choice->stop_sequence;
            word = stop_reason(reason, sequence.empty()
                                           ? choice->native_finish_reason
                                           : "stop_sequence");
        }

        writer_.key("stop_reason");
        word.empty() ? writer_.null() : writer_.string(word);
        writer_.key("stop_sequence");
        sequence.empty() ? writer_.null() : writer_.string(sequence);
    }

    const AnswerContext &context_;
    json::Writer writer_;
    json::Document document_;       // of arguments
    std::size_t calls_ = 0;
};

}  // namespace

Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory) {
    json::Value root = document.root();
    if (root["type"].string() == "error" || !root["error"].is_null()) {
        return read_error(root["error"], 0);
    }
    if (!root["content"].is_array()) {
        Error error;
        error.kind = ErrorKind::bad_gateway;
        error.message = "the provider's answer is not a message";
        return error;
    }

    chat::Response response(memory);
    response.id = root["id"].string();
    response.model = root["model"].string();
    response.service_tier = openai_tier(root["usage"]["service_tier"].string());
    UsageCounts counts;
    counts.update(root["usage"]);
    response.usage = counts.usage();

    chat::Choice choice(memory);
    Message &message = choice.message;
    message.role = chat::Role::assistant;
    message.parts.reserve(root["content"].size());
    for (json::Value block : root["content"].elements()) {
        Part part;
        part.type = PartType::native;
        part.source = block;
        for (const BlockRow &row : block_rows) {
            if (row.type == block["type"].string()) {
                row.read(block, part, memory);
                break;
            }
        }
        message.parts.push_back(part);
    }

    choice.native_finish_reason = root["stop_reason"].string();
    choice.stop_sequence = root["stop_sequence"].string();
    choice.finish_reason = finish_reason(choice.native_finish_reason);
    if (choice.finish_reason == FinishReason::tool_calls
        && !has(message, PartType::tool_call)) {
        // The tool was the one that takes the answer.
        choice.finish_reason = FinishReason::stop;
    }
    if (choice.finish_reason == FinishReason::content_filter
        && !has(message, PartType::text)) {
        Part part;
        part.type = PartType::refusal;
        part.text = root["stop_details"]["explanation"].string();
        if (!part.text.empty()) {
            message.parts.push_back(part);
        }
    }

    response.choices.push_back(std::move(choice));
    return response;
}

void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out) {
    ResponseWriter(context, out).write(response);
}

void append_message_id(std::string &out, std::string_view id,
                       const AnswerContext &context) {
    constexpr std::string_view prefix = "msg_";
    if (id.starts_with(prefix)) {
        out.append(id);
        return;
    }
    out.append(prefix).append(context.unique.empty() ? id : context.unique);
}

void append_tool_id(std::string &out, const AnswerContext &context,
                    std::size_t call) {
    out.append("toolu_").append(context.unique);
    out.append("_").append(std::to_string(call));
}

}  // namespace llm::anthropic
