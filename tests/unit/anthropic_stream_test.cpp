#include "catch.hpp"
#include "events.hpp"
#include "exchange.hpp"

using namespace llm;
using testing::events_of;

namespace {

std::string events(std::string_view stream) {
    return events_of(anthropic_format(), stream);
}

// An event as the API sends it.
std::string event(std::string_view type, std::string_view members = {}) {
    std::string out = "event: " + std::string(type) + "\ndata: {\"type\":\""
                      + std::string(type) + "\"";
    if (!members.empty()) {
        out += "," + std::string(members);
    }
    return out + "}\n\n";
}

std::string message_start(std::string_view usage = R"({"input_tokens":10,"output_tokens":1})") {
    return event("message_start",
                 R"("message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"stop_sequence":null,"usage":)"
                     + std::string(usage) + "}");
}

std::string block_start(int index, std::string_view block) {
    return event("content_block_start",
                 "\"index\":" + std::to_string(index) + ",\"content_block\":"
                     + std::string(block));
}

std::string delta(int index, std::string_view delta) {
    return event("content_block_delta",
                 "\"index\":" + std::to_string(index) + ",\"delta\":"
                     + std::string(delta));
}

std::string block_stop(int index) {
    return event("content_block_stop", "\"index\":" + std::to_string(index));
}

std::string message_delta(std::string_view reason, std::string_view usage) {
    return event("message_delta",
                 R"("delta":{"stop_reason":")" + std::string(reason)
                     + R"(","stop_sequence":null},"usage":)"
                     + std::string(usage));
}

const std::string message_stop = event("message_stop");

// Events given to the writer of Anthropic's streams.
struct Written {
    AnswerContext context;
    std::string out;
    std::unique_ptr<StreamWriter> writer;

    explicit Written(AnswerContext given = {}) : context(given) {
        if (context.unique.empty()) {
            context.unique = "u1";
        }
        if (context.request_model.empty()) {
            context.request_model = "asked";
        }
        writer = anthropic_format().make_writer(context);
    }

    Written &operator()(const chat::Event &event) {
        writer->write(event, out);
        return *this;
    }

    Written &say(chat::Event::Type type, std::string_view text) {
        chat::Event event;
        event.type = type;
        event.text = text;
        return (*this)(event);
    }

    Written &text(std::string_view text) {
        return say(chat::Event::Type::text, text);
    }

    Written &call(std::size_t number, std::string_view id,
                  std::string_view name) {
        chat::Event event;
        event.type = chat::Event::Type::tool_call;
        event.call = number;
        event.id = id;
        event.name = name;
        return (*this)(event);
    }

    Written &arguments(std::size_t number, std::string_view text) {
        chat::Event event;
        event.type = chat::Event::Type::tool_arguments;
        event.call = number;
        event.text = text;
        return (*this)(event);
    }

    Written &finish(chat::FinishReason reason) {
        chat::Event event;
        event.type = chat::Event::Type::finish;
        event.finish_reason = reason;
        (*this)(event);
        event = chat::Event{};
        event.type = chat::Event::Type::done;
        return (*this)(event);
    }
};

// What the blocks of a stream say, in their order: "0 text Hello|1 call a f
// {...}|". Fails where blocks are not strictly one after the other.
std::string blocks(const std::string &stream) {
    struct Sink : wire::FrameSink {
        void on_frame(const wire::Frame &frame) override {
            json::Document document;
            REQUIRE(document.parse(frame.data));
            auto root = document.root();
            auto type = root["type"].string();
            CHECK(type == frame.event);
            if (type == "content_block_start") {
                CHECK_FALSE(open);
                open = true;
                CHECK(root["index"].integer() == next++);
                auto block = root["content_block"];
                all += std::string(block["type"].string()) + " "
                       + std::string(block["id"].string())
                       + std::string(block["data"].string()) + ":";
            } else if (type == "content_block_delta") {
                CHECK(open);
                CHECK(root["index"].integer() == next - 1);
                for (auto name : {"text", "thinking", "partial_json"}) {
                    all += root["delta"][name].string();
                }
                if (root["delta"]["signature"]) {
                    all += "#" + std::string(root["delta"]["signature"].string());
                }
            } else if (type == "content_block_stop") {
                CHECK(open);
                open = false;
                all += "|";
            } else if (type == "message_stop") {
                CHECK_FALSE(open);
                ++stops;
            }
        }
        std::string all;
        std::int64_t next = 0;
        int stops = 0;
        bool open = false;
    } sink;
    auto framer = anthropic_format().make_framer(1 << 20);
    REQUIRE(framer->feed(stream, sink));
    CHECK(framer->pending() == 0);
    CHECK(sink.stops == 1);
    return sink.all;
}

}  // namespace

