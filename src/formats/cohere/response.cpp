#include "formats/cohere/cohere.hpp"
#include "formats/cohere/tables.hpp"
#include "formats/openai/answer.hpp"
#include "formats/tool_plan.hpp"
#include "llm/arena.hpp"

namespace llm::cohere {

namespace {

using chat::FinishReason;
using chat::Part;
using chat::PartType;
using json::Value;

Error no_answer(std::string_view what) {
    return Error{ErrorKind::bad_gateway,
                 "the provider's answer " + std::string(what), {}, {}, 0, {}};
}

// The input of a custom tool's call, which lives as long as the memory does.
std::string_view unwrapped(std::string_view arguments,
                           std::pmr::memory_resource *memory) {
    json::Document document;
    if (!document.parse(arguments, {.duplicates = true})) {
        return arguments;
    }
    return arena_copy(memory, custom_text(document.root(), arguments));
}

void add_text(PartType type, std::string_view text, chat::Message &message) {
    if (!text.empty()) {
        Part part;
        part.type = type;
        part.text = text;
        message.parts.push_back(part);
    }
}

}  // namespace

Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory) {
    Value root = document.root();
    if (auto error = find_error(200, root)) {
        return std::move(*error);
    }
    Value source = root["message"];
    if (!source.is_object()) {
        return no_answer("has no message");
    }

    chat::Response response(memory);
    response.id = root["id"].string();
    response.usage = read_usage(root["usage"]);
    chat::Choice &choice = response.choices.emplace_back(memory);
    choice.message.role = chat::Role::assistant;
    choice.message.source = source;

    // What the model says before it calls tools: as text it finds its way
    // back through every client.
    add_text(PartType::text, source["tool_plan"].string(), choice.message);
    add_text(PartType::text, source["content"].string(), choice.message);
    for (Value part : source["content"].elements()) {
        bool thinking = part["type"].string() == "thinking";
        add_text(thinking ? PartType::reasoning : PartType::text,
                 part[thinking ? "thinking" : "text"].string(),
                 choice.message);
    }

    std::size_t calls = 0;
    for (Value call : source["tool_calls"].elements()) {
        Part part;
        part.type = PartType::tool_call;
        part.id = call["id"].string();
        if (part.id.empty()) {
            part.id = arena_copy(memory,
                                 openai::made_call_id(response.id, calls));
        }
        part.name = call["function"]["name"].string();
        if (part.name.empty()) {
            return no_answer("holds a tool call without a name");
        }
        part.arguments = openai::text_of(call["function"]["arguments"]);
        if (take_custom_prefix(part.name)) {
            part.custom = true;
            part.arguments = unwrapped(part.arguments, memory);
        }
        choice.message.parts.push_back(part);
        ++calls;
    }

    choice.native_finish_reason = root["finish_reason"].string();
    choice.finish_reason = finish_reason_of(choice.native_finish_reason);
    if (choice.finish_reason == FinishReason::error) {
        return incomplete_answer(choice.native_finish_reason);
    }
    if (calls > 0 && choice.finish_reason == FinishReason::stop) {
        choice.finish_reason = FinishReason::tool_calls;
    }
    if (choice.finish_reason == FinishReason::none) {
        choice.finish_reason =
            calls > 0 ? FinishReason::tool_calls : FinishReason::stop;
    }
    return response;
}

void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out) {
    FinishReason reason = FinishReason::stop;
    std::string_view stop_sequence;
    std::string text;
    std::string thoughts;
    std::vector<const Part *> calls;
    // An answer of this API is one choice.
    if (!response.choices.empty()) {
        const chat::Choice &choice = response.choices.front();
        reason = choice.finish_reason;
        stop_sequence = choice.stop_sequence;
        for (const Part &part : choice.message.parts) {
            if (part.type == PartType::text
                || part.type == PartType::refusal) {
                text.append(part.text);
            } else if (part.type == PartType::reasoning) {
                thoughts.append(part.text);
            } else if (part.type == PartType::tool_call) {
                calls.push_back(&part);
            }
        }
    }

    json::Writer w(out);
    w.begin_object()
        .member("id", response.id.empty() ? context.unique : response.id)
        .member("finish_reason", finish_word(reason, stop_sequence))
        .key("message").begin_object().member("role", "assistant");
    if (!text.empty() || !thoughts.empty() || calls.empty()) {
        w.key("content").begin_array();
        if (!thoughts.empty()) {
            w.begin_object().member("type", "thinking")
                .member("thinking", thoughts).end_object();
        }
        if (!text.empty() || thoughts.empty()) {
            w.begin_object().member("type", "text").member("text", text)
                .end_object();
        }
        w.end_array();
    }
    if (!calls.empty()) {
        w.key("tool_calls").begin_array();
        for (const Part *call : calls) {
            w.begin_object().member("id", call->id)
                .member("type", "function").key("function").begin_object()
                .member("name", call->name)
                .member("arguments", call->arguments.empty()
                                         ? "{}"
                                         : call->arguments)
                .end_object().end_object();
        }
        w.end_array();
    }
    w.end_object();
    if (response.usage.known || response.usage.estimated) {
        w.key("usage");
        write_usage(w, response.usage);
    }
    w.end_object();
}

}  // namespace llm::cohere
