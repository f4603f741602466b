// Events -> streamed answer for a client.
// Source: the service model of bedrock-runtime, ConverseStreamOutput. Blocks
// come one after the other, each closed before the next one is begun: many
// clients look at what is open and not at contentBlockIndex. A text's begins
// with its first delta.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/anthropic/tables.hpp"
#include "formats/bedrock/bedrock.hpp"
#include "formats/bedrock/tables.hpp"
#include "formats/object_end.hpp"

namespace llm::bedrock {

namespace {

using chat::Event;
using chat::FinishReason;

class Writer final : public StreamWriter {
public:
    explicit Writer(const AnswerContext &context)
        : estimate_(context.prompt_estimate), unique_(context.unique) {}

    Writer(const Writer &) = delete;
    Writer &operator=(const Writer &) = delete;

    void write(const Event &event, std::string &out) override {
        // An answer of this API is one choice.
        if (ended_ || event.choice != 0) {
            return;
        }

        switch (event.type) {
        case Event::Type::start:
            start(out);
            break;
        case Event::Type::text:
            add(Kind::text, event.text, out);
            break;
        case Event::Type::refusal:
            refused_ |= !event.text.empty();
            add(Kind::text, event.text, out);
            break;
        case Event::Type::reasoning:
            add(Kind::reasoning, event.text, out);
            break;
        case Event::Type::reasoning_signature:
            sign(event.text, out);
            break;
        case Event::Type::redacted_reasoning:
            add_whole(Kind::redacted, event.text, {}, out);
            break;
        case Event::Type::image:
            add_image(event, out);
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
        case Event::Type::error:
            fail(event, out);
            break;
        case Event::Type::done:
            finish(out);
            break;
        case Event::Type::ping:
        case Event::Type::logprobs:
            break;      // this API has none
        }
    }

private:
    enum class Kind : std::uint8_t { text, reasoning, redacted, image, call };

    // A content block of the answer. One is open at a time; those that came
    // in while it was are held until its end.
    struct Block {
        explicit Block(Kind kind) : kind(kind) {}

        Kind kind;
        std::size_t call = 0;
        std::string held;
        std::string id;         // call
        std::string name;       // call
        bool custom = false;    // call
        std::string signature;  // reasoning
        bool is_signed = false; // reasoning: it is whole
        std::string_view format;    // image
        ObjectEnd end;          // call
    };

    void start(std::string &out) {
        if (!started_) {
            started_ = true;
            wire::append_event_message(out, "messageStart",
                                       R"({"role":"assistant"})");
        }
    }

    // Text or reasoning goes on in the last block, if that is one of the kind.
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
        if (blocks_.empty() || blocks_.back().kind != Kind::reasoning
            || blocks_.back().is_signed) {
            push(Block(Kind::reasoning), out);
        }
        blocks_.back().signature = signature;
        blocks_.back().is_signed = true;
    }

    // A block that comes as one piece.
    void add_whole(Kind kind, std::string_view data, std::string_view format,
                   std::string &out) {
        if (data.empty()) {
            return;
        }
        Block block(kind);
        block.held = data;
        block.format = format;
        push(std::move(block), out);
    }

    void add_image(const Event &event, std::string &out) {
        const MediaRow *row = find_media_type("image", event.media_type);
        if (row) {
            add_whole(Kind::image, event.text, row->format, out);
        }
    }

    void add_call(const Event &event, std::string &out) {
        Block block(Kind::call);
        block.call = event.call;
        block.id = event.id;
        if (block.id.empty()) {
            AnswerContext context;
            context.unique = unique_;
            append_tool_id(block.id, context, event.call);
        }
        block.name = event.name;
        block.custom = event.custom;
        called_ = true;
        push(std::move(block), out);
    }

    void add_arguments(const Event &event, std::string &out) {
        for (std::size_t i = blocks_.size(); i-- > open_;) {
            Block &block = blocks_[i];
            if (block.kind == Kind::call && block.call == event.call) {
                block.end.feed(event.text);
                deliver(i, event.text, out);
                advance(out);
                return;
            }
        }
        // After the end of its object only white space can come.
    }

    void push(Block block, std::string &out) {
        start(out);
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
        } else if (!text.empty()) {
            write_delta(blocks_[i].kind, text, out);
        }
    }