TEST_CASE("anthropic stream: text, thinking and two calls") {
    std::string stream =
        message_start(R"({"input_tokens":10,"cache_read_input_tokens":5,"cache_creation_input_tokens":2,"output_tokens":1})")
        + block_start(0, R"({"type":"thinking","thinking":"","signature":""})")
        + event("ping")
        + delta(0, R"({"type":"thinking_delta","thinking":"h\u00e9"})")
        + delta(0, R"({"type":"signature_delta","signature":"sig"})")
        + block_stop(0)
        + block_start(1, R"({"type":"redacted_thinking","data":"xyz"})")
        + block_stop(1)
        + block_start(2, R"({"type":"text","text":""})")
        + delta(2, R"({"type":"text_delta","text":"Hi \ud83d\ude00"})")
        + block_stop(2)
        + block_start(3, R"({"type":"tool_use","id":"toolu_1","name":"f","input":{}})")
        + delta(3, R"({"type":"input_json_delta","partial_json":""})")
        + delta(3, R"({"type":"input_json_delta","partial_json":"{\"a\":"})")
        + delta(3, R"({"type":"input_json_delta","partial_json":"1}"})")
        + block_stop(3)
        + block_start(4, R"({"type":"tool_use","id":"toolu_2","name":"g","input":{}})")
        + block_stop(4)
        + message_delta("tool_use", R"({"output_tokens":20,"output_tokens_details":{"thinking_tokens":7}})")
        + message_stop;
    CHECK(events(stream) ==
          "usage 17+1=18 cached 5 reasoning 0\n"
          "start msg_1 claude 0\n"
          "ping\n"
          "reasoning h\xC3\xA9\n"
          "signature sig\n"
          "redacted xyz\n"
          "text Hi \xF0\x9F\x98\x80\n"
          "call 0 toolu_1 f\n"
          "arguments 0 {\"a\":\n"
          "arguments 0 1}\n"
          "call 1 toolu_2 g\n"
          "arguments 1 {}\n"
          "usage 17+20=37 cached 5 reasoning 7\n"
          "finish tool_calls (tool_use)\n"
          "done\n");
}

TEST_CASE("anthropic stream: CRLF, CR, data alone and no blank line at the end") {
    std::string stream =
        "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"model\":\"m\"}}\r\n\r\n"
        "data:{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"a\"}}\r\r"
        ": comment\n\n"
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\ndata: \"delta\":{\"type\":\"text_delta\",\"text\":\"b\"}}\n\n"
        "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n"
        "data: {\"type\":\"message_stop\"}";
    CHECK(events(stream) == "start a m 0\n"
                            "text a\n"
                            "text b\n"
                            "finish stop (end_turn)\n"
                            "done\n");
}

TEST_CASE("anthropic stream: usage replaces what it names and nothing else") {
    std::string stream =
        message_start(R"({"input_tokens":0,"cache_read_input_tokens":3,"output_tokens":0})")
        + message_delta("end_turn", R"({"output_tokens":5})")
        + event("message_delta", R"("delta":{"stop_reason":null},"usage":{"input_tokens":8,"output_tokens":9})")
        + message_stop;
    CHECK(events(stream) == "usage 3+0=3 cached 3 reasoning 0\n"
                            "start msg_1 claude 0\n"
                            "usage 3+5=8 cached 3 reasoning 0\n"
                            "usage 11+9=20 cached 3 reasoning 0\n"
                            "finish stop (end_turn)\n"
                            "done\n");
}

