#include <string>
#include <vector>

#include "catch.hpp"
#include "events.hpp"

using namespace llm;
using testing::Pieces;
using testing::StreamRun;
using Lines = std::vector<std::string>;

namespace {

// A chunk of which only the choices matter.
std::string chunk(std::string_view choices, std::string_view more = "") {
    return R"(data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m","choices":)"
           + std::string(choices) + std::string(more) + "}\n\n";
}

std::string delta(std::string_view members) {
    return chunk(R"([{"index":0,"delta":{)" + std::string(members) +
                 R"(},"finish_reason":null}])");
}

std::string finish(std::string_view reason) {
    return chunk(R"([{"index":0,"delta":{},"finish_reason":")" +
                 std::string(reason) + R"("}])");
}

std::string calls(std::string_view list) {
    return delta(R"("tool_calls":[)" + std::string(list) + "]");
}

const std::string done = "data: [DONE]\n\n";
const std::string role = delta(R"("role":"assistant","content":"")");
const std::string usage_chunk =
    chunk("[]", R"(,"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5})");

struct Stream {
    const char *what;
    std::string bytes;
    Lines expected;
};

const std::string start = "start c1 m 7";
const std::string broken =
    "error 502 the provider's stream ended before the answer was complete";

const std::vector<Stream> streams = {
    {"OpenAI's own",
     role + delta(R"("content":"Hé")") + delta(R"("content":"llo")") +
         finish("stop") + usage_chunk + done,
     {start, "text Hé", "text llo", "finish stop",
      "usage 3+2=5 cached 0 reasoning 0", "done"}},
    {"no end marker", role + delta(R"("content":"a")") + finish("length"),
     {start, "text a", "finish length", "done"}},
    {"the end marker without its blank line",
     delta(R"("content":"a")") + finish("stop") + "data: [DONE]",
     {start, "text a", "finish stop", "done"}},
    {"an end marker instead of a finish reason",
     delta(R"("content":"a")") + done,
     {start, "text a", "finish stop ()", "done"}},
    {"an end marker and no answer", role + done, {start, broken}},
    {"nothing at all", "", {broken}},
    {"nothing but an end marker", done, {broken}},
    {"cut off in the middle", role + delta(R"("content":"a")"),
     {start, "text a", broken}},
    {"cut off within an event", role + R"(data: {"id":"c1","cho)",
     {start, "error 502 the provider's stream holds an event that is not JSON"}},
    {"CRLF, comments, an empty delta and a null one",
     ": OPENROUTER PROCESSING\r\n\r\ndata:{\"id\":\"c1\",\"model\":\"m\","
     "\"choices\":[{\"delta\":null}]}\r\n\r\n" +
         chunk(R"([{"delta":{"role":"","content":null}}])") +
         delta(R"("content":"a")") + finish("stop"),
     {"start c1 m 0", "text a", "finish stop", "done"}},
    {"Azure: the first chunk has neither id nor choices",
     "data: {\"id\":\"\",\"model\":\"\",\"object\":\"\",\"created\":0,"
     "\"choices\":[],\"prompt_filter_results\":[]}\n\n" +
         role + delta(R"("content":"a")") + finish("stop") + done,
     {start, "text a", "finish stop", "done"}},
    {"content and finish in one chunk, finish repeated",
     chunk(R"([{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}])") +
         finish("stop") + done,
     {start, "text a", "finish stop", "done"}},
    {"content as parts, thoughts among them",
     delta(R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"a"}])") +
         finish("model_length"),
     {start, "reasoning hm", "text a", "finish length (model_length)", "done"}},
    {"reasoning under both names",
     delta(R"("reasoning_content":"a","reasoning":"a")") +
         delta(R"("reasoning":"b","content":null)") +
         delta(R"("content":"c")") + finish("eos"),
     {start, "reasoning a", "reasoning b", "text c", "finish stop (eos)",
      "done"}},
    {"OpenRouter's reasoning details",
     delta(R"("reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a"}])") +
         delta(R"("reasoning_details":[{"type":"reasoning.text","signature":"s"}])") +
         delta(R"("reasoning_details":[{"type":"reasoning.encrypted","data":"d"}])") +
         delta(R"("content":"c")") + finish("stop"),
     {start, "reasoning a", "signature s", "redacted d", "text c",
      "finish stop", "done"}},
    {"thoughts stay in the text where the model puts them",
     delta(R"("content":"<think>x</think>y")") + finish("stop"),
     {start, "text <think>x</think>y", "finish stop", "done"}},
    {"a refusal", role + delta(R"("refusal":"no")") + finish("content_filter"),
     {start, "refusal no", "finish content_filter", "done"}},
    {"parallel tool calls, their arguments interleaved",
     role +
         calls(R"({"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}})") +
         calls(R"({"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{"}})") +
         calls(R"({"index":0,"function":{"arguments":"{\"x\":"}})") +
         calls(R"({"index":1,"function":{"arguments":"}"}},{"index":0,"function":{"arguments":"1}"}})") +
         finish("tool_calls") + done,
     {start, "call 0 a f", "call 1 b g", "arguments 1 {",
      "arguments 0 {\"x\":", "arguments 1 }", "arguments 0 1}",
      "finish tool_calls", "done"}},
    {"text beside a tool call, indices that start at 1, finish stop",
     delta(R"("content":"t","tool_calls":[{"index":1,"id":"a","function":{"name":"f","arguments":"{}"}}])") +
         finish("stop"),
     {start, "text t", "call 0 a f", "arguments 0 {}",
      "finish tool_calls (stop)", "done"}},
    {"the id is repeated, or empty, or the name is repeated",
     calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{"}})") +
         calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"1"}})") +
         calls(R"({"index":0,"id":"","function":{"name":"","arguments":"}"}})") +
         finish("tool_calls"),
     {start, "call 0 a f", "arguments 0 {", "arguments 0 1", "arguments 0 }",
      "finish tool_calls", "done"}},
    {"the index is always 0",
     calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"1"}})") +
         calls(R"({"index":0,"id":"b","function":{"name":"f","arguments":"2"}})") +
         calls(R"({"index":0,"function":{"arguments":"3"}})") +
         finish("tool_calls"),
     {start, "call 0 a f", "arguments 0 1", "call 1 b f", "arguments 1 2",
      "arguments 1 3", "finish tool_calls", "done"}},
    {"no index, ids only",
     calls(R"({"index":null,"id":"a","function":{"name":"f","arguments":"1"}})") +
         calls(R"({"id":"b","function":{"name":"f"}})") +
         calls(R"({"function":{"arguments":"2"}})") +
         calls(R"({"id":"a","function":{"arguments":"3"}})") +
         finish("tool_calls"),
     {start, "call 0 a f", "arguments 0 1", "call 1 b f", "arguments 1 2",
      "arguments 0 3", "finish tool_calls", "done"}},
    {"neither index nor id, arguments as objects",
     calls(R"({"id":"null","function":{"name":"f","arguments":{"a":1}}},{"function":{"name":"f","arguments":{}}})") +
         finish("tool_calls"),
     {start, "call 0 call_c1_0 f", "arguments 0 {\"a\":1}",
      "call 1 call_c1_1 f", "arguments 1 {}", "finish tool_calls", "done"}},
    {"arguments before the name",
     calls(R"({"index":0,"id":"a","function":{"arguments":"{"}})") +
         calls(R"({"index":0,"function":{"name":"f","arguments":"}"}})") +
         finish("tool_calls"),
     {start, "call 0 a f", "arguments 0 {", "arguments 0 }",
      "finish tool_calls", "done"}},
    {"a custom tool",
     calls(R"({"index":0,"id":"a","type":"custom","custom":{"name":"c","input":""}})") +
         calls(R"({"index":0,"custom":{"input":"free"}})") +
         finish("tool_calls"),
     {start, "custom call 0 a c", "arguments 0 free", "finish tool_calls",
      "done"}},
    {"the deprecated function_call",
     delta(R"("function_call":{"name":"f","arguments":""})") +
         delta(R"("function_call":{"arguments":"{}"})") +
         finish("function_call"),
     {start, "call 0 call_c1_0 f", "arguments 0 {}",
      "finish tool_calls (function_call)", "done"}},
    {"two choices",
     chunk(R"([{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"}}])") +
         chunk(R"([{"index":1,"delta":{},"finish_reason":"stop"}])") +
         chunk(R"([{"index":0,"delta":{},"finish_reason":"length"}])"),
     {start, "text@1 b", "text a", "finish@1 stop", "finish length", "done"}},
    {"two choices, one of them cut off",
     chunk(R"([{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}])") +
         chunk(R"([{"index":1,"delta":{"content":"b"}}])"),
     {start, "text a", "finish stop", "text@1 b", broken}},
    {"log probabilities",
     chunk(R"([{"index":0,"delta":{"content":"a"},"logprobs":{"content":[]}}])") +
         finish("stop"),
     {start, "text a", "logprobs {\"content\":[]}", "finish stop", "done"}},
    {"usage in every chunk, in details and in other words",
     chunk(R"([{"delta":{"content":"a"}}])",
           R"(,"usage":{"prompt_tokens":9,"completion_tokens":1,"prompt_cache_hit_tokens":4})") +
         chunk(R"([{"delta":{},"finish_reason":"stop"}])",
               R"(,"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}})"),
     {start, "text a", "usage 9+1=10 cached 4 reasoning 0", "finish stop",
      "usage 9+5=14 cached 4 reasoning 3", "done"}},
    {"usage of Groq and of Moonshot",
     chunk(R"([{"delta":{"content":"a"}}])",
           R"(,"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":1}})") +
         chunk(R"([{"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":1,"completion_tokens":2}}])"),
     {start, "text a", "usage 1+1=2 cached 0 reasoning 0", "finish stop",
      "usage 1+2=3 cached 0 reasoning 0", "done"}},
    {"vLLM says which sequence stopped it",
     chunk(R"([{"delta":{"content":"a"},"finish_reason":"stop","stop_reason":"END"}])"),
     {start, "text a", "finish stop at END", "done"}},
    {"an error as the first event",
     "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\","
     "\"code\":503}}\n\n" + done,
     {"error 503 overloaded"}},
    {"an error in the middle, and nothing after it counts",
     role + delta(R"("content":"a")") +
         chunk(R"([{"delta":{},"finish_reason":"error"}])",
               R"(,"error":{"code":429,"message":"slow"})") +
         delta(R"("content":"b")") + done,
     {start, "text a", "error 429 slow"}},
    {"an error that is a string, one in x_groq, one by the event's name",
     "data: {\"error\":\"boom\"}\n\n", {"error 500 boom"}},
    {"an error in Groq's member",
     "data: {\"x_groq\":{\"error\":\"boom\"},\"choices\":[]}\n\n",
     {"error 500 boom"}},
    {"an error by the event's name", "event: error\ndata: {\"a\":1}\n\n",
     {"error 500 the provider reported an error"}},
    {"an error that is no event",
     role + "{\n \"error\": {\n  \"code\": 503, \"message\": \"gone\" }\n}\n",
     {start, "error 503 gone"}},
    {"a finish reason that is an error",
     delta(R"("content":"a")") + finish("insufficient_system_resource"),
     {start, "text a",
      "error 500 the provider failed before the answer was complete"}},
    {"JSON that is no chunk",
     "data: null\n\ndata: [1]\n\ndata: 5\n\ndata: {\"choices\":{}}\n\n" + role +
         delta(R"("content":"a")") + finish("stop"),
     {start, "text a", "finish stop", "done"}},
    {"data on several lines",
     "data: {\"id\":\"c1\",\"model\":\"m\",\ndata: \"choices\":[{\"delta\":"
     "{\"content\":\"a\"},\ndata: \"finish_reason\":\"stop\"}]}\n\n",
     {"start c1 m 0", "text a", "finish stop", "done"}},
};