    void open(std::string &out) {
        Block &block = blocks_[open_];
        if (block.kind == Kind::call || block.kind == Kind::image) {
            auto begun = begin(out, "contentBlockStart");
            json::Writer writer(out);
            writer.begin_object().key("start").begin_object();
            if (block.kind == Kind::call) {
                writer.key("toolUse")
                    .begin_object()
                    .member("toolUseId", block.id)
                    .member("name", block.name)
                    .end_object();
            } else {
                writer.key("image")
                    .begin_object()
                    .member("format", block.format)
                    .end_object();
            }
            writer.end_object();
            write_index(writer);
            wire::end_event_message(out, begun);
        }
        if (!block.custom && !block.held.empty()) {
            write_delta(block.kind, block.held, out);
            std::string().swap(block.held);
        }
    }

    void close(std::string &out) {
        Block &block = blocks_[open_];
        if (!block.signature.empty()) {
            write_reasoning("signature", block.signature, out);
        }
        if (block.custom) {
            // Free text has no place in an input but as a member.
            std::string input;
            json::Writer(input)
                .begin_object()
                .member(custom_input, block.held)
                .end_object();
            write_delta(block.kind, input, out);
            std::string().swap(block.held);
        }
        auto begun = begin(out, "contentBlockStop");
        json::Writer writer(out);
        write_index(writer.begin_object());
        wire::end_event_message(out, begun);
    }

    // What the delta of a kind is, down to its text.
    void write_delta(Kind kind, std::string_view text, std::string &out) {
        switch (kind) {
        case Kind::reasoning:
            write_reasoning("text", text, out);
            return;
        case Kind::redacted:
            write_reasoning("redactedContent", text, out);
            return;
        case Kind::text:
        case Kind::call:
        case Kind::image:
            break;
        }
        auto begun = begin(out, "contentBlockDelta");
        json::Writer writer(out);
        writer.begin_object().key("delta").begin_object();
        if (kind == Kind::text) {
            writer.member("text", text);
        } else if (kind == Kind::call) {
            writer.key("toolUse")
                .begin_object()
                .member("input", text)
                .end_object();
        } else {
            writer.key("image").begin_object();
            writer.key("source").begin_object();
            writer.member("bytes", text).end_object().end_object();
        }
        write_index(writer.end_object());
        wire::end_event_message(out, begun);
    }

    void write_reasoning(std::string_view member, std::string_view text,
                         std::string &out) {
        auto begun = begin(out, "contentBlockDelta");
        json::Writer writer(out);
        writer.begin_object().key("delta").begin_object();
        writer.key("reasoningContent").begin_object();
        writer.member(member, text).end_object().end_object();
        write_index(writer);
        wire::end_event_message(out, begun);
    }

    static std::size_t begin(std::string &out, std::string_view event) {
        return wire::begin_event_message(out, event);
    }

    // The last member of the payload, and its end.
    void write_index(json::Writer &writer) {
        writer
            .member("contentBlockIndex", static_cast<std::int64_t>(open_))
            .end_object();
    }

    void fail(const Event &event, std::string &out) {
        ended_ = true;
        std::string_view message =
            event.error ? std::string_view(event.error->message)
                        : "the answer broke off";
        auto begun = wire::begin_event_message(
            out,
            stream_exception(event.error ? event.error->kind
                                         : ErrorKind::server),
            true);
        json::Writer(out)
            .begin_object()
            .member("message", message)
            .end_object();
        wire::end_event_message(out, begun);
    }

    void finish(std::string &out) {
        ended_ = true;
        start(out);
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
        auto begun = begin(out, "messageStop");
        json::Writer stop(out);
        stop.begin_object().member(
            "stopReason",
            stop_reason(reason_, stop_sequence_.empty()
                                     ? std::string_view(native_)
                                     : "stop_sequence"));
        if (!stop_sequence_.empty()) {
            stop.key("additionalModelResponseFields")
                .begin_object()
                .member("stop_sequence", stop_sequence_)
                .end_object();
        }
        stop.end_object();
        wire::end_event_message(out, begun);

        begun = begin(out, "metadata");
        json::Writer metadata(out);
        metadata.begin_object().key("usage");
        write_usage(metadata, usage_, estimate_);
        write_metrics(metadata);
        metadata.end_object();
        wire::end_event_message(out, begun);
    }

    std::int64_t estimate_;
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

}  // namespace llm::bedrock
