// OpenAI's Responses API: requests.
#include <memory>
#include <memory_resource>
#include <string>

#include "catch.hpp"
#include "exchange.hpp"
#include "llm/format.hpp"

using namespace llm;
using chat::PartType;
using chat::Role;
using testing::translate_request;

namespace {

// A body, its tree and the request: what a request's views need to live.
struct Parsed {
    explicit Parsed(std::string text) : body(std::move(text)) {
        INFO(body);
        REQUIRE(document.parse(body));
        result = std::make_unique<Result<chat::Request>>(
            responses_format().parse_request(document, &memory));
    }
    chat::Request &operator*() {
        INFO((*result ? "" : result->error().message));
        REQUIRE(*result);
        return **result;
    }
    const Error &error() {
        REQUIRE_FALSE(*result);
        return result->error();
    }

    std::string body;
    json::Document document;
    std::pmr::monotonic_buffer_resource memory;
    std::unique_ptr<Result<chat::Request>> result;
};

std::string with_input(std::string_view input, std::string_view more = "") {
    return R"({"model":"m","input":)" + std::string(input) + std::string(more)
           + "}";
}

std::string error_of(std::string body) {
    Parsed parsed(std::move(body));
    return testing::describe(parsed.error());
}

std::string to_openai(std::string body, WriteOptions options = {}) {
    options.model = "m";
    return translate_request(responses_format(), openai_format(), body,
                             options);
}

std::string from_openai(std::string_view more,
                        std::string_view messages =
                            R"([{"role":"user","content":"Hi"}])",
                        WriteOptions options = {}) {
    options.model = "m";
    return translate_request(openai_format(), responses_format(),
                             R"({"model":"m","messages":)"
                                 + std::string(messages) + std::string(more)
                                 + "}",
                             options);
}

// What every request to a provider of this API ends with.
const std::string tail = R"(,"store":false})";

std::string round_trip(std::string body) {
    Parsed parsed(std::move(body));
    std::string out;
    auto outcome = responses_format().write_request(*parsed, {.model = "m"},
                                                    out);
    REQUIRE(outcome);
    return out;
}

RequestHead head_of(std::string_view body) {
    json::Document document;
    REQUIRE(document.parse(body));
    auto head = responses_format().parse_head(document, {});
    REQUIRE(head);
    return {"", head->stream, head->include_usage, head->max_tokens};
}

std::string head_error(std::string_view body) {
    json::Document document;
    REQUIRE(document.parse(body));
    auto head = responses_format().parse_head(document, {});
    REQUIRE_FALSE(head);
    return testing::describe(head.error());
}

std::string edited(std::string_view body, std::string_view model = "m") {
    json::Document document;
    REQUIRE(document.parse(body));
    auto edits = responses_format().request_edits(body, document,
                                                  {.model = model});
    std::string out;
    json::apply_edits(body, edits, out);
    return out;
}

}  // namespace

TEST_CASE("responses: the path ends with it") {
    auto route = match_route("/v1/responses", ClientHints{});
    CHECK(route.format == &responses_format());
    CHECK(route.operation == Operation::chat);
    // A stored response is another resource.
    CHECK(match_route("/v1/responses/resp_1", ClientHints{}).format == nullptr);

    CallPath call;
    call.model = "gpt-5";
    CHECK(responses_format().path(call) == "/responses");
    call.quirks.hosting = Hosting::azure_deployments;
    call.quirks.api_version = "2025-04-01-preview";
    CHECK(responses_format().path(call)
          == "/responses?api-version=2025-04-01-preview");
}

TEST_CASE("responses: the head") {
    CHECK(head_of(with_input("\"Hi\"")).stream == false);
    auto head = head_of(with_input("[]",
                                   R"(,"stream":true,"max_output_tokens":7)"));
    CHECK(head.stream);
    CHECK(head.include_usage);
    CHECK(head.max_tokens == 7);
    // A stored prompt or conversation may be all of the input.
    head_of(R"({"model":"m","previous_response_id":"resp_1"})");
    head_of(R"({"model":"m","prompt":{"id":"pmpt_1"}})");

    CHECK(head_error(R"({"input":"Hi"})") == "model: model is missing");
    CHECK(head_error(R"({"model":"m"})") == "input: input is missing");
    CHECK(head_error(R"({"model":"m","input":{}})")
          == "input: input must be a string or an array of items");
    CHECK(head_error(with_input("\"Hi\"", R"(,"stream":1)"))
          == "stream: stream must be true or false");
    CHECK(head_error(with_input("\"Hi\"", R"(,"max_output_tokens":0)"))
          == "max_output_tokens: max_output_tokens must be an integer of at "
             "least 1");
}

