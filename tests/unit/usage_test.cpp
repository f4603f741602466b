// What is accounted for a call, by Exchange.
#include <memory_resource>
#include <string_view>

#include "catch.hpp"
#include "llm/exchange.hpp"

using namespace llm;

namespace {

constexpr std::string_view call =
    R"({"model":"m","max_tokens":9,"stream":true,)"
    R"("messages":[{"role":"user","content":"12345678"}]})";

constexpr std::string_view start =
    "event: message_start\n"
    R"(data: {"type":"message_start","message":{"id":"msg_1","model":"m",)"
    R"("usage":{"input_tokens":40,"output_tokens":1}}})"
    "\n\n"
    "event: content_block_start\n"
    R"(data: {"type":"content_block_start","index":0,)"
    R"("content_block":{"type":"text","text":""}})"
    "\n\n"
    "event: content_block_delta\n"
    R"(data: {"type":"content_block_delta","index":0,)"
    R"("delta":{"type":"text_delta","text":"sixteen letters!"}})"
    "\n\n";

constexpr std::string_view rest =
    "event: content_block_stop\n"
    R"(data: {"type":"content_block_stop","index":0})"
    "\n\n"
    "event: message_delta\n"
    R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},)"
    R"("usage":{"output_tokens":3}})"
    "\n\n"
    "event: message_stop\n"
    R"(data: {"type":"message_stop"})"
    "\n\n";

// What is accounted after these bytes of the provider's stream.
chat::Usage usage_of(std::string_view first, std::string_view second) {
    Exchange exchange(anthropic_format(), call, {},
                      std::pmr::get_default_resource());
    REQUIRE(exchange.open());
    Target target;
    target.format = &anthropic_format();
    target.model = "m";
    REQUIRE(exchange.prepare(target));
    (void) exchange.begin({200, "text/event-stream", {}});
    (void) exchange.feed(first);
    (void) exchange.feed(second);
    (void) exchange.finish();
    return exchange.account().usage;
}

}  // namespace

TEST_CASE("usage is the provider's where the stream is whole") {
    auto usage = usage_of(start, rest);
    CHECK(usage.prompt_tokens == 40);
    CHECK(usage.completion_tokens == 3);
    CHECK(usage.total_tokens == 43);
    CHECK_FALSE(usage.estimated);
}

TEST_CASE("a stream that breaks off costs what it has said by then") {
    auto usage = usage_of(start, {});
    CHECK(usage.prompt_tokens == 40);
    CHECK(usage.completion_tokens == 4);
    CHECK(usage.total_tokens == 44);
    CHECK(usage.estimated);
}

TEST_CASE("a client that is to hear of usage hears of the estimate") {
    auto answer = [](std::string_view type, std::string_view body) {
        std::string request(call);
        if (type == "application/json") {
            request.replace(request.find("true"), 4, "false");
        }
        Exchange exchange(anthropic_format(), request, {},
                          std::pmr::get_default_resource());
        REQUIRE(exchange.open());
        Target target;
        target.format = &openai_format();
        target.model = "m";
        REQUIRE(exchange.prepare(target));
        (void) exchange.begin({200, type, {}});
        (void) exchange.feed(body);
        REQUIRE(exchange.finish() == Exchange::Step::complete);
        CHECK(exchange.account().usage.estimated);
        return exchange.output();
    };

    CHECK(answer("application/json",
                 R"({"id":"c","model":"m","choices":[{"index":0,"message":)"
                 R"({"role":"assistant","content":"sixteen letters!"},)"
                 R"("finish_reason":"stop"}]})")
              .find(R"("output_tokens":4)") != std::string::npos);
    CHECK(answer("text/event-stream",
                 R"(data: {"id":"c","model":"m","choices":[{"index":0,)"
                 R"("delta":{"content":"sixteen letters!"},)"
                 R"("finish_reason":"stop"}]})"
                 "\n\ndata: [DONE]\n\n")
              .find(R"("usage":{"input_tokens":3,)"
                    R"("cache_creation_input_tokens":0,)"
                    R"("cache_read_input_tokens":0,"output_tokens":4})")
          != std::string::npos);
}

namespace {

int counted;

std::int64_t count_words(const chat::Request &request,
                         std::string_view model) {
    ++counted;
    CHECK(model == "real");
    CHECK(request.messages.size() == 1);
    return 77;
}

// Of an answer of OpenAI's, without usage but for `usage`.
Account account_with_counter(std::string_view usage) {
    Exchange exchange(openai_format(),
                      R"({"model":"m","messages":[)"
                      R"({"role":"user","content":"12345678"}]})",
                      {}, std::pmr::get_default_resource());
    REQUIRE(exchange.open());
    exchange.count_with(count_words);
    Target target;
    target.format = &openai_format();
    target.model = "real";
    REQUIRE(exchange.prepare(target));
    (void) exchange.begin({200, "application/json", {}});
    std::string answer =
        R"({"id":"1","object":"chat.completion","model":"m","choices":[)"
        R"({"index":0,"finish_reason":"stop","message":)"
        R"({"role":"assistant","content":"Hello"}}])";
    answer.append(usage).append("}");
    (void) exchange.feed(answer);
    REQUIRE(exchange.finish() == Exchange::Step::complete);
    return exchange.account();
}

}  // namespace

