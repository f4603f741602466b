#include "catch.hpp"
#include "exchange.hpp"
#include "llm/provider.hpp"

using namespace llm;
using testing::translate_request;

namespace {

// A client's body for one of Google's models.
std::string from(const Format &client, std::string_view body,
                 std::string_view model = "gemini-3-flash",
                 WriteOptions options = {}) {
    options.model = model;
    return translate_request(client, gemini_format(), body, options);
}

std::string openai(std::string_view members,
                   std::string_view model = "gemini-3-flash",
                   WriteOptions options = {}) {
    return from(openai_format(),
                R"({"model":"m","messages":[{"role":"user","content":"hi"}],)"
                    + std::string(members) + "}",
                model, options);
}

std::string openai_messages(std::string_view messages,
                            std::string_view model = "gemini-2.0-flash",
                            WriteOptions options = {}) {
    return from(openai_format(),
                R"({"model":"m","messages":)" + std::string(messages) + "}",
                model, options);
}

// What stands after the contents of "hi".
constexpr std::string_view hi =
    R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}])";

std::string rest(std::string_view members) {
    std::string all(hi);
    return all.append(",").append(members).append("}");
}

// A client of Google's, read and written again for Google.
std::string again(std::string_view body) {
    return translate_request(gemini_format(), gemini_format(), body, {});
}

std::string to_openai(std::string_view body, WriteOptions options = {}) {
    options.model = "m";
    return translate_request(gemini_format(), openai_format(), body, options);
}

std::string to_anthropic(std::string_view body) {
    WriteOptions options;
    options.model = "claude-sonnet-4-5";
    options.quirks.output_config = true;
    return translate_request(gemini_format(), anthropic_format(), body,
                             options);
}

}  // namespace

TEST_CASE("gemini request: system messages, wherever they are, are one instruction") {
    CHECK(openai_messages(R"([{"role":"system","content":"a"},{"role":"user","content":"hi"},{"role":"developer","content":[{"type":"text","text":"b"},{"type":"text","text":""}]}])")
          == R"({"systemInstruction":{"parts":[{"text":"a"},{"text":"b"}]},"contents":[{"role":"user","parts":[{"text":"hi"}]}]})");
    // The conversation starts with the user.
    CHECK(openai_messages(R"([{"role":"system","content":"a"}])")
          == R"({"systemInstruction":{"parts":[{"text":"a"}]},"contents":[{"role":"user","parts":[{"text":"."}]}]})");
    CHECK(openai_messages(R"([{"role":"assistant","content":"a"},{"role":"user","content":"b"},{"role":"user","content":"c"}])")
          == R"({"contents":[{"role":"user","parts":[{"text":"."}]},{"role":"model","parts":[{"text":"a"}]},{"role":"user","parts":[{"text":"b"},{"text":"c"}]}]})");
}

TEST_CASE("gemini request: media as data and by URL") {
    CHECK(openai_messages(R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"image_url","image_url":{"url":"https://x/i.webp?a=1"}},{"type":"image_url","image_url":{"url":"https://x/i"}},{"type":"input_audio","input_audio":{"data":"BBBB","format":"mp3"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,CCCC","filename":"f.pdf"}}]}])")
          == R"({"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"fileData":{"mimeType":"image/webp","fileUri":"https://x/i.webp?a=1"}},{"fileData":{"mimeType":"image/jpeg","fileUri":"https://x/i"}},{"inlineData":{"mimeType":"audio/mp3","data":"BBBB"}},{"inlineData":{"mimeType":"application/pdf","data":"CCCC"}}]}]})");

    // A file of OpenAI's store.
    std::string file = R"([{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}])";
    CHECK(openai_messages(file)
          == "messages[0].content[0]: messages[0].content[0] is a file id of another provider");
    WriteOptions drop;
    drop.drop_unsupported = true;
    CHECK(openai_messages(file, "gemini-2.0-flash", drop)
          == R"({"contents":[{"role":"user","parts":[{"text":"."}]}]})");
}

