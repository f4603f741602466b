#include "catch.hpp"
#include "events.hpp"
#include "exchange.hpp"

using namespace llm;
using testing::events_of;
using testing::sum_of_response;
using testing::sum_of_stream;
using testing::translate_stream;

namespace {

std::string event(std::string_view type, std::string_view data) {
    std::string out;
    wire::append_event_message(out, type, data);
    return out;
}

std::string exception(std::string_view type, std::string_view data) {
    std::string out;
    wire::append_event_message(out, type, data, true);
    return out;
}

const std::string start = event("messageStart", R"({"role":"assistant"})");

std::string delta(int index, std::string_view what) {
    // AWS pads its events so that their size tells nothing.
    return event("contentBlockDelta",
                 R"({"contentBlockIndex":)" + std::to_string(index)
                     + R"(,"delta":)" + std::string(what)
                     + R"(,"p":"abcdefgh"})");
}

std::string text(int index, std::string_view what) {
    return delta(index, R"({"text":")" + std::string(what) + R"("})");
}

std::string tool(int index, std::string_view id, std::string_view name) {
    return event("contentBlockStart",
                 R"({"contentBlockIndex":)" + std::to_string(index)
                     + R"(,"start":{"toolUse":{"toolUseId":")"
                     + std::string(id) + R"(","name":")" + std::string(name)
                     + R"("}}})");
}

std::string input(int index, std::string_view json) {
    std::string literal;
    json::append_string(literal, json);
    return delta(index, R"({"toolUse":{"input":)" + literal + "}}");
}

std::string block_stop(int index) {
    return event("contentBlockStop",
                 R"({"contentBlockIndex":)" + std::to_string(index) + "}");
}

std::string stop(std::string_view reason) {
    return event("messageStop",
                 R"({"stopReason":")" + std::string(reason) + R"("})");
}

const std::string metadata = event(
    "metadata",
    R"({"usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5},"metrics":{"latencyMs":7}})");

std::string events(std::string_view stream) {
    return events_of(bedrock_format(), stream);
}

// What a client of this API hears, an event a line.
std::string lines(std::string_view stream) {
    struct Sink : wire::FrameSink {
        void on_frame(const wire::Frame &frame) override {
            text += (frame.failure ? "!" : "") + std::string(frame.event) + " "
                    + std::string(frame.data) + "\n";
        }
        std::string text;
    };
    Sink sink;
    wire::EventStreamFramer framer;
    REQUIRE(framer.feed(stream, sink));
    REQUIRE(framer.finish(sink));
    return sink.text;
}

std::string chunk(std::string_view delta, std::string_view finish = "null") {
    return R"(data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":)"
           + std::string(delta) + R"(,"finish_reason":)" + std::string(finish)
           + "}]}\n\n";
}

const std::string openai_end =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,"
    "\"completion_tokens\":2,\"total_tokens\":5}}\n\ndata: [DONE]\n\n";

std::string from_openai(std::string_view stream) {
    AnswerContext context;
    context.unique = "u";
    return lines(translate_stream(openai_format(), bedrock_format(), stream,
                                  context));
}

const std::string end_lines =
    "metadata {\"usage\":{\"inputTokens\":3,\"outputTokens\":2,"
    "\"totalTokens\":5},\"metrics\":{\"latencyMs\":0}}\n";

}  // namespace

TEST_CASE("bedrock stream: text, which has no start of its own") {
    CHECK(events(start + text(0, "Hel") + text(0, "lo") + block_stop(0)
                 + stop("end_turn") + metadata)
          == "start   0\ntext Hel\ntext lo\nfinish stop (end_turn)\n"
             "usage 3+2=5 cached 0 reasoning 0\ndone\n");
}

