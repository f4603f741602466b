#include "llm/assemble.hpp"

#include <algorithm>

namespace llm {

using chat::PartType;

namespace {

// What a part or a choice costs beside its texts, so that a stream of empty
// ones does not grow without bound.
constexpr std::size_t overhead = 256;

}  // namespace

bool Assembler::take(std::size_t bytes) {
    if (bytes > left_) {
        stop(State::too_large);
        return false;
    }
    left_ -= bytes;
    return true;
}

bool Assembler::append(std::string &to, std::string_view text) {
    if (!take(text.size())) {
        return false;
    }
    to.append(text);
    return true;
}

void Assembler::stop(State state) {
    state_ = state;
    choices_.clear();
    id_ = {};
    model_ = {};
}

Assembler::Choice *Assembler::choice_of(const chat::Event &event) {
    for (Choice &choice : choices_) {
        if (choice.index == event.choice) {
            return &choice;
        }
    }
    if (!take(overhead)) {
        return nullptr;
    }
    Choice &choice = choices_.emplace_back();
    choice.index = event.choice;
    return &choice;
}

// The part that the event goes on with: the last one, if it is of that type.
Assembler::Part *Assembler::part_of(const chat::Event &event, PartType type,
                                    bool always_new) {
    Choice *choice = choice_of(event);
    if (!choice) {
        return nullptr;
    }
    auto &parts = choice->parts;
    if (!always_new && !parts.empty() && parts.back().type == type
        && parts.back().signature.empty()) {
        return &parts.back();
    }
    if (!take(overhead)) {
        return nullptr;
    }
    parts.emplace_back().type = type;
    return &parts.back();
}

void Assembler::add_text(const chat::Event &event, PartType type) {
    if (event.text.empty() && event.signature.empty()) {
        return;
    }
    bool always_new = type == PartType::redacted_reasoning;
    Part *part = part_of(event, type, always_new);
    if (part && append(part->text, event.text)) {
        append(part->signature, event.signature);
    }
}

void Assembler::add_image(const chat::Event &event) {
    Part *part = part_of(event, PartType::image, true);
    if (part && append(part->text, event.text)) {
        append(part->media_type, event.media_type);
    }
}

// Signs the thoughts before it, of which there may be no text.
void Assembler::add_signature(const chat::Event &event) {
    if (Part *part = part_of(event, PartType::reasoning, false)) {
        append(part->signature, event.text);
    }
}

void Assembler::add_call(const chat::Event &event) {
    Part *part = part_of(event, PartType::tool_call, true);
    if (part && append(part->id, event.id) && append(part->name, event.name)
        && append(part->signature, event.signature)) {
        part->custom = event.custom;
        part->call = event.call;
    }
}

void Assembler::add_arguments(const chat::Event &event) {
    Choice *choice = choice_of(event);
    if (!choice) {
        return;
    }
    auto part = std::find_if(choice->parts.begin(), choice->parts.end(),
                             [&](const Part &part) {
                                 return part.type == PartType::tool_call
                                        && part.call == event.call;
                             });
    if (part == choice->parts.end()) {
        stop(State::failed);
        return;
    }
    append(part->text, event.text);
}

void Assembler::add_logprobs(const chat::Event &event) {
    Choice *choice = choice_of(event);
    if (!choice) {
        return;
    }
    for (json::Member member : event.value.members()) {
        auto known = std::find_if(
            choice->logprobs.begin(), choice->logprobs.end(),
            [&](const Logprob &row) { return row.name == member.name; });
        if (known == choice->logprobs.end()) {
            if (!take(overhead + member.name.size())) {
                return;
            }
            choice->logprobs.push_back({std::string(member.name), {}, false});
            known = choice->logprobs.end() - 1;
        }

        std::string_view raw = member.value.raw();
        if (member.value.is_array()) {
            if (!known->list) {
                known->json.clear();
                known->list = true;
            }
            raw = raw.substr(1, raw.size() - 2);
            if (member.value.size() == 0) {
                continue;
            }
            if (!known->json.empty() && !append(known->json, ",")) {
                return;
            }
            if (!append(known->json, raw)) {
                return;
            }
        } else if (!known->list) {
            known->json.clear();
            if (!append(known->json, raw)) {
                return;
            }
        }
    }
}

void Assembler::finish(const chat::Event &event) {
    Choice *choice = choice_of(event);
    if (!choice) {
        return;
    }
    choice->finish_reason = event.finish_reason;
    choice->native.clear();
    choice->stop_sequence.clear();
    if (append(choice->native, event.native)) {
        append(choice->stop_sequence, event.stop_sequence);
    }
}

void Assembler::complete() {
    choices_.sort([](const Choice &a, const Choice &b) {
        return a.index < b.index;
    });
    for (Choice &choice : choices_) {
        if (choice.logprobs.empty()) {
            continue;
        }
        json::Writer w(choice.logprobs_text);
        w.begin_object();
        for (const Logprob &row : choice.logprobs) {
            w.key(row.name).raw(row.list ? '[' + row.json + ']' : row.json);
        }
        w.end_object();
        if (!choice.logprobs_document.parse(choice.logprobs_text)) {
            stop(State::failed);
            return;
        }
    }
    state_ = State::complete;
}

void Assembler::on_event(const chat::Event &event) {
    using Type = chat::Event::Type;

    if (state_ != State::open) {
        return;
    }
    switch (event.type) {
    case Type::start:
        id_.clear();
        model_.clear();
        created_ = event.created;
        if (append(id_, event.id)) {
            append(model_, event.model);
        }
        break;
    case Type::text:
        add_text(event, PartType::text);
        break;
    case Type::refusal:
        add_text(event, PartType::refusal);
        break;
    case Type::image:
        add_image(event);
        break;
    case Type::reasoning:
        add_text(event, PartType::reasoning);
        break;
    case Type::reasoning_signature:
        add_signature(event);
        break;
    case Type::redacted_reasoning:
        add_text(event, PartType::redacted_reasoning);
        break;
    case Type::tool_call:
        add_call(event);
        break;
    case Type::tool_arguments:
        add_arguments(event);
        break;
    case Type::logprobs:
        add_logprobs(event);
        break;
    case Type::finish:
        finish(event);
        break;
    case Type::usage:
        usage_ = event.usage;
        break;
    case Type::ping:
        break;
    case Type::error:
        stop(State::failed);
        break;
    case Type::done:
        complete();
        break;
    }
}

chat::Response Assembler::response(std::pmr::memory_resource *memory) const {
    chat::Response response(memory);
    response.id = id_;
    response.model = model_;
    response.created = created_;
    response.usage = usage_;

    for (const Choice &source : choices_) {
        chat::Choice &choice = response.choices.emplace_back(memory);
        choice.index = source.index;
        choice.finish_reason = source.finish_reason;
        choice.native_finish_reason = source.native;
        choice.stop_sequence = source.stop_sequence;
        choice.logprobs = source.logprobs_document.root();
        choice.message.role = chat::Role::assistant;
        choice.message.parts.reserve(source.parts.size());
        for (const Part &made : source.parts) {
            chat::Part &part = choice.message.parts.emplace_back();
            part.type = made.type;
            part.signature = made.signature;
            part.id = made.id;
            part.name = made.name;
            part.custom = made.custom;
            switch (made.type) {
            case PartType::tool_call:
                part.arguments = made.text;
                break;
            case PartType::redacted_reasoning:
                part.data = made.text;
                break;
            case PartType::image:
                part.data = made.text;
                part.media_type = made.media_type;
                break;
            default:
                part.text = made.text;
                break;
            }
        }
    }
    return response;
}

}  // namespace llm
