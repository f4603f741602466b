#include <memory_resource>
#include <string>

#include "catch.hpp"
#include "llm/format.hpp"

using namespace llm;
using chat::FinishReason;
using chat::PartType;

namespace {

struct Answer {
    explicit Answer(std::string text) : body(std::move(text)) {
        REQUIRE(document.parse(body, {.duplicates = true}));
        result = std::make_unique<Result<chat::Response>>(
            openai_format().parse_response(document, &memory));
    }
    chat::Response &operator*() {
        INFO((*result ? "" : result->error().message));
        REQUIRE(*result);
        return **result;
    }

    std::string body;
    json::Document document;
    std::pmr::monotonic_buffer_resource memory;
    std::unique_ptr<Result<chat::Response>> result;
};

std::string with_message(std::string_view message,
                         std::string_view reason = "\"stop\"") {
    return R"({"id":"c1","choices":[{"index":0,"message":)" +
           std::string(message) + R"(,"finish_reason":)" +
           std::string(reason) + "}]}";
}

std::string rewritten(std::string body, AnswerContext context = {}) {
    Answer answer(std::move(body));
    std::string out;
    openai_format().write_response(*answer, context, out);
    json::Document document;
    CHECK(document.parse(out));
    return out;
}

}  // namespace

TEST_CASE("openai: every member of an answer is understood and written") {
    std::string body =
        R"({"id":"c1","object":"chat.completion","created":7,"model":"m-1","choices":[)"
        R"({"index":0,"message":{"role":"assistant","content":"hi","refusal":null,)"
        R"("tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"}},)"
        R"({"id":"b","type":"custom","custom":{"name":"c","input":"free"}}]},)"
        R"("logprobs":{"content":[]},"finish_reason":"tool_calls"},)"
        R"({"index":1,"message":{"role":"assistant","content":null,"refusal":"no"},)"
        R"("logprobs":null,"finish_reason":"content_filter"}],)"
        R"("usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,)"
        R"("prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2,"audio_tokens":1},)"
        R"("completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":1}},)"
        R"("service_tier":"default","system_fingerprint":"fp"})";
    CHECK(rewritten(body) == body);

    Answer answer(body);
    CHECK((*answer).choices[0].finish_reason == FinishReason::tool_calls);
    CHECK((*answer).choices[0].message.parts.size() == 3);
    CHECK((*answer).usage.known);
    CHECK((*answer).usage.cached_tokens == 4);
    CHECK((*answer).usage.reasoning_tokens == 3);
}

TEST_CASE("openai: an answer has an id, a time and a model, whoever gave it") {
    AnswerContext context;
    context.request_model = "alias";
    context.unique = "u1";
    context.now = 99;
    CHECK(rewritten(R"({"choices":[{"message":{"content":"a"}}]})", context)
          == R"({"id":"chatcmpl-u1","object":"chat.completion","created":99,"model":"alias","choices":[)"
             R"({"index":0,"message":{"role":"assistant","content":"a","refusal":null},"logprobs":null,"finish_reason":"stop"}]})");
}

TEST_CASE("openai: answers of servers that follow the API loosely") {
    SECTION("content as parts") {
        Answer answer(with_message(R"({"content":[{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},{"type":"text","text":"a"},{"type":"text","text":"b"}]})"));
        auto &parts = (*answer).choices[0].message.parts;
        REQUIRE(parts.size() == 3);
        CHECK(parts[0].type == PartType::reasoning);
        CHECK(parts[0].text == "hm");
        CHECK(parts[2].text == "b");
    }
    SECTION("arguments as an object, no ids, and finish stop") {
        Answer answer(with_message(R"({"content":null,"tool_calls":[
            {"function":{"name":"f","arguments":{"a":1}}},
            {"id":"null","function":{"name":"g","arguments":""}}]})"));
        auto &choice = (*answer).choices[0];
        CHECK(choice.finish_reason == FinishReason::tool_calls);
        CHECK(choice.native_finish_reason == "stop");
        REQUIRE(choice.message.parts.size() == 2);
        CHECK(choice.message.parts[0].id == "call_c1_0");
        CHECK(choice.message.parts[0].arguments == "{\"a\":1}");
        CHECK(choice.message.parts[1].id == "call_c1_1");
    }
    SECTION("an id that is made is short enough for every API") {
        std::string body = R"({"id":"chatcmpl-01234567-89ab-cdef-0123-456789abcdef","choices":[{"message":{"tool_calls":[{"function":{"name":"f"}}]}}]})";
        Answer answer(body);
        std::string id((*answer).choices[0].message.parts.at(0).id);
        CHECK(id.starts_with("call_chatcmpl-01234567-89ab"));
        CHECK(id.ends_with("_0"));
        CHECK(id.size() <= 40);
    }
    SECTION("the deprecated function_call") {
        Answer answer(with_message(
            R"({"content":null,"function_call":{"name":"f","arguments":"{}"}})",
            "\"function_call\""));
        CHECK((*answer).choices[0].finish_reason == FinishReason::tool_calls);
        CHECK((*answer).choices[0].message.parts[0].name == "f");
    }
    SECTION("no finish reason, a fraction of a second, no usage") {
        Answer answer(R"({"created":7.9,"choices":[{"message":{"content":"a"},"finish_reason":null}],"usage":null})");
        CHECK((*answer).created == 7);
        CHECK((*answer).choices[0].finish_reason == FinishReason::stop);
        CHECK_FALSE((*answer).usage.known);
    }
    SECTION("a choice without a message, no choices") {
        CHECK((*Answer(R"({"choices":[{}]})")).choices.size() == 1);
        CHECK((*Answer(R"({"choices":[]})")).choices.empty());
    }
}

