// Servers of OpenAI's API that are not OpenAI's: what each one is sent, and
// what each one's answers mean. A block a provider.
#include <memory_resource>

#include "catch.hpp"
#include "events.hpp"
#include "exchange.hpp"
#include "llm/provider.hpp"

using namespace llm;
using testing::events_of;
using testing::sum_of_response;
using testing::translate_request;

namespace {

WriteOptions as(std::string_view preset) {
    const Preset *row = find_preset(preset);
    REQUIRE(row);
    WriteOptions options;
    options.model = "m";
    options.quirks = row->quirks;
    return options;
}

// An OpenAI client's call, whose bytes are passed on.
std::string passed_on(std::string_view body, const WriteOptions &options) {
    json::Document document;
    INFO(body);
    REQUIRE(document.parse(body));
    std::string out;
    auto edits = openai_format().request_edits(body, document, options);
    json::apply_edits(body, edits, out);
    json::Document after;
    INFO(out);
    REQUIRE(after.parse(out));
    return out;
}

std::string passed_on(std::string_view body, std::string_view preset) {
    return passed_on(body, as(preset));
}

std::string from_anthropic(std::string_view messages, std::string_view more, std::string_view preset) {
    return translate_request(anthropic_format(), openai_format(),
        R"({"model":"x","max_tokens":5,"messages":)" + std::string(messages) + std::string(more) + "}", as(preset));
}

std::string with_message(std::string_view message, std::string_view finish, std::string_view usage = R"({"prompt_tokens":3,"completion_tokens":2})") {
    return R"({"id":"c","model":"m","choices":[{"index":0,"message":)" + std::string(message)
           + R"(,"finish_reason":)" + std::string(finish) + R"(}],"usage":)" + std::string(usage) + "}";
}

std::string chunk(std::string_view delta, std::string_view finish = "null", std::string_view more = "") {
    return R"(data: {"id":"c","model":"m","created":1,"choices":[{"index":0,"delta":)" + std::string(delta)
           + R"(,"finish_reason":)" + std::string(finish) + "}]" + std::string(more) + "}\n\n";
}

constexpr std::string_view done = "data: [DONE]\n\n";
constexpr std::string_view start = "start c m 1\n";

}  // namespace

TEST_CASE("mistral: members that it does not know are renamed or left out") {
    CHECK(passed_on(R"({"user":"u","store":false, "model":"m","messages":[{"role":"user","content":"q"}],"max_completion_tokens":5,"seed" : 7,"stream":true,"stream_options":{"include_usage":true},"logit_bias":{},"tools":[],"verbosity":"low"})", "mistral")
          == R"({"model":"m","messages":[{"role":"user","content":"q"}],"max_tokens":5,"random_seed":7,"stream":true})");
    // Said under both names: one is enough.
    CHECK(passed_on(R"({"model":"m","messages":[],"max_tokens":1,"max_completion_tokens":5})", "mistral") == R"({"model":"m","messages":[],"max_tokens":5})");
    // Its own members stay.
    CHECK(passed_on(R"({"model":"m","messages":[],"safe_prompt":true,"random_seed":1})", "mistral") == R"({"model":"m","messages":[],"safe_prompt":true,"random_seed":1})");
}

TEST_CASE("mistral: nothing but its members is left in messages") {
    CHECK(passed_on(R"({"model":"m","messages":[{"role":"developer","content":"s","name":"n"},{"name":"n","role":"user","content":"q"},)"
                    R"({"refusal":null,"role":"assistant","content":"a","annotations":[],"tool_calls":[],"reasoning_content":"hm","audio":null},{"role":"user","content":"q"}]})", "mistral")
          == R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":"q"}]})");
}

