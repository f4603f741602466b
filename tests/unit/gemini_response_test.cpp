#include "catch.hpp"
#include "exchange.hpp"

using namespace llm;
using testing::sum_of_response;
using testing::translate_response;

namespace {

AnswerContext context() {
    AnswerContext context;
    context.request_model = "asked";
    context.now = 1700000000;
    context.unique = "unique";
    return context;
}

std::string to_openai(std::string_view body) {
    return translate_response(gemini_format(), openai_format(), body,
                              context());
}

std::string to_anthropic(std::string_view body) {
    return translate_response(gemini_format(), anthropic_format(), body,
                              context());
}

std::string from_openai(std::string_view message,
                        std::string_view finish = "stop") {
    return translate_response(
        openai_format(), gemini_format(),
        R"({"id":"c1","model":"m","choices":[{"index":0,"message":)"
            + std::string(message) + R"(,"finish_reason":")"
            + std::string(finish) + R"("}]})",
        context());
}

std::string candidate(std::string_view parts,
                      std::string_view finish = "STOP") {
    return R"({"candidates":[{"content":{"parts":[)" + std::string(parts)
           + R"(],"role":"model"},"finishReason":")" + std::string(finish)
           + R"("}],"modelVersion":"gemini-3-flash","responseId":"r1"})";
}

Error error_of(std::string_view body) {
    json::Document document;
    REQUIRE(document.parse(body));
    std::pmr::monotonic_buffer_resource memory;
    auto response = gemini_format().parse_response(document, &memory);
    REQUIRE_FALSE(response);
    return response.error();
}

}  // namespace

TEST_CASE("gemini response: text, thoughts and usage") {
    CHECK(to_openai(R"({"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"Good "},{"text":"day"}],"role":"model"},"finishReason":"STOP","safetyRatings":[]}],"usageMetadata":{"promptTokenCount":10,"toolUsePromptTokenCount":2,"cachedContentTokenCount":4,"candidatesTokenCount":5,"thoughtsTokenCount":3,"totalTokenCount":20,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":1}]},"modelVersion":"gemini-3-flash","responseId":"r1","createTime":"2026-01-02T03:04:05.678901Z"})")
          == R"({"id":"r1","object":"chat.completion","created":1767323045,"model":"gemini-3-flash","choices":[{"index":0,"message":{"role":"assistant","content":"Good day","refusal":null,"reasoning_content":"hm"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":8,"total_tokens":20,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1},"completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":0}}})");
}

TEST_CASE("gemini response: calls, with ids of their own or made ones") {
    std::string body = candidate(R"({"text":"ok"},{"functionCall":{"name":"f","args":{"a": 1}},"thoughtSignature":"U0lH"},{"functionCall":{"id":"own","name":"llm_name_3d"}},{"functionCall":{"name":"f","args":{"a": 1}}},{"functionCall":{"name":"llm_custom_sh","args":{"input":"ls"}}})");
    std::string out = to_openai(body);
    CHECK(out.find(R"("finish_reason":"tool_calls")") != std::string::npos);
    CHECK(out.find(R"("function":{"name":"f","arguments":"{\"a\": 1}"},"extra_content":{"google":{"thought_signature":"U0lH"}}})") != std::string::npos);
    CHECK(out.find(R"({"id":"own","type":"function","function":{"name":"3d","arguments":"{}"}})") != std::string::npos);
    CHECK(out.find(R"("type":"custom","custom":{"name":"sh","input":"ls"})") != std::string::npos);
    CHECK(out.find("reasoning_details") == std::string::npos);

    // Equal calls are told apart, and an answer's calls from another's.
    auto ids = [](const std::string &answer) {
        std::vector<std::string> found;
        for (auto at = answer.find(R"("id":"call_)"); at != std::string::npos;
             at = answer.find(R"("id":"call_)", at + 1)) {
            found.push_back(answer.substr(at + 6, 24));
        }
        return found;
    };
    auto first = ids(out);
    REQUIRE(first.size() == 3);
    CHECK(first[0] != first[1]);
    body.replace(body.find("r1"), 2, "r2");
    CHECK(ids(to_openai(body))[0] != first[0]);

    // To Anthropic's clients, the proof comes before its call.
    std::string message = to_anthropic(candidate(R"({"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"U0lH"})"));
    CHECK(message.find(R"("content":[{"type":"redacted_thinking","data":"google:U0lH"},{"type":"tool_use","id":"a","name":"f","input":{}}],"stop_reason":"tool_use")")
          != std::string::npos);
}

