#include <string>

#include "catch.hpp"
#include "files.hpp"
#include "llm/price.hpp"

using namespace llm;
using price::Price;
using price::Table;

namespace {

Table parse(std::string_view json) {
    auto table = Table::parse(json);
    INFO((table ? "" : table.error().message));
    REQUIRE(table);
    return std::move(*table);
}

std::string table_of(const std::string &members) {
    return R"({"currency": "USD", "prices": [{"provider": "p", )"
           R"("models": ["m"], )" + members + "}]}";
}

// The price of one model with these members.
Price price_of(const std::string &members) {
    auto table = parse(table_of(members));
    const Price *price = table.find("p", "m");
    REQUIRE(price);
    return *price;
}

std::string message(std::string_view json) {
    auto table = Table::parse(json);
    return table ? "" : table.error().message;
}

std::string dollars(std::int64_t nanodollars) {
    std::string out;
    price::append_dollars(out, nanodollars);
    return out;
}

}  // namespace

TEST_CASE("a call costs its tokens times their prices", "[price]") {
    auto price = price_of(R"("input": 2.5, "output": 10)");
    chat::Usage usage{.prompt_tokens = 1000, .completion_tokens = 200};
    CHECK(price::cost(price, usage) == 2'500'000 + 2'000'000);
    CHECK(price::cost(price, {}) == 0);
}

TEST_CASE("each token is charged once, as what it is", "[price]") {
    auto price = price_of(
        R"("input": 1, "cached_input": 0.1, "cache_write": 1.25,
           "audio_input": 3, "output": 10, "reasoning": 20,
           "audio_output": 30, "image": 0.002)");
    chat::Usage usage{.prompt_tokens = 1000, .completion_tokens = 100,
                      .cached_tokens = 500, .cache_write_tokens = 200,
                      .reasoning_tokens = 40, .audio_prompt_tokens = 100,
                      .audio_completion_tokens = 10};
    CHECK(price::cost(price, usage) == 200 * 1000 + 500 * 100 + 200 * 1250 +
                                           100 * 3000 + 50 * 10000 +
                                           40 * 20000 + 10 * 30000);
    CHECK(price::cost(price, {}, 3) == 6'000'000);
}

TEST_CASE("what has no price costs what it is part of", "[price]") {
    auto price = price_of(R"("input": 1, "output": 2)");
    chat::Usage usage{.prompt_tokens = 10, .completion_tokens = 10,
                      .cached_tokens = 4, .cache_write_tokens = 3,
                      .reasoning_tokens = 5, .audio_prompt_tokens = 3,
                      .audio_completion_tokens = 5};
    CHECK(price::cost(price, usage) == 10 * 1000 + 10 * 2000);
}

TEST_CASE("above a tier the whole call costs more", "[price]") {
    auto price = price_of(
        R"("input": 1, "cached_input": 0.5, "output": 2, "tiers":
           [{"above": 100, "input": 2}, {"above": 1000, "output": 8}])");
    auto cost = [&](std::int64_t prompt) {
        return price::cost(price, {.prompt_tokens = prompt,
                                   .completion_tokens = 1,
                                   .cached_tokens = 10});
    };
    CHECK(cost(100) == 90 * 1000 + 10 * 500 + 2000);
    CHECK(cost(101) == 91 * 2000 + 10 * 500 + 2000);
    CHECK(cost(1001) == 991 * 2000 + 10 * 500 + 8000);
}

TEST_CASE("above a tier, too, what has no price costs what it is part of",
          "[price]") {
    auto price = price_of(
        R"("input": 1, "output": 2, "reasoning": 3, "tiers":
           [{"above": 100, "input": 4, "output": 5},
            {"above": 1000, "output": 6, "cached_input": 7}])");
    auto cost = [&](std::int64_t prompt) {
        return price::cost(price, {.prompt_tokens = prompt,
                                   .completion_tokens = 10,
                                   .cached_tokens = 10,
                                   .cache_write_tokens = 10,
                                   .reasoning_tokens = 1,
                                   .audio_completion_tokens = 2});
    };
    CHECK(cost(100) == 100 * 1000 + 9 * 2000 + 3000);
    CHECK(cost(101) == 101 * 4000 + 9 * 5000 + 3000);
    CHECK(cost(1001) == 991 * 4000 + 10 * 7000 + 9 * 6000 + 3000);
}

TEST_CASE("usage that makes no sense costs no more than it can", "[price]") {
    auto price = price_of(R"("input": 1, "cached_input": 0, "output": 1)");
    CHECK(price::cost(price, {.prompt_tokens = -5,
                              .completion_tokens = -1}) == 0);
    CHECK(price::cost(price, {.prompt_tokens = 10,
                              .cached_tokens = 1000}) == 0);
    CHECK(price::cost(price, {.prompt_tokens = INT64_MAX,
                              .completion_tokens = INT64_MAX}) == INT64_MAX);
}

