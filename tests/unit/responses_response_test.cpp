// OpenAI's Responses API: whole answers, errors, lists of models.
#include <string>

#include "catch.hpp"
#include "exchange.hpp"
#include "llm/exchange.hpp"
#include "llm/format.hpp"

using namespace llm;
using testing::sum_of_response;
using testing::translate_response;

namespace {

const std::string usage =
    R"({"input_tokens":10,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":15})";

std::string answer(std::string_view output,
                   std::string_view status = "completed",
                   std::string_view more = "") {
    return R"({"id":"resp_1","object":"response","created_at":1700000000,"status":")"
           + std::string(status)
           + R"(","error":null,"incomplete_details":null,"model":"gpt-5","output":)"
           + std::string(output) + std::string(more) + R"(,"usage":)" + usage
           + "}";
}

std::string message(std::string_view content) {
    return R"({"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[)"
           + std::string(content) + "]}";
}

std::string text(std::string_view words) {
    return R"({"type":"output_text","annotations":[],"logprobs":[],"text":")"
           + std::string(words) + "\"}";
}

std::string sum(std::string_view said, std::string_view finish) {
    return std::string(said) + "finish: " + std::string(finish)
           + "\nusage: 10+5=15 cached 4 written 2 reasoning 3\nerror: \n";
}

std::string error_sum(std::string_view body) {
    std::string all = sum_of_response(responses_format(), body);
    return all.substr(all.find("error: "));
}

AnswerContext context(json::Value request = {}) {
    AnswerContext context;
    context.request_model = "asked";
    context.now = 1700000000;
    context.unique = "u1";
    context.request = request;
    return context;
}

const std::string openai_usage =
    R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":3}})";

std::string openai(std::string_view message, std::string_view finish,
                   std::string_view more = "") {
    return R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":)"
           + std::string(message) + R"(,"finish_reason":")"
           + std::string(finish) + "\"" + std::string(more) + R"(}],"usage":)"
           + openai_usage + "}";
}

// The answer that a client of this API gets of an OpenAI one: its output.
std::string output_of(std::string_view body) {
    std::string all = translate_response(openai_format(), responses_format(),
                                         body, context());
    json::Document document;
    INFO(all);
    REQUIRE(document.parse(all));
    return std::string(document.root()["output"].raw());
}

}  // namespace

TEST_CASE("responses: an answer's words, thoughts and calls") {
    CHECK(sum_of_response(responses_format(), answer("[" + message(text("Hel") + "," + text("lo")) + "]"))
          == sum("text: Hello\nreasoning: \nsignature: \nredacted: \nrefusal: \n", "stop"));
    CHECK(sum_of_response(responses_format(), answer("[" + message(R"({"type":"refusal","refusal":"No."})") + "]"))
          == sum("text: \nreasoning: \nsignature: \nredacted: \nrefusal: No.\n", "stop"));
    CHECK(sum_of_response(responses_format(), answer(
        R"([{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"one"},{"type":"summary_text","text":"two"}],"encrypted_content":"gAAA"},)"
        + message(text("Let me")) +
        R"(,{"type":"web_search_call","id":"ws_1","status":"completed"},)"
        R"({"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\"a\": 1}","status":"completed"},)"
        R"({"type":"custom_tool_call","id":"ctc_1","call_id":"c2","name":"sql","input":"select 1"}])"))
          == sum("text: Let me\nreasoning: one\n\ntwo\nsignature: rs_1:gAAA\nredacted: \nrefusal: \n"
                 "call: c1 f {\"a\": 1}\ncall: c2 sql select 1\n", "tool_calls"));
    // The thoughts themselves, where they are shown.
    CHECK(sum_of_response(responses_format(), answer(
        R"([{"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]}])"))
          == sum("text: \nreasoning: hm\nsignature: \nredacted: \nrefusal: \n", "stop"));
}

TEST_CASE("responses: an image that a hosted tool has made is one of the answer") {
    std::string body = answer("[" + message(text("Here")) +
        R"(,{"type":"image_generation_call","id":"ig_1","status":"completed","result":"/9j/4AAQ"},)"
        R"({"type":"image_generation_call","id":"ig_2","status":"failed","result":null}])");
    CHECK(translate_response(responses_format(), openai_format(), body, context())
              .find(R"("content":"Here","images":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/4AAQ"},"index":0}]})")
          != std::string::npos);
}

