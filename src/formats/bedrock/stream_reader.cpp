// Streamed answers of a provider -> events.
// Source: the service model of bedrock-runtime, ConverseStreamOutput; Bedrock
// API reference, ConverseStream (usage comes after messageStop).
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/anthropic/tables.hpp"
#include "formats/bedrock/bedrock.hpp"
#include "formats/bedrock/tables.hpp"
#include "formats/call_input.hpp"
#include "formats/tool_name.hpp"

namespace llm::bedrock {

namespace {

using chat::Event;
using chat::EventSink;
using chat::FinishReason;

class Reader final : public StreamReader {
public:
    void read(const wire::Frame &frame, EventSink &sink) override {
        if (ended_) {
            return;
        }
        if (frame.failure) {
            fail(read_exception(frame.event, frame.data), sink);
            return;
        }
        auto row = std::find_if(
            std::begin(rows), std::end(rows),
            [&](const Row &row) { return row.type == frame.event; });
        if (row == std::end(rows)) {
            return;     // new ones may come and mean nothing to us
        }
        json::ParseLimits limits;
        limits.duplicates = true;
        if (!document_.parse_next(frame.data, limits)
            || !document_.root().is_object()) {
            fail("the provider sent an event that is no JSON object", sink);
            return;
        }
        (this->*row->read)(document_.root(), sink);
    }

    // Usage is a part of every stream of this API.
    Relay relay(const wire::Frame &, bool, std::string &) override {
        return Relay::as_is;
    }