TEST_CASE("gemini request: calls and their results") {
    std::string calls = R"([{"role":"user","content":"go"},{"role":"assistant","content":"ok","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}},{"id":"c2","type":"function","function":{"name":"3d","arguments":""}},{"id":"c3","type":"function","function":{"name":"h","arguments":"not JSON"}}]},)";
    // In the order of the calls, a content of their own; what is no object
    // becomes one.
    CHECK(openai_messages(calls + R"({"role":"tool","tool_call_id":"c3","content":"[1]"},{"role":"tool","tool_call_id":"c1","content":"{\"b\":2}"},{"role":"tool","tool_call_id":"c2","content":"done"},{"role":"user","content":"and?"}])")
          == R"({"contents":[{"role":"user","parts":[{"text":"go"}]},{"role":"model","parts":[{"text":"ok"},{"functionCall":{"id":"c1","name":"f","args":{"a": 1}}},{"functionCall":{"id":"c2","name":"llm_name_3d","args":{}}},{"functionCall":{"id":"c3","name":"h","args":{"input":"not JSON"}}}]},{"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{"b":2}}},{"functionResponse":{"id":"c2","name":"llm_name_3d","response":{"output":"done"}}},{"functionResponse":{"id":"c3","name":"h","response":{"output":"[1]"}}}]},{"role":"user","parts":[{"text":"and?"}]}]})");
    // Results that the client does not have are made up, all or some.
    CHECK(openai_messages(calls + R"({"role":"user","content":"stop"}])").find(R"({"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{"error":"no result"}}},{"functionResponse":{"id":"c2","name":"llm_name_3d","response":{"error":"no result"}}},{"functionResponse":{"id":"c3","name":"h","response":{"error":"no result"}}}]},{"role":"user","parts":[{"text":"stop"}]})")
          != std::string::npos);
    // A second result for one call answers none.
    CHECK(openai_messages(calls + R"({"role":"tool","tool_call_id":"c1","content":"x"},{"role":"tool","tool_call_id":"c1","content":"y"}])")
          == "messages[3].tool_call_id: messages[3].tool_call_id answers no tool call of the assistant message before it");
    // Vertex takes no ids.
    WriteOptions vertex;
    vertex.quirks.hosting = Hosting::vertex;
    CHECK(openai_messages(calls + R"({"role":"tool","tool_call_id":"c1","content":"x"}])", "gemini-2.0-flash", vertex).find(R"("id")")
          == std::string::npos);
}

TEST_CASE("gemini request: results that failed or hold images") {
    CHECK(from(anthropic_format(), R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"go"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"a":1}},{"type":"tool_use","id":"t2","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"broken"},{"type":"tool_result","tool_use_id":"t2","content":[{"type":"text","text":"see"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}]}]})", "gemini-2.0-flash")
          == R"({"contents":[{"role":"user","parts":[{"text":"go"}]},{"role":"model","parts":[{"functionCall":{"id":"t1","name":"f","args":{"a":1}}},{"functionCall":{"id":"t2","name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"t1","name":"f","response":{"error":"broken"}}},{"functionResponse":{"id":"t2","name":"f","response":{"output":"see"}}}]},{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}],"generationConfig":{"maxOutputTokens":9}})");
}

TEST_CASE("gemini request: the first call of a turn is signed") {
    auto calls = [](std::string_view extra) {
        return R"([{"role":"user","content":"go"},{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"})"
               + std::string(extra)
               + R"(},{"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"1"},{"role":"tool","tool_call_id":"c2","content":"2"}])";
    };
    std::string own = R"(,"extra_content":{"google":{"thought_signature":"U0lH"}})";
    // As Google gave it, or in the words that Google has for calls of others.
    CHECK(openai_messages(calls(own), "gemini-3-flash").find(R"({"role":"model","parts":[{"functionCall":{"id":"c1","name":"f","args":{}},"thoughtSignature":"U0lH"},{"functionCall":{"id":"c2","name":"g","args":{}}}]})")
          != std::string::npos);
    CHECK(openai_messages(calls(""), "gemini-3-flash").find(R"({"role":"model","parts":[{"functionCall":{"id":"c1","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"id":"c2","name":"g","args":{}}}]})")
          != std::string::npos);
    // Older models know of none.
    CHECK(openai_messages(calls(""), "gemini-2.5-flash").find("thoughtSignature")
          == std::string::npos);

    // Through Anthropic's clients it travels as redacted thinking.
    CHECK(from(anthropic_format(), R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"go"},{"role":"assistant","content":[{"type":"redacted_thinking","data":"google:U0lH"},{"type":"tool_use","id":"t1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"}]}]})").find(R"({"functionCall":{"id":"t1","name":"f","args":{}},"thoughtSignature":"U0lH"})")
          != std::string::npos);
    // Of a text it is a mere wish.
    CHECK(openai_messages(R"([{"role":"user","content":"a"},{"role":"assistant","content":"b","extra_content":{"google":{"thought_signature":"U0lH"}}},{"role":"user","content":"c"}])", "gemini-3-flash").find(R"({"text":"b","thoughtSignature":"U0lH"})")
          != std::string::npos);
}

TEST_CASE("gemini request: the chunks of a streamed answer are one message") {
    // As google-genai's chats keep them: a content for each chunk.
    std::string body =
        R"({"contents":[{"role":"user","parts":[{"text":"q"}]},)"
        R"({"role":"model","parts":[{"text":"h","thought":true}]},)"
        R"({"role":"model","parts":[{"text":"m","thought":true}]},)"
        R"({"role":"model","parts":[{"text":"","thought":true,"thoughtSignature":"llmSignatureEqQB"}]},)"
        R"({"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}}}]},)"
        R"({"role":"model","parts":[{"functionCall":{"id":"b","name":"g","args":{}}}]},)"
        R"({"role":"model","parts":[{"text":""}]},)"
        R"({"role":"user","parts":[{"functionResponse":{"name":"f","response":{"result":"1"}}},{"functionResponse":{"name":"g","response":{"result":"2"}}}]}]})";
    auto heard = [&](const Format &provider) {
        WriteOptions options;
        options.model = "m";
        return testing::translate_request(gemini_format(), provider, body,
                                          options);
    };
    CHECK(heard(openai_format())
          == R"({"model":"m","messages":[{"role":"user","content":"q"},)"
             R"({"role":"assistant","content":"","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},)"
             R"({"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"}]})");
    // The proof is that of the whole thought.
    CHECK(heard(anthropic_format()).find(
              R"({"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"EqQB"},{"type":"tool_use","id":"a")")
          != std::string::npos);
}

