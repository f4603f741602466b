#include "catch.hpp"
#include "exchange.hpp"
#include "llm/cache_key.hpp"
#include "llm/exchange.hpp"

using namespace llm;
using testing::translate_request;

namespace {

constexpr std::string_view claude =
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

WriteOptions to(std::string_view model) {
    WriteOptions options;
    options.model = model;
    return options;
}

// A Converse client's body, read and written again for Bedrock.
std::string again(std::string_view body) {
    return translate_request(bedrock_format(), bedrock_format(), body,
                             to("m"));
}

std::string from_openai(std::string_view body,
                        std::string_view model = claude) {
    return translate_request(openai_format(), bedrock_format(), body,
                             to(model));
}

std::string from_anthropic(std::string_view body,
                           std::string_view model = claude) {
    return translate_request(anthropic_format(), bedrock_format(), body,
                             to(model));
}

std::string to_openai(std::string_view body) {
    return translate_request(bedrock_format(), openai_format(), body,
                             to("gpt"));
}

std::string to_anthropic(std::string_view body) {
    WriteOptions options = to("claude-sonnet-4-5");
    options.quirks.output_config = true;
    return translate_request(bedrock_format(), anthropic_format(), body,
                             options);
}

// A body of one question.
std::string ask(std::string_view members) {
    return R"({"messages":[{"role":"user","content":"hi"}],"model":"m",)"
           + std::string(members) + "}";
}
const std::string asked =
    R"({"messages":[{"role":"user","content":[{"text":"hi"}]}])";

std::string say(std::string_view messages) {
    return R"({"model":"m","messages":)" + std::string(messages) + "}";
}

std::string converse(std::string_view content) {
    return R"({"messages":[{"role":"user","content":)" + std::string(content)
           + "}]}";
}

// The messages of a body that holds nothing else.
std::string messages_of(std::string_view body) {
    constexpr std::string_view head = R"({"messages":)";
    REQUIRE(body.starts_with(head));
    return std::string(body.substr(head.size(),
                                   body.size() - head.size() - 1));
}

bool holds(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("bedrock request: a client's body, and back, loses nothing") {
    for (std::string_view body : {
             R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})",
             // Every block that a message can hold.
             R"({"messages":[{"role":"user","content":[{"text":"a"},{"image":{"format":"png","source":{"bytes":"aQ=="}}},)"
             R"({"image":{"format":"gif","source":{"s3Location":{"uri":"s3://b/k","bucketOwner":"123456789012"}}}},)"
             R"({"document":{"format":"pdf","name":"d","source":{"bytes":"aQ=="},"citations":{"enabled":true}}},)"
             R"({"document":{"format":"txt","name":"e","source":{"text":"t"},"context":"c"}},)"
             R"({"document":{"name":"g","source":{"content":[{"text":"t"}]}}},)"
             R"({"video":{"format":"mp4","source":{"bytes":"aQ=="}}},{"audio":{"format":"wav","source":{"bytes":"aQ=="}}},)"
             R"({"searchResult":{"source":"s","title":"t","content":[{"text":"x"}],"citations":{"enabled":true}}},)"
             R"({"guardContent":{"text":{"text":"g","qualifiers":["query"]}}},{"cachePoint":{"type":"default","ttl":"1h"}}]},)"
             R"({"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},)"
             R"({"reasoningContent":{"redactedContent":"aQ=="}},{"text":"b"},)"
             R"({"citationsContent":{"content":[{"text":"c"}],"citations":[{"title":"t"}]}},)"
             R"({"toolUse":{"toolUseId":"t","name":"f","input":{"b":1,"a":2.50}}}]},)"
             R"({"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"json":{"x":1}},{"text":"y"},)"
             R"({"image":{"format":"png","source":{"bytes":"aQ=="}}}],"status":"success"}},{"cachePoint":{"type":"default"}},{"text":"go on"}]}],)"
             R"("system":[{"text":"s"},{"cachePoint":{"type":"default"}},{"guardContent":{"text":{"text":"t"}}}],)"
             R"("inferenceConfig":{"maxTokens":9,"temperature":0.50,"topP":1.0,"stopSequences":["END"],"more":1},)"
             R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}},"strict":true}},)"
             R"({"cachePoint":{"type":"default"}},{"systemTool":{"name":"s"}}],"toolChoice":{"tool":{"name":"f"}}},)"
             R"("additionalModelRequestFields":{"top_k":5,"thinking":{"type":"enabled","budget_tokens":1024},"anthropic_beta":["b"]},)"
             R"("outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"n","description":"d"}}},"effort":"low"},)"
             R"("guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"},)"
             R"("promptVariables":{"v":{"text":"t"}},"additionalModelResponseFieldPaths":["/stop_sequence"],)"
             R"("performanceConfig":{"latency":"optimized"},"aNewOne":[1],"serviceTier":{"type":"flex"},"requestMetadata":{"k":"v"}})",
             R"({"messages":[{"role":"user","content":[{"text":"hi"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{}}}}],"toolChoice":{"auto":{}}}})",
             R"({"messages":[{"role":"user","content":[{"text":"hi"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{}}}}],"toolChoice":{"any":{}}}})",
             R"({"messages":[{"role":"user","content":[{"text":"hi"}]}],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{ \"type\":\"object\"}","name":"n"}}}},"serviceTier":{"type":"reserved"}})",
             R"({"messages":[{"role":"user","content":[{"text":"hi"}]}],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{}"}}}},"serviceTier":{"type":"new"}})",
             // Newer models take the system's words in the middle.
             R"({"messages":[{"role":"user","content":[{"text":"hi"}]},{"role":"system","content":[{"text":"s"}]},{"role":"user","content":[{"text":"go"}],"new":1}]})",
         }) {
        CHECK(again(body) == body);
    }
}