TEST_CASE("bedrock stream: everything that it can hold") {
    std::string stream =
        start + delta(0, R"({"reasoningContent":{"text":"hm"}})")
        + delta(0, R"({"reasoningContent":{"signature":"sig"}})")
        + block_stop(0)
        + delta(1, R"({"reasoningContent":{"redactedContent":"cmVk"}})")
        + block_stop(1) + text(2, "a") + block_stop(2) + tool(3, "t1", "f")
        + input(3, R"({"x":)") + input(3, "1}") + block_stop(3)
        + tool(4, "t2", "g") + block_stop(4)
        + event("contentBlockStart",
                R"({"contentBlockIndex":5,"start":{"image":{"format":"jpeg"}}})")
        + delta(5, R"({"image":{"source":{"bytes":"aW1n"}}})") + block_stop(5)
        + stop("tool_use")
        + event("metadata",
                R"({"usage":{"inputTokens":3,"outputTokens":2,"totalTokens":9,"cacheReadInputTokens":4},"metrics":{"latencyMs":7}})");
    CHECK(events(stream)
          == "start   0\nreasoning hm\nsignature sig\nredacted cmVk\ntext a\n"
             "call 0 t1 f\narguments 0 {\"x\":\narguments 0 1}\n"
             "call 1 t2 g\narguments 1 {}\n"
             "image image/jpeg aW1n\nfinish tool_calls (tool_use)\n"
             "usage 7+2=9 cached 4 reasoning 0\ndone\n");
    // Written again it says the same.
    std::string written =
        translate_stream(bedrock_format(), bedrock_format(), stream);
    CHECK(events(written) == events(stream));
}

TEST_CASE("bedrock stream: it stays as it is in the same format") {
    std::string stream = start + text(0, "a") + stop("end_turn") + metadata;
    testing::StreamRun run(bedrock_format());
    run.run({stream});
    CHECK(run.relayed == stream);
}

TEST_CASE("bedrock stream: calls of tools are given back under their names") {
    std::string heard =
        events(start + tool(0, "a", "llm_name_files-2eread") + input(0, "{}")
               + block_stop(0) + tool(1, "b", "llm_custom_sql")
               + input(1, R"({"input":"sel)") + input(1, R"(ect 1"})")
               + block_stop(1) + stop("tool_use") + metadata);
    CHECK(heard.find("call 0 a files.read\n") != std::string::npos);
    CHECK(heard.find("custom call 1 b sql\narguments 1 select 1\n")
          != std::string::npos);
}

TEST_CASE("bedrock stream: the tool that takes the answer is text again") {
    CHECK(events(start + tool(0, "t", "llm_structured_answer")
                 + input(0, R"({"city":)") + input(0, R"("Rome"})")
                 + block_stop(0) + stop("tool_use") + metadata)
          == "start   0\ntext {\"city\":\ntext \"Rome\"}\n"
             "finish stop (tool_use)\nusage 3+2=5 cached 0 reasoning 0\n"
             "done\n");
}

TEST_CASE("bedrock stream: tools that the provider runs itself are no calls") {
    std::string heard = events(
        start
        + event("contentBlockStart",
                R"({"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"s","type":"server_tool_use"}}})")
        + input(0, "{}") + block_stop(0)
        + event("contentBlockStart",
                R"({"contentBlockIndex":1,"start":{"toolResult":{"toolUseId":"t"}}})")
        + delta(1, R"({"toolResult":[{"text":"found"}]})") + block_stop(1)
        + text(2, "a") + stop("end_turn") + metadata);
    CHECK(heard == "start   0\ntext a\nfinish stop (end_turn)\n"
                   "usage 3+2=5 cached 0 reasoning 0\ndone\n");
}

TEST_CASE("bedrock stream: exceptions and errors") {
    CHECK(events(exception("throttlingException", R"({"message":"slow"})"))
          == "error 429 slow\n");
    CHECK(events(start + text(0, "a")
                 + exception("serviceUnavailableException",
                             R"({"message":"busy"})")
                 + stop("end_turn"))
          == "start   0\ntext a\nerror 503 busy\n");
    CHECK(events(exception("validationException", R"({"message":"bad"})"))
          == "error 400 bad\n");
    CHECK(events(exception("internalServerException", "{}"))
          == "error 500 the provider's stream failed "
             "(internalServerException)\n");
    CHECK(events(exception(
              "modelStreamErrorException",
              R"({"message":"m","originalStatusCode":429,"originalMessage":"o"})"))
          == "error 429 m\n");
    CHECK(events(exception("modelStreamErrorException",
                           R"({"originalMessage":"o"})"))
          == "error 500 o\n");
    CHECK(events(exception("aNewException", "not json"))
          == "error 500 not json\n");
}

