// An error names the member that the client has sent, as the client's own API
// calls it and where the client has put it.
#include "catch.hpp"

#include <memory_resource>

#include "exchange.hpp"
#include "llm/exchange.hpp"

using namespace llm;

namespace {

std::string refusal(const Format &client, const Format &provider,
                    std::string_view body, std::string_view model = "p") {
    std::pmr::monotonic_buffer_resource memory;
    Exchange exchange(client, body, {}, &memory);
    RouteMatch route;
    route.format = &client;
    route.model = "m";
    INFO(body);
    REQUIRE(exchange.open(route));
    Target target;
    target.format = &provider;
    target.model = model;
    auto outcome = exchange.prepare(target);
    return outcome ? "" : testing::describe(outcome.error());
}

struct Row {
    const Format &client;
    const Format &provider;
    std::string_view body, param;
    std::string_view model = "p";
};

void check(const Row &row) {
    auto said = refusal(row.client, row.provider, row.body, row.model);
    INFO(row.client.name() << " to " << row.provider.name() << ": "
                           << row.body);
    CHECK(said.substr(0, said.find(": ")) == row.param);
}

const auto openai = &openai_format;
const auto anthropic = &anthropic_format;
const auto gemini = &gemini_format;
const auto bedrock = &bedrock_format;
const auto responses = &responses_format;
const auto completions = &completions_format;
const auto cohere = &cohere_format;
const auto ollama = &ollama_format;
const auto generate = &ollama_generate_format;

}  // namespace

TEST_CASE("member names: the form of the answer", "[member-names]") {
    const Row rows[] = {
        {openai(), completions(),
         R"({"model":"m","messages":[{"role":"user","content":"q"}],"response_format":{"type":"json_object"}})",
         "response_format"},
        {anthropic(), completions(),
         R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}})",
         "output_config.format"},
        {anthropic(), completions(),
         R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],"output_format":{"type":"json_schema","schema":{"type":"object"}}})",
         "output_format"},
        {gemini(), completions(),
         R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"generationConfig":{"responseMimeType":"application/json"}})",
         "generationConfig.responseMimeType"},
        {gemini(), completions(),
         R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT"}}})",
         "generationConfig.responseSchema"},
        {gemini(), completions(),
         R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"generation_config":{"response_mime_type":"application/json","response_json_schema":{"type":"object"}}})",
         "generation_config.response_json_schema"},
        {bedrock(), completions(),
         R"({"messages":[{"role":"user","content":[{"text":"q"}]}],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"n","schema":"{\"type\":\"object\"}"}}}}})",
         "outputConfig.textFormat"},
        {responses(), completions(),
         R"({"model":"m","input":"q","text":{"format":{"type":"json_object"}}})",
         "text.format"},
        {cohere(), completions(),
         R"({"model":"m","messages":[{"role":"user","content":"q"}],"response_format":{"type":"json_object"}})",
         "response_format"},
        {ollama(), completions(),
         R"({"model":"m","messages":[{"role":"user","content":"q"}],"format":"json"})",
         "format"},
        {generate(), completions(),
         R"({"model":"m","prompt":"q","format":"json"})", "format"},
    };
    for (const Row &row : rows) {
        check(row);
    }
}

TEST_CASE("member names: how many answers, and of what kind",
          "[member-names]") {
    const Row rows[] = {
        {openai(), anthropic(),
         R"({"model":"m","messages":[{"role":"user","content":"q"}],"n":2})",
         "n"},
        {completions(), anthropic(), R"({"model":"m","prompt":"q","n":2})",
         "n"},
        {gemini(), anthropic(),
         R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"generationConfig":{"candidateCount":2}})",
         "generationConfig.candidateCount"},
        {gemini(), ollama(),
         R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"generationConfig":{"responseModalities":["TEXT","IMAGE"]}})",
         "generationConfig.responseModalities"},
        {gemini(), bedrock(),
         R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"generationConfig":{"responseLogprobs":true}})",
         "generationConfig.responseLogprobs"},
        {responses(), anthropic(),
         R"({"model":"m","input":"q","top_logprobs":2})", "top_logprobs"},
        {responses(), anthropic(),
         R"({"model":"m","input":"q","include":["message.output_text.logprobs"]})",
         "include"},
        {cohere(), bedrock(),
         R"({"model":"m","messages":[{"role":"user","content":"q"}],"logprobs":true})",
         "logprobs"},
        {ollama(), gemini(),
         R"({"model":"m","messages":[{"role":"user","content":"q"}],"options":{"stop":["1","2","3","4","5","6"]}})",
         "options.stop"},
        {gemini(), openai(),
         R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"generationConfig":{"responseMimeType":"text/x.enum"}})",
         "generationConfig.responseMimeType"},
    };
    for (const Row &row : rows) {
        check(row);
    }
}

