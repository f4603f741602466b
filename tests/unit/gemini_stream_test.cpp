#include "catch.hpp"

#include <memory_resource>

#include "events.hpp"
#include "exchange.hpp"
#include "llm/assemble.hpp"
#include "llm/exchange.hpp"

using namespace llm;
using testing::events_of;
using testing::sum_of_response;
using testing::sum_of_stream;
using testing::translate_stream;

namespace {

std::string event(std::string_view json) {
    return "data: " + std::string(json) + "\r\n\r\n";
}

std::string chunk(std::string_view parts, std::string_view more = {}) {
    return event(R"({"candidates":[{"content":{"parts":[)"
                 + std::string(parts) + R"(],"role":"model"})"
                 + std::string(more)
                 + R"(}],"modelVersion":"g","responseId":"r"})");
}

constexpr std::string_view stop = R"(,"finishReason":"STOP")";

std::string events(std::string_view stream) {
    return events_of(gemini_format(), stream);
}

AnswerContext context(std::string_view query = "alt=sse") {
    AnswerContext context;
    context.request_model = "asked";
    context.unique = "unique";
    context.now = 1700000000;
    context.include_usage = true;
    context.query = query;
    return context;
}

std::string to_client(const Format &client, std::string_view stream) {
    return translate_stream(gemini_format(), client, stream, context());
}

std::string from_anthropic(std::string_view stream, std::string_view query) {
    return translate_stream(anthropic_format(), gemini_format(), stream,
                            context(query));
}

const std::string claude =
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"claude\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n"
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n"
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}\n\n"
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"QUJD\"}}\n\n"
    "event: ping\ndata: {\"type\":\"ping\"}\n\n"
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n"
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"f\",\"input\":{}}}\n\n"
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":\"}}\n\n"
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"1}\"}}\n\n"
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":9}}\n\n"
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

}  // namespace

TEST_CASE("gemini stream: text, thoughts, calls and usage that is not added up") {
    CHECK(events(
              event(R"({"candidates":[{"content":{"parts":[{"text":"h\u00e9","thought":true}]},"index":0}],"usageMetadata":{"promptTokenCount":7,"thoughtsTokenCount":2,"totalTokenCount":9},"modelVersion":"g","createTime":"2026-01-02T03:04:05Z","responseId":"r"})")
              + chunk(R"({"text":"Hi "})")
              + chunk(R"({"text":"there"},{"functionCall":{"id":"a","name":"f","args":{"x":1}},"thoughtSignature":"U0lH"},{"functionCall":{"id":"b","name":"g"}})")
              + event(R"({"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"thoughtsTokenCount":2,"totalTokenCount":14}})"))
          == "start r g 1767323045\n"
             "reasoning h\xC3\xA9\n"
             "usage 7+2=9 cached 0 reasoning 2\n"
             "text Hi \n"
             "text there\n"
             "call 0 a f\n"
             "arguments 0 {\"x\":1}\n"
             "call 1 b g\n"
             "arguments 1 {}\n"
             "finish tool_calls (STOP)\n"
             "usage 7+7=14 cached 0 reasoning 2\n"
             "done\n");
}

TEST_CASE("gemini stream: calls of several chunks are counted through") {
    std::string stream = chunk(R"({"functionCall":{"name":"f","args":{}}})")
                         + chunk(R"({"functionCall":{"name":"f","args":{}}})")
                         + event(R"({"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3}})");
    std::string out = to_client(openai_format(), stream);
    CHECK(out.find(R"("tool_calls":[{"index":0,"id":"call_)") != std::string::npos);
    CHECK(out.find(R"("tool_calls":[{"index":1,"id":"call_)") != std::string::npos);
    CHECK(out.find(R"("finish_reason":"tool_calls")") != std::string::npos);
    // The same ids as in a whole answer.
    CHECK(sum_of_stream(gemini_format(), stream)
          == sum_of_response(gemini_format(), R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3},"responseId":"r"})"));
}

TEST_CASE("gemini stream: signatures and images reach OpenAI's clients") {
    std::string out = to_client(
        openai_format(),
        chunk(R"({"inlineData":{"mimeType":"image/png","data":"AAAA"}})")
            + chunk(R"({"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"U0lH"})")
            + chunk(R"({"text":"","thoughtSignature":"VEVY"})", stop));
    CHECK(out.find(R"("delta":{"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"},"index":0}]})") != std::string::npos);
    CHECK(out.find(R"("tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""},"extra_content":{"google":{"thought_signature":"U0lH"}}}])") != std::string::npos);
    CHECK(out.find(R"("delta":{"extra_content":{"google":{"thought_signature":"VEVY"}}})") != std::string::npos);

    // And what an OpenAI-compatible server streams of them is read again.
    std::string again = translate_stream(openai_format(), gemini_format(), out, context());
    CHECK(again.find(R"({"inlineData":{"mimeType":"image/png","data":"AAAA"}})") != std::string::npos);
    CHECK(again.find(R"({"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"U0lH"})") != std::string::npos);
    CHECK(again.find(R"({"text":"","thoughtSignature":"VEVY"})") != std::string::npos);

    CHECK(to_client(anthropic_format(), chunk(R"({"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"U0lH"})", stop)).find(R"("content_block":{"type":"redacted_thinking","data":"google:U0lH"})")
          != std::string::npos);
}

