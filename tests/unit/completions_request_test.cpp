// OpenAI's legacy completions: requests.
#include <string>

#include "catch.hpp"
#include "exchange.hpp"
#include "llm/format.hpp"

using namespace llm;
using testing::translate_request;

namespace {

std::string with_prompt(std::string_view prompt, std::string_view more = "") {
    return R"({"model":"m","prompt":)" + std::string(prompt)
           + std::string(more) + "}";
}

std::string to_openai(std::string_view body) {
    WriteOptions options;
    options.model = "m";
    return translate_request(completions_format(), openai_format(), body,
                             options);
}

std::string from_openai(std::string_view messages, std::string_view more = "",
                        std::string_view prompt_template = "",
                        bool drop = false) {
    WriteOptions options;
    options.model = "m";
    options.quirks.prompt_template = prompt_template;
    options.drop_unsupported = drop;
    return translate_request(openai_format(), completions_format(),
                             R"({"model":"m","messages":)"
                                 + std::string(messages) + std::string(more)
                                 + "}",
                             options);
}

const std::string hi = R"([{"role":"user","content":"Hi"}])";

}  // namespace

TEST_CASE("completions: the path, which chat completions' is not") {
    CHECK(match_route("/v1/completions", ClientHints{}).format
          == &completions_format());
    CHECK(match_route("/v1/chat/completions", ClientHints{}).format
          == &openai_format());
    CallPath call;
    call.model = "a/b";
    CHECK(completions_format().path(call) == "/completions");
    call.quirks.hosting = Hosting::azure_deployments;
    call.quirks.api_version = "2024-10-21";
    CHECK(completions_format().path(call)
          == "/deployments/a%2Fb/completions?api-version=2024-10-21");
}

TEST_CASE("completions: a prompt is what the user says") {
    // Sixteen tokens where nothing is said, as the API has it.
    std::string expected =
        R"({"model":"m","messages":[{"role":"user","content":"Once"}],"max_tokens":16})";
    CHECK(to_openai(with_prompt("\"Once\"")) == expected);
    CHECK(to_openai(with_prompt(R"(["Once"])")) == expected);
    CHECK(to_openai(with_prompt("\"Once\"", R"(,"suffix":null,"echo":false,"best_of":1,"logprobs":null,"n":null)"))
          == expected);
}

TEST_CASE("completions: settings") {
    CHECK(to_openai(with_prompt("\"Once\"",
        R"(,"max_tokens":5,"temperature":0.50,"top_p":1,"n":2,"stop":["a","b"],"frequency_penalty":1,"presence_penalty":-1,)"
        R"("seed":7,"logit_bias":{"5":1},"user":"u","stream":true,"stream_options":{"include_usage":true},"zork":1)"))
          == R"({"model":"m","messages":[{"role":"user","content":"Once"}],"max_tokens":5,"stop":["a","b"],"temperature":0.50,"top_p":1,)"
             R"("frequency_penalty":1,"presence_penalty":-1,"seed":7,"logit_bias":{"5":1},"n":2,"user":"u","stream":true,"stream_options":{"include_usage":true}})");
}

TEST_CASE("completions: what no chat model can serve is refused by its name") {
    for (auto [body, message] : {
             std::pair{R"("prompt":[1,2])", "prompt: a prompt of tokens"},
             {R"("prompt":[[1,2]])", "prompt: a prompt of tokens"},
             {R"("prompt":[[1],[2]])", "prompt: a prompt of tokens"},
             {R"("prompt":["a","b"])", "prompt: a list of several prompts"},
             {R"("prompt":"a","suffix":"z")", "suffix: suffix"},
             {R"("prompt":"a","echo":true)", "echo: echo"},
             {R"("prompt":"a","best_of":2)", "best_of: best_of"},
             {R"("prompt":"a","logprobs":0)", "logprobs: logprobs"},
         }) {
        CHECK(to_openai(std::string(R"({"model":"m",)") + body + "}")
              == std::string(message)
                     + " can only be sent to a provider that speaks the "
                       "completions API");
    }
}

TEST_CASE("completions: requests that make no sense") {
    CHECK(to_openai(R"({"model":"m"})") == "prompt: prompt is missing");
    CHECK(to_openai(R"({"prompt":"a"})") == "model: model is missing");
    CHECK(to_openai(with_prompt("[]")) == "prompt: prompt must not be empty");
    CHECK(to_openai(with_prompt("true")) == "prompt: prompt must be a string");
    CHECK(to_openai(with_prompt("\"a\"", R"(,"max_tokens":0)"))
          == "max_tokens: max_tokens must be an integer of at least 1");
    CHECK(to_openai(with_prompt("\"a\"", R"(,"stop":[1])"))
          == "stop[0]: stop[0] must be a string");
    CHECK(to_openai(with_prompt("\"a\"", R"(,"temperature":"hot")"))
          == "temperature: temperature must be a number");
}

