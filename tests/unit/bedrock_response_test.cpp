#include "catch.hpp"
#include "exchange.hpp"

using namespace llm;
using testing::sum_of_response;
using testing::translate_response;

namespace {

std::string message(std::string_view content, std::string_view stop,
                    std::string_view rest = {}) {
    return R"({"metrics":{"latencyMs":0},"output":{"message":{"role":"assistant","content":)"
           + std::string(content) + R"(}},"stopReason":")" + std::string(stop)
           + R"(","usage":{"inputTokens":3,"outputTokens":4,"totalTokens":7})"
           + std::string(rest) + "}";
}

std::string again(std::string_view body) {
    return translate_response(bedrock_format(), bedrock_format(), body);
}

std::string to_openai(std::string_view body) {
    AnswerContext context;
    context.request_model = "claude";
    context.now = 1;
    context.unique = "u";
    return translate_response(bedrock_format(), openai_format(), body, context);
}

std::string parse_error(int status, std::string_view type,
                        std::string_view body) {
    AnswerHead head;
    head.status = status;
    head.error_type = type;
    Error error = bedrock_format().parse_error(head, body);
    return std::to_string(http_status(error.kind)) + " " + error.type + " "
           + error.code + " " + error.message;
}

std::string error_body(const Error &error) {
    std::string out;
    bedrock_format().write_error(error, out);
    return std::to_string(bedrock_format().error_status(error)) + " " + out;
}

}  // namespace

TEST_CASE("bedrock answer: everything that it can hold, and back") {
    std::string body =
        R"({"metrics":{"latencyMs":0},"output":{"message":{"role":"assistant","content":[)"
        R"({"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},)"
        R"({"reasoningContent":{"redactedContent":"cmVk"}},)"
        R"({"text":"a"},{"image":{"format":"png","source":{"bytes":"aW1n"}}},)"
        R"({"toolUse":{"toolUseId":"t1","name":"f","input":{"z":1,"a":2}}}]}},)"
        R"("stopReason":"tool_use",)"
        R"("usage":{"inputTokens":3,"outputTokens":4,"totalTokens":10,"cacheReadInputTokens":1,"cacheWriteInputTokens":2},)"
        R"("serviceTier":{"type":"flex"}})";
    CHECK(again(body) == body);
    CHECK(sum_of_response(bedrock_format(), body) ==
          "text: a\nreasoning: hm\nsignature: s\nredacted: cmVk\nrefusal: \n"
          "call: t1 f {\"z\":1,\"a\":2}\n"
          "finish: tool_calls\n"
          "usage: 6+4=10 cached 1 written 2\n"
          "error: \n");
}

TEST_CASE("bedrock answer: stop reasons") {
    struct Row {
        std::string_view word;
        std::string_view openai;
    };
    for (Row row : {Row{"end_turn", "stop"}, {"stop_sequence", "stop"},
                    {"max_tokens", "length"},
                    {"model_context_window_exceeded", "length"},
                    {"guardrail_intervened", "content_filter"},
                    {"content_filtered", "content_filter"},
                    {"a_new_one", "stop"}}) {
        std::string body = message(R"([{"text":"a"}])", row.word);
        INFO(row.word);
        CHECK(to_openai(body).find(R"("finish_reason":")"
                                   + std::string(row.openai) + "\"")
              != std::string::npos);
        if (row.word != "a_new_one") {
            CHECK(again(body) == body);
        }
    }
}

TEST_CASE("bedrock answer: the sequence that stopped it") {
    std::string body = message(
        R"([{"text":"a"}])", "stop_sequence",
        R"(,"additionalModelResponseFields":{"stop_sequence":"END"})");
    std::string heard =
        translate_response(bedrock_format(), anthropic_format(), body);
    CHECK(heard.find(R"("stop_reason":"stop_sequence","stop_sequence":"END")")
          != std::string::npos);
    heard = translate_response(anthropic_format(), bedrock_format(), heard);
    CHECK(heard.find(R"("stopReason":"stop_sequence")") != std::string::npos);
    CHECK(heard.find(R"("additionalModelResponseFields":{"stop_sequence":"END"})")
          != std::string::npos);
}