TEST_CASE("member names: stop sequences", "[member-names]") {
    const Row rows[] = {
        {openai(), responses(),
         R"({"model":"m","messages":[{"role":"user","content":"q"}],"stop":"x"})",
         "stop"},
        {anthropic(), responses(),
         R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],"stop_sequences":["x"]})",
         "stop_sequences"},
        {gemini(), responses(),
         R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"generationConfig":{"stopSequences":["x"]}})",
         "generationConfig.stopSequences"},
        {bedrock(), responses(),
         R"({"messages":[{"role":"user","content":[{"text":"q"}]}],"inferenceConfig":{"stopSequences":["x"]}})",
         "inferenceConfig.stopSequences"},
        {completions(), responses(),
         R"({"model":"m","prompt":"q","stop":["x"]})", "stop"},
        {cohere(), responses(),
         R"({"model":"m","messages":[{"role":"user","content":"q"}],"stop_sequences":["x"]})",
         "stop_sequences"},
        {ollama(), responses(),
         R"({"model":"m","messages":[{"role":"user","content":"q"}],"options":{"stop":["x"]}})",
         "options.stop"},
        {generate(), responses(),
         R"({"model":"m","prompt":"q","options":{"stop":["x"]}})",
         "options.stop"},
    };
    for (const Row &row : rows) {
        check(row);
    }
}

TEST_CASE("member names: tools and the choice of one", "[member-names]") {
    const Row rows[] = {
        {openai(), bedrock(),
         R"({"model":"m","messages":[{"role":"user","content":"q"}],"tools":[{"type":"custom","custom":{"name":"f","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"x"}}}}]})",
         "tools[0].custom.format"},
        {responses(), gemini(),
         R"({"model":"m","input":"q","tools":[{"type":"custom","name":"f","format":{"type":"grammar","syntax":"lark","definition":"x"}}]})",
         "tools[0].format"},
        {responses(), gemini(),
         R"({"model":"m","input":"q","tools":[{"type":"web_search"}]})",
         "tools[0].type"},
        {anthropic(), gemini(),
         R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],"tools":[{"name":"f","input_schema":{"type":"object"}},{"type":"bash_20250124","name":"bash"}]})",
         "tools[1].type"},
        // Two tools of the call are one element of this client's list.
        {gemini(), anthropic(),
         R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"tools":[{"functionDeclarations":[{"name":"f"}],"googleSearch":{}}]})",
         "tools[0].googleSearch"},
        {gemini(), ollama(),
         R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"tools":[{"function_declarations":[{"name":"f"}]},{"google_search":{}}]})",
         "tools[1].google_search"},
        {bedrock(), anthropic(),
         R"({"messages":[{"role":"user","content":[{"text":"q"}]}],"toolConfig":{"tools":[{"systemTool":{"name":"nova_grounding"}}]}})",
         "toolConfig.tools[0]"},
        {bedrock(), generate(),
         R"({"messages":[{"role":"user","content":[{"text":"q"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}})",
         "toolConfig.tools"},
        {bedrock(), ollama(),
         R"({"messages":[{"role":"user","content":[{"text":"q"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"any":{}}}})",
         "toolConfig.toolChoice"},
        {gemini(), ollama(),
         R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}})",
         "toolConfig.functionCallingConfig"},
        {anthropic(), ollama(),
         R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"}})",
         "tool_choice"},
    };
    for (const Row &row : rows) {
        check(row);
    }
}