TEST_CASE("gemini request: names of tools that only Google takes") {
    std::string body =
        R"({"contents":[{"role":"user","parts":[{"text":"q"}]},)"
        R"({"role":"model","parts":[{"functionCall":{"id":"a","name":"docs.create","args":{}}}]},)"
        R"({"role":"user","parts":[{"functionResponse":{"id":"a","name":"docs.create","response":{"result":"1"}}}]}],)"
        R"("tools":[{"functionDeclarations":[{"name":"docs.create","description":"d"},{"name":"get-it","description":"d"}]}],)"
        R"("toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["docs.create"]}}})";
    std::string sent = "llm_name_docs-2ecreate";
    for (const Format *provider : {&openai_format(), &responses_format(),
                                   &anthropic_format(), &bedrock_format()}) {
        INFO(provider->name());
        WriteOptions options;
        options.model = "anthropic.claude-x";
        std::string heard = testing::translate_request(gemini_format(),
                                                       *provider, body, options);
        CHECK(heard.find("docs.create") == std::string::npos);
        CHECK(heard.find(R"("get-it")") != std::string::npos);
        // In the call, the tool and the choice.
        std::size_t times = 0;
        for (std::size_t at = 0; (at = heard.find('"' + sent + '"', at)) != heard.npos; ++at) {
            ++times;
        }
        CHECK(times == 3);
    }

    // Undone in answers.
    auto is_undone = [&](const Format &provider, const std::string &whole,
                         const std::string &stream) {
        AnswerContext events;
        events.query = "alt=sse";
        CHECK(testing::translate_response(provider, gemini_format(), whole)
                  .find(R"("name":"docs.create")")
              != std::string::npos);
        CHECK(testing::translate_stream(provider, gemini_format(), stream,
                                        events)
                  .find(R"("name":"docs.create")")
              != std::string::npos);
    };
    std::string call = R"("tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":")"
                       + sent + R"(","arguments":"{}"}}])";
    is_undone(openai_format(),
              R"({"choices":[{"message":{"content":null,)" + call + R"(},"finish_reason":"tool_calls"}]})",
              R"(data: {"id":"c","choices":[{"index":0,"delta":{)" + call + R"(},"finish_reason":"tool_calls"}]})"
              "\n\ndata: [DONE]\n\n");
    std::string item = R"({"type":"function_call","call_id":"a","name":")"
                       + sent + R"(","arguments":"{}"})";
    is_undone(responses_format(),
              R"({"status":"completed","output":[)" + item + "]}",
              R"(data: {"type":"response.output_item.done","output_index":0,"item":)" + item + "}\n\n"
              R"(data: {"type":"response.completed","response":{"status":"completed","output":[]}})" "\n\n");
    std::string use = R"({"type":"tool_use","id":"a","name":")" + sent + R"(","input":{}})";
    is_undone(anthropic_format(),
              R"({"type":"message","content":[)" + use + R"(],"stop_reason":"tool_use"})",
              R"(data: {"type":"content_block_start","index":0,"content_block":)" + use + "}\n\n"
              R"(data: {"type":"message_delta","delta":{"stop_reason":"tool_use"}})" "\n\n"
              R"(data: {"type":"message_stop"})" "\n\n");
}

TEST_CASE("gemini request: no signature of Google's reaches Anthropic") {
    std::string body = R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"go"},{"role":"assistant","content":[{"type":"redacted_thinking","data":"google:U0lH"}, {"type":"redacted_thinking","data":"own"},{"type":"tool_use","id":"t1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"}]}]})";
    json::Document document;
    REQUIRE(document.parse(body));
    WriteOptions options;
    options.model = "m";
    std::string edited;
    json::apply_edits(body, anthropic_format().request_edits(body, document, options), edited);
    CHECK(edited.find("google:") == std::string::npos);
    CHECK(edited.find(R"("content":[{"type":"redacted_thinking","data":"own"},{"type":"tool_use")") != std::string::npos);
    json::Document again;
    CHECK(again.parse(edited));
}

