// All four pairs of client and provider. Each case is one and the same answer
// in both providers' words, whole and as a stream; whatever the client speaks,
// it must hear the same.
#include "catch.hpp"
#include "exchange.hpp"

using namespace llm;
using testing::sum_of_response;
using testing::sum_of_stream;
using testing::translate_request;
using testing::translate_response;
using testing::translate_stream;

namespace {

struct Answer {
    std::string body;
    std::string stream;
};

struct Case {
    std::string name;
    Answer openai;
    Answer anthropic;
    std::string sum;        // what every client hears
};

std::string openai_body(std::string_view message, std::string_view finish,
                        std::string_view usage) {
    return R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":)"
           + std::string(message) + R"(,"finish_reason":")"
           + std::string(finish) + R"("}],"usage":)" + std::string(usage)
           + "}";
}

std::string chunk(std::string_view delta, std::string_view finish = "null") {
    return R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":)"
           + std::string(delta) + R"(,"finish_reason":)" + std::string(finish)
           + "}]}\n\n";
}

std::string openai_end(std::string_view usage) {
    return R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[],"usage":)"
           + std::string(usage) + "}\n\ndata: [DONE]\n\n";
}

std::string anthropic_body(std::string_view content, std::string_view stop,
                           std::string_view usage) {
    return R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":)"
           + std::string(content) + R"(,"stop_reason":")" + std::string(stop)
           + R"(","stop_sequence":null,"usage":)" + std::string(usage) + "}";
}

std::string event(std::string_view type, std::string_view members) {
    return "event: " + std::string(type) + "\ndata: {\"type\":\""
           + std::string(type) + "\"," + std::string(members) + "}\n\n";
}

std::string start(std::string_view usage) {
    return event("message_start",
                 R"("message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"usage":)"
                     + std::string(usage) + "}");
}

std::string block(int index, std::string_view block,
                  std::initializer_list<std::string_view> deltas) {
    std::string number = std::to_string(index);
    std::string out = event("content_block_start", "\"index\":" + number
                            + ",\"content_block\":" + std::string(block));
    for (std::string_view delta : deltas) {
        out += event("content_block_delta",
                     "\"index\":" + number + ",\"delta\":"
                         + std::string(delta));
    }
    return out + event("content_block_stop", "\"index\":" + number);
}

std::string stop(std::string_view reason, std::string_view usage) {
    return event("message_delta", R"("delta":{"stop_reason":")"
                                      + std::string(reason)
                                      + R"("},"usage":)" + std::string(usage))
           + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
}

const std::string openai_usage =
    R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15})";
const std::string anthropic_usage = R"({"input_tokens":10,"output_tokens":5})";

std::string sum(std::string_view text, std::string_view finish,
                std::string_view usage = "10+5=15") {
    return "text: " + std::string(text)
           + "\nreasoning: \nsignature: \nredacted: \nrefusal: \nfinish: "
           + std::string(finish) + "\nusage: " + std::string(usage)
           + "\nerror: \n";
}

