// Under a good status a provider may still send what makes no sense. The
// client hears of a bad gateway then: not that the gateway failed (500), and
// not that the client did (4xx).
#include "catch.hpp"

#include <memory_resource>
#include <set>
#include <vector>

#include "exchange.hpp"
#include "llm/exchange.hpp"
#include "llm/wire.hpp"

using namespace llm;

namespace {

constexpr std::string_view answer =
    R"({"id":"c1","object":"chat.completion","created":1700000000,"model":"p",)"
    R"("choices":[{"index":0,"message":{"role":"assistant","content":"Hi",)"
    R"("reasoning_content":"hm","tool_calls":[{"id":"t","type":"function",)"
    R"("function":{"name":"f","arguments":"{}"}}]},"finish_reason":)"
    R"("tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2,)"
    R"("total_tokens":3}})";

// An answer as a provider of this API writes it, whole or as a stream.
std::string answer_of(const Format &provider, bool stream) {
    std::pmr::monotonic_buffer_resource memory;
    json::Document document;
    REQUIRE(document.parse(answer));
    auto response = openai_format().parse_response(document, &memory);
    REQUIRE(response);

    AnswerContext context;
    context.request_model = "p";
    context.include_usage = true;
    context.now = 1700000000;
    context.unique = "0123456789abcdef";
    context.query = "alt=sse";
    std::string out;
    if (!stream) {
        provider.write_response(*response, context, out);
        return out;
    }
    struct Sink final : chat::EventSink {
        void on_event(const chat::Event &event) override {
            writer->write(event, *out);
        }
        std::unique_ptr<StreamWriter> writer;
        std::string *out = nullptr;
    } sink;
    sink.writer = provider.make_writer(context);
    sink.out = &out;
    replay(*response, sink);
    return out;
}

constexpr std::string_view values[] = {"null", "5", "-1e99", "true", "\"x\"",
                                       "\"\"", "[]", "[5]", "{}"};

void collect(json::Value value, std::vector<std::string_view> &all) {
    all.push_back(value.raw());
    for (auto member : value.members()) {
        // What is called an error is one, whatever it is.
        if (member.name != "error") {
            collect(member.value, all);
        }
    }
    for (auto element : value.elements()) {
        collect(element, all);
    }
}

// The text with each of its values in turn replaced by another one.
std::vector<std::string> variants(const std::string &text) {
    json::Document document;
    REQUIRE(document.parse(text));
    std::vector<std::string_view> all;
    collect(document.root(), all);
    std::vector<std::string> out;
    for (auto raw : all) {
        auto at = static_cast<std::size_t>(raw.data() - text.data());
        for (auto value : values) {
            out.push_back(text.substr(0, at) + std::string(value)
                          + text.substr(at + raw.size()));
        }
    }
    return out;
}

struct Frames final : wire::FrameSink {
    struct One {
        std::string event, data;
    };
    void on_frame(const wire::Frame &frame) override {
        all.push_back({std::string(frame.event), std::string(frame.data)});
    }
    std::vector<One> all;
};

// The status of the error that a stream of these frames ends with; 0: none.
int status_of_stream(const Format &provider,
                     const std::vector<Frames::One> &frames) {
    struct Sink final : chat::EventSink {
        void on_event(const chat::Event &event) override {
            if (event.type == chat::Event::Type::error) {
                status = http_status(event.error->kind);
            }
        }
        int status = 0;
    } sink;
    auto reader = provider.make_reader();
    for (const auto &one : frames) {
        wire::Frame frame;
        frame.event = one.event;
        frame.data = one.data;
        reader->read(frame, sink);
    }
    reader->end(sink);
    return sink.status;
}

}  // namespace

TEST_CASE("senseless answers are a bad gateway, in every format",
          "[senseless]") {
    for (const Format *provider : formats()) {
        for (const auto &text : variants(answer_of(*provider, false))) {
            std::pmr::monotonic_buffer_resource memory;
            json::Document document;
            REQUIRE(document.parse(text));
            auto response = provider->parse_response(document, &memory);
            INFO(provider->name() << ": " << text);
            CHECK((response || http_status(response.error().kind) == 502));
        }
    }
}

TEST_CASE("senseless events are a bad gateway, in every format",
          "[senseless]") {
    for (const Format *provider : formats()) {
        Frames frames;
        auto framer = provider->make_framer(std::size_t{1} << 20);
        REQUIRE(framer->feed(answer_of(*provider, true), frames));
        REQUIRE(framer->finish(frames));
        REQUIRE(status_of_stream(*provider, frames.all) == 0);

        for (auto &frame : frames.all) {
            if (!frame.data.starts_with('{')) {
                continue;
            }
            std::string whole = frame.data;
            for (const auto &text : variants(whole)) {
                frame.data = text;
                int status = status_of_stream(*provider, frames.all);
                INFO(provider->name() << ": " << text);
                CHECK((status == 0 || status == 502));
            }
            frame.data = whole;
        }
    }
}