TEST_CASE("completions: the head leaves to the provider what is new to us") {
    json::Document document;
    auto head = [&](std::string_view body) {
        REQUIRE(document.parse(body));
        return completions_format().parse_head(document, {});
    };
    CHECK(head(with_prompt("[1,2]"))->max_tokens == 16);
    CHECK(head(with_prompt("[1,2]", R"(,"max_tokens":0,"echo":true)"))->max_tokens == 0);
    auto streamed = head(with_prompt("\"a\"", R"(,"stream":true,"stream_options":{"include_usage":true})"));
    CHECK(streamed->stream);
    CHECK(streamed->include_usage);
    CHECK_FALSE(head(R"({"model":"m"})"));
    CHECK_FALSE(head(with_prompt("1")));
    CHECK_FALSE(head(with_prompt("\"a\"", R"(,"stream":"yes")")));
    CHECK_FALSE(head(with_prompt("\"a\"", R"(,"max_tokens":-1)")));
}

TEST_CASE("completions: what comes is what goes, to a provider of the same API") {
    for (const std::string &body : std::initializer_list<std::string>{
             R"({"model":"m","prompt":"Once","max_tokens":5})",
             R"({"model":"m","prompt":["Once"],"max_tokens":16,"n":2,"temperature":0.50,"user":"u","stop":["a"],"zork":[]})",
         }) {
        WriteOptions options;
        options.quirks.prompt_template = "llama3";
        CHECK(translate_request(completions_format(), completions_format(),
                                body, options) == body);
    }
}

TEST_CASE("completions: a conversation becomes a prompt by the template") {
    CHECK(from_openai(R"([{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}])",
                      R"(,"temperature":0.5,"stop":"END","n":2,"stream":true)", "chatml")
          == R"({"model":"m","prompt":"<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nab<|im_end|>\n<|im_start|>assistant\n",)"
             R"("max_tokens":4096,"n":2,"temperature":0.5,"stop":["END","<|im_end|>"],"stream":true,"stream_options":{"include_usage":true}})");
    CHECK(from_openai(hi, R"(,"max_tokens":9)", "llama2")
          == R"({"model":"m","prompt":"[INST] Hi [/INST]","max_tokens":9,"stop":["</s>","[INST]"]})");
}

TEST_CASE("completions: without a template only a single question can be asked") {
    CHECK(from_openai(hi, R"(,"max_tokens":9)")
          == R"({"model":"m","prompt":"Hi","max_tokens":9})");
    CHECK(from_openai(R"([{"role":"system","content":"s"},{"role":"user","content":"Hi"}])")
          == "messages: a conversation cannot be sent to this model's "
             "provider, which has no prompt template");
}

TEST_CASE("completions: what no prompt can hold") {
    for (auto [more, member] :
         {std::pair{R"(,"tools":[{"type":"function","function":{"name":"f"}}])", "tools"},
          {R"(,"response_format":{"type":"json_object"})", "response_format"},
          {R"(,"logprobs":true)", "logprobs"},
          {R"(,"modalities":["audio"])", "modalities"},
          {R"(,"web_search_options":{})", "web_search_options"}}) {
        INFO(more);
        CHECK(from_openai(hi, more, "chatml")
              == std::string(member) + ": " + member
                     + " cannot be sent to this model's provider");
        CHECK(from_openai(hi, more, "chatml", true)
              == from_openai(hi, "", "chatml"));
    }
    CHECK(from_openai(R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/i.png"}}]}])", "", "chatml")
          == "messages[0].content[0]: an image cannot be sent to this model's provider");
    CHECK(from_openai(R"([{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}])", "", "chatml")
          == "messages[1].content[0]: the call of a tool cannot be sent to this model's provider");
}

TEST_CASE("completions: a call that stays in the format changes in its model and its usage") {
    std::string body = R"({ "model":"m", "prompt":[1,2],"stream":true, "zork":[] })";
    json::Document document;
    REQUIRE(document.parse(body));
    auto edits = completions_format().request_edits(body, document, {.model = "n"});
    std::string out;
    json::apply_edits(body, edits, out);
    CHECK(out == R"({"stream_options":{"include_usage":true}, "model":"n", "prompt":[1,2],"stream":true, "zork":[] })");
}