std::string written(std::string_view bytes, const AnswerContext &context) {
    StreamRun run(openai_format());
    run.writer = openai_format().make_writer(context);
    run.run({bytes});
    return run.written;
}

std::string relayed(const Pieces &pieces, bool include_usage = false) {
    StreamRun run(openai_format());
    run.include_usage = include_usage;
    run.run(pieces);
    return run.relayed;
}

// What the writer puts before and after a delta.
std::string out_chunk(std::string_view choice, std::string_view more = "") {
    return R"(data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m","choices":[)"
           + std::string(choice) + "]" + std::string(more) + "}\n\n";
}

std::string out_delta(std::string_view members, std::string_view more = "",
                      std::string_view reason = "null") {
    return out_chunk(R"({"index":0,"delta":{)" + std::string(members) +
                         R"(},"finish_reason":)" + std::string(reason) + "}",
                     more);
}

const std::string out_role = out_delta(R"("role":"assistant","content":"")");

}  // namespace

TEST_CASE("openai: a stream has the same events wherever it is cut") {
    for (const auto &stream : streams) {
        INFO(stream.what);
        testing::for_each_cut(stream.bytes, [&](const Pieces &pieces) {
            StreamRun run(openai_format());
            auto events = run.run(pieces);
            if (events != stream.expected) {
                CHECK(events == stream.expected);
            }
        });
    }
}

