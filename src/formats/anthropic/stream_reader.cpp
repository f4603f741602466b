// Streamed answers of a provider -> events.
// Source: Anthropic API docs, Streaming Messages.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/tables.hpp"
#include "formats/bedrock/bedrock.hpp"
#include "formats/bedrock/chunk_framer.hpp"
#include "formats/call_input.hpp"
#include "formats/tool_name.hpp"

namespace llm::anthropic {

namespace {

using chat::Event;
using chat::EventSink;
using chat::FinishReason;

class Reader final : public StreamReader {
public:
    void read(const wire::Frame &frame, EventSink &sink) override {
        type_ = {};
        if (ended_) {
            return;
        }
        if (frame.failure) {
            fail(bedrock::read_exception(frame.event, frame.data), sink);
            type_ = "error";
            return;
        }
        if (frame.data.empty() || frame.data.starts_with("[DONE]")) {
            return;
        }

        json::ParseLimits limits;
        limits.duplicates = true;
        if (auto parsed = document_.parse_next(frame.data, limits); !parsed) {
            fail("the provider sent an event that is no JSON", sink);
            return;
        }

        json::Value root = document_.root();
        type_ = root["type"].string();
        for (const Row &row : rows) {
            if (row.type == type_) {
                (this->*row.read)(root, sink);
                return;
            }
        }
        // New event types may come and mean nothing to us; an error in the
        // shape of a proxy in between means something.
        if (!root["error"].is_null()) {
            read_error_event(root, sink);
        }
    }

    // Usage is a part of every stream of this API. What Bedrock has wrapped
    // becomes the event that it was.
    Relay relay(const wire::Frame &frame, bool, std::string &edited) override {
        bool chunk = frame.event == bedrock::chunk_event;
        if (!chunk && !frame.failure) {
            return Relay::as_is;
        }
        if (type_.empty()) {
            return Relay::edited;       // nothing is left of it
        }
        std::string data(frame.data);
        if (frame.failure) {
            data.clear();
            write_error(bedrock::read_exception(frame.event, frame.data),
                        data);
        }
        // In JSON a line end is white space, here it would be an end.
        std::replace(data.begin(), data.end(), '\n', ' ');
        std::replace(data.begin(), data.end(), '\r', ' ');
        wire::append_sse(edited, is_word(type_) ? type_ : "", data);
        return Relay::edited;
    }

    void end(EventSink &sink) override {
        if (ended_) {
            return;
        }
        if (reason_ != FinishReason::none) {
            finish(sink);
        } else {
            fail("the provider's stream ended before the answer was complete",
                 sink);
        }
    }

private:
    using RowReader = void (Reader::*)(json::Value, EventSink &);

    struct Row {
        std::string_view type;
        RowReader read;
    };

    static const Row rows[8];

    // A block of tool use that is open; others need no memory.
    struct Block {
        std::int64_t index;
        CallInput input;
    };

    // What can stand in the line of an event's name.
    static bool is_word(std::string_view text) noexcept {
        return std::all_of(text.begin(), text.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || c == '_';
        });
    }

    void read_start(json::Value root, EventSink &sink) {
        json::Value message = root["message"];
        // Before `start`: a writer whose format names the prompt's tokens
        // first can name the true count.
        read_usage(message["usage"], sink);
        Event event;
        event.type = Event::Type::start;
        event.id = message["id"].string();
        event.model = message["model"].string();
        sink.on_event(event);
    }

    void read_usage(json::Value usage, EventSink &sink) {
        if (!usage.is_object()) {
            return;
        }
        counts_.update(usage);
        Event event;
        event.type = Event::Type::usage;
        event.usage = counts_.usage();
        sink.on_event(event);
    }

    void read_block_start(json::Value root, EventSink &sink) {
        json::Value block = root["content_block"];
        std::string_view type = block["type"].string();
        if (type == "tool_use") {
            start_tool(root["index"].integer().value_or(-1), block, sink);
        } else if (type == "text") {
            emit(Event::Type::text, block["text"].string(), sink);
        } else if (type == "thinking") {
            emit(Event::Type::reasoning, block["thinking"].string(), sink);
            emit(Event::Type::reasoning_signature,
                 block["signature"].string(), sink);
        } else if (type == "redacted_thinking") {
            emit(Event::Type::redacted_reasoning, block["data"].string(),
                 sink);
        }
        // Other blocks are of tools that the provider runs itself: no calls.
    }

    void start_tool(std::int64_t index, json::Value value, EventSink &sink) {
        std::string_view name = value["name"].string();
        auto kind = CallInput::Kind::call;
        std::size_t call = calls_;
        if (name == answer_tool) {
            kind = CallInput::Kind::answer;
            has_text_ = true;
        } else {
            Event event;
            event.type = Event::Type::tool_call;
            ToolName decoded = decode_tool_name(name);
            if (decoded.custom) {
                kind = CallInput::Kind::custom_call;
                event.custom = true;
            }
            event.call = calls_++;
            event.id = value["id"].string();
            event.name = decoded.name;
            sink.on_event(event);
        }

        open_.push_back({index, CallInput(kind, call)});
        // Some servers send the whole input here.
        json::Value input = value["input"];
        if (input.is_object() && input.size() != 0) {
            open_.back().input.add(input.raw(), sink);
        }
    }