const std::vector<Case> &cases() {
    static const std::vector<Case> all = {
        {"text",
         {openai_body(R"({"role":"assistant","content":"H\u00e9llo \ud83d\ude00\n"})", "stop", openai_usage),
          chunk(R"({"role":"assistant","content":""})") + chunk(R"({"content":"H\u00e9l"})")
              + chunk("{\"content\":\"lo \xF0\x9F\x98\x80\"}") + chunk(R"({"content":"\n"})")
              + chunk("{}", "\"stop\"") + openai_end(openai_usage)},
         {anthropic_body(R"([{"type":"text","text":"H\u00e9llo "},{"type":"text","text":"\ud83d\ude00\n"}])", "end_turn", anthropic_usage),
          start(anthropic_usage)
              + block(0, R"({"type":"text","text":""})",
                      {R"({"type":"text_delta","text":"H\u00e9l"})", "{\"type\":\"text_delta\",\"text\":\"lo \xF0\x9F\x98\x80\"}",
                       R"({"type":"text_delta","text":"\n"})"})
              + stop("end_turn", R"({"output_tokens":5})")},
         sum("H\xC3\xA9llo \xF0\x9F\x98\x80\n", "stop")},

        {"length",
         {openai_body(R"({"role":"assistant","content":"cut"})", "length", openai_usage),
          chunk(R"({"role":"assistant","content":"cut"})", "\"length\"") + openai_end(openai_usage)},
         {anthropic_body(R"([{"type":"text","text":"cut"}])", "max_tokens", anthropic_usage),
          start(anthropic_usage) + block(0, R"({"type":"text","text":""})", {R"({"type":"text_delta","text":"cut"})"})
              + stop("max_tokens", R"({"output_tokens":5})")},
         sum("cut", "length")},

        {"cached and reasoning tokens",
         {openai_body(R"({"role":"assistant","content":"a"})", "stop",
                      R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":3}})"),
          chunk(R"({"role":"assistant","content":"a"})", "\"stop\"")
              + openai_end(R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":3}})")},
         {anthropic_body(R"([{"type":"text","text":"a"}])", "end_turn",
                         R"({"input_tokens":4,"cache_read_input_tokens":4,"cache_creation_input_tokens":2,"output_tokens":5,"output_tokens_details":{"thinking_tokens":3}})"),
          start(R"({"input_tokens":4,"cache_read_input_tokens":4,"cache_creation_input_tokens":2,"output_tokens":1})")
              + block(0, R"({"type":"text","text":""})", {R"({"type":"text_delta","text":"a"})"})
              + stop("end_turn", R"({"output_tokens":5,"output_tokens_details":{"thinking_tokens":3}})")},
         sum("a", "stop", "10+5=15 cached 4 written 2 reasoning 3")},

        {"text and parallel calls",
         {openai_body(R"({"role":"assistant","content":"Let me","tool_calls":[)"
                      R"({"id":"call_a","type":"function","function":{"name":"f","arguments":"{\"x\":[1, 2]}"}},)"
                      R"({"id":"call_b","type":"function","function":{"name":"g","arguments":"{}"}},)"
                      R"({"id":"call_c","type":"function","function":{"name":"f","arguments":"{\"x\":\"}\"}"}}]})",
                      "tool_calls", openai_usage),
          chunk(R"({"role":"assistant","content":"Let me"})")
              + chunk(R"({"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"f","arguments":""}}]})")
              + chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}]})")
              + chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"[1, 2]}"}}]})")
              + chunk(R"({"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"g","arguments":"{}"}}]})")
              + chunk(R"({"tool_calls":[{"index":2,"id":"call_c","type":"function","function":{"name":"f","arguments":"{\"x\":\"}"}}]})")
              + chunk(R"({"tool_calls":[{"index":2,"function":{"arguments":"\"}"}}]})")
              + chunk("{}", "\"tool_calls\"") + openai_end(openai_usage)},
         {anthropic_body(R"([{"type":"text","text":"Let me"},)"
                         R"({"type":"tool_use","id":"call_a","name":"f","input":{"x":[1, 2]}},)"
                         R"({"type":"tool_use","id":"call_b","name":"g","input":{}},)"
                         R"({"type":"tool_use","id":"call_c","name":"f","input":{"x":"}"}}])",
                         "tool_use", anthropic_usage),
          start(anthropic_usage) + block(0, R"({"type":"text","text":""})", {R"({"type":"text_delta","text":"Let me"})"})
              + block(1, R"({"type":"tool_use","id":"call_a","name":"f","input":{}})",
                      {R"({"type":"input_json_delta","partial_json":""})", R"({"type":"input_json_delta","partial_json":"{\"x\":"})",
                       R"({"type":"input_json_delta","partial_json":"[1, 2]}"})"})
              + block(2, R"({"type":"tool_use","id":"call_b","name":"g","input":{}})", {})
              + block(3, R"({"type":"tool_use","id":"call_c","name":"f","input":{}})", {R"({"type":"input_json_delta","partial_json":"{\"x\":\"}\"}"})"})
              + stop("tool_use", R"({"output_tokens":5})")},
         "text: Let me\nreasoning: \nsignature: \nredacted: \nrefusal: \n"
         "call: call_a f {\"x\":[1, 2]}\ncall: call_b g {}\ncall: call_c f {\"x\":\"}\"}\n"
         "finish: tool_calls\nusage: 10+5=15\nerror: \n"},

        {"reasoning",
         {openai_body(R"({"role":"assistant","content":"so","reasoning_content":"hm hm"})", "stop", openai_usage),
          chunk(R"({"role":"assistant","reasoning_content":"hm "})") + chunk(R"({"reasoning_content":"hm"})")
              + chunk(R"({"content":"so"})") + chunk("{}", "\"stop\"") + openai_end(openai_usage)},
         {anthropic_body(R"([{"type":"thinking","thinking":"hm hm","signature":""},{"type":"text","text":"so"}])", "end_turn", anthropic_usage),
          start(anthropic_usage)
              + block(0, R"({"type":"thinking","thinking":"","signature":""})",
                      {R"({"type":"thinking_delta","thinking":"hm "})", R"({"type":"thinking_delta","thinking":"hm"})"})
              + block(1, R"({"type":"text","text":""})", {R"({"type":"text_delta","text":"so"})"})
              + stop("end_turn", R"({"output_tokens":5})")},
         "text: so\nreasoning: hm hm\nsignature: \nredacted: \nrefusal: \nfinish: stop\nusage: 10+5=15\nerror: \n"},

        {"signed and hidden reasoning",
         {openai_body(R"({"role":"assistant","content":"so","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"sig"},{"type":"reasoning.encrypted","data":"xyz"}]})", "stop", openai_usage),
          chunk(R"({"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"hm"}]})")
              + chunk(R"({"reasoning_details":[{"type":"reasoning.text","text":"","signature":"sig"}]})")
              + chunk(R"({"reasoning_details":[{"type":"reasoning.encrypted","data":"xyz"}]})")
              + chunk(R"({"content":"so"})") + chunk("{}", "\"stop\"") + openai_end(openai_usage)},
         {anthropic_body(R"([{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"redacted_thinking","data":"xyz"},{"type":"text","text":"so"}])", "end_turn", anthropic_usage),
          start(anthropic_usage)
              + block(0, R"({"type":"thinking","thinking":"","signature":""})",
                      {R"({"type":"thinking_delta","thinking":"hm"})", R"({"type":"signature_delta","signature":"sig"})"})
              + block(1, R"({"type":"redacted_thinking","data":"xyz"})", {})
              + block(2, R"({"type":"text","text":""})", {R"({"type":"text_delta","text":"so"})"})
              + stop("end_turn", R"({"output_tokens":5})")},
         "text: so\nreasoning: hm\nsignature: sig\nredacted: xyz\nrefusal: \nfinish: stop\nusage: 10+5=15\nerror: \n"},
    };
    return all;
}

