// Answers of cached entries that are given again as they went out: the same
// bytes that reading and writing the entry would give, and never those of
// another entry or of another way to ask.
#include "catch.hpp"

#include <memory_resource>
#include <optional>
#include <string>

#include "llm/cache_entry.hpp"
#include "llm/cache_renditions.hpp"
#include "llm/exchange.hpp"

using namespace llm;
using cache::Renditions;

namespace {

constexpr cache::ZoneKey key = {1, 2, 3, 4, 5, 6, 7, 8, 9};
constexpr std::string_view question =
    R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})";
constexpr std::string_view streamed =
    R"({"model":"m","messages":[{"role":"user","content":"Hi"}],)"
    R"("stream":true})";

std::string entry_that_says(std::string_view text, std::string_view rest = {}) {
    return R"({"v":1,"stored":1700000000,"ttl":300,"model":"gpt-x",)"
           R"("question":"Hi",)"
           R"("usage":{"prompt_tokens":3,"completion_tokens":5,)"
           R"("total_tokens":8},"choices":[{"index":0,)"
           R"("finish_reason":"stop","parts":[{"type":"text","text":")"
           + std::string(text) + R"("}]}])" + std::string(rest) + "}";
}

// One client's call, and what the cache does for it.
struct Client {
    Client(const Format &format, std::string_view body, std::string_view unique,
           std::int64_t now = 1700000001)
        : exchange(format, body, {}, &memory) {
        REQUIRE(exchange.open());
        exchange.set_context(unique, now);
    }

    // From the entry itself.
    std::string ask(std::string_view value, Renditions *known = nullptr) {
        json::Document document(&memory);
        REQUIRE(document.parse(value));
        auto entry = cache::read_entry(document, &memory);
        REQUIRE(entry);
        entry->response.id = {};
        exchange.answer(entry->response);
        if (known) {
            known->offer(key, value, entry->head, exchange);
        }
        return exchange.output();
    }

    // From what went out before; nothing where that does not fit.
    std::optional<std::string> ask_again(std::string_view value,
                                         Renditions &known) {
        auto found = known.find(key, value, exchange.head().stream);
        if (!found || !exchange.answer(found->rendition)) {
            return std::nullopt;
        }
        return exchange.output();
    }

    std::pmr::monotonic_buffer_resource memory;
    Exchange exchange;
};

constexpr std::string_view first = "aaaaaaaaaaaaaaaaaaaaaaaa";
constexpr std::string_view second = "bbbbbbbbbbbbbbbbbbbbbbbb";

// Offers it often enough.
void teach(Renditions &known, const Format &format, std::string_view body,
           std::string_view value) {
    Client(format, body, first).ask(value, &known);
    Client(format, body, first).ask(value, &known);
}

}  // namespace

TEST_CASE("an answer that is given again has an id of its own") {
    std::string value = entry_that_says("Hello.");

    for (const Format *format : {&openai_format(), &anthropic_format()}) {
        for (std::string_view body : {question, streamed}) {
            CAPTURE(format->name(), body);
            std::string call(body);
            call.insert(1, R"("max_tokens":9,)");
            Renditions known(8, 4096);
            teach(known, *format, call, value);

            std::string fresh = Client(*format, call, second).ask(value);
            CHECK(fresh.find(second) != std::string::npos);
            Client client(*format, call, second);
            CHECK(client.ask_again(value, known) == fresh);

            CHECK(client.exchange.status() == 200);
            CHECK(client.exchange.streams() == (body == streamed));
            CHECK(client.exchange.content_type()
                  == (body == streamed ? "text/event-stream"
                                       : "application/json"));
            const Account &account = client.exchange.account();
            CHECK(account.usage.total_tokens == 8);
            CHECK(account.response_model == "gpt-x");
            CHECK(account.finish_reason == chat::FinishReason::stop);
            CHECK(account.complete);
        }
    }
}

TEST_CASE("calls and their ids are the same again") {
    std::string value =
        R"({"v":1,"stored":1,"ttl":1,"model":"m","choices":[{"index":0,)"
        R"("finish_reason":"tool_calls","parts":[{"type":"tool_call",)"
        R"("name":"f","arguments":"{}"},{"type":"tool_call","name":"g",)"
        R"("arguments":"{}"}]}]})";
    std::string call(streamed);
    call.insert(1, R"("max_tokens":9,)");

    Renditions known(8, 4096);
    teach(known, anthropic_format(), call, value);
    CHECK(Client(anthropic_format(), call, second).ask_again(value, known)
          == Client(anthropic_format(), call, second).ask(value));
}

