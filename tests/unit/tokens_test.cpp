#include <memory_resource>
#include <string>

#include "catch.hpp"
#include "files.hpp"
#include "llm/format.hpp"
#include "llm/tokens.hpp"

using namespace llm;
using tokens::Family;
using tokens::ImageSize;

namespace {

std::optional<tokens::Vocabulary> vocabulary(const std::string &bytes) {
    auto opened = tokens::Vocabulary::open(std::as_bytes(std::span(bytes)));
    REQUIRE(opened);
    return *opened;
}

tokens::PromptCounter &counter() {
    static const std::string o200k =
        testing::read_file("data/o200k_base.llmb");
    static const std::string cl100k =
        testing::read_file("data/cl100k_base.llmb");
    static tokens::PromptCounter made(vocabulary(o200k), vocabulary(cl100k));
    return made;
}

// A request of messages with one part each.
class Prompt {
public:
    Prompt &add(chat::Role role, chat::Part part,
                std::string_view name = {}) {
        chat::Message message(&memory_);
        message.role = role;
        message.name = name;
        message.parts.push_back(part);
        request_.messages.push_back(std::move(message));
        return *this;
    }
    Prompt &text(std::string_view text, std::string_view name = {},
                 chat::Role role = chat::Role::user) {
        chat::Part part;
        part.text = text;
        return add(role, part, name);
    }
    Prompt &tool(std::string_view name, std::string_view description,
                 std::string_view schema) {
        REQUIRE(schema_.parse(schema));
        chat::Tool tool;
        tool.name = name;
        tool.description = description;
        tool.parameters = schema_.root();
        request_.tools.push_back(tool);
        return *this;
    }

    tokens::PromptTokens count(
        std::string_view model,
        std::size_t limit = tokens::PromptCounter::default_limit) {
        return counter().count(request_, model, limit);
    }

private:
    std::pmr::monotonic_buffer_resource memory_;
    json::Document schema_;
    chat::Request request_{&memory_};
};

bool is(std::optional<ImageSize> size, std::int64_t width,
        std::int64_t height) {
    return size && size->width == width && size->height == height;
}

std::string bytes(std::initializer_list<int> values) {
    std::string out;
    for (int value : values) {
        out += static_cast<char>(value);
    }
    return out;
}

}  // namespace

TEST_CASE("a model's name tells its family", "[tokens]") {
    const std::pair<const char *, Family> names[] = {
        {"gpt-4o-mini", Family::o200k},
        {"openai/GPT-4.1", Family::o200k},
        {"gpt-5-nano-2025-08-07", Family::o200k},
        {"o3", Family::o200k},
        {"ft:gpt-4o-mini-2024-07-18:acme::x", Family::o200k},
        {"gpt-4", Family::cl100k},
        {"gpt-4-turbo", Family::cl100k},
        {"gpt-3.5-turbo", Family::cl100k},
        {"anthropic.claude-sonnet-4-5-v1:0", Family::claude},
        {"gemini-2.5-pro", Family::gemini},
        {"meta-llama/Llama-3.3-70B-Instruct", Family::llama},
        {"mistral-large-latest", Family::mistral},
        {"Qwen/Qwen2.5-72B", Family::qwen},
        {"deepseek-chat", Family::deepseek},
        {"DeepSeek-R1-Distill-Llama-70B", Family::llama},
        {"grok-4", Family::other},
        {"", Family::other},
    };
    for (const auto &[name, family] : names) {
        INFO(name);
        CHECK(tokens::to_string(tokens::family_of(name)) ==
              tokens::to_string(family));
    }
}

// The cookbook's own example, with the counts that OpenAI's API returned.
TEST_CASE("messages cost what OpenAI's cookbook says", "[tokens]") {
    using enum chat::Role;
    Prompt prompt;
    prompt
        .text("You are a helpful, pattern-following assistant that translates "
              "corporate jargon into plain English.", {}, system)
        .text("New synergies will help drive top-line growth.",
              "example_user", system)
        .text("Things working well together will increase revenue.",
              "example_assistant", system)
        .text("Let's circle back when we have more bandwidth to touch base on "
              "opportunities for increased leverage.", "example_user", system)
        .text("Let's talk later when we're less busy about how to do better.",
              "example_assistant", system)
        .text("This late pivot means we don't have time to boil the ocean for "
              "the client deliverable.");
    CHECK(prompt.count("gpt-4").tokens == 129);
    CHECK(prompt.count("gpt-4").exact);
    CHECK(prompt.count("gpt-4o").tokens == 124);
    CHECK(prompt.count("gpt-4o").exact);
}