const Format *const both[] = {&openai_format(), &anthropic_format()};
const Format *const clients[] = {&openai_format(), &anthropic_format(),
                                 &responses_format()};

AnswerContext context() {
    AnswerContext context;
    context.request_model = "asked";
    context.include_usage = true;
    context.now = 1700000000;
    context.unique = "u1";
    return context;
}

}  // namespace

TEST_CASE("cross: every client hears what either provider says, whole or streamed") {
    for (const Case &one : cases()) {
        for (const Format *provider : both) {
            const Answer &answer =
                provider == &openai_format() ? one.openai : one.anthropic;
            INFO(one.name << " from " << provider->name());
            CHECK(sum_of_response(*provider, answer.body) == one.sum);
            CHECK(sum_of_stream(*provider, answer.stream) == one.sum);

            for (const Format *client : clients) {
                INFO("to " << client->name());
                CHECK(sum_of_response(*client,
                                      translate_response(*provider, *client,
                                                         answer.body, context()))
                      == one.sum);
                CHECK(sum_of_stream(*client,
                                    translate_stream(*provider, *client,
                                                     answer.stream, context()))
                      == one.sum);
            }
        }
    }
}

TEST_CASE("cross: a refusal") {
    std::string refused = openai_body(R"({"role":"assistant","content":null,"refusal":"I will not"})", "stop", openai_usage);
    std::string streamed = chunk(R"({"role":"assistant","content":""})") + chunk(R"({"refusal":"I will"})")
                           + chunk(R"({"refusal":" not"})") + chunk("{}", "\"stop\"") + openai_end(openai_usage);
    // Anthropic's refusals are text.
    std::string heard = sum("I will not", "content_filter");
    CHECK(sum_of_response(anthropic_format(), translate_response(openai_format(), anthropic_format(), refused, context())) == heard);
    CHECK(sum_of_stream(anthropic_format(), translate_stream(openai_format(), anthropic_format(), streamed, context())) == heard);

    std::string own = R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":"refusal","stop_details":{"explanation":"I will not"},"usage":{"input_tokens":10,"output_tokens":5}})";
    std::string own_stream = start(anthropic_usage)
        + event("message_delta", R"("delta":{"stop_reason":"refusal","stop_details":{"explanation":"I will not"}},"usage":{"output_tokens":5})")
        + "data: {\"type\":\"message_stop\"}\n\n";
    heard = "text: \nreasoning: \nsignature: \nredacted: \nrefusal: I will not\nfinish: content_filter\nusage: 10+5=15\nerror: \n";
    CHECK(sum_of_response(openai_format(), translate_response(anthropic_format(), openai_format(), own, context())) == heard);
    CHECK(sum_of_stream(openai_format(), translate_stream(anthropic_format(), openai_format(), own_stream, context())) == heard);
}