TEST_CASE("what is known of an entry is when and to what it was said") {
    std::string value = entry_that_says("Hello.");
    Renditions known(1, 4096);
    teach(known, openai_format(), question, value);

    auto found = known.find(key, value, false);
    REQUIRE(found);
    CHECK(found->head.stored == 1700000000);
    CHECK(found->head.ttl == 300);
    CHECK(found->question == "Hi");
}

TEST_CASE("an entry that has changed is read anew") {
    Renditions known(8, 4096);
    teach(known, openai_format(), question, entry_that_says("Hello."));

    Client client(openai_format(), question, second);
    CHECK_FALSE(client.ask_again(entry_that_says("Hallo."), known));
    CHECK_FALSE(client.ask_again("", known));
}

TEST_CASE("the answer of one way to ask is not that of another") {
    std::string value = entry_that_says("Hello.");
    Renditions known(1, 4096);
    teach(known, openai_format(), question, value);

    auto again = [&](const Format &format, std::string_view body,
                     std::int64_t now = 1700000001) {
        return Client(format, body, second, now).ask_again(value, known)
               != std::nullopt;
    };
    CHECK(again(openai_format(), question));
    CHECK_FALSE(again(openai_format(), streamed));
    // "created" would be another one.
    CHECK_FALSE(again(openai_format(), question, 1700000002));
    CHECK_FALSE(again(anthropic_format(),
                      R"({"model":"m","max_tokens":1,)"
                      R"("messages":[{"role":"user","content":"Hi"}]})"));
    // The model's name, where the entry names none, is the client's.
    CHECK_FALSE(again(openai_format(),
                      R"({"model":"n","messages":[{"role":"user",)"
                      R"("content":"Hi"}]})"));
    constexpr std::string_view longer =
        R"({"model":"m","messages":[{"role":"user",)"
        R"("content":"Hello, who is there?"}]})";
    CHECK(again(openai_format(), longer));

    // So are the tokens of the prompt, where the entry does not tell them.
    std::string silent = value;
    auto usage = silent.find(R"("usage")");
    silent.erase(usage, silent.find(R"("choices")") - usage);
    Renditions unknown(1, 4096);
    teach(unknown, openai_format(), question, silent);
    CHECK(Client(openai_format(), question, second)
              .ask_again(silent, unknown));
    CHECK_FALSE(Client(openai_format(), longer, second)
                    .ask_again(silent, unknown));

    Renditions streams(1, 4096);
    teach(streams, openai_format(), streamed, value);
    std::string with_usage(streamed);
    with_usage.insert(1, R"("stream_options":{"include_usage":true},)");
    CHECK(Client(openai_format(), streamed, second).ask_again(value, streams));
    CHECK_FALSE(Client(openai_format(), with_usage, second)
                    .ask_again(value, streams));
}

TEST_CASE("what is asked for once takes no place") {
    std::string value = entry_that_says("Hello.");
    Renditions known(1, 4096);
    Client client(openai_format(), question, first);

    client.ask(value, &known);
    CHECK_FALSE(client.ask_again(value, known));
    client.ask(value, &known);
    CHECK(client.ask_again(value, known));

    // Others that come and go do not drive it out.
    cache::ZoneKey other = key;
    for (std::uint8_t i = 0; i < 10; ++i) {
        other[8] = static_cast<std::uint8_t>(100 + i);
        client.ask(value);
        known.offer(other, "another entry", {}, client.exchange);
        CHECK(client.ask_again(value, known));
    }
}

TEST_CASE("what has its place keeps it from one second to the next") {
    std::string value = entry_that_says("Hello.");
    Renditions known(1, 4096);
    teach(known, openai_format(), question, value);

    for (std::int64_t now = 1700000002; now < 1700000005; ++now) {
        Client client(openai_format(), question, first, now);
        CHECK_FALSE(client.ask_again(value, known));
        client.ask(value, &known);
        CHECK(client.ask_again(value, known));
    }
}

TEST_CASE("an answer that is too large is not kept") {
    std::string value = entry_that_says(std::string(600, 'x'));
    Renditions known(1, 1200);
    teach(known, openai_format(), question, value);
    CHECK_FALSE(Client(openai_format(), question, second)
                    .ask_again(value, known));
}