TEST_CASE("the prompt that a provider does not count is counted, for the "
          "model that answered") {
    counted = 0;
    auto usage = account_with_counter({}).usage;
    CHECK(counted == 1);
    CHECK(usage.prompt_tokens == 77);
    CHECK(usage.completion_tokens == 1);
    CHECK(usage.total_tokens == 78);
    CHECK(usage.estimated);
}

TEST_CASE("an answer's text is estimated by the model's family") {
    // Each ideograph is three bytes, and about a token.
    auto usage_of_text = [](std::string_view model) {
        Exchange exchange(openai_format(),
                          R"({"model":"m","stream":true,"messages":[)"
                          R"({"role":"user","content":"12345678"}]})",
                          {}, std::pmr::get_default_resource());
        REQUIRE(exchange.open());
        Target target;
        target.format = &openai_format();
        target.model = model;
        REQUIRE(exchange.prepare(target));
        (void) exchange.begin({200, "text/event-stream", {}});
        // As a stream brings it: a few characters in each event.
        for (int i = 0; i < 200; ++i) {
            (void) exchange.feed(
                R"(data: {"choices":[{"index":0,"delta":{"content":"河流入海"}}]})"
                "\n\n");
        }
        (void) exchange.abort({});
        CHECK(exchange.account().usage.estimated);
        return exchange.account().usage.completion_tokens;
    };
    CHECK(usage_of_text("gpt-4o") > 500);
    CHECK(usage_of_text("gpt-4o") < 1000);
    CHECK(usage_of_text("claude-sonnet-4-5") > usage_of_text("gpt-4o"));
}

TEST_CASE("a call that its client left costs its prompt") {
    Exchange exchange(openai_format(),
                      R"({"model":"m","messages":[)"
                      R"({"role":"user","content":"12345678"}]})",
                      {}, std::pmr::get_default_resource());
    REQUIRE(exchange.open());
    exchange.count_with(count_words);
    Target target;
    target.format = &openai_format();
    target.model = "real";
    REQUIRE(exchange.prepare(target));
    exchange.abandon();
    auto usage = exchange.account().usage;
    CHECK(usage.prompt_tokens == 77);
    CHECK(usage.completion_tokens == 0);
    CHECK(usage.total_tokens == 77);
    CHECK(usage.estimated);
    CHECK_FALSE(exchange.account().complete);
}

TEST_CASE("nothing of a try that failed is accounted for the next one") {
    Exchange exchange(openai_format(),
                      R"({"model":"m","messages":[)"
                      R"({"role":"user","content":"12345678"}]})",
                      {}, std::pmr::get_default_resource());
    REQUIRE(exchange.open());
    exchange.count_with(count_words);
    Target target;
    target.format = &openai_format();
    target.model = "real";
    REQUIRE(exchange.prepare(target));
    (void) exchange.begin({200, "application/json", {}});
    (void) exchange.feed(
        R"({"usage":{"prompt_tokens":5,"completion_tokens":9000,)"
        R"("total_tokens":9005},"choices":[{"index":0,"message":)"
        R"({"role":"assistant","content":"Hello"},"finish_reason":"stop"}]})");
    REQUIRE(exchange.finish() == Exchange::Step::complete);
    REQUIRE(exchange.account().usage.total_tokens == 9005);

    REQUIRE(exchange.prepare(target));
    exchange.abandon();
    CHECK(exchange.account().usage.total_tokens == 77);
}

TEST_CASE("a stream that begins with the prompt's tokens has them counted") {
    counted = 0;
    Exchange exchange(anthropic_format(),
                      R"({"model":"m","max_tokens":9,"stream":true,)"
                      R"("messages":[{"role":"user","content":"12345678"}]})",
                      {}, std::pmr::get_default_resource());
    REQUIRE(exchange.open());
    exchange.count_with(count_words);
    Target target;
    target.format = &openai_format();
    target.model = "real";
    REQUIRE(exchange.prepare(target));
    (void) exchange.begin({200, "text/event-stream", {}});
    (void) exchange.feed(
        R"(data: {"id":"c","model":"m","choices":[{"index":0,)"
        R"("delta":{"content":"Hello"},"finish_reason":"stop"}]})"
        "\n\n");
    CHECK(exchange.output().find(R"("usage":{"input_tokens":77,)")
          != std::string::npos);
    (void) exchange.feed("data: [DONE]\n\n");
    REQUIRE(exchange.finish() == Exchange::Step::complete);
    // Not again at the end.
    CHECK(counted == 1);
}

TEST_CASE("what the provider has counted is not counted again") {
    counted = 0;
    auto usage = account_with_counter(
        R"(,"usage":{"prompt_tokens":5,"completion_tokens":1,)"
        R"("total_tokens":6})").usage;
    CHECK(counted == 0);
    CHECK(usage.prompt_tokens == 5);
    CHECK_FALSE(usage.estimated);
}