TEST_CASE("cross: a stop sequence is named to clients that know such a thing") {
    std::string body = R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"a"}],"stop_reason":"stop_sequence","stop_sequence":"END","usage":{"input_tokens":10,"output_tokens":5}})";
    CHECK(sum_of_response(openai_format(), translate_response(anthropic_format(), openai_format(), body, context())) == sum("a", "stop"));
    std::string same = translate_response(anthropic_format(), anthropic_format(), body, context());
    CHECK(same.find(R"("stop_reason":"stop_sequence","stop_sequence":"END")") != std::string::npos);
}

TEST_CASE("cross: an answer that is held to a schema by a tool is text again") {
    std::string body = anthropic_body(R"([{"type":"tool_use","id":"t","name":"llm_structured_answer","input":{"city":"Rome"}}])", "tool_use", anthropic_usage);
    std::string stream = start(anthropic_usage)
        + block(0, R"({"type":"tool_use","id":"t","name":"llm_structured_answer","input":{}})",
                {R"({"type":"input_json_delta","partial_json":"{\"city\":"})", R"({"type":"input_json_delta","partial_json":"\"Rome\"}"})"})
        + stop("tool_use", R"({"output_tokens":5})");
    std::string heard = sum(R"({"city":"Rome"})", "stop");
    CHECK(sum_of_response(openai_format(), translate_response(anthropic_format(), openai_format(), body, context())) == heard);
    CHECK(sum_of_stream(openai_format(), translate_stream(anthropic_format(), openai_format(), stream, context())) == heard);
}

TEST_CASE("cross: a custom tool's call is one again") {
    std::string body = anthropic_body(R"([{"type":"tool_use","id":"t","name":"llm_custom_sql","input":{"input":"select 1"}}])", "tool_use", anthropic_usage);
    CHECK(translate_response(anthropic_format(), openai_format(), body, context())
              .find(R"("type":"custom","custom":{"name":"sql","input":"select 1"})")
          != std::string::npos);
    std::string stream = start(anthropic_usage)
        + block(0, R"({"type":"tool_use","id":"t","name":"llm_custom_sql","input":{}})",
                {R"({"type":"input_json_delta","partial_json":"{\"input\":\"select 1\"}"})"})
        + stop("tool_use", R"({"output_tokens":5})");
    std::string heard = translate_stream(anthropic_format(), openai_format(), stream, context());
    CHECK(heard.find(R"("type":"custom","custom":{"name":"sql")") != std::string::npos);
    CHECK(heard.find(R"("custom":{"input":"select 1"})") != std::string::npos);
}

TEST_CASE("cross: errors in a stream and in place of an answer") {
    std::string overloaded = event("error", R"("error":{"type":"overloaded_error","message":"busy"})");
    std::string begun = start(anthropic_usage) + block(0, R"({"type":"text","text":""})", {R"({"type":"text_delta","text":"a"})"});
    for (const Format *client : both) {
        INFO(client->name());
        for (const std::string &stream : {overloaded, begun + overloaded}) {
            std::string heard = translate_stream(anthropic_format(), *client, stream, context());
            CHECK(sum_of_stream(*client, heard).find("error: : busy\n") != std::string::npos);
            CHECK(heard.find("message_stop") == std::string::npos);
            CHECK(heard.find("[DONE]") == std::string::npos);
        }
        // Cut off: no client may take it for an answer that is complete.
        for (const Format *provider : both) {
            std::string cut = provider == &openai_format() ? chunk(R"({"role":"assistant","content":"a"})") : begun;
            std::string heard = translate_stream(*provider, *client, cut, context());
            CHECK(sum_of_stream(*client, heard).find("error: : the provider's stream ended before the answer was complete\n")
                  != std::string::npos);
            CHECK(heard.find("message_stop") == std::string::npos);
            CHECK(heard.find("[DONE]") == std::string::npos);
        }
    }

    struct {
        int status;
        std::string_view body;
        int openai;
        int anthropic;
    } const errors[] = {
        {429, R"({"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}})", 429, 429},
        {429, R"({"error":{"message":"pay","type":"insufficient_quota","param":null,"code":"insufficient_quota"}})", 429, 402},
        {404, R"({"error":{"message":"no such model","type":"invalid_request_error","param":null,"code":"model_not_found"}})", 404, 404},
        {400, R"({"error":{"message":"maximum context length","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}})", 400, 400},
    };
    for (auto &one : errors) {
        INFO(one.body);
        Error error = openai_format().parse_error(one.status, one.body);
        CHECK(openai_format().error_status(error) == one.openai);
        CHECK(anthropic_format().error_status(error) == one.anthropic);
    }
    std::string long_prompt;
    anthropic_format().write_error(openai_format().parse_error(400, errors[3].body), long_prompt);
    CHECK(long_prompt.find("prompt is too long") != std::string::npos);

    std::string openai_error;
    Error error = anthropic_format().parse_error(400, R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}})");
    openai_format().write_error(error, openai_error);
    CHECK(openai_error.find(R"("code":"context_length_exceeded")") != std::string::npos);
    CHECK(openai_format().error_status(anthropic_format().parse_error(529, "")) == 503);
}

