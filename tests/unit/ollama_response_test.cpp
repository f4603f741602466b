#include <memory_resource>

#include "catch.hpp"
#include "exchange.hpp"

using namespace llm;
using testing::sum_of_response;
using testing::translate_response;

namespace {

std::string answer(std::string_view message, std::string_view more = "") {
    return R"({"model":"llama3.2","created_at":"2023-08-04T19:22:45.499127Z","message":)"
           + std::string(message) + R"(,"done":true)" + std::string(more) + "}";
}

std::string for_ollama(std::string_view openai_message, std::string_view finish,
                       const Format &client = ollama_format()) {
    AnswerContext context;
    context.now = 1691176965;
    context.request_model = "asked";
    return translate_response(openai_format(), client,
        R"({"id":"chatcmpl-1","choices":[{"index":0,"message":)" + std::string(openai_message)
        + R"(,"finish_reason":")" + std::string(finish)
        + R"("}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})", context);
}

std::string written(const Error &error) {
    std::string out;
    ollama_format().write_error(error, out);
    return out;
}

}  // namespace

TEST_CASE("ollama: an answer with thoughts, text and usage") {
    CHECK(sum_of_response(ollama_format(), answer(R"({"role":"assistant","content":"Hi","thinking":"hm"})",
              R"(,"done_reason":"stop","total_duration":5043500667,"load_duration":1,"prompt_eval_count":26,"prompt_eval_duration":2,"eval_count":290,"eval_duration":3)"))
          == "text: Hi\nreasoning: hm\nsignature: \nredacted: \nrefusal: \nfinish: stop\nusage: 26+290=316\nerror: \n");
}

TEST_CASE("ollama: an answer for clients of other APIs") {
    std::string body = answer(R"({"role":"assistant","content":"Hi"})", R"(,"done_reason":"length","prompt_eval_count":1,"eval_count":2)");
    std::string openai = translate_response(ollama_format(), openai_format(), body, {.unique = "u"});
    CHECK(openai.starts_with(R"({"id":"chatcmpl-u","object":"chat.completion","created":1691176965,"model":"llama3.2","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null},"logprobs":null,"finish_reason":"length"}])"));
    std::string anthropic = translate_response(ollama_format(), anthropic_format(), body, {.unique = "u"});
    CHECK(anthropic.find(R"("stop_reason":"max_tokens")") != std::string::npos);
    CHECK(anthropic.find(R"("content":[{"type":"text","text":"Hi"}])") != std::string::npos);
}

TEST_CASE("ollama: calls without ids get some that differ from answer to answer") {
    auto call = [](std::string_view at) {
        return sum_of_response(ollama_format(),
            R"({"model":"m","created_at":")" + std::string(at) +
            R"(","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"b":1,"a":2}}},{"id":"call_x","function":{"index":1,"name":"g","arguments":{}}}]},"done":true,"done_reason":"stop"})");
    };
    std::string one = call("2023-08-04T19:22:45.499127Z");
    CHECK(one.find("f {\"b\":1,\"a\":2}\n") != std::string::npos);
    CHECK(one.find("g {}\n") != std::string::npos);
    CHECK(one.find("finish: tool_calls\n") != std::string::npos);
    CHECK(call("2023-08-04T19:22:45.499128Z") != one);

    std::string openai = translate_response(ollama_format(), openai_format(),
        answer(R"({"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}},{"function":{"name":"f","arguments":{}}}]})"), {});
    CHECK(openai.find(R"("id":"call_2023-08-04T192245499127Z_0")") != std::string::npos);
    CHECK(openai.find(R"("id":"call_2023-08-04T192245499127Z_1")") != std::string::npos);
    CHECK(openai.find(R"("finish_reason":"tool_calls")") != std::string::npos);
}

TEST_CASE("ollama: each word for the end") {
    struct { std::string_view word, reason; } rows[] = {
        {R"(,"done_reason":"stop")", "stop"}, {R"(,"done_reason":"length")", "length"},
        {R"(,"done_reason":"load")", "stop"}, {R"(,"done_reason":"unload")", "stop"}, {"", "stop"},
    };
    for (auto &row : rows) {
        std::string sum = sum_of_response(ollama_format(), answer(R"({"role":"assistant","content":"x"})", row.word));
        CHECK(sum.find("finish: " + std::string(row.reason)) != std::string::npos);
    }
}

TEST_CASE("ollama: a prompt that was in the cache as a whole has no count") {
    CHECK(sum_of_response(ollama_format(), answer(R"({"role":"assistant","content":"x"})", R"(,"eval_count":2)")).find("usage: 0+2=2\n") != std::string::npos);
}

TEST_CASE("ollama: logprobs in OpenAI's shape, and back") {
    std::string body = answer(R"({"role":"assistant","content":"x"})", R"(,"logprobs":[{"token":"x","logprob":-0.5,"bytes":[120],"top_logprobs":[]}])");
    std::string openai = translate_response(ollama_format(), openai_format(), body, {});
    CHECK(openai.find(R"("logprobs":{"content":[{"token":"x","logprob":-0.5,"bytes":[120],"top_logprobs":[]}]})") != std::string::npos);
    std::string back = translate_response(openai_format(), ollama_format(), openai, {});
    CHECK(back.find(R"("logprobs":[{"token":"x","logprob":-0.5,"bytes":[120],"top_logprobs":[]}])") != std::string::npos);
}

