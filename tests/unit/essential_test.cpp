#include "catch.hpp"

#include "llm/exchange.hpp"
#include "llm/format.hpp"

using namespace llm;

// A member without which the answer would be another one, and which only its
// own API has.
TEST_CASE("exchange: what only the client's API can say is refused elsewhere") {
    struct {
        const Format &client;
        std::string_view path, body, param;
    } rows[] = {
        {gemini_format(), "/models/m:generateContent",
         R"({"cachedContent":"cachedContents/1","contents":[{"role":"user","parts":[{"text":"q"}]}]})",
         "cachedContent"},
        {gemini_format(), "/models/m:generateContent",
         R"({"cached_content":"cachedContents/1","contents":[{"role":"user","parts":[{"text":"q"}]}]})",
         "cached_content"},
        {gemini_format(), "/models/m:generateContent",
         R"({"generationConfig":{"responseMimeType":"text/x.enum"},"contents":[{"role":"user","parts":[{"text":"q"}]}]})",
         "generationConfig.responseMimeType"},
        {anthropic_format(), "/v1/messages",
         R"({"model":"m","max_tokens":9,"mcp_servers":[{"type":"url","url":"https://mcp.example","name":"n"}],"messages":[{"role":"user","content":"q"}]})",
         "mcp_servers"},
        {bedrock_format(), "/model/m/converse",
         R"({"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"},"messages":[{"role":"user","content":[{"text":"q"}]}]})",
         "guardrailConfig"},
        {cohere_format(), "/v2/chat",
         R"({"model":"m","documents":["d"],"messages":[{"role":"user","content":"q"}]})",
         "documents"},
    };
    for (const auto &row : rows) {
        for (const Format *provider : formats()) {
            INFO(row.param << " towards " << provider->name());
            std::pmr::monotonic_buffer_resource memory;
            Exchange exchange(row.client, row.body, {}, &memory);
            REQUIRE(exchange.open(match_route(row.path, row.client)));

            auto outcome = exchange.prepare({provider, "m", false, {}});
            if (provider == &row.client) {
                CHECK(outcome);
                continue;
            }
            REQUIRE_FALSE(outcome);
            CHECK(outcome.error().param == row.param);
            CHECK(outcome.error().code == "unsupported_parameter");
            CHECK(exchange.prepare({provider, "m", true, {}}));
        }
    }
}

TEST_CASE("exchange: a member that says nothing is nothing to refuse") {
    std::string_view body =
        R"({"cachedContent":null,"contents":[{"role":"user","parts":[{"text":"q"}]}]})";
    std::pmr::monotonic_buffer_resource memory;
    Exchange exchange(gemini_format(), body, {}, &memory);
    REQUIRE(exchange.open(
        match_route("/models/m:generateContent", gemini_format())));
    CHECK(exchange.prepare({&ollama_format(), "m", false, {}}));
}
