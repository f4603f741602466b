#include "exchange.hpp"

#include <map>
#include <optional>
#include <vector>

#include "catch.hpp"
#include "events.hpp"

namespace llm::testing {

namespace {

using chat::Event;
using chat::PartType;

std::string describe(const chat::Usage &usage) {
    std::string text = std::to_string(usage.prompt_tokens) + "+"
                       + std::to_string(usage.completion_tokens) + "="
                       + std::to_string(usage.total_tokens);
    auto add = [&](const char *name, std::int64_t tokens) {
        if (tokens != 0) {
            text += std::string(" ") + name + " " + std::to_string(tokens);
        }
    };
    add("cached", usage.cached_tokens);
    add("written", usage.cache_write_tokens);
    add("reasoning", usage.reasoning_tokens);
    return text;
}

// What an answer says, whichever way it came.
struct Sum {
    std::string text;
    std::string reasoning;
    std::string signature;
    std::string redacted;
    std::string refusal;
    std::map<std::size_t, std::string> calls;
    std::map<std::size_t, std::string> arguments;
    std::string finish;
    std::string usage;
    std::string error;

    std::string describe() const {
        std::string all = "text: " + text + "\nreasoning: " + reasoning
                          + "\nsignature: " + signature
                          + "\nredacted: " + redacted
                          + "\nrefusal: " + refusal + "\n";
        for (auto &[call, name] : calls) {
            auto found = arguments.find(call);
            all += "call: " + name + " "
                   + (found == arguments.end() ? "" : found->second) + "\n";
        }
        return all + "finish: " + finish + "\nusage: " + usage
               + "\nerror: " + error + "\n";
    }
};

class FrameReader final : public wire::FrameSink {
public:
    FrameReader(StreamReader &reader, chat::EventSink &sink)
        : reader_(reader), sink_(sink) {}

    void on_frame(const wire::Frame &frame) override {
        reader_.read(frame, sink_);
    }

private:
    StreamReader &reader_;
    chat::EventSink &sink_;
};

class Summer final : public chat::EventSink {
public:
    void on_event(const Event &event) override {
        switch (event.type) {
        case Event::Type::text:
            sum.text += event.text;
            break;
        case Event::Type::reasoning:
            sum.reasoning += event.text;
            break;
        case Event::Type::reasoning_signature:
            sum.signature += event.text;
            break;
        case Event::Type::redacted_reasoning:
            sum.redacted += event.text;
            break;
        case Event::Type::refusal:
            sum.refusal += event.text;
            break;
        case Event::Type::tool_call:
            sum.calls[event.call] =
                std::string(event.id) + " " + std::string(event.name);
            break;
        case Event::Type::tool_arguments:
            sum.arguments[event.call] += event.text;
            break;
        case Event::Type::finish:
            sum.finish = to_string(event.finish_reason);
            break;
        case Event::Type::usage:
            sum.usage = describe(event.usage);
            break;
        case Event::Type::error:
            sum.error = testing::describe(*event.error);
            break;
        default:
            break;
        }
    }

    Sum sum;
};

}  // namespace

std::string describe(const Error &error) {
    return error.param + ": " + error.message;
}

std::string translate_request(const Format &client, const Format &provider,
                              std::string_view body,
                              const WriteOptions &options) {
    json::Document document;
    if (auto parsed = document.parse(body); !parsed) {
        return describe(parsed.error());
    }
    std::pmr::monotonic_buffer_resource memory;
    auto request = client.parse_request(document, &memory);
    if (!request) {
        return describe(request.error());
    }
    WriteOptions named = options;
    if (named.model.empty()) {
        named.model = request->model;
    }
    std::string out;
    if (auto written = provider.write_request(*request, named, out);
        !written) {
        return describe(written.error());
    }
    return out;
}

std::string translate_response(const Format &provider, const Format &client,
                               std::string_view body,
                               const AnswerContext &context) {
    json::Document document;
    json::ParseLimits limits;
    limits.duplicates = true;
    if (auto parsed = document.parse(body, limits); !parsed) {
        return describe(parsed.error());
    }
    std::pmr::monotonic_buffer_resource memory;
    auto response = provider.parse_response(document, &memory);
    std::string out;
    if (!response) {
        client.write_error(response.error(), out);
    } else {
        client.write_response(*response, context, out);
    }
    return out;
}

std::string translate_stream(const Format &provider, const Format &client,
                             std::string_view stream,
                             const AnswerContext &context) {
    std::optional<std::string> whole;
    for_each_cut(stream, [&](const Pieces &pieces) {
        StreamRun run(provider);
        run.writer = client.make_writer(context);
        run.run(pieces);
        if (!whole) {
            whole = run.written;
        } else if (run.written != *whole) {
            INFO(pieces[0]);
            REQUIRE(run.written == *whole);
        }
    });
    return *whole;
}

std::string events_of(const Format &provider, std::string_view stream) {
    std::optional<std::vector<std::string>> whole;
    for_each_cut(stream, [&](const Pieces &pieces) {
        StreamRun run(provider);
        run.run(pieces);
        if (!whole) {
            whole = run.events;
        } else if (run.events != *whole) {
            INFO(pieces[0]);
            REQUIRE(run.events == *whole);
        }
    });
    std::string lines;
    for (const std::string &event : *whole) {
        lines += event + "\n";
    }
    return lines;
}

std::string sum_of_stream(const Format &provider, std::string_view stream) {
    Summer summer;
    auto framer = provider.make_framer(std::size_t{1} << 20);
    auto reader = provider.make_reader();
    FrameReader frames(*reader, summer);
    REQUIRE(framer->feed(stream, frames));
    REQUIRE(framer->finish(frames));
    reader->end(summer);
    return summer.sum.describe();
}

std::string sum_of_response(const Format &provider, std::string_view body) {
    json::Document document;
    Sum sum;
    if (auto parsed = document.parse(body); !parsed) {
        return describe(parsed.error());
    }
    std::pmr::monotonic_buffer_resource memory;
    auto response = provider.parse_response(document, &memory);
    if (!response) {
        sum.error = describe(response.error());
        return sum.describe();
    }

    const chat::Choice &choice = response->choices.at(0);
    for (const chat::Part &part : choice.message.parts) {
        switch (part.type) {
        case PartType::text:
            sum.text += part.text;
            break;
        case PartType::reasoning:
            sum.reasoning += part.text;
            sum.signature += part.signature;
            break;
        case PartType::redacted_reasoning:
            sum.redacted += part.data;
            break;
        case PartType::refusal:
            sum.refusal += part.text;
            break;
        case PartType::tool_call: {
            std::size_t call = sum.calls.size();
            sum.calls[call] =
                std::string(part.id) + " " + std::string(part.name);
            sum.arguments[call] = part.arguments;
            break;
        }
        default:
            break;
        }
    }
    sum.finish = to_string(choice.finish_reason);
    sum.usage = describe(response->usage);
    return sum.describe();
}

}  // namespace llm::testing