TEST_CASE("responses: a text is what the user says") {
    CHECK(to_openai(with_input("\"Hi\""))
          == R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})");
    CHECK(to_openai(R"({"input":"Hi","instructions":"Be brief","model":"m"})")
          == R"({"model":"m","messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"Hi"}]})");
}

TEST_CASE("responses: messages with every part") {
    Parsed parsed(with_input(R"([
        {"role":"developer","content":"d"},
        {"type":"message","role":"system","content":[{"type":"input_text","text":"s"}]},
        {"role":"user","content":[
            {"type":"input_text","text":"t"},
            {"type":"input_image","image_url":"https://h/i.png","detail":"high"},
            {"type":"input_image","image_url":"data:image/png;base64,QUJD"},
            {"type":"input_image","file_id":"file_1"},
            {"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,QUJD"},
            {"type":"input_file","file_url":"https://h/a.pdf"},
            {"type":"input_audio","input_audio":{"data":"QUJD","format":"wav"}}]},
        {"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[
            {"type":"output_text","text":"a","annotations":[]},
            {"type":"refusal","refusal":"r"}]}])"));
    const auto &messages = (*parsed).messages;
    REQUIRE(messages.size() == 4);
    CHECK(messages[0].role == Role::developer);
    CHECK(messages[0].parts.at(0).text == "d");
    CHECK(messages[1].role == Role::system);
    CHECK(messages[1].parts.at(0).text == "s");

    const auto &user = messages[2].parts;
    REQUIRE(user.size() == 7);
    CHECK(user[0].text == "t");
    CHECK(user[1].type == PartType::image);
    CHECK(user[1].url == "https://h/i.png");
    CHECK(user[1].detail == "high");
    CHECK(user[2].media_type == "image/png");
    CHECK(user[2].data == "QUJD");
    CHECK(user[3].file_id == "file_1");
    CHECK(user[4].type == PartType::file);
    CHECK(user[4].filename == "a.pdf");
    CHECK(user[4].media_type == "application/pdf");
    CHECK(user[4].data == "QUJD");
    CHECK(user[5].url == "https://h/a.pdf");
    CHECK(user[6].type == PartType::audio);
    CHECK(user[6].media_type == "audio/wav");

    const auto &assistant = messages[3].parts;
    REQUIRE(assistant.size() == 2);
    CHECK(assistant[0].text == "a");
    CHECK(assistant[1].type == PartType::refusal);
    CHECK(assistant[1].text == "r");
}

TEST_CASE("responses: thoughts, words and calls of one turn are one message") {
    CHECK(to_openai(with_input(R"([
        {"role":"user","content":"weather?"},
        {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}]},
        {"type":"message","role":"assistant","content":[{"type":"output_text","text":"Let me look."}]},
        {"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\": 1}","status":"completed"},
        {"type":"function_call","call_id":"call_2","name":"g","arguments":""},
        {"type":"function_call_output","call_id":"call_1","output":"sunny"},
        {"type":"function_call_output","call_id":"call_2","output":[{"type":"input_text","text":"two"},{"type":"input_text","text":"lines"}]},
        {"role":"user","content":"thanks"}])"))
          == R"({"model":"m","messages":[{"role":"user","content":"weather?"},)"
             R"({"role":"assistant","content":"Let me look.","tool_calls":[)"
             R"({"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}},)"
             R"({"id":"call_2","type":"function","function":{"name":"g","arguments":"{}"}}]},)"
             R"({"role":"tool","tool_call_id":"call_1","content":"sunny"},)"
             R"({"role":"tool","tool_call_id":"call_2","content":"two\nlines"},)"
             R"({"role":"user","content":"thanks"}]})");
}

