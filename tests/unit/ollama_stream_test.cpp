#include "catch.hpp"
#include "events.hpp"
#include "exchange.hpp"

using namespace llm;
using testing::events_of;
using testing::sum_of_response;
using testing::sum_of_stream;
using testing::translate_stream;

namespace {

std::string line(std::string_view message, std::string_view more = R"("done":false)") {
    return R"({"model":"m","created_at":"2023-08-04T19:22:45.499127Z","message":)"
           + std::string(message) + "," + std::string(more) + "}\n";
}

std::string last(std::string_view more = R"(,"done_reason":"stop","prompt_eval_count":3,"eval_count":2)") {
    return line(R"({"role":"assistant","content":""})", R"("done":true)" + std::string(more));
}

std::string openai_chunk(std::string_view delta, std::string_view finish = "null") {
    return R"(data: {"id":"c","created":1691176965,"model":"gpt","choices":[{"index":0,"delta":)"
           + std::string(delta) + R"(,"finish_reason":)" + std::string(finish) + "}]}\n\n";
}

constexpr std::string_view head = R"({"model":"gpt","created_at":"2023-08-04T19:22:45Z",)";

std::string out_line(std::string_view rest) {
    return std::string(head) + std::string(rest) + "\n";
}

}  // namespace

TEST_CASE("ollama: a stream of thoughts and text, cut anywhere") {
    CHECK(events_of(ollama_format(),
              line(R"({"role":"assistant","content":"","thinking":"hm"})") + line(R"({"role":"assistant","content":"H\u00e9"})")
              + line(R"({"role":"assistant","content":"😀"})") + last())
          == "start  m 1691176965\nreasoning hm\ntext Hé\ntext 😀\nfinish stop\nusage 3+2=5 cached 0 reasoning 0\ndone\n");
}

TEST_CASE("ollama: a stream says the same as the whole answer") {
    std::string message = R"({"role":"assistant","content":"Hi","thinking":"hm","tool_calls":[{"id":"a","function":{"name":"f","arguments":{"x": 1}}},{"id":"b","function":{"name":"g","arguments":{}}}]})";
    std::string whole = R"({"model":"m","created_at":"2023-08-04T19:22:45.499127Z","message":)" + message
                        + R"(,"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":2})";
    CHECK(sum_of_stream(ollama_format(), line(message) + last()) == sum_of_response(ollama_format(), whole));
}

TEST_CASE("ollama: calls in a stream count from 0, in one line or in several") {
    std::string one = line(R"({"role":"assistant","content":"","tool_calls":[{"id":"a","function":{"index":5,"name":"f","arguments":{"x":1}}},{"id":"b","function":{"index":5,"name":"g","arguments":{}}}]})");
    std::string two = line(R"({"role":"assistant","content":"","tool_calls":[{"id":"a","function":{"name":"f","arguments":{"x":1}}}]})")
                      + line(R"({"role":"assistant","content":"","tool_calls":[{"id":"b","function":{"name":"g","arguments":{}}}]})");
    std::string events = "start  m 1691176965\ncall 0 a f\narguments 0 {\"x\":1}\ncall 1 b g\narguments 1 {}\nfinish tool_calls (stop)\nusage 3+2=5 cached 0 reasoning 0\ndone\n";
    CHECK(events_of(ollama_format(), one + last()) == events);
    CHECK(events_of(ollama_format(), two + last()) == events);
}

TEST_CASE("ollama: the call of a free-form tool, in a stream and whole") {
    constexpr std::string_view message = R"({"role":"assistant","content":"","tool_calls":[{"id":"s_1","function":{"name":"llm_custom_sql","arguments":{"input":"select\n1"}}}]})";
    CHECK(events_of(ollama_format(), line(message) + last())
          .starts_with("start  m 1691176965\ncustom call 0 s_1 sql\narguments 0 select\n1\nfinish tool_calls"));
    CHECK(testing::translate_response(ollama_format(), openai_format(), line(message, R"("done":true,"done_reason":"stop")"))
          .find(R"({"id":"s_1","type":"custom","custom":{"name":"sql","input":"select\n1"}})") != std::string::npos);
    // A model that does not do as it was told has said something all the same.
    CHECK(events_of(ollama_format(), line(R"({"role":"assistant","tool_calls":[{"id":"s_1","function":{"name":"llm_custom_sql","arguments":{"q":1}}}]})") + last())
          .find("arguments 0 {\"q\":1}\n") != std::string::npos);
}

TEST_CASE("ollama: an error in a stream ends it") {
    CHECK(events_of(ollama_format(), line(R"({"role":"assistant","content":"H"})") + "{\"error\":\"an error was encountered while running the model\"}\n" + last())
          == "start  m 1691176965\ntext H\nerror 500 an error was encountered while running the model\n");
    CHECK(events_of(ollama_format(), "{\"error\":\"busy\",\"status\":503}\n") == "error 503 busy\n");
}