TEST_CASE("gemini response: images, and the proof of a text") {
    std::string body = candidate(R"({"text":"Here"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"text":"","thoughtSignature":"U0lH"})");
    CHECK(to_openai(body).find(R"("content":"Here","refusal":null,"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"},"index":0}],"extra_content":{"google":{"thought_signature":"U0lH"}})")
          != std::string::npos);
    // Anthropic's API has neither.
    CHECK(to_anthropic(body).find(R"("content":[{"type":"text","text":"Here"}])") != std::string::npos);
    std::string own = translate_response(gemini_format(), gemini_format(), body, context());
    CHECK(own.find(R"({"text":"Here"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"text":"","thoughtSignature":"U0lH"})")
          != std::string::npos);
}

TEST_CASE("gemini response: each reason to stop") {
    struct {
        std::string_view word;
        std::string_view openai;
    } rows[] = {
        {"STOP", "stop"},
        {"MAX_TOKENS", "length"},
        {"SAFETY", "content_filter"},
        {"RECITATION", "content_filter"},
        {"PROHIBITED_CONTENT", "content_filter"},
        {"OTHER", "stop"},
        {"MALFORMED_FUNCTION_CALL", "stop"},
        {"A_NEW_ONE", "stop"},
    };
    for (auto &row : rows) {
        INFO(row.word);
        CHECK(to_openai(candidate(R"({"text":"a"})", row.word)).find(R"("finish_reason":")" + std::string(row.openai) + '"')
              != std::string::npos);
    }
    // Stopped before there was anything.
    CHECK(to_openai(R"({"candidates":[{"finishReason":"MAX_TOKENS","index":0}]})").find(R"("content":"","refusal":null},"logprobs":null,"finish_reason":"length")")
          != std::string::npos);
    CHECK(to_openai(R"({"candidates":[{"finishReason":"SAFETY"}]})").find(R"("finish_reason":"content_filter")")
          != std::string::npos);
}

TEST_CASE("gemini response: a prompt that is blocked is an answer") {
    std::string body = R"({"promptFeedback":{"blockReason":"SAFETY","blockReasonMessage":"not that"},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4},"modelVersion":"g"})";
    CHECK(to_openai(body).find(R"("content":null,"refusal":"not that"},"logprobs":null,"finish_reason":"content_filter")")
          != std::string::npos);
    CHECK(to_anthropic(body).find(R"("content":[{"type":"text","text":"not that"}],"stop_reason":"refusal")")
          != std::string::npos);
}

TEST_CASE("gemini response: what makes no sense is no answer") {
    CHECK(error_of("{}").kind == ErrorKind::bad_gateway);
    CHECK(error_of("[]").kind == ErrorKind::bad_gateway);
    CHECK(error_of("1").kind == ErrorKind::bad_gateway);
    CHECK(error_of(R"({"candidates":[]})").kind == ErrorKind::bad_gateway);
    Error failed = error_of(R"({"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"bad call"}]})");
    CHECK(failed.kind == ErrorKind::server);
    CHECK(failed.message == "the model failed (MALFORMED_FUNCTION_CALL): bad call");
    CHECK(error_of(R"({"candidates":[{"content":{}}]})").kind == ErrorKind::bad_gateway);
    CHECK(error_of(R"({"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}})").kind == ErrorKind::overloaded);
    // Wrong types are nothing.
    CHECK(error_of(R"({"candidates":[{"content":{"parts":[{"text":1},{"functionCall":[]},7]},"finishReason":"OTHER"}],"usageMetadata":3})").kind == ErrorKind::server);
}