TEST_CASE("anthropic stream: calls are told apart by their block, not by their order") {
    std::string stream =
        message_start()
        + block_start(0, R"({"type":"tool_use","id":"a","name":"f","input":{}})")
        + block_start(1, R"({"type":"tool_use","id":"b","name":"g","input":{"x":[1]}})")
        + delta(0, R"({"type":"input_json_delta","partial_json":"{}"})")
        + block_stop(1) + block_stop(0)
        + message_delta("tool_use", "{}") + message_stop;
    CHECK(events(stream).find("call 0 a f\n"
                              "call 1 b g\n"
                              "arguments 1 {\"x\":[1]}\n"
                              "arguments 0 {}\n")
          != std::string::npos);
}

TEST_CASE("anthropic stream: tools that the provider runs are no calls") {
    std::string stream =
        message_start()
        + block_start(0, R"({"type":"server_tool_use","id":"s","name":"web_search","input":{}})")
        + delta(0, R"({"type":"input_json_delta","partial_json":"{\"query\":1}"})")
        + block_stop(0)
        + block_start(1, R"({"type":"web_search_tool_result","tool_use_id":"s","content":[]})")
        + block_stop(1)
        + block_start(2, R"({"type":"text","text":""})")
        + delta(2, R"({"type":"text_delta","text":"found"})")
        + delta(2, R"({"type":"citations_delta","citation":{}})")
        + block_stop(2)
        + message_delta("end_turn", R"({"output_tokens":1})") + message_stop;
    CHECK(events(stream) == "usage 10+1=11 cached 0 reasoning 0\n"
                            "start msg_1 claude 0\n"
                            "text found\n"
                            "usage 10+1=11 cached 0 reasoning 0\n"
                            "finish stop (end_turn)\n"
                            "done\n");
}

TEST_CASE("anthropic stream: the tool that takes the answer is the answer") {
    std::string stream =
        message_start()
        + block_start(0, R"({"type":"tool_use","id":"t","name":"llm_structured_answer","input":{}})")
        + delta(0, R"({"type":"input_json_delta","partial_json":"{\"a\":"})")
        + delta(0, R"({"type":"input_json_delta","partial_json":"1}"})")
        + block_stop(0) + message_delta("tool_use", "{}") + message_stop;
    CHECK(events(stream).find("text {\"a\":\ntext 1}\n") != std::string::npos);
    CHECK(events(stream).find("finish stop (tool_use)\ndone\n")
          != std::string::npos);
    CHECK(events(stream).find("call") == std::string::npos);
}

TEST_CASE("anthropic stream: a custom tool's call is its input") {
    std::string stream =
        message_start()
        + block_start(0, R"({"type":"tool_use","id":"t","name":"llm_custom_sql","input":{}})")
        + delta(0, R"({"type":"input_json_delta","partial_json":"{\"input\":\"select"})")
        + delta(0, R"({"type":"input_json_delta","partial_json":" \\\"1\\\"\"}"})")
        + block_stop(0) + message_delta("tool_use", "{}") + message_stop;
    CHECK(events(stream).find("custom call 0 t sql\n"
                              "arguments 0 select \"1\"\n")
          != std::string::npos);
}

TEST_CASE("anthropic stream: a refusal explains itself where there is no text") {
    std::string end = event(
        "message_delta",
        R"("delta":{"stop_reason":"refusal","stop_sequence":null,"stop_details":{"explanation":"not this"}},"usage":{"output_tokens":1})")
        + message_stop;
    CHECK(events(message_start() + end).find("refusal not this\nfinish content_filter (refusal)\n")
          != std::string::npos);
    CHECK(events(message_start() + block_start(0, R"({"type":"text","text":"so"})") + end).find("refusal not")
          == std::string::npos);
}