TEST_CASE("member names: what a message holds, where the client has put it",
          "[member-names]") {
    const Row rows[] = {
        {openai(), anthropic(),
         R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"q"},{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}]}]})",
         "messages[1].content[1]"},
        // The system's message is none of this client's list.
        {anthropic(), ollama(),
         R"({"model":"m","max_tokens":9,"system":"s","messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://example.com/i.png"}}]}]})",
         "messages[0].content[0]"},
        {gemini(), ollama(),
         R"({"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"q"},{"fileData":{"mimeType":"image/png","fileUri":"https://example.com/i.png"}}]}]})",
         "contents[0].parts[1]"},
        {gemini(), cohere(),
         R"({"contents":[{"role":"user","parts":[{"text":"q"},{"inlineData":{"mimeType":"application/pdf","data":"JVBERg=="}}]}]})",
         "contents[0].parts[1]"},
        {bedrock(), cohere(),
         R"({"messages":[{"role":"user","content":[{"text":"q"},{"document":{"name":"d","format":"pdf","source":{"bytes":"JVBERg=="}}}]}]})",
         "messages[0].content[1]"},
        {responses(), ollama(),
         R"({"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"q"},{"type":"input_image","image_url":"https://example.com/i.png"}]}]})",
         "input[0].content[1]"},
        {completions(), bedrock(),
         R"({"model":"m","prompt":"q","n":2})", "n"},
        {cohere(), bedrock(),
         R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"q"},{"type":"image_url","image_url":{"url":"https://example.com/i.png"}}]}]})",
         "messages[0].content[1]"},
    };
    for (const Row &row : rows) {
        check(row);
    }
}

TEST_CASE("member names: a conversation that needs a template",
          "[member-names]") {
    const Row rows[] = {
        {openai(), completions(),
         R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}]})",
         "messages"},
        {gemini(), completions(),
         R"({"contents":[{"role":"user","parts":[{"text":"1"}]},{"role":"model","parts":[{"text":"2"}]},{"role":"user","parts":[{"text":"3"}]}]})",
         "contents"},
        {responses(), completions(),
         R"({"model":"m","instructions":"s","input":"q"})", "input"},
        {generate(), completions(),
         R"({"model":"m","system":"s","prompt":"q"})", "prompt"},
    };
    for (const Row &row : rows) {
        check(row);
    }
}

TEST_CASE("member names: no place is better than a wrong one",
          "[member-names]") {
    // A result of which the reader has kept the meaning alone.
    check({bedrock(), anthropic(),
           R"({"system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"q"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"f","input":{}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"2","content":[{"text":"r"}]}}]}]})",
           "messages"});
}

TEST_CASE("member names: embeddings", "[member-names]") {
    struct {
        const Format &client;
        std::string_view path, body, param;
    } rows[] = {
        {openai(), "/v1/embeddings",
         R"({"model":"m","input":"q","dimensions":9})", "dimensions"},
        {gemini(), "/v1beta/models/m:embedContent",
         R"({"content":{"parts":[{"text":"q"}]},"outputDimensionality":9})",
         "outputDimensionality"},
        {gemini(), "/v1beta/models/m:embedContent",
         R"({"content":{"parts":[{"text":"q"}]},"output_dimensionality":9})",
         "output_dimensionality"},
        {cohere(), "/v2/embed",
         R"({"model":"m","texts":["q"],"input_type":"search_query","embedding_types":["float"],"output_dimension":9})",
         "output_dimension"},
        {ollama(), "/api/embed",
         R"({"model":"m","input":"q","dimensions":9})", "dimensions"},
    };
    for (const auto &row : rows) {
        INFO(row.body);
        std::pmr::monotonic_buffer_resource memory;
        Exchange exchange(row.client, row.body, {}, &memory);
        REQUIRE(exchange.open(match_route(row.path, row.client)));
        Target target;
        target.format = &bedrock();
        target.embeddings = embedding::find_api("bedrock");
        target.model = "cohere.embed-english-v3";
        auto outcome = exchange.prepare(target);
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().param == row.param);
    }
}

TEST_CASE("member names: the message says the name, too", "[member-names]") {
    CHECK(refusal(gemini(), anthropic(),
                  R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"generationConfig":{"candidateCount":2}})")
          == "generationConfig.candidateCount: "
             "generationConfig.candidateCount is not supported by this "
             "model's provider");
    // Where it says what the member is, writers of errors without a place for
    // the name put it in front.
    std::string said;
    gemini().write_error(unsupported("a document cannot be sent",
                                     "contents[0].parts[1]"),
                         said);
    CHECK(said.find("\"contents[0].parts[1]: a document cannot be sent\"")
          != said.npos);
}