TEST_CASE("tools cost what OpenAI's cookbook says", "[tokens]") {
    Prompt prompt;
    prompt
        .text("You are a helpful assistant that can answer to questions about "
              "the weather.", {}, chat::Role::system)
        .text("What's the weather like in San Francisco?")
        .tool("get_current_weather",
              "Get the current weather in a given location",
              R"({"type": "object", "properties": {
                  "location": {"type": "string", "description":
                      "The city and state, e.g. San Francisco, CA"},
                  "unit": {"type": "string", "description":
                      "The unit of temperature to return",
                      "enum": ["celsius", "fahrenheit"]}},
                  "required": ["location"]})");
    CHECK(prompt.count("gpt-4").tokens == 105);
    CHECK(prompt.count("gpt-4o").tokens == 101);
    CHECK_FALSE(prompt.count("gpt-4o").exact);
}

TEST_CASE("text beyond the limit is estimated", "[tokens]") {
    std::string text;
    for (int i = 0; i < 2000; i++) {
        text += "The quick brown fox jumps over the lazy dog. ";
    }
    Prompt prompt;
    prompt.text(text);
    auto whole = prompt.count("gpt-4o");
    auto part = prompt.count("gpt-4o", 1000);
    CHECK(whole.exact);
    CHECK_FALSE(part.exact);
    CHECK(part.tokens > whole.tokens * 8 / 10);
    CHECK(part.tokens < whole.tokens * 12 / 10);
}

TEST_CASE("what is estimated of a prompt is told", "[tokens]") {
    Prompt prompt;
    prompt.text("The quick brown fox jumps over the lazy dog.");
    CHECK(prompt.count("gpt-4o").estimated == 0);
    auto claude = prompt.count("claude-sonnet-4-5");
    CHECK(claude.estimated > 5);
    // What messages add is a rule's, not an estimate.
    CHECK(claude.estimated < claude.tokens);
}

TEST_CASE("a body of text has at most a token for each of its bytes",
          "[tokens]") {
    auto bound = [](std::string_view text) {
        json::Document body;
        REQUIRE(body.parse(text));
        return tokens::prompt_bound(body.root());
    };
    for (std::string_view text : {
             // OpenAI, Anthropic, Gemini
             R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})",
             R"({"messages":[{"role":"user","name":"a","content":
                 [{"type":"text","text":"Hi"}]}],"n":3,"stop":["x"]})",
             R"({"messages":[{"role":"assistant","content":null,"tool_calls":
                 [{"id":"c","type":"function","function":{"name":"f",
                   "arguments":"{}"}}]},
                 {"role":"tool","tool_call_id":"c","content":"4"}],
                 "tools":[{"type":"function","function":{"name":"f",
                   "parameters":{"type":"object","properties":{
                     "image":{"type":"string"}}}}}]})",
             R"({"system":[{"type":"text","text":"Be kind","cache_control":
                 {"type":"ephemeral"}}],"messages":[{"role":"user","content":
                 [{"type":"tool_result","tool_use_id":"t","content":
                   [{"type":"text","text":"4"}]}]}]})",
             R"({"contents":[{"role":"user","parts":[{"text":"Hi"}]}]})",
             R"({"input":"Hi"})",
             R"({"input":"Hi","previous_response_id":null,"prompt":null})",
             R"({"prompt":"Hi","suffix":"!","images":null})",
             R"({"prompt":[[1,22],[333]]})",
             R"({"content":{"parts":[{"text":"Hi"}]}})",
         })
    {
        INFO(text);
        CHECK(bound(text) == static_cast<std::int64_t>(text.size()));
    }
}

TEST_CASE("what is not text has no bound", "[tokens]") {
    for (std::string_view text : {
             R"({"messages":[{"role":"user","content":[{"type":"image_url",
                 "image_url":{"url":"http://a/b.png"}}]}]})",
             // However it is written.
             R"({"messages":[{"role":"user","content":[{"type":"im\u0061ge",
                 "source":{"type":"url","url":"http://a/b.png"}}]}]})",
             R"({"messages":[{"role":"user","content":[{"type":"tool_result",
                 "tool_use_id":"t","content":[{"type":"image"}]}]}]})",
             R"({"system":[{"type":"document"}],"messages":[]})",
             R"({"contents":[{"parts":[{"fileData":{"fileUri":"f"}}]}]})",
             R"({"input":[{"type":"item_reference","id":"i"}]})",
             R"({"messages":[{"role":"user","content":"Hi","audio":{}}]})",
             // Beside the text
             R"({"prompt":"Hi","images":["AAAA"]})",
             R"({"inputs":[{"content":[{"type":"image_url"}]}]})",
             R"({"content":{"parts":[{"inlineData":{"data":"AAAA"}}]}})",
             // Elsewhere
             R"({"input":"Hi","previous_response_id":"resp_1"})",
             R"({"input":"Hi","conversation":"conv_1"})",
             R"({"prompt":{"id":"pmpt_1"}})",
             R"({"contents":[],"cachedContent":"cachedContents/c"})",
             R"({"promptVariables":{"a":{"text":"Hi"}}})",
         })
    {
        INFO(text);
        json::Document body;
        REQUIRE(body.parse(text));
        CHECK_FALSE(tokens::prompt_bound(body.root()));
    }
}