TEST_CASE("openai: counts that differ from OpenAI's") {
    auto usage = [](std::string text) {
        Answer answer(R"({"choices":[],"usage":)" + text + "}");
        return (*answer).usage;
    };
    // xAI: reasoning is not in completion_tokens, but in the total.
    auto xai = usage(R"({"prompt_tokens":1,"completion_tokens":2,"total_tokens":8,"completion_tokens_details":{"reasoning_tokens":5}})");
    CHECK(xai.completion_tokens == 7);
    CHECK(xai.total_tokens == 8);
    CHECK(usage(R"({"prompt_tokens":1,"completion_tokens":2,"num_cached_tokens":1})").cached_tokens == 1);
    CHECK(usage(R"({"prompt_tokens":-5,"completion_tokens":9223372036854775807})").total_tokens > 0);
    CHECK_FALSE(usage(R"({"prompt_tokens":"5"})").known);
    CHECK_FALSE(usage("[]").known);
}

TEST_CASE("openai: thoughts are written, with their proof where there is one") {
    CHECK(rewritten(with_message(R"({"content":"a","reasoning":"r"})"))
              .find(R"("reasoning_content":"r"})") != std::string::npos);
    CHECK(rewritten(with_message(
              R"({"content":"a","reasoning":"r","reasoning_details":[{"type":"reasoning.text","text":"r","signature":"s"},{"type":"reasoning.encrypted","data":"d"}]})"))
              .find(R"("reasoning_content":"r","reasoning_details":[{"type":"reasoning.text","text":"r","signature":"s","index":0},{"type":"reasoning.encrypted","data":"d","index":1}])")
          != std::string::npos);
}

TEST_CASE("openai: an error under a good status is an error") {
    auto error = [](std::string body) {
        Answer answer(std::move(body));
        REQUIRE_FALSE(*answer.result);
        return std::to_string(http_status(answer.result->error().kind)) + ' ' +
               answer.result->error().message;
    };
    CHECK(error(R"({"error":{"message":"full","code":503}})") == "503 full");
    CHECK(error(R"({"error":"full"})") == "500 full");
    CHECK(error(R"({"detail":"full"})") == "502 full");
    CHECK(error("null") == "502 the provider's answer has no choices");
    CHECK(error("[]") == "502 the provider's answer has no choices");
    CHECK(error(R"({"choices":null})")
          == "502 the provider's answer has no choices");
    CHECK(error(with_message(R"({"content":""})", "\"error\""))
          == "500 the provider failed before the answer was complete");
    // None of these is an error.
    CHECK(*Answer(R"({"error":null,"choices":[]})").result);
    CHECK(*Answer(R"({"error":{},"message":"x","choices":[]})").result);
}

TEST_CASE("openai: errors of any shape become one") {
    auto seen = [](int status, std::string_view body) {
        Error e = openai_format().parse_error(status, body);
        return std::to_string(e.status) + '/' +
               std::to_string(http_status(e.kind)) + ' ' + e.message + '|' +
               e.type + '|' + e.code + '|' + e.param;
    };
    CHECK(seen(400, R"({"error":{"message":"bad","type":"invalid_request_error","param":"messages","code":"invalid_value"}})")
          == "400/400 bad|invalid_request_error|invalid_value|messages");
    CHECK(seen(404, R"({"error":{"message":"no","type":null,"param":null,"code":null}})")
          == "404/404 no|||");
    // xAI
    CHECK(seen(400, R"({"code":"Client","error":"bad"})") == "400/400 bad||Client|");
    // OpenRouter
    CHECK(seen(502, R"({"error":{"code":502,"message":"bad","metadata":{}}})")
          == "502/502 bad|||");
    // vLLM's older form, Mistral's, FastAPI's
    CHECK(seen(400, R"({"object":"error","message":"bad","type":"BadRequestError","param":null,"code":400})")
          == "400/400 bad|BadRequestError||");
    CHECK(seen(422, R"({"object":"error","message":{"detail":[{"loc":["body"],"msg":"bad"}]},"type":"x"})")
          == "422/400 bad|x||");
    CHECK(seen(422, R"({"detail":[{"loc":["body"],"msg":"bad"}]})") == "422/400 bad|||");
    CHECK(seen(403, R"({"errors":["bad"]})") == "403/403 bad|||");
    // Gemini's lists
    CHECK(seen(503, R"([{"error":{"code":503,"message":"bad","status":"UNAVAILABLE"}}])")
          == "503/503 bad||UNAVAILABLE|");
    // Not JSON, or JSON of no known shape
    CHECK(seen(502, "<html>...</html>") == "502/502 the provider answered with status 502|||");
    CHECK(seen(503, "upstream connect error\n") == "503/503 upstream connect error\n|||");
    CHECK(seen(500, "") == "500/500 the provider answered with status 500|||");
    CHECK(seen(500, "{}") == "500/500 the provider answered with status 500|||");
    CHECK(seen(529, std::string("\x01\xFF", 2)) == "529/503 the provider answered with status 529|||");
    CHECK(seen(302, "") == "0/502 the provider reported an error|||");

    // An empty account is no rate limit.
    CHECK(openai_format().parse_error(429, R"({"error":{"message":"pay","code":"insufficient_quota"}})").kind
          == ErrorKind::quota);
    CHECK(openai_format().parse_error(429, R"({"error":{"message":"slow"}})").kind
          == ErrorKind::rate_limit);
    // A message about a key may hold the key.
    CHECK(seen(401, R"({"error":{"message":"Incorrect API key provided: sk-1","code":"invalid_api_key"}})")
          == "401/401 the provider refused the API key||invalid_api_key|");
    // A long message is cut between characters.
    std::string page = "{\"error\":\"x";
    for (int i = 0; i < 2000; ++i) {
        page += "\xC3\xA9";
    }
    page += "\"}";
    CHECK(openai_format().parse_error(500, page).message.size() == 2047);
}

