#include <optional>
#include <vector>

#include "formats/cohere/cohere.hpp"
#include "formats/cohere/tables.hpp"
#include "formats/openai/answer.hpp"
#include "formats/tool_plan.hpp"

namespace llm::cohere {

namespace {

using chat::Event;
using chat::EventSink;
using chat::FinishReason;
using json::Value;
using Type = chat::Event::Type;

// What a provider can make one stream remember: calls, and bytes of the inputs
// of custom tools.
constexpr std::size_t most_calls = 1024;
constexpr std::size_t most_held = std::size_t{16} << 20;

Error bad_stream(std::string_view what) {
    return {ErrorKind::bad_gateway,
            "the provider's stream " + std::string(what), {}, {}, 0, {}};
}

class Reader final : public StreamReader {
public:
    void read(const wire::Frame &frame, EventSink &sink) override;
    // Usage is in the last event, where every client expects it.
    Relay relay(const wire::Frame &, bool, std::string &) override {
        return Relay::as_is;
    }
    void end(EventSink &sink) override;

private:
    using Read = void (Reader::*)(Value, EventSink &);

    struct Call {
        std::int64_t index;     // which counts as the provider likes
        bool custom;
        std::string held;       // custom: arguments, unwrapped when whole
    };

    // An event's "type" and what reads it; all others are passed over, as are
    // those that end a part, and citations, which other APIs have not.
    struct Row {
        std::string_view type;
        Read read;
    };
    static const Row rows[];

    void read_start(Value root, EventSink &sink);
    void read_content(Value root, EventSink &sink);
    void read_plan(Value root, EventSink &sink);
    void read_call_start(Value root, EventSink &sink);
    void read_call_delta(Value root, EventSink &sink);
    void read_message_end(Value root, EventSink &sink);

    void start(std::string_view id, EventSink &sink);
    void text(Type type, Value text, EventSink &sink);
    void add_arguments(std::size_t call, std::string_view text,
                       EventSink &sink);
    void arguments(std::size_t call, std::string_view text, EventSink &sink);
    void end_calls(EventSink &sink);
    void fail(const Error &error, EventSink &sink);