TEST_CASE("bedrock request: from OpenAI, everything that can be said") {
    std::string body =
        R"({"model":"m","messages":[{"role":"system","content":"s1"},{"role":"user","content":[{"type":"text","text":"look"},)"
        R"({"type":"image_url","image_url":{"url":"data:image/jpg;base64,aQ=="}},)"
        R"({"type":"input_audio","input_audio":{"format":"wav","data":"aQ=="}},)"
        R"({"type":"file","file":{"filename":"a_b.v2.pdf","file_data":"data:application/pdf;base64,aQ=="}}]},)"
        R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"b\":1,\"a\":2}"}},)"
        R"({"id":"c2","type":"function","function":{"name":"g","arguments":""}}]},)"
        R"({"role":"tool","tool_call_id":"c1","content":"r1"},{"role":"tool","tool_call_id":"c2","content":""},)"
        R"({"role":"developer","content":"s2"},{"role":"user","content":"go"}],)"
        R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}},)"
        R"({"type":"function","function":{"name":"g"}}],"tool_choice":"required","parallel_tool_calls":true,)"
        R"("max_tokens":100,"temperature":1.5,"stop":["A","B"],"metadata":{"team":"x"},"service_tier":"flex","seed":1,"user":"u"})";
    CHECK(from_openai(body, "amazon.nova-pro-v1:0") ==
          R"({"messages":[{"role":"user","content":[{"text":"look"},{"image":{"format":"jpeg","source":{"bytes":"aQ=="}}},)"
          R"({"audio":{"format":"wav","source":{"bytes":"aQ=="}}},)"
          R"({"document":{"format":"pdf","name":"a-b-v2","source":{"bytes":"aQ=="}}}]},)"
          R"({"role":"assistant","content":[{"toolUse":{"toolUseId":"c1","name":"f","input":{"b":1,"a":2}}},)"
          R"({"toolUse":{"toolUseId":"c2","name":"g","input":{}}}]},)"
          R"({"role":"user","content":[{"toolResult":{"toolUseId":"c1","content":[{"text":"r1"}]}},)"
          R"-({"toolResult":{"toolUseId":"c2","content":[{"text":"(empty)"}]}},{"text":"go"}]}],)-"
          R"("system":[{"text":"s1"},{"text":"s2"}],"inferenceConfig":{"maxTokens":100,"temperature":1,"stopSequences":["A","B"]},)"
          R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object","properties":{"a":{"type":"integer"}}}}}},)"
          R"({"toolSpec":{"name":"g","inputSchema":{"json":{"type":"object","properties":{}}}}}],"toolChoice":{"any":{}}},)"
          R"("serviceTier":{"type":"flex"},"requestMetadata":{"team":"x"}})");
}

TEST_CASE("bedrock request: turns alternate and begin with the user's") {
    CHECK(messages_of(from_openai(say(
              R"([{"role":"assistant","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},{"role":"user","content":"d"}])")))
          == R"([{"role":"user","content":[{"text":"."}]},{"role":"assistant","content":[{"text":"a"},{"text":"b"}]},)"
             R"({"role":"user","content":[{"text":"c"},{"text":"d"}]}])");
    // Only a system prompt; blank texts; nothing to end on but white space.
    CHECK(from_openai(say(R"([{"role":"system","content":"s"}])"))
          == R"({"messages":[{"role":"user","content":[{"text":"."}]}],"system":[{"text":"s"}]})");
    CHECK(messages_of(from_openai(say(
              R"([{"role":"system","content":" "},{"role":"user","content":[{"type":"text","text":" "},{"type":"text","text":"a"}]},{"role":"assistant","content":""},{"role":"assistant","content":"b \n"}])")))
          == R"([{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"text":"b"}]}])");
}

