#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/openai/answer.hpp"
#include "formats/openai/openai.hpp"
#include "formats/refrain.hpp"
#include "formats/responses/answer_write.hpp"
#include "formats/responses/item_text.hpp"
#include "formats/responses/responses.hpp"
#include "formats/responses/tables.hpp"
#include "formats/tool_name.hpp"

namespace llm::responses {

namespace {

using chat::Event;
using chat::EventSink;
using chat::FinishReason;
using json::Value;
using Type = chat::Event::Type;

// What a provider can make one stream remember.
constexpr std::size_t most_items = 4096;

// The tree of an event larger than this is not kept for the next one.
constexpr std::size_t large_event = std::size_t{32} << 10;

Error bad_stream(std::string_view what) {
    return {ErrorKind::bad_gateway,
            "the provider's stream " + std::string(what), {}, {}, 0, {}};
}

// An output item, as far as it is known. Events name it by its output_index,
// which counts all items.
struct Item {
    std::int64_t index = 0;
    bool texts = false;         // its text has come in deltas
    bool arguments = false;     // so have its arguments
    bool early = false;         // some came before the call has begun
    bool done = false;
    // The kind of thoughts that came first: the other one says the same.
    std::string thoughts;
    std::int64_t summary = 0;   // index of the summary's part
    std::optional<std::size_t> call;    // as we count
};

class Reader final : public StreamReader {
public:
    void read(const wire::Frame &frame, EventSink &sink) override;
    // Usage is a part of every stream's last event.
    Relay relay(const wire::Frame &frame, bool, std::string &) override {
        note_sequence(frame.data);
        return Relay::as_is;
    }
    // Clients count the events.
    bool break_off(const Error &error, std::string &out) override {
        append_error(error, sequence_ + 1, out);
        return true;
    }
    void end(EventSink &sink) override;

private:
    using Read = void (Reader::*)(Value, EventSink &);

    struct EventRow {
        std::string_view type;
        Read read;
    };
    static const EventRow event_rows[];

    bool parse(std::string_view data);
    void note_sequence(std::string_view data);
    void read_start(Value root, EventSink &sink);
    void read_item_added(Value root, EventSink &sink);
    void read_item_done(Value root, EventSink &sink);
    void read_text(Value root, EventSink &sink);
    void read_refusal(Value root, EventSink &sink);
    void read_thoughts(Value root, EventSink &sink);
    void read_arguments(Value root, EventSink &sink);
    void read_arguments_done(Value root, EventSink &sink);
    void read_completed(Value root, EventSink &sink);
    void read_failed(Value root, EventSink &sink);

    Item *item_of(Value root, EventSink &sink) {
        return item_at(root["output_index"].integer().value_or(0), sink);
    }
    Item *item_at(std::int64_t index, EventSink &sink);
    void start(Value response, EventSink &sink);
    void begin_call(Value source, Item &item, EventSink &sink);
    void add_arguments(Item &item, std::string_view text, EventSink &sink);
    void complete_item(Value source, Item &item, EventSink &sink);
    void add_image(Value source, EventSink &sink);
    void complete_reasoning(Value source, Item &item, EventSink &sink);
    void add_logprobs(Value tokens, EventSink &sink);
    void emit(Type type, std::string_view text, EventSink &sink);
    void fail(const Error &error, EventSink &sink);

