#include <utility>

#include "formats/openai/answer.hpp"
#include "formats/openai/openai.hpp"
#include "formats/responses/answer_write.hpp"
#include "formats/responses/item_text.hpp"
#include "formats/responses/responses.hpp"
#include "formats/responses/tables.hpp"
#include "formats/tool_name.hpp"
#include "llm/arena.hpp"

namespace llm::responses {

namespace {

using chat::FinishReason;
using chat::Message;
using chat::Part;
using chat::PartType;
using json::Value;

Error bad_answer(std::string_view what) {
    Error error;
    error.kind = ErrorKind::bad_gateway;
    error.message = "the provider's answer " + std::string(what);
    return error;
}

void read_message(Value item, Message &message) {
    for (Value content : item["content"].elements()) {
        bool refusal = content["type"].string() == "refusal";
        Part part;
        part.type = refusal ? PartType::refusal : PartType::text;
        part.text = content[refusal ? "refusal" : "text"].string();
        if (!part.text.empty()) {
            message.parts.push_back(part);
        }
    }
}

// The tokens' probabilities of all texts, as chat completions have them.
Value read_logprobs(Value output, std::pmr::memory_resource *memory) {
    std::string list;
    for (Value item : output.elements()) {
        for (Value content : item["content"].elements()) {
            Value tokens = content["logprobs"];
            if (tokens.is_array() && tokens.size() > 0) {
                std::string_view raw = tokens.raw();
                list.append(list.empty() ? "" : ",")
                    .append(raw.substr(1, raw.size() - 2));
            }
        }
    }
    if (list.empty()) {
        return {};
    }
    auto text = arena_concat(memory, {R"({"content":[)", list, "]}"});
    // Freed with all else that the resource holds.
    void *place = memory->allocate(sizeof(json::Document),
                                   alignof(json::Document));
    auto *document = new (place) json::Document(memory);
    return document->parse(text, {.duplicates = true}) ? document->root()
                                                       : Value();
}

// call_signature: the proof of the call that comes next.
void read_item(Value item, std::string_view answer_id, std::size_t &calls,
               std::string_view &call_signature, Message &message,
               std::pmr::memory_resource *memory) {
    std::string_view type = item["type"].string();
    if (type == "message") {
        read_message(item, message);
        return;
    }

    Part part;
    part.source = item;
    if (type == "function_call" || type == "custom_tool_call") {
        part.type = PartType::tool_call;
        part.custom = type == "custom_tool_call";
        part.id = item["call_id"].string();
        if (!openai::is_id(part.id)) {
            part.id = arena_copy(memory,
                                 openai::made_call_id(answer_id, calls));
        }
        ++calls;
        part.signature = std::exchange(call_signature, {});
        part.name = plain_tool_name(item["name"].string(), memory);
        part.arguments =
            openai::text_of(item[part.custom ? "input" : "arguments"]);
    } else if (type == "image_generation_call") {
        ItemImage image = item_image(item);
        if (image.data.empty()) {
            return;     // it failed, or is not ready
        }
        part.type = PartType::image;
        part.data = image.data;
        part.media_type = image.media_type;
    } else if (type == "reasoning") {
        part.type = PartType::reasoning;
        part.text = arena_copy(memory, reasoning_text(item));
        ReasoningProof proof = reasoning_proof(item);
        std::string_view data = arena_copy(memory, proof.data);
        if (proof.proof == Proof::call) {
            call_signature = data;
            return;
        }
        if (proof.proof == Proof::redacted) {
            part.type = PartType::redacted_reasoning;
            part.data = data;
        } else {
            part.signature = data;
        }
        if (part.text.empty() && data.empty()) {
            return;
        }
    } else {
        return;     // what the provider's own tools did
    }
    message.parts.push_back(part);
}

}  // namespace

Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory) {
    Value root = document.root();
    if (auto error = openai::find_error(200, root)) {
        return std::move(*error);
    }
    std::string_view status = root["status"].string();
    if (status == "failed" || status == "cancelled") {
        return openai::incomplete_answer();
    }
    // An answer that is to be fetched later is one only for who asked so.
    bool later = status == "queued" || status == "in_progress";
    if (later && !root["background"].boolean()) {
        return bad_answer("is not complete");
    }
    Value output = root["output"];
    if (!output.is_array()) {
        return bad_answer("has no output");
    }

    chat::Response response(memory);
    response.id = root["id"].string();
    response.model = root["model"].string();
    response.created = openai::read_created(root["created_at"]);
    response.service_tier = root["service_tier"].string();
    response.usage = parse_usage(root["usage"]);

    chat::Choice &choice = response.choices.emplace_back(memory);
    choice.message.role = chat::Role::assistant;
    std::size_t calls = 0;
    std::string_view call_signature;
    for (Value item : output.elements()) {
        read_item(item, response.id, calls, call_signature, choice.message,
                  memory);
    }
    choice.logprobs = read_logprobs(output, memory);

    std::string_view reason =
        root["incomplete_details"]["reason"].string();
    if (status == "incomplete" || !reason.empty()) {
        choice.native_finish_reason = reason;
        choice.finish_reason = finish_reason_of(reason);
    } else if (!later) {
        choice.native_finish_reason = status;
        choice.finish_reason = calls > 0 ? FinishReason::tool_calls
                                         : FinishReason::stop;
    }
    return response;
}

void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out) {
    AnswerWriter answer(context, AnswerWriter::Form::whole);
    answer.start(response.id, response.model, response.created, out);
    answer.set_service_tier(response.service_tier);
    FinishReason reason = FinishReason::none;

    if (!response.choices.empty()) {
        const chat::Choice &choice = response.choices.front();
        std::size_t calls = 0;
        for (const Part &part : choice.message.parts) {
            switch (part.type) {
            case PartType::text:
            case PartType::refusal:
                answer.add_text(part.text, part.type == PartType::refusal,
                                out);
                break;
            case PartType::reasoning:
                answer.add_reasoning(part.text, out);
                answer.sign_reasoning(part.signature, out);
                break;
            case PartType::redacted_reasoning:
                answer.add_redacted(part.data, out);
                break;
            case PartType::image:
                answer.add_image(part.data, out);
                break;
            case PartType::tool_call: {
                chat::Event call;
                call.call = calls++;
                call.id = part.id;
                call.name = part.name;
                call.custom = part.custom;
                call.signature = part.signature;
                answer.add_call(call, out);
                answer.add_arguments(call.call, part.arguments, out);
                break;
            }
            case PartType::audio:
            case PartType::file:
            case PartType::native:
                break;      // no form in this API
            }
        }
        answer.add_logprobs(choice.logprobs);
        reason = choice.finish_reason;
    }
    answer.finish(reason, response.usage, out);
}

}  // namespace llm::responses