TEST_CASE("gemini stream: a whole answer put together keeps its images and proofs") {
    Assembler assembler(std::size_t{1} << 20);
    struct Frames final : wire::FrameSink {
        Frames(StreamReader &reader, chat::EventSink &sink)
            : reader(reader), sink(sink) {}
        void on_frame(const wire::Frame &frame) override {
            reader.read(frame, sink);
        }
        StreamReader &reader;
        chat::EventSink &sink;
    };
    auto reader = gemini_format().make_reader();
    auto framer = gemini_format().make_framer(1 << 20);
    Frames frames(*reader, assembler);
    REQUIRE(framer->feed(chunk(R"({"text":"Hi"})") + chunk(R"({"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"text":"there","thoughtSignature":"VEVY"})") + chunk(R"({"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"U0lH"})", stop), frames));
    reader->end(assembler);
    REQUIRE(assembler.state() == Assembler::State::complete);

    std::pmr::monotonic_buffer_resource memory;
    std::string whole;
    gemini_format().write_response(assembler.response(&memory), context(), whole);
    CHECK(whole.find(R"("parts":[{"text":"Hi"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"text":"there","thoughtSignature":"VEVY"},{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"U0lH"}])")
          != std::string::npos);

    struct Write final : chat::EventSink {
        void on_event(const chat::Event &event) override {
            writer->write(event, out);
        }
        std::unique_ptr<StreamWriter> writer =
            gemini_format().make_writer(context());
        std::string out;
    } write;
    replay(assembler.response(&memory), write);
    CHECK(write.out.find(R"({"inlineData":{"mimeType":"image/png","data":"AAAA"}})") != std::string::npos);
    CHECK(write.out.find(R"({"text":"there","thoughtSignature":"VEVY"})") != std::string::npos);
    CHECK(write.out.find(R"({"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"U0lH"})") != std::string::npos);
}

TEST_CASE("gemini stream: a prompt that is blocked") {
    CHECK(events(event(R"({"promptFeedback":{"blockReason":"PROHIBITED_CONTENT","blockReasonMessage":"no"},"responseId":"r"})"))
          == "start r  0\n"
             "refusal no\n"
             "finish content_filter (PROHIBITED_CONTENT)\n"
             "done\n");
}

TEST_CASE("gemini stream: what breaks off is no answer") {
    std::string ended = "error 502 the provider's stream ended before the answer was complete\n";
    CHECK(events("") == ended);
    CHECK(events(chunk(R"({"text":"a"})")) == "start r g 0\ntext a\n" + ended);
    // One of two candidates is not finished.
    CHECK(events(event(R"({"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"},{"index":1,"content":{"parts":[{"text":"b"}]}}]})"))
          == "start   0\ntext a\nfinish stop (STOP)\ntext@1 b\n" + ended);
    CHECK(events(chunk(R"({"text":"a"})") + "data: {\"candidates\": [\n\n")
          == "start r g 0\ntext a\nerror 502 the provider sent an event that is no JSON\n");
    CHECK(events(chunk("", R"(,"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"m")"))
          == "start r g 0\nerror 500 the model failed (MALFORMED_FUNCTION_CALL): m\n");
}

TEST_CASE("gemini stream: errors inside it, in any framing") {
    std::string error = R"({"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}})";
    std::string said = "start r g 0\ntext a\nerror 503 busy\n";
    std::string begun = chunk(R"({"text":"a"})");
    CHECK(events(begun + event(error)) == said);
    CHECK(events(begun + event("[" + error + "]")) == said);
    // As it is, over several lines, without a name and a blank line.
    CHECK(events(begun + "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"busy\",\n    \"status\": \"UNAVAILABLE\"\n  }\n}\n") == said);
    CHECK(events(event(error)) == "error 503 busy\n");
}

TEST_CASE("gemini stream: chunks out of order, twice, or without sense") {
    // What follows the end of a candidate is not for anybody.
    CHECK(events(chunk(R"({"text":"a"})", stop) + chunk(R"({"text":"b"})", stop))
          == "start r g 0\ntext a\nfinish stop (STOP)\ndone\n");
    CHECK(events(event("{}") + event("[]") + event("7") + event(R"({"candidates":{}})")
                 + event(R"({"candidates":[null,{"content":{"parts":[null,{"text":1},{"functionCall":{"args":1}}]}}],"usageMetadata":[]})")
                 + chunk(R"({"text":"a"})", stop))
          == "start   0\ntext a\nfinish stop (STOP)\nerror 502 the provider's stream ended before the answer was complete\n");
    CHECK(events(event(R"({"candidates":[{"index":-1,"content":{"parts":[{"text":"a"}]}}]})") + chunk(R"({"text":"b"})", stop))
          == "start   0\ntext b\nfinish stop (STOP)\ndone\n");
    // A call that comes in pieces, as only Google's own clients can want it.
    CHECK(events(chunk(R"({"functionCall":{"id":"a","name":"f","willContinue":true}})") + chunk(R"({"functionCall":{"partialArgs":[{"jsonPath":"$.x","stringValue":"y"}]}})") + chunk("", stop))
          == "start r g 0\ncall 0 a f\narguments 0 {}\nfinish tool_calls (STOP)\ndone\n");
}