TEST_CASE("anthropic stream: why it stopped") {
    struct {
        std::string word;
        std::string finish;
    } const cases[] = {
        {"end_turn", "finish stop (end_turn)"},
        {"max_tokens", "finish length (max_tokens)"},
        {"model_context_window_exceeded", "finish length (model_context_window_exceeded)"},
        {"tool_use", "finish stop (tool_use)"},
        {"pause_turn", "finish stop (pause_turn)"},
        {"refusal", "finish content_filter (refusal)"},
        {"a_new_word", "finish stop (a_new_word)"},
    };
    for (auto &one : cases) {
        CHECK(events(message_start() + message_delta(one.word, "{}") + message_stop).find(one.finish)
              != std::string::npos);
    }
    CHECK(events(message_start()
                 + event("message_delta", R"("delta":{"stop_reason":"stop_sequence","stop_sequence":"END"})")
                 + message_stop).find("finish stop (stop_sequence) at END\n")
          != std::string::npos);
}

TEST_CASE("anthropic stream: an error ends it, whenever it comes") {
    std::string error = event("error", R"("error":{"type":"overloaded_error","message":"Overloaded"})");
    CHECK(events(error) == "error 503 Overloaded\n");
    CHECK(events(message_start() + error + message_stop)
          == "usage 10+1=11 cached 0 reasoning 0\n"
             "start msg_1 claude 0\n"
             "error 503 Overloaded\n");
    // In the shape of a proxy in between.
    CHECK(events("data: {\"error\":{\"message\":\"gone\"}}\n\n") == "error 500 gone\n");
    CHECK(events("data: {\"error\":\"gone\"}\n\n") == "error 500 gone\n");
    CHECK(events("data: nonsense\n\n")
          == "error 502 the provider sent an event that is no JSON\n");
}

TEST_CASE("anthropic stream: one that breaks off is an error, unless it said why it stopped") {
    CHECK(events(message_start() + block_start(0, R"({"type":"text","text":"Hi"})"))
          == "usage 10+1=11 cached 0 reasoning 0\n"
             "start msg_1 claude 0\n"
             "text Hi\n"
             "error 502 the provider's stream ended before the answer was complete\n");
    CHECK(events("")
          == "error 502 the provider's stream ended before the answer was complete\n");
    CHECK(events(message_start() + message_delta("end_turn", "{}"))
          == "usage 10+1=11 cached 0 reasoning 0\n"
             "start msg_1 claude 0\n"
             "usage 10+1=11 cached 0 reasoning 0\n"
             "finish stop (end_turn)\n"
             "done\n");
    // And one that ends without a reason was complete.
    CHECK(events(message_start() + message_stop).ends_with("finish stop ()\ndone\n"));
}