TEST_CASE("responses: custom tools and their calls") {
    CHECK(to_openai(with_input(R"([
        {"role":"user","content":"q"},
        {"type":"custom_tool_call","call_id":"c1","name":"sql","input":"select 1"},
        {"type":"custom_tool_call_output","call_id":"c1","output":"1"}])",
        R"(,"tools":[{"type":"custom","name":"sql","description":"d","format":{"type":"grammar","syntax":"lark","definition":"start: WORD"}}],)"
        R"("tool_choice":{"type":"custom","name":"sql"})"))
          == R"({"model":"m","messages":[{"role":"user","content":"q"},)"
             R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"custom","custom":{"name":"sql","input":"select 1"}}]},)"
             R"({"role":"tool","tool_call_id":"c1","content":"1"}],)"
             R"("tools":[{"type":"custom","custom":{"name":"sql","description":"d","format":{"type":"grammar","grammar":{"definition":"start: WORD","syntax":"lark"}}}}],)"
             R"("tool_choice":{"type":"custom","custom":{"name":"sql"}}})");
    // What holds the model to a grammar is not lost without a word.
    std::string grammar = with_input("\"q\"", R"(,"tools":[{"type":"custom","name":"sql","format":{"type":"grammar","syntax":"lark","definition":"x"}}])");
    for (const Format *provider :
         {&anthropic_format(), &bedrock_format(), &gemini_format(),
          &cohere_format(), &ollama_format()}) {
        CHECK(translate_request(responses_format(), *provider, grammar)
              == "tools[0].format: tools[0].format must be text for this "
                 "model's provider");
    }
}

TEST_CASE("responses: a choice among some tools reaches every API") {
    std::string body = with_input("\"q\"",
        R"(,"tools":[{"type":"function","name":"f"},{"type":"function","name":"g"}],)"
        R"("tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"g"}]})");
    struct {
        const Format &provider;
        std::string_view demand;
    } rows[] = {
        {anthropic_format(), R"("tool_choice":{"type":"any"})"},
        {bedrock_format(), R"("toolChoice":{"any":{}})"},
        {gemini_format(), R"("mode":"ANY")"},
        {cohere_format(), R"("tool_choice":"REQUIRED")"},
    };
    WriteOptions options;
    options.model = "m";
    for (const auto &row : rows) {
        std::string written =
            translate_request(responses_format(), row.provider, body, options);
        INFO(row.provider.name() << ": " << written);
        CHECK(written.find(row.demand) != std::string::npos);
        CHECK(written.find(R"("name":"g")") != std::string::npos);
        CHECK(written.find(R"("name":"f")") == std::string::npos);
    }
    // It cannot make a model call one.
    CHECK(translate_request(responses_format(), ollama_format(), body, options)
              .find("tool_choice: a demand that a tool is called") == 0);
}

TEST_CASE("responses: settings") {
    CHECK(to_openai(with_input("\"q\"",
        R"(,"max_output_tokens":50,"temperature":0.50,"top_p":1,"user":"u","service_tier":"flex",)"
        R"("reasoning":{"effort":"low","summary":"auto"},"parallel_tool_calls":false,"stream":true,)"
        R"("text":{"verbosity":"low","format":{"type":"json_schema","name":"n","description":"d","schema":{"type":"object"},"strict":true}},)"
        R"("tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":true},{"type":"function","name":"g","parameters":null}],)"
        R"("tool_choice":"required","include":["reasoning.encrypted_content","message.output_text.logprobs"],"top_logprobs":3,)"
        R"("store":true,"metadata":{"a":"b"},"truncation":"auto","max_tool_calls":3,"safety_identifier":"x","prompt_cache_key":"k")"))
          == R"({"model":"m","messages":[{"role":"user","content":"q"}],"max_tokens":50,"temperature":0.50,"top_p":1,)"
             R"("logprobs":true,"top_logprobs":3,"verbosity":"low","user":"u","service_tier":"flex",)"
             R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}},)"
             R"({"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}],)"
             R"("tool_choice":"required","parallel_tool_calls":false,)"
             R"("response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d","schema":{"type":"object"},"strict":true}},)"
             R"("reasoning_effort":"low","stream":true,"stream_options":{"include_usage":true}})");
    CHECK(to_openai(with_input("\"q\"", R"(,"text":{"format":{"type":"json_object"}})"))
              .find(R"("response_format":{"type":"json_object"})")
          != std::string::npos);
}