TEST_CASE("six decimals of a price are exact", "[price]") {
    auto price = price_of(R"("input": 0.000001, "output": 1000000)");
    CHECK(price::cost(price, {.prompt_tokens = 1'000'000'000}) == 1'000'000);
    CHECK(price::cost(price, {.prompt_tokens = 499}) == 0);
    CHECK(price::cost(price, {.prompt_tokens = 500}) == 1);
    CHECK(price::cost(price, {.completion_tokens = 3}) == 3 * price::nano);
}

TEST_CASE("dollars have six decimals", "[price]") {
    CHECK(dollars(0) == "0.000000");
    CHECK(dollars(12'345'678'499) == "12.345678");
    CHECK(dollars(12'345'678'500) == "12.345679");
    CHECK(dollars(999) == "0.000001");
    CHECK(dollars(-1'500'000) == "-0.001500");
    CHECK(dollars(INT64_MAX) == "9223372036.854776");
}

TEST_CASE("names go before patterns, long ones before short ones",
          "[price]") {
    auto table = parse(R"({"prices": [
        {"provider": "*", "models": ["*"], "input": 1, "output": 0},
        {"provider": "p", "models": ["gpt-*"], "input": 2, "output": 0},
        {"provider": "p", "models": ["gpt-4*"], "input": 3, "output": 0},
        {"provider": "p", "models": ["gpt-4"], "input": 4, "output": 0},
        {"provider": "q", "models": ["x"], "input": 5, "output": 0}]})");
    auto input = [&](std::string_view provider, std::string_view model) {
        const Price *price = table.find(provider, model);
        return price ? price->tiers.front().rates[0] / 1'000'000 : 0;
    };
    CHECK(input("p", "gpt-4") == 4);
    CHECK(input("p", "gpt-4o") == 3);
    CHECK(input("p", "gpt-5") == 2);
    CHECK(input("p", "claude") == 1);
    CHECK(input("p", "x") == 1);
    CHECK(input("q", "x") == 5);
    CHECK(input("p", std::string(100000, 'g')) == 1);
}

TEST_CASE("an unknown model has no price", "[price]") {
    auto table = parse(table_of(R"("input": 1, "output": 1)"));
    CHECK(table.find("p", "n") == nullptr);
    CHECK(table.find("q", "m") == nullptr);
    CHECK(table.find("", "") == nullptr);
}

TEST_CASE("a mistake in the price file is named", "[price]") {
    auto member = [](const std::string &members) {
        return message(table_of(members));
    };
    CHECK(message("[]") == "the price file must hold an object");
    CHECK(message("{") .starts_with("the price file is not JSON: "));
    CHECK(message("{}") == "prices must be an array");
    CHECK(message(R"({"prices": [], "x": 1})") == "x is unknown");
    CHECK(message(R"({"prices": [], "currency": "EUR"})") ==
          "currency must be \"USD\"");
    CHECK(message(R"({"prices": [1]})") == "prices[0] must be an object");
    CHECK(message(R"({"prices": [{"models": ["m"], "input": 1,
          "output": 1}]})") == "prices[0] needs the member \"provider\"");
    CHECK(message(R"({"prices": [{"provider": "p", "models": ["a*b"],
          "input": 1, "output": 1}]})") ==
          "prices[0].models[0] must be a name, with a * only at its end");
    CHECK(member(R"("input": 1)") == "prices[0] needs the member \"output\"");
    CHECK(member(R"("input": 1, "output": 1, "inptu": 2)") ==
          "prices[0].inptu is unknown");
    CHECK(member(R"("input": 1, "output": 1, "date": "May")") ==
          "prices[0].date must look like 2026-12-31");
    CHECK(member(R"("input": 1, "output": 1, "source": 5)") ==
          "prices[0].source must be a string that is not empty");
    CHECK(member(R"("input": 1, "output": 1, "tiers": [{"input": 1}])") ==
          "prices[0].tiers[0] needs the member \"above\"");
    CHECK(member(R"("input": 1, "output": 1, "tiers": [{"above": 5},
          {"above": 5}])") == "prices[0].tiers[1].above must be an integer, "
                              "more than in the tier before it");
    CHECK(message(R"({"prices": [
        {"provider": "p", "models": ["a*"], "input": 1, "output": 1},
        {"provider": "p", "models": ["a*"], "input": 1, "output": 1}]})") ==
          "prices[1] has a second price for the model \"a*\" of provider "
          "\"p\"");
    for (const char *number : {"-1", "1e3", "0.0000001", "1000001",
                               "1000000.000001", "\"1\"", "null"}) {
        CHECK(member(R"("output": 1, "input": )" + std::string(number)) ==
              "prices[0].input must be a number from 0 to 1000000 with at "
              "most six decimals");
    }
    CHECK(member(R"("output": 1, "input": 1000000.0000000)") == "");
}

TEST_CASE("the shipped table", "[price]") {
    auto table = parse(testing::read_file("data/prices.json"));
    const Price *gpt = table.find("openai", "gpt-4o");
    REQUIRE(gpt);
    CHECK(price::cost(*gpt, {.prompt_tokens = 1'000'000}) ==
          2 * price::nano + price::nano / 2);
    const Price *gemini = table.find("gemini", "gemini-2.5-pro");
    REQUIRE(gemini);
    CHECK(gemini->tiers.size() == 2);
    for (const auto &[provider, model] :
         {std::pair{"anthropic", "claude-sonnet-4-5"},
          {"mistral", "mistral-large-latest"},
          {"cohere", "command-r7b-12-2024"},
          {"deepseek", "deepseek-v4-pro"}, {"xai", "grok-4.5"},
          {"groq", "openai/gpt-oss-120b"},
          {"bedrock", "amazon.nova-pro-v1:0"},
          {"bedrock-anthropic", "anthropic.claude-sonnet-4-6"},
          {"vertex", "gemini-2.5-pro"},
          {"vertex-anthropic", "claude-sonnet-4-6"},
          {"azure", "gpt-4.1"}, {"cerebras", "gpt-oss-120b"}}) {
        INFO(provider);
        const Price *price = table.find(provider, model);
        REQUIRE(price);
        CHECK(price->source.starts_with("https://"));
        CHECK(price->date.size() == 10);
    }
}
