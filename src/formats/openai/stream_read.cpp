#include <optional>
#include <vector>

#include "formats/openai/answer.hpp"
#include "formats/openai/google.hpp"
#include "formats/openai/images.hpp"
#include "formats/openai/openai.hpp"
#include "formats/openai/reasoning.hpp"
#include "formats/refrain.hpp"
#include "formats/tool_name.hpp"

namespace llm::openai {

namespace {

using chat::Event;
using chat::EventSink;
using chat::FinishReason;
using chat::PartType;
using json::Value;
using Type = chat::Event::Type;

constexpr std::string_view end_marker = "[DONE]";

// What a provider can make one stream remember. OpenAI's n goes up to 128.
constexpr std::size_t most_choices = 128;
constexpr std::size_t most_calls = 1024;
constexpr std::size_t most_early = std::size_t{64} << 10;

// The tree of a chunk larger than this is not kept for the next one.
constexpr std::size_t large_chunk = std::size_t{32} << 10;

Error bad_stream(std::string_view what) {
    return {ErrorKind::bad_gateway,
            "the provider's stream holds " + std::string(what),
            {}, {}, 0, {}};
}

// A tool call that has begun to arrive.
struct Call {
    // "index" as the provider counts; servers leave it out, or send 0 always.
    std::optional<std::int64_t> index;
    std::string id;
    std::string name;
    std::string signature;
    std::string early;          // arguments that came before the name
    std::size_t number = 0;     // as we count
    bool custom = false;        // free text instead of arguments
    bool begun = false;         // the tool_call event is out
};

struct Choice {
    std::int64_t index = 0;
    std::vector<Call> calls;
    std::size_t begun = 0;      // how many of them
    bool finished = false;
};

class Reader final : public StreamReader {
public:
    void read(const wire::Frame &frame, EventSink &sink) override;
    Relay relay(const wire::Frame &frame, bool include_usage,
                std::string &edited) override;
    void end(EventSink &sink) override;

private:
    bool parse(std::string_view data);
    void read_chunk(Value root, EventSink &sink);
    void read_choice(Value source, EventSink &sink);
    void read_delta(Value delta, Choice &choice, EventSink &sink);
    void read_call(Value source, bool first, Choice &choice, EventSink &sink);
    void read_function_call(Value source, Choice &choice, EventSink &sink);
    void read_function(Value function, std::string_view arguments, Call &call,
                       Choice &choice, EventSink &sink);
    void read_finish(std::string_view word, Value source, Choice &choice,
                     EventSink &sink);
    void finish(Choice &choice, Event &event, EventSink &sink);
    void read_usage(Value root, EventSink &sink);
    void read_end(EventSink &sink);

    Choice *find_choice(Value index);
    Call *find_call(Value source, bool first, Choice &choice);
    void start(Value root, EventSink &sink);
    void text(Type type, std::string_view text, const Choice &choice,
              EventSink &sink);
    void fail(const Error &error, EventSink &sink);
    void done(EventSink &sink);

