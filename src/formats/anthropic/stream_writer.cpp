// Events -> streamed answer for a client.
// Source: Anthropic API docs, Streaming Messages; what the stream helpers of
// the official SDKs rely on: message_start first, blocks one after the other
// with indices dense from 0, each closed before the next one is opened.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/tables.hpp"
#include "formats/object_end.hpp"

namespace llm::anthropic {

namespace {

using chat::Event;
using chat::FinishReason;

class Writer final : public StreamWriter {
public:
    explicit Writer(const AnswerContext &context)
        : context_(context), model_(context.request_model),
          unique_(context.unique) {
        context_.unique = unique_;
    }

    Writer(const Writer &) = delete;
    Writer &operator=(const Writer &) = delete;

    void write(const Event &event, std::string &out) override {
        // An answer of this API is one choice.
        if (ended_ || event.choice != 0) {
            return;
        }

        switch (event.type) {
        case Event::Type::start:
            start(event, out);
            break;
        case Event::Type::text:
            add(Kind::text, event.text, out);
            break;
        case Event::Type::refusal:
            refused_ |= !event.text.empty();
            add(Kind::text, event.text, out);
            break;
        case Event::Type::image:
            break;     // no member for it in this API
        case Event::Type::reasoning:
            add(Kind::thinking, event.text, out);
            break;
        case Event::Type::reasoning_signature:
            sign(event.text, out);
            break;
        case Event::Type::redacted_reasoning:
            add_redacted(event.text, out);
            break;
        case Event::Type::tool_call:
            add_call(event, out);
            break;
        case Event::Type::tool_arguments:
            add_arguments(event, out);
            break;
        case Event::Type::finish:
            reason_ = event.finish_reason;
            native_ = event.native;
            stop_sequence_ = event.stop_sequence;
            break;
        case Event::Type::usage:
            usage_ = event.usage;
            break;
        case Event::Type::ping:
            out.append("event: ping\ndata: {\"type\":\"ping\"}\n\n");
            break;
        case Event::Type::error:
            fail(event, out);
            break;
        case Event::Type::done:
            finish(out);
            break;
        case Event::Type::logprobs:
            break;      // this API has none
        }
    }

private:
    enum class Kind : std::uint8_t { text, thinking, redacted, call };

    // A content block of the answer. One is open at a time; those that came
    // in while it was are held until its end.
    struct Block {
        explicit Block(Kind kind) : kind(kind) {}

        Kind kind;
        std::size_t call = 0;
        std::string held;       // redacted: its data
        std::string id;         // call
        std::string name;       // call
        bool custom = false;    // call
        std::string signature;  // thinking
        bool is_signed = false; // thinking: it is whole
        ObjectEnd end;          // call
    };

    void start(const Event &event, std::string &out) {
        if (started_) {
            return;
        }
        started_ = true;
        std::string id;
        append_message_id(id, event.id, context_);

        begin(out, "message_start");
        out.append(",\"message\":");
        json::Writer writer(out);
        writer.begin_object()
            .member("id", id)
            .member("type", "message")
            .member("role", "assistant")
            .member("model", event.model.empty() ? std::string_view(model_)
                                                 : event.model);
        writer.key("content").begin_array().end_array();
        writer.key("stop_reason").null().key("stop_sequence").null();
        // Completion tokens are counted in message_delta.
        chat::Usage usage = usage_;
        usage.completion_tokens = 0;
        usage.reasoning_tokens = 0;
        write_usage(writer.key("usage"), usage, context_.prompt_estimate);
        writer.end_object();
        out.append("}\n\n");
    }

    // Text or thinking goes on in the last block, if that is one of the kind.
    void add(Kind kind, std::string_view text, std::string &out) {
        if (text.empty()) {
            return;
        }
        if (blocks_.empty() || blocks_.back().kind != kind
            || blocks_.back().is_signed) {
            push(Block(kind), out);
        }
        deliver(blocks_.size() - 1, text, out);
    }

    void sign(std::string_view signature, std::string &out) {
        if (blocks_.empty() || blocks_.back().kind != Kind::thinking
            || blocks_.back().is_signed) {
            push(Block(Kind::thinking), out);
        }
        blocks_.back().signature = signature;
        blocks_.back().is_signed = true;
    }

    void add_redacted(std::string_view data, std::string &out) {
        Block block(Kind::redacted);
        block.held = data;
        push(std::move(block), out);
    }

    void add_call(const Event &event, std::string &out) {
        if (!event.signature.empty()) {
            std::string data(google_mark);
            add_redacted(data.append(event.signature), out);
        }
        Block block(Kind::call);
        block.call = event.call;
        block.id = event.id;
        if (block.id.empty()) {
            append_tool_id(block.id, context_, event.call);
        }
        block.name = event.name;
        block.custom = event.custom;
        called_ = true;
        push(std::move(block), out);
    }

    void add_arguments(const Event &event, std::string &out) {
        for (std::size_t i = blocks_.size(); i-- > 0;) {
            Block &block = blocks_[i];
            if (block.kind != Kind::call || block.call != event.call) {
                continue;
            }
            // After the end of its object only white space can come.
            if (i >= open_) {
                block.end.feed(event.text);
                deliver(i, event.text, out);
                advance(out);
            }
            return;
        }
    }

