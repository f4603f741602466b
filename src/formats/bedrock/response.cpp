// One-shot answers.
// Source: the service model of bedrock-runtime, ConverseResponse.
#include <algorithm>
#include <string>
#include <string_view>

#include "formats/anthropic/tables.hpp"
#include "formats/bedrock/bedrock.hpp"
#include "formats/bedrock/tables.hpp"
#include "formats/tool_name.hpp"
#include "llm/arena.hpp"

namespace llm::bedrock {

namespace {

using chat::FinishReason;
using chat::Message;
using chat::Part;
using chat::PartType;

class ResponseReader {
public:
    explicit ResponseReader(std::pmr::memory_resource *memory)
        : memory_(memory) {}

    Result<chat::Response> read(json::Value root) {
        json::Value message = root["output"]["message"];
        if (!message["content"].is_array()) {
            return no_message(root);
        }

        chat::Response response(memory_);
        response.model = root["trace"]["promptRouter"]["invokedModelId"]
                             .string();
        response.service_tier = openai_tier(
            root["serviceTier"]["type"].string());
        response.usage = read_usage(root["usage"]);

        chat::Choice choice(memory_);
        choice.message.role = chat::Role::assistant;
        choice.message.parts.reserve(message["content"].size());
        for (json::Value block : message["content"].elements()) {
            choice.message.parts.push_back(read_block(block));
        }

        choice.native_finish_reason = root["stopReason"].string();
        choice.finish_reason = finish_reason(choice.native_finish_reason);
        choice.stop_sequence =
            root["additionalModelResponseFields"]["stop_sequence"].string();
        if (choice.finish_reason == FinishReason::error) {
            return malformed(choice.native_finish_reason);
        }
        if (choice.finish_reason == FinishReason::none) {
            return no_message(root);
        }
        if (choice.finish_reason == FinishReason::tool_calls
            && !has_calls(choice.message)) {
            // The tool was the one that takes the answer.
            choice.finish_reason = FinishReason::stop;
        }
        response.choices.push_back(std::move(choice));
        return response;
    }

private:
    // Such a 200 is what a wrong path or host gets, too: an error in another
    // protocol's envelope.
    static Error no_message(json::Value root) {
        Error error;
        error.kind = ErrorKind::bad_gateway;
        error.message = "the provider's answer is not a message";
        for (json::Value place : {root, root["Output"]}) {
            for (std::string_view name : {"message", "Message", "__type"}) {
                if (std::string_view text = place[name].string();
                    !text.empty()) {
                    error.message.append(": ").append(text);
                    return error;
                }
            }
        }
        return error;
    }

    static Error malformed(std::string_view word) {
        Error error;
        error.kind = ErrorKind::bad_gateway;
        error.message = "the model's answer makes no sense ("
                        + std::string(word) + ")";
        return error;
    }

    static bool has_calls(const Message &message) {
        return std::any_of(message.parts.begin(), message.parts.end(),
                           [](const Part &part) {
                               return part.type == PartType::tool_call;
                           });
    }

    // A block that is new is kept as it came.
    Part read_block(json::Value block) {
        Part part;
        part.type = PartType::native;
        part.source = block;
        json::Value reasoning = block["reasoningContent"];
        json::Value citations = block["citationsContent"]["content"];
        json::Value image = block["image"];
        if (block["text"].is_string()) {
            part.type = PartType::text;
            part.text = block["text"].string();
        } else if (reasoning["redactedContent"].is_string()) {
            part.type = PartType::redacted_reasoning;
            part.data = reasoning["redactedContent"].string();
        } else if (reasoning.is_object()) {
            part.type = PartType::reasoning;
            part.text = reasoning["reasoningText"]["text"].string();
            part.signature = reasoning["reasoningText"]["signature"].string();
        } else if (block["toolUse"].is_object()) {
            read_tool_use(block["toolUse"], part);
        } else if (citations.is_array()) {
            std::string text;
            for (json::Value piece : citations.elements()) {
                text.append(piece["text"].string());
            }
            part.type = PartType::text;
            part.text = arena_copy(memory_, text);
        } else if (image["source"]["bytes"].is_string()) {
            const MediaRow *row = find_format("image",
                                              image["format"].string());
            part.type = PartType::image;
            part.media_type = row ? row->media_type : std::string_view();
            part.data = image["source"]["bytes"].string();
        }
        return part;
    }

