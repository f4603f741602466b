#include <memory_resource>

#include "catch.hpp"
#include "exchange.hpp"

using namespace llm;
using testing::sum_of_response;
using testing::translate_response;

namespace {

std::string answer(std::string_view message, std::string_view finish = "COMPLETE") {
    return R"({"id":"c-1","finish_reason":")" + std::string(finish) + R"(","message":)" + std::string(message)
           + R"(,"usage":{"billed_units":{"input_tokens":5,"output_tokens":2},"tokens":{"input_tokens":71.0,"output_tokens":2.0},"cached_tokens":64.0}})";
}

std::string for_cohere(std::string_view openai_message, std::string_view finish) {
    return translate_response(openai_format(), cohere_format(),
        R"({"id":"chatcmpl-1","choices":[{"index":0,"message":)" + std::string(openai_message)
        + R"(,"finish_reason":")" + std::string(finish)
        + R"("}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":1}}})", {});
}

}  // namespace

TEST_CASE("cohere: an answer with thoughts, text and what the model read") {
    CHECK(sum_of_response(cohere_format(), answer(R"({"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Hi"},{"type":"text","text":"!"}],"citations":[{"start":0,"end":2}]})"))
          == "text: Hi!\nreasoning: hm\nsignature: \nredacted: \nrefusal: \nfinish: stop\nusage: 71+2=73 cached 64\nerror: \n");
}

TEST_CASE("cohere: what is billed counts where nothing else is said") {
    std::string sum = sum_of_response(cohere_format(), R"({"id":"c","finish_reason":"COMPLETE","message":{"content":[]},"usage":{"billed_units":{"input_tokens":5,"output_tokens":2}}})");
    CHECK(sum.find("usage: 5+2=7\n") != std::string::npos);
}

TEST_CASE("cohere: calls, and the plan that comes before them") {
    std::string body = answer(R"({"role":"assistant","tool_plan":"plan","tool_calls":[{"id":"f_1","type":"function","function":{"name":"f","arguments":"{\"b\":1,\"a\":2}"}},{"id":"g_1","type":"function","function":{"name":"g","arguments":"{}"}}]})", "TOOL_CALL");
    CHECK(sum_of_response(cohere_format(), body)
          == "text: plan\nreasoning: \nsignature: \nredacted: \nrefusal: \ncall: f_1 f {\"b\":1,\"a\":2}\ncall: g_1 g {}\nfinish: tool_calls\nusage: 71+2=73 cached 64\nerror: \n");
    std::string openai = translate_response(cohere_format(), openai_format(), body, {.request_model = "m"});
    CHECK(openai.find(R"("id":"c-1")") != std::string::npos);
    CHECK(openai.find(R"("model":"m")") != std::string::npos);
    CHECK(openai.find(R"("content":"plan","refusal":null,"tool_calls":[{"id":"f_1",)") != std::string::npos);
    CHECK(openai.find(R"("finish_reason":"tool_calls")") != std::string::npos);
}

TEST_CASE("cohere: each word for the end") {
    struct { std::string_view word, openai; } rows[] = {
        {"COMPLETE", "stop"}, {"STOP_SEQUENCE", "stop"}, {"MAX_TOKENS", "length"}, {"TOOL_CALL", "tool_calls"},
        {"ERROR_TOXIC", "content_filter"}, {"NEWS", "stop"},
    };
    for (auto &row : rows) {
        std::string openai = translate_response(cohere_format(), openai_format(), answer(R"({"content":[{"type":"text","text":"x"}]})", row.word), {});
        CHECK(openai.find("\"finish_reason\":\"" + std::string(row.openai) + "\"") != std::string::npos);
    }
}

