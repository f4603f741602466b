#include "catch.hpp"
#include "exchange.hpp"

using namespace llm;
using testing::sum_of_response;
using testing::translate_response;

namespace {

std::string again(std::string_view body) {
    return translate_response(anthropic_format(), anthropic_format(), body);
}

std::string message(std::string_view content, std::string_view rest) {
    return R"({"id":"msg_1","type":"message","role":"assistant","model":"claude","content":)"
           + std::string(content) + "," + std::string(rest) + "}";
}

std::string error_body(const Error &error) {
    std::string out;
    anthropic_format().write_error(error, out);
    return out;
}

std::string parse_error(int status, std::string_view body) {
    Error error = anthropic_format().parse_error(status, body);
    return std::to_string(anthropic_format().error_status(error)) + " "
           + error.type + " " + error.code + " " + error.message;
}

}  // namespace

TEST_CASE("anthropic answer: everything that it can hold, and back") {
    std::string body = message(
        R"([{"type":"thinking","thinking":"hm","signature":"s"},{"type":"redacted_thinking","data":"r"},)"
        R"({"type":"text","text":"a"},{"type":"server_tool_use","id":"x","name":"web_search","input":{}},)"
        R"({"type":"text","text":"b"},{"type":"tool_use","id":"toolu_1","name":"f","input":{"z":1,"a":2}}])",
        R"("stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":2,"cache_read_input_tokens":1,"output_tokens":4,"output_tokens_details":{"thinking_tokens":2}})");
    CHECK(again(body) == body);
    CHECK(sum_of_response(anthropic_format(), body) ==
          "text: ab\nreasoning: hm\nsignature: s\nredacted: r\nrefusal: \n"
          "call: toolu_1 f {\"z\":1,\"a\":2}\n"
          "finish: tool_calls\n"
          "usage: 6+4=10 cached 1 written 2 reasoning 2\n"
          "error: \n");
}

TEST_CASE("anthropic answer: blocks are in the order that clients expect") {
    std::pmr::monotonic_buffer_resource memory;
    chat::Response response(&memory);
    auto &choice = response.choices.emplace_back(&memory);
    choice.finish_reason = chat::FinishReason::stop;
    auto add = [&](chat::PartType type) -> chat::Part & {
        choice.message.parts.emplace_back();
        choice.message.parts.back().type = type;
        return choice.message.parts.back();
    };
    auto &call = add(chat::PartType::tool_call);
    call.name = "f";
    call.arguments = "not json";
    add(chat::PartType::text).text = "t";
    add(chat::PartType::text);
    add(chat::PartType::reasoning).text = "r";

    AnswerContext context;
    context.request_model = "asked";
    context.unique = "u";
    context.prompt_estimate = 5;
    std::string out;
    anthropic_format().write_response(response, context, out);
    CHECK(out ==
          R"({"id":"msg_u","type":"message","role":"assistant","model":"asked","content":[)"
          R"({"type":"thinking","thinking":"r","signature":""},{"type":"text","text":"t"},)"
          R"({"type":"tool_use","id":"toolu_u_0","name":"f","input":{}}],)"
          R"("stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}})");
}

TEST_CASE("anthropic answer: an empty one is an empty list") {
    std::pmr::monotonic_buffer_resource memory;
    chat::Response response(&memory);
    std::string out;
    anthropic_format().write_response(response, AnswerContext{}, out);
    CHECK(out.find(R"("content":[],"stop_reason":null)") != std::string::npos);
}

TEST_CASE("anthropic answer: the tool that takes the answer is the answer") {
    CHECK(sum_of_response(anthropic_format(),
                          message(R"([{"type":"tool_use","id":"t","name":"llm_structured_answer","input":{"a": 1}}])",
                                  R"("stop_reason":"tool_use")")) ==
          "text: {\"a\": 1}\nreasoning: \nsignature: \nredacted: \nrefusal: \n"
          "finish: stop\nusage: 0+0=0\nerror: \n");
}

TEST_CASE("anthropic answer: a refusal and a stop sequence") {
    CHECK(sum_of_response(anthropic_format(),
                          message("[]", R"("stop_reason":"refusal","stop_details":{"explanation":"no"})"))
              .find("refusal: no\nfinish: content_filter\n")
          != std::string::npos);
    std::string stopped = message(
        R"([{"type":"text","text":"a"}])",
        R"("stop_reason":"stop_sequence","stop_sequence":"END","usage":{"input_tokens":1,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1})");
    CHECK(again(stopped) == stopped);
}