    std::optional<json::Document> document_;
    Refrain refrain_;
    bool large_ = false;
    bool started_ = false;
    bool over_ = false;
    std::string id_;
    std::string_view type_;     // of the event that is read
    std::vector<Item> items_;
    std::size_t calls_ = 0;
    std::int64_t sequence_ = -1;    // of the last event that was relayed
    std::string call_signature_;    // the proof of the call that comes next
    json::Document logprobs_;
    std::string logprobs_text_;
};

// Types that are not here (of hosted tools, of new ones, and those that repeat
// what other events have said) say nothing to clients of other APIs.
const Reader::EventRow Reader::event_rows[] = {
    {"response.output_text.delta", &Reader::read_text},
    {"response.function_call_arguments.delta", &Reader::read_arguments},
    {"response.reasoning_summary_text.delta", &Reader::read_thoughts},
    {"response.reasoning_text.delta", &Reader::read_thoughts},
    {"response.refusal.delta", &Reader::read_refusal},
    {"response.custom_tool_call_input.delta", &Reader::read_arguments},
    {"response.output_item.added", &Reader::read_item_added},
    {"response.output_item.done", &Reader::read_item_done},
    {"response.function_call_arguments.done", &Reader::read_arguments_done},
    {"response.custom_tool_call_input.done", &Reader::read_arguments_done},
    {"response.created", &Reader::read_start},
    {"response.in_progress", &Reader::read_start},
    {"response.queued", &Reader::read_start},
    {"response.completed", &Reader::read_completed},
    {"response.incomplete", &Reader::read_completed},
    {"response.failed", &Reader::read_failed},
    {"response.cancelled", &Reader::read_failed},
    {"error", &Reader::read_failed},
};

bool Reader::parse(std::string_view data) {
    if (!document_ || large_) {
        document_.emplace();
        refrain_.forget();
    }
    large_ = data.size() > large_event;
    return static_cast<bool>(document_->parse_next(data, {.duplicates = true}));
}

// Every event has its number, which is all that is wanted of most: no string
// holds a quote that no backslash stands before.
void Reader::note_sequence(std::string_view data) {
    constexpr std::string_view name = "\"sequence_number\":";
    std::size_t at = data.find(name);
    while (at != data.npos && at > 0 && data[at - 1] == '\\') {
        at = data.find(name, at + 1);
    }
    if (at == data.npos) {
        return;
    }
    at += name.size();
    while (at < data.size() && data[at] == ' ') {
        ++at;
    }
    std::from_chars(data.data() + at, data.data() + data.size(), sequence_);
}

void Reader::read(const wire::Frame &frame, EventSink &sink) {
    // Gateways add chat completions' end marker.
    if (over_ || frame.data.empty() || frame.data.starts_with("[DONE]")) {
        return;
    }
    if (!parse(frame.data)) {
        fail(bad_stream("holds an event that is not JSON"), sink);
        return;
    }

    if (refrain_.repeat(*document_, sink)) {
        return;
    }

    Value root = document_->root();
    Value type = root["type"];
    type_ = type.string();
    if (type_.empty()) {
        type_ = frame.event;
    }
    for (const EventRow &row : event_rows) {
        if (row.type == type_) {
            Refrain::Ear ear(sink);
            (this->*row.read)(root, ear);
            refrain_.learn(*document_, ear, [&](Value text) {
                // Others say once what their item holds; nor does a type that
                // only the frame has tell documents apart.
                return type.string().ends_with(".delta")
                       && document_->varies_only(
                           {text, root["sequence_number"],
                            root["obfuscation"]});
            });
            return;
        }
    }
    // A plain error that a server in between sends.
    if (type_.empty()) {
        if (auto error = openai::find_error(0, root)) {
            fail(*error, sink);
        }
    }
}

void Reader::emit(Type type, std::string_view text, EventSink &sink) {
    if (text.empty()) {
        return;
    }
    Event event;
    event.type = type;
    event.text = text;
    sink.on_event(event);
}

void Reader::start(Value response, EventSink &sink) {
    if (started_) {
        return;
    }
    started_ = true;
    id_ = response["id"].string();
    Event event;
    event.type = Type::start;
    event.id = id_;
    event.model = response["model"].string();
    event.created = openai::read_created(response["created_at"]);
    sink.on_event(event);
}

void Reader::read_start(Value root, EventSink &sink) {
    start(root["response"], sink);
}

// The item that an event belongs to. Some servers leave out the event that
// begins it.
Item *Reader::item_at(std::int64_t index, EventSink &sink) {
    for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
        if (item->index == index) {
            return &*item;
        }
    }
    if (items_.size() == most_items) {
        fail(bad_stream("holds too many items"), sink);
        return nullptr;
    }
    start({}, sink);
    items_.emplace_back().index = index;
    return &items_.back();
}

void Reader::read_text(Value root, EventSink &sink) {
    if (Item *item = item_of(root, sink)) {
        item->texts = true;
        emit(Type::text, root["delta"].string(), sink);
        add_logprobs(root["logprobs"], sink);
    }
}

void Reader::read_refusal(Value root, EventSink &sink) {
    if (Item *item = item_of(root, sink)) {
        item->texts = true;
        emit(Type::refusal, root["delta"].string(), sink);
    }
}

// As chat completions have it.
void Reader::add_logprobs(Value tokens, EventSink &sink) {
    if (!tokens.is_array() || tokens.size() == 0) {
        return;
    }
    logprobs_text_.assign(R"({"content":)").append(tokens.raw()).append("}");
    if (!logprobs_.parse(logprobs_text_, {.duplicates = true})) {
        return;
    }
    Event event;
    event.type = Type::logprobs;
    event.value = logprobs_.root();
    sink.on_event(event);
}

void Reader::read_thoughts(Value root, EventSink &sink) {
    Item *item = item_of(root, sink);
    if (!item) {
        return;
    }
    if (item->thoughts.empty()) {
        item->thoughts = type_;
    } else if (item->thoughts != type_) {
        return;
    }
    std::int64_t part = root["summary_index"].integer().value_or(0);
    if (part != item->summary) {
        item->summary = part;
        if (item->texts) {
            emit(Type::reasoning, summary_gap, sink);
        }
    }
    item->texts = true;
    emit(Type::reasoning, root["delta"].string(), sink);
}

// Calls

void Reader::begin_call(Value source, Item &item, EventSink &sink) {
    if (item.call) {
        return;
    }
    item.call = calls_++;
    std::string made;
    std::string_view id = source["call_id"].string();
    if (!openai::is_id(id)) {
        made = openai::made_call_id(id_, *item.call);
        id = made;
    }
    Event event;
    event.type = Type::tool_call;
    event.call = *item.call;
    event.id = id;
    std::string name;
    event.name = plain_tool_name(source["name"].string(), name);
    event.custom = source["type"].string() == "custom_tool_call";
    event.signature = call_signature_;
    sink.on_event(event);
    call_signature_.clear();
}

void Reader::add_arguments(Item &item, std::string_view text,
                           EventSink &sink) {
    if (text.empty()) {
        return;
    }
    item.arguments = true;
    Event event;
    event.type = Type::tool_arguments;
    event.call = *item.call;
    event.text = text;
    sink.on_event(event);
}

void Reader::read_arguments(Value root, EventSink &sink) {
    Item *item = item_of(root, sink);
    if (!item || item->done) {
        return;
    }
    // The end of the item repeats what came before its begin.
    if (!item->call) {
        item->early = true;
        return;
    }
    add_arguments(*item, root["delta"].string(), sink);
}

void Reader::read_arguments_done(Value root, EventSink &sink) {
    Item *item = item_of(root, sink);
    if (!item || !item->call || item->arguments || item->done) {
        return;
    }
    std::string_view name = type_.starts_with("response.custom") ? "input"
                                                                 : "arguments";
    add_arguments(*item, openai::text_of(root[name]), sink);
}

// Items

void Reader::read_item_added(Value root, EventSink &sink) {
    Item *item = item_of(root, sink);
    Value source = root["item"];
    std::string_view type = source["type"].string();
    if (item && !source["name"].string().empty()
        && (type == "function_call" || type == "custom_tool_call")) {
        begin_call(source, *item, sink);
    }
}

void Reader::read_item_done(Value root, EventSink &sink) {
    if (Item *item = item_of(root, sink)) {
        complete_item(root["item"], *item, sink);
    }
}

// What the item holds and no event has said.
void Reader::complete_item(Value source, Item &item, EventSink &sink) {
    if (item.done) {
        return;
    }
    item.done = true;
    std::string_view type = source["type"].string();
    if (type == "function_call" || type == "custom_tool_call") {
        begin_call(source, item, sink);
        if (!item.arguments) {
            add_arguments(item,
                          openai::text_of(source[type == "function_call"
                                                     ? "arguments"
                                                     : "input"]),
                          sink);
        }
    } else if (type == "reasoning") {
        complete_reasoning(source, item, sink);
    } else if (type == "image_generation_call") {
        add_image(source, sink);
    } else if (type == "message" && !item.texts) {
        for (Value content : source["content"].elements()) {
            bool refusal = content["type"].string() == "refusal";
            emit(refusal ? Type::refusal : Type::text,
                 content[refusal ? "refusal" : "text"].string(), sink);
            add_logprobs(content["logprobs"], sink);
        }
    }
}

// Whole: its partial images are drafts of it.
void Reader::add_image(Value source, EventSink &sink) {
    ItemImage image = item_image(source);
    if (image.data.empty()) {
        return;
    }
    Event event;
    event.type = Type::image;
    event.text = image.data;
    event.media_type = image.media_type;
    sink.on_event(event);
}

void Reader::complete_reasoning(Value source, Item &item, EventSink &sink) {
    if (!item.texts) {
        emit(Type::reasoning, reasoning_text(source), sink);
    }
    ReasoningProof proof = reasoning_proof(source);
    switch (proof.proof) {
    case Proof::none:
        break;
    case Proof::signature:
        emit(Type::reasoning_signature, proof.data, sink);
        break;
    case Proof::redacted:
        emit(Type::redacted_reasoning, proof.data, sink);
        break;
    case Proof::call:
        call_signature_ = std::move(proof.data);
        break;
    }
}

// Ends

void Reader::read_completed(Value root, EventSink &sink) {
    Value response = root["response"];
    start(response, sink);

    // Some servers stream no items, others give none at the end.
    Value output = response["output"];
    std::int64_t index = 0;
    for (Value source : output.elements()) {
        Item *item = item_at(index++, sink);
        if (!item) {
            return;
        }
        complete_item(source, *item, sink);
    }

    for (const Item &item : items_) {
        if (item.early && !item.call) {
            fail(bad_stream("holds a tool call without a name"), sink);
            return;
        }
    }

    Event usage;
    usage.type = Type::usage;
    usage.usage = parse_usage(response["usage"]);
    if (usage.usage.known) {
        sink.on_event(usage);
    }

    Event finish;
    finish.type = Type::finish;
    std::string_view reason =
        response["incomplete_details"]["reason"].string();
    if (type_ == "response.incomplete" || !reason.empty()) {
        finish.native = reason;
        finish.finish_reason = finish_reason_of(reason);
    } else {
        finish.native = "completed";
        finish.finish_reason = calls_ > 0 ? FinishReason::tool_calls
                                          : FinishReason::stop;
    }
    sink.on_event(finish);

    over_ = true;
    Event done;
    done.type = Type::done;
    sink.on_event(done);
}

void Reader::read_failed(Value root, EventSink &sink) {
    Value response = root["response"];
    auto error = openai::find_error(0, response ? response : root);
    fail(error ? *error : openai::incomplete_answer(), sink);
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

}  // namespace llm::responses