TEST_CASE("responses: null is what was left out") {
    CHECK(to_openai(with_input("\"q\"",
              R"(,"instructions":null,"tools":null,"tool_choice":null,"text":null,"reasoning":null,"max_output_tokens":null,"previous_response_id":null,"stream":null,"background":false)"))
          == to_openai(with_input("\"q\"")));
    CHECK(to_openai(with_input(R"([{"role":"user","content":"q"},{"role":"assistant","content":null},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"r"}])"))
              .find(R"({"role":"assistant","content":null,"tool_calls":[)")
          != std::string::npos);
}

TEST_CASE("responses: only allowed tools are offered where there is no such list") {
    std::string body = with_input("\"q\"",
        R"(,"tools":[{"type":"function","name":"a"},{"type":"function","name":"b"}],)"
        R"("tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"b"}]})");
    CHECK(to_openai(body).find(
              R"("tools":[{"type":"function","function":{"name":"b","parameters":{"type":"object","properties":{}}}}],"tool_choice":"required")")
          != std::string::npos);
    std::string there = translate_request(responses_format(),
                                          anthropic_format(), body);
    CHECK(there.find(R"("tools":[{"name":"b")") != std::string::npos);
    CHECK(there.find(R"("tool_choice":{"type":"any"})") != std::string::npos);
}

TEST_CASE("responses: what only a server that keeps responses can do is refused") {
    struct {
        std::string_view more;
        std::string_view param;
    } const rows[] = {
        {R"("input":"q","previous_response_id":"resp_1")", "previous_response_id"},
        {R"("previous_response_id":"resp_1")", "previous_response_id"},
        {R"("input":"q","conversation":"conv_1")", "conversation"},
        {R"("input":"q","conversation":{"id":"conv_1"})", "conversation"},
        {R"("prompt":{"id":"pmpt_1"})", "prompt"},
        {R"("input":"q","background":true)", "background"},
        {R"("input":[{"type":"item_reference","id":"msg_1"}])", "input[0].type"},
        {R"("input":[{"id":"msg_1"}])", "input[0].type"},
        {R"("input":[{"type":"computer_call_output","call_id":"c","output":{}}])", "input[0].type"},
        {R"("input":[{"type":"compaction","encrypted_content":"x"}])", "input[0].type"},
        {R"("input":"q","tools":[],"tool_choice":{"type":"web_search_preview"})", "tool_choice"},
    };
    for (const auto &row : rows) {
        INFO(row.more);
        Parsed parsed(R"({"model":"m",)" + std::string(row.more) + "}");
        const Error &error = parsed.error();
        CHECK(error.kind == ErrorKind::unsupported);
        CHECK(error.param == row.param);
        CHECK(error.message.find("Responses API") != std::string::npos);
        std::string body;
        responses_format().write_error(error, body);
        CHECK(body.find(R"("code":"unsupported_parameter")")
              != std::string::npos);
        CHECK(responses_format().error_status(error) == 400);
    }
}

TEST_CASE("responses: hosted tools are refused, or dropped where the operator says so") {
    std::string body = with_input("\"q\"",
        R"(,"tools":[{"type":"web_search"},{"type":"function","name":"f"}])");
    CHECK(to_openai(body)
          == "tools[0]: a tool that another API defines cannot be sent to this "
             "model's provider");
    WriteOptions drop;
    drop.drop_unsupported = true;
    CHECK(to_openai(body, drop).find(R"("tools":[{"type":"function","function":{"name":"f")")
          != std::string::npos);
}

TEST_CASE("responses: what a provider's own tools left behind is left out") {
    CHECK(to_openai(with_input(R"([
        {"role":"user","content":"q"},
        {"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"x"}},
        {"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"}]},
        {"role":"user","content":"and?"}])"))
          == R"({"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":"and?"}]})");
}

