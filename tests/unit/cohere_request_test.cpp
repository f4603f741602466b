#include <memory_resource>

#include "catch.hpp"
#include "exchange.hpp"
#include "llm/exchange.hpp"

using namespace llm;
using testing::translate_request;

namespace {

std::string for_cohere(std::string_view members, WriteOptions options = {}) {
    options.model = "command-a";
    return translate_request(openai_format(), cohere_format(),
                             R"({"model":"m",)" + std::string(members) + "}",
                             options);
}

std::string hi(std::string_view more, WriteOptions options = {}) {
    return for_cohere(R"("messages":[{"role":"user","content":"hi"}],)"
                          + std::string(more), options);
}

// What comes after the messages.
std::string rest(std::string_view more) {
    std::string out = hi(more);
    constexpr std::string_view head = R"({"model":"command-a","messages":[{"role":"user","content":"hi"}])";
    INFO(out);
    REQUIRE(out.starts_with(head));
    return out.substr(head.size());
}

std::string from_cohere(std::string_view body) {
    WriteOptions options;
    options.model = "gpt-x";
    return translate_request(cohere_format(), openai_format(), body, options);
}

constexpr std::string_view two_tools = R"("tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}])";

}  // namespace

TEST_CASE("cohere: an OpenAI request becomes one of /v2/chat") {
    CHECK(for_cohere(R"("messages":[
            {"role":"system","content":"one"},
            {"role":"developer","content":[{"type":"text","text":"two"},{"type":"text","text":"three"}]},
            {"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"https://h/i.png","detail":"low"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
            {"role":"assistant","reasoning_content":"hm","content":"calling","tool_calls":[
                {"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"b\": 1, \"a\": 2}"}},
                {"id":"call_2","type":"function","function":{"name":"g","arguments":""}}]},
            {"role":"tool","tool_call_id":"call_1","content":"r1"},
            {"role":"tool","tool_call_id":"call_2","content":"r2"},
            {"role":"assistant","content":"done"},{"role":"user","content":"again"}],
            "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"integer"}}},"strict":true}}],
            "parallel_tool_calls":false,"max_completion_tokens":77,"temperature":1.50,"top_p":1,"top_k":40,"seed":7,
            "frequency_penalty":2,"presence_penalty":-1,"stop":["A","B"],"user":"u","logit_bias":{"1":2},"stream":true)")
          == R"({"model":"command-a","messages":[{"role":"system","content":"one"},{"role":"system","content":"two\nthree"},)"
             R"({"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"https://h/i.png","detail":"low"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},)"
             R"({"role":"assistant","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"b\": 1, \"a\": 2}"}},{"id":"call_2","type":"function","function":{"name":"g","arguments":"{}"}}],"tool_plan":"calling","content":[{"type":"thinking","thinking":"hm"}]},)"
             R"({"role":"tool","tool_call_id":"call_1","content":"r1"},{"role":"tool","tool_call_id":"call_2","content":"r2"},{"role":"assistant","content":"done"},{"role":"user","content":"again"}],)"
             R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}}],"strict_tools":true,)"
             R"("stop_sequences":["A","B"],"max_tokens":77,"temperature":1.50,"seed":7,"frequency_penalty":1,"presence_penalty":0,"k":40,"p":0.99,"stream":true})");
}

TEST_CASE("cohere: a tool is always shown with parameters") {
    CHECK(rest(two_tools) == R"(,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}]})");
}

TEST_CASE("cohere: which tool to call") {
    auto choice = [](std::string_view what) { return rest(std::string(two_tools) + ",\"tool_choice\":" + std::string(what)); };
    CHECK(choice("\"auto\"").find("tool_choice") == std::string::npos);
    CHECK(choice("\"none\"").ends_with(R"("tool_choice":"NONE"})"));
    CHECK(choice("\"required\"").ends_with(R"("tool_choice":"REQUIRED"})"));
    std::string named = choice(R"({"type":"function","function":{"name":"g"}})");
    CHECK(named.find(R"("name":"f")") == std::string::npos);
    CHECK(named.ends_with(R"("tool_choice":"REQUIRED"})"));
    std::string allowed = choice(R"({"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}})");
    CHECK(allowed.find(R"("name":"g")") == std::string::npos);
    CHECK(allowed.find("tool_choice") == std::string::npos);
}