TEST_CASE("responses: an answer that is not complete says why") {
    struct {
        std::string_view reason;
        std::string_view finish;
    } const rows[] = {
        {R"("max_output_tokens")", "length"},
        {R"("content_filter")", "content_filter"},
        {R"("zork")", "length"},    // never as if it were whole
        {"null", "length"},
    };
    for (const auto &row : rows) {
        std::string body = answer("[" + message(text("cut")) + "]", "incomplete");
        std::string_view none = R"("incomplete_details":null)";
        body.replace(body.find(none), none.size(),
                     R"("incomplete_details":{"reason":)"
                         + std::string(row.reason) + "}");
        CHECK(sum_of_response(responses_format(), body)
              == sum("text: cut\nreasoning: \nsignature: \nredacted: \nrefusal: \n", row.finish));
    }
}

TEST_CASE("responses: a failure under a good status is one") {
    CHECK(error_sum(R"({"id":"resp_1","object":"response","status":"failed","error":{"code":"rate_limit_exceeded","message":"slow down"},"output":[]})")
          == "error: : slow down\n");
    CHECK(error_sum(R"({"id":"resp_1","object":"response","status":"failed","error":null,"output":[]})")
          == "error: : the provider failed before the answer was complete\n");
    CHECK(error_sum(R"({"id":"resp_1","object":"response","status":"in_progress","error":null,"output":[]})")
          == "error: : the provider's answer is not complete\n");
    CHECK(error_sum(R"({"object":"response","status":"completed"})")
          == "error: : the provider's answer has no output\n");
    CHECK(error_sum(R"({"error":{"message":"boom","type":"server_error","code":null,"param":null}})")
          == "error: : boom\n");
    // Who asked for an answer later has one.
    CHECK(error_sum(R"({"id":"resp_1","object":"response","status":"queued","background":true,"error":null,"output":[]})")
          == "error: \n");
}

TEST_CASE("responses: the object that a client gets, with what it asked for") {
    std::string request = R"({"model":"asked","input":"q","instructions":"Be brief","temperature":0.50,
        "tools":[
            {"type":"function","name":"f"}],"tool_choice":"auto","metadata":{"a":"b"},"store":true,"max_output_tokens":20})";
    json::Document document;
    REQUIRE(document.parse(request));
    CHECK(translate_response(openai_format(), responses_format(),
                             openai(R"({"role":"assistant","content":"Hello"})", "stop"), context(document.root()))
          == R"({"id":"resp_u1","object":"response","created_at":1700000000,"status":"completed","background":false,"error":null,"incomplete_details":null,"model":"m",)"
             R"("output":[{"id":"msg_u1_0","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hello"}]}],)"
             R"("usage":)" + usage +
             R"(,"previous_response_id":null,"store":false,"service_tier":null,"instructions":"Be brief","max_output_tokens":20,"max_tool_calls":null,"parallel_tool_calls":true,)"
             R"("prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},"safety_identifier":null,"temperature":0.50,"text":{"format":{"type":"text"}},)"
             "\"tool_choice\":\"auto\",\"tools\":[             {\"type\":\"function\",\"name\":\"f\"}],\"top_logprobs\":null,\"top_p\":null,\"truncation\":\"disabled\",\"user\":null,\"metadata\":{\"a\":\"b\"}}");
}

TEST_CASE("responses: items of an answer") {
    CHECK(output_of(openai(R"({"role":"assistant","content":"a","reasoning_content":"hm","refusal":"r"})", "stop"))
          == R"([{"id":"rs_u1_0","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},)"
             R"({"id":"msg_u1_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"a"},{"type":"refusal","refusal":"r"}]}])");
    CHECK(output_of(openai(R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":""}},{"id":"c2","type":"custom","custom":{"name":"sql","input":"select 1"}}]})", "tool_calls"))
          == R"([{"id":"fc_u1_0","type":"function_call","status":"completed","arguments":"{}","call_id":"c1","name":"f"},)"
             R"({"id":"ctc_u1_1","type":"custom_tool_call","status":"completed","input":"select 1","call_id":"c2","name":"sql"}])");
    CHECK(output_of(openai(R"({"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"sig"},{"type":"reasoning.encrypted","data":"xyz"}]})", "stop"))
          == R"([{"id":"rs_u1_0","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"llm:signature:sig"},)"
             R"({"id":"rs_u1_1","type":"reasoning","summary":[],"encrypted_content":"llm:redacted:xyz"},)"
             R"({"id":"msg_u1_2","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"a"}]}])");
    CHECK(output_of(openai(R"({"role":"assistant","content":"a"})", "stop",
                           R"(,"logprobs":{"content":[{"token":"a","logprob":-0.5,"bytes":null,"top_logprobs":[{"token":"b","logprob":-1,"bytes":[98]}]}]})"))
          == R"([{"id":"msg_u1_0","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],)"
             R"("logprobs":[{"token":"a","bytes":[],"logprob":-0.5,"top_logprobs":[{"token":"b","bytes":[98],"logprob":-1}]}],"text":"a"}]}])");
}

