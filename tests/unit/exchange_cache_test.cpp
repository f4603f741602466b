// An exchange as a cache uses it: it sees the provider's answer in whatever
// form it came, and the client's answer is made of one that was kept.
#include "catch.hpp"

#include <memory_resource>
#include <string>
#include <vector>

#include "llm/assemble.hpp"
#include "llm/cache_entry.hpp"
#include "llm/exchange.hpp"
#include "llm/format.hpp"

namespace {

using llm::Exchange;

// Notes what it sees, in words.
struct Notes final : llm::AnswerObserver {
    void on_begin() override { seen.push_back("begin"); }
    void on_response(const llm::chat::Response &response) override {
        seen.push_back("response " + llm::cache::answer_text(response));
        tokens = response.usage.total_tokens;
    }
    void on_event(const llm::chat::Event &event) override {
        using Type = llm::chat::Event::Type;
        switch (event.type) {
        case Type::text:
            seen.push_back("text " + std::string(event.text));
            break;
        case Type::error:
            seen.push_back("error");
            break;
        case Type::done:
            seen.push_back("done");
            break;
        default:
            break;
        }
    }

    std::vector<std::string> seen;
    std::int64_t tokens = 0;
};

using Seen = std::vector<std::string>;

std::string ask(bool stream) {
    return std::string(R"({"model":"m","max_tokens":50,"messages":[)"
                       R"({"role":"user","content":"Hello there"}])")
           + (stream ? R"(,"stream":true})" : "}");
}

// One call of a client, up to where the provider's answer is due.
struct Call {
    Call(const llm::Format &client, const llm::Format &provider, bool stream)
        : body(ask(stream)),
          exchange(client, body, {}, std::pmr::get_default_resource()) {
        REQUIRE(exchange.open());
        exchange.set_context("0123456789abcdef01234567", 1700000001);
        exchange.observe(&notes);
        llm::Target target;
        target.format = &provider;
        target.model = "p";
        REQUIRE(exchange.prepare(target));
    }

    Exchange::Step begin(const char *type, int status = 200) {
        llm::AnswerHead head;
        head.status = status;
        head.content_type = type;
        return exchange.begin(head);
    }

    std::string body;
    Notes notes;
    Exchange exchange;
};

const char *const whole =
    R"({"id":"c1","object":"chat.completion","created":1,"model":"g",)"
    R"("choices":[{"index":0,"message":{"role":"assistant",)"
    R"("content":"Good day"},"finish_reason":"stop"}],"usage":)"
    R"({"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})";

std::string chunk(const std::string &delta, const std::string &finish) {
    return R"(data: {"id":"c1","object":"chat.completion.chunk","created":1,)"
           R"("model":"g","choices":[{"index":0,"delta":)" + delta
           + R"(,"finish_reason":)" + finish + "}]}\n\n";
}

const std::string good = chunk(R"({"role":"assistant","content":"Good"})",
                               "null");
const std::string day = chunk(R"({"content":" day"})", "null")
                        + chunk("{}", R"("stop")") + "data: [DONE]\n\n";

const llm::Format *const clients[] = {&llm::openai_format(),
                                      &llm::anthropic_format()};

// An answer that was kept.
llm::chat::Response kept() {
    llm::chat::Part part;
    part.type = llm::chat::PartType::text;
    part.text = "Good day";
    auto memory = std::pmr::get_default_resource();
    llm::chat::Choice choice(memory);
    choice.message.parts.push_back(part);
    choice.finish_reason = llm::chat::FinishReason::stop;
    llm::chat::Response response(memory);
    response.model = "g";
    response.choices.push_back(choice);
    return response;
}

}  // namespace

TEST_CASE("An observer sees an answer in one piece, for every client") {
    for (auto client : clients) {
        for (bool stream : {false, true}) {
            Call call(*client, llm::openai_format(), stream);
            call.begin("application/json");
            call.exchange.feed(whole);
            CHECK(call.exchange.finish() == Exchange::Step::complete);
            CHECK(call.notes.seen == Seen{"begin", "response Good day\n"});
            CHECK(call.notes.tokens == 5);
        }
    }
}

TEST_CASE("An observer sees a stream event by event, relayed or translated") {
    for (auto client : clients) {
        Call call(*client, llm::openai_format(), true);
        call.begin("text/event-stream");
        call.exchange.feed(good);
        call.exchange.feed(day);
        CHECK(call.exchange.finish() == Exchange::Step::complete);
        CHECK(call.notes.seen
              == Seen{"begin", "text Good", "text  day", "done"});
    }
}

