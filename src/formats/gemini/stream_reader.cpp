// Streamed answers of a provider -> events. Each event of the stream is an
// answer by itself, with the parts that are new.
// Source: Gemini API reference, streamGenerateContent.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gemini/answer.hpp"
#include "formats/gemini/gemini.hpp"
#include "formats/gemini/tables.hpp"
#include "formats/refrain.hpp"

namespace llm::gemini {

namespace {

using chat::Event;
using chat::EventSink;
using chat::FinishReason;
using json::Value;
using Type = chat::Event::Type;

// What a provider can make one stream remember.
constexpr std::size_t most_candidates = 128;

struct Candidate {
    std::int64_t index = 0;
    std::size_t calls = 0;
    bool answered = false;      // there was some text, media or call
    bool finished = false;
};

Error bad_gateway(std::string_view message) {
    Error error;
    error.kind = ErrorKind::bad_gateway;
    error.message = message;
    return error;
}

class Reader final : public StreamReader {
public:
    void read(const wire::Frame &frame, EventSink &sink) override {
        if (over_ || frame.data.empty()
            || frame.data.starts_with("[DONE]")) {
            return;
        }
        if (!document_.parse_next(frame.data, {.duplicates = true})) {
            fail(bad_gateway("the provider sent an event that is no JSON"),
                 sink);
            return;
        }
        // Usage comes with each, after the text.
        if (refrain_.repeat(document_, sink)) {
            read_usage(document_.root()["usageMetadata"], sink);
            return;
        }

        // An error is an array of one where an array was asked for.
        Value root = document_.root();
        if (root.is_array() && root.size() != 0) {
            root = *root.elements().begin();
        }
        if (Value error = root["error"]; !error.is_null()) {
            fail(read_error(error, 0), sink);
            return;
        }
        Value usage = root["usageMetadata"];
        Refrain::Ear ear(sink);
        read_chunk(root, ear);
        refrain_.learn(document_, ear, [&](Value text) {
            return document_.root().is_object()
                   && document_.varies_only(
                       {text, usage["promptTokenCount"],
                        usage["candidatesTokenCount"],
                        usage["thoughtsTokenCount"],
                        usage["totalTokenCount"]});
        });
        if (!over_) {
            read_usage(usage, sink);
        }
    }

    // Usage is a part of every stream of this API.
    Relay relay(const wire::Frame &, bool, std::string &) override {
        return Relay::as_is;
    }

    // The API has no event for the end.
    void end(EventSink &sink) override {
        if (over_) {
            return;
        }
        bool complete = !candidates_.empty()
                        && std::all_of(candidates_.begin(), candidates_.end(),
                                       [](const Candidate &candidate) {
                                           return candidate.finished;
                                       });
        if (!complete) {
            fail(bad_gateway("the provider's stream ended before the answer "
                             "was complete"),
                 sink);
            return;
        }
        over_ = true;
        Event event;
        event.type = Type::done;
        sink.on_event(event);
    }

private:
    void read_chunk(Value root, EventSink &sink) {
        Value candidates = root["candidates"];
        std::string_view blocked = block_reason(root);
        if (!started_ && (candidates.size() != 0 || !blocked.empty()
                          || root["responseId"].is_string())) {
            start(root, sink);
        }
        if (!blocked.empty()) {
            block(blocked, root["promptFeedback"], sink);
        }
        std::int64_t position = 0;
        for (Value candidate : candidates.elements()) {
            read_candidate(candidate, position++, sink);
            if (over_) {
                return;
            }
        }
    }