TEST_CASE("mistral: ids of calls are nine letters and digits, in calls and results alike") {
    std::string out = passed_on(R"({"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"call_abcdefghijkl","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"abcDEF123","type":"function","function":{"name":"g","arguments":"{}"}}]},)"
                                R"({"role":"tool","name":"f","tool_call_id":"call_abcdefghijkl","content":"r"},{"role":"tool","tool_call_id":"abcDEF123","content":"r"}]})", "mistral");
    json::Document document;
    REQUIRE(document.parse(out));
    std::vector<std::string> ids;
    for (auto message : document.root()["messages"].elements()) {
        for (auto call : message["tool_calls"].elements()) {
            ids.emplace_back(call["id"].string());
        }
        if (message["tool_call_id"]) {
            ids.emplace_back(message["tool_call_id"].string());
        }
    }
    REQUIRE(ids.size() == 4);
    CHECK(ids[0].size() == 9);
    CHECK(ids[0].find('_') == std::string::npos);
    CHECK(ids[0] == ids[2]);
    CHECK(ids[1] == "abcDEF123");
    CHECK(ids[3] == "abcDEF123");
}

TEST_CASE("mistral: a tool without parameters is told to have none") {
    CHECK(passed_on(R"({"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g","parameters":null}},)"
                    R"({"type":"function","function":{"name":"h","parameters":{"type":"object"}}},{"type":"connector","connector_id":"c"}]})", "mistral")
          == R"({"model":"m","messages":[],"tools":[{"type":"function","function":{"parameters":{"type":"object","properties":{}},"name":"f"}},)"
             R"({"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}},)"
             R"({"type":"function","function":{"name":"h","parameters":{"type":"object"}}},{"type":"connector","connector_id":"c"}]})");
    // Wherever they stand.
    CHECK(passed_on(R"({"tools":[{"type":"function","function":{"name":"f"}}],"model":"m","messages":[{"role":"developer","content":"q"}]})", "mistral")
          == R"({"tools":[{"type":"function","function":{"parameters":{"type":"object","properties":{}},"name":"f"}}],"model":"m","messages":[{"role":"system","content":"q"}]})");
}

TEST_CASE("mistral: a user does not speak right after a tool, nor the assistant last") {
    constexpr std::string_view call = R"({"role":"assistant","tool_calls":[{"id":"abcDEF123","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"abcDEF123","content":"r"})";
    CHECK(passed_on(R"({"model":"m","messages":[)" + std::string(call) + R"(,{"role":"user","content":"q"}]})", "mistral")
          == R"({"model":"m","messages":[)" + std::string(call) + R"(,{"role":"assistant","content":"."},{"role":"user","content":"q"}]})");
    CHECK(passed_on(R"({"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":"Once"}]})", "mistral")
          == R"({"model":"m","messages":[{"role":"user","content":"q"},{"prefix":true,"role":"assistant","content":"Once"}]})");
}

TEST_CASE("mistral: a translated call is made fit in the same way") {
    CHECK(from_anthropic(R"([{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"r"},{"type":"text","text":"go on"}]}])",
                         R"(,"stream":true,"metadata":{"user_id":"u"})", "mistral")
          == [] {
                 std::string id = passed_on(R"({"model":"m","messages":[{"role":"tool","tool_call_id":"toolu_1","content":"r"}]})", "mistral").substr(56, 9);
                 return R"({"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":")" + id
                        + R"(","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":")" + id
                        + R"(","content":"r"},{"role":"assistant","content":"."},{"role":"user","content":"go on"}],"max_tokens":5,"stream":true})";
             }());
}