TEST_CASE("openai: errors are written with OpenAI's words") {
    auto body = [](Error error) {
        std::string out;
        openai_format().write_error(error, out);
        return out;
    };
    CHECK(body(invalid_request("bad \"x\"", "messages[0]"))
          == R"({"error":{"message":"bad \"x\"","type":"invalid_request_error","param":"messages[0]","code":null}})");
    CHECK(body({ErrorKind::rate_limit, "slow", "", "", 429, "rate_limit_error"})
          == R"({"error":{"message":"slow","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}})");
    // Another API's word for the type is not OpenAI's.
    CHECK(body({ErrorKind::overloaded, "full", "", "", 529, "overloaded_error"})
          == R"({"error":{"message":"full","type":"server_error","param":null,"code":"overloaded"}})");
    CHECK(body({ErrorKind::not_found, "no", "", "", 404, "not_found_error"})
          == R"({"error":{"message":"no","type":"invalid_request_error","param":null,"code":"model_not_found"}})");
    CHECK(body({ErrorKind::not_found, "no such path", "", "", 0, ""})
          == R"({"error":{"message":"no such path","type":"invalid_request_error","param":null,"code":null}})");
}

TEST_CASE("openai: the status of an error is one that the SDKs know") {
    auto status = [](ErrorKind kind, int provider) {
        return openai_format().error_status({kind, "", "", "", provider, ""});
    };
    CHECK(status(ErrorKind::rate_limit, 0) == 429);
    CHECK(status(ErrorKind::overloaded, 529) == 503);
    CHECK(status(ErrorKind::quota, 402) == 429);
    CHECK(status(ErrorKind::invalid_request, 422) == 422);
    CHECK(status(ErrorKind::rate_limit, 498) == 429);
    CHECK(status(ErrorKind::bad_gateway, 200) == 502);
}

TEST_CASE("openai: the list of models") {
    std::string out;
    std::string_view models[] = {"chat", "openai/gpt-4o"};
    openai_format().write_models(models, 9, out);
    CHECK(out == R"({"object":"list","data":[)"
                 R"({"id":"chat","object":"model","created":9,"owned_by":"gateway","type":"base","capabilities":{"completion_chat":true}},)"
                 R"({"id":"openai/gpt-4o","object":"model","created":9,"owned_by":"openai","type":"base","capabilities":{"completion_chat":true}}]})");
}

TEST_CASE("a format is found by its name and by the end of a path") {
    CHECK(find_format("openai") == &openai_format());
    CHECK(find_format("anthropic") == &anthropic_format());
    CHECK(find_format("OpenAI") == nullptr);

    auto route = [](std::string_view path, bool anthropic_version = false) {
        ClientHints hints;
        hints.anthropic_version = anthropic_version;
        RouteMatch match = match_route(path, hints);
        if (!match.format) {
            return std::string("none");
        }
        return std::string(match.format->name()) +
               (match.operation == Operation::models ? " models" : " chat");
    };
    CHECK(route("/v1/chat/completions") == "openai chat");
    CHECK(route("/any/prefix/chat/completions/") == "openai chat");
    CHECK(route("/chat/completions", true) == "openai chat");
    CHECK(route("/v1/messages") == "anthropic chat");
    CHECK(route("/v1/models") == "openai models");
    CHECK(route("/v1/models", true) == "anthropic models");
    CHECK(route("/v1/xchat/completions") == "completions chat");
    CHECK(route("/v1/chat/xcompletions") == "none");
    CHECK(route("/v1/mychat/models") == "openai models");
    CHECK(route("/v1/supermodels") == "none");
    CHECK(route("/") == "none");
    CHECK(route("") == "none");
}
