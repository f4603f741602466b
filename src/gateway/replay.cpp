#include "llm/exchange.hpp"

namespace llm {

namespace {

void replay_part(const chat::Part &part, chat::Event &event,
                 std::size_t &calls, chat::EventSink &sink) {
    using Type = chat::Event::Type;

    auto emit = [&](Type type, std::string_view text) {
        event.type = type;
        event.text = text;
        sink.on_event(event);
    };

    switch (part.type) {
    case chat::PartType::text:
        event.signature = part.signature;
        emit(Type::text, part.text);
        event.signature = {};
        break;
    case chat::PartType::image:
        if (!part.data.empty()) {
            event.media_type = part.media_type;
            emit(Type::image, part.data);
            event.media_type = {};
        }
        break;
    case chat::PartType::refusal:
        emit(Type::refusal, part.text);
        break;
    case chat::PartType::reasoning:
        emit(Type::reasoning, part.text);
        if (!part.signature.empty()) {
            emit(Type::reasoning_signature, part.signature);
        }
        break;
    case chat::PartType::redacted_reasoning:
        emit(Type::redacted_reasoning, part.data);
        break;
    case chat::PartType::tool_call:
        event.call = calls++;
        event.id = part.id;
        event.name = part.name;
        event.custom = part.custom;
        event.signature = part.signature;
        emit(Type::tool_call, {});
        event.signature = {};
        emit(Type::tool_arguments, part.arguments);
        break;
    default:
        // Other media and native blocks have no streamed form in any API
        // here.
        break;
    }
}

}  // namespace

void replay(const chat::Response &response, chat::EventSink &sink) {
    using Type = chat::Event::Type;

    chat::Event start;
    start.type = Type::start;
    start.id = response.id;
    start.model = response.model;
    start.created = response.created;
    sink.on_event(start);

    for (const auto &choice : response.choices) {
        chat::Event event;
        event.choice = choice.index;
        std::size_t calls = 0;
        for (const auto &part : choice.message.parts) {
            replay_part(part, event, calls, sink);
        }
        if (choice.logprobs) {
            chat::Event logprobs;
            logprobs.type = Type::logprobs;
            logprobs.choice = choice.index;
            logprobs.value = choice.logprobs;
            sink.on_event(logprobs);
        }
        chat::Event finish;
        finish.type = Type::finish;
        finish.choice = choice.index;
        finish.finish_reason = choice.finish_reason;
        finish.native = choice.native_finish_reason;
        finish.stop_sequence = choice.stop_sequence;
        sink.on_event(finish);
    }

    if (response.usage.known || response.usage.estimated) {
        chat::Event usage;
        usage.type = Type::usage;
        usage.usage = response.usage;
        sink.on_event(usage);
    }

    chat::Event done;
    done.type = Type::done;
    sink.on_event(done);
}

}  // namespace llm
