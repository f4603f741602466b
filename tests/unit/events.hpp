// The events of a stream as lines of text, for tests to compare.
#pragma once

#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "cuts.hpp"
#include "llm/format.hpp"

namespace llm::testing {

inline std::string describe(const chat::Event &event) {
    using Type = chat::Event::Type;

    auto line = [&](std::string name, std::string_view text) {
        if (event.choice != 0) {
            name += '@' + std::to_string(event.choice);
        }
        return name + ' ' + std::string(text);
    };
    std::string call = std::to_string(event.call);
    const chat::Usage &u = event.usage;

    switch (event.type) {
    case Type::start:
        return "start " + std::string(event.id) + ' ' +
               std::string(event.model) + ' ' + std::to_string(event.created);
    case Type::text:
        return line("text", event.text);
    case Type::image:
        return line("image " + std::string(event.media_type), event.text);
    case Type::reasoning:
        return line("reasoning", event.text);
    case Type::reasoning_signature:
        return line("signature", event.text);
    case Type::redacted_reasoning:
        return line("redacted", event.text);
    case Type::refusal:
        return line("refusal", event.text);
    case Type::tool_call:
        return line((event.custom ? "custom call " : "call ") + call,
                    std::string(event.id) + ' ' + std::string(event.name));
    case Type::tool_arguments:
        return line("arguments " + call, event.text);
    case Type::logprobs:
        return line("logprobs", event.value.raw());
    case Type::finish: {
        std::string words(chat::to_string(event.finish_reason));
        if (event.native != words) {
            words += " (" + std::string(event.native) + ')';
        }
        if (!event.stop_sequence.empty()) {
            words += " at " + std::string(event.stop_sequence);
        }
        return line("finish", words);
    }
    case Type::usage:
        return "usage " + std::to_string(u.prompt_tokens) + '+' +
               std::to_string(u.completion_tokens) + '=' +
               std::to_string(u.total_tokens) +
               " cached " + std::to_string(u.cached_tokens) +
               " reasoning " + std::to_string(u.reasoning_tokens);
    case Type::ping:
        return "ping";
    case Type::error:
        return "error " + std::to_string(http_status(event.error->kind)) +
               ' ' + event.error->message;
    case Type::done:
        return "done";
    }
    return {};
}

// Hands frames to a reader and keeps what comes of them.
class StreamRun : public wire::FrameSink, public chat::EventSink {
public:
    explicit StreamRun(const Format &format, Hosting hosting = Hosting::own)
        : framer_(format.make_hosted_framer(hosting, std::size_t{1} << 20)),
          reader_(format.make_reader()) {}

    // The stream in these pieces, and its end.
    std::vector<std::string> run(const Pieces &pieces) {
        for (auto piece : pieces) {
            REQUIRE(framer_->feed(piece, *this));
        }
        REQUIRE(framer_->finish(*this));
        reader_->end(*this);
        return events;
    }

    void on_frame(const wire::Frame &frame) override {
        reader_->read(frame, *this);
        std::string edited;
        switch (reader_->relay(frame, include_usage, edited)) {
        case Relay::as_is:
            relayed.append(frame.raw);
            break;
        case Relay::edited:
            relayed.append(edited);
            break;
        case Relay::drop:
            break;
        }
    }

    void on_event(const chat::Event &event) override {
        events.push_back(describe(event));
        if (writer) {
            writer->write(event, written);
        }
    }

    bool include_usage = false;
    std::unique_ptr<StreamWriter> writer;
    std::vector<std::string> events;
    std::string relayed;        // what a client of the same format gets
    std::string written;        // what `writer` made of the events

private:
    std::unique_ptr<wire::Framer> framer_;
    std::unique_ptr<StreamReader> reader_;
};

}  // namespace llm::testing
