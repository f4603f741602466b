#include <algorithm>
#include <string>
#include <vector>

#include "formats/cohere/cohere.hpp"
#include "formats/cohere/tables.hpp"

namespace llm::cohere {

namespace {

using chat::Event;
using chat::FinishReason;
using Type = chat::Event::Type;

class Writer final : public StreamWriter {
public:
    explicit Writer(const AnswerContext &context) : unique_(context.unique) {}

    void write(const Event &event, std::string &out) override;

private:
    enum class Block : std::uint8_t { none, text, thinking };

    void start(std::string_view id, std::string &out);
    void write_text(Block block, std::string_view text, std::string &out);
    void end_block(std::string &out);
    void write_call(const Event &event, std::string &out);
    void write_arguments(const Event &event, std::string &out);
    void end_calls(std::string &out);
    void write_done(std::string &out);
    void fail(const Error &error, std::string &out);

    std::string unique_;
    bool started_ = false;
    bool over_ = false;
    Block block_ = Block::none;
    std::int64_t blocks_ = 0;           // content parts so far
    std::vector<bool> calls_;           // whether each has had arguments
    FinishReason reason_ = FinishReason::stop;
    std::string stop_sequence_;
    chat::Usage usage_;
};

// One event, whose "type" is also its name; `members` come after it.
void event_of(std::string_view type, std::string_view members,
              std::string &out) {
    out.append("event: ").append(type).append("\ndata: {\"type\":\"")
        .append(type).push_back('"');
    out.append(members).append("}\n\n");
}

void Writer::write(const Event &event, std::string &out) {
    // An answer of this API is one choice.
    if (over_ || event.choice != 0) {
        return;
    }
    switch (event.type) {
    case Type::start:
        start(event.id, out);
        break;
    case Type::text:
    case Type::refusal:
        write_text(Block::text, event.text, out);
        break;
    case Type::reasoning:
        write_text(Block::thinking, event.text, out);
        break;
    case Type::image:
    case Type::reasoning_signature:
    case Type::redacted_reasoning:
    case Type::logprobs:
        break;
    case Type::tool_call:
        write_call(event, out);
        break;
    case Type::tool_arguments:
        write_arguments(event, out);
        break;
    case Type::finish:
        reason_ = event.finish_reason;
        stop_sequence_ = event.stop_sequence;
        end_block(out);
        end_calls(out);
        break;
    case Type::usage:
        usage_ = event.usage;
        break;
    case Type::ping:
        out.append(": keep-alive\n\n");
        break;
    case Type::error:
        fail(*event.error, out);
        break;
    case Type::done:
        write_done(out);
        break;
    }
}

void Writer::start(std::string_view id, std::string &out) {
    if (started_) {
        return;
    }
    started_ = true;
    std::string members = ",\"id\":";
    json::append_string(members, id.empty() ? std::string_view(unique_) : id);
    members.append(R"(,"delta":{"message":{"role":"assistant","content":[],)"
                   R"("tool_plan":"","tool_calls":[],"citations":[]}})");
    event_of("message-start", members, out);
}

void Writer::write_text(Block block, std::string_view text,
                        std::string &out) {
    if (text.empty()) {
        return;
    }
    start({}, out);
    std::string_view name = block == Block::text ? "text" : "thinking";
    if (block_ != block) {
        end_block(out);
        block_ = block;
        std::string members = ",\"index\":" + std::to_string(blocks_);
        members.append(R"(,"delta":{"message":{"content":{"type":")")
            .append(name).append("\",\"").append(name).append("\":\"\"}}}");
        event_of("content-start", members, out);
    }

    out.append("event: content-delta\ndata: {\"type\":\"content-delta\","
               "\"index\":");
    json::Writer(out).integer(blocks_);
    out.append(",\"delta\":{\"message\":{\"content\":{\"").append(name)
        .append("\":");
    json::append_string(out, text);
    out.append("}}}}\n\n");
}

void Writer::end_block(std::string &out) {
    if (block_ == Block::none) {
        return;
    }
    block_ = Block::none;
    event_of("content-end", ",\"index\":" + std::to_string(blocks_++), out);
}

void Writer::write_call(const Event &event, std::string &out) {
    start({}, out);
    end_block(out);
    calls_.resize(std::max(calls_.size(), event.call + 1));
    std::string members = ",\"index\":" + std::to_string(event.call);
    members.append(",\"delta\":{\"message\":{\"tool_calls\":");
    json::Writer w(members);
    w.begin_object().member("id", event.id).member("type", "function")
        .key("function").begin_object().member("name", event.name)
        .member("arguments", "").end_object().end_object();
    members.append("}}");
    event_of("tool-call-start", members, out);
}

void Writer::write_arguments(const Event &event, std::string &out) {
    if (event.text.empty() || event.call >= calls_.size()) {
        return;
    }
    calls_[event.call] = true;
    std::string members = ",\"index\":" + std::to_string(event.call);
    members.append(
        ",\"delta\":{\"message\":{\"tool_calls\":{\"function\":{"
        "\"arguments\":");
    json::append_string(members, event.text);
    members.append("}}}}");
    event_of("tool-call-delta", members, out);
}

// Fragments of several calls may come in any order, so that all end at last.
void Writer::end_calls(std::string &out) {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
        // Clients parse the arguments of every call: none at all are "{}".
        if (!calls_[i]) {
            Event event;
            event.call = i;
            event.text = "{}";
            write_arguments(event, out);
        }
        event_of("tool-call-end", ",\"index\":" + std::to_string(i), out);
    }
    calls_.clear();
}

void Writer::write_done(std::string &out) {
    over_ = true;
    start({}, out);
    end_block(out);
    end_calls(out);
    std::string members = ",\"delta\":";
    json::Writer w(members);
    w.begin_object().member("finish_reason",
                            finish_word(reason_, stop_sequence_));
    if (usage_.known || usage_.estimated) {
        w.key("usage");
        write_usage(w, usage_);
    }
    w.end_object();
    event_of("message-end", members, out);
}

// The API has no event for it but the last one.
void Writer::fail(const Error &error, std::string &out) {
    over_ = true;
    std::string members = ",\"delta\":";
    json::Writer w(members);
    w.begin_object().member("finish_reason", "ERROR")
        .member("error", error.message).end_object();
    event_of("message-end", members, out);
}

}  // namespace

std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context) {
    return std::make_unique<Writer>(context);
}

}  // namespace llm::cohere
