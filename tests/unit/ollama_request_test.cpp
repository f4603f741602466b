#include <memory_resource>

#include "catch.hpp"
#include "exchange.hpp"
#include "llm/exchange.hpp"

using namespace llm;
using testing::translate_request;

namespace {

std::string for_ollama(std::string_view members, WriteOptions options = {}) {
    options.model = "llama3.2";
    return translate_request(openai_format(), ollama_format(),
                             R"({"model":"m",)" + std::string(members) + "}",
                             options);
}

std::string hi(std::string_view more) {
    return for_ollama(R"("messages":[{"role":"user","content":"hi"}],)"
                      + std::string(more));
}

std::string from_ollama(std::string_view body) {
    WriteOptions options;
    options.model = "gpt-x";
    return translate_request(ollama_format(), openai_format(), body, options);
}

std::string from_generate(std::string_view members) {
    WriteOptions options;
    options.model = "gpt-x";
    return translate_request(ollama_generate_format(), openai_format(),
                             R"({"model":"m",)" + std::string(members) + "}",
                             options);
}

std::string round_trip(const Format &format, std::string_view body) {
    json::Document document;
    INFO(body);
    REQUIRE(document.parse(body));
    std::pmr::monotonic_buffer_resource memory;
    auto request = format.parse_request(document, &memory);
    INFO((request ? "" : request.error().message));
    REQUIRE(request);
    auto head = format.parse_head(document, {});
    REQUIRE(head);
    request->stream = head->stream;
    std::string out;
    WriteOptions options;
    options.model = "m";
    REQUIRE(format.write_request(*request, options, out));
    return out;
}

}  // namespace

TEST_CASE("ollama: an OpenAI request becomes one of /api/chat") {
    CHECK(for_ollama(R"("messages":[
            {"role":"system","content":"one"},
            {"role":"developer","content":[{"type":"text","text":"two"},{"type":"text","text":"three"}]},
            {"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}}]},
            {"role":"assistant","reasoning_content":"hm","content":"calling","tool_calls":[
                {"id":"call_1","type":"function","function":{"name":"f","arguments":"{\n \"b\": 1, \"a\": 2}"}},
                {"id":"call_2","type":"function","function":{"name":"g","arguments":""}}]},
            {"role":"tool","tool_call_id":"call_1","content":"r1"},
            {"role":"tool","tool_call_id":"call_2","content":"r2"}],
            "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"integer"}}},"strict":true}},
                     {"type":"function","function":{"name":"g"}}],
            "tool_choice":"auto","parallel_tool_calls":false,
            "max_completion_tokens":77,"temperature":0.70,"top_p":0.9,"top_k":40,"seed":9223372036854775808,
            "frequency_penalty":1,"presence_penalty":-1,"stop":["A","B"],"user":"u","logit_bias":{"1":2},
            "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}},
            "reasoning_effort":"high","logprobs":true,"top_logprobs":3)")
          == R"({"model":"llama3.2","messages":[{"role":"system","content":"one"},{"role":"system","content":"two\nthree"},)"
             R"({"role":"user","content":"look","images":["iVBO"]},)"
             R"({"role":"assistant","content":"calling","thinking":"hm","tool_calls":[{"id":"call_1","function":{"name":"f","arguments":{  "b": 1, "a": 2}}},{"id":"call_2","function":{"name":"g","arguments":{}}}]},)"
             R"({"role":"tool","content":"r1","tool_name":"f","tool_call_id":"call_1"},{"role":"tool","content":"r2","tool_name":"g","tool_call_id":"call_2"}],)"
             R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}},{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}],)"
             R"("format":{"type":"object"},"options":{"num_predict":77,"temperature":0.70,"top_p":0.9,"top_k":40,"seed":9223372036854775808,"frequency_penalty":1,"presence_penalty":-1,"stop":["A","B"]},)"
             R"("think":"high","logprobs":true,"top_logprobs":3,"stream":false})");
}

TEST_CASE("ollama: whether to stream is always said, since streams are its default") {
    CHECK(hi(R"("stream":true)").ends_with(R"("stream":true})"));
    CHECK(hi(R"("stream":false)").ends_with(R"("stream":false})"));
}