TEST_CASE("openai: what a provider can make a stream remember is bounded") {
    std::string many = role;
    for (int i = 0; i < 2000; ++i) {
        many += calls(R"({"index":)" + std::to_string(i) + R"(,"id":"i)" +
                      std::to_string(i) + R"(","function":{"name":"f"}})");
    }
    StreamRun calls_run(openai_format());
    CHECK(calls_run.run({many}).back()
          == "error 502 the provider's stream holds too many tool calls");

    std::string nameless = role;
    for (int i = 0; i < 100; ++i) {
        nameless += calls(R"({"index":0,"function":{"arguments":")" +
                          std::string(1000, 'x') + R"("}})");
    }
    StreamRun nameless_run(openai_format());
    CHECK(nameless_run.run({nameless}).back()
          == "error 502 the provider's stream holds a tool call without a "
             "name");
}

TEST_CASE("openai: a client that asked for usage gets the stream as it is") {
    for (const auto &stream : streams) {
        INFO(stream.what);
        CHECK(relayed({stream.bytes}, true) == stream.bytes);
    }
}

TEST_CASE("openai: usage that only the gateway asked for is hidden") {
    std::string before = ": hi\n\n" +
        chunk(R"([{"index":0,"delta":{"content":"a"}}])", R"(, "usage":null)") +
        chunk(R"([{"index":0,"delta":{},"finish_reason":"stop"}])",
              R"(,"usage":{"prompt_tokens":1})") +
        usage_chunk + done;
    std::string after = ": hi\n\n" +
        chunk(R"([{"index":0,"delta":{"content":"a"}}])") +
        chunk(R"([{"index":0,"delta":{},"finish_reason":"stop"}])") + done;
    testing::for_each_cut(before, [&](const Pieces &pieces) {
        auto bytes = relayed(pieces);
        if (bytes != after) {
            CHECK(bytes == after);
        }
    });

    // A chunk without choices that is not about usage stays.
    std::string azure = "data: {\"usage\":null,\"choices\":[]}\r\n\r\n";
    CHECK(relayed({azure}) == "data: {\"choices\":[]}\r\n\r\n");
    // Several lines become one.
    CHECK(relayed({"data: {\"choices\":[1],\ndata: \"usage\":\ndata: null}\n\n"})
          == "data: {\"choices\":[1]}\n\n");
    // Nothing to hide: not a byte changes.
    std::string plain = role + delta(R"("content":"usage")") + finish("stop") +
                        "data: [DONE]";
    CHECK(relayed({plain}) == plain);
}