TEST_CASE("bedrock request: calls and results belong together") {
    // One result is missing: the model is told so.
    CHECK(holds(from_openai(say(
                    R"([{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c2","content":"r"}])")),
                R"([{"toolResult":{"toolUseId":"c1","content":[{"text":"no result"}],"status":"error"}},{"toolResult":{"toolUseId":"c2","content":[{"text":"r"}]}}])"));
    // One comes too late.
    CHECK(from_openai(say(
              R"([{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"r"},{"role":"assistant","content":"b"},{"role":"tool","tool_call_id":"c1","content":"r"}])"))
          == "messages[4].tool_call_id: messages[4].tool_call_id answers no "
             "tool call of the assistant message before it");
    // A failed one says so.
    CHECK(holds(from_anthropic(
                    R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","is_error":true,"content":"boom"}]}]})"),
                R"({"toolResult":{"toolUseId":"c1","content":[{"text":"boom"}],"status":"error"}})"));
}

TEST_CASE("bedrock request: a history of calls without tools has an idle one") {
    std::string heard = from_openai(say(
        R"([{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"r"}])"));
    CHECK(holds(heard, R"("toolConfig":{"tools":[{"toolSpec":{"name":"llm_no_tool")"));
    CHECK_FALSE(holds(heard, "toolChoice"));
    // "none" is to call none of them, which only their absence says.
    heard = from_openai(ask(
        R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none")"));
    CHECK(heard == asked + "}");
}

TEST_CASE("bedrock request: ids and names that the API does not take") {
    std::string heard = from_openai(
        R"({"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"call|1","type":"function","function":{"name":"files.read","arguments":"[1]"}}]},{"role":"tool","tool_call_id":"call|1","content":"r"}],)"
        R"("tools":[{"type":"function","function":{"name":"files.read"}}],"tool_choice":{"type":"function","function":{"name":"files.read"}}})");
    // A call and its result agree.
    auto first = heard.find("id_call_1_");
    REQUIRE(first != heard.npos);
    std::string id = heard.substr(first, heard.find('"', first) - first);
    CHECK(holds(heard, R"({"toolUseId":")" + id
                           + R"(","name":"llm_name_files-2eread","input":{"input":[1]}})"));
    CHECK(holds(heard, R"({"toolResult":{"toolUseId":")" + id + "\""));
    CHECK(holds(heard, R"("toolChoice":{"tool":{"name":"llm_name_files-2eread"}})"));

    std::string longest(65, 'n');
    heard = from_openai(ask(R"("tools":[{"type":"function","function":{"name":")"
                            + longest + R"("}}])"));
    CHECK(holds(heard, R"("name":"llm_cut_)"));
    CHECK_FALSE(holds(heard, longest));
    std::string id65(65, 'i');
    heard = from_openai(say(
        R"([{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":")"
        + id65 + R"(","type":"function","function":{"name":"f","arguments":"{}"}}]}])"));
    CHECK(holds(heard, R"("toolUseId":"id_iiii)"));
    CHECK_FALSE(holds(heard, id65));
}

TEST_CASE("bedrock request: custom tools") {
    std::string heard = from_openai(
        R"({"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"sql","input":"select 1"}}]},{"role":"tool","tool_call_id":"c","content":"1"}],)"
        R"("tools":[{"type":"custom","custom":{"name":"sql","description":"d"}}],"tool_choice":{"type":"custom","custom":{"name":"sql"}}})");
    CHECK(holds(heard, R"({"toolUse":{"toolUseId":"c","name":"llm_custom_sql","input":{"input":"select 1"}}})"));
    CHECK(holds(heard, R"({"toolSpec":{"name":"llm_custom_sql","description":"d","inputSchema":{"json":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}}})"));
    CHECK(holds(heard, R"("toolChoice":{"tool":{"name":"llm_custom_sql"}})"));
}