TEST_CASE("bedrock stream: what is cut off is an error") {
    std::string wanted = "the provider's stream ended before the answer was "
                         "complete\n";
    for (const std::string &stream :
         {std::string(), start, start + text(0, "a"),
          start + tool(0, "t", "f") + input(0, "{")}) {
        CHECK(events(stream).ends_with("error 502 " + wanted));
    }
    // All but the usage is there.
    CHECK(events(start + text(0, "a") + stop("max_tokens"))
          == "start   0\ntext a\nfinish length (max_tokens)\ndone\n");
}

TEST_CASE("bedrock stream: events out of order, twice, or of no sense") {
    // Usage first.
    CHECK(events(start + metadata + text(0, "a") + stop("end_turn"))
          == "start   0\nusage 3+2=5 cached 0 reasoning 0\ntext a\n"
             "finish stop (end_turn)\ndone\n");
    // No start; an end that comes twice; more after the end.
    CHECK(events(text(0, "a") + stop("end_turn") + stop("max_tokens")
                 + text(0, "b") + metadata + metadata
                 + exception("throttlingException", "{}"))
          == "start   0\ntext a\nfinish stop (end_turn)\n"
             "usage 3+2=5 cached 0 reasoning 0\ndone\n");
    CHECK(events(start + start)
          == "start   0\nerror 502 the provider began its answer twice\n");
    CHECK(events(start + tool(0, "t", "f") + tool(0, "t", "f"))
          == "start   0\ncall 0 t f\nerror 502 the provider began a block of "
             "its answer twice\n");
    CHECK(events(start + input(0, "{}"))
          == "start   0\nerror 502 the provider sent the input of a tool "
             "call that it had not begun\n");
    CHECK(events(start + event("contentBlockDelta", "[1"))
          == "start   0\nerror 502 the provider sent an event that is no JSON "
             "object\n");
    CHECK(events(start + stop("malformed_model_output"))
          == "start   0\nerror 502 the model's answer makes no sense "
             "(malformed_model_output)\n");
    // Members of the wrong type say nothing.
    CHECK(events(start + delta(0, R"({"text":7})") + delta(0, "[]")
                 + block_stop(9) + event("aNewEvent", "?") + stop("end_turn")
                 + event("metadata", R"({"usage":{"inputTokens":"3"}})"))
          == "start   0\nfinish stop (end_turn)\ndone\n");
}

TEST_CASE("bedrock stream: a damaged message breaks it off") {
    std::string stream = start + text(0, "a") + stop("end_turn");
    stream[stream.size() - 20] ^= 1;
    auto framer = bedrock_format().make_framer(std::size_t{1} << 20);
    testing::StreamRun run(bedrock_format());
    auto outcome = framer->feed(stream, run);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().kind == ErrorKind::bad_gateway);
    CHECK(run.events == std::vector<std::string>{"start   0", "text a"});
}

TEST_CASE("bedrock stream to a client: text and tools") {
    CHECK(from_openai(chunk(R"({"role":"assistant","content":""})")
                      + chunk(R"({"content":"Hel"})")
                      + chunk(R"({"content":"lo"})")
                      + chunk(R"({"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]})")
                      + chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}]})")
                      + chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]})")
                      + chunk("{}", "\"stop\"") + openai_end)
          == "messageStart {\"role\":\"assistant\"}\n"
             "contentBlockDelta {\"delta\":{\"text\":\"Hel\"},\"contentBlockIndex\":0}\n"
             "contentBlockDelta {\"delta\":{\"text\":\"lo\"},\"contentBlockIndex\":0}\n"
             "contentBlockStop {\"contentBlockIndex\":0}\n"
             "contentBlockStart {\"start\":{\"toolUse\":{\"toolUseId\":\"c1\",\"name\":\"f\"}},\"contentBlockIndex\":1}\n"
             "contentBlockDelta {\"delta\":{\"toolUse\":{\"input\":\"{\\\"x\\\":\"}},\"contentBlockIndex\":1}\n"
             "contentBlockDelta {\"delta\":{\"toolUse\":{\"input\":\"1}\"}},\"contentBlockIndex\":1}\n"
             "contentBlockStop {\"contentBlockIndex\":1}\n"
             "messageStop {\"stopReason\":\"tool_use\"}\n"
             + end_lines);
}