TEST_CASE("responses: a cut answer is incomplete towards clients") {
    for (auto [finish, reason] : {std::pair{"length", "max_output_tokens"},
                                  std::pair{"content_filter", "content_filter"}}) {
        std::string all = translate_response(openai_format(), responses_format(),
            openai(R"({"role":"assistant","content":"cut"})", finish), context());
        CHECK(all.find(R"("status":"incomplete","background":false,"error":null,"incomplete_details":{"reason":")" + std::string(reason) + "\"}")
              != std::string::npos);
        CHECK(all.find(R"("type":"message","status":"incomplete")") != std::string::npos);
    }
}

TEST_CASE("responses: sealed reasoning goes through a client of another API") {
    std::string body = answer(R"([{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"gAAA"},)"
                              + message(text("a")) + "]");
    CHECK(translate_response(responses_format(), anthropic_format(), body, context())
              .find(R"({"type":"thinking","thinking":"hm","signature":"rs_1:gAAA"})")
          != std::string::npos);
    // And to one of its own, out of a cache: as it was.
    CHECK(translate_response(responses_format(), responses_format(), body, context())
              .find(R"({"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"gAAA"})")
          != std::string::npos);
}

TEST_CASE("responses: probabilities of tokens reach chat completions") {
    std::string body = answer("[" + message(R"({"type":"output_text","annotations":[],"text":"a","logprobs":[{"token":"a","bytes":[97],"logprob":-0.5,"top_logprobs":[]}]})") + "]");
    CHECK(translate_response(responses_format(), openai_format(), body, context())
              .find(R"("logprobs":{"content":[{"token":"a","bytes":[97],"logprob":-0.5,"top_logprobs":[]}]})")
          != std::string::npos);
}

TEST_CASE("responses: errors are OpenAI's") {
    Error error = responses_format().parse_error(
        429, R"({"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}})");
    CHECK(error.kind == ErrorKind::rate_limit);
    CHECK(responses_format().error_status(error) == 429);
    std::string out;
    responses_format().write_error(error, out);
    CHECK(out == R"({"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}})");
    // Of a response that failed, by its code.
    CHECK(error_sum(R"({"status":"failed","error":{"code":"invalid_prompt","message":"too long"},"output":[]})")
          == "error: : too long\n");
}

TEST_CASE("responses: models are OpenAI's") {
    std::string_view const names[] = {"a"};
    std::string mine;
    std::string theirs;
    responses_format().write_models(names, 1, mine);
    openai_format().write_models(names, 1, theirs);
    CHECK(mine == theirs);
    CHECK(responses_format().models_path() == "/models");
}

TEST_CASE("responses: an answer from a cache repeats its own request, not another's") {
    auto memory = std::pmr::get_default_resource();
    chat::Response kept(memory);
    kept.model = "g";
    chat::Choice choice(memory);
    choice.message.parts.emplace_back().text = "Good day";
    choice.finish_reason = chat::FinishReason::stop;
    kept.choices.push_back(choice);

    std::string body = R"({"model":"m","input":"q","metadata":{"who":"a"}})";
    Exchange first(responses_format(), body, {}, memory);
    REQUIRE(first.open());
    first.set_context("u1", 1700000000);
    first.answer(kept);
    CHECK(first.output().find(R"("metadata":{"who":"a"})") != std::string::npos);
    Rendition rendition = first.rendition();

    std::string other_body = R"({"model":"m","input":"q","metadata":{"who":"b"}})";
    Exchange other(responses_format(), other_body, {}, memory);
    REQUIRE(other.open());
    other.set_context("u2", 1700000000);
    CHECK_FALSE(other.answer(rendition));
    other.answer(kept);
    CHECK(other.output().find(R"("metadata":{"who":"b"})") != std::string::npos);
}

TEST_CASE("responses: a prompt's tokens are guessed from its texts, not from its media") {
    json::Document document;
    REQUIRE(document.parse(R"({"instructions":"abcd","input":[{"role":"user","content":[{"type":"input_text","text":"abcdefgh"},{"type":"input_image","image_url":"data:image/png;base64,QUJDQUJDQUJDQUJDQUJD"},{"type":"input_file","file_url":"https://example.com/a/long/name.pdf"}]}]})"));
    // "user" counts, too.
    CHECK(estimate_prompt_tokens(document.root()) == 4);
}