TEST_CASE("bedrock request: what the API cannot do is refused by name") {
    auto refused = [](std::string_view member, std::string_view model = claude) {
        std::string heard = from_openai(ask(member), model);
        return heard.substr(0, heard.find(':'));
    };
    CHECK(refused(R"("n":2)") == "n");
    CHECK(refused(R"("logprobs":true)") == "logprobs");
    CHECK(refused(R"("modalities":["text","audio"],"audio":{"voice":"a","format":"wav"})") == "modalities");
    CHECK(refused(R"("web_search_options":{})") == "web_search_options");
    CHECK(refused(R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}})",
                  "meta.llama3-1-70b-instruct-v1:0")
          == "response_format");
    for (std::string_view part :
         {R"({"type":"image_url","image_url":{"url":"https://x/y.png"}})",
          R"({"type":"image_url","image_url":{"url":"data:image/tiff;base64,aQ=="}})",
          R"({"type":"file","file":{"file_id":"file-1"}})",
          R"({"type":"file","file":{"filename":"a.zip","file_data":"data:application/zip;base64,aQ=="}})"}) {
        std::string heard = from_openai(say(
            R"([{"role":"user","content":[)" + std::string(part) + "]}]"));
        INFO(heard);
        CHECK(heard.starts_with("messages[0].content[0]: "));
    }
    // A part of the prompt that only Google has.
    CHECK(from_anthropic(
              R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],"cachedContent":"c"})")
              .starts_with("cachedContent: "));
    // Where the operator wants it so, it is left out.
    WriteOptions generous = to(claude);
    generous.drop_unsupported = true;
    CHECK(translate_request(openai_format(), bedrock_format(), ask(R"("n":2)"),
                            generous)
          == asked + "}");
    CHECK(translate_request(
              openai_format(), bedrock_format(),
              say(R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}])"),
              generous)
          == R"({"messages":[{"role":"user","content":[{"text":"."}]}]})");
}

TEST_CASE("bedrock request: hints are left out without a word") {
    CHECK(from_openai(ask(
              R"("seed":1,"logit_bias":{"1":1},"frequency_penalty":1,"presence_penalty":1,"verbosity":"low","user":"u","store":true,"parallel_tool_calls":false,"service_tier":"auto","metadata":{"bad":"caf\u00e9"})"))
          == asked + "}");
}

TEST_CASE("bedrock request: documents have names, each its own, and a text") {
    CHECK(messages_of(from_openai(say(
              R"([{"role":"user","content":[{"type":"file","file":{"filename":"a.txt","file_data":"data:text/plain;base64,aQ=="}},)"
              R"({"type":"file","file":{"filename":"a.md","file_data":"data:text/markdown;base64,aQ=="}},)"
              R"-({"type":"file","file":{"filename":"  r\u00e9sum\u00e9  (1).docx","file_data":"data:application/octet-stream;base64,aQ=="}}]}])-")))
          == R"([{"role":"user","content":[{"document":{"format":"txt","name":"a","source":{"bytes":"aQ=="}}},)"
             R"-({"document":{"format":"md","name":"a (2)","source":{"bytes":"aQ=="}}},)-"
             R"-({"document":{"format":"docx","name":"r--sum-- (1)","source":{"bytes":"aQ=="}}},{"text":"."}]}])-");
}

TEST_CASE("bedrock request: what each vendor's models take") {
    auto rest = [](std::string_view member, std::string_view model) {
        std::string heard = from_openai(ask(member), model);
        REQUIRE(heard.starts_with(asked));
        return heard.substr(asked.size());
    };
    // top_k has other names.
    std::string_view top_k = R"("top_k":5)";
    CHECK(rest(top_k, claude)
          == R"(,"additionalModelRequestFields":{"top_k":5}})");
    CHECK(rest(top_k, "amazon.nova-lite-v1:0")
          == R"(,"additionalModelRequestFields":{"inferenceConfig":{"topK":5}}})");
    CHECK(rest(top_k, "cohere.command-r-v1:0")
          == R"(,"additionalModelRequestFields":{"k":5}})");
    CHECK(rest(top_k, "meta.llama3-1-70b-instruct-v1:0") == "}");
    // So has thinking.
    std::string_view effort = R"("reasoning_effort":"high")";
    CHECK(rest(effort, claude)
          == R"(,"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":4096}}})");
    CHECK(rest(effort, "us.anthropic.claude-opus-4-6-v1")
          == R"(,"additionalModelRequestFields":{"thinking":{"type":"adaptive"}},"outputConfig":{"effort":"high"}})");
    CHECK(rest(R"("reasoning_effort":"xhigh")", "openai.gpt-oss-120b-1:0")
          == R"(,"additionalModelRequestFields":{"reasoning_effort":"high"}})");
    CHECK(rest(effort, "amazon.nova-2-lite-v1:0")
          == R"(,"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}}})");
    CHECK(rest(effort, "anthropic.claude-3-haiku-20240307-v1:0") == "}");
    CHECK(rest(R"("reasoning_effort":"none")", "openai.gpt-oss-20b-1:0")
          == "}");
    // Thinking and sampling, or both of sampling, exclude one another.
    CHECK(rest(R"("reasoning_effort":"low","temperature":0.2,"top_k":5,"max_tokens":3000)", claude)
          == R"(,"inferenceConfig":{"maxTokens":3000},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}})");
    CHECK(rest(R"("temperature":0.2,"top_p":0.9)", claude)
          == R"(,"inferenceConfig":{"temperature":0.2}})");
    CHECK(rest(R"("temperature":0.2,"top_p":0.9)", "meta.llama3")
          == R"(,"inferenceConfig":{"temperature":0.2,"topP":0.9}})");
    // No room for thinking and an answer.
    CHECK(rest(R"("reasoning_effort":"low","max_tokens":900)", claude)
          == R"(,"inferenceConfig":{"maxTokens":900}})");
    // Which sequence stopped it, Claude can say.
    CHECK(rest(R"("stop":"END")", claude)
          == R"(,"inferenceConfig":{"stopSequences":["END"]},"additionalModelResponseFieldPaths":["/stop_sequence"]})");
}

