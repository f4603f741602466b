#include <optional>
#include <string>
#include <vector>

#include "formats/completions/completions.hpp"
#include "formats/openai/answer.hpp"
#include "formats/openai/openai.hpp"
#include "formats/refrain.hpp"

namespace llm::completions {

namespace {

using chat::Event;
using chat::EventSink;
using chat::FinishReason;
using json::Value;
using Type = chat::Event::Type;

// OpenAI's n goes up to 128.
constexpr std::size_t most_choices = 128;

// The tree of a chunk larger than this is not kept for the next one.
constexpr std::size_t large_chunk = std::size_t{32} << 10;

struct Choice {
    std::int64_t index = 0;
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
    void read_end(EventSink &sink);
    void start(Value root, EventSink &sink);
    void finish(Choice &choice, Event &event, EventSink &sink);
    void fail(const Error &error, EventSink &sink);

    std::optional<json::Document> document_;
    Refrain refrain_;
    bool large_ = false;
    bool parsed_ = false;       // document_ is the last frame's
    bool started_ = false;
    bool answered_ = false;     // there was some text
    bool over_ = false;
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
    if (frame.data.starts_with("[DONE]")) {
        read_end(sink);
        return;
    }
    if (!parse(frame.data)) {
        fail({ErrorKind::bad_gateway,
              "the provider's stream holds an event that is not JSON", {}, {},
              0, {}},
             sink);
        return;
    }
    if (refrain_.repeat(*document_, sink)) {
        return;
    }

    Value root = document_->root();
    if (auto error = openai::find_error(0, root)) {
        fail(*error, sink);
        return;
    }
    Refrain::Ear ear(sink);
    read_chunk(root, ear);
    refrain_.learn(*document_, ear, [&](Value text) {
        return document_->varies_only({text, root["obfuscation"]});
    });
}

void Reader::start(Value root, EventSink &sink) {
    started_ = true;
    Event event;
    event.type = Type::start;
    event.id = root["id"].string();
    event.model = root["model"].string();
    event.created = openai::read_created(root["created"]);
    sink.on_event(event);
}

void Reader::read_chunk(Value root, EventSink &sink) {
    Value choices = root["choices"];
    if (!started_ && choices.is_array() && choices.size() > 0) {
        start(root, sink);
    }
    for (Value choice : choices.elements()) {
        read_choice(choice, sink);
        if (over_) {
            return;
        }
    }

    Value source = openai::find_usage(root);
    if (!source) {
        return;
    }
    Event usage;
    usage.type = Type::usage;
    usage.usage = openai::parse_usage(source);
    if (usage.usage.known) {
        sink.on_event(usage);
    }
}

void Reader::read_choice(Value source, EventSink &sink) {
    std::int64_t index = source["index"].integer().value_or(0);
    Choice *choice = nullptr;
    for (Choice &known : choices_) {
        choice = known.index == index ? &known : choice;
    }
    if (!choice) {
        if (index < 0 || choices_.size() == most_choices) {
            return;
        }
        choice = &choices_.emplace_back();
        choice->index = index;
    }

    if (auto text = source["text"].string(); !text.empty()) {
        answered_ = true;
        Event event;
        event.type = Type::text;
        event.choice = index;
        event.text = text;
        sink.on_event(event);
    }

    std::string_view word = source["finish_reason"].string();
    if (word.empty()) {
        return;
    }
    FinishReason reason = openai::finish_reason(word, false);
    if (reason == FinishReason::error) {
        fail(openai::incomplete_answer(), sink);
        return;
    }
    Event event;
    event.finish_reason = reason;
    event.native = word;
    event.stop_sequence = source["stop_reason"].string();
    finish(*choice, event, sink);
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

// The terminator. Some servers never give a finish reason: this ends their
// answer all the same, provided that there is one.
void Reader::read_end(EventSink &sink) {
    for (Choice &choice : choices_) {
        if (answered_) {
            Event event;
            event.finish_reason = FinishReason::stop;
            event.native = "stop";
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
    if (!complete) {
        fail({ErrorKind::bad_gateway,
              "the provider's stream ended before the answer was complete",
              {}, {}, 0, {}},
             sink);
        return;
    }
    over_ = true;
    Event event;
    event.type = Type::done;
    sink.on_event(event);
}

void Reader::fail(const Error &error, EventSink &sink) {
    over_ = true;
    Event event;
    event.type = Type::error;
    event.error = &error;
    sink.on_event(event);
}

Relay Reader::relay(const wire::Frame &frame, bool include_usage,
                    std::string &edited) {
    if (include_usage || !parsed_) {
        return Relay::as_is;
    }
    return openai::hide_usage(frame, document_->root(), edited);
}

}  // namespace

std::unique_ptr<StreamReader> make_reader() {
    return std::make_unique<Reader>();
}

}  // namespace llm::completions
