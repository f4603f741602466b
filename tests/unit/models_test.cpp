// One model of a list: which path names it, and what is told of it.
#include "catch.hpp"

#include <memory_resource>

#include "llm/exchange.hpp"
#include "llm/format.hpp"

using namespace llm;

namespace {

RouteMatch match(std::string_view path, ClientHints hints = {}) {
    return match_route(path, hints);
}

const ClientHints anthropic{.anthropic_version = true};
const ClientHints google{.google_key = true};
const ClientHints cohere{.cohere_sdk = true};

// What a client hears of a model that a provider lists in this body.
struct Asked {
    Asked(const Format &client, const Format &provider, std::string_view list,
          std::string_view model,
          std::function<bool(std::string_view)> shows = {})
        : exchange(client, {}, {}, &memory) {
        exchange.open_models(std::move(shows), model);
        exchange.set_context({}, 9);
        Target target;
        target.format = &provider;
        REQUIRE(exchange.prepare(target));
        AnswerHead head;
        head.status = 200;
        head.content_type = "application/json";
        exchange.begin(head);
        exchange.feed(list);
        step = exchange.finish();
    }

    std::pmr::monotonic_buffer_resource memory;
    Exchange exchange;
    Exchange::Step step;
};

constexpr std::string_view openais =
    R"({"object":"list","data":[{"id":"a"},{"id":"b","owned_by": "us","zork":1}]})";

}  // namespace

TEST_CASE("models: the path names one, in every client's API", "[models]") {
    struct {
        std::string_view path;
        ClientHints hints;
        const Format &format;
        std::string_view model;
    } rows[] = {
        {"/v1/models/gpt-4o", {}, openai_format(), "gpt-4o"},
        {"/v1/models/gpt-4o/", {}, openai_format(), "gpt-4o"},
        {"/v1/models/claude", anthropic, anthropic_format(), "claude"},
        {"/v1beta/models/gemini", {}, gemini_format(), "gemini"},
        {"/v1beta/models/gemini", google, gemini_format(), "gemini"},
        {"/v1/models/command", cohere, cohere_format(), "command"},
        {"/foundation-models/nova", {}, bedrock_format(), "nova"},
        {"/v1/models/llama3:8b", {}, openai_format(), "llama3:8b"},
        {"/v1/models/meta-llama/Llama-3", {}, openai_format(),
         "meta-llama/Llama-3"},
    };
    for (const auto &row : rows) {
        INFO(row.path);
        RouteMatch found = match(row.path, row.hints);
        CHECK(found.format == &row.format);
        CHECK(found.operation == Operation::model);
        CHECK(found.model == row.model);
    }
    CHECK(match("/v1/models").operation == Operation::models);
    CHECK(match("/v1/models/").operation == Operation::models);
    CHECK(match("/v1beta/models/m:generateContent").operation
          == Operation::chat);
    CHECK(match("/v1beta/models/m:embedContent").operation
          == Operation::embeddings);
}

TEST_CASE("models: a name, or a location, may hold what stands before names",
          "[models]") {
    CHECK(match("/v1/models/accounts/fireworks/models/llama").model
          == "accounts/fireworks/models/llama");
    CHECK(match("/models/v1beta/models/m:generateContent").model == "m");
    CHECK(match("/models/v1/models/m").model == "m");
    CHECK(match("/models/v1/models").operation == Operation::models);
    CHECK(match("/models/api/tags").format == &ollama_format());
    CHECK(match("/models/v1/messages").format == &anthropic_format());
    CHECK(match("/v1beta/models/accounts/f/models/m:generateContent").model
          == "accounts/f/models/m");
    CHECK(match("/v1/projects/p/locations/l/publishers/google/models/"
                "m:generateContent").model
          == "m");
}

TEST_CASE("models: what is told of one, by the list of another API",
          "[models]") {
    struct {
        const Format &client;
        std::string_view told;
    } rows[] = {
        {openai_format(), R"({"id":"b","owned_by": "us","zork":1})"},
        {anthropic_format(),
         R"({"type":"model","id":"b","display_name":"b","created_at":"1970-01-01T00:00:00Z"})"},
        {gemini_format(),
         R"({"name":"models/b","displayName":"b","supportedGenerationMethods":["generateContent","countTokens"]})"},
        {bedrock_format(),
         R"({"modelDetails":{"modelArn":"b","modelId":"b","modelName":"b"}})"},
        {cohere_format(), R"({"name":"b","endpoints":["chat"]})"},
    };
    for (const auto &row : rows) {
        Asked asked(row.client, openai_format(), openais, "b");
        CHECK(asked.step == Exchange::Step::complete);
        CHECK(asked.exchange.status() == 200);
        CHECK(asked.exchange.output() == row.told);
    }
    Asked own(bedrock_format(), bedrock_format(),
              R"({"modelSummaries":[{"modelId":"n","x":1}]})", "n");
    CHECK(own.exchange.output()
          == R"({"modelDetails":{"modelId":"n","x":1}})");
}

TEST_CASE("models: one that is not in the list does not exist", "[models]") {
    Asked unknown(openai_format(), openai_format(), openais, "c");
    CHECK(unknown.step == Exchange::Step::failed);
    CHECK(unknown.exchange.error().kind == ErrorKind::not_found);
    CHECK(unknown.exchange.error().code == "model_not_found");

    Asked hidden(openai_format(), openai_format(), openais, "b",
                 [](std::string_view name) { return name == "a"; });
    CHECK(hidden.step == Exchange::Step::failed);
    CHECK(hidden.exchange.error().kind == ErrorKind::not_found);

    Asked senseless(openai_format(), openai_format(), "{}", "b");
    CHECK(senseless.exchange.error().kind == ErrorKind::bad_gateway);
}