TEST_CASE("mistral: answers with thinking chunks, cached tokens and its own words") {
    CHECK(sum_of_response(openai_format(), with_message(
              R"({"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}],"closed":true},{"type":"text","text":"Hi"},{"type":"reference","reference_ids":[1]}],"tool_calls":null})",
              "\"model_length\"", R"({"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"num_cached_tokens":1})"))
          == "text: Hi\nreasoning: hm\nsignature: \nredacted: \nrefusal: \nfinish: length\nusage: 3+2=5 cached 1\nerror: \n");
    CHECK(events_of(openai_format(),
              chunk(R"({"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]})")
              + chunk(R"({"content":"","tool_calls":[{"id":"null","function":{"name":"f","arguments":{"x":1}},"index":null},{"id":"abcDEF123","function":{"name":"g","arguments":"{}"}}]})", "\"tool_calls\"", R"(,"usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_token_details":{"cached_tokens":2}})")
              + std::string(done))
          == std::string(start) + "reasoning hm\ncall 0 call_c_0 f\narguments 0 {\"x\":1}\ncall 1 abcDEF123 g\narguments 1 {}\nfinish tool_calls\nusage 3+2=5 cached 2 reasoning 0\ndone\n");
    const std::string failed = with_message(R"({"content":"x"})", "\"error\"");
    json::Document document;
    REQUIRE(document.parse(failed));
    std::pmr::monotonic_buffer_resource memory;
    CHECK_FALSE(openai_format().parse_response(document, &memory));
}

TEST_CASE("mistral: its errors") {
    Error error = openai_format().parse_error(422, R"({"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","user"],"msg":"Extra inputs are not permitted","input":"u"}]},"type":"invalid_request_error","param":null,"code":null})");
    CHECK(error.message == "Extra inputs are not permitted");
    CHECK(error.kind == ErrorKind::invalid_request);
    CHECK(openai_format().parse_error(422, R"({"detail":[{"loc":["body"],"msg":"Field required","type":"missing"}]})").message == "Field required");
}

TEST_CASE("tgi: errors, in an answer and in a stream; words for the end") {
    Error error = openai_format().parse_error(429, R"({"error":"Model is overloaded","error_type":"overloaded"})");
    CHECK(error.message == "Model is overloaded");
    CHECK(error.kind == ErrorKind::rate_limit);
    CHECK(openai_format().parse_error(424, R"({"error":"Request failed during generation: x","error_type":"generation"})").kind == ErrorKind::server);
    CHECK(events_of(openai_format(), chunk(R"({"content":"H"})") + "data: {\"error\":\"Input validation error: x\",\"error_type\":\"validation\"}\n\n")
          == std::string(start) + "text H\nerror 400 Input validation error: x\n");
    CHECK(events_of(openai_format(), ":\n\n" + chunk(R"({"content":"H"})", "\"eos_token\"") + std::string(done))
          == std::string(start) + "text H\nfinish stop (eos_token)\ndone\n");
    CHECK(sum_of_response(openai_format(), with_message(R"({"content":"x"})", "\"stop_sequence\"")).find("finish: stop") != std::string::npos);
}

TEST_CASE("tgi: a JSON schema is the value of its response format") {
    CHECK(passed_on(R"({"model":"m","messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}})", "tgi")
          == R"({"model":"m","messages":[],"response_format":{"type":"json_object","value":{"type":"object"}}})");
}

TEST_CASE("groq: usage in x_groq, errors in x_groq, reasoning, members that it refuses") {
    CHECK(events_of(openai_format(), chunk(R"({"reasoning":"hm"})") + chunk("{}", "\"stop\"", R"(,"x_groq":{"id":"r","usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})") + std::string(done))
          == std::string(start) + "reasoning hm\nfinish stop\nusage 3+2=5 cached 0 reasoning 0\ndone\n");
    CHECK(events_of(openai_format(), chunk(R"({"content":"H"})") + R"(data: {"id":"c","choices":[],"x_groq":{"error":{"message":"over capacity","type":"internal_server_error"}}})" "\n\n").ends_with("error 500 over capacity\n"));
    CHECK(openai_format().parse_error(498, R"({"error":{"message":"Flex tier capacity exceeded","code":"capacity_exceeded"}})").kind == ErrorKind::rate_limit);
    CHECK(passed_on(R"({"model":"m","messages":[],"logit_bias":{"1":1}})", "groq") == R"({"model":"m","messages":[]})");
}