TEST_CASE("bedrock answer: calls of tools are given back under their names") {
    std::string body = message(
        R"([{"toolUse":{"toolUseId":"a","name":"llm_name_files-2eread","input":{}}},)"
        R"({"toolUse":{"toolUseId":"b","name":"llm_custom_sql","input":{"input":"select 1"}}},)"
        R"({"toolUse":{"toolUseId":"c","name":"f","type":"server_tool_use","input":{}}}])",
        "tool_use");
    std::string heard = to_openai(body);
    CHECK(heard.find(R"("name":"files.read","arguments":"{}")")
          != std::string::npos);
    CHECK(heard.find(R"("custom":{"name":"sql","input":"select 1"})")
          != std::string::npos);
    // The provider runs that one itself.
    CHECK(heard.find(R"("id":"c")") == std::string::npos);
}

TEST_CASE("bedrock answer: the tool that takes the answer is text again") {
    CHECK(sum_of_response(
              bedrock_format(),
              message(R"([{"toolUse":{"toolUseId":"t","name":"llm_structured_answer","input":{"city":"Rome"}}}])",
                      "tool_use"))
          == "text: {\"city\":\"Rome\"}\nreasoning: \nsignature: \n"
             "redacted: \nrefusal: \nfinish: stop\nusage: 3+4=7\nerror: \n");
}

TEST_CASE("bedrock answer: text with citations is text") {
    CHECK(sum_of_response(
              bedrock_format(),
              message(R"([{"citationsContent":{"content":[{"text":"a"},{"text":"b"}],"citations":[{"title":"t"}]}}])",
                      "end_turn"))
              .starts_with("text: ab\n"));
}

TEST_CASE("bedrock answer: a 200 that is no answer is an error") {
    auto error = [](std::string_view body) {
        std::string sum = sum_of_response(bedrock_format(), body);
        return sum.substr(sum.find("error: ") + 9);
    };
    CHECK(error("{}") == "the provider's answer is not a message\n");
    // As AWS answers a path that it does not know.
    CHECK(error(R"({"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"})")
          == "the provider's answer is not a message: "
             "com.amazon.coral.service#UnknownOperationException\n");
    CHECK(error(R"({"message":"no"})")
          == "the provider's answer is not a message: no\n");
    // Broken off: no reason why it stopped.
    CHECK(error(R"({"output":{"message":{"content":[{"text":"a"}]}}})")
          == "the provider's answer is not a message\n");
    CHECK(error(message("[]", "malformed_tool_use"))
          == "the model's answer makes no sense (malformed_tool_use)\n");
}

TEST_CASE("bedrock answer: another provider's") {
    std::string body =
        R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a","tool_calls":[{"id":"","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"not json"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}})";
    AnswerContext context;
    context.unique = "u";
    CHECK(translate_response(openai_format(), bedrock_format(), body, context)
          == R"({"metrics":{"latencyMs":0},"output":{"message":{"role":"assistant","content":[{"text":"a"},)"
             R"({"toolUse":{"toolUseId":"call_chatcmpl-1_0","name":"f","input":{"x":1}}},)"
             R"({"toolUse":{"toolUseId":"c2","name":"g","input":{}}}]}},"stopReason":"tool_use",)"
             R"("usage":{"inputTokens":6,"outputTokens":5,"totalTokens":15,"cacheReadInputTokens":4}})");
}

TEST_CASE("bedrock answer: a refusal is text that was filtered") {
    std::string body =
        R"({"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":"no"},"finish_reason":"stop"}]})";
    std::string heard =
        translate_response(openai_format(), bedrock_format(), body);
    CHECK(heard.find(R"("content":[{"text":"no"}])") != std::string::npos);
    CHECK(heard.find(R"("stopReason":"content_filtered")")
          != std::string::npos);
}