TEST_CASE("cross: an OpenAI request for Anthropic") {
    WriteOptions options;
    options.model = "claude-sonnet-4-5";
    CHECK(translate_request(openai_format(), anthropic_format(),
        R"({"model":"chat","messages":[
            {"role":"system","content":"one"},
            {"role":"developer","content":[{"type":"text","text":"two"}]},
            {"role":"user","content":[{"type":"text","text":"look"},
                {"type":"image_url","image_url":{"url":"https://h/i.png","detail":"high"}},
                {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},
                {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,BBBB"}}]},
            {"role":"assistant","content":null,"tool_calls":[
                {"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}},
                {"id":"call_2","type":"function","function":{"name":"g","arguments":""}}]},
            {"role":"tool","tool_call_id":"call_1","content":"r1"},
            {"role":"tool","tool_call_id":"call_2","content":[{"type":"text","text":"r2"}]},
            {"role":"system","content":"three"},
            {"role":"user","content":"go on"},
            {"role":"assistant","content":"done"},
            {"role":"user","content":"again"}],
            "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}},
                     {"type":"function","function":{"name":"g"}}],
            "tool_choice":"required","parallel_tool_calls":false,"max_completion_tokens":77,"temperature":1.2,
            "stop":"END","user":"u","seed":1,"stream":true,"stream_options":{"include_usage":true}})", options) ==
        R"({"model":"claude-sonnet-4-5","max_tokens":77,"stream":true,"system":[{"type":"text","text":"one"},{"type":"text","text":"two"},{"type":"text","text":"three"}],"messages":[)"
        R"({"role":"user","content":[{"type":"text","text":"look"},{"type":"image","source":{"type":"url","url":"https://h/i.png"}},)"
        R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},)"
        R"({"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"BBBB"},"title":"a.pdf"}]},)"
        R"({"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"f","input":{"a": 1}},{"type":"tool_use","id":"call_2","name":"g","input":{}}]},)"
        R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":[{"type":"text","text":"r1"}]},)"
        R"({"type":"tool_result","tool_use_id":"call_2","content":[{"type":"text","text":"r2"}]},{"type":"text","text":"go on"}]},)"
        R"({"role":"assistant","content":[{"type":"text","text":"done"}]},{"role":"user","content":[{"type":"text","text":"again"}]}],)"
        R"("tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a":{"type":"integer"}}}},{"name":"g","input_schema":{"type":"object","properties":{}}}],)"
        R"("tool_choice":{"type":"any","disable_parallel_tool_use":true},"temperature":1,"stop_sequences":["END"],"metadata":{"user_id":"u"}})");
}