    void read_block_delta(json::Value root, EventSink &sink) {
        json::Value delta = root["delta"];
        std::string_view type = delta["type"].string();
        if (type == "text_delta") {
            emit(Event::Type::text, delta["text"].string(), sink);
        } else if (type == "input_json_delta") {
            auto block = find(root["index"]);
            if (block != open_.end()) {
                block->input.add(delta["partial_json"].string(), sink);
            }
        } else if (type == "thinking_delta") {
            emit(Event::Type::reasoning, delta["thinking"].string(), sink);
        } else if (type == "signature_delta") {
            emit(Event::Type::reasoning_signature,
                 delta["signature"].string(), sink);
        }
    }

    void read_block_stop(json::Value root, EventSink &sink) {
        auto block = find(root["index"]);
        if (block != open_.end()) {
            block->input.end(sink);
            open_.erase(block);
        }
    }

    void read_message_delta(json::Value root, EventSink &sink) {
        // Several may come; what one leaves out, it does not change.
        json::Value delta = root["delta"];
        if (delta["stop_reason"].is_string()) {
            native_ = delta["stop_reason"].string();
            reason_ = finish_reason(native_);
        }
        if (delta["stop_sequence"].is_string()) {
            stop_sequence_ = delta["stop_sequence"].string();
        }
        if (delta["stop_details"]["explanation"].is_string()) {
            explanation_ = delta["stop_details"]["explanation"].string();
        }
        read_usage(root["usage"], sink);
    }

    void read_stop(json::Value, EventSink &sink) {
        // The answer is complete even where a server forgot to say why.
        if (reason_ == FinishReason::none) {
            reason_ = calls_ == 0 ? FinishReason::stop
                                  : FinishReason::tool_calls;
        }
        finish(sink);
    }

    void read_ping(json::Value, EventSink &sink) {
        sink.on_event(Event{});
    }

    void read_error_event(json::Value root, EventSink &sink) {
        type_ = "error";
        Error error = read_error(root["error"], 0);
        fail(error, sink);
    }

    std::vector<Block>::iterator find(json::Value index) {
        std::int64_t wanted = index.integer().value_or(-1);
        return std::find_if(
            open_.begin(), open_.end(),
            [wanted](const Block &block) { return block.index == wanted; });
    }

    void emit(Event::Type type, std::string_view text, EventSink &sink) {
        if (text.empty()) {
            return;
        }
        has_text_ |= type == Event::Type::text;
        Event event;
        event.type = type;
        event.text = text;
        sink.on_event(event);
    }

    void finish(EventSink &sink) {
        for (Block &block : open_) {
            block.input.end(sink);
        }
        if (reason_ == FinishReason::content_filter && !has_text_) {
            emit(Event::Type::refusal, explanation_, sink);
        }

        Event event;
        event.type = Event::Type::finish;
        // A call of the tool that takes the answer is none.
        event.finish_reason =
            reason_ == FinishReason::tool_calls && calls_ == 0
                ? FinishReason::stop
                : reason_;
        event.native = native_;
        event.stop_sequence = stop_sequence_;
        sink.on_event(event);

        ended_ = true;
        Event done;
        done.type = Event::Type::done;
        sink.on_event(done);
    }

    void fail(std::string_view message, EventSink &sink) {
        Error error;
        error.kind = ErrorKind::bad_gateway;
        error.message = message;
        fail(error, sink);
    }

    void fail(const Error &error, EventSink &sink) {
        ended_ = true;
        Event event;
        event.type = Event::Type::error;
        event.error = &error;
        sink.on_event(event);
    }

    json::Document document_;       // of the frame; its memory is reused
    std::string_view type_;         // of the frame; empty: it says nothing
    std::vector<Block> open_;
    UsageCounts counts_;
    std::size_t calls_ = 0;
    bool has_text_ = false;
    bool ended_ = false;
    FinishReason reason_ = FinishReason::none;
    std::string native_;
    std::string stop_sequence_;
    std::string explanation_;
};

const Reader::Row Reader::rows[8] = {
    {"content_block_delta", &Reader::read_block_delta},
    {"content_block_start", &Reader::read_block_start},
    {"content_block_stop", &Reader::read_block_stop},
    {"message_start", &Reader::read_start},
    {"message_delta", &Reader::read_message_delta},
    {"message_stop", &Reader::read_stop},
    {"ping", &Reader::read_ping},
    {"error", &Reader::read_error_event},
};

}  // namespace

std::unique_ptr<StreamReader> make_reader() {
    return std::make_unique<Reader>();
}

}  // namespace llm::anthropic
