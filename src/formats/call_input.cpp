#include "formats/call_input.hpp"

#include "formats/tool_plan.hpp"

namespace llm {

using chat::Event;
using chat::EventSink;

void CallInput::add(std::string_view fragment, EventSink &sink) {
    if (fragment.empty()) {
        return;
    }
    has_input_ = true;
    if (kind_ == Kind::custom_call) {
        held_.append(fragment);
    } else {
        emit(fragment, sink);
    }
}

void CallInput::end(EventSink &sink) {
    if (!has_input_) {
        emit("{}", sink);
        return;
    }
    if (kind_ != Kind::custom_call) {
        return;
    }
    json::Document document;
    json::ParseLimits limits;
    limits.duplicates = true;
    json::Value text;
    if (document.parse(held_, limits)) {
        text = document.root()[custom_input];
    }
    std::string_view input = text.is_string() ? text.string()
                                              : std::string_view(held_);
    if (!input.empty()) {
        emit(input, sink);
    }
}

void CallInput::emit(std::string_view text, EventSink &sink) const {
    Event event;
    event.type = kind_ == Kind::answer ? Event::Type::text
                                       : Event::Type::tool_arguments;
    // The number of a call, which text has none of.
    event.call = kind_ == Kind::answer ? 0 : call_;
    event.text = text;
    sink.on_event(event);
}

}  // namespace llm