    json::Document document_;
    bool started_ = false;
    bool over_ = false;
    std::string id_;
    std::vector<Call> calls_;
    std::size_t held_ = 0;
};

const Reader::Row Reader::rows[] = {
    {"message-start", &Reader::read_start},
    {"content-start", &Reader::read_content},
    {"content-delta", &Reader::read_content},
    {"tool-plan-delta", &Reader::read_plan},
    {"tool-call-start", &Reader::read_call_start},
    {"tool-call-delta", &Reader::read_call_delta},
    {"message-end", &Reader::read_message_end},
};

void Reader::read(const wire::Frame &frame, EventSink &sink) {
    if (over_ || frame.data.empty()) {
        return;
    }
    if (frame.data.starts_with("[DONE]")) {
        end(sink);
        return;
    }
    if (!document_.parse_next(frame.data, {.duplicates = true})) {
        fail(bad_stream("holds an event that is not JSON"), sink);
        return;
    }
    Value root = document_.root();
    std::string_view type = root["type"].string();
    if (type.empty()) {
        type = frame.event;
    }
    for (const Row &row : rows) {
        if (row.type == type) {
            (this->*row.read)(root, sink);
            return;
        }
    }
    if (auto error = find_error(0, root)) {
        fail(*error, sink);
    } else if (type == "error") {
        fail({ErrorKind::server, "the provider reported an error", {}, {}, 0,
              {}},
             sink);
    }
}

void Reader::start(std::string_view id, EventSink &sink) {
    if (started_) {
        return;
    }
    started_ = true;
    id_ = id;
    Event event;
    event.type = Type::start;
    event.id = id_;
    sink.on_event(event);
}

void Reader::read_start(Value root, EventSink &sink) {
    start(root["id"].string(), sink);
}

void Reader::text(Type type, Value text, EventSink &sink) {
    start({}, sink);
    if (!text.string().empty()) {
        Event event;
        event.type = type;
        event.text = text.string();
        sink.on_event(event);
    }
}

// The start of a part may hold its first words.
void Reader::read_content(Value root, EventSink &sink) {
    Value content = root["delta"]["message"]["content"];
    text(Type::reasoning, content["thinking"], sink);
    text(Type::text, content["text"], sink);
}

void Reader::read_plan(Value root, EventSink &sink) {
    text(Type::text, root["delta"]["message"]["tool_plan"], sink);
}

void Reader::read_call_start(Value root, EventSink &sink) {
    start({}, sink);
    Value call = root["delta"]["message"]["tool_calls"];
    std::string_view name = call["function"]["name"].string();
    if (name.empty() || calls_.size() == most_calls) {
        fail(bad_stream(name.empty() ? "holds a tool call without a name"
                                     : "holds too many tool calls"),
             sink);
        return;
    }
    Event event;
    event.type = Type::tool_call;
    event.call = calls_.size();
    event.custom = take_custom_prefix(name);
    calls_.push_back({root["index"].integer().value_or(
                          static_cast<std::int64_t>(event.call)),
                      event.custom,
                      {}});
    std::string id(call["id"].string());
    if (id.empty()) {
        id = openai::made_call_id(id_, event.call);
    }
    event.id = id;
    event.name = name;
    sink.on_event(event);
    add_arguments(event.call, openai::text_of(call["function"]["arguments"]),
                  sink);
}

void Reader::read_call_delta(Value root, EventSink &sink) {
    // The last call with this index; without one, the last call.
    auto index = root["index"].integer();
    std::size_t call = calls_.size();
    for (std::size_t i = 0; i < calls_.size(); ++i) {
        if (!index || calls_[i].index == *index) {
            call = i;
        }
    }
    if (call == calls_.size()) {
        fail(bad_stream("holds arguments of a tool call that has not begun"),
             sink);
        return;
    }
    Value source = root["delta"]["message"]["tool_calls"];
    add_arguments(call, openai::text_of(source["function"]["arguments"]),
                  sink);
}

void Reader::add_arguments(std::size_t call, std::string_view text,
                           EventSink &sink) {
    if (!calls_[call].custom) {
        arguments(call, text, sink);
        return;
    }
    if (text.size() > most_held - held_) {
        fail(bad_stream("holds tool calls that are too long"), sink);
        return;
    }
    held_ += text.size();
    calls_[call].held.append(text);
}

// All arguments are there.
void Reader::end_calls(EventSink &sink) {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
        const Call &call = calls_[i];
        json::Document document;
        bool parsed = call.custom
                      && document.parse(call.held, {.duplicates = true});
        arguments(i,
                  parsed ? custom_text(document.root(), call.held)
                         : std::string_view(call.held),
                  sink);
    }
}

void Reader::arguments(std::size_t call, std::string_view text,
                       EventSink &sink) {
    if (!text.empty()) {
        Event event;
        event.type = Type::tool_arguments;
        event.call = call;
        event.text = text;
        sink.on_event(event);
    }
}

void Reader::read_message_end(Value root, EventSink &sink) {
    Value delta = root["delta"];
    std::string_view word = delta["finish_reason"].string();
    FinishReason reason = finish_reason_of(word);
    std::string_view message = delta["error"].string();
    if (reason == FinishReason::error || !message.empty()) {
        Error error = incomplete_answer(word);
        if (!message.empty()) {
            error.message = message;
        }
        fail(error, sink);
        return;
    }
    if (reason == FinishReason::none
        || (reason == FinishReason::stop && !calls_.empty())) {
        reason = calls_.empty() ? FinishReason::stop : FinishReason::tool_calls;
    }

    start(root["id"].string(), sink);
    end_calls(sink);
    over_ = true;
    Event event;
    event.type = Type::finish;
    event.finish_reason = reason;
    event.native = word;
    sink.on_event(event);

    Event usage;
    usage.type = Type::usage;
    usage.usage = read_usage(delta["usage"]);
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

std::unique_ptr<StreamReader> make_reader() {
    return std::make_unique<Reader>();
}

}  // namespace llm::cohere
