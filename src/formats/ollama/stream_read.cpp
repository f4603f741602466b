#include <optional>

#include "formats/ollama/answer.hpp"
#include "formats/ollama/ollama.hpp"
#include "formats/ollama/tables.hpp"
#include "formats/tool_plan.hpp"
#include "text/rfc3339.hpp"

namespace llm::ollama {

namespace {

using chat::Event;
using chat::EventSink;
using chat::FinishReason;
using json::Value;
using Type = chat::Event::Type;

// What a provider can make one stream remember.
constexpr std::size_t most_calls = 1024;

Error bad_stream(std::string_view what) {
    return {ErrorKind::bad_gateway,
            "the provider's stream " + std::string(what), {}, {}, 0, {}};
}

class Reader final : public StreamReader {
public:
    explicit Reader(Api api) : api_(api) {}

    void read(const wire::Frame &frame, EventSink &sink) override;
    // Usage is in the last line, where every client expects it.
    Relay relay(const wire::Frame &, bool, std::string &) override {
        return Relay::as_is;
    }
    void end(EventSink &sink) override;

private:
    void start(Value root, EventSink &sink);
    void text(Type type, Value text, EventSink &sink);
    void read_call(Value call, Value root, EventSink &sink);
    void read_logprobs(Value root, EventSink &sink);
    void finish(Value root, EventSink &sink);
    void fail(const Error &error, EventSink &sink);

    Api api_;
    json::Document document_;
    bool started_ = false;
    bool over_ = false;
    std::size_t calls_ = 0;
};

void Reader::read(const wire::Frame &frame, EventSink &sink) {
    if (over_ || frame.data.empty()) {
        return;
    }
    if (!document_.parse_next(frame.data, {.duplicates = true})
        || !document_.root().is_object()) {
        fail(bad_stream("holds a line that is no JSON object"), sink);
        return;
    }

    Value root = document_.root();
    if (auto error = find_error(0, root)) {
        fail(*error, sink);
        return;
    }
    start(root, sink);
    Said what = said(api_, root);
    text(Type::reasoning, what.thinking, sink);
    text(Type::text, what.text, sink);
    for (Value call : what.calls.elements()) {
        read_call(call, root, sink);
        if (over_) {
            return;
        }
    }
    read_logprobs(root, sink);
    if (root["done"].boolean()) {
        finish(root, sink);
    }
}

void Reader::start(Value root, EventSink &sink) {
    if (started_) {
        return;
    }
    started_ = true;
    Event event;
    event.type = Type::start;
    event.model = root["model"].string();
    event.created = rfc3339::parse(root["created_at"].string()).value_or(0);
    sink.on_event(event);
}

void Reader::text(Type type, Value text, EventSink &sink) {
    if (!text.string().empty()) {
        Event event;
        event.type = type;
        event.text = text.string();
        sink.on_event(event);
    }
}

// A call comes as a whole.
void Reader::read_call(Value call, Value root, EventSink &sink) {
    std::string_view name = call["function"]["name"].string();
    if (name.empty() || calls_ == most_calls) {
        fail(bad_stream(name.empty() ? "holds a tool call without a name"
                                     : "holds too many tool calls"),
             sink);
        return;
    }
    std::string id = call_id(call, root, calls_);
    Event event;
    event.type = Type::tool_call;
    event.call = calls_++;
    event.id = id;
    event.custom = take_custom_prefix(name);
    event.name = name;
    sink.on_event(event);

    std::string_view arguments = arguments_of(call);
    if (event.custom) {
        arguments = custom_text(call["function"]["arguments"], arguments);
    }
    if (!arguments.empty()) {
        Event fragment;
        fragment.type = Type::tool_arguments;
        fragment.call = event.call;
        fragment.text = arguments;
        sink.on_event(fragment);
    }
}

void Reader::read_logprobs(Value root, EventSink &sink) {
    std::string text = logprobs_object(root);
    if (text.empty()) {
        return;
    }
    json::Document made;
    if (made.parse(text, {.depth = 129, .duplicates = true})) {
        Event event;
        event.type = Type::logprobs;
        event.value = made.root();
        sink.on_event(event);
    }
}

void Reader::finish(Value root, EventSink &sink) {
    over_ = true;
    Event event;
    event.type = Type::finish;
    event.native = root["done_reason"].string();
    event.finish_reason = finish_reason_of(event.native);
    if (calls_ > 0 && event.finish_reason == FinishReason::stop) {
        event.finish_reason = FinishReason::tool_calls;
    }
    sink.on_event(event);

    Event usage;
    usage.type = Type::usage;
    usage.usage = read_usage(root);
    if (usage.usage.known) {
        sink.on_event(usage);
    }
    Event done;
    done.type = Type::done;
    sink.on_event(done);
}

void Reader::end(EventSink &sink) {
    if (!over_) {
        fail(bad_stream("ended before the answer was complete"), sink);
    }
}

void Reader::fail(const Error &error, EventSink &sink) {
    over_ = true;
    Event event;
    event.type = Type::error;
    event.error = &error;
    sink.on_event(event);
}

}  // namespace

std::unique_ptr<StreamReader> make_reader(Api api) {
    return std::make_unique<Reader>(api);
}

}  // namespace llm::ollama