TEST_CASE("openai: chunks are written in the order that the API has") {
    std::string bytes = role + delta(R"("reasoning":"r")") +
        delta(R"("content":"a\n\"b\"")") +
        calls(R"({"index":3,"id":"x","function":{"name":"f","arguments":""}})") +
        calls(R"({"index":3,"function":{"arguments":"{\"q\":"}})") +
        calls(R"({"index":3,"function":{"arguments":"1}"}})") +
        calls(R"({"index":5,"id":"y","function":{"name":"g","arguments":""}})") +
        finish("tool_calls") + usage_chunk + done;

    auto expected = [](std::string_view more) {
        return out_delta(R"("role":"assistant","content":"")", more) +
            out_delta(R"("reasoning_content":"r")", more) +
            out_delta(R"("content":"a\n\"b\"")", more) +
            out_delta(R"("tool_calls":[{"index":0,"id":"x","type":"function","function":{"name":"f","arguments":""}}])", more) +
            out_delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"q\":"}}])", more) +
            out_delta(R"("tool_calls":[{"index":0,"function":{"arguments":"1}"}}])", more) +
            out_delta(R"("tool_calls":[{"index":1,"id":"y","type":"function","function":{"name":"g","arguments":""}}])", more) +
            // Nobody can parse no arguments at all.
            out_delta(R"("tool_calls":[{"index":1,"function":{"arguments":"{}"}}])", more) +
            out_delta("", more, "\"tool_calls\"");
    };

    CHECK(written(bytes, {}) == expected("") + done);
    AnswerContext asked;
    asked.include_usage = true;
    CHECK(written(bytes, asked) == expected(R"(,"usage":null)") +
        out_chunk("", R"(,"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,)"
            R"("prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
            R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}})") +
        done);

    // Asked, but the provider has not said: no usage is made up.
    CHECK(written(role + finish("stop") + done, asked).find("\"usage\":{")
          == std::string::npos);
}

