#include "catch.hpp"
#include "events.hpp"
#include "exchange.hpp"

using namespace llm;
using testing::events_of;
using testing::sum_of_response;
using testing::sum_of_stream;
using testing::translate_stream;

namespace {

std::string event(std::string_view type, std::string_view members = "") {
    return "event: " + std::string(type) + "\ndata: {\"type\":\"" + std::string(type) + "\""
           + std::string(members) + "}\n\n";
}

std::string start() { return event("message-start", R"(,"id":"c-1","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}})"); }

std::string content(std::string_view part, std::string_view type = "content-delta", int index = 0) {
    return event(type, ",\"index\":" + std::to_string(index) + R"(,"delta":{"message":{"content":)" + std::string(part) + "}}");
}

std::string call(std::string_view type, int index, std::string_view call) {
    return event(type, ",\"index\":" + std::to_string(index) + R"(,"delta":{"message":{"tool_calls":)" + std::string(call) + "}}");
}

std::string end(std::string_view finish = "COMPLETE") {
    return event("message-end", R"(,"delta":{"finish_reason":")" + std::string(finish)
                 + R"(","usage":{"billed_units":{"input_tokens":1,"output_tokens":2},"tokens":{"input_tokens":3,"output_tokens":2}}})");
}

std::string openai_chunk(std::string_view delta, std::string_view finish = "null") {
    return R"(data: {"id":"c","created":1,"model":"gpt","choices":[{"index":0,"delta":)"
           + std::string(delta) + R"(,"finish_reason":)" + std::string(finish) + "}]}\n\n";
}

}  // namespace

TEST_CASE("cohere: a stream of thoughts and text, cut anywhere") {
    CHECK(events_of(cohere_format(),
              start() + content(R"({"type":"thinking","thinking":""})", "content-start") + content(R"({"thinking":"hm"})") + event("content-end", ",\"index\":0")
              + content(R"({"type":"text","text":"H"})", "content-start", 1) + content(R"({"text":"é😀"})", "content-delta", 1) + event("content-end", ",\"index\":1")
              + event("citation-start", R"(,"index":0,"delta":{"message":{"citations":{"start":0,"end":1}}})") + event("citation-end", ",\"index\":0")
              + event("debug", R"(,"prompt":"p")") + end() + "data: [DONE]\n\n")
          == "start c-1  0\nreasoning hm\ntext H\ntext é😀\nfinish stop (COMPLETE)\nusage 3+2=5 cached 0 reasoning 0\ndone\n");
}

TEST_CASE("cohere: calls in a stream, whose index counts what it likes") {
    std::string stream = start()
        + event("tool-plan-delta", R"(,"delta":{"message":{"tool_plan":"I will"}})")
        + call("tool-call-start", 1, R"({"id":"f_1","type":"function","function":{"name":"f","arguments":""}})")
        + call("tool-call-delta", 1, R"({"function":{"arguments":"{\"x\""}})") + call("tool-call-delta", 1, R"({"function":{"arguments":":1}"}})")
        + event("tool-call-end", ",\"index\":1")
        + call("tool-call-start", 2, R"({"id":"g_1","type":"function","function":{"name":"g","arguments":"{}"}})")
        + event("tool-call-end", ",\"index\":2") + end("TOOL_CALL");
    CHECK(events_of(cohere_format(), stream)
          == "start c-1  0\ntext I will\ncall 0 f_1 f\narguments 0 {\"x\"\narguments 0 :1}\ncall 1 g_1 g\narguments 1 {}\nfinish tool_calls (TOOL_CALL)\nusage 3+2=5 cached 0 reasoning 0\ndone\n");
    CHECK(sum_of_stream(cohere_format(), stream)
          == sum_of_response(cohere_format(), R"({"id":"c-1","finish_reason":"TOOL_CALL","message":{"role":"assistant","tool_plan":"I will","tool_calls":[{"id":"f_1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"g_1","type":"function","function":{"name":"g","arguments":"{}"}}]},"usage":{"tokens":{"input_tokens":3,"output_tokens":2}}})"));
}

TEST_CASE("cohere: the call of a free-form tool, in fragments and whole") {
    std::string stream = events_of(cohere_format(), start()
        + call("tool-call-start", 0, R"({"id":"s_1","type":"function","function":{"name":"llm_custom_sql","arguments":""}})")
        + call("tool-call-delta", 0, R"({"function":{"arguments":"{\"input\":\"sel"}})")
        + call("tool-call-start", 1, R"({"id":"f_1","type":"function","function":{"name":"f","arguments":"{}"}})")
        + call("tool-call-delta", 0, R"({"function":{"arguments":"ect\\n1\"}"}})")
        + event("tool-call-end", R"(,"index":0)") + end("TOOL_CALL"));
    CHECK(stream.starts_with("start c-1  0\ncustom call 0 s_1 sql\ncall 1 f_1 f\narguments 1 {}\narguments 0 select\n1\nfinish tool_calls"));
    // A model that does not do as it was told has said something all the same.
    CHECK(events_of(cohere_format(), start() + call("tool-call-start", 0, R"({"id":"s_1","function":{"name":"llm_custom_sql","arguments":"{\"q\":1}"}})") + end("TOOL_CALL"))
          .find("arguments 0 {\"q\":1}\n") != std::string::npos);

    std::string whole = R"({"id":"c-1","finish_reason":"TOOL_CALL","message":{"role":"assistant","tool_calls":[{"id":"s_1","type":"function","function":{"name":"llm_custom_sql","arguments":"{\"input\":\"select\\n1\"}"}}]}})";
    CHECK(testing::translate_response(cohere_format(), openai_format(), whole)
          .find(R"({"id":"s_1","type":"custom","custom":{"name":"sql","input":"select\n1"}})") != std::string::npos);
    CHECK(testing::translate_response(cohere_format(), responses_format(), whole)
          .find(R"("input":"select\n1","call_id":"s_1","name":"sql")") != std::string::npos);
}