TEST_CASE("bedrock stream to a client: blocks do not overlap") {
    // Two calls whose fragments come in turns.
    auto fragment = [](int index, std::string_view text) {
        return chunk(R"({"tool_calls":[{"index":)" + std::to_string(index)
                     + R"(,"function":{"arguments":)" + std::string(text)
                     + "}}]}");
    };
    std::string heard = translate_stream(
        openai_format(), bedrock_format(),
        chunk(R"({"role":"assistant","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}},{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}]})")
            + fragment(0, R"("{\"x\":")") + fragment(1, R"("{\"y\":")")
            + fragment(0, R"("1}")") + fragment(1, R"("2}")")
            + chunk("{}", "\"tool_calls\"") + openai_end);
    int open = -1;
    for (std::string line = lines(heard); !line.empty();
         line.erase(0, line.find('\n') + 1)) {
        int index = line[line.find("contentBlockIndex") + 19] - '0';
        if (line.starts_with("contentBlockStart")) {
            CHECK(open == -1);
            open = index;
        } else if (line.starts_with("contentBlockDelta")) {
            CHECK(open == index);
        } else if (line.starts_with("contentBlockStop")) {
            CHECK(open == index);
            open = -1;
        }
    }
    CHECK(sum_of_stream(bedrock_format(), heard)
              .find("call: a f {\"x\":1}\ncall: b g {\"y\":2}\n")
          != std::string::npos);
}

TEST_CASE("bedrock stream to a client: errors") {
    CHECK(from_openai(chunk(R"({"role":"assistant","content":"a"})")
                      + "data: {\"error\":{\"message\":\"slow\",\"code\":429}}\n\n")
          == "messageStart {\"role\":\"assistant\"}\n"
             "contentBlockDelta {\"delta\":{\"text\":\"a\"},\"contentBlockIndex\":0}\n"
             "!throttlingException {\"message\":\"slow\"}\n");
    // Cut off: no end that could be taken for one.
    std::string heard = from_openai(chunk(R"({"role":"assistant","content":"a"})"));
    CHECK(heard.find("messageStop") == std::string::npos);
    CHECK(heard.find("!modelStreamErrorException") != std::string::npos);
}

TEST_CASE("bedrock stream to a client: an answer without content") {
    CHECK(from_openai(chunk(R"({"role":"assistant","content":""})")
                      + chunk("{}", "\"length\"") + openai_end)
          == "messageStart {\"role\":\"assistant\"}\n"
             "messageStop {\"stopReason\":\"max_tokens\"}\n"
             + end_lines);
}

TEST_CASE("bedrock stream: every client hears what it says") {
    std::string stream =
        start + delta(0, R"({"reasoningContent":{"text":"hm"}})")
        + delta(0, R"({"reasoningContent":{"signature":"sig"}})")
        + block_stop(0) + text(1, "a") + block_stop(1) + tool(2, "t1", "f")
        + input(2, R"({"x":1})") + block_stop(2) + tool(3, "t2", "g")
        + input(3, R"({"y":2})") + block_stop(3) + stop("tool_use") + metadata;
    std::string sum = sum_of_stream(bedrock_format(), stream);
    AnswerContext context;
    context.request_model = "m";
    context.include_usage = true;
    context.unique = "u";
    for (const Format *client :
         {&openai_format(), &anthropic_format(), &bedrock_format()}) {
        INFO(client->name());
        CHECK(sum_of_stream(*client, translate_stream(bedrock_format(),
                                                      *client, stream,
                                                      context))
              == sum);
    }
}