TEST_CASE("openai: a chunk has an id, a time and a model, whoever answered") {
    AnswerContext context;
    context.request_model = "alias";
    context.unique = "u1";
    context.now = 99;
    std::string bytes =
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},"
        "\"finish_reason\":\"stop\"}]}\n\n";
    CHECK(written(bytes, context).starts_with(
        R"(data: {"id":"chatcmpl-u1","object":"chat.completion.chunk","created":99,"model":"alias","choices":[{"index":0,"delta":{"role":"assistant","content":""})"));
}

TEST_CASE("openai: every choice of a stream gets its role") {
    auto out = written(
        chunk(R"([{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}])"),
        {});
    CHECK(out.find(R"({"index":1,"delta":{"role":"assistant","content":""},"finish_reason":null})")
          != std::string::npos);
}

TEST_CASE("openai: a stream that fails ends with the error and no marker") {
    CHECK(written(role + delta(R"("content":"a")"), {})
          == out_role + out_delta(R"("content":"a")") +
             "data: {\"error\":{\"message\":\"the provider's stream ended "
             "before the answer was complete\",\"type\":\"server_error\","
             "\"param\":null,\"code\":\"bad_gateway\"}}\n\n");
}

TEST_CASE("openai: what a stream carries beside text") {
    auto writer = openai_format().make_writer({});
    std::string out;
    auto write = [&](auto set) {
        chat::Event event;
        set(event);
        out.clear();
        writer->write(event, out);
        return out;
    };
    using Type = chat::Event::Type;
    write([](auto &e) {
        e.type = Type::start;
        e.id = "c1";
        e.model = "m";
        e.created = 7;
    });
    CHECK(out == out_role);
    CHECK(write([](auto &e) { e.type = Type::ping; }) == ": keep-alive\n\n");
    CHECK(write([](auto &e) { e.type = Type::refusal; e.text = "no"; })
          == out_delta(R"("refusal":"no")"));
    CHECK(write([](auto &e) { e.type = Type::text; }) == "");
    CHECK(write([](auto &e) {
              e.type = Type::reasoning_signature;
              e.text = "s";
          }) == out_delta(R"("reasoning_details":[{"type":"reasoning.text","signature":"s","index":0}])"));
    CHECK(write([](auto &e) {
              e.type = Type::redacted_reasoning;
              e.text = "d";
          }) == out_delta(R"("reasoning_details":[{"type":"reasoning.encrypted","data":"d","index":1}])"));
    CHECK(write([](auto &e) {
              e.type = Type::tool_call;
              e.custom = true;
              e.id = "i";
              e.name = "c";
          }) == out_delta(R"("tool_calls":[{"index":0,"id":"i","type":"custom","custom":{"name":"c","input":""}}])"));
    CHECK(write([](auto &e) {
              e.type = Type::tool_arguments;
              e.text = "free";
          }) == out_delta(R"("tool_calls":[{"index":0,"custom":{"input":"free"}}])"));

    // As it came, but without the line ends that would end the event.
    json::Document document;
    REQUIRE(document.parse("{\"content\":\r\n[]}"));
    CHECK(write([&](auto &e) {
              e.type = Type::logprobs;
              e.value = document.root();
          }) == out_chunk(R"({"index":0,"logprobs":{"content":  []},"delta":{},"finish_reason":null})"));
}