TEST_CASE("gemini request: tools and how they may be used") {
    std::string f = R"("tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}}},{"type":"function","function":{"name":"g","description":"d","parameters":{"type":"object","properties":{}}}}])";
    std::string declared = R"("tools":[{"functionDeclarations":[{"name":"f","description":"f","parametersJsonSchema":{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}},{"name":"g","description":"d"}]}])";
    CHECK(openai(f) == rest(declared));
    struct {
        std::string_view choice;
        std::string_view config;
    } rows[] = {
        {R"("auto")", R"({"mode":"AUTO"})"},
        {R"("none")", R"({"mode":"NONE"})"},
        {R"("required")", R"({"mode":"ANY"})"},
        {R"({"type":"function","function":{"name":"g"}})",
         R"({"mode":"ANY","allowedFunctionNames":["g"]})"},
    };
    for (auto &row : rows) {
        CHECK(openai(f + R"(,"tool_choice":)" + std::string(row.choice))
              == rest(declared + R"(,"toolConfig":{"functionCallingConfig":)" + std::string(row.config) + "}"));
    }
    // Of a part of them.
    CHECK(openai(f + R"(,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}})")
          == rest(R"("tools":[{"functionDeclarations":[{"name":"g","description":"d"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}})"));
    // OpenAI's free-form tools have a place in an object.
    CHECK(openai(R"("tools":[{"type":"custom","custom":{"name":"shell"}}],"tool_choice":{"type":"custom","custom":{"name":"shell"}})")
          == rest(R"("tools":[{"functionDeclarations":[{"name":"llm_custom_shell","description":"shell","parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["llm_custom_shell"]}})"));
    CHECK(openai(R"("tools":[{"type":"web_search"}])")
          == "tools[0].type: tools[0].type is not supported by this model's provider");
    CHECK(openai(R"("web_search_options":{})")
          == rest(R"("tools":[{"googleSearch":{}}])"));
}

TEST_CASE("gemini request: sampling and bounds") {
    CHECK(openai(R"("temperature":0.50,"top_p":1,"max_completion_tokens":7,"stop":["a","b"],"seed":3,"presence_penalty":1,"frequency_penalty":-1,"n":2,"logprobs":true,"top_logprobs":4,"logit_bias":{"1":2},"user":"u","service_tier":"flex")")
          == rest(R"("generationConfig":{"temperature":0.50,"topP":1,"presencePenalty":1,"frequencyPenalty":-1,"seed":3,"maxOutputTokens":7,"candidateCount":2,"stopSequences":["a","b"],"responseLogprobs":true,"logprobs":4},"serviceTier":"flex")"));
    // A seed is an int32, and but a hint.
    CHECK(openai(R"("seed":99999999999)") == std::string(hi) + "}");
    std::string stops = R"("stop":["1","2","3","4","5","6"])";
    CHECK(openai(stops) == "stop: stop must have 5 sequences at most for this model's provider");
    WriteOptions drop;
    drop.drop_unsupported = true;
    CHECK(openai(stops, "gemini-3-flash", drop)
          == rest(R"("generationConfig":{"stopSequences":["1","2","3","4","5"]})"));
    CHECK(openai(R"("modalities":["text","image"])")
          == rest(R"("generationConfig":{"responseModalities":["TEXT","IMAGE"]})"));
    CHECK(openai(R"("modalities":["text","audio"],"audio":{"voice":"v","format":"wav"})")
          == "modalities: modalities is not supported by this model's provider");
}

TEST_CASE("gemini request: thinking, as much as the model can") {
    struct {
        std::string_view model;
        std::string_view effort;
        std::string_view config;
    } rows[] = {
        {"gemini-3-flash", "minimal", R"({"thinkingLevel":"MINIMAL","includeThoughts":true})"},
        {"gemini-3-flash", "medium", R"({"thinkingLevel":"MEDIUM","includeThoughts":true})"},
        {"gemini-3-flash", "max", R"({"thinkingLevel":"HIGH","includeThoughts":true})"},
        {"gemini-3-flash", "none", R"({"thinkingLevel":"MINIMAL"})"},
        {"gemini-3-pro-preview", "minimal", R"({"thinkingLevel":"LOW","includeThoughts":true})"},
        {"gemini-3-pro-preview", "medium", R"({"thinkingLevel":"HIGH","includeThoughts":true})"},
        {"gemini-3.1-pro", "medium", R"({"thinkingLevel":"MEDIUM","includeThoughts":true})"},
        {"gemini-2.5-flash", "low", R"({"thinkingBudget":1024,"includeThoughts":true})"},
        {"gemini-2.5-flash", "max", R"({"thinkingBudget":24576,"includeThoughts":true})"},
        {"gemini-2.5-flash", "none", R"({"thinkingBudget":0})"},
        {"gemini-2.5-pro", "none", R"({"thinkingBudget":128})"},
    };
    for (auto &row : rows) {
        INFO(row.model << " " << row.effort);
        CHECK(openai(R"("reasoning_effort":")" + std::string(row.effort) + '"', row.model)
              == rest(R"("generationConfig":{"thinkingConfig":)" + std::string(row.config) + "}"));
    }
    CHECK(openai(R"("reasoning_effort":"low")", "gemini-2.0-flash") == std::string(hi) + "}");

    auto anthropic = [](std::string_view thinking, std::string_view model) {
        return from(anthropic_format(), R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"thinking":)" + std::string(thinking) + "}", model);
    };
    auto config = [](std::string_view thinking) {
        return rest(R"("generationConfig":{"maxOutputTokens":9,"thinkingConfig":)" + std::string(thinking) + "}");
    };
    CHECK(anthropic(R"({"type":"enabled","budget_tokens":2000})", "gemini-2.5-pro")
          == config(R"({"thinkingBudget":2000,"includeThoughts":true})"));
    CHECK(anthropic(R"({"type":"enabled","budget_tokens":2000})", "gemini-3-flash")
          == config(R"({"thinkingLevel":"MEDIUM","includeThoughts":true})"));
    CHECK(anthropic(R"({"type":"adaptive"})", "gemini-2.5-flash")
          == config(R"({"thinkingBudget":-1,"includeThoughts":true})"));
    CHECK(anthropic(R"({"type":"disabled"})", "gemini-2.5-flash")
          == config(R"({"thinkingBudget":0})"));
}

