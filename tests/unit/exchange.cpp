#include "exchange.hpp"

#include <map>

namespace llm::test {

namespace {

using chat::Event;
using chat::PartType;

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

void feed(const Format &provider, std::string_view stream,
          const std::vector<std::size_t> &cuts, chat::EventSink &sink) {
    auto framer = provider.make_framer(std::size_t{1} << 20);
    auto reader = provider.make_reader();
    FrameReader frames(*reader, sink);
    std::size_t start = 0;
    auto feed_to = [&](std::size_t end) {
        // A copy of its own, so that a view that is kept too long is found.
        std::string piece(stream.substr(start, end - start));
        static_cast<void>(framer->feed(piece, frames));
        start = end;
    };
    for (std::size_t cut : cuts) {
        feed_to(cut);
    }
    feed_to(stream.size());
    static_cast<void>(framer->finish(frames));
    reader->end(sink);
}

std::vector<std::size_t> every(std::size_t piece, std::size_t size) {
    std::vector<std::size_t> cuts;
    for (std::size_t at = piece; piece != 0 && at < size; at += piece) {
        cuts.push_back(at);
    }
    return cuts;
}

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

class Recorder final : public chat::EventSink {
public:
    void on_event(const Event &event) override {
        switch (event.type) {
        case Event::Type::start:
            line("start " + std::string(event.id) + " "
                 + std::string(event.model));
            break;
        case Event::Type::text:
            text("text ", event.text);
            break;
        case Event::Type::reasoning:
            text("reasoning ", event.text);
            break;
        case Event::Type::reasoning_signature:
            line("signature " + std::string(event.text));
            break;
        case Event::Type::redacted_reasoning:
            line("redacted " + std::string(event.text));
            break;
        case Event::Type::refusal:
            text("refusal ", event.text);
            break;
        case Event::Type::tool_call:
            line("call " + std::to_string(event.call) + " "
                 + std::string(event.id) + " " + std::string(event.name)
                 + (event.custom ? " custom" : ""));
            break;
        case Event::Type::tool_arguments:
            text("arguments " + std::to_string(event.call) + " ", event.text);
            break;
        case Event::Type::logprobs:
            line("logprobs " + std::string(event.value.raw()));
            break;
        case Event::Type::finish:
            line("finish " + std::string(to_string(event.finish_reason)) + " "
                 + std::string(event.native)
                 + (event.stop_sequence.empty()
                        ? ""
                        : " by " + std::string(event.stop_sequence)));
            break;
        case Event::Type::usage:
            line("usage " + describe(event.usage));
            break;
        case Event::Type::ping:
            line("ping");
            break;
        case Event::Type::error:
            line("error " + test::describe(*event.error));
            break;
        case Event::Type::done:
            line("done");
            break;
        }
    }

    std::string log;

private:
    void line(const std::string &text) {
        log += text + "\n";
        open_.clear();
    }

    void text(const std::string &kind, std::string_view text) {
        if (open_ == kind) {
            log.pop_back();
        } else {
            log += kind;
            open_ = kind;
        }
        log.append(text);
        log.push_back('\n');
    }

    std::string open_;
};

class Translator final : public chat::EventSink {
public:
    Translator(const Format &client, const AnswerContext &context)
        : writer_(client.make_writer(context)) {}

    void on_event(const Event &event) override { writer_->write(event, out); }

    std::string out;

private:
    std::unique_ptr<StreamWriter> writer_;
};

std::string translate_at(const Format &provider, const Format &client,
                         std::string_view stream, const AnswerContext &context,
                         const std::vector<std::size_t> &cuts) {
    Translator translator(client, context);
    feed(provider, stream, cuts, translator);
    return translator.out;
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
            sum.error = test::describe(*event.error);
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

std::string events_of(const Format &provider, std::string_view stream,
                      std::size_t piece) {
    Recorder recorder;
    feed(provider, stream, every(piece, stream.size()), recorder);
    return recorder.log;
}

std::string translate_stream(const Format &provider, const Format &client,
                             std::string_view stream,
                             const AnswerContext &context, std::size_t cut) {
    return translate_at(provider, client, stream, context, {cut});
}

bool same_at_every_cut(const Format &provider, const Format &client,
                       std::string_view stream, const AnswerContext &context) {
    std::string whole = translate_at(provider, client, stream, context, {});
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
        if (translate_at(provider, client, stream, context, {cut}) != whole) {
            return false;
        }
    }
    return translate_at(provider, client, stream, context,
                        every(1, stream.size()))
           == whole;
}

std::string sum_of_stream(const Format &provider, std::string_view stream) {
    Summer summer;
    feed(provider, stream, {}, summer);
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

}  // namespace llm::test
