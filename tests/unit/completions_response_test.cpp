// OpenAI's legacy completions: whole answers and streams.
#include <string>

#include "catch.hpp"
#include "events.hpp"
#include "exchange.hpp"
#include "llm/format.hpp"

using namespace llm;
using testing::events_of;
using testing::sum_of_response;
using testing::sum_of_stream;
using testing::translate_response;
using testing::translate_stream;

namespace {

std::string answer(std::string_view text, std::string_view finish = "stop") {
    return R"({"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"m","choices":[{"index":0,"text":")"
           + std::string(text) + R"(","logprobs":null,"finish_reason":")"
           + std::string(finish)
           + R"("}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}})";
}

std::string chunk(std::string_view text, std::string_view finish = "null",
                  int index = 0) {
    return R"(data: {"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"m","choices":[{"index":)"
           + std::to_string(index) + R"(,"text":")" + std::string(text)
           + R"(","logprobs":null,"finish_reason":)" + std::string(finish)
           + "}]}\n\n";
}

const std::string usage =
    R"(data: {"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"m","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}})"
    "\n\n";
const std::string marker = "data: [DONE]\n\n";

std::string openai_chunk(std::string_view delta,
                         std::string_view finish = "null") {
    return R"(data: {"id":"chatcmpl-1","created":1700000000,"model":"m","choices":[{"index":0,"delta":)"
           + std::string(delta) + R"(,"finish_reason":)" + std::string(finish)
           + "}]}\n\n";
}

AnswerContext context(bool include_usage = false) {
    AnswerContext context;
    context.request_model = "asked";
    context.now = 1700000000;
    context.unique = "u1";
    context.include_usage = include_usage;
    return context;
}

const std::string begun = "start cmpl-1 m 1700000000\n";
const std::string used = "usage 10+5=15 cached 0 reasoning 0\n";

}  // namespace

TEST_CASE("completions: answers of providers") {
    CHECK(sum_of_response(completions_format(), answer("Hello"))
          == "text: Hello\nreasoning: \nsignature: \nredacted: \nrefusal: \nfinish: stop\nusage: 10+5=15\nerror: \n");
    CHECK(sum_of_response(completions_format(), answer("cut", "length")).find("finish: length") != std::string::npos);
    CHECK(sum_of_response(completions_format(), answer("x", "error")).find("error: : the provider failed") != std::string::npos);
    CHECK(sum_of_response(completions_format(), "{}").find("error: : the provider's answer has no choices") != std::string::npos);
    CHECK(sum_of_response(completions_format(), R"({"error":{"message":"boom"}})").find("error: : boom") != std::string::npos);
}

TEST_CASE("completions: answers for clients") {
    CHECK(translate_response(completions_format(), completions_format(), answer("Hello"), context())
          == R"({"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"m","choices":[{"index":0,"text":"Hello","logprobs":null,"finish_reason":"stop"}],)"
             R"("usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}})");
    // Thoughts have no place here; a refusal is what was said.
    CHECK(translate_response(openai_format(), completions_format(),
                             R"({"choices":[{"index":0,"message":{"content":null,"reasoning_content":"hm","refusal":"No."},"finish_reason":"content_filter"}]})",
                             context())
          == R"({"id":"cmpl-u1","object":"text_completion","created":1700000000,"model":"asked","choices":[{"index":0,"text":"No.","logprobs":null,"finish_reason":"content_filter"}]})");
    CHECK(translate_response(anthropic_format(), completions_format(),
                             R"({"id":"msg_1","model":"m","content":[{"type":"text","text":"a"}],"stop_reason":"max_tokens","usage":{"input_tokens":1,"output_tokens":2}})",
                             context()).find(R"("text":"a","logprobs":null,"finish_reason":"length")")
          != std::string::npos);
}