TEST_CASE("bedrock request: an answer that is held to a schema") {
    std::string_view format =
        R"("response_format":{"type":"json_schema","json_schema":{"name":"place","schema":{"type":"object","properties":{"city":{"type":"string"}}}}})";
    CHECK(from_openai(ask(format))
          == asked
                 + R"(,"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"additionalProperties\":false}","name":"place"}}}}})");
    // Where there is no such thing, a tool takes the answer.
    CHECK(from_openai(ask(format), "amazon.nova-pro-v1:0")
          == asked
                 + R"(,"toolConfig":{"tools":[{"toolSpec":{"name":"llm_structured_answer","description":"Gives the answer. Call it once, with the whole answer as its input.","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"}}}}}}],"toolChoice":{"tool":{"name":"llm_structured_answer"}}}})");
    CHECK(holds(from_openai(ask(std::string(format)
                                + R"(,"tools":[{"type":"function","function":{"name":"f"}}])"),
                            "anthropic.claude-3-haiku-20240307-v1:0"),
                R"("toolChoice":{"any":{}})"));
    CHECK(holds(from_openai(ask(R"("response_format":{"type":"json_object"})")),
                R"("system":[{"text":"Answer with one JSON object and nothing else)"));
    // A strict tool, where the model can be held to one.
    std::string_view strict =
        R"("tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":{},"required":[]}}}])";
    CHECK(holds(from_openai(ask(strict)), R"("strict":true)"));
    CHECK_FALSE(holds(from_openai(ask(strict), "amazon.nova-pro-v1:0"),
                      "strict"));
}

TEST_CASE("bedrock request: from Anthropic") {
    CHECK(from_anthropic(
              R"({"model":"m","max_tokens":4000,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],)"
              R"("messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/webp","data":"aQ=="}},{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]},)"
              R"({"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"redacted_thinking","data":"cg=="},{"type":"tool_use","id":"t","name":"f","input":{"x":1}}]},)"
              R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"r","cache_control":{"type":"ephemeral"}}]}]}],)"
              R"("tools":[{"name":"f","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}],)"
              R"("thinking":{"type":"enabled","budget_tokens":2000},"top_k":4,"stop_sequences":["END"]})")
          == R"({"messages":[{"role":"user","content":[{"image":{"format":"webp","source":{"bytes":"aQ=="}}},{"text":"a"},{"cachePoint":{"type":"default"}}]},)"
             R"({"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},{"reasoningContent":{"redactedContent":"cg=="}},{"toolUse":{"toolUseId":"t","name":"f","input":{"x":1}}}]},)"
             R"({"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"text":"r"}]}},{"cachePoint":{"type":"default"}}]}],)"
             R"("system":[{"text":"s"},{"cachePoint":{"type":"default","ttl":"1h"}}],)"
             R"("inferenceConfig":{"maxTokens":4000,"stopSequences":["END"]},)"
             R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}},{"cachePoint":{"type":"default"}}]},)"
             R"("additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}},"additionalModelResponseFieldPaths":["/stop_sequence"]})");
    // Models that cannot cache refuse the marks.
    CHECK_FALSE(holds(
        from_anthropic(
            R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}]})",
            "meta.llama3"),
        "cachePoint"));
}