TEST_CASE("gemini request: an answer in JSON") {
    std::string schema = R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"a":{"type":["string","null"]}},"additionalProperties":false}}})";
    CHECK(openai(R"("response_format":{"type":"json_object"})")
          == rest(R"("generationConfig":{"responseMimeType":"application/json"})"));
    // Newer models take JSON Schema as it is.
    CHECK(openai(schema)
          == rest(R"("generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"a":{"type":["string","null"]}},"additionalProperties":false}})"));
    CHECK(openai(schema, "gemini-2.0-flash")
          == rest(R"("generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"object","properties":{"a":{"nullable":true,"type":"string"}}}})"));
    // Older ones do not take it together with tools.
    std::string both = schema + R"(,"tools":[{"type":"function","function":{"name":"f"}}])";
    CHECK(openai(both, "gemini-2.5-flash")
          == "response_format: response_format is not supported together with tools by this model");
    CHECK(openai(both).find("responseJsonSchema") != std::string::npos);
}

TEST_CASE("gemini request: JSON Schema as a Schema") {
    auto schema = [](std::string_view parameters) {
        std::string out = openai(R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":)" + std::string(parameters) + "}}]", "gemini-1.5-pro");
        std::string before = std::string(hi) + R"(,"tools":[{"functionDeclarations":[{"name":"f","description":"d","parameters":)";
        REQUIRE(out.starts_with(before));
        return out.substr(before.size(), out.size() - before.size() - 5);
    };
    CHECK(schema(R"({"$schema":"s","type":"object","properties":{"a":{"$ref":"#/$defs/A"},"b":{"type":"array"},"c":{"const":"x"},"d":{"enum":[1,2],"type":"integer"},"e":{"type":"string","format":"uuid","minLength":1}},"required":["a","z"],"$defs":{"A":{"type":"string","enum":["p",null]}}})")
          == R"({"type":"object","properties":{"a":{"type":"string","enum":["p"]},"b":{"type":"array","items":{"type":"string"}},"c":{"type":"string","enum":["x"]},"d":{"type":"integer"},"e":{"type":"string","minLength":1}},"required":["a"]})");
    CHECK(schema(R"({"type":"object","properties":{"a":{"anyOf":[{"type":"integer"},{"type":"null"}]},"b":{"oneOf":[{"type":"string"},{"type":"number"}]},"c":{"type":["string","integer"]},"d":{"allOf":[{"type":"object","properties":{"x":{"type":"string","format":"date-time"}}}],"description":"t"}}})")
          == R"({"type":"object","properties":{"a":{"nullable":true,"anyOf":[{"type":"integer"}]},"b":{"anyOf":[{"type":"string"},{"type":"number"}]},"c":{"anyOf":[{"type":"string"},{"type":"integer"}]},"d":{"type":"object","properties":{"x":{"type":"string","format":"date-time"}},"description":"t"}}})");
    // A schema that is a part of itself ends somewhere.
    CHECK(schema(R"({"type":"object","properties":{"next":{"$ref":"#"},"b":{"$ref":"#/$defs/B"}},"$defs":{"B":{"type":"object","properties":{"c":{"$ref":"#/$defs/B"}}}}})")
          == R"({"type":"object","properties":{"next":{"type":"object"},"b":{"type":"object","properties":{"c":{"type":"object"}}}}})");
    // One that doubles with each step as well.
    std::string wide = R"({"type":"object","properties":{"a":{"$ref":"#/$defs/D0"}},"$defs":{)";
    for (int i = 0; i < 40; ++i) {
        std::string next = R"({"$ref":"#/$defs/D)" + std::to_string(i + 1) + R"("})";
        wide += R"("D)" + std::to_string(i) + R"(":{"type":"object","properties":{"a":)" + next + R"(,"b":)" + next + "}},";
    }
    CHECK(schema(wide + R"("D40":{"type":"string"}}})").size() < std::size_t{2} << 20);
    CHECK(schema(R"({"type":"object","properties":{"a":{"$ref":"#/nowhere"}}})")
          == R"({"type":"object","properties":{"a":{"type":"object"}}})");
}

TEST_CASE("gemini request: what else the call asks for") {
    CHECK(from(anthropic_format(), R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"mcp_servers":[{"type":"url","url":"u","name":"n"}]})")
          == "mcp_servers: mcp_servers is not supported by this model's provider");
}

TEST_CASE("gemini request: a client's own body survives") {
    const std::string_view bodies[] = {
        R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})",
        R"({"systemInstruction":{"role":"user","parts":[{"text":"a"},{"text":"b"}]},"contents":[{"parts":[{"text":"hi"},{"inlineData":{"mimeType":"image/png","data":"AAAA","displayName":"i"}},{"fileData":{"fileUri":"gs://b/v.mp4","mimeType":"video/mp4"},"videoMetadata":{"fps":1}}]},{"role":"model","parts":[{"text":"t","thought":true},{"text":"u","thoughtSignature":"U0lH"},{"executableCode":{"language":"PYTHON","code":"1"}},{"functionCall":{"name":"f","args":{"a":1.50}},"thoughtSignature":"U0lH"}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"x"},"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}]}],"tools":[{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"OBJECT","properties":{"a":{"type":"NUMBER","nullable":true}}},"behavior":"BLOCKING"}]},{"googleSearch":{}},{"codeExecution":{}}],"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED","allowedFunctionNames":["f"]},"retrievalConfig":{"languageCode":"de"}},"generationConfig":{"temperature":0.10,"topK":3,"maxOutputTokens":9,"stopSequences":["a"],"responseModalities":["TEXT","IMAGE"],"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","propertyOrdering":["b"]},"thinkingConfig":{"thinkingBudget":-1,"includeThoughts":true},"speechConfig":{"voiceConfig":{}}},"serviceTier":"priority","safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"}],"cachedContent":"cachedContents/1","labels":{"a":"b"}})",
        R"({"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"responseMimeType":"text/x.enum","responseSchema":{"type":"STRING","enum":["a"]}}})",
        R"({"contents":[{"parts":[{"text":"hi"}]},{"parts":[{"text":"there"}]}],"generationConfig":{"candidateCount":1,"responseLogprobs":false}})",
    };
    for (auto body : bodies) {
        CHECK(again(body) == body);
    }
    // What is spelt in the other way is read as well.
    CHECK(to_openai(R"({"system_instruction":{"parts":[{"text":"s"}]},"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"-_AA"}}]}],"generation_config":{"max_output_tokens":7,"stop_sequences":["x"]}})")
          == R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,+/AA"}}]}],"max_tokens":7,"stop":["x"]})");
}