TEST_CASE("cohere: an answer that failed in its stream") {
    CHECK(events_of(cohere_format(), start() + content(R"({"text":"H"})") + end("ERROR")) == "start c-1  0\ntext H\nerror 500 the provider failed before the answer was complete\n");
    CHECK(events_of(cohere_format(), start() + end("TIMEOUT")) == "start c-1  0\nerror 504 the provider ran out of time before the answer was complete\n");
    CHECK(events_of(cohere_format(), start() + event("message-end", R"(,"delta":{"error":"too hot"})")) == "start c-1  0\nerror 500 too hot\n");
    CHECK(events_of(cohere_format(), "data: {\"message\":\"no\"}\n\n") == "error 502 no\n");
    CHECK(events_of(cohere_format(), start() + "{\"message\":\"no\"}") == "start c-1  0\nerror 502 no\n");
}

TEST_CASE("cohere: a stream that breaks off is an error") {
    constexpr auto cut = "error 502 the provider's stream ended before the answer was complete\n";
    CHECK(events_of(cohere_format(), "") == cut);
    CHECK(events_of(cohere_format(), start() + content(R"({"text":"H"})")) == std::string("start c-1  0\ntext H\n") + cut);
    CHECK(events_of(cohere_format(), start() + "data: [DONE]\n\n") == std::string("start c-1  0\n") + cut);
}

TEST_CASE("cohere: streams that make no sense") {
    CHECK(events_of(cohere_format(), "data: x\n\n") == "error 502 the provider's stream holds an event that is not JSON\n");
    CHECK(events_of(cohere_format(), call("tool-call-delta", 0, R"({"function":{"arguments":"{"}})")) == "error 502 the provider's stream holds arguments of a tool call that has not begun\n");
    CHECK(events_of(cohere_format(), call("tool-call-start", 0, "{}")) == "start   0\nerror 502 the provider's stream holds a tool call without a name\n");
    // Without its start, and with everything twice.
    CHECK(events_of(cohere_format(), content(R"({"text":"H"})") + start() + start() + end() + end()) == "start   0\ntext H\nfinish stop (COMPLETE)\nusage 3+2=5 cached 0 reasoning 0\ndone\n");
}

TEST_CASE("cohere: its clients get OpenAI's stream event by event") {
    std::string openai =
        openai_chunk(R"({"role":"assistant","content":""})") + openai_chunk(R"({"reasoning_content":"hm"})") + openai_chunk(R"({"content":"Hi"})")
        + openai_chunk(R"({"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]})")
        + openai_chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":1}"}}]})")
        + openai_chunk(R"({"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}]})")
        + openai_chunk("{}", "\"tool_calls\"")
        + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
    std::string stream = translate_stream(openai_format(), cohere_format(), openai, {});
    CHECK(stream
          == event("message-start", R"(,"id":"c","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}})")
             + content(R"({"type":"thinking","thinking":""})", "content-start") + content(R"({"thinking":"hm"})") + event("content-end", ",\"index\":0")
             + content(R"({"type":"text","text":""})", "content-start", 1) + content(R"({"text":"Hi"})", "content-delta", 1) + event("content-end", ",\"index\":1")
             + call("tool-call-start", 0, R"({"id":"a","type":"function","function":{"name":"f","arguments":""}})") + call("tool-call-delta", 0, R"({"function":{"arguments":"{\"x\":1}"}})")
             + call("tool-call-start", 1, R"({"id":"b","type":"function","function":{"name":"g","arguments":""}})")
             + event("tool-call-end", ",\"index\":0") + call("tool-call-delta", 1, R"({"function":{"arguments":"{}"}})") + event("tool-call-end", ",\"index\":1")
             + event("message-end", R"(,"delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":3,"output_tokens":2},"tokens":{"input_tokens":3,"output_tokens":2},"cached_tokens":0}})"));
    // Arguments that are none have become an empty object.
    std::string said_by_openai = sum_of_stream(openai_format(), openai);
    said_by_openai.insert(said_by_openai.find("\nfinish:"), "{}");
    CHECK(sum_of_stream(cohere_format(), stream) == said_by_openai);
}

TEST_CASE("cohere: its clients hear of errors in the last event") {
    auto writer = cohere_format().make_writer({.unique = "u"});
    chat::Event one;
    one.type = chat::Event::Type::ping;
    std::string out;
    writer->write(one, out);
    CHECK(out == ": keep-alive\n\n");

    Error error{ErrorKind::server, "failed", {}, {}, 0, {}};
    one.type = chat::Event::Type::error;
    one.error = &error;
    out.clear();
    writer->write(one, out);
    CHECK(out == event("message-end", R"(,"delta":{"finish_reason":"ERROR","error":"failed"})"));
    out.clear();
    one.type = chat::Event::Type::done;
    writer->write(one, out);
    CHECK(out.empty());
}