TEST_CASE("cohere: answers that are none") {
    struct { std::string_view body, message; ErrorKind kind; } rows[] = {
        {R"({"message":"invalid request: x"})", "invalid request: x", ErrorKind::bad_gateway},
        {R"({"id":"c"})", "the provider's answer has no message", ErrorKind::bad_gateway},
        {R"({"finish_reason":"ERROR","message":{"content":[]}})", "the provider failed before the answer was complete", ErrorKind::server},
        {R"({"finish_reason":"TIMEOUT","message":{"content":[]}})", "the provider ran out of time before the answer was complete", ErrorKind::timeout},
        {R"({"message":{"tool_calls":[{"id":"x"}]}})", "the provider's answer holds a tool call without a name", ErrorKind::bad_gateway},
    };
    for (auto &row : rows) {
        json::Document document;
        REQUIRE(document.parse(row.body));
        std::pmr::monotonic_buffer_resource memory;
        auto response = cohere_format().parse_response(document, &memory);
        REQUIRE_FALSE(response);
        CHECK(response.error().message == row.message);
        CHECK(response.error().kind == row.kind);
    }
}

TEST_CASE("cohere: clients of its API get every answer in its shape") {
    CHECK(for_cohere(R"({"role":"assistant","content":"Hi","reasoning_content":"hm"})", "length")
          == R"({"id":"chatcmpl-1","finish_reason":"MAX_TOKENS","message":{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Hi"}]},"usage":{"billed_units":{"input_tokens":3,"output_tokens":2},"tokens":{"input_tokens":3,"output_tokens":2},"cached_tokens":1}})");
    CHECK(for_cohere(R"({"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":""}}]})", "tool_calls")
          == R"({"id":"chatcmpl-1","finish_reason":"TOOL_CALL","message":{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},"usage":{"billed_units":{"input_tokens":3,"output_tokens":2},"tokens":{"input_tokens":3,"output_tokens":2},"cached_tokens":1}})");
    CHECK(for_cohere(R"({"role":"assistant","content":"x"})", "content_filter").find(R"("finish_reason":"ERROR_TOXIC")") != std::string::npos);
    std::string stopped = translate_response(anthropic_format(), cohere_format(),
        R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"x"}],"stop_reason":"stop_sequence","stop_sequence":"END","usage":{"input_tokens":1,"output_tokens":1}})", {});
    CHECK(stopped.find(R"("finish_reason":"STOP_SEQUENCE")") != std::string::npos);
}

TEST_CASE("cohere: errors, in both directions") {
    struct { int status; std::string_view body, message; ErrorKind kind; } rows[] = {
        {400, R"({"id":"x","message":"invalid request: bad"})", "invalid request: bad", ErrorKind::invalid_request},
        {401, R"({"message":"invalid api token: abc"})", "the provider refused the API key", ErrorKind::authentication},
        {498, R"({"message":"invalid token"})", "the provider refused the API key", ErrorKind::authentication},
        {404, R"({"message":"model 'x' not found"})", "model 'x' not found", ErrorKind::not_found},
        {422, R"({"message":"bad"})", "bad", ErrorKind::invalid_request},
        {429, R"({"message":"slow down"})", "slow down", ErrorKind::rate_limit},
        {500, R"({"data":"oops"})", "oops", ErrorKind::server},
        {503, "", "the provider answered with status 503", ErrorKind::unavailable},
    };
    for (auto &row : rows) {
        Error error = cohere_format().parse_error(row.status, row.body);
        CHECK(error.message == row.message);
        CHECK(error.kind == row.kind);
    }
    std::string out;
    cohere_format().write_error(invalid_request("must be a string", "messages[0].content"), out);
    CHECK(out == R"({"message":"messages[0].content: must be a string"})");
    CHECK(cohere_format().error_status(openai_format().parse_error(429, "{}")) == 429);
    CHECK(cohere_format().error_status(cohere_format().parse_error(498, "{}")) == 401);
}

TEST_CASE("cohere: lists of models") {
    json::Document document;
    REQUIRE(document.parse(R"({"models":[{"name":"command-a","endpoints":["chat"]},{}]})"));
    CHECK(cohere_format().parse_models(document.root()) == std::vector<std::string_view>{"command-a"});
    std::string out;
    std::string_view names[] = {"a/b"};
    cohere_format().write_models(names, 0, out);
    CHECK(out == R"({"models":[{"name":"a/b","endpoints":["chat"]}]})");
}