TEST_CASE("ollama: each effort has its word for think") {
    struct { std::string_view effort, think; } rows[] = {
        {"none", "false"}, {"minimal", "\"low\""}, {"low", "\"low\""}, {"medium", "\"medium\""},
        {"high", "\"high\""}, {"xhigh", "\"max\""}, {"max", "\"max\""},
    };
    for (auto &row : rows) {
        std::string out = hi(R"("reasoning_effort":")" + std::string(row.effort) + "\"");
        INFO(out);
        CHECK(out.find("\"think\":" + std::string(row.think) + ",") != std::string::npos);
    }
    // A budget of Anthropic's, and thinking switched off.
    auto thinking = [](std::string_view what) {
        return translate_request(anthropic_format(), ollama_format(),
            R"({"model":"m","max_tokens":9000,"messages":[{"role":"user","content":"q"}],"thinking":)" + std::string(what) + "}",
            {.model = "m"});
    };
    CHECK(thinking(R"({"type":"enabled","budget_tokens":2000})").find(R"("think":"medium")") != std::string::npos);
    // Models that can think do so unasked, others refuse to be asked.
    CHECK(thinking(R"({"type":"adaptive"})").find("think") == std::string::npos);
    CHECK(thinking(R"({"type":"disabled"})").find(R"("think":false)") != std::string::npos);
}

TEST_CASE("ollama: tools are left out where none may be called") {
    constexpr auto tools = R"("tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],"tool_choice":)";
    CHECK(hi(std::string(tools) + "\"none\"").find("tools") == std::string::npos);
    std::string allowed = hi(std::string(tools) + R"({"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"g"}}]}})");
    CHECK(allowed.find(R"("name":"f")") == std::string::npos);
    CHECK(allowed.find(R"("name":"g")") != std::string::npos);
}

TEST_CASE("ollama: a free-form tool is a function with one text") {
    CHECK(for_ollama(R"("messages":[{"role":"user","content":"hi"},)"
                     R"({"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"custom","custom":{"name":"sql","input":"select 1"}}]},)"
                     R"({"role":"tool","tool_call_id":"t","content":"1"}],)"
                     R"("tools":[{"type":"custom","custom":{"name":"sql","description":"Asks"}}])")
          == R"({"model":"llama3.2","messages":[{"role":"user","content":"hi"},)"
             R"({"role":"assistant","content":"","tool_calls":[{"id":"t","function":{"name":"llm_custom_sql","arguments":{"input":"select 1"}}}]},)"
             R"({"role":"tool","content":"1","tool_name":"llm_custom_sql","tool_call_id":"t"}],)"
             R"("tools":[{"type":"function","function":{"name":"llm_custom_sql","description":"Asks","parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}}],"stream":false})");
}

TEST_CASE("ollama: what it cannot be told is refused, or dropped if configured") {
    struct { std::string_view member, error; } rows[] = {
        {R"("n":2)", "n: n cannot be sent to this model's provider"},
        {R"("modalities":["text","audio"])", "modalities: modalities cannot be sent to this model's provider"},
        {R"("web_search_options":{})", "web_search_options: web_search_options cannot be sent to this model's provider"},
        {R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required")",
         "tool_choice: a demand that a tool is called cannot be sent to this model's provider"},
        {R"("tools":[{"type":"custom","custom":{"name":"f","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"a"}}}}])",
         "tools[0].custom.format: tools[0].custom.format must be text for this model's provider"},
    };
    for (auto &row : rows) {
        CHECK(hi(row.member) == row.error);
        std::string members = R"("messages":[{"role":"user","content":"hi"}],)" + std::string(row.member);
        CHECK(for_ollama(members, {.drop_unsupported = true}).starts_with("{\"model\""));
    }
    CHECK(for_ollama(R"("messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/i.png"}}]}])")
          == "messages[0].content[0]: an image that is not given as data cannot be sent to this model's provider");
    CHECK(for_ollama(R"("messages":[{"role":"user","content":[{"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA"}}]}])")
          == "messages[0].content[0]: a document cannot be sent to this model's provider");
}

TEST_CASE("ollama: sound goes where images go") {
    CHECK(for_ollama(R"("messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}])")
          == R"({"model":"llama3.2","messages":[{"role":"user","content":"","images":["AAAA"]}],"stream":false})");
}