    void read_tool_use(json::Value value, Part &part) {
        if (!value["type"].is_null()) {
            return;     // of a tool that the provider runs itself
        }
        json::Value input = value["input"];
        std::string_view name = value["name"].string();
        if (name == anthropic::answer_tool) {
            part.type = PartType::text;
            part.text = input.raw();
            part.source = {};
            return;
        }
        ToolName decoded = decode_tool_name(name);
        part.type = PartType::tool_call;
        part.id = value["toolUseId"].string();
        part.name = decoded.name == name
                        ? name
                        : arena_copy(memory_, decoded.name);
        part.arguments = input.is_null() ? "{}" : input.raw();
        json::Value text = input[custom_input];
        if (decoded.custom && text.is_string()) {
            part.custom = true;
            part.arguments = text.string();
        }
    }

    std::pmr::memory_resource *memory_;
};

// Parts -> blocks for a client.
class ResponseWriter {
public:
    ResponseWriter(const AnswerContext &context, std::string &out)
        : context_(context), writer_(out) {}

    void write(const chat::Response &response) {
        const chat::Choice *choice =
            response.choices.empty() ? nullptr : &response.choices.front();
        writer_.begin_object();
        write_metrics(writer_);
        writer_.key("output").begin_object().key("message").begin_object();
        writer_.member("role", "assistant").key("content").begin_array();
        if (choice) {
            for (const Part &part : choice->message.parts) {
                write_part(part);
            }
        }
        writer_.end_array().end_object().end_object();
        write_stop(choice);
        writer_.key("usage");
        write_usage(writer_, response.usage, context_.prompt_estimate);
        if (auto tier = bedrock_tier(response.service_tier); !tier.empty()) {
            writer_.key("serviceTier")
                .begin_object()
                .member("type", tier)
                .end_object();
        }
        writer_.end_object();
    }

private:
    void write_part(const Part &part) {
        switch (part.type) {
        case PartType::text:
        case PartType::refusal:
            refused_ |= part.type == PartType::refusal;
            if (!part.text.empty()) {
                writer_.begin_object().member("text", part.text).end_object();
            }
            break;
        case PartType::reasoning:
            write_reasoning(part);
            break;
        case PartType::redacted_reasoning:
            writer_.begin_object().key("reasoningContent").begin_object();
            writer_.member("redactedContent", part.data);
            writer_.end_object().end_object();
            break;
        case PartType::tool_call:
            write_tool_use(part);
            break;
        case PartType::image:
            write_image(part);
            break;
        case PartType::audio:
        case PartType::file:
        case PartType::native:
            break;      // no assistant's message has them in this API
        }
    }

    void write_reasoning(const Part &part) {
        if (part.text.empty() && part.signature.empty()) {
            return;
        }
        writer_.begin_object().key("reasoningContent").begin_object();
        writer_.key("reasoningText").begin_object();
        writer_.member("text", part.text);
        if (!part.signature.empty()) {
            writer_.member("signature", part.signature);
        }
        writer_.end_object().end_object().end_object();
    }

    void write_image(const Part &part) {
        const MediaRow *row = find_media_type("image", part.media_type);
        if (!row || part.data.empty()) {
            return;
        }
        writer_.begin_object().key("image").begin_object();
        writer_.member("format", row->format);
        writer_.key("source").begin_object();
        writer_.member("bytes", part.data);
        writer_.end_object().end_object().end_object();
    }

    void write_tool_use(const Part &part) {
        std::string id(part.id);
        if (id.empty()) {
            append_tool_id(id, context_, calls_);
        }
        ++calls_;
        writer_.begin_object().key("toolUse").begin_object();
        writer_.member("toolUseId", id).member("name", part.name);
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
        writer_.end_object().end_object();
    }

    void write_stop(const chat::Choice *choice) {
        FinishReason reason = choice ? choice->finish_reason
                                     : FinishReason::stop;
        std::string_view sequence = choice ? choice->stop_sequence
                                           : std::string_view();
        // Servers exist that call tools and say "stop".
        if (reason == FinishReason::stop && calls_ != 0) {
            reason = FinishReason::tool_calls;
        }
        if (refused_) {
            reason = FinishReason::content_filter;
        }
        std::string_view native =
            choice ? choice->native_finish_reason : std::string_view();
        writer_.member("stopReason",
                       stop_reason(reason, sequence.empty()
                                               ? native
                                               : "stop_sequence"));
        if (!sequence.empty()) {
            writer_.key("additionalModelResponseFields")
                .begin_object()
                .member("stop_sequence", sequence)
                .end_object();
        }
    }

    const AnswerContext &context_;
    json::Writer writer_;
    json::Document document_;       // of arguments
    std::size_t calls_ = 0;
    bool refused_ = false;
};

}  // namespace

Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory) {
    return ResponseReader(memory).read(document.root());
}

void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out) {
    ResponseWriter(context, out).write(response);
}

void append_tool_id(std::string &out, const AnswerContext &context,
                    std::size_t call) {
    out.append("tooluse_").append(context.unique);
    out.append("_").append(std::to_string(call));
}

}  // namespace llm::bedrock