TEST_CASE("gemini response: several candidates and logprobs") {
    std::string out = to_openai(R"({"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP","logprobsResult":{"chosenCandidates":[{"token":"a","logProbability":-0.50}],"topCandidates":[{"candidates":[{"token":"a","logProbability":-0.50},{"token":"b","logProbability":-1}]}]}},{"index":1,"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}]})");
    CHECK(out.find(R"("logprobs":{"content":[{"token":"a","logprob":-0.50,"bytes":null,"top_logprobs":[{"token":"a","logprob":-0.50,"bytes":null},{"token":"b","logprob":-1,"bytes":null}]}]})")
          != std::string::npos);
    CHECK(out.find(R"({"index":1,"message":{"role":"assistant","content":"b")") != std::string::npos);
    CHECK(translate_response(openai_format(), gemini_format(), out, context()).find(R"("logprobsResult":{"topCandidates":[{"candidates":[{"token":"a","logProbability":-0.50},{"token":"b","logProbability":-1}]}],"chosenCandidates":[{"token":"a","logProbability":-0.50}]})")
          != std::string::npos);
}

TEST_CASE("gemini response: a stream that came as an array is a whole answer") {
    CHECK(sum_of_response(gemini_format(), R"([{"candidates":[{"content":{"parts":[{"text":"Good "}]}}],"responseId":"r"},{"candidates":[{"content":{"parts":[{"text":"day"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3}}])")
          == "text: Good day\nreasoning: \nsignature: \nredacted: \nrefusal: \nfinish: stop\nusage: 1+2=3\nerror: \n");
}

TEST_CASE("gemini response: other providers' answers for Google's clients") {
    CHECK(from_openai(R"({"role":"assistant","content":"Hi","reasoning_content":"hm"})")
          == R"({"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"Hi"}],"role":"model"},"finishReason":"STOP","index":0}],"modelVersion":"m","responseId":"c1"})");
    CHECK(from_openai(R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\n\"a\":1}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"no"}}]})", "tool_calls").find(R"("parts":[{"functionCall":{"id":"c1","name":"f","args":{ "a":1}}},{"functionCall":{"id":"c2","name":"g","args":{}}}],"role":"model"},"finishReason":"STOP")")
          != std::string::npos);
    CHECK(from_openai(R"({"role":"assistant","content":null,"refusal":"no"})").find(R"("parts":[{"text":"no"}],"role":"model"},"finishReason":"SAFETY")")
          != std::string::npos);
    CHECK(from_openai(R"({"role":"assistant","content":""})", "length").find(R"("parts":[{"text":""}],"role":"model"},"finishReason":"MAX_TOKENS")")
          != std::string::npos);
    CHECK(from_openai(R"({"role":"assistant","content":""})", "content_filter").find(R"("finishReason":"SAFETY")")
          != std::string::npos);

    // The proof of Anthropic's thoughts, in what SDKs can decode.
    CHECK(translate_response(anthropic_format(), gemini_format(), R"({"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"thinking","thinking":"hm","signature":"QUJD"},{"type":"redacted_thinking","data":"REVG"},{"type":"thinking","thinking":"no","signature":"not base64"},{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":7,"output_tokens_details":{"thinking_tokens":3}}})", context())
          == R"({"candidates":[{"content":{"parts":[{"text":"hm","thought":true,"thoughtSignature":"llmSignatureQUJD"},{"text":"","thought":true,"thoughtSignature":"llmRedacted0REVG"},{"text":"no","thought":true},{"text":"Hi"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":15,"candidatesTokenCount":4,"totalTokenCount":22,"cachedContentTokenCount":5,"thoughtsTokenCount":3},"modelVersion":"claude","responseId":"msg_1"})");
}