TEST_CASE("cross: the deprecated functions of OpenAI reach Anthropic as tools") {
    std::string out = translate_request(openai_format(), anthropic_format(),
        R"({"model":"m","messages":[{"role":"user","content":"q"},)"
        R"({"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},)"
        R"({"role":"function","name":"f","content":"r"}],"functions":[{"name":"f"}],"function_call":"auto"})");
    json::Document document;
    INFO(out);
    REQUIRE(document.parse(out));
    auto messages = document.root()["messages"];
    REQUIRE(messages.size() == 3);
    auto block = [&](int i) { return *(*std::next(messages.elements().begin(), i))["content"].elements().begin(); };
    CHECK(block(1)["type"].string() == "tool_use");
    CHECK(block(2)["type"].string() == "tool_result");
    CHECK(block(1)["id"].string() == block(2)["tool_use_id"].string());
    CHECK(document.root()["tools"].size() == 1);
}

TEST_CASE("cross: an OpenAI request that Anthropic cannot answer") {
    auto with = [](std::string_view members) {
        return translate_request(openai_format(), anthropic_format(),
            R"({"model":"m","messages":[{"role":"user","content":"q"}],)" + std::string(members) + "}");
    };
    CHECK(with(R"("n":2)") == "n: n is not supported by this model's provider");
    CHECK(with(R"("logprobs":true)") == "logprobs: logprobs is not supported by this model's provider");
    CHECK(translate_request(openai_format(), anthropic_format(),
              R"({"model":"m","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}]}]})")
          == "messages[0].content[0]: messages[0].content[0] is audio, which is not supported by this model's provider");
    // A result that comes late is not one that Anthropic takes.
    CHECK(translate_request(openai_format(), anthropic_format(),
              R"({"model":"m","messages":[{"role":"user","content":"q"},)"
              R"({"role":"assistant","tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
              R"({"role":"tool","tool_call_id":"x","content":"r"},{"role":"assistant","content":"a"},)"
              R"({"role":"tool","tool_call_id":"x","content":"r"}]})")
          == "messages[4].tool_call_id: messages[4].tool_call_id answers no tool call of the assistant message before it");
}