TEST_CASE("bedrock request: thinking that nobody signed is left out") {
    CHECK(messages_of(from_openai(say(
              R"([{"role":"user","content":"a"},{"role":"assistant","content":"b","reasoning_content":"hm"}])")))
          == R"([{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"text":"b"}]}])");
}

TEST_CASE("bedrock request: a thought must begin the turn that goes on") {
    auto heard = [](std::string_view reasoning) {
        return from_openai(
            R"({"model":"m","max_tokens":9000,"reasoning_effort":"high","messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,)"
            + std::string(reasoning)
            + R"("tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
              R"({"role":"tool","tool_call_id":"c","content":"r"}]})");
    };
    CHECK(holds(heard(R"("reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"EqQB"}],)"),
                R"("thinking":{"type":"enabled","budget_tokens":4096})"));
    std::string without = heard("");
    CHECK_FALSE(holds(without, "thinking"));
    CHECK(heard(R"("reasoning_content":"hm",)") == without);
    CHECK(heard(R"("reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"rs_1:gAAA"}],)")
          == without);
}

TEST_CASE("bedrock request: to OpenAI") {
    std::string heard = to_openai(
        R"({"messages":[{"role":"user","content":[{"text":"a"},{"image":{"format":"png","source":{"bytes":"aQ=="}}},)"
        R"({"document":{"format":"pdf","name":"d","source":{"bytes":"aQ=="}}},{"document":{"format":"txt","name":"n","source":{"text":"t"}}},)"
        R"({"searchResult":{"title":"T","source":"S","content":[{"text":"x"},{"text":"y"}]}},{"guardContent":{"text":{"text":"g"}}}]},)"
        R"({"role":"assistant","content":[{"text":"b"},{"toolUse":{"toolUseId":"t","name":"f","input":{"x":1}}}]},)"
        R"({"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"json":{"y":2}}],"status":"error"}},{"text":"go"}]}],)"
        R"("system":[{"text":"s"}],"inferenceConfig":{"maxTokens":9,"temperature":0.5,"topP":0.9,"stopSequences":["END"]},)"
        R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"tool":{"name":"f"}}},)"
        R"("outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"n"}}},"effort":"low"},)"
        R"("requestMetadata":{"k":"v"},"serviceTier":{"type":"priority"}})");
    for (std::string_view part :
         {R"({"role":"system","content":"s"})",
          R"({"type":"image_url","image_url":{"url":"data:image/png;base64,aQ=="}})",
          R"("filename":"d.pdf")", R"("text":"n\n\nt")",
          R"("text":"T\nS\n\nx\ny")", R"("text":"g")",
          R"("tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}])",
          R"({"role":"tool","tool_call_id":"t","content":"Error: {\"y\":2}"})",
          R"({"role":"user","content":"go"})", R"("max_tokens":9)",
          R"("temperature":0.5)", R"("top_p":0.9)", R"("stop":["END"])",
          R"("tool_choice":{"type":"function","function":{"name":"f"}})",
          R"("json_schema":{"name":"n")", R"("schema":{"type":"object"})",
          R"("reasoning_effort":"low")", R"("metadata":{"k":"v"})",
          R"("service_tier":"priority")"}) {
        INFO(part << " in " << heard);
        CHECK(holds(heard, part));
    }
}

TEST_CASE("bedrock request: to Anthropic") {
    std::string heard = to_anthropic(
        R"({"messages":[{"role":"user","content":[{"text":"a"},{"cachePoint":{"type":"default"}}]},)"
        R"({"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},{"reasoningContent":{"redactedContent":"cg=="}},{"text":"b"}]},)"
        R"({"role":"user","content":[{"text":"c"}]}],"system":[{"text":"s"},{"cachePoint":{"type":"default","ttl":"1h"}}],)"
        R"("additionalModelRequestFields":{"top_k":5,"thinking":{"type":"enabled","budget_tokens":1024}},)"
        R"("inferenceConfig":{"maxTokens":3000},"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}},{"cachePoint":{"type":"default"}}]}})");
    for (std::string_view part :
         {R"({"type":"text","text":"a","cache_control":{"type":"ephemeral"}})",
          R"({"type":"thinking","thinking":"hm","signature":"s"})",
          R"({"type":"redacted_thinking","data":"cg=="})",
          R"({"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}})",
          R"("thinking":{"type":"enabled","budget_tokens":1024})",
          R"("max_tokens":3000)",
          R"({"name":"f","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}})"}) {
        INFO(part << " in " << heard);
        CHECK(holds(heard, part));
    }
}