TEST_CASE("ollama: a stream that breaks off is an error") {
    constexpr auto cut = "error 502 the provider's stream ended before the answer was complete\n";
    CHECK(events_of(ollama_format(), "") == cut);
    CHECK(events_of(ollama_format(), line(R"({"role":"assistant","content":"H"})")) == std::string("start  m 1691176965\ntext H\n") + cut);
    CHECK(events_of(ollama_format(), line(R"({"role":"assistant","content":"H"})") + "{\"model\":\"m\",\"mess")
          == "start  m 1691176965\ntext H\nerror 502 the provider's stream holds a line that is no JSON object\n");
}

TEST_CASE("ollama: streams that make no sense") {
    CHECK(events_of(ollama_format(), "null\n") == "error 502 the provider's stream holds a line that is no JSON object\n");
    CHECK(events_of(ollama_format(), line(R"({"tool_calls":[{"function":{"arguments":{}}}]})"))
          == "start  m 1691176965\nerror 502 the provider's stream holds a tool call without a name\n");
    // What comes after the end does not count, nor do blank lines.
    CHECK(events_of(ollama_format(), "\n" + last("") + "\n" + last() + "x\n") == "start  m 1691176965\nfinish stop ()\ndone\n");
    // Wrong types are nothing.
    CHECK(events_of(ollama_format(), line(R"({"content":7,"thinking":[],"tool_calls":"x"})") + last("")) == "start  m 1691176965\nfinish stop ()\ndone\n");
}

TEST_CASE("ollama: logprobs of a stream") {
    CHECK(events_of(ollama_format(), line(R"({"content":"x"})", R"("logprobs":[{"token":"x","logprob":-1}],"done":false)") + last(""))
          == "start  m 1691176965\ntext x\nlogprobs {\"content\":[{\"token\":\"x\",\"logprob\":-1}]}\nfinish stop ()\ndone\n");
}

TEST_CASE("ollama: its clients get OpenAI's stream line by line") {
    std::string openai =
        openai_chunk(R"({"role":"assistant","content":""})") + openai_chunk(R"({"reasoning_content":"hm"})")
        + openai_chunk(R"({"content":"Hi"})")
        + openai_chunk(R"({"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]})")
        + openai_chunk(R"({"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}]})")
        + openai_chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]})")
        + openai_chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":":\n1}"}}]})")
        + openai_chunk("{}", "\"tool_calls\"")
        + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
    CHECK(translate_stream(openai_format(), ollama_format(), openai, {})
          == out_line(R"("message":{"role":"assistant","content":"","thinking":"hm"},"done":false})")
             + out_line(R"("message":{"role":"assistant","content":"Hi"},"done":false})")
             + out_line(R"("message":{"role":"assistant","content":"","tool_calls":[{"id":"a","function":{"index":0,"name":"f","arguments":{"x": 1}}},{"id":"b","function":{"index":1,"name":"g","arguments":{}}}]},"done":false})")
             + out_line(R"("message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":2})"));
}

TEST_CASE("ollama: streams of /api/generate have their text elsewhere") {
    std::string stream =
        R"({"model":"m","created_at":"2023-08-04T19:22:45Z","response":"","thinking":"hm","done":false})" "\n"
        R"({"model":"m","created_at":"2023-08-04T19:22:45Z","response":"Hi","done":false})" "\n"
        R"({"model":"m","created_at":"2023-08-04T19:22:45Z","response":"","done":true,"done_reason":"length","context":[1],"eval_count":2})" "\n";
    CHECK(events_of(ollama_generate_format(), stream)
          == "start  m 1691176965\nreasoning hm\ntext Hi\nfinish length\nusage 0+2=2 cached 0 reasoning 0\ndone\n");
    CHECK(translate_stream(openai_format(), ollama_generate_format(),
              openai_chunk(R"({"content":"Hi"})") + openai_chunk("{}", "\"stop\"") + "data: [DONE]\n\n", {})
          == out_line(R"("response":"Hi","done":false})") + out_line(R"("response":"","done":true,"done_reason":"stop"})"));
}

TEST_CASE("ollama: its clients hear of errors, keep-alives and images in lines") {
    auto writer = ollama_format().make_writer({.request_model = "gpt", .now = 1691176965});
    auto write = [&](auto set) {
        chat::Event event;
        set(event);
        std::string out;
        writer->write(event, out);
        return out;
    };
    using Type = chat::Event::Type;
    CHECK(write([](auto &e) { e.type = Type::ping; }) == out_line(R"("message":{"role":"assistant","content":""},"done":false})"));
    CHECK(write([](auto &e) { e.type = Type::image; e.text = "AAAA"; }) == out_line(R"("message":{"role":"assistant","content":"","images":["AAAA"]},"done":false})"));
    CHECK(write([](auto &e) { e.type = Type::text; e.text = "x"; e.choice = 1; }) == "");
    Error error{ErrorKind::server, "failed", {}, {}, 0, {}};
    CHECK(write([&](auto &e) { e.type = Type::error; e.error = &error; }) == "{\"error\":\"failed\"}\n");
    CHECK(write([](auto &e) { e.type = Type::done; }) == "");
}