TEST_CASE("ollama: arguments that are no object are kept in one") {
    auto with = [](std::string_view arguments) {
        return for_ollama(R"("messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":)"
                          + std::string(arguments) + R"(}}]},{"role":"tool","tool_call_id":"c","content":"r"}])");
    };
    CHECK(with(R"("[1]")").find(R"("arguments":{"input":[1]})") != std::string::npos);
    CHECK(with(R"("{oops")").find(R"("arguments":{"input":"{oops"})") != std::string::npos);
}

TEST_CASE("ollama: a request of /api/chat becomes OpenAI's") {
    CHECK(from_ollama(R"({"model":"m","messages":[
            {"role":"system","content":"s"},
            {"role":"User","content":"look","images":["/9j/4AAQSkZJRgABAQAA","iVBORw0KGgoAAAANSUhE"]},
            {"role":"assistant","content":"","thinking":"hm","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}},{"function":{"name":"g","arguments":{}}}]},
            {"role":"tool","tool_name":"g","content":"rg"},
            {"role":"tool","content":"rf"},
            {"role":"user","content":"go on"}],
            "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}}}}],
            "format":{"type":"object"},"options":{"num_predict":5,"temperature":0.5,"stop":["X"],"num_ctx":4096,"seed":1,"top_k":3},
            "think":true,"keep_alive":"5m"})")
          == R"({"model":"gpt-x","messages":[{"role":"system","content":"s"},)"
             R"({"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/4AAQSkZJRgABAQAA"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgoAAAANSUhE"}}]},)"
             R"({"role":"assistant","content":null,"tool_calls":[{"id":"call_0","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"call_1","type":"function","function":{"name":"g","arguments":"{}"}}]},)"
             R"({"role":"tool","tool_call_id":"call_1","content":"rg"},{"role":"tool","tool_call_id":"call_0","content":"rf"},)"
             R"({"role":"user","content":"go on"}],"max_tokens":5,"stop":["X"],"temperature":0.5,"seed":1,)"
             R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}}}}],)"
             R"("response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"}}},"reasoning_effort":"medium",)"
             R"("stream":true,"stream_options":{"include_usage":true}})");
}

TEST_CASE("ollama: a request of /api/generate is a question with instructions") {
    CHECK(from_generate(R"("prompt":"q","system":"s","images":["R0lGODdhAQABAIAA"],"format":"json","stream":false,"context":[],"raw":false,"suffix":"")")
          == R"({"model":"gpt-x","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"q"},{"type":"image_url","image_url":{"url":"data:image/gif;base64,R0lGODdhAQABAIAA"}}]}],"response_format":{"type":"json_object"}})");
}

TEST_CASE("ollama: a prompt that is no chat stays with servers that know it") {
    for (std::string_view member : {R"("suffix":"x")", R"("raw":true)", R"("template":"{{ .Prompt }}")", R"("context":[1,2])", R"("width":64)"}) {
        std::string body = R"({"model":"m","prompt":"q",)" + std::string(member) + "}";
        std::pmr::monotonic_buffer_resource memory;
        Exchange exchange(ollama_generate_format(), body, {}, &memory);
        REQUIRE(exchange.open());

        auto outcome = exchange.prepare({&openai_format(), "m", false, {}});
        REQUIRE_FALSE(outcome);
        std::string name(member.substr(1, member.find('"', 1) - 1));
        CHECK(outcome.error().param == name);
        CHECK(outcome.error().code == "unsupported_parameter");

        CHECK(exchange.prepare({&openai_format(), "m", true, {}}));
        CHECK(exchange.prepare({&ollama_generate_format(), "m", false, {}}));
    }
}

TEST_CASE("ollama: another API's members are unknown ones, which are kept") {
    auto kept = [](const Format &format, std::string_view body) {
        json::Document document;
        REQUIRE(document.parse(body));
        std::pmr::monotonic_buffer_resource memory;
        auto request = format.parse_request(document, &memory);
        REQUIRE(request);
        REQUIRE(request->extra.size() == 1);
        return std::string(request->extra[0].name);
    };
    CHECK(kept(ollama_generate_format(),
               R"({"model":"m","prompt":"q","messages":[]})") == "messages");
    CHECK(kept(ollama_format(),
               R"({"model":"m","messages":[{"role":"user","content":"q"}],"prompt":"q"})")
          == "prompt");
}