TEST_CASE("bedrock request: what is wrong in it is named") {
    auto error = [](std::string_view body) { return again(body); };
    CHECK(error("{}") == "messages: messages is required");
    CHECK(error(R"({"messages":[]})") == "messages: messages must not be empty");
    CHECK(error(R"({"messages":{}})") == "messages: messages must be an array");
    CHECK(error(R"({"messages":[1]})") == "messages[0]: messages[0] must be an object");
    CHECK(error(R"({"messages":[{"role":"tool","content":[]}]})")
          == "messages[0].role: messages[0].role has an unknown value \"tool\"");
    CHECK(error(R"({"messages":[{"role":"user"}]})")
          == "messages[0].content: messages[0].content is required");
    CHECK(error(R"({"messages":[{"role":"user","content":"hi"}]})")
          == "messages[0].content: messages[0].content must be an array");
    CHECK(error(converse("[{}]"))
          == "messages[0].content[0]: messages[0].content[0] is empty");
    CHECK(error(converse(R"([{"smell":{}}])"))
          == "messages[0].content[0]: messages[0].content[0] cannot be \"smell\" in this place");
    CHECK(error(converse(R"([{"toolUse":{}}])"))
          == "messages[0].content[0]: messages[0].content[0] cannot be \"toolUse\" in this place");
    CHECK(error(converse(R"([{"text":7}])"))
          == "messages[0].content[0].text: messages[0].content[0].text must be a string");
    CHECK(error(converse(R"([{"image":{"format":"bmp","source":{"bytes":""}}}])"))
          == "messages[0].content[0].image.format: messages[0].content[0].image.format has an unknown value \"bmp\"");
    CHECK(error(converse(R"([{"image":{"format":"png"}}])"))
          == "messages[0].content[0].image.source: messages[0].content[0].image.source is required");
    CHECK(error(converse(R"([{"toolResult":{"content":[]}}])"))
          == "messages[0].content[0].toolResult.toolUseId: messages[0].content[0].toolResult.toolUseId is required");
    auto with = [&](std::string_view member) {
        std::string heard = error(R"({"messages":[{"role":"user","content":[{"text":"a"}]}],)"
                                  + std::string(member) + "}");
        return heard.substr(0, heard.find(':'));
    };
    CHECK(with(R"("system":"s")") == "system");
    CHECK(with(R"("inferenceConfig":[])") == "inferenceConfig");
    CHECK(with(R"("inferenceConfig":{"maxTokens":0})") == "inferenceConfig.maxTokens");
    CHECK(with(R"("inferenceConfig":{"temperature":1.5})") == "inferenceConfig.temperature");
    CHECK(with(R"("inferenceConfig":{"topP":"1"})") == "inferenceConfig.topP");
    CHECK(with(R"("inferenceConfig":{"stopSequences":"x"})") == "inferenceConfig.stopSequences");
    CHECK(with(R"("inferenceConfig":{"stopSequences":[1]})") == "inferenceConfig.stopSequences[0]");
    CHECK(with(R"("toolConfig":{})") == "toolConfig.tools");
    CHECK(with(R"("toolConfig":{"tools":[{"toolSpec":{}}]})") == "toolConfig.tools[0].toolSpec.name");
    CHECK(with(R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{}}}]})")
          == "toolConfig.tools[0].toolSpec.inputSchema");
    CHECK(with(R"("toolConfig":{"tools":[],"toolChoice":{"none":{}}})") == "toolConfig.toolChoice");
    CHECK(with(R"("outputConfig":{"textFormat":{"type":"xml"}})") == "outputConfig.textFormat.type");
    CHECK(with(R"("outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{"}}}})")
          == "outputConfig.textFormat.structure.jsonSchema.schema");
    CHECK(with(R"("serviceTier":"flex")") == "serviceTier");
    CHECK(with(R"("requestMetadata":1)") == "requestMetadata");
    CHECK(with(R"("additionalModelRequestFields":{"thinking":{"type":"enabled"}})")
          == "additionalModelRequestFields.thinking.budget_tokens");
}