TEST_CASE("gemini request: a client of Google's with OpenAI's models") {
    CHECK(to_openai(R"({"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"parts":[{"text":"go"}]},{"role":"model","parts":[{"text":"hm","thought":true},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"U0lH"},{"functionCall":{"id":"own","name":"f","args":{}}},{"functionCall":{"name":"g"}}]},{"role":"user","parts":[{"functionResponse":{"name":"g","response":{"result":"r"}}},{"functionResponse":{"id":"own","name":"f","response":{"x":1}}},{"functionResponse":{"name":"f","response":{"error":"e"}}},{"text":"and?"}]}]})")
          == R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"go"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"own","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"call_1_3","type":"function","function":{"name":"g","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_1_3","content":"r"},{"role":"tool","tool_call_id":"own","content":"{\"x\":1}"},{"role":"tool","tool_call_id":"call_1_1","content":"Error: e"},{"role":"user","content":"and?"}]})");
    CHECK(to_openai(R"({"contents":[{"parts":[{"text":"hi"}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true,"format":"enum","enum":["x"]},"b":{"type":"ARRAY","minItems":"2","items":{"type":"INTEGER"}}},"propertyOrdering":["b","a"]}},{"name":"g","parametersJsonSchema":{"type":"object"}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["g"]}}})")
          == R"({"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":["string","null"],"enum":["x"]},"b":{"type":"array","minItems":2,"items":{"type":"integer"}}}}}},{"type":"function","function":{"name":"g","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"g"}}})");
    CHECK(to_openai(R"({"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"a":{"type":"STRING"}}},"thinkingConfig":{"thinkingLevel":"HIGH"},"responseModalities":["TEXT"]},"safetySettings":[]})")
          == R"({"model":"m","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"structured_output","schema":{"type":"object","properties":{"a":{"type":"string"}}},"strict":false}},"reasoning_effort":"high"})");
    // What would be another prompt, or another answer, is refused.
    CHECK(to_openai(R"({"contents":[{"parts":[{"text":"hi"}]}],"cachedContent":"c"})").starts_with("cachedContent: "));
    CHECK(to_openai(R"({"contents":[{"parts":[{"text":"hi"}]}],"tools":[{"googleSearch":{}}]})").starts_with("tools[0]: "));
    CHECK(to_openai(R"({"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"responseMimeType":"text/x.enum"}})").starts_with("responseMimeType: "));
    CHECK(to_anthropic(R"({"contents":[{"parts":[{"text":"hi"}]}],"cachedContent":"c"})").starts_with("cachedContent: "));
}