TEST_CASE("completions: streams of providers") {
    CHECK(events_of(completions_format(), chunk("Hel") + chunk("lo") + chunk("", "\"stop\"") + usage + marker)
          == begun + "text Hel\ntext lo\nfinish stop\n" + used + "done\n");
    // Two answers at once, and a server that repeats its last word.
    CHECK(events_of(completions_format(), chunk("a") + chunk("b", "null", 1) + chunk("", "\"length\"", 1) + chunk("", "\"stop\"") + chunk("", "\"stop\"") + marker)
          == begun + "text a\ntext@1 b\nfinish@1 length\nfinish stop\ndone\n");
    // No end marker, and no finish reason.
    CHECK(events_of(completions_format(), chunk("a", "\"stop\"")) == begun + "text a\nfinish stop\ndone\n");
    CHECK(events_of(completions_format(), chunk("a") + marker) == begun + "text a\nfinish stop\ndone\n");
}

TEST_CASE("completions: streams that fail or break off") {
    CHECK(events_of(completions_format(), chunk("a"))
          == begun + "text a\nerror 502 the provider's stream ended before the answer was complete\n");
    CHECK(events_of(completions_format(), marker)
          == "error 502 the provider's stream ended before the answer was complete\n");
    CHECK(events_of(completions_format(), chunk("a") + "data: {\"error\":{\"message\":\"busy\",\"code\":503}}\n\n")
          == begun + "text a\nerror 503 busy\n");
    CHECK(events_of(completions_format(), chunk("a") + "data: {\n\n")
          == begun + "text a\nerror 502 the provider's stream holds an event that is not JSON\n");
    CHECK(events_of(completions_format(), chunk("a", "\"error\""))
          == begun + "text a\nerror 500 the provider failed before the answer was complete\n");
    CHECK(events_of(completions_format(), "data: {\"choices\":[{\"index\":\"x\",\"text\":7,\"finish_reason\":{}}]}\n\n")
          == "start   0\nerror 502 the provider's stream ended before the answer was complete\n");
}

TEST_CASE("completions: streams for clients") {
    std::string stream = openai_chunk(R"({"role":"assistant","content":""})") + openai_chunk(R"({"reasoning_content":"hm"})")
                         + openai_chunk(R"({"content":"Hel"})") + openai_chunk(R"({"content":"lo"})") + openai_chunk("{}", "\"tool_calls\"")
                         + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":15}}\n\n" + marker;
    std::string head = R"(data: {"id":"chatcmpl-1","object":"text_completion","created":1700000000,"model":"m","choices":[)";
    CHECK(translate_stream(openai_format(), completions_format(), stream, context())
          == head + "{\"index\":0,\"text\":\"Hel\",\"logprobs\":null,\"finish_reason\":null}]}\n\n"
             + head + "{\"index\":0,\"text\":\"lo\",\"logprobs\":null,\"finish_reason\":null}]}\n\n"
             + head + "{\"index\":0,\"text\":\"\",\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n" + marker);
    CHECK(translate_stream(openai_format(), completions_format(), stream, context(true))
              .ends_with(R"("choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}})"
                         "\n\ndata: [DONE]\n\n"));
    std::string cut = translate_stream(openai_format(), completions_format(), openai_chunk(R"({"content":"a"})"), context());
    CHECK(cut.find("[DONE]") == std::string::npos);
    CHECK(cut.find(R"(data: {"error":{"message":"the provider's stream ended before the answer was complete","type":"server_error")") != std::string::npos);
}

TEST_CASE("completions: usage that the client did not ask for is hidden from it") {
    testing::StreamRun run(completions_format());
    run.run({chunk("a", "\"stop\"") + usage + marker});
    CHECK(run.relayed == chunk("a", "\"stop\"") + marker);
    testing::StreamRun asked(completions_format());
    asked.include_usage = true;
    asked.run({chunk("a", "\"stop\"") + usage + marker});
    CHECK(asked.relayed == chunk("a", "\"stop\"") + usage + marker);
}

TEST_CASE("completions: a stream says what the one-shot answer says") {
    for (const Format *client : {&openai_format(), &anthropic_format(), &responses_format(), &completions_format()}) {
        INFO(client->name());
        CHECK(sum_of_stream(*client, translate_stream(completions_format(), *client, chunk("Hel") + chunk("lo", "\"length\"") + usage + marker, context(true)))
              == sum_of_response(*client, translate_response(completions_format(), *client, answer("Hello", "length"), context())));
    }
}