TEST_CASE("cross: an Anthropic request for OpenAI") {
    WriteOptions options;
    options.model = "gpt-4o";
    options.quirks.max_completion_tokens = true;
    std::string out = translate_request(anthropic_format(), openai_format(),
        R"({"model":"chat","max_tokens":77,"system":[{"type":"text","text":"one","cache_control":{"type":"ephemeral"}},{"type":"text","text":"two"}],
            "messages":[
            {"role":"user","content":[{"type":"text","text":"look"},
                {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},
                {"type":"image","source":{"type":"url","url":"https://h/i.png"}}]},
            {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"calling"},
                {"type":"tool_use","id":"toolu_1","name":"f","input":{"b":1,"a":2}},
                {"type":"tool_use","id":"toolu_2","name":"g","input":{}}]},
            {"role":"user","content":[
                {"type":"tool_result","tool_use_id":"toolu_1","content":"r1"},
                {"type":"tool_result","tool_use_id":"toolu_2","is_error":true,"content":[{"type":"text","text":"r2"}]},
                {"type":"text","text":"go on"}]}],
            "tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}}}],
            "tool_choice":{"type":"any","disable_parallel_tool_use":true},"temperature":0.3,"stop_sequences":["END"],
            "metadata":{"user_id":"u"},"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{},"additionalProperties":false}}}})", options);
    json::Document document;
    INFO(out);
    REQUIRE(document.parse(out));
    auto root = document.root();
    CHECK(root["model"].string() == "gpt-4o");
    CHECK(root["max_completion_tokens"].integer() == 77);
    CHECK(root["tool_choice"].raw() == R"("required")");
    CHECK(root["parallel_tool_calls"].raw() == "false");
    CHECK(root["temperature"].raw() == "0.3");
    CHECK(root["stop"].raw() == R"(["END"])");
    CHECK(root["user"].string() == "u");
    CHECK(root["response_format"]["json_schema"]["name"].string() == "structured_output");
    CHECK(root["response_format"]["json_schema"]["strict"].boolean());
    CHECK(root["tools"].raw() == R"([{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}}}}])");

    std::vector<json::Value> messages;
    for (auto message : root["messages"].elements()) {
        messages.push_back(message);
    }
    REQUIRE(messages.size() == 6);
    CHECK(messages[0]["role"].string() == "system");
    CHECK(out.find("one") != std::string::npos);
    CHECK(out.find("two") != std::string::npos);
    CHECK(messages[1]["content"].raw().find(R"("url":"data:image/png;base64,AAAA")") != std::string::npos);
    CHECK(messages[1]["content"].raw().find(R"("url":"https://h/i.png")") != std::string::npos);
    CHECK(messages[2]["tool_calls"].raw() ==
          R"([{"id":"toolu_1","type":"function","function":{"name":"f","arguments":"{\"b\":1,\"a\":2}"}},{"id":"toolu_2","type":"function","function":{"name":"g","arguments":"{}"}}])");
    CHECK(messages[2]["content"].string() == "calling");
    CHECK(messages[3]["role"].string() == "tool");
    CHECK(messages[3]["tool_call_id"].string() == "toolu_1");
    CHECK(messages[3]["content"].string() == "r1");
    CHECK(messages[4]["tool_call_id"].string() == "toolu_2");
    CHECK(messages[4]["content"].string() == "Error: r2");
    CHECK(messages[5]["role"].string() == "user");
    CHECK(messages[5]["content"].string() == "go on");
}

TEST_CASE("cross: a conversation survives the way there and back") {
    std::string body =
        R"({"model":"m","max_tokens":50,"system":[{"type":"text","text":"s"}],"messages":[)"
        R"({"role":"user","content":[{"type":"text","text":"q"}]},)"
        R"({"role":"assistant","content":[{"type":"text","text":"c"},{"type":"tool_use","id":"a","name":"f","input":{"x":1}},{"type":"tool_use","id":"b","name":"f","input":{}}]},)"
        R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"1"}]},{"type":"tool_result","tool_use_id":"b","content":[{"type":"text","text":"2"}]},{"type":"text","text":"m"}]}],)"
        R"("tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"auto"}})";
    std::string there = translate_request(anthropic_format(), openai_format(), body);
    CHECK(translate_request(openai_format(), anthropic_format(), there) == body);
}