TEST_CASE("responses: images of earlier answers are the assistant's") {
    std::string body = with_input(R"([
        {"role":"user","content":"Draw a cat."},
        {"type":"image_generation_call","id":"ig_1","status":"completed","result":"iVBORw0KGgo="},
        {"role":"user","content":"Make it blue."}])");
    std::string gemini = translate_request(responses_format(), gemini_format(), body);
    CHECK(gemini.find(R"({"role":"model","parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]})")
          != std::string::npos);
    // Towards its own API it is an item again.
    CHECK(translate_request(responses_format(), responses_format(), body)
              .find(R"({"type":"image_generation_call","id":"ig_1","status":"completed","result":"iVBORw0KGgo="})")
          != std::string::npos);
    // One that OpenAI keeps says nothing to anybody else.
    CHECK(to_openai(with_input(R"([{"role":"user","content":"q"},{"type":"image_generation_call","id":"ig_1"}])"))
          == R"({"model":"m","messages":[{"role":"user","content":"q"}]})");
}

TEST_CASE("responses: input that makes no sense") {
    CHECK(error_of(R"({"model":"m"})") == "input: input is missing");
    CHECK(error_of(with_input("[]")) == "input: input must not be empty");
    CHECK(error_of(with_input("1"))
          == "input: input must be a string or an array of items");
    CHECK(error_of(with_input("[1]")) == "input[0]: input[0] must be an object");
    CHECK(error_of(with_input(R"([{"role":"tool","content":"x"}])"))
          == "input[0].role: input[0].role must be \"user\", \"assistant\", "
             "\"system\" or \"developer\"");
    CHECK(error_of(with_input(R"([{"role":"user"}])"))
          == "input[0].content: input[0].content must be a string or an array "
             "of parts");
    CHECK(error_of(with_input(R"([{"role":"user","content":[{"type":"output_text","text":"x"}]}])"))
          == "input[0].content[0].type: input[0].content[0].type must be one "
             "of \"input_text\", \"input_image\", \"input_audio\", "
             "\"input_file\"");
    CHECK(error_of(with_input(R"([{"role":"user","content":[{"type":"input_image","image_url":"ftp://x"}]}])"))
          == "input[0].content[0].image_url: input[0].content[0].image_url "
             "must be an http, https or data URL");
    CHECK(error_of(with_input(R"([{"type":"function_call_output","call_id":"c","output":"x"}])"))
          == "input[0].call_id: input[0].call_id must be the id of a call in "
             "an earlier item");
    CHECK(error_of(with_input(R"([{"type":"function_call","call_id":"c"}])"))
          == "input[0].name: input[0].name must be a string that is not empty");
    CHECK(error_of(with_input("\"q\"", R"(,"tools":[{"type":"function"}])"))
          == "tools[0].name: tools[0].name must be a string that is not empty");
    CHECK(error_of(with_input("\"q\"", R"(,"tool_choice":"any")"))
          == "tool_choice: tool_choice must be \"auto\", \"none\", "
             "\"required\" or an object");
    CHECK(error_of(with_input("\"q\"", R"(,"text":{"format":{"type":"json_schema","name":"n"}})"))
          == "text.format.schema: text.format.schema must be an object");
    CHECK(error_of(with_input("\"q\"", R"(,"temperature":"hot")"))
          == "temperature: temperature must be a number");
}

TEST_CASE("responses: what comes is what goes, to a provider of the same API") {
    for (const std::string &body : std::initializer_list<std::string>{
             with_input("\"Hi\""),
             R"({"model":"m","instructions":"Be brief","input":"Hi"})",
             with_input(R"([{"role":"user","content":"Hi","zork":1}])"),
             with_input(R"([{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"},)"
                        R"({"type":"message","id":"msg_1","role":"assistant","status":"completed","phase":"commentary","content":[{"type":"output_text","text":"a","annotations":[]},{"type":"output_text","text":"b","annotations":[]}]},)"
                        R"({"type":"web_search_call","id":"ws_1","status":"completed"},)"
                        R"({"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}","status":"completed"},)"
                        R"({"type":"function_call_output","id":"o_1","call_id":"c","output":[{"type":"input_text","text":"r"}]},)"
                        R"({"role":"user","content":[{"type":"input_file","file_id":"file_1"}]}])"),
             with_input("\"q\"",
                        R"(,"max_output_tokens":20,"temperature":1.0,"top_p":0.5,"user":"u","service_tier":"flex","stream":true,)"
                        R"("tools":[{"type":"web_search"},{"type":"function","name":"f","parameters":{},"strict":true,"zork":2}],)"
                        R"("tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]},"parallel_tool_calls":true,)"
                        R"("text":{"format":{"type":"text"},"verbosity":"high"},"reasoning":{"effort":"low","summary":"auto"},)"
                        R"("include":["reasoning.encrypted_content"],"top_logprobs":0,"store":true,"metadata":{"a":"b"},"truncation":"auto","zork":[])"),
         }) {
        CHECK(round_trip(body) == body);
    }
}