TEST_CASE("cohere: the response format and how much to think") {
    CHECK(rest(R"("response_format":{"type":"json_object"})") == R"(,"response_format":{"type":"json_object"}})");
    CHECK(rest(R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}})") == R"(,"response_format":{"type":"json_object","json_schema":{"type":"object"}}})");
    CHECK(rest(R"("reasoning_effort":"none")") == R"(,"thinking":{"type":"disabled"}})");
    CHECK(rest(R"("reasoning_effort":"low")") == R"(,"thinking":{"type":"enabled","token_budget":1024}})");
    CHECK(rest(R"("reasoning_effort":"high")") == R"(,"thinking":{"type":"enabled"}})");
}

TEST_CASE("cohere: what it cannot be told is refused, or dropped if configured") {
    struct { std::string_view member, error; } rows[] = {
        {R"("n":2)", "n: n cannot be sent to this model's provider"},
        {R"("logprobs":true)", "logprobs: logprobs cannot be sent to this model's provider"},
        {R"("modalities":["audio"])", "modalities: modalities cannot be sent to this model's provider"},
        {R"("stop":["1","2","3","4","5","6"])", "stop: more than 5 stop sequences cannot be sent to this model's provider"},
        {R"("tools":[{"type":"custom","custom":{"name":"f","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"a"}}}}])", "tools[0].custom.format: tools[0].custom.format must be text for this model's provider"},
    };
    for (auto &row : rows) {
        CHECK(hi(row.member) == row.error);
        CHECK(hi(row.member, {.drop_unsupported = true}).starts_with("{\"model\""));
    }
    CHECK(hi(rows[3].member, {.drop_unsupported = true}).find(R"("stop_sequences":["1","2","3","4","5"])") != std::string::npos);
    CHECK(for_cohere(R"("messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}]}])")
          == "messages[0].content[0]: audio cannot be sent to this model's provider");
}

TEST_CASE("cohere: a free-form tool is a function with one text") {
    CHECK(for_cohere(R"("messages":[{"role":"user","content":"hi"},)"
                     R"({"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"custom","custom":{"name":"sql","input":"select \"1\""}}]},)"
                     R"({"role":"tool","tool_call_id":"t","content":"1"}],)"
                     R"("tools":[{"type":"custom","custom":{"name":"sql","description":"Asks"}}],"tool_choice":{"type":"custom","custom":{"name":"sql"}})")
          == R"({"model":"command-a","messages":[{"role":"user","content":"hi"},)"
             R"({"role":"assistant","tool_calls":[{"id":"t","type":"function","function":{"name":"llm_custom_sql","arguments":"{\"input\":\"select \\\"1\\\"\"}"}}]},)"
             R"({"role":"tool","tool_call_id":"t","content":"1"}],)"
             R"("tools":[{"type":"function","function":{"name":"llm_custom_sql","description":"Asks","parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}}],"tool_choice":"REQUIRED"})");
}

TEST_CASE("cohere: thoughts that another provider signed are not sent") {
    std::string out = translate_request(anthropic_format(), cohere_format(),
        R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"a"}]},{"role":"user","content":"q"}]})",
        {.model = "c"});
    CHECK(out.find(R"({"role":"assistant","content":"a"})") != std::string::npos);
}

TEST_CASE("cohere: a request of /v2/chat becomes OpenAI's") {
    CHECK(from_cohere(R"({"model":"m","messages":[
            {"role":"system","content":[{"type":"text","text":"s"}]},
            {"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
            {"role":"assistant","tool_plan":"plan","tool_calls":[{"id":"f_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
            {"role":"tool","tool_call_id":"f_1","content":[{"type":"document","document":{"data":{"x":1}}},{"type":"text","text":"t"}]},
            {"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a"}]},
            {"role":"user","content":"go on"}],
            "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"strict_tools":true,"tool_choice":"REQUIRED",
            "response_format":{"type":"json_object","json_schema":{"type":"object"}},"max_tokens":5,"stop_sequences":["X"],"temperature":0.5,"p":0.9,"k":5,"seed":1,
            "frequency_penalty":0.1,"presence_penalty":0.2,"thinking":{"type":"enabled","token_budget":2000},"safety_mode":"OFF","documents":[]})")
          == R"({"model":"gpt-x","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},)"
             R"({"role":"assistant","content":"plan","tool_calls":[{"id":"f_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},)"
             R"({"role":"tool","tool_call_id":"f_1","content":"{\"x\":1}\nt"},{"role":"assistant","content":"a"},{"role":"user","content":"go on"}],)"
             R"("max_tokens":5,"stop":["X"],"temperature":0.5,"top_p":0.9,"frequency_penalty":0.1,"presence_penalty":0.2,"seed":1,)"
             R"("tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}},"strict":true}}],"tool_choice":"required",)"
             R"("response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"}}},"reasoning_effort":"medium"})");
}

