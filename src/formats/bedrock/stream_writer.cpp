// Events -> streamed answer for a client.
// Source: the service model of bedrock-runtime, ConverseStreamOutput. Blocks
// come one after the other, each closed before the next one is begun: many
// clients look at what is open and not at contentBlockIndex. A text's begins
// with its first delta.
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/bedrock/bedrock.hpp"
#include "formats/bedrock/tables.hpp"
#include "formats/block_stream_writer.hpp"

namespace llm::bedrock {

namespace {

using chat::Event;

class Writer final : public BlockStreamWriter {
public:
    explicit Writer(const AnswerContext &context)
        : estimate_(context.prompt_estimate), unique_(context.unique) {}

private:
    void begin_answer(const Event &, std::string &out) override {
        wire::append_event_message(out, "messageStart",
                                   R"({"role":"assistant"})");
    }

    void end_answer(const Ending &ending, std::string &out) override {
        auto begun = begin(out, "messageStop");
        json::Writer stop(out);
        stop.begin_object().member(
            "stopReason",
            stop_reason(ending.reason, ending.stop_sequence.empty()
                                           ? ending.native
                                           : "stop_sequence"));
        if (!ending.stop_sequence.empty()) {
            stop.key("additionalModelResponseFields")
                .begin_object()
                .member("stop_sequence", ending.stop_sequence)
                .end_object();
        }
        stop.end_object();
        wire::end_event_message(out, begun);

        begun = begin(out, "metadata");
        json::Writer metadata(out);
        metadata.begin_object().key("usage");
        write_usage(metadata, usage(), estimate_);
        write_metrics(metadata);
        metadata.end_object();
        wire::end_event_message(out, begun);
    }

    void break_off(const Error &error, std::string &out) override {
        auto begun = wire::begin_event_message(
            out, stream_exception(error.kind), true);
        json::Writer(out)
            .begin_object()
            .member("message", error.message)
            .end_object();
        wire::end_event_message(out, begun);
    }

    void begin_block(const Block &block, std::string &out) override {
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
    }

    // What the delta of a kind is, down to its text.
    void write_delta(Kind kind, std::string_view text,
                     std::string &out) override {
        if (text.empty()) {
            return;
        }
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

    void end_block(const Block &block, std::string &out) override {
        if (!block.signature.empty()) {
            write_reasoning("signature", block.signature, out);
        }
        auto begun = begin(out, "contentBlockStop");
        json::Writer writer(out);
        write_index(writer.begin_object());
        wire::end_event_message(out, begun);
    }

    void append_call_id(std::string &id, std::size_t call) override {
        AnswerContext context;
        context.unique = unique_;
        append_tool_id(id, context, call);
    }

    void add_redacted(std::string_view data, std::string &out) override {
        if (!data.empty()) {
            BlockStreamWriter::add_redacted(data, out);
        }
    }

    void add_image(const Event &event, std::string &out) override {
        const MediaRow *row = find_media_type("image", event.media_type);
        if (row && !event.text.empty()) {
            add_whole(Kind::image, event.text, row->format, out);
        }
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
            .member("contentBlockIndex", static_cast<std::int64_t>(open()))
            .end_object();
    }

    std::int64_t estimate_;
    std::string unique_;
};

}  // namespace

std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context) {
    return std::make_unique<Writer>(context);
}

}  // namespace llm::bedrock