    // Cumulative: the last one counts.
    void read_usage(Value source, EventSink &sink) {
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

    void start(Value root, EventSink &sink) {
        started_ = true;
        id_ = root["responseId"].string();
        Event event;
        event.type = Type::start;
        event.id = id_;
        event.model = root["modelVersion"].string();
        event.created = read_time(root["createTime"].string());
        sink.on_event(event);
    }

    Candidate *find(std::int64_t index) {
        for (Candidate &candidate : candidates_) {
            if (candidate.index == index) {
                return &candidate;
            }
        }
        if (index < 0 || candidates_.size() == most_candidates) {
            return nullptr;
        }
        candidates_.emplace_back().index = index;
        return &candidates_.back();
    }

    void block(std::string_view reason, Value feedback, EventSink &sink) {
        Candidate *candidate = find(0);
        if (candidate == nullptr || candidate->finished) {
            return;
        }
        Event event;
        event.type = Type::refusal;
        event.text = feedback["blockReasonMessage"].string();
        if (!event.text.empty()) {
            sink.on_event(event);
        }
        finish(*candidate, FinishReason::content_filter, reason, sink);
    }

    void read_candidate(Value source, std::int64_t position,
                        EventSink &sink) {
        Candidate *candidate =
            find(source["index"].integer().value_or(position));
        if (candidate == nullptr || candidate->finished) {
            return;
        }
        for (Value part : source["content"]["parts"].elements()) {
            read_part(part, *candidate, sink);
        }
        if (Value result = source["logprobsResult"]; result.is_object()) {
            read_logprobs(result, *candidate, sink);
        }

        std::string_view word = source["finishReason"].string();
        FinishReason reason = finish_reason(word);
        if (reason == FinishReason::none) {
            return;
        }
        if (reason == FinishReason::error && !candidate->answered) {
            fail(failed_answer(word, source["finishMessage"].string()), sink);
            return;
        }
        finish(*candidate, reason, word, sink);
    }

    void read_part(Value source, Candidate &candidate, EventSink &sink) {
        Event event;
        event.choice = candidate.index;
        event.signature = source["thoughtSignature"].string();

        if (Value call = source["functionCall"]; call.is_object()) {
            read_call(call, candidate, event, sink);
        } else if (source["text"].is_string()) {
            event.type = Type::text;
            event.text = source["text"].string();
            if (source["thought"].boolean()) {
                event.type = Type::reasoning;
                event.signature = {};
            }
            // The last chunk often has no more than the proof of the text.
            if (event.text.empty() && event.signature.empty()) {
                return;
            }
            candidate.answered |= event.type == Type::text;
            sink.on_event(event);
        } else if (Value data = source["inlineData"]; data.is_object()) {
            event.type = Type::image;
            event.media_type = data["mimeType"].string();
            event.text = data["data"].string();
            event.signature = {};
            if (event.media_type.starts_with("image/")
                && !event.text.empty()) {
                candidate.answered = true;
                sink.on_event(event);
            }
        }
        // Other parts are of tools that Google itself runs.
    }

    // A call comes whole. One that comes in pieces (a wish that only this
    // API's own clients can have) goes on without a name.
    void read_call(Value call, Candidate &candidate, Event &event,
                   EventSink &sink) {
        event.name = plain_name(call["name"].string(), event.custom);
        if (event.name.empty()) {
            return;
        }
        candidate.answered = true;
        event.type = Type::tool_call;
        event.call = candidate.calls++;
        std::string made;
        event.id = call["id"].string();
        if (event.id.empty()) {
            made = made_call_id(id_, call, event.call);
            event.id = made;
        }
        sink.on_event(event);

        Value args = call["args"];
        Event arguments;
        arguments.type = Type::tool_arguments;
        arguments.choice = candidate.index;
        arguments.call = event.call;
        arguments.text = args.is_object() ? args.raw() : "{}";
        if (event.custom && args[custom_input].is_string()) {
            arguments.text = args[custom_input].string();
        }
        if (!arguments.text.empty()) {
            sink.on_event(arguments);
        }
    }

    void read_logprobs(Value result, const Candidate &candidate,
                       EventSink &sink) {
        std::string text;
        json::Writer writer(text);
        write_openai_logprobs(writer, result);
        json::Document document;
        if (!document.parse(text)) {
            return;
        }
        Event event;
        event.type = Type::logprobs;
        event.choice = candidate.index;
        event.value = document.root();
        sink.on_event(event);
    }

    void finish(Candidate &candidate, FinishReason reason,
                std::string_view native, EventSink &sink) {
        candidate.finished = true;
        if (reason == FinishReason::error) {
            reason = FinishReason::stop;
        }
        // The word may come long after the call.
        if (reason == FinishReason::stop && candidate.calls != 0) {
            reason = FinishReason::tool_calls;
        }
        Event event;
        event.type = Type::finish;
        event.choice = candidate.index;
        event.finish_reason = reason;
        event.native = native;
        sink.on_event(event);
    }

    void fail(const Error &error, EventSink &sink) {
        over_ = true;
        Event event;
        event.type = Type::error;
        event.error = &error;
        sink.on_event(event);
    }

    json::Document document_;       // of the frame; its memory is reused
    Refrain refrain_;
    std::string id_;
    std::vector<Candidate> candidates_;
    bool started_ = false;
    bool over_ = false;
};

}  // namespace

std::unique_ptr<StreamReader> make_reader() {
    return std::make_unique<Reader>();
}

}  // namespace llm::gemini