TEST_CASE("anthropic stream: new events, blocks and deltas mean nothing") {
    CHECK(events(message_start() + event("new_event", R"("x":1)")
                 + block_start(0, R"({"type":"new_block"})")
                 + delta(0, R"({"type":"new_delta"})")
                 + delta(7, R"({"type":"input_json_delta","partial_json":"{"})")
                 + block_stop(9) + "data: [DONE]\n\ndata: 5\n\n"
                 + message_delta("end_turn", "{}") + message_stop)
          == "usage 10+1=11 cached 0 reasoning 0\n"
             "start msg_1 claude 0\n"
             "usage 10+1=11 cached 0 reasoning 0\n"
             "finish stop (end_turn)\n"
             "done\n");
}

TEST_CASE("anthropic stream: one that stays in its format is relayed as it is") {
    std::string stream = message_start() + event("ping") + ": x\n\n"
                         + event("new", R"("k": [1,  2])") + message_stop;
    testing::StreamRun run(anthropic_format());
    run.run({stream});
    CHECK(run.relayed == stream);
}

TEST_CASE("anthropic writer: text, then a call") {
    Written written;
    chat::Event start;
    start.type = chat::Event::Type::start;
    start.id = "chatcmpl-1";
    chat::Event usage;
    usage.type = chat::Event::Type::usage;
    usage.usage.known = true;
    usage.usage.prompt_tokens = 12;
    usage.usage.cached_tokens = 4;
    usage.usage.cache_write_tokens = 1;
    usage.usage.completion_tokens = 9;
    usage.usage.reasoning_tokens = 3;
    written(start).text("Check").text("").text("ing");
    written.call(0, "call_a", "get").arguments(0, "{\"q\":").arguments(0, "1}");
    written(usage).finish(chat::FinishReason::tool_calls);
    CHECK(written.out ==
          R"(event: message_start
data: {"type":"message_start","message":{"id":"msg_u1","type":"message","role":"assistant","model":"asked","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Check"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"ing"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"call_a","name":"get","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"q\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":7,"cache_creation_input_tokens":1,"cache_read_input_tokens":4,"output_tokens":9,"output_tokens_details":{"thinking_tokens":3}}}

event: message_stop
data: {"type":"message_stop"}

)");
}

TEST_CASE("anthropic writer: message_start names the prompt's tokens, guessed if need be") {
    AnswerContext context;
    context.prompt_estimate = 33;
    CHECK(Written(context).text("a").out.find(R"("usage":{"input_tokens":33,)")
          != std::string::npos);

    Written known(context);
    chat::Event usage;
    usage.type = chat::Event::Type::usage;
    usage.usage.known = true;
    usage.usage.prompt_tokens = 44;
    CHECK(known(usage).out.empty());
    CHECK(known.text("a").out.find(R"("usage":{"input_tokens":44,)")
          != std::string::npos);
}

TEST_CASE("anthropic writer: calls that come interleaved are sent one after the other") {
    Written written;
    written.call(0, "a", "f").call(1, "b", "g").call(2, "c", "h");
    written.arguments(1, "{\"y\"").arguments(0, "{\"x\":\"}").arguments(2, "{}");
    // The brace was in a string.
    CHECK(written.out.find("\"id\":\"b\"") == std::string::npos);
    written.arguments(1, ":2}").arguments(0, "\\\"\"}");
    written.finish(chat::FinishReason::tool_calls);
    CHECK(blocks(written.out)
          == "tool_use a:{\"x\":\"}\\\"\"}|tool_use b:{\"y\":2}|tool_use c:{}|");
}

TEST_CASE("anthropic writer: a call is not held back when the one before it is whole") {
    Written written;
    written.call(0, "a", "f").arguments(0, "{}").call(1, "b", "g");
    CHECK(written.out.find("\"id\":\"b\"") != std::string::npos);
    std::size_t before = written.out.size();
    written.arguments(1, "{\"long");
    CHECK(written.out.size() > before);
    // White space after the end of the first changes nothing.
    written.arguments(0, "\n").arguments(1, "\":1}");
    written.finish(chat::FinishReason::tool_calls);
    CHECK(blocks(written.out) == "tool_use a:{}|tool_use b:{\"long\":1}|");
}

TEST_CASE("anthropic writer: calls without arguments, ids and ends") {
    Written written;
    written.call(0, "", "f").call(1, "", "g").arguments(1, "{\"cut");
    written.finish(chat::FinishReason::length);
    CHECK(blocks(written.out)
          == "tool_use toolu_u1_0:|tool_use toolu_u1_1:{\"cut|");
    CHECK(written.out.find(R"("stop_reason":"max_tokens")") != std::string::npos);
}

TEST_CASE("anthropic writer: text between the arguments of a call waits for their end") {
    Written written;
    written.call(0, "a", "f").arguments(0, "{").text("in ").text("between");
    written.arguments(0, "}").text(" after");
    written.finish(chat::FinishReason::tool_calls);
    CHECK(blocks(written.out) == "tool_use a:{}|text :in between after|");
}

TEST_CASE("anthropic writer: thinking is signed, with nothing if need be") {
    using Type = chat::Event::Type;
    Written written;
    written.say(Type::reasoning, "a").say(Type::reasoning, "b");
    written.say(Type::reasoning_signature, "s1").say(Type::reasoning, "c");
    written.say(Type::redacted_reasoning, "r").text("t");
    written.say(Type::reasoning_signature, "s2");
    written.finish(chat::FinishReason::stop);
    CHECK(blocks(written.out)
          == "thinking :ab#s1|thinking :c#|redacted_thinking r:|text :t|thinking :#s2|");
}

TEST_CASE("anthropic writer: a custom call's input is a member") {
    Written written;
    chat::Event call;
    call.type = chat::Event::Type::tool_call;
    call.id = "a";
    call.name = "sql";
    call.custom = true;
    written(call).arguments(0, "select ").arguments(0, "\"x\"").text("t");
    written.finish(chat::FinishReason::tool_calls);
    CHECK(blocks(written.out)
          == "tool_use a:{\"input\":\"select \\\"x\\\"\"}|text :t|");
}

TEST_CASE("anthropic writer: stop reasons") {
    auto reason = [](chat::FinishReason reason, std::string_view native = {},
                     std::string_view sequence = {}) {
        Written written;
        chat::Event event;
        event.type = chat::Event::Type::finish;
        event.finish_reason = reason;
        event.native = native;
        event.stop_sequence = sequence;
        written(event);
        event = chat::Event{};
        event.type = chat::Event::Type::done;
        written(event);
        std::size_t start = written.out.find(R"("delta":)") + 8;
        return written.out.substr(start, written.out.find('}', start) - start + 1);
    };
    using chat::FinishReason;
    CHECK(reason(FinishReason::stop) == R"({"stop_reason":"end_turn","stop_sequence":null})");
    CHECK(reason(FinishReason::length) == R"({"stop_reason":"max_tokens","stop_sequence":null})");
    CHECK(reason(FinishReason::tool_calls) == R"({"stop_reason":"tool_use","stop_sequence":null})");
    CHECK(reason(FinishReason::content_filter) == R"({"stop_reason":"refusal","stop_sequence":null})");
    CHECK(reason(FinishReason::stop, "pause_turn") == R"({"stop_reason":"pause_turn","stop_sequence":null})");
    CHECK(reason(FinishReason::length, "stop") == R"({"stop_reason":"max_tokens","stop_sequence":null})");
    CHECK(reason(FinishReason::stop, "", "END") == R"({"stop_reason":"stop_sequence","stop_sequence":"END"})");

    Written refused;
    refused.say(chat::Event::Type::refusal, "no").finish(FinishReason::stop);
    CHECK(blocks(refused.out) == "text :no|");
    CHECK(refused.out.find(R"("stop_reason":"refusal")") != std::string::npos);

    Written called;
    called.call(0, "a", "f").finish(FinishReason::stop);
    CHECK(called.out.find(R"("stop_reason":"tool_use")") != std::string::npos);
}

TEST_CASE("anthropic writer: an error ends the stream without message_stop") {
    Written written;
    written.text("a");
    std::size_t before = written.out.size();
    Error error;
    error.kind = ErrorKind::overloaded;
    error.message = "too much";
    chat::Event event;
    event.type = chat::Event::Type::error;
    event.error = &error;
    written(event).text("b").finish(chat::FinishReason::stop);
    CHECK(written.out.substr(before) ==
          "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"too much\"}}\n\n");
}

TEST_CASE("anthropic writer: pings, other choices, and an end that comes twice") {
    Written written;
    written(chat::Event{});
    CHECK(written.out == "event: ping\ndata: {\"type\":\"ping\"}\n\n");
    chat::Event other;
    other.type = chat::Event::Type::text;
    other.text = "other";
    other.choice = 1;
    written(other).text("x");
    written.finish(chat::FinishReason::stop).finish(chat::FinishReason::stop);
    CHECK(blocks(written.out) == "text :x|");
}