    void end(EventSink &sink) override {
        if (ended_) {
            return;
        }
        if (finished_) {
            // Without the metadata, that is without usage.
            done(sink);
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

    static const Row rows[6];

    // A block that has been begun; those of text need no memory, and those of
    // tools that the provider runs itself say nothing.
    struct Block {
        std::int64_t index;
        std::optional<CallInput> input;
        std::string_view media_type;    // of an image; else empty
    };

    void read_start(json::Value, EventSink &sink) {
        if (started_) {
            fail("the provider began its answer twice", sink);
            return;
        }
        start(sink);
    }

    void start(EventSink &sink) {
        if (!started_) {
            started_ = true;
            Event event;
            event.type = Event::Type::start;
            sink.on_event(event);
        }
    }

    void read_block_start(json::Value root, EventSink &sink) {
        if (!goes_on(sink)) {
            return;
        }
        std::int64_t index = root["contentBlockIndex"].integer().value_or(-1);
        if (find(index) != open_.end()) {
            fail("the provider began a block of its answer twice", sink);
            return;
        }
        Block block{index, {}, {}};
        json::Value tool = root["start"]["toolUse"];
        json::Value image = root["start"]["image"];
        if (tool.is_object() && tool["type"].is_null()) {
            start_tool(tool, block, sink);
        } else if (image.is_object()) {
            const MediaRow *row = find_format("image",
                                              image["format"].string());
            block.media_type = row ? row->media_type : "image/png";
        } else if (!tool && !root["start"]["toolResult"]) {
            return;     // a text, of which nothing needs to be known
        }
        open_.push_back(std::move(block));
    }

    void start_tool(json::Value tool, Block &block, EventSink &sink) {
        std::string_view name = tool["name"].string();
        if (name == anthropic::answer_tool) {
            block.input.emplace(CallInput::Kind::answer, 0);
            return;
        }
        ToolName decoded = decode_tool_name(name);
        std::size_t call = calls_++;
        block.input.emplace(decoded.custom ? CallInput::Kind::custom_call
                                           : CallInput::Kind::call,
                            call);
        Event event;
        event.type = Event::Type::tool_call;
        event.call = call;
        event.custom = decoded.custom;
        event.id = tool["toolUseId"].string();
        event.name = decoded.name;
        sink.on_event(event);
    }

    void read_block_delta(json::Value root, EventSink &sink) {
        if (!goes_on(sink)) {
            return;
        }
        json::Value delta = root["delta"];
        auto block = find(root["contentBlockIndex"].integer().value_or(-1));
        if (block != open_.end() && !block->input
            && block->media_type.empty())
        {
            return;
        }

        json::Value reasoning = delta["reasoningContent"];
        json::Value input = delta["toolUse"]["input"];
        json::Value image = delta["image"]["source"]["bytes"];
        if (delta["text"].is_string()) {
            emit(Event::Type::text, delta["text"].string(), sink);
        } else if (input.is_string()) {
            if (block == open_.end() || !block->input) {
                fail("the provider sent the input of a tool call that it had "
                     "not begun",
                     sink);
                return;
            }
            block->input->add(input.string(), sink);
        } else if (reasoning.is_object()) {
            emit(Event::Type::reasoning, reasoning["text"].string(), sink);
            emit(Event::Type::reasoning_signature,
                 reasoning["signature"].string(), sink);
            emit(Event::Type::redacted_reasoning,
                 reasoning["redactedContent"].string(), sink);
        } else if (image.is_string()) {
            Event event;
            event.type = Event::Type::image;
            event.media_type = block == open_.end() ? "image/png"
                                                    : block->media_type;
            event.text = image.string();
            sink.on_event(event);
        }
        // Citations have no place in an answer of another API.
    }

    void read_block_stop(json::Value root, EventSink &sink) {
        auto block = find(root["contentBlockIndex"].integer().value_or(-1));
        if (block != open_.end()) {
            close(*block, sink);
            open_.erase(block);
        }
    }

    void read_stop(json::Value root, EventSink &sink) {
        if (!goes_on(sink)) {
            return;
        }
        std::string_view word = root["stopReason"].string();
        FinishReason reason = finish_reason(word);
        if (reason == FinishReason::error) {
            fail("the model's answer makes no sense (" + std::string(word)
                     + ")",
                 sink);
            return;
        }
        for (Block &block : open_) {
            close(block, sink);
        }
        open_.clear();

        // The answer is complete even where a server forgot to say why. A
        // call of the tool that takes the answer is none.
        if (reason == FinishReason::none) {
            reason = calls_ != 0 ? FinishReason::tool_calls
                                 : FinishReason::stop;
        }
        if (reason == FinishReason::tool_calls && calls_ == 0) {
            reason = FinishReason::stop;
        }
        Event event;
        event.type = Event::Type::finish;
        event.finish_reason = reason;
        event.native = word;
        event.stop_sequence =
            root["additionalModelResponseFields"]["stop_sequence"].string();
        finished_ = true;
        sink.on_event(event);
        if (has_metadata_) {
            done(sink);
        }
    }

    void read_metadata(json::Value root, EventSink &sink) {
        has_metadata_ = true;
        Event event;
        event.type = Event::Type::usage;
        event.usage = read_usage(root["usage"]);
        if (event.usage.known) {
            sink.on_event(event);
        }
        if (finished_) {
            done(sink);
        }
    }

    // Whether an answer can go on here. What comes after its end is left out.
    bool goes_on(EventSink &sink) {
        if (finished_) {
            return false;
        }
        start(sink);
        return true;
    }

    std::vector<Block>::iterator find(std::int64_t index) {
        return std::find_if(
            open_.begin(), open_.end(),
            [index](const Block &block) { return block.index == index; });
    }

    static void close(Block &block, EventSink &sink) {
        if (block.input) {
            block.input->end(sink);
        }
    }

    static void emit(Event::Type type, std::string_view text,
                     EventSink &sink) {
        if (text.empty()) {
            return;
        }
        Event event;
        event.type = type;
        event.text = text;
        sink.on_event(event);
    }

    void done(EventSink &sink) {
        ended_ = true;
        Event event;
        event.type = Event::Type::done;
        sink.on_event(event);
    }

    void fail(std::string message, EventSink &sink) {
        Error error;
        error.kind = ErrorKind::bad_gateway;
        error.message = std::move(message);
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
    std::vector<Block> open_;
    std::size_t calls_ = 0;
    bool started_ = false;
    bool finished_ = false;
    bool has_metadata_ = false;
    bool ended_ = false;
};

const Reader::Row Reader::rows[6] = {
    {"contentBlockDelta", &Reader::read_block_delta},
    {"contentBlockStart", &Reader::read_block_start},
    {"contentBlockStop", &Reader::read_block_stop},
    {"messageStart", &Reader::read_start},
    {"messageStop", &Reader::read_stop},
    {"metadata", &Reader::read_metadata},
};

}  // namespace

std::unique_ptr<StreamReader> make_reader() {
    return std::make_unique<Reader>();
}

}  // namespace llm::bedrock