TEST_CASE("gemini error: what a provider's error means") {
    struct {
        int status;
        std::string_view body;
        ErrorKind kind;
        int openai;
        std::string_view message;
    } rows[] = {
        {400, R"({"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}})", ErrorKind::invalid_request, 400, "bad"},
        {400, R"({"error":{"code":400,"message":"API key not valid: k","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}})", ErrorKind::authentication, 401, "the provider refused the API key"},
        {403, R"({"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}})", ErrorKind::permission, 403, "no"},
        {404, R"({"error":{"code":404,"message":"no model","status":"NOT_FOUND"}})", ErrorKind::not_found, 404, "no model"},
        {429, R"([{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}])", ErrorKind::rate_limit, 429, "slow"},
        {429, R"({"error":{"code":429,"message":"day","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}})", ErrorKind::quota, 429, "day"},
        {500, R"({"error":{"code":500,"message":"oh","status":"INTERNAL"}})", ErrorKind::server, 500, "oh"},
        {503, R"({"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}})", ErrorKind::overloaded, 503, "busy"},
        {504, R"({"error":{"code":504,"message":"late","status":"DEADLINE_EXCEEDED"}})", ErrorKind::timeout, 504, "late"},
        {502, "<html>Bad</html>", ErrorKind::bad_gateway, 502, "the provider answered with status 502 and without a reason"},
        {500, "", ErrorKind::server, 500, "the provider answered with status 500 and without a reason"},
        {400, R"({"error":{}})", ErrorKind::invalid_request, 400, "the provider gave no reason"},
        {400, R"({"error":"text"})", ErrorKind::invalid_request, 400, "text"},
    };
    for (auto &row : rows) {
        INFO(row.body);
        Error error = gemini_format().parse_error(row.status, row.body);
        CHECK(error.kind == row.kind);
        CHECK(openai_format().error_status(error) == row.openai);
        CHECK(error.message == row.message);
    }
}

TEST_CASE("gemini error: how long to wait") {
    auto wait = [](std::string_view delay) {
        return gemini_format()
            .parse_error(429, R"({"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":)" + std::string(delay) + "}]}}")
            .retry_after;
    };
    CHECK(wait(R"("45.837906927s")") == 46);
    CHECK(wait(R"("0s")") == 0);
    CHECK(wait(R"("12s")") == 12);
    for (auto bad : {R"("12")", R"("s")", R"("-1s")", R"("1e9s")", R"("nans")", "7", "null"}) {
        CHECK(wait(bad) == -1);
    }
}

TEST_CASE("gemini error: for Google's clients") {
    std::string out;
    Error error = unsupported("n is not supported", "n");
    error.retry_after = 3;
    gemini_format().write_error(error, out);
    CHECK(out == R"({"error":{"code":400,"message":"n is not supported","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3s"}]}})");
    out.clear();
    gemini_format().write_error({ErrorKind::overloaded, "busy", "p", {}, 529, {}}, out);
    CHECK(out == R"({"error":{"code":503,"message":"p: busy","status":"UNAVAILABLE"}})");
}

TEST_CASE("gemini models: names with and without their collection") {
    json::Document document;
    REQUIRE(document.parse(R"({"models":[{"name":"models/gemini-3-flash"},{"name":""},{}],"nextPageToken":"t"})"));
    CHECK(gemini_format().parse_models(document.root()) == std::vector<std::string_view>{"gemini-3-flash"});
    REQUIRE(document.parse(R"({"publisherModels":[{"name":"publishers/google/models/g"}]})"));
    CHECK(gemini_format().parse_models(document.root()) == std::vector<std::string_view>{"g"});
    REQUIRE(document.parse(R"({"data":[]})"));
    CHECK_FALSE(gemini_format().parse_models(document.root()));

    std::string out;
    std::string_view names[] = {"a"};
    gemini_format().write_models(names, 0, out);
    CHECK(out == R"({"models":[{"name":"models/a","displayName":"a","supportedGenerationMethods":["generateContent","countTokens"]}]})");
}