TEST_CASE("An observer hears that a stream broke off") {
    for (auto client : clients) {
        Call call(*client, llm::openai_format(), true);
        call.begin("text/event-stream");
        call.exchange.feed(good);

        SECTION(std::string(client->name()) + ": the connection broke") {
            llm::Error error;
            error.message = "gone";
            call.exchange.abort(error);
            CHECK(call.notes.seen == Seen{"begin", "text Good", "error"});
        }
        SECTION(std::string(client->name()) + ": it ended too soon") {
            call.exchange.finish();
            CHECK(call.notes.seen == Seen{"begin", "text Good", "error"});
        }
        SECTION(std::string(client->name()) + ": the provider said so") {
            call.exchange.feed("data: {\"error\":{\"message\":\"Oh\"}}\n\n");
            CHECK(call.notes.seen == Seen{"begin", "text Good", "error"});
        }
        SECTION(std::string(client->name()) + ": after it was whole") {
            call.exchange.feed(day);
            llm::Error error;
            error.message = "gone";
            call.exchange.abort(error);
            CHECK(call.notes.seen
                  == Seen{"begin", "text Good", "text  day", "done"});
        }
    }
}

TEST_CASE("An observer sees nothing of an answer that is an error") {
    Call call(llm::openai_format(), llm::openai_format(), false);
    call.begin("application/json", 500);
    call.exchange.feed("{}");
    CHECK(call.exchange.finish() == Exchange::Step::failed);
    CHECK(call.notes.seen == Seen{"begin"});
}

TEST_CASE("Each try begins anew for an observer") {
    Call call(llm::openai_format(), llm::openai_format(), false);
    call.begin("application/json", 500);
    CHECK(call.exchange.finish() == Exchange::Step::failed);
    call.begin("application/json");
    call.exchange.feed(whole);
    CHECK(call.exchange.finish() == Exchange::Step::complete);
    CHECK(call.notes.seen == Seen{"begin", "begin", "response Good day\n"});
}

TEST_CASE("An answer at hand is written in the client's format") {
    for (auto client : clients) {
        for (bool stream : {false, true}) {
            Call call(*client, llm::openai_format(), stream);
            auto response = kept();
            call.exchange.answer(response);

            CHECK(call.exchange.status() == 200);
            CHECK(call.exchange.streams() == stream);
            CHECK(call.exchange.content_type()
                  == (stream ? client->stream_type() : "application/json"));
            CHECK(call.exchange.account().complete);
            CHECK(call.exchange.account().response_model == "g");
            CHECK(call.exchange.output().find("Good day")
                  != std::string::npos);
            // An id that the response does not have is made up.
            CHECK(call.exchange.output().find("0123456789abcdef01234567")
                  != std::string::npos);
            // The cache's own answers are none of the provider's.
            CHECK(call.notes.seen.empty());
        }
    }
}

TEST_CASE("An answer without usage gets an estimate, and says so") {
    for (auto client : clients) {
        Call call(*client, llm::openai_format(), false);
        auto response = kept();
        call.exchange.answer(response);

        const auto &usage = call.exchange.account().usage;
        CHECK(usage.estimated);
        CHECK(usage.completion_tokens == 2);
        CHECK(usage.prompt_tokens > 0);
        CHECK(response.usage.completion_tokens == 2);
        CHECK(call.exchange.output().find("tokens\":2") != std::string::npos);
    }
}

TEST_CASE("An answer at hand takes the place of a failed try's") {
    Call call(llm::openai_format(), llm::openai_format(), true);
    call.begin("text/event-stream");
    call.exchange.feed("data: {\"error\":{\"message\":\"Oh\"}}\n\n");
    auto response = kept();
    call.exchange.answer(response);

    CHECK(call.exchange.error().message.empty());
    CHECK_FALSE(call.exchange.broken());
    CHECK(call.exchange.streams());
    CHECK(call.exchange.output().find("Oh") == std::string::npos);
    CHECK(call.exchange.output().ends_with("data: [DONE]\n\n"));
}

TEST_CASE("The text of an answer is all that it says and calls") {
    auto response = kept();
    auto &parts = response.choices[0].message.parts;
    llm::chat::Part reasoning;
    reasoning.type = llm::chat::PartType::reasoning;
    reasoning.text = "Let me think";
    parts.insert(parts.begin(), reasoning);
    llm::chat::Part tool;
    tool.type = llm::chat::PartType::tool_call;
    tool.id = "call_1";
    tool.name = "greet";
    tool.arguments = "{\"a\":1}";
    parts.push_back(tool);

    CHECK(llm::cache::answer_text(response)
          == "Good day\ngreet\n{\"a\":1}\n");
    CHECK(llm::cache::answer_text(
              llm::chat::Response(std::pmr::get_default_resource()))
              .empty());
}