TEST_CASE("bedrock routes: the path names the model and whether to stream") {
    RouteMatch match = match_route("/llm/model/us.anthropic.claude-v1:0/converse", {});
    CHECK(match.format == &bedrock_format());
    CHECK(match.operation == Operation::chat);
    CHECK(match.model == "us.anthropic.claude-v1:0");
    CHECK_FALSE(match.stream);
    // An ARN has slashes.
    match = match_route("/model/arn:aws:bedrock:us-east-1:1:inference-profile/us.x/converse-stream", {});
    CHECK(match.format == &bedrock_format());
    CHECK(match.model == "arn:aws:bedrock:us-east-1:1:inference-profile/us.x");
    CHECK(match.stream);
    CHECK(match_route("/foundation-models", {}).operation == Operation::models);
    CHECK(match_route("/model//converse", {}).format == nullptr);
}

TEST_CASE("bedrock routes: the model cannot leave its place in the path") {
    CallPath call;
    call.model = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.x-v1:0";
    CHECK(bedrock_format().path(call)
          == "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.x-v1%3A0/converse");
    call.model = "../../x?y#z";
    call.stream = true;
    CHECK(bedrock_format().path(call)
          == "/model/..%2F..%2Fx%3Fy%23z/converse-stream");
}

TEST_CASE("bedrock head: what routing needs") {
    json::Document document;
    RouteMatch route;
    route.model = "m";
    route.stream = true;
    REQUIRE(document.parse(
        R"({"messages":[{"role":"user","content":[]}],"inferenceConfig":{"maxTokens":7}})"));
    auto head = bedrock_format().parse_head(document, route);
    REQUIRE(head);
    CHECK(head->model == "m");
    CHECK(head->stream);
    CHECK(head->include_usage);
    CHECK(head->max_tokens == 7);
    CHECK_FALSE(bedrock_format().parse_head(document, {}));

    // A prompt that Bedrock keeps has its own messages.
    REQUIRE(document.parse("{}"));
    CHECK_FALSE(bedrock_format().parse_head(document, route));
    route.model = "arn:aws:bedrock:us-east-1:1:prompt/P:1";
    CHECK(bedrock_format().parse_head(document, route));
}

TEST_CASE("bedrock request: what only Bedrock can honour goes nowhere else") {
    std::string body =
        R"({"messages":[{"role":"user","content":[{"text":"a"}]}],"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"}})";
    std::pmr::monotonic_buffer_resource memory;
    Exchange exchange(bedrock_format(), body, {}, &memory);
    RouteMatch route;
    route.model = "m";
    REQUIRE(exchange.open(route));

    Target target;
    target.format = &openai_format();
    target.model = "gpt";
    auto outcome = exchange.prepare(target);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().kind == ErrorKind::unsupported);
    CHECK(outcome.error().param == "guardrailConfig");

    target.drop_unsupported = true;
    CHECK(exchange.prepare(target));

    // To Bedrock it goes as it is.
    target.drop_unsupported = false;
    target.format = &bedrock_format();
    REQUIRE(exchange.prepare(target));
    REQUIRE(exchange.pieces().size() == 1);
    CHECK(exchange.pieces().front() == body);
}

TEST_CASE("bedrock request: the cache knows another API's call again") {
    auto key = [](const Format &format, std::string_view body) {
        json::Document document;
        std::pmr::monotonic_buffer_resource memory;
        REQUIRE(document.parse(body));
        auto request = format.parse_request(document, &memory);
        REQUIRE(request);
        request->model = "m";
        return cache::make_key(*request, {}, &memory).exact.hex();
    };
    // The ids of calls are of no meaning, and neither is the tier.
    auto mine = [&](std::string_view id, std::string_view rest) {
        std::string quoted = "\"" + std::string(id) + "\"";
        return key(
            bedrock_format(),
            R"({"system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"a"},{"image":{"format":"png","source":{"bytes":"aQ=="}}}]},)"
            R"({"role":"assistant","content":[{"toolUse":{"toolUseId":)" + quoted
                + R"(,"name":"f","input":{"x":1}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":)" + quoted
                + R"(,"content":[{"text":"r"}]}}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}}}}]},)"
                + R"("inferenceConfig":{"maxTokens":9,"temperature":0.5})" + std::string(rest) + "}");
    };
    std::string one = mine("t1", "");
    CHECK(mine("t2", R"(,"serviceTier":{"type":"flex"},"requestMetadata":{"k":"v"})") == one);
    CHECK(mine("t1", R"(,"guardrailConfig":{"guardrailIdentifier":"g"})") != one);
    CHECK(key(anthropic_format(),
              R"({"model":"m","max_tokens":9,"temperature":0.5,"system":"s","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aQ=="}}]},)"
              R"({"role":"assistant","content":[{"type":"tool_use","id":"x","name":"f","input":{"x":1}}]},)"
              R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"x","content":"r"}]}],"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}]})")
          == one);
}