TEST_CASE("ollama: answers that are none") {
    CHECK(sum_of_response(ollama_format(), R"({"error":"model 'x' not found"})").find("error: ") != std::string::npos);
    struct { std::string_view body, message; } rows[] = {
        {R"({"error":"model 'x' not found"})", "model 'x' not found"},
        {R"({"error":{"message":"m"}})", "m"},
        {R"({"done":true})", "the provider's answer has no message"},
        {R"({"message":"x","done":true})", "the provider's answer has no message"},
        {R"({"message":{"role":"assistant","content":"x"},"done":false})", "the provider's answer is not complete"},
        {R"({"message":{"tool_calls":[{"function":{}}]},"done":true})", "the provider's answer holds a tool call without a name"},
    };
    for (auto &row : rows) {
        json::Document document;
        REQUIRE(document.parse(row.body));
        std::pmr::monotonic_buffer_resource memory;
        auto response = ollama_format().parse_response(document, &memory);
        REQUIRE_FALSE(response);
        CHECK(response.error().message == row.message);
    }
}

TEST_CASE("ollama: clients of its API get every answer in its shape") {
    CHECK(for_ollama(R"({"role":"assistant","content":"Hi","reasoning_content":"hm"})", "stop")
          == R"({"model":"asked","created_at":"2023-08-04T19:22:45Z","message":{"role":"assistant","content":"Hi","thinking":"hm"},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":2})");
    CHECK(for_ollama(R"({"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"g","arguments":""}}]})", "tool_calls")
          == R"({"model":"asked","created_at":"2023-08-04T19:22:45Z","message":{"role":"assistant","content":"","tool_calls":[{"id":"a","function":{"index":0,"name":"f","arguments":{"x":1}}},{"id":"b","function":{"index":1,"name":"g","arguments":{}}}]},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":2})");
    CHECK(for_ollama(R"({"role":"assistant","content":"no"})", "content_filter").find(R"("done_reason":"content_filter")") != std::string::npos);
    CHECK(for_ollama(R"({"role":"assistant","content":"Hi","reasoning_content":"hm"})", "length", ollama_generate_format())
          == R"({"model":"asked","created_at":"2023-08-04T19:22:45Z","response":"Hi","thinking":"hm","done":true,"done_reason":"length","prompt_eval_count":3,"eval_count":2})");
}

TEST_CASE("ollama: errors, in both directions") {
    Error error = ollama_format().parse_error(404, R"({"error":"model 'x' not found"})");
    CHECK(error.kind == ErrorKind::not_found);
    CHECK(error.message == "model 'x' not found");
    CHECK(ollama_format().error_status(error) == 404);
    CHECK(written(error) == R"({"error":"model 'x' not found"})");
    CHECK(ollama_format().parse_error(503, R"({"error":"server busy, please try again.  maximum pending requests exceeded"})").kind == ErrorKind::unavailable);
    CHECK(ollama_format().parse_error(401, R"({"error":"unauthorized","signin_url":"https://h"})").kind == ErrorKind::authentication);
    CHECK_FALSE(ollama_format().parse_error(500, "<html>").message.empty());

    CHECK(written(invalid_request("must be a string", "messages[0].content")) == R"({"error":"messages[0].content: must be a string"})");
    CHECK(ollama_format().error_status(openai_format().parse_error(429, "{}")) == 429);
}

TEST_CASE("ollama: lists of models") {
    std::string body = R"({"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","size":1},{"name":"b"},{}]})";
    json::Document document;
    REQUIRE(document.parse(body));
    CHECK(ollama_format().parse_models(document.root()) == std::vector<std::string_view>{"llama3.2:latest", "b"});
    REQUIRE(document.parse("{\"data\":[]}"));
    CHECK_FALSE(ollama_format().parse_models(document.root()));

    std::string out;
    std::string_view names[] = {"openai/gpt-4o"};
    ollama_format().write_models(names, 0, out);
    CHECK(out == R"({"models":[{"name":"openai/gpt-4o","model":"openai/gpt-4o","modified_at":"1970-01-01T00:00:00Z","size":0,"digest":"","details":{"parent_model":"","format":"","family":"openai","families":null,"parameter_size":"","quantization_level":""}}]})");
    out.clear();
    ollama_format().write_version(out);
    CHECK(out == R"({"version":"0.12.6"})");
}

TEST_CASE("ollama: what a gateway knows of a model") {
    json::Document document;
    for (std::string_view body : {R"({"model":"openai/gpt-4o"})", R"({"name":"openai/gpt-4o","model":""})"}) {
        REQUIRE(document.parse(body));
        CHECK(ollama_format().parse_show(document.root()) == "openai/gpt-4o");
    }
    REQUIRE(document.parse(R"({"model":1})"));
    CHECK(ollama_format().parse_show(document.root()).empty());

    std::string out;
    ollama_format().write_show("openai/gpt-4o", 0, out);
    CHECK(out == R"({"modelfile":"","parameters":"","template":"","details":{"parent_model":"","format":"","family":"openai","families":null,"parameter_size":"","quantization_level":""},)"
                 R"("model_info":{"general.architecture":"gateway","general.basename":"openai/gpt-4o"},"capabilities":["completion","tools","vision"],"modified_at":"1970-01-01T00:00:00Z"})");
}