TEST_CASE("ollama: what makes no sense is refused with its place") {
    struct { std::string_view body, error; } rows[] = {
        {R"({"messages":[]})", "model: model is missing"},
        {R"({"model":"m","messages":[]})", "messages: messages must not be empty"},
        {R"({"model":"m"})", "messages: messages must not be empty"},
        {R"({"model":"m","messages":{}})", "messages: messages must be an array"},
        {R"({"model":"m","messages":[1]})", "messages[0]: messages[0] must be an object"},
        {R"({"model":"m","messages":[{"role":"x","content":"q"}]})",
         R"(messages[0].role: messages[0].role must be "system", "user", "assistant" or "tool")"},
        {R"({"model":"m","messages":[{"role":"user","content":[]}]})", "messages[0].content: messages[0].content must be a string"},
        {R"({"model":"m","messages":[{"role":"user","content":"q","images":["data:image/png;base64,AA"]}]})",
         R"(messages[0].images[0]: messages[0].images[0] must be base64, without a "data:" prefix)"},
        {R"({"model":"m","messages":[{"role":"tool","content":"r"}]})",
         "messages[0]: messages[0] answers no tool call of an earlier message"},
        {R"({"model":"m","messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":[]}}]}]})",
         "messages[0].tool_calls[0].function.arguments: messages[0].tool_calls[0].function.arguments must be an object"},
        {R"({"model":"m","messages":[{"role":"user","content":"q"}],"options":{"temperature":"x"}})",
         "options.temperature: options.temperature must be a number"},
        {R"({"model":"m","messages":[{"role":"user","content":"q"}],"think":"much"})",
         R"(think: think must be true, false, "low", "medium", "high" or "max")"},
        {R"({"model":"m","messages":[{"role":"user","content":"q"}],"format":"xml"})",
         R"(format: format must be "json" or a JSON schema)"},
        {R"({"model":"m","messages":[{"role":"user","content":"q"}],"tools":[{"type":"x"}]})",
         R"(tools[0].type: tools[0].type must be "function")"},
    };
    for (auto &row : rows) {
        CHECK(from_ollama(row.body) == row.error);
    }
    CHECK(from_generate(R"("prompt":7)") == "prompt: prompt must be a string");
    CHECK(from_generate(R"("system":"s")") == "prompt: prompt must not be empty");
}

TEST_CASE("ollama: nothing is lost on the way back to the same API") {
    std::string body =
        R"({"model":"m","messages":[{"role":"user","content":"q","new":1},{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},{"role":"tool","content":"r","tool_name":"f"}],)"
        R"("tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}},"x":1}],"format":{"type":"object"},)"
        R"("options":{"num_predict":5,"temperature":0.50,"stop":["X"],"num_ctx":4096,"mirostat":1},"think":true,"logprobs":true,"top_logprobs":2,"stream":false,"keep_alive":"5m","truncate":true})";
    CHECK(round_trip(ollama_format(), body) == body);

    std::string prompt =
        R"({"model":"m","prompt":"q","system":"s","images":["AAAA"],"format":"json","stream":true,"suffix":"x","keep_alive":1})";
    CHECK(round_trip(ollama_generate_format(), prompt) == prompt);
}

TEST_CASE("ollama: /api/generate as a provider takes one question") {
    WriteOptions options;
    options.model = "m";
    auto write = [&](std::string_view messages) {
        return translate_request(openai_format(), ollama_generate_format(),
            R"({"model":"x","messages":)" + std::string(messages) + "}", options);
    };
    CHECK(write(R"([{"role":"system","content":"s"},{"role":"user","content":"q"}])")
          == R"({"model":"m","prompt":"q","system":"s","stream":false})");
    CHECK(write(R"([{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":"q"}])")
          == "messages: messages holds more than one question, which cannot be sent to this model's provider");
}

TEST_CASE("ollama: a call that stays in its API changes its model alone") {
    std::string body = R"({ "model" : "m", "messages":[], "keep_alive": 0})";
    json::Document document;
    REQUIRE(document.parse(body));
    std::string out;
    json::apply_edits(body, ollama_format().request_edits(body, document, {.model = "n"}), out);
    CHECK(out == R"({ "model" : "n", "messages":[], "keep_alive": 0})");
    CHECK(ollama_format().request_edits(body, document, {.model = "m"}).empty());

    auto head = ollama_format().parse_head(document, {});
    REQUIRE(head);
    CHECK(head->stream);
    CHECK(head->include_usage);
}

TEST_CASE("ollama: routes") {
    CHECK(match_route("/api/chat", {}).format == &ollama_format());
    CHECK(match_route("/x/api/generate", {}).format == &ollama_generate_format());
    CHECK(match_route("/api/tags", {}).operation == Operation::models);
    CHECK(match_route("/api/version", {}).operation == Operation::version);
    CHECK(match_route("/api/show", {}).operation == Operation::show);
}