TEST_CASE("bedrock error: the header names the type, else the body") {
    CHECK(parse_error(429, "ThrottlingException:http://internal.amazon.com/",
                      R"({"message":"Too many requests"})")
          == "429 ThrottlingException  Too many requests");
    CHECK(parse_error(400, "",
                      R"({"__type":"com.amazon.coral.validate#ValidationException","Message":"bad"})")
          == "400 ValidationException  bad");
    CHECK(parse_error(400, "ServiceQuotaExceededException",
                      R"({"message":"quota"})")
          == "429 ServiceQuotaExceededException  quota");
    CHECK(parse_error(408, "ModelTimeoutException", "{}")
          == "504 ModelTimeoutException  the provider answered with status "
             "408 (ModelTimeoutException)");
    CHECK(parse_error(429, "ModelNotReadyException", R"({"message":"wait"})")
          == "503 ModelNotReadyException  wait");
    CHECK(parse_error(424, "ModelErrorException", R"({"message":"failed"})")
          == "502 ModelErrorException  failed");
    CHECK(parse_error(404, "ResourceNotFoundException",
                      R"({"message":"no such model"})")
          == "404 ResourceNotFoundException  no such model");
    CHECK(parse_error(500, "", "<html>")
          == "500   the provider answered with status 500 and without a "
             "reason");
}

TEST_CASE("bedrock error: nothing of the credentials is told") {
    // AWS repeats what was signed.
    CHECK(parse_error(403, "InvalidSignatureException",
                      R"({"message":"The request signature we calculated... AKIDEXAMPLE"})")
          == "401 InvalidSignatureException  the provider refused the "
             "gateway's credentials: the secret key is not the access key's, "
             "or the request was changed on its way to AWS");
    CHECK(parse_error(403, "ExpiredTokenException",
                      R"({"message":"The security token included in the request is expired"})")
          == "401 ExpiredTokenException  the provider refused the gateway's "
             "credentials: the session token has expired");
    CHECK(parse_error(401, "", R"({"message":"key AKIDEXAMPLE"})")
          == "401   the provider refused the gateway's credentials");
}

TEST_CASE("bedrock error: why a signature was refused is told") {
    auto refused = [](std::string_view words) {
        return parse_error(403, "InvalidSignatureException",
                           R"({"message":")" + std::string(words) + "\"}");
    };
    std::string start = "401 InvalidSignatureException  the provider refused "
                        "the gateway's credentials: ";
    CHECK(refused("Signature expired: 20260102T030405Z is now earlier than")
          == start + "the signature was too old when it came: this machine's "
                     "clock is behind AWS's");
    CHECK(refused("Signature not yet current: 20260102T030405Z is still later")
          == start + "the signature is of the future: this machine's clock is "
                     "ahead of AWS's");
    CHECK(refused("Credential should be scoped to a valid region.")
          == start + "the \"region\" or \"service\" of \"auth aws\" is not "
                     "the host's");
}

TEST_CASE("bedrock error: a prompt that does not fit") {
    CHECK(parse_error(400, "ValidationException",
                      R"({"message":"Input is too long for requested model."})")
          == "400 ValidationException context_length_exceeded Input is too "
             "long for requested model.");
    Error error = invalid_request("9000 tokens are more than 8192");
    error.code = "context_length_exceeded";
    CHECK(error_body(error)
          == R"(400 {"__type":"ValidationException","message":"Input is too long: 9000 tokens are more than 8192"})");
}

TEST_CASE("bedrock error: towards a client") {
    auto made = [](ErrorKind kind) {
        Error error;
        error.kind = kind;
        error.message = "m";
        std::string body = error_body(error);
        return body.substr(0, body.find(",\"message\""));
    };
    CHECK(made(ErrorKind::authentication)
          == R"(403 {"__type":"UnrecognizedClientException")");
    CHECK(made(ErrorKind::permission)
          == R"(403 {"__type":"AccessDeniedException")");
    CHECK(made(ErrorKind::not_found)
          == R"(404 {"__type":"ResourceNotFoundException")");
    CHECK(made(ErrorKind::rate_limit)
          == R"(429 {"__type":"ThrottlingException")");
    CHECK(made(ErrorKind::quota)
          == R"(400 {"__type":"ServiceQuotaExceededException")");
    CHECK(made(ErrorKind::server)
          == R"(500 {"__type":"InternalServerException")");
    CHECK(made(ErrorKind::bad_gateway)
          == R"(424 {"__type":"ModelErrorException")");
    CHECK(made(ErrorKind::overloaded)
          == R"(503 {"__type":"ServiceUnavailableException")");
    CHECK(made(ErrorKind::timeout)
          == R"(408 {"__type":"ModelTimeoutException")");
    CHECK(error_body(unsupported("n is not supported", "n"))
          == R"(400 {"__type":"ValidationException","message":"n is not supported"})");
    CHECK(error_body(invalid_request("must be a number", "messages[0]"))
          == R"(400 {"__type":"ValidationException","message":"messages[0]: must be a number"})");
}

TEST_CASE("bedrock models: the list, and back") {
    std::string out;
    std::string_view names[] = {"a", "p/b"};
    bedrock_format().write_models(names, 0, out);
    CHECK(out
          == R"({"modelSummaries":[{"modelArn":"a","modelId":"a","modelName":"a"},{"modelArn":"p/b","modelId":"p/b","modelName":"p/b"}]})");
    json::Document document;
    REQUIRE(document.parse(out));
    CHECK(*bedrock_format().parse_models(document.root())
          == std::vector<std::string_view>{"a", "p/b"});
    REQUIRE(document.parse("{}"));
    CHECK_FALSE(bedrock_format().parse_models(document.root()));
}