    std::optional<json::Document> document_;
    Refrain refrain_;
    bool large_ = false;        // document_ holds more than it should keep
    bool parsed_ = false;       // document_ is the last frame's
    bool started_ = false;
    bool answered_ = false;     // there was some text or call
    bool over_ = false;
    std::string id_;
    std::vector<Choice> choices_;
};

bool Reader::parse(std::string_view data) {
    if (!document_ || large_) {
        document_.emplace();
        refrain_.forget();
    }
    large_ = data.size() > large_chunk;
    parsed_ = static_cast<bool>(document_->parse_next(data, {.duplicates = true}));
    return parsed_;
}

void Reader::read(const wire::Frame &frame, EventSink &sink) {
    parsed_ = false;
    if (over_ || frame.data.empty()) {
        return;
    }
    if (frame.data.starts_with(end_marker)) {
        read_end(sink);
        return;
    }
    if (!parse(frame.data)) {
        fail(bad_stream("an event that is not JSON"), sink);
        return;
    }

    bool failed = frame.event == "error";
    if (!failed && refrain_.repeat(*document_, sink)) {
        return;
    }

    Value root = document_->root();
    if (auto error = find_error(0, root)) {
        fail(*error, sink);
        return;
    }
    if (failed) {
        fail({ErrorKind::server, "the provider reported an error", {}, {}, 0,
              {}},
             sink);
        return;
    }
    Refrain::Ear ear(sink);
    read_chunk(root, ear);
    refrain_.learn(*document_, ear, [&](Value text) {
        return document_->varies_only({text, root["obfuscation"]});
    });
}

void Reader::read_chunk(Value root, EventSink &sink) {
    // Azure's first chunk has neither an id nor a choice: the next one has.
    Value choices = root["choices"];
    if (!started_ && (!root["id"].string().empty()
                      || (choices.is_array() && choices.size() > 0))) {
        start(root, sink);
    }
    for (Value choice : choices.elements()) {
        read_choice(choice, sink);
        if (over_) {
            return;
        }
    }
    read_usage(root, sink);
}

void Reader::start(Value root, EventSink &sink) {
    started_ = true;
    id_ = root["id"].string();
    Event event;
    event.type = Type::start;
    event.id = id_;
    event.model = root["model"].string();
    event.created = read_created(root["created"]);
    sink.on_event(event);
}

Choice *Reader::find_choice(Value index) {
    std::int64_t wanted = index.integer().value_or(0);
    for (Choice &choice : choices_) {
        if (choice.index == wanted) {
            return &choice;
        }
    }
    if (wanted < 0 || choices_.size() == most_choices) {
        return nullptr;
    }
    choices_.emplace_back().index = wanted;
    return &choices_.back();
}

void Reader::read_choice(Value source, EventSink &sink) {
    Choice *choice = find_choice(source["index"]);
    if (!choice) {
        return;
    }

    read_delta(source["delta"], *choice, sink);
    if (over_) {
        return;
    }

    if (Value logprobs = source["logprobs"]; logprobs.is_object()) {
        Event event;
        event.type = Type::logprobs;
        event.choice = choice->index;
        event.value = logprobs;
        sink.on_event(event);
    }
    std::string_view finish = source["finish_reason"].string();
    if (!finish.empty()) {
        read_finish(finish, source, *choice, sink);
    }
}

void Reader::text(Type type, std::string_view text, const Choice &choice,
                  EventSink &sink) {
    if (text.empty()) {
        return;
    }
    answered_ = true;
    Event event;
    event.type = type;
    event.choice = choice.index;
    event.text = text;
    sink.on_event(event);
}

void Reader::read_delta(Value delta, Choice &choice, EventSink &sink) {
    // One pass over the members: most deltas have one or two.
    Value content;
    Value refusal;
    Value calls;
    Value function_call;
    bool reasoning = false;
    bool images = false;
    std::string_view signature;
    for (const json::Member &member : delta.members()) {
        if (member.name == "content") {
            content = member.value;
        } else if (member.name == "refusal") {
            refusal = member.value;
        } else if (member.name == "tool_calls") {
            calls = member.value;
        } else if (member.name == "function_call") {
            function_call = member.value;
        } else if (member.name.starts_with("reasoning")) {
            reasoning = true;
        } else if (member.name == "images") {
            images = true;
        } else if (member.name == "extra_content") {
            signature = google_signature(delta);
        }
    }

    if (reasoning) {
        for_each_reasoning(delta, [&](ReasoningPiece piece,
                                      std::string_view part) {
            Type type = piece == ReasoningPiece::text ? Type::reasoning
                        : piece == ReasoningPiece::signature
                            ? Type::reasoning_signature
                            : Type::redacted_reasoning;
            text(type, part, choice, sink);
        });
    }
    for_each_content(content, [&](PartType type, std::string_view part) {
        text(type == PartType::reasoning ? Type::reasoning
             : type == PartType::refusal ? Type::refusal
                                         : Type::text,
             part, choice, sink);
    });
    text(Type::refusal, refusal.string(), choice, sink);
    if (images) {
        for_each_image(delta, [&](std::string_view media_type,
                                  std::string_view data) {
            answered_ = true;
            Event event;
            event.type = Type::image;
            event.choice = choice.index;
            event.media_type = media_type;
            event.text = data;
            sink.on_event(event);
        });
    }
    if (!signature.empty()) {
        Event event;
        event.type = Type::text;
        event.choice = choice.index;
        event.signature = signature;
        sink.on_event(event);
    }

    bool first = true;
    for (Value call : calls.elements()) {
        read_call(call, first, choice, sink);
        first = false;
        if (over_) {
            return;
        }
    }
    if (function_call.is_object()) {
        read_function_call(function_call, choice, sink);
    }
}

// The call that a fragment belongs to; a new one where there is none, nullptr
// where there are too many.
//
// OpenAI: the index says it. Servers that follow it loosely leave the index
// out or null, send the same index for every call, repeat the id, or send an
// empty one; so a new id together with a name is a new call in any case.
Call *Reader::find_call(Value source, bool first, Choice &choice) {
    auto index = source["index"].integer();
    std::string_view id = source["id"].string();
    if (!is_id(id)) {
        id = {};
    }
    std::string_view name = source["function"]["name"].string();
    if (name.empty()) {
        name = source["custom"]["name"].string();
    }

    Call *found = nullptr;
    if (index) {
        for (auto call = choice.calls.rbegin(); call != choice.calls.rend();
             ++call) {
            if (call->index == index) {
                found = &*call;
                break;
            }
        }
        if (found && !id.empty() && !found->id.empty() && found->id != id
            && !name.empty()) {
            found = nullptr;
        }
    } else if (!id.empty()) {
        for (Call &call : choice.calls) {
            if (call.id == id) {
                found = &call;
            }
        }
    } else if (!choice.calls.empty()) {
        // Nothing but the name tells calls apart.
        Call &last = choice.calls.back();
        bool other = !name.empty()
                     && (!first || (last.begun && last.name != name));
        found = other ? nullptr : &last;
    }
    if (found) {
        return found;
    }

    if (choice.calls.size() == most_calls) {
        return nullptr;
    }
    Call &call = choice.calls.emplace_back();
    call.index = index;
    call.id = id;
    return &call;
}

void Reader::read_call(Value source, bool first, Choice &choice,
                       EventSink &sink) {
    Call *call = find_call(source, first, choice);
    if (!call) {
        fail(bad_stream("too many tool calls"), sink);
        return;
    }
    if (call->id.empty() && is_id(source["id"].string())) {
        call->id = source["id"].string();
    }
    if (auto signature = google_signature(source); !signature.empty()) {
        call->signature = signature;
    }
    if (source["custom"].is_object()) {
        call->custom = true;
        read_function(source["custom"], "input", *call, choice, sink);
    } else {
        read_function(source["function"], "arguments", *call, choice, sink);
    }
}

// The deprecated form: one call, without an id.
void Reader::read_function_call(Value source, Choice &choice,
                                EventSink &sink) {
    if (choice.calls.empty()) {
        choice.calls.emplace_back();
    }
    read_function(source, "arguments", choice.calls.front(), choice, sink);
}

void Reader::read_function(Value function, std::string_view arguments,
                           Call &call, Choice &choice, EventSink &sink) {
    answered_ = true;
    std::string_view fragment = text_of(function[arguments]);

    if (!call.begun) {
        call.name = function["name"].string();
        if (call.name.empty()) {
            if (fragment.size() > most_early - call.early.size()) {
                fail(bad_stream("a tool call without a name"), sink);
                return;
            }
            call.early.append(fragment);
            return;
        }
        call.begun = true;
        call.number = choice.begun++;
        if (call.id.empty()) {
            call.id = made_call_id(id_, call.number);
        }

        std::string name;
        Event event;
        event.type = Type::tool_call;
        event.choice = choice.index;
        event.call = call.number;
        event.id = call.id;
        event.name = plain_tool_name(call.name, name);
        event.signature = call.signature;
        event.custom = call.custom;
        sink.on_event(event);
    }

    auto emit = [&](std::string_view text) {
        if (text.empty()) {
            return;
        }
        Event event;
        event.type = Type::tool_arguments;
        event.choice = choice.index;
        event.call = call.number;
        event.text = text;
        sink.on_event(event);
    };
    emit(call.early);
    call.early.clear();
    emit(fragment);
}

void Reader::read_finish(std::string_view word, Value source, Choice &choice,
                         EventSink &sink) {
    FinishReason reason = finish_reason(word, choice.begun > 0);
    if (reason == FinishReason::error) {
        fail(incomplete_answer(), sink);
        return;
    }
    Event event;
    event.finish_reason = reason;
    event.native = word;
    event.stop_sequence = source["stop_reason"].string();
    finish(choice, event, sink);
}

void Reader::finish(Choice &choice, Event &event, EventSink &sink) {
    // Some servers repeat it in their last chunks.
    if (choice.finished) {
        return;
    }
    choice.finished = true;
    event.type = Type::finish;
    event.choice = choice.index;
    sink.on_event(event);
}

void Reader::read_usage(Value root, EventSink &sink) {
    Value source = find_usage(root);
    if (!source) {
        return;
    }
    Event event;
    event.type = Type::usage;
    event.usage = parse_usage(source);
    if (event.usage.known) {
        sink.on_event(event);
    }
}

// The terminator. Some servers never give a finish reason: this ends their
// answer all the same, provided that there is one.
void Reader::read_end(EventSink &sink) {
    for (Choice &choice : choices_) {
        if (answered_) {
            Event event;
            event.finish_reason = finish_reason("stop", choice.begun > 0);
            finish(choice, event, sink);
        }
    }
    end(sink);
}

void Reader::end(EventSink &sink) {
    if (over_) {
        return;
    }
    bool complete = !choices_.empty();
    for (const Choice &choice : choices_) {
        complete = complete && choice.finished;
    }
    if (complete) {
        done(sink);
        return;
    }
    fail({ErrorKind::bad_gateway,
          "the provider's stream ended before the answer was complete",
          {}, {}, 0, {}},
         sink);
}

void Reader::fail(const Error &error, EventSink &sink) {
    over_ = true;
    Event event;
    event.type = Type::error;
    event.error = &error;
    sink.on_event(event);
}

void Reader::done(EventSink &sink) {
    over_ = true;
    Event event;
    event.type = Type::done;
    sink.on_event(event);
}

Relay Reader::relay(const wire::Frame &frame, bool include_usage,
                    std::string &edited) {
    if (include_usage || !parsed_) {
        return Relay::as_is;
    }
    return hide_usage(frame, document_->root(), edited);
}

}  // namespace

Relay hide_usage(const wire::Frame &frame, Value root, std::string &edited) {
    Value usage = root["usage"];
    if (!usage) {
        return Relay::as_is;
    }
    Value choices = root["choices"];
    if (choices.is_array() && choices.size() == 0 && usage.is_object()) {
        return Relay::drop;
    }

    // In place, where the data are a part of the frame's bytes; else several
    // lines were joined, and each gets its name again.
    json::Edit edit = json::remove_member(frame.data, root, "usage");
    std::uintptr_t data = reinterpret_cast<std::uintptr_t>(frame.data.data());
    std::uintptr_t raw = reinterpret_cast<std::uintptr_t>(frame.raw.data());
    if (data >= raw && data < raw + frame.raw.size()) {
        edit.offset += data - raw;
        json::apply_edits(frame.raw, {&edit, 1}, edited);
        return Relay::edited;
    }

    std::string text;
    json::apply_edits(frame.data, {&edit, 1}, text);
    for (char &c : text) {
        // Between members; within a string it would have been refused.
        if (c == '\n' || c == '\r') {
            c = ' ';
        }
    }
    wire::append_sse(edited, frame.event, text);
    return Relay::edited;
}

std::unique_ptr<StreamReader> make_reader() {
    return std::make_unique<Reader>();
}

}  // namespace llm::openai
