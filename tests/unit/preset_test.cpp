#include <algorithm>
#include <set>

#include "catch.hpp"
#include "llm/provider.hpp"
#include "llm/url.hpp"

using namespace llm;

TEST_CASE("every preset can be used as it stands") {
    std::set<std::string_view> names;
    for (const auto &preset : presets()) {
        CAPTURE(std::string(preset.name));
        CHECK(names.insert(preset.name).second);
        CHECK(find_preset(preset.name) == &preset);
        CHECK(find_format(preset.format) != nullptr);

        for (std::string_view also = preset.also; !also.empty();) {
            auto name = also.substr(0, also.find(' '));
            also.remove_prefix(std::min(name.size() + 1, also.size()));
            CHECK(find_format(name) != nullptr);
            CHECK(name != preset.format);
        }

        if (preset.url.empty()) {
            continue;       // each customer has one
        }
        auto url = parse_base_url(preset.url);
        REQUIRE(url);
        // A server on the same machine has no certificate.
        CHECK((url->tls || url->host == "127.0.0.1"));
    }
}

TEST_CASE("presets know what their providers' APIs differ in") {
    const auto *openai = find_preset("openai");
    REQUIRE(openai);
    CHECK(openai->url == "https://api.openai.com/v1");
    CHECK(openai->format == "openai");
    CHECK(openai->quirks.max_completion_tokens);
    CHECK(openai->quirks.developer_role);

    const auto *anthropic = find_preset("anthropic");
    REQUIRE(anthropic);
    CHECK(anthropic->url == "https://api.anthropic.com");
    CHECK(anthropic->format == "anthropic");
    CHECK(anthropic->quirks.output_config);

    // What is asked in its own words stays in them; see presets.cpp.
    CHECK(openai->also == "responses");
    CHECK(find_preset("azure")->also == "responses");
    CHECK(find_preset("vllm")->also == "responses completions anthropic");
    CHECK(find_preset("mistral")->also.empty());

    CHECK_FALSE(find_preset("mistral")->quirks.stream_options);
    CHECK(find_preset("OpenAI") == nullptr);
    CHECK(find_preset("") == nullptr);
}

TEST_CASE("presets of the providers' own APIs") {
    CHECK(find_preset("cohere")->format == "cohere");
    const auto *ollama = find_preset("ollama");
    REQUIRE(ollama);
    CHECK(ollama->format == "ollama");
    CHECK(ollama->also == "ollama-generate");
}
