// Events -> streamed answer for a client.
// Source: Anthropic API docs, Streaming Messages; what the stream helpers of
// the official SDKs rely on: message_start first, blocks one after the other
// with indices dense from 0, each closed before the next one is opened.
#include <string>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/tables.hpp"
#include "formats/block_stream_writer.hpp"

namespace llm::anthropic {

namespace {

using chat::Event;

class Writer final : public BlockStreamWriter {
public:
    explicit Writer(const AnswerContext &context)
        : context_(context), model_(context.request_model),
          unique_(context.unique) {
        context_.unique = unique_;
    }

private:
    void begin_answer(const Event &event, std::string &out) override {
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
        chat::Usage counts = usage();
        counts.completion_tokens = 0;
        counts.reasoning_tokens = 0;
        write_usage(writer.key("usage"), counts, context_.prompt_estimate);
        writer.end_object();
        out.append("}\n\n");
    }

    void end_answer(const Ending &ending, std::string &out) override {
        std::string_view word = stop_reason(
            ending.reason,
            ending.stop_sequence.empty() ? ending.native : "stop_sequence");

        begin(out, "message_delta");
        out.append(",\"delta\":");
        json::Writer writer(out);
        writer.begin_object().key("stop_reason");
        word.empty() ? writer.null() : writer.string(word);
        writer.key("stop_sequence");
        ending.stop_sequence.empty() ? writer.null()
                                     : writer.string(ending.stop_sequence);
        writer.end_object();
        out.append(",\"usage\":");
        json::Writer counts(out);
        write_usage(counts, usage(), context_.prompt_estimate);
        out.append("}\n\n");

        begin(out, "message_stop");
        out.append("}\n\n");
    }

    void break_off(const Error &error, std::string &out) override {
        out.append("event: error\ndata: ");
        write_error(error, out);
        out.append("\n\n");
    }

    void begin_block(const Block &block, std::string &out) override {
        begin_indexed(out, "content_block_start");
        out.append(",\"content_block\":");
        json::Writer writer(out);
        writer.begin_object();
        switch (block.kind) {
        case Kind::text:
            writer.member("type", "text").member("text", "");
            break;
        case Kind::reasoning:
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
        case Kind::image:
            break;
        }
        writer.end_object();
        out.append("}\n\n");
    }

    void write_delta(Kind kind, std::string_view text,
                     std::string &out) override {
        switch (kind) {
        case Kind::text:
            begin_delta(out, "text_delta", "text");
            break;
        case Kind::reasoning:
            begin_delta(out, "thinking_delta", "thinking");
            break;
        case Kind::call:
            begin_delta(out, "input_json_delta", "partial_json");
            break;
        case Kind::redacted:
        case Kind::image:
            return;
        }
        json::append_string(out, text);
        out.append("}}\n\n");
    }

    void end_block(const Block &block, std::string &out) override {
        if (block.kind == Kind::reasoning) {
            begin_delta(out, "signature_delta", "signature");
            json::append_string(out, block.signature);
            out.append("}}\n\n");
        }
        begin_indexed(out, "content_block_stop");
        out.append("}\n\n");
    }

    void append_call_id(std::string &id, std::size_t call) override {
        append_tool_id(id, context_, call);
    }

    void add_proof(std::string_view signature, std::string &out) override {
        std::string data(google_mark);
        add_redacted(data.append(signature), out);
    }

    void ping(std::string &out) override {
        out.append("event: ping\ndata: {\"type\":\"ping\"}\n\n");
    }

    // The event's name and the start of its data, which repeats it.
    static void begin(std::string &out, std::string_view type) {
        out.append("event: ").append(type);
        out.append("\ndata: {\"type\":\"").append(type).append("\"");
    }

    void begin_indexed(std::string &out, std::string_view type) {
        begin(out, type);
        out.append(",\"index\":").append(std::to_string(open()));
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
};

}  // namespace

std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context) {
    return std::make_unique<Writer>(context);
}

}  // namespace llm::anthropic