TEST_CASE("deepseek: thoughts, cache hits, keep-alives, no room") {
    CHECK(sum_of_response(openai_format(), "\n\n\n" + with_message(R"({"content":"x","reasoning_content":"hm"})", "\"stop\"",
              R"({"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"prompt_cache_hit_tokens":2,"prompt_cache_miss_tokens":1,"completion_tokens_details":{"reasoning_tokens":1}})"))
          == "text: x\nreasoning: hm\nsignature: \nredacted: \nrefusal: \nfinish: stop\nusage: 3+2=5 cached 2 reasoning 1\nerror: \n");
    CHECK(events_of(openai_format(), ": keep-alive\n\n" + chunk(R"({"content":"x"})") + ": keep-alive\n\n" + chunk("{}", "\"insufficient_system_resource\""))
          == std::string(start) + "text x\nerror 500 the provider failed before the answer was complete\n");
    CHECK(openai_format().parse_error(402, R"({"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}})").kind == ErrorKind::quota);
}

TEST_CASE("deepseek: a JSON schema is told in words, and thoughts go back") {
    CHECK(passed_on(R"({"model":"m","seed":1,"messages":[{"role":"developer","content":"d"},{"role":"user","content":"q"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}})", "deepseek")
          == R"({"model":"m","messages":[{"role":"system","content":"Answer with one JSON object and nothing else. It must fit this JSON Schema: {\"type\":\"object\"}"},{"role":"system","content":"d"},{"role":"user","content":"q"}],"response_format":{"type":"json_object"}})");
    // Also to nobody.
    CHECK(passed_on(R"({"model":"m","messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}})", "deepseek")
          == R"({"model":"m","messages":[{"role":"system","content":"Answer with one JSON object and nothing else. It must fit this JSON Schema: {\"type\":\"object\"}"}],"response_format":{"type":"json_object"}})");
    CHECK(from_anthropic(R"([{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"a"}]},{"role":"user","content":"q"}])", "", "deepseek")
              .find(R"({"role":"assistant","content":"a","reasoning_content":"hm"})") != std::string::npos);
}

TEST_CASE("moonshot: thoughts go back with calls; usage within a choice") {
    CHECK(from_anthropic(R"([{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"tool_use","id":"t","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}])", "", "moonshot")
              .find(R"("reasoning_content":"hm","tool_calls")") != std::string::npos);
    CHECK(events_of(openai_format(), R"(data: {"id":"c","model":"m","created":1,"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":2}}]})" "\n\n" + std::string(done))
          == std::string(start) + "text x\nfinish stop\nusage 3+2=5 cached 0 reasoning 0\ndone\n");
}

TEST_CASE("xai: reasoning tokens are added to the completion's, errors are texts") {
    CHECK(sum_of_response(openai_format(), with_message(R"({"content":"x"})", "\"stop\"",
              R"({"prompt_tokens":10,"completion_tokens":2,"total_tokens":112,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":100}})"))
              .find("usage: 10+102=112 cached 4 reasoning 100\n") != std::string::npos);
    Error error = openai_format().parse_error(400, R"({"code":"Client specified an invalid argument","error":"Model not found: x"})");
    CHECK(error.message == "Model not found: x");
    CHECK(error.code == "Client specified an invalid argument");
    CHECK(sum_of_response(openai_format(), with_message(R"({"content":"x"})", "\"stop\"")).find("error: \n") != std::string::npos);
    json::Document document;
    REQUIRE(document.parse(R"({"code":"503","error":"The service is busy"})"));
    std::pmr::monotonic_buffer_resource memory;
    CHECK_FALSE(openai_format().parse_response(document, &memory));
}

TEST_CASE("together: its words for the end, its form of a schema") {
    CHECK(events_of(openai_format(), chunk(R"({"content":"x"})", "\"\"") + chunk(R"({"content":""})", "\"eos\"") + std::string(done))
          == std::string(start) + "text x\nfinish stop (eos)\ndone\n");
    CHECK(passed_on(R"({"model":"m","messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}})", "together")
          == R"({"model":"m","messages":[],"response_format":{"type":"json_schema","schema":{"type":"object"}}})");
}