    void push(Block block, std::string &out) {
        if (!started_) {
            start(Event{}, out);
        }
        blocks_.push_back(std::move(block));
        if (blocks_.size() == 1) {
            open(out);
        } else {
            advance(out);
        }
    }

    // A block that waits gives way only when the one before it is whole: a
    // call is when its object is, everything else whenever something else
    // begins.
    void advance(std::string &out) {
        while (open_ + 1 < blocks_.size() && is_whole(blocks_[open_])) {
            close(out);
            ++open_;
            open(out);
        }
    }

    static bool is_whole(const Block &block) {
        return block.kind != Kind::call
               || (!block.custom && block.end.reached());
    }

    void deliver(std::size_t i, std::string_view text, std::string &out) {
        if (i != open_ || blocks_[i].custom) {
            blocks_[i].held.append(text);
        } else {
            write_delta(blocks_[i].kind, text, out);
        }
    }

    void open(std::string &out) {
        Block &block = blocks_[open_];
        begin_indexed(out, "content_block_start");
        out.append(",\"content_block\":");
        json::Writer writer(out);
        writer.begin_object();
        switch (block.kind) {
        case Kind::text:
            writer.member("type", "text").member("text", "");
            break;
        case Kind::thinking:
            writer.member("type", "thinking")
                .member("thinking", "")
                .member("signature", "");
            break;
        case Kind::redacted:
            writer.member("type", "redacted_thinking")
                .member("data", block.held);
            break;
        case Kind::call:
            writer.member("type", "tool_use")
                .member("id", block.id)
                .member("name", block.name);
            writer.key("input").begin_object().end_object();
            break;
        }
        writer.end_object();
        out.append("}\n\n");

        if (block.kind != Kind::redacted && !block.custom
            && !block.held.empty()) {
            write_delta(block.kind, block.held, out);
            block.held = {};
        }
    }

    void close(std::string &out) {
        Block &block = blocks_[open_];
        if (block.kind == Kind::thinking) {
            begin_delta(out, "signature_delta", "signature");
            json::append_string(out, block.signature);
            out.append("}}\n\n");
        }
        if (block.custom) {
            // Free text has no place in an input but as a member.
            std::string input;
            json::Writer(input)
                .begin_object()
                .member(custom_input, block.held)
                .end_object();
            write_delta(block.kind, input, out);
        }
        block.held = {};
        begin_indexed(out, "content_block_stop");
        out.append("}\n\n");
    }

    void write_delta(Kind kind, std::string_view text, std::string &out) {
        switch (kind) {
        case Kind::text:
            begin_delta(out, "text_delta", "text");
            break;
        case Kind::thinking:
            begin_delta(out, "thinking_delta", "thinking");
            break;
        case Kind::call:
            begin_delta(out, "input_json_delta", "partial_json");
            break;
        case Kind::redacted:
            return;
        }
        json::append_string(out, text);
        out.append("}}\n\n");
    }

    void fail(const Event &event, std::string &out) {
        ended_ = true;
        Error unknown;
        unknown.kind = ErrorKind::server;
        unknown.message = "the answer broke off";
        out.append("event: error\ndata: ");
        write_error(event.error ? *event.error : unknown, out);
        out.append("\n\n");
    }

    void finish(std::string &out) {
        ended_ = true;
        if (!started_) {
            start(Event{}, out);
        }
        if (!blocks_.empty()) {
            close(out);
            while (++open_ < blocks_.size()) {
                open(out);
                close(out);
            }
        }

        // Servers exist that call tools and say "stop".
        if (reason_ == FinishReason::stop && called_) {
            reason_ = FinishReason::tool_calls;
        }
        if (refused_) {
            reason_ = FinishReason::content_filter;
        }
        std::string_view word = stop_reason(
            reason_, stop_sequence_.empty() ? native_ : "stop_sequence");

        begin(out, "message_delta");
        out.append(",\"delta\":");
        json::Writer writer(out);
        writer.begin_object().key("stop_reason");
        word.empty() ? writer.null() : writer.string(word);
        writer.key("stop_sequence");
        stop_sequence_.empty() ? writer.null() : writer.string(stop_sequence_);
        writer.end_object();
        out.append(",\"usage\":");
        json::Writer usage(out);
        write_usage(usage, usage_, context_.prompt_estimate);
        out.append("}\n\n");

        begin(out, "message_stop");
        out.append("}\n\n");
    }

    // The event's name and the start of its data, which repeats it.
    static void begin(std::string &out, std::string_view type) {
        out.append("event: ").append(type);
        out.append("\ndata: {\"type\":\"").append(type).append("\"");
    }

    void begin_indexed(std::string &out, std::string_view type) {
        begin(out, type);
        out.append(",\"index\":").append(std::to_string(open_));
    }

    void begin_delta(std::string &out, std::string_view type,
                     std::string_view member) {
        begin_indexed(out, "content_block_delta");
        out.append(",\"delta\":{\"type\":\"").append(type);
        out.append("\",\"").append(member).append("\":");
    }

    AnswerContext context_;
    std::string model_;
    std::string unique_;
    std::vector<Block> blocks_;
    std::size_t open_ = 0;          // index of the open block
    chat::Usage usage_;
    FinishReason reason_ = FinishReason::none;
    std::string native_;
    std::string stop_sequence_;
    bool started_ = false;
    bool called_ = false;
    bool refused_ = false;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context) {
    return std::make_unique<Writer>(context);
}

}  // namespace llm::anthropic
