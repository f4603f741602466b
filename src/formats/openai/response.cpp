#include "formats/openai/openai.hpp"

#include <cmath>

#include "formats/openai/answer.hpp"
#include "formats/openai/google.hpp"
#include "formats/openai/images.hpp"
#include "formats/openai/reasoning.hpp"
#include "formats/openai/tables.hpp"
#include "formats/tool_name.hpp"
#include "llm/arena.hpp"

namespace llm::openai {

namespace {

using chat::FinishReason;
using chat::Message;
using chat::Part;
using chat::PartType;
using json::Value;

void add_text(PartType type, std::string_view text, Message &message) {
    if (!text.empty()) {
        Part part;
        part.type = type;
        part.text = text;
        message.parts.push_back(part);
    }
}

Part &add_call(Value function, std::string_view arguments, Message &message,
               std::pmr::memory_resource *memory) {
    Part part;
    part.type = PartType::tool_call;
    part.name = plain_tool_name(function["name"].string(), memory);
    part.arguments = text_of(function[arguments]);
    message.parts.push_back(part);
    return message.parts.back();
}

void read_calls(Value source, std::string_view answer_id, Message &message,
                std::pmr::memory_resource *memory) {
    std::size_t number = 0;
    auto name_call = [&](Part &part, std::string_view id) {
        part.id = is_id(id) ? id : arena_copy(memory, made_call_id(answer_id,
                                                                   number));
        ++number;
    };

    for (Value call : source["tool_calls"].elements()) {
        bool custom = call["custom"].is_object();
        Part &part =
            custom ? add_call(call["custom"], "input", message, memory)
                   : add_call(call["function"], "arguments", message, memory);
        part.custom = custom;
        part.signature = google_signature(call);
        name_call(part, call["id"].string());
    }
    if (Value call = source["function_call"]; call.is_object()) {
        name_call(add_call(call, "arguments", message, memory), {});
    }
}

void read_message(Value source, Message &message) {
    message.role = chat::Role::assistant;
    message.source = source;
    for_each_reasoning(source, [&](ReasoningPiece piece, std::string_view text) {
        append_reasoning(piece, text, message);
    });
    for_each_content(source["content"], [&](PartType type,
                                            std::string_view text) {
        add_text(type, text, message);
    });
    add_text(PartType::refusal, source["refusal"].string(), message);
    sign_text(source, message);
    for_each_image(source, [&](std::string_view media_type,
                               std::string_view data) {
        Part part;
        part.type = PartType::image;
        part.media_type = media_type;
        part.data = data;
        message.parts.push_back(part);
    });
}

bool has_calls(const Message &message) {
    for (const Part &part : message.parts) {
        if (part.type == PartType::tool_call) {
            return true;
        }
    }
    return false;
}

// The answer's texts of one type put together.
void append_texts(const Message &message, PartType type, std::string &out) {
    for (const Part &part : message.parts) {
        if (part.type == type) {
            out.append(part.text);
        }
    }
}

void write_calls(json::Writer &w, const Message &message) {
    w.key("tool_calls").begin_array();
    for (const Part &part : message.parts) {
        if (part.type != PartType::tool_call) {
            continue;
        }
        w.begin_object().member("id", part.id);
        if (part.custom) {
            w.member("type", "custom").key("custom").begin_object()
                .member("name", part.name)
                .member("input", part.arguments);
        } else {
            w.member("type", "function").key("function").begin_object()
                .member("name", part.name)
                .member("arguments", part.arguments.empty() ? "{}"
                                                            : part.arguments);
        }
        w.end_object();
        write_google_signature(w, part.signature);
        w.end_object();
    }
    w.end_array();
}

void write_reasoning_details(json::Writer &w, const Message &message) {
    std::int64_t index = 0;
    w.key("reasoning_details").begin_array();
    for (const Part &part : message.parts) {
        if (part.type == PartType::reasoning) {
            w.begin_object()
                .member("type", "reasoning.text")
                .member("text", part.text);
            if (!part.signature.empty()) {
                w.member("signature", part.signature);
            }
        } else if (part.type == PartType::redacted_reasoning) {
            w.begin_object()
                .member("type", "reasoning.encrypted")
                .member("data", part.data);
        } else {
            continue;
        }
        w.member("index", index++).end_object();
    }
    w.end_array();
}

void write_message(json::Writer &w, const Message &message) {
    bool texts = false;
    bool reasoning = false;
    bool details = false;
    bool refused = false;
    bool images = false;
    std::string_view signature;     // of the text
    for (const Part &part : message.parts) {
        images |= part.type == PartType::image && !part.data.empty();
        if (part.type == PartType::text && !part.signature.empty()) {
            signature = part.signature;
        }
        texts |= part.type == PartType::text;
        reasoning |= part.type == PartType::reasoning && !part.text.empty();
        details |= part.type == PartType::redacted_reasoning
                   || (part.type == PartType::reasoning
                       && !part.signature.empty());
        refused |= part.type == PartType::refusal;
    }
    bool calls = has_calls(message);

    std::string text;
    w.begin_object().member("role", "assistant").key("content");
    if (!texts && (calls || refused)) {
        w.null();
    } else {
        append_texts(message, PartType::text, text);
        w.string(text);
    }

    w.key("refusal");
    if (refused) {
        text.clear();
        append_texts(message, PartType::refusal, text);
        w.string(text);
    } else {
        w.null();
    }

    if (reasoning) {
        text.clear();
        append_texts(message, PartType::reasoning, text);
        w.member("reasoning_content", std::string_view(text));
    }
    if (details) {
        write_reasoning_details(w, message);
    }
    if (images) {
        std::int64_t index = 0;
        w.key("images").begin_array();
        for (const Part &part : message.parts) {
            if (part.type == PartType::image && !part.data.empty()) {
                write_image(w, part.media_type, part.data, index++);
            }
        }
        w.end_array();
    }
    write_google_signature(w, signature);
    if (calls) {
        write_calls(w, message);
    }
    w.end_object();
}

}  // namespace

std::string made_call_id(std::string_view answer_id, std::size_t number) {
    // OpenAI has refused ids of more than 40 characters, and some servers of its
    // API do; the number is of up to four.
    constexpr std::size_t longest = 35;
    std::string id = "call_";
    for (char c : answer_id) {
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
                     || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
        if (plain && id.size() < longest) {
            id.push_back(c);
        }
    }
    return id + '_' + std::to_string(number);
}

std::int64_t read_created(Value value) {
    auto seconds = value.number();
    if (!seconds || !(*seconds >= 0 && *seconds < 0x1p53)) {
        return 0;
    }
    return static_cast<std::int64_t>(*seconds);
}

Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory) {
    Value root = document.root();
    if (auto error = find_error(200, root)) {
        return std::move(*error);
    }
    if (!root["choices"].is_array()) {
        return Error{ErrorKind::bad_gateway,
                     "the provider's answer has no choices", {}, {}, 0, {}};
    }

    chat::Response response(memory);
    response.id = root["id"].string();
    response.model = root["model"].string();
    response.created = read_created(root["created"]);
    response.service_tier = root["service_tier"].string();
    response.system_fingerprint = root["system_fingerprint"].string();
    response.usage = parse_usage(find_usage(root));

    std::int64_t position = 0;
    for (Value source : root["choices"].elements()) {
        chat::Choice &choice = response.choices.emplace_back(memory);
        choice.index = source["index"].integer().value_or(position);
        ++position;

        read_message(source["message"], choice.message);
        read_calls(source["message"], response.id, choice.message, memory);

        choice.native_finish_reason = source["finish_reason"].string();
        choice.finish_reason = finish_reason(choice.native_finish_reason,
                                             has_calls(choice.message));
        if (choice.finish_reason == FinishReason::none) {
            choice.finish_reason = has_calls(choice.message)
                                       ? FinishReason::tool_calls
                                       : FinishReason::stop;
        }
        if (choice.finish_reason == FinishReason::error) {
            return incomplete_answer();
        }
        // vLLM's member; a number there is a token's id.
        choice.stop_sequence = source["stop_reason"].string();
        if (Value logprobs = source["logprobs"]; logprobs.is_object()) {
            choice.logprobs = logprobs;
        }
    }
    return response;
}

void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out) {
    json::Writer w(out);
    w.begin_object().key("id");
    if (response.id.empty()) {
        w.string("chatcmpl-" + std::string(context.unique));
    } else {
        w.string(response.id);
    }
    w.member("object", "chat.completion")
        .member("created", response.created ? response.created : context.now)
        .member("model", response.model.empty() ? context.request_model
                                                : response.model);

    w.key("choices").begin_array();
    for (const chat::Choice &choice : response.choices) {
        w.begin_object().member("index", choice.index).key("message");
        write_message(w, choice.message);
        w.key("logprobs");
        if (choice.logprobs) {
            w.raw(choice.logprobs.raw());
        } else {
            w.null();
        }
        w.member("finish_reason", chat::to_string(choice.finish_reason))
            .end_object();
    }
    w.end_array();

    if (response.usage.known || response.usage.estimated) {
        w.key("usage");
        write_usage(w, response.usage);
    }
    if (!response.service_tier.empty()) {
        w.member("service_tier", response.service_tier);
    }
    if (!response.system_fingerprint.empty()) {
        w.member("system_fingerprint", response.system_fingerprint);
    }
    w.end_object();
}

}  // namespace llm::openai