TEST_CASE("responses: an OpenAI conversation for a provider of this API") {
    CHECK(from_openai(
        R"(,"max_tokens":20,"temperature":0.10,"user":"u","reasoning_effort":"low","verbosity":"low","stream":true,)"
        R"("metadata":{"a":"b"},"seed":1,"frequency_penalty":1,"logprobs":true,"top_logprobs":2,)"
        R"("tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}},{"type":"custom","custom":{"name":"sql","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"x"}}}}],)"
        R"("tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false,)"
        R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}})",
        R"([{"role":"system","content":"s"},{"role":"developer","content":[{"type":"text","text":"d"}]},)"
        R"({"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"https://h/i.png","detail":"low"}},)"
        R"({"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,QUJD"}}]},)"
        R"({"role":"assistant","content":"ok","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":""}},{"id":"c2","type":"custom","custom":{"name":"sql","input":"select 1"}}]},)"
        R"({"role":"tool","tool_call_id":"c1","content":"r1"},{"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"r2"}]}])")
          == R"({"model":"m","input":[{"type":"message","role":"system","content":"s"},{"type":"message","role":"developer","content":"d"},)"
             R"({"type":"message","role":"user","content":[{"type":"input_text","text":"look"},{"type":"input_image","image_url":"https://h/i.png","detail":"low"},)"
             R"({"type":"input_image","image_url":"data:image/png;base64,QUJD","detail":"auto"},{"type":"input_file","filename":"document.pdf","file_data":"data:application/pdf;base64,QUJD"}]},)"
             R"({"type":"message","role":"assistant","content":"ok"},{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},)"
             R"({"type":"custom_tool_call","call_id":"c2","name":"sql","input":"select 1"},)"
             R"({"type":"function_call_output","call_id":"c1","output":"r1"},{"type":"custom_tool_call_output","call_id":"c2","output":"r2"}],)"
             R"("max_output_tokens":20,"temperature":0.10,"user":"u","stream":true,)"
             R"("tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":false},{"type":"custom","name":"sql","format":{"type":"grammar","syntax":"lark","definition":"x"}}],)"
             R"("tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false,)"
             R"("text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true},"verbosity":"low"},)"
             R"("reasoning":{"effort":"low"},"include":["reasoning.encrypted_content","message.output_text.logprobs"],"top_logprobs":2,"store":false,"metadata":{"a":"b"}})");
}

TEST_CASE("responses: no answer is bounded more tightly than OpenAI allows") {
    for (std::string_view least : {"1", "15", "16"}) {
        CHECK(from_openai(R"(,"max_tokens":)" + std::string(least))
                  .find(R"("max_output_tokens":16,)")
              != std::string::npos);
    }
    CHECK(from_openai(R"(,"max_tokens":17)").find(R"("max_output_tokens":17,)")
          != std::string::npos);
}

TEST_CASE("responses: what this API has no way to say") {
    WriteOptions drop;
    drop.drop_unsupported = true;
    for (std::string_view more :
         {R"("n":2)", R"("stop":"x")", R"("modalities":["text","audio"])",
          R"("web_search_options":{})"}) {
        std::string member(more.substr(1, more.find('"', 1) - 1));
        CHECK(from_openai("," + std::string(more))
              == member + ": " + member
                     + " cannot be sent to this model's provider");
        CHECK(from_openai("," + std::string(more),
                          R"([{"role":"user","content":"Hi"}])", drop)
              == R"({"model":"m","input":[{"type":"message","role":"user","content":"Hi"}])"
                     + tail);
    }
    CHECK(from_openai("", R"([{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"QUJD","format":"wav"}}]}])")
          == "messages[0].content[0]: audio cannot be sent to this model's provider");
    // Its file ids are those of OpenAI's other APIs.
    CHECK(from_openai("", R"([{"role":"user","content":[{"type":"file","file":{"file_id":"file_1"}}]}])")
              .find(R"({"type":"input_file","file_id":"file_1"})")
          != std::string::npos);
}