TEST_CASE("gemini request: a client of Google's with Anthropic's models") {
    // The proof of thoughts comes back, whatever alphabet the SDK writes.
    std::string out = to_anthropic(R"({"contents":[{"parts":[{"text":"go"}]},{"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"llmSignatureQUJD-_=="},{"text":"","thought":true,"thoughtSignature":"llmRedacted0QUJD"},{"text":"hm2","thought":true,"thoughtSignature":"R09PR0xF"},{"functionCall":{"name":"f"}}]},{"parts":[{"functionResponse":{"name":"f","response":{}}}]}],"generationConfig":{"thinkingConfig":{"thinkingBudget":2000}}})");
    CHECK(out.find(R"({"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"QUJD+/=="},{"type":"redacted_thinking","data":"QUJD"},{"type":"tool_use","id":"call_1_3","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1_3","content":[{"type":"text","text":"{}"}]}]})")
          != std::string::npos);
    CHECK(out.find(R"("thinking":{"type":"enabled","budget_tokens":2000})") != std::string::npos);
}

TEST_CASE("gemini request: bad bodies are refused with the member's name") {
    struct {
        std::string_view body;
        std::string_view param;
    } rows[] = {
        {R"([])", ""},
        {R"({})", "contents"},
        {R"({"contents":{}})", "contents"},
        {R"({"contents":[]})", "contents"},
        {R"({"contents":[{"role":"user"}]})", "contents"},
        {R"({"contents":[1]})", "contents[0]"},
        {R"({"contents":[{"role":"system","parts":[]}]})", "contents[0].role"},
        {R"({"contents":[{"parts":{}}]})", "contents[0].parts"},
        {R"({"contents":[{"parts":[1]}]})", "contents[0].parts[0]"},
        {R"({"contents":[{"parts":[{}]}]})", "contents[0].parts[0]"},
        {R"({"contents":[{"parts":[{"text":1}]}]})", "contents[0].parts[0].text"},
        {R"({"contents":[{"parts":[{"inlineData":{"data":"A"}}]}]})", "contents[0].parts[0].inlineData.mimeType"},
        {R"({"contents":[{"parts":[{"fileData":{"mimeType":"a/b"}}]}]})", "contents[0].parts[0].fileData.fileUri"},
        {R"({"contents":[{"role":"model","parts":[{"functionCall":{"args":{}}}]}]})", "contents[0].parts[0].functionCall.name"},
        {R"({"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":"{}"}}]}]})", "contents[0].parts[0].functionCall.args"},
        {R"({"contents":[{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]})", "contents[0].parts[0].functionResponse"},
        {R"({"contents":[{"parts":[{"text":"a"}]}],"systemInstruction":1})", "systemInstruction"},
        {R"({"contents":[{"parts":[{"text":"a"}]}],"systemInstruction":{"parts":[{"inlineData":{}}]}})", "systemInstruction.parts[0]"},
        {R"({"contents":[{"parts":[{"text":"a"}]}],"generationConfig":1})", "generationConfig"},
        {R"({"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"temperature":"1"}})", "generationConfig.temperature"},
        {R"({"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"maxOutputTokens":0}})", "generationConfig.maxOutputTokens"},
        {R"({"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"stopSequences":[1]}})", "generationConfig.stopSequences[0]"},
        {R"({"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"thinkingConfig":{"thinkingBudget":-2}}})", "generationConfig.thinkingConfig.thinkingBudget"},
        {R"({"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"thinkingConfig":{"thinkingLevel":"VERY"}}})", "generationConfig.thinkingConfig.thinkingLevel"},
        {R"({"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseModalities":["SMELL"]}})", "generationConfig.responseModalities[0]"},
        {R"({"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"description":"d"}]}]})", "tools[0].functionDeclarations[0].name"},
        {R"({"contents":[{"parts":[{"text":"a"}]}],"toolConfig":{"functionCallingConfig":{"mode":"SOME"}}})", "toolConfig.functionCallingConfig.mode"},
    };
    for (auto &row : rows) {
        json::Document document;
        REQUIRE(document.parse(row.body));
        std::pmr::monotonic_buffer_resource memory;
        auto request = gemini_format().parse_request(document, &memory);
        INFO(row.body);
        REQUIRE_FALSE(request);
        CHECK(request.error().kind == ErrorKind::invalid_request);
        CHECK(request.error().param == row.param);
        CHECK(request.error().message.find(row.param) != std::string::npos);
    }
}