TEST_CASE("cohere: documents stay with Cohere") {
    std::string body = R"({"model":"m","messages":[{"role":"user","content":"q"}],"documents":["text"]})";
    std::pmr::monotonic_buffer_resource memory;
    Exchange exchange(cohere_format(), body, {}, &memory);
    REQUIRE(exchange.open());
    auto outcome = exchange.prepare({&openai_format(), "m", false, {}});
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().param == "documents");
    CHECK(exchange.prepare({&openai_format(), "m", true, {}}));
    CHECK(exchange.prepare({&cohere_format(), "m", false, {}}));
}

TEST_CASE("cohere: what makes no sense is refused with its place") {
    struct { std::string_view body, error; } rows[] = {
        {R"({"messages":[]})", "model: model is missing"},
        {R"({"model":"m"})", "messages: messages is missing"},
        {R"({"model":"m","messages":[]})", "messages: messages must not be empty"},
        {R"({"model":"m","messages":[{"role":"developer","content":"q"}]})",
         R"(messages[0].role: messages[0].role must be "system", "user", "assistant" or "tool")"},
        {R"({"model":"m","messages":[{"role":"user","content":7}]})", "messages[0].content: messages[0].content must be a string or an array of parts"},
        {R"({"model":"m","messages":[{"role":"user","content":[{"type":"thinking","thinking":"x"}]}]})",
         "messages[0].content[0].type: messages[0].content[0].type is no type of a part of this role's messages"},
        {R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]})",
         "messages[0].content[0].image_url.url: messages[0].content[0].image_url.url must be an http, https or data URL"},
        {R"({"model":"m","messages":[{"role":"tool","tool_call_id":"x","content":"r"}]})",
         "messages[0].tool_call_id: messages[0].tool_call_id must be the id of a tool call in an earlier message"},
        {R"({"model":"m","messages":[{"role":"user","content":"q"}],"tool_choice":"auto"})", R"(tool_choice: tool_choice must be "REQUIRED" or "NONE")"},
        {R"({"model":"m","messages":[{"role":"user","content":"q"}],"p":"x"})", "p: p must be a number"},
        {R"({"model":"m","messages":[{"role":"user","content":"q"}],"thinking":{"type":"enabled","token_budget":0}})",
         "thinking.token_budget: thinking.token_budget must be an integer of at least 1"},
        {R"({"model":"m","messages":[{"role":"user","content":"q"}],"max_tokens":0})", "max_tokens: max_tokens must be an integer of at least 1"},
    };
    for (auto &row : rows) {
        CHECK(from_cohere(row.body) == row.error);
    }
}

TEST_CASE("cohere: nothing is lost on the way back to the same API") {
    std::string body =
        R"({"model":"m","messages":[{"role":"user","content":"q","new":1},{"role":"assistant","content":"a","citations":[{"start":0}]},{"role":"user","content":"q"}],)"
        R"("tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"strict_tools":true,"tool_choice":"NONE","stop_sequences":["X"],"max_tokens":5,)"
        R"("temperature":0.50,"seed":1,"frequency_penalty":0.1,"presence_penalty":0.2,"k":5,"p":0.9,"response_format":{"type":"json_object","json_schema":{"type":"object"}},)"
        R"("thinking":{"type":"enabled","token_budget":2000},"logprobs":true,"stream":true,"documents":["d"],"safety_mode":"OFF","citation_options":{"mode":"FAST"}})";
    json::Document document;
    REQUIRE(document.parse(body));
    std::pmr::monotonic_buffer_resource memory;
    auto request = cohere_format().parse_request(document, &memory);
    REQUIRE(request);
    std::string out;
    REQUIRE(cohere_format().write_request(*request, {.model = "m"}, out));
    CHECK(out == body);
}

TEST_CASE("cohere: its SDKs are known by what they say of themselves") {
    CHECK(match_route("/v2/chat", {}).format == &cohere_format());
    CHECK(match_route("/v1/models", {}).format == &openai_format());
    CHECK(match_route("/v1/models", {.cohere_sdk = true}).format == &cohere_format());
    CHECK(match_route("/v1/chat/completions", {.cohere_sdk = true}).format == &openai_format());
}