TEST_CASE("responses: an Anthropic conversation for a provider of this API") {
    CHECK(translate_request(anthropic_format(), responses_format(),
        R"({"model":"m","max_tokens":99,"system":"s","thinking":{"type":"enabled","budget_tokens":2000},"messages":[)"
        R"({"role":"user","content":[{"type":"text","text":"q"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}},{"type":"document","source":{"type":"url","url":"https://h/a.pdf"}}]},)"
        R"({"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"rs_1:gAAA"},{"type":"thinking","thinking":"not ours","signature":"EqQB"},{"type":"text","text":"t"},{"type":"tool_use","id":"c1","name":"f","input":{"a":1}}]},)"
        R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","is_error":true,"content":[{"type":"text","text":"no"}]},)"
        R"({"type":"text","text":"again"}]}]})")
          == R"({"model":"m","input":[{"type":"message","role":"system","content":"s"},)"
             R"({"type":"message","role":"user","content":[{"type":"input_text","text":"q"},{"type":"input_image","image_url":"data:image/png;base64,QUJD","detail":"auto"},{"type":"input_file","file_url":"https://h/a.pdf"}]},)"
             R"({"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"gAAA"},)"
             R"({"type":"message","role":"assistant","content":"t"},{"type":"function_call","call_id":"c1","name":"f","arguments":"{\"a\":1}"},)"
             R"({"type":"function_call_output","call_id":"c1","output":"Error: no"},{"type":"message","role":"user","content":"again"}],)"
             R"("max_output_tokens":99,"reasoning":{"effort":"medium"},"include":["reasoning.encrypted_content"],"store":false})");
}

TEST_CASE("responses: another provider's proofs come back to it, and to no other") {
    std::string conversation = R"([
        {"role":"user","content":"q"},
        {"type":"reasoning","id":"rs_u_0","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"llm:signature:EqQB"},
        {"type":"reasoning","id":"rs_u_1","summary":[],"encrypted_content":"llm:redacted:xyz"},
        {"type":"reasoning","id":"rs_u_2","summary":[],"encrypted_content":"gAAA"},
        {"type":"reasoning","id":"rs_u_3","summary":[],"encrypted_content":"llm:signature:rs_9:gAAB"},
        {"type":"reasoning","id":"rs_u_4","summary":[],"encrypted_content":"llm:call:Cgo="},
        {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
        {"type":"function_call_output","call_id":"c1","output":"r"}])";

    Parsed parsed(with_input(conversation));
    const auto &parts = (*parsed).messages.at(1).parts;
    CHECK(parts.at(0).type == PartType::reasoning);
    CHECK(parts.at(0).text == "hm");
    CHECK(parts.at(0).signature == "EqQB");
    CHECK(parts.at(1).type == PartType::redacted_reasoning);
    CHECK(parts.at(1).data == "xyz");
    // What OpenAI has sealed says nothing to anybody else.
    CHECK(parts.at(2).type == PartType::native);
    CHECK(parts.at(3).type == PartType::native);
    CHECK(parts.back().type == PartType::tool_call);
    CHECK(parts.back().signature == "Cgo=");

    // To OpenAI itself: its own, as it was, and nobody else's.
    std::string there = edited(with_input(conversation));
    CHECK(there.find("llm:") == std::string::npos);
    CHECK(there.find("EqQB") == std::string::npos);
    CHECK(there.find(R"("id":"rs_u_2","summary":[],"encrypted_content":"gAAA")")
          != std::string::npos);
    CHECK(there.find(R"({"type":"reasoning","id":"rs_9","summary":[],"encrypted_content":"gAAB"})")
          != std::string::npos);
    json::Document document;
    REQUIRE(document.parse(there));
    CHECK(document.root()["input"].size() == 5);
}

TEST_CASE("responses: a call that stays in the format changes in its model only") {
    std::string odd = R"({ "zork" :[ ],"input": "Hi \u00fc",  "model":"m" })";
    CHECK(edited(odd) == odd);
    CHECK(edited(odd, "gpt-5")
          == R"({ "zork" :[ ],"input": "Hi \u00fc",  "model":"gpt-5" })");
}