TEST_CASE("gemini request: the path says the model, and whether to stream") {
    auto route = [](std::string_view path, ClientHints hints = {}) {
        return match_route(path, hints);
    };
    auto whole = route("/v1beta/models/gemini-3-flash:generateContent");
    CHECK(whole.format == &gemini_format());
    CHECK(whole.model == "gemini-3-flash");
    CHECK_FALSE(whole.stream);
    auto stream = route("/x/v1/projects/p/locations/l/publishers/google/models/openai/gpt-4o:streamGenerateContent");
    CHECK(stream.format == &gemini_format());
    CHECK(stream.model == "openai/gpt-4o");
    CHECK(stream.stream);
    CHECK(route("/v1beta/models").format == &gemini_format());
    CHECK(route("/v1/models").format == &openai_format());
    ClientHints google;
    google.google_key = true;
    CHECK(route("/v1/models", google).format == &gemini_format());
    CHECK(route("/v1/chat/completions", google).format == &openai_format());

    json::Document document;
    REQUIRE(document.parse(R"({"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"maxOutputTokens":5}})"));
    auto head = gemini_format().parse_head(document, stream);
    REQUIRE(head);
    CHECK(head->model == "openai/gpt-4o");
    CHECK(head->stream);
    CHECK(head->include_usage);
    CHECK(head->max_tokens == 5);
    CHECK_FALSE(gemini_format().parse_head(document, {}));
}

TEST_CASE("gemini request: no name of a model changes the URL") {
    auto path = [](std::string_view model, bool stream = false) {
        return gemini_format().path({Operation::chat, model, stream, {}});
    };
    CHECK(path("gemini-3-flash") == "/models/gemini-3-flash:generateContent");
    CHECK(path("models/gemini-3-flash", true) == "/models/gemini-3-flash:streamGenerateContent?alt=sse");
    CHECK(path("tunedModels/a-1") == "/tunedModels/a-1:generateContent");
    CHECK(path("a/../b?key=1#\r\n") == "/models/a%2F..%2Fb%3Fkey%3D1%23%0D%0A:generateContent");

    CallPath vertex;
    vertex.model = "claude-sonnet-4-5@20250929";
    vertex.quirks.hosting = Hosting::vertex;
    CHECK(anthropic_format().path(vertex) == "/models/claude-sonnet-4-5%4020250929:rawPredict");
    vertex.stream = true;
    CHECK(anthropic_format().path(vertex) == "/models/claude-sonnet-4-5%4020250929:streamRawPredict");
}

TEST_CASE("gemini request: Claude on Vertex has its version in the body") {
    WriteOptions options;
    options.model = "claude-sonnet-4-5";
    options.quirks.hosting = Hosting::vertex;
    CHECK(translate_request(openai_format(), anthropic_format(), R"({"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":9})", options)
          == R"({"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]})");

    auto edited = [&](std::string_view body) {
        json::Document document;
        REQUIRE(document.parse(body));
        std::string out;
        json::apply_edits(body, anthropic_format().request_edits(body, document, options), out);
        return out;
    };
    CHECK(edited(R"({"max_tokens":9,"model":"m","messages":[]})")
          == R"({"max_tokens":9,"anthropic_version":"vertex-2023-10-16","messages":[]})");
    CHECK(edited(R"({"model":"m","anthropic_version":"x","messages":[]})")
          == R"({"anthropic_version":"vertex-2023-10-16","messages":[]})");
}

TEST_CASE("gemini request: a body that stays is sent as it is") {
    auto edited = [](std::string_view body) {
        json::Document document;
        REQUIRE(document.parse(body));
        std::string out;
        json::apply_edits(body, gemini_format().request_edits(body, document, {}), out);
        return out;
    };
    std::string_view body = R"({ "contents": [], "new": 1.0 })";
    CHECK(edited(body) == body);
    // The path names the model.
    CHECK(edited(R"({"model":"models/x","contents":[]})") == R"({"contents":[]})");
    // Of a stream a client keeps each chunk as a content, which may not be empty.
    CHECK(edited(R"({"contents":[{"role":"model","parts":[{"text":"","thought":true,"thoughtSignature":"llmSignatureQUJD"}]},{"role":"model","parts":[{"text":"a"}]}]})")
          == R"({"contents":[{"role":"model","parts":[{"text":""}]},{"role":"model","parts":[{"text":"a"}]}]})");
    // What another provider's model thought is no business of Google's.
    CHECK(edited(R"({"contents":[{"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"llmSignatureQUJD"}, {"text":"a"},{"text":"t","thought":true,"thoughtSignature":"R09PRw=="}]}],"model":"m"})")
          == R"({"contents":[{"role":"model","parts":[{"text":"a"},{"text":"t","thought":true,"thoughtSignature":"R09PRw=="}]}]})");
}

TEST_CASE("gemini request: presets of Google's") {
    const Preset *gemini = find_preset("gemini");
    REQUIRE(gemini);
    CHECK(gemini->url == "https://generativelanguage.googleapis.com/v1beta");
    CHECK(gemini->format == "gemini");
    const Preset *vertex = find_preset("vertex");
    REQUIRE(vertex);
    CHECK(vertex->url == "");
    CHECK(vertex->key_header == "authorization");
    CHECK(find_preset("vertex-anthropic")->format == "anthropic");
}