TEST_CASE("fireworks: its form of a schema, and usage in the last chunk") {
    CHECK(passed_on(R"({"model":"m","messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}})", "fireworks")
          == R"({"model":"m","messages":[],"response_format":{"type":"json_object","schema":{"type":"object"}}})");
    CHECK(events_of(openai_format(), chunk(R"({"content":"x"})", "\"stop\"", R"(,"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5})") + std::string(done))
          == std::string(start) + "text x\nfinish stop\nusage 3+2=5 cached 0 reasoning 0\ndone\n");
}

TEST_CASE("openrouter: comments, details of reasoning, errors under a good status and in streams") {
    CHECK(events_of(openai_format(), ": OPENROUTER PROCESSING\n\n" + chunk(R"({"reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"s"}]})") + chunk(R"({"content":"x"})", "\"stop\"") + std::string(done))
          == std::string(start) + "reasoning hm\nsignature s\ntext x\nfinish stop\ndone\n");
    CHECK(events_of(openai_format(), chunk(R"({"content":"x"})")
              + R"(data: {"id":"c","error":{"code":502,"message":"Provider disconnected","metadata":{}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]})" "\n\n")
          == std::string(start) + "text x\nerror 502 Provider disconnected\n");
    json::Document document;
    REQUIRE(document.parse(R"({"error":{"code":429,"message":"Rate limited"},"user_id":"u"})"));
    std::pmr::monotonic_buffer_resource memory;
    auto response = openai_format().parse_response(document, &memory);
    REQUIRE_FALSE(response);
    CHECK(response.error().kind == ErrorKind::rate_limit);
    CHECK(response.error().status == 429);
}

TEST_CASE("perplexity: the message that every chunk repeats does not count") {
    CHECK(events_of(openai_format(),
              R"(data: {"id":"c","model":"m","created":1,"citations":["https://h"],"choices":[{"index":0,"delta":{"role":"assistant","content":"H"},"message":{"role":"assistant","content":"H"},"finish_reason":null}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}})" "\n\n"
              R"(data: {"id":"c","model":"m","created":1,"choices":[{"index":0,"delta":{"content":"i"},"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"search_context_size":"low"}})" "\n\n")
          == std::string(start) + "text H\nusage 3+1=4 cached 0 reasoning 0\ntext i\nfinish stop\nusage 3+2=5 cached 0 reasoning 0\ndone\n");
    CHECK(passed_on(R"({"model":"m","messages":[],"seed":1,"stream":true,"stream_options":{}})", "perplexity") == R"({"model":"m","messages":[],"stream":true})");
}

TEST_CASE("cerebras: errors in streams, members that it refuses") {
    CHECK(events_of(openai_format(), chunk(R"({"reasoning":"hm"})", "null", R"(,"time_info":{"queue_time":1})") + R"(data: {"error":{"message":"too many","type":"x"},"status_code":429})" "\n\n")
          == std::string(start) + "reasoning hm\nerror 429 too many\n");
    CHECK(passed_on(R"({"model":"m","frequency_penalty":1,"presence_penalty":1,"messages":[]})", "cerebras") == R"({"model":"m","messages":[]})");
}

TEST_CASE("vllm: reasoning, stop_reason, both shapes of errors") {
    CHECK(events_of(openai_format(), chunk(R"({"reasoning":"hm","content":null})")
              + R"(data: {"id":"c","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop","stop_reason":"END"}]})" "\n\n" + std::string(done))
          == std::string(start) + "reasoning hm\ntext x\nfinish stop at END\ndone\n");
    CHECK(openai_format().parse_error(404, R"({"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404})").kind == ErrorKind::not_found);
    CHECK(openai_format().parse_error(400, R"({"error":{"message":"bad","type":"BadRequestError","param":null,"code":400}})").message == "bad");
    CHECK(events_of(openai_format(), chunk(R"({"content":"x"})") + "data: {\"error\":{\"message\":\"EngineCore\",\"type\":\"InternalServerError\",\"code\":500}}\n\n" + std::string(done))
          == std::string(start) + "text x\nerror 500 EngineCore\n");
}

