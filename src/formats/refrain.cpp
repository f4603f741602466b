#include "formats/refrain.hpp"

namespace llm {

namespace {

using Type = chat::Event::Type;

bool is_piece(Type type) {
    return type == Type::text || type == Type::reasoning
           || type == Type::refusal || type == Type::tool_arguments;
}

// The string of which `text` is all; absent where a reader has made it. A
// document that has a form has but a few values.
json::Value find_string(json::Value value, std::string_view text) {
    if (value.is_string()) {
        return value.string().data() == text.data()
                       && value.string().size() == text.size()
                   ? value
                   : json::Value();
    }
    for (const json::Member &member : value.members()) {
        if (json::Value found = find_string(member.value, text)) {
            return found;
        }
    }
    for (json::Value element : value.elements()) {
        if (json::Value found = find_string(element, text)) {
            return found;
        }
    }
    return {};
}

}  // namespace

void Refrain::Ear::on_event(const chat::Event &event) {
    ++events_;
    piece_ = is_piece(event.type) && !event.text.empty()
             && event.signature.empty();
    type_ = event.type;
    choice_ = event.choice;
    call_ = event.call;
    text_ = event.text;
    sink_.on_event(event);
}

json::Value Refrain::piece_of(const json::Document &document,
                              const Ear &ear) {
    if (document.form() == 0 || ear.events_ != 1 || !ear.piece_) {
        return {};
    }
    return find_string(document.root(), ear.text_);
}

}  // namespace llm