TEST_CASE("gemini stream: for a client that wants events") {
    std::string out = from_anthropic(claude, "key=k&alt=sse");
    CHECK(out
          == event(R"({"candidates":[{"content":{"parts":[{"text":"hm","thought":true}],"role":"model"},"index":0}],"modelVersion":"claude","responseId":"msg_1"})")
             + event(R"({"candidates":[{"content":{"parts":[{"text":"","thought":true,"thoughtSignature":"llmSignatureQUJD"}],"role":"model"},"index":0}],"modelVersion":"claude","responseId":"msg_1"})")
             + event(R"({"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}],"modelVersion":"claude","responseId":"msg_1"})")
             + event(R"({"candidates":[{"content":{"parts":[{"functionCall":{"id":"t1","name":"f","args":{"a":1}}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":9,"totalTokenCount":12},"modelVersion":"claude","responseId":"msg_1"})"));
    CHECK(gemini_format().client_stream_type("key=k&alt=sse") == "text/event-stream");
}

TEST_CASE("gemini stream: for a client that wants an array") {
    std::string out = from_anthropic(claude, "");
    json::Document document;
    REQUIRE(document.parse(out));
    CHECK(document.root().size() == 4);
    CHECK(document.root().is_array());
    CHECK(gemini_format().client_stream_type("alt=json") == "application/json");

    // An array that breaks off says so, and is still one.
    std::string cut = from_anthropic(claude.substr(0, claude.find("event: message_delta")), "");
    REQUIRE(document.parse(cut));
    json::Value last;
    for (json::Value one : document.root().elements()) {
        last = one;
    }
    CHECK(last["error"]["code"].integer() == 502);
    REQUIRE(document.parse(from_anthropic("", "")));
    CHECK(document.root().size() == 1);
}

TEST_CASE("gemini stream: every chunk of an answer has a content") {
    AnswerContext events = context();
    events.query = "alt=sse";
    std::string out = translate_stream(
        openai_format(), gemini_format(),
        R"(data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-0.5,"top_logprobs":[]}]},"finish_reason":"stop"}]})"
        "\n\ndata: [DONE]\n\n",
        events);
    std::size_t chunks = 0;
    std::size_t contents = 0;
    for (std::size_t at = 0; (at = out.find("data: ", at)) != out.npos; ++at) {
        ++chunks;
    }
    for (std::size_t at = 0; (at = out.find(R"("content":{"parts":[{)", at)) != out.npos; ++at) {
        ++contents;
    }
    CHECK(out.find("logprobsResult") != out.npos);
    CHECK(chunks == 3);
    CHECK(contents == chunks);
}

TEST_CASE("gemini stream: an error is an event of its own") {
    std::string out = from_anthropic(claude.substr(0, claude.find("event: ping"))
                                         + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n",
                                     "alt=sse");
    CHECK(out.ends_with("data: {\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}\r\n\r\n"));
}

TEST_CASE("gemini exchange: a stream stays as it is where both want events") {
    std::string body = R"({"contents":[{"parts":[{"text":"hi"}]}]})";
    std::string stream = chunk(R"({"text":"a","new":1})") + chunk(R"({"text":"b"})", stop);
    auto run = [&](std::string_view query) {
        std::pmr::monotonic_buffer_resource memory;
        Exchange exchange(gemini_format(), body, {}, &memory);
        RouteMatch route{&gemini_format(), Operation::chat, "g", true, query};
        REQUIRE(exchange.open(route));
        exchange.set_context("unique", 1);
        Target target;
        target.format = &gemini_format();
        target.model = "g";
        REQUIRE(exchange.prepare(target));
        AnswerHead head;
        head.status = 200;
        head.content_type = "text/event-stream";
        exchange.begin(head);
        exchange.feed(stream);
        CHECK(exchange.finish() == Exchange::Step::complete);
        CHECK(exchange.account().complete);
        CHECK(exchange.content_type() == gemini_format().client_stream_type(query));
        return exchange.output();
    };
    CHECK(run("alt=sse") == stream);
    // Google is asked for events, whatever the client wants.
    std::string array = run("key=k");
    json::Document document;
    REQUIRE(document.parse(array));
    CHECK(document.root().size() == 3);
    CHECK((*document.root().elements().begin())["candidates"].is_array());
}
