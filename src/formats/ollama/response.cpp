#include "formats/functions.hpp"
#include "formats/ollama/answer.hpp"
#include "formats/ollama/ollama.hpp"
#include "formats/ollama/tables.hpp"
#include "formats/tool_plan.hpp"
#include "llm/arena.hpp"
#include "text/rfc3339.hpp"

namespace llm::ollama {

namespace {

using chat::FinishReason;
using chat::Part;
using chat::PartType;
using json::Value;

Error no_answer(std::string_view what) {
    return Error{ErrorKind::bad_gateway,
                 "the provider's answer " + std::string(what), {}, {}, 0, {}};
}

void add_text(PartType type, Value text, chat::Message &message) {
    if (!text.string().empty()) {
        Part part;
        part.type = type;
        part.text = text.string();
        message.parts.push_back(part);
    }
}

}  // namespace

Result<chat::Response> parse_response(Api api, const json::Document &document,
                                      std::pmr::memory_resource *memory) {
    Value root = document.root();
    if (auto error = find_error(200, root)) {
        return std::move(*error);
    }
    Said what = said(api, root);
    if (api == Api::chat ? !root["message"].is_object()
                         : !what.text.is_string()) {
        return no_answer("has no message");
    }
    if (!root["done"].boolean(true)) {
        return no_answer("is not complete");
    }

    chat::Response response(memory);
    response.model = root["model"].string();
    response.created =
        rfc3339::parse(root["created_at"].string()).value_or(0);
    response.usage = read_usage(root);

    chat::Choice &choice = response.choices.emplace_back(memory);
    choice.message.role = chat::Role::assistant;
    choice.message.source = root["message"];
    add_text(PartType::reasoning, what.thinking, choice.message);
    add_text(PartType::text, what.text, choice.message);

    std::size_t calls = 0;
    for (Value call : what.calls.elements()) {
        Part part;
        part.type = PartType::tool_call;
        part.id = arena_copy(memory, call_id(call, root, calls++));
        part.name = call["function"]["name"].string();
        if (part.name.empty()) {
            return no_answer("holds a tool call without a name");
        }
        part.arguments = arguments_of(call);
        if (take_custom_prefix(part.name)) {
            part.custom = true;
            part.arguments = custom_text(call["function"]["arguments"],
                                         part.arguments);
        }
        choice.message.parts.push_back(part);
    }

    choice.native_finish_reason = root["done_reason"].string();
    choice.finish_reason = finish_reason_of(choice.native_finish_reason);
    if (calls > 0 && choice.finish_reason == FinishReason::stop) {
        choice.finish_reason = FinishReason::tool_calls;
    }
    if (std::string logprobs = logprobs_object(root); !logprobs.empty()) {
        // A tree of its own, as long as the answer lives.
        auto *made = static_cast<json::Document *>(memory->allocate(
            sizeof(json::Document), alignof(json::Document)));
        new (made) json::Document(memory);
        if (made->parse(arena_copy(memory, logprobs))) {
            choice.logprobs = made->root();
        }
    }
    return response;
}

void write_response(Api api, const chat::Response &response,
                    const AnswerContext &context, std::string &out) {
    std::string text;
    std::string thinking;
    std::string calls;
    std::string_view image;
    FinishReason reason = FinishReason::stop;
    Value logprobs;

    json::Writer list(calls);
    bool called = false;
    std::size_t number = 0;
    // An answer of this API is one choice.
    if (!response.choices.empty()) {
        const chat::Choice &choice = response.choices.front();
        reason = choice.finish_reason;
        logprobs = choice.logprobs["content"];
        for (const Part &part : choice.message.parts) {
            switch (part.type) {
            case PartType::text:
            case PartType::refusal:
                text.append(part.text);
                break;
            case PartType::reasoning:
                thinking.append(part.text);
                break;
            case PartType::image:
                image = part.data;
                break;
            case PartType::tool_call:
                if (!called) {
                    list.begin_array();
                    called = true;
                }
                functions::write_object_call(list, part, number++);
                break;
            default:
                break;
            }
        }
    }
    if (called) {
        list.end_array();
    }

    MessageWriter message(
        api, response.model.empty() ? context.request_model : response.model,
        response.created ? response.created : context.now);
    message.begin(out, text, thinking, calls, image);

    out.append(",\"done\":true,\"done_reason\":");
    json::append_string(out, done_reason(reason));
    if (logprobs.is_array()) {
        out.append(",\"logprobs\":");
        functions::append_line(out, logprobs.raw());
    }
    if (response.usage.known || response.usage.estimated) {
        out.push_back(',');
        json::Writer w(out);
        write_usage(w, response.usage);
    }
    out.push_back('}');
}

}  // namespace llm::ollama