TEST_CASE("anthropic answer: what is no message is an error") {
    CHECK(again("null") ==
          R"({"type":"error","error":{"type":"api_error","message":"the provider's answer is not a message"}})");
    CHECK(again(R"({"content":"text"})").find("is not a message") != std::string::npos);
    CHECK(again(R"({"type":"error","error":{"type":"overloaded_error","message":"busy"}})") ==
          R"({"type":"error","error":{"type":"overloaded_error","message":"busy"}})");
    CHECK(again(R"({"error":"busy"})") ==
          R"({"type":"error","error":{"type":"api_error","message":"busy"}})");
}

TEST_CASE("anthropic errors: as the provider says them") {
    auto body = [](std::string_view type) {
        return R"({"type":"error","error":{"type":")" + std::string(type)
               + R"(","message":"why"},"request_id":"req_1"})";
    };
    CHECK(parse_error(400, body("invalid_request_error")) == "400 invalid_request_error  why");
    CHECK(parse_error(401, body("authentication_error")) == "401 authentication_error  the provider refused the API key");
    CHECK(parse_error(402, body("billing_error")) == "402 billing_error  why");
    CHECK(parse_error(403, body("permission_error")) == "403 permission_error  why");
    CHECK(parse_error(404, body("not_found_error")) == "404 not_found_error  why");
    CHECK(parse_error(413, body("request_too_large")) == "413 request_too_large  why");
    CHECK(parse_error(429, body("rate_limit_error")) == "429 rate_limit_error  why");
    CHECK(parse_error(500, body("api_error")) == "500 api_error  why");
    CHECK(parse_error(503, body("api_error")) == "503 api_error  why");
    CHECK(parse_error(504, body("timeout_error")) == "504 timeout_error  why");
    CHECK(parse_error(529, body("overloaded_error")) == "529 overloaded_error  why");
    // A general type under a status that says more.
    CHECK(anthropic_format().parse_error(409, body("invalid_request_error")).kind
          == ErrorKind::conflict);
    CHECK(anthropic_format().parse_error(422, body("invalid_request_error")).kind
          == ErrorKind::invalid_request);
    CHECK(parse_error(429, body("new_error")) == "429 new_error  why");
    CHECK(parse_error(400, R"({"error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}})")
          == "400 invalid_request_error context_length_exceeded prompt is too long: 9 > 8");
    CHECK(parse_error(429, R"({"error":{"type":"rate_limit_error","message":"m","details":{"error_code":"enforced_spend_limit_reached"}}})")
          == "402 rate_limit_error  m");
}

TEST_CASE("anthropic errors: as proxies in between say them") {
    CHECK(parse_error(413, "<html>413 Request Entity Too Large</html>")
          == "413   the provider answered with status 413 and without a reason");
    CHECK(parse_error(502, "") == "502   the provider answered with status 502 and without a reason");
    CHECK(parse_error(500, R"({"error":"broken"})") == "500   broken");
    // A proxy's words may hold the gateway's key.
    CHECK(parse_error(401, R"({"detail":"invalid key sk-secret"})") == "401   the provider refused the API key");
    CHECK(parse_error(500, R"({"detail":"broken"})") == "500   broken");
    CHECK(parse_error(500, R"({"message":"broken"})") == "500   broken");
    CHECK(parse_error(500, R"([1])") == "500   the provider answered with status 500 and without a reason");
    CHECK(parse_error(500, R"({"error":{}})") == "500   the provider gave no reason");
}

TEST_CASE("anthropic errors: as clients are told") {
    CHECK(error_body(invalid_request("must be a string", "tools[0].name")) ==
          R"({"type":"error","error":{"type":"invalid_request_error","message":"tools[0].name: must be a string"}})");
    CHECK(error_body(unsupported("n is not supported", "n")) ==
          R"({"type":"error","error":{"type":"invalid_request_error","message":"n is not supported"}})");
    Error overflow = invalid_request("maximum context length is 8192 tokens");
    overflow.code = "context_length_exceeded";
    CHECK(error_body(overflow) ==
          R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: maximum context length is 8192 tokens"}})");

    struct {
        ErrorKind kind;
        int status;
        std::string type;
    } const cases[] = {
        {ErrorKind::conflict, 409, "invalid_request_error"},
        {ErrorKind::quota, 402, "billing_error"},
        {ErrorKind::rate_limit, 429, "rate_limit_error"},
        {ErrorKind::server, 500, "api_error"},
        {ErrorKind::bad_gateway, 502, "api_error"},
        {ErrorKind::unavailable, 503, "overloaded_error"},
        {ErrorKind::overloaded, 529, "overloaded_error"},
        {ErrorKind::timeout, 504, "timeout_error"},
    };
    for (auto &one : cases) {
        Error error;
        error.kind = one.kind;
        error.message = "m";
        CHECK(anthropic_format().error_status(error) == one.status);
        CHECK(error_body(error).find("\"" + one.type + "\"") != std::string::npos);
    }
}

TEST_CASE("anthropic: the list of models") {
    std::string out;
    std::vector<std::string_view> models = {"a", "b\"c"};
    anthropic_format().write_models(models, 1700000000, out);
    CHECK(out ==
          R"({"data":[{"type":"model","id":"a","display_name":"a","created_at":"1970-01-01T00:00:00Z"},)"
          R"({"type":"model","id":"b\"c","display_name":"b\"c","created_at":"1970-01-01T00:00:00Z"}],)"
          R"("first_id":"a","last_id":"b\"c","has_more":false})");
    out.clear();
    anthropic_format().write_models({}, 0, out);
    CHECK(out == R"({"data":[],"first_id":null,"last_id":null,"has_more":false})");
}

TEST_CASE("anthropic: where requests go") {
    const Format &format = anthropic_format();
    CHECK(format.name() == "anthropic");
    CHECK(format.path({}) == "/v1/messages");
    CHECK(format.key_header() == "x-api-key");
    REQUIRE(format.headers().size() == 1);
    CHECK(format.headers()[0].name == "anthropic-version");
    CHECK(format.headers()[0].value == "2023-06-01");
    CHECK(format.stream_type() == "text/event-stream");
}