TEST_CASE("no text has more tokens than its bound", "[tokens]") {
    std::string hardest;
    for (int i = 0; i < 3000; ++i) {
        hardest += static_cast<char>('!' + i * 7919 % 90);
    }
    for (std::string text : {std::string("a"), hardest,
                             std::string("\xF0\x9F\x9C\x81\xF0\x92\x80\xB1")})
    {
        std::string body;
        json::Writer(body).begin_object().member("content", text);
        Prompt prompt;
        prompt.text(text);
        // As much as OpenAI's format has around the shortest message.
        auto around = std::string_view(R"({"messages":[{"role":"user",}]})");
        for (auto model : {"gpt-4o", "gpt-4"}) {
            CHECK(prompt.count(model).tokens
                  <= static_cast<std::int64_t>(body.size() + around.size()));
        }
    }
}

TEST_CASE("text beyond the limit is no easier than what was counted",
          "[tokens]") {
    std::string text;
    for (unsigned i = 0, state = 1; i < 200'000; i++) {
        state = state * 1664525 + 1013904223;
        text += static_cast<char>('a' + (state >> 8) % 26);
    }
    Prompt prompt;
    prompt.text(text);
    auto whole = prompt.count("gpt-4o");
    auto part = prompt.count("gpt-4o", 200'000);
    CHECK(part.estimated > whole.tokens / 2);
    CHECK(part.tokens > whole.tokens * 9 / 10);
    CHECK(part.tokens < whole.tokens * 11 / 10);
}

TEST_CASE("without a vocabulary its family is estimated", "[tokens]") {
    std::pmr::monotonic_buffer_resource memory;
    chat::Request request(&memory);
    tokens::PromptCounter none(std::nullopt, std::nullopt);
    auto count = none.count(request, "gpt-4o");
    CHECK(count.tokens == 3);
    CHECK_FALSE(count.exact);
}

TEST_CASE("estimates are near in every script", "[tokens]") {
    for (std::string_view text :
         {"The committee will meet again on Thursday to discuss how the new "
          "rules for small companies should be applied.",
          "Der Ausschuss wird am Donnerstag erneut zusammentreten, um über "
          "die neuen Regeln für kleine Unternehmen zu beraten.",
          "Комитет снова соберётся в четверг, чтобы обсудить новые правила "
          "для небольших компаний.",
          "委员会将于星期四再次开会，讨论如何将新规定应用于小型企业。",
          "委員会は木曜日に再び会合を開き、小企業に対する新しい規則について議論します。"}) {
        INFO(text);
        std::pmr::monotonic_buffer_resource memory;
        chat::Request request(&memory);
        chat::Message message(&memory);
        chat::Part part;
        part.text = text;
        message.parts.push_back(part);
        request.messages.push_back(message);
        auto real = counter().count(request, "gpt-4o").tokens - 7;
        auto guess = tokens::estimate_tokens(text, Family::o200k);
        CHECK(guess > real * 7 / 10);
        CHECK(guess < real * 13 / 10);
    }
    CHECK(tokens::estimate_tokens("", Family::claude) == 0);
    CHECK(tokens::estimate_tokens(".", Family::claude) == 1);
    CHECK(tokens::estimate_tokens(std::string(16000, ' '), Family::qwen) > 900);
    CHECK(tokens::estimate_tokens("\xFF\xE4", Family::other) >= 1);
}

TEST_CASE("a text in pieces is estimated as if it were whole", "[tokens]") {
    const std::string text =
        "Counting 1234567 words, \n\n  some CAPITALS \t\tand "
        "\xD0\x9F\xD1\x80\xD0\xB8 \xE6\xB2\xB3\xE6\xB5\x81 \xF0\x9F\x9A\x80!                    ";
    for (auto family : {Family::o200k, Family::claude, Family::other}) {
        auto whole = tokens::estimate_tokens(text, family);
        // Cut where a character begins, as decoded JSON is.
        for (std::size_t cut = 0; cut < text.size(); ++cut) {
            if ((text[cut] & 0xC0) == 0x80) {
                continue;
            }
            tokens::TextEstimate estimate;
            estimate.add(std::string_view(text).substr(0, cut));
            estimate.add({});
            estimate.add(std::string_view(text).substr(cut));
            REQUIRE(estimate.tokens(family) == whole);
        }
        CHECK(tokens::TextEstimate().tokens(family) == 0);
    }
}

TEST_CASE("images have their size in their header", "[tokens]") {
    std::string png = "\x89PNG\r\n\x1a\n" +
                      bytes({0, 0, 0, 13, 'I', 'H', 'D', 'R', 0, 0, 4, 0, 0,
                             0, 3, 0});
    CHECK(is(tokens::image_size(png), 1024, 768));
    CHECK(is(tokens::image_size("GIF89a" + bytes({0x40, 1, 0xF0, 0})), 320,
             240));
    // EXIF stands before the frame.
    std::string jpeg = bytes({0xFF, 0xD8, 0xFF, 0xE1, 0, 4, 9, 9, 0xFF, 0xC2,
                              0, 17, 8, 0x02, 0x58, 0x03, 0x20, 3});
    CHECK(is(tokens::image_size(jpeg), 800, 600));
    CHECK(is(tokens::image_size(
                 "RIFF" + bytes({0, 0, 0, 0}) + "WEBPVP8X" +
                 bytes({10, 0, 0, 0, 0, 0, 0, 0, 0xFF, 3, 0, 0xFF, 1, 0})),
             1024, 512));
    CHECK(is(tokens::image_size("RIFF" + bytes({0, 0, 0, 0}) + "WEBPVP8L" +
                                bytes({0, 0, 0, 0, 0x2F, 0x63, 0xC0, 0x18,
                                       0})),
             100, 100));
    CHECK(is(tokens::image_size(
                 "RIFF" + bytes({0, 0, 0, 0}) + "WEBPVP8 " +
                 bytes({0, 0, 0, 0, 0, 0, 0, 0x9D, 1, 0x2A, 100, 0, 50, 0})),
             100, 50));
    for (std::size_t size = 0; size < png.size(); size++) {
        CHECK_FALSE(tokens::image_size(png.substr(0, size)));
    }
    CHECK_FALSE(tokens::image_size("BM"));
    CHECK_FALSE(tokens::image_size(std::string(40, '\xFF')));
}

// Examples of the providers' own guides, and measured usage.
TEST_CASE("images cost what their providers say", "[tokens]") {
    auto cost = [](std::string_view model, std::int64_t width,
                   std::int64_t height, std::string_view detail = "high") {
        return tokens::image_tokens(model, ImageSize{width, height}, detail);
    };
    CHECK(cost("gpt-4o", 1024, 1024) == 765);
    CHECK(cost("gpt-4o", 2048, 4096) == 1105);
    CHECK(cost("gpt-4o", 4096, 8192, "low") == 85);
    CHECK(cost("gpt-4o-mini", 128, 64) == 8500);
    CHECK(cost("o3", 128, 64) == 225);
    CHECK(cost("gpt-4.1-mini", 1024, 1024) == 1659);    // 1024 patches
    CHECK(cost("gpt-4.1-mini", 1800, 2400) == 2353);    // 1452 patches
    CHECK(cost("gpt-5.5", 1024, 1024) == 1229);
    CHECK(cost("claude-sonnet-4-5", 1000, 1000) == 1334);
    CHECK(cost("claude-sonnet-4-5", 8000, 8000) == 1600);
    CHECK(cost("gemini-2.5-flash", 384, 384) == 258);
    CHECK(cost("gemini-2.5-flash", 1000, 1000) == 4 * 258);
    CHECK(tokens::image_tokens("gpt-4o", std::nullopt, "auto") ==
          85 + 8 * 170);
    CHECK(tokens::image_tokens("claude-3-haiku", std::nullopt, "") == 1600);
}

TEST_CASE("an image in a prompt is counted by its size", "[tokens]") {
    Prompt prompt;
    chat::Part image;
    image.type = chat::PartType::image;
    image.media_type = "image/png";
    image.data = "iVBORw0KGgoAAAANSUhEUgAAAgAAAAIACAIAAAA=";   // 512 x 512
    image.detail = "high";
    prompt.add(chat::Role::user, image);
    auto count = prompt.count("gpt-4o");
    CHECK(count.tokens == 3 + 1 + 85 + 170 + 3);
    CHECK_FALSE(count.exact);
}