TEST_CASE("sglang: calls without an index are told apart by their ids") {
    CHECK(events_of(openai_format(), chunk(R"({"tool_calls":[{"id":"a","function":{"name":"f","arguments":""}}]})") + chunk(R"({"tool_calls":[{"function":{"arguments":"{}"}}]})")
              + chunk(R"({"tool_calls":[{"id":"b","function":{"name":"f","arguments":"{}"}}]})", "\"tool_calls\"") + std::string(done))
          == std::string(start) + "call 0 a f\narguments 0 {}\ncall 1 b f\narguments 1 {}\nfinish tool_calls\ndone\n");
}

TEST_CASE("llama.cpp: timings are passed over, a model that loads is unavailable") {
    CHECK(events_of(openai_format(), chunk(R"({"reasoning_content":"hm"})") + chunk("{}", "\"stop\"", R"(,"timings":{"prompt_n":1})") + std::string(done))
          == std::string(start) + "reasoning hm\nfinish stop\ndone\n");
    CHECK(openai_format().parse_error(503, R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})").kind == ErrorKind::unavailable);
}

TEST_CASE("nim: an answer that is only promised is none") {
    json::Document document;
    REQUIRE(document.parse(R"({"requestId":"x"})"));
    std::pmr::monotonic_buffer_resource memory;
    auto response = openai_format().parse_response(document, &memory);
    REQUIRE_FALSE(response);
    CHECK(response.error().kind == ErrorKind::bad_gateway);
}

TEST_CASE("databricks: content as a list with reasoning") {
    CHECK(sum_of_response(openai_format(), with_message(R"({"content":[{"type":"reasoning","summary":[{"type":"summary_text","text":"hm","signature":"s"}]},{"type":"text","text":"x"}]})", "\"stop\"",
              R"({"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"reasoning_tokens":1})"))
          == "text: x\nreasoning: hm\nsignature: \nredacted: \nrefusal: \nfinish: stop\nusage: 3+2=5 reasoning 1\nerror: \n");
}

TEST_CASE("dashscope: cached and written tokens are parts of the prompt's") {
    CHECK(sum_of_response(openai_format(), with_message(R"({"content":"x","reasoning_content":"hm"})", "\"stop\"",
              R"({"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":4,"cache_creation_input_tokens":3}})"))
              .find("usage: 10+2=12 cached 4 written 3\n") != std::string::npos);
    CHECK(passed_on(R"({"model":"m","messages":[],"frequency_penalty":1,"enable_thinking":true})", "dashscope") == R"({"model":"m","messages":[],"enable_thinking":true})");
}

TEST_CASE("cloudflare: no content is an empty one") {
    CHECK(passed_on(R"({"model":"m","messages":[{"role":"assistant","content" : null,"tool_calls":[]}]})", "cloudflare") == R"({"model":"m","messages":[{"role":"assistant","content" : "","tool_calls":[]}]})");
    CHECK(from_anthropic(R"([{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}])", "", "cloudflare")
              .find(R"({"role":"assistant","content":"","tool_calls")") != std::string::npos);
}

TEST_CASE("any server: the role of developers is the system's where it is not known") {
    constexpr std::string_view body = R"({"model":"m","messages":[{"role":"developer","content":"d"}]})";
    CHECK(passed_on(body, WriteOptions{.model = "m"}) == R"({"model":"m","messages":[{"role":"system","content":"d"}]})");
    CHECK(passed_on(body, "openai") == body);
}

TEST_CASE("any server: rules of a configuration are those of a row") {
    constexpr MemberRule rules[] = {{"user"}, {"seed", "random_seed"}, {"response_format"}};
    WriteOptions options;
    options.model = "m";
    options.quirks.members = rules;
    options.quirks.schema = SchemaForm::flat;
    CHECK(passed_on(R"({"model":"n","messages":[],"user":"u","seed":1,"response_format":{"type":"json_schema","json_schema":{"schema":{}}}})", options)
          == R"({"model":"m","messages":[],"random_seed":1})");
}
