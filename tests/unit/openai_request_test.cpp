#include <memory_resource>
#include <string>

#include "catch.hpp"
#include "exchange.hpp"
#include "formats/openai/models.hpp"
#include "llm/format.hpp"

using namespace llm;
using chat::PartType;
using chat::Role;

namespace {

// A body, its tree and the request: what a request's views need to live.
struct Parsed {
    explicit Parsed(std::string text) : body(std::move(text)) {
        auto outcome = document.parse(body);
        INFO(body);
        REQUIRE(outcome);
        request = std::make_unique<Result<chat::Request>>(
            openai_format().parse_request(document, &memory));
    }
    chat::Request &operator*() {
        INFO((*request ? "" : request->error().message));
        REQUIRE(*request);
        return **request;
    }

    std::string body;
    json::Document document;
    std::pmr::monotonic_buffer_resource memory;
    std::unique_ptr<Result<chat::Request>> request;
};

std::string with_messages(std::string_view messages,
                          std::string_view more = "") {
    return R"({"model":"m","messages":)" + std::string(messages) +
           std::string(more) + "}";
}

std::string written(const chat::Request &request,
                    const WriteOptions &options = {.model = "m"}) {
    std::string out;
    auto outcome = openai_format().write_request(request, options, out);
    INFO((outcome ? "" : outcome.error().message));
    REQUIRE(outcome);
    return out;
}

std::string round_trip(std::string body,
                       const WriteOptions &options = {.model = "m"}) {
    Parsed parsed(std::move(body));
    return written(*parsed, options);
}

// The request as if its client had spoken another format.
void make_foreign(chat::Request &request) {
    request.origin = nullptr;
}

std::string foreign(std::string body,
                    const WriteOptions &options = {.model = "m"}) {
    Parsed parsed(std::move(body));
    make_foreign(*parsed);
    return written(*parsed, options);
}

}  // namespace

TEST_CASE("openai: every member of a request is understood") {
    Parsed parsed(R"({
        "model": "gpt-4o", "temperature": 0.50, "top_p": 1e-1, "top_k": 40,
        "n": 2, "stop": ["a", "b"], "max_tokens": 10,
        "max_completion_tokens": 20, "presence_penalty": -2,
        "frequency_penalty": 2.0, "logit_bias": {"50256": -100},
        "logprobs": true, "top_logprobs": 5, "seed": 9223372036854775808,
        "user": "u", "stream": true, "stream_options": {"include_usage": true},
        "response_format": {"type": "json_schema", "json_schema": {
            "name": "n", "description": "d", "schema": {"type": "object"},
            "strict": true}},
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "d",
             "parameters": {"type": "object"}, "strict": false}},
            {"type": "custom", "custom": {"name": "c"}},
            {"type": "web_search"}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": false, "reasoning_effort": "high",
        "verbosity": "low", "modalities": ["text"], "audio": {"voice": "v"},
        "prediction": {"type": "content", "content": "x"},
        "web_search_options": {}, "service_tier": "flex", "store": false,
        "metadata": {"k": "v"}, "prompt_cache_key": "p", "new": [1],
        "messages": [
            {"role": "developer", "content": "d"},
            {"role": "system", "content": [{"type": "text", "text": "s"}]},
            {"role": "user", "name": "joe", "content": [
                {"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "https://h/i.png", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "DATA:image/png;base64,iVBO"}},
                {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
                {"type": "file", "file": {"file_id": "file-1"}}]},
            {"role": "assistant", "reasoning_content": "hm", "content": "c",
             "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"b\":1}"}},
                {"id": "2", "type": "custom", "custom": {"name": "c", "input": "free"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "r"},
            {"role": "tool", "tool_call_id": "2", "content": [{"type": "text", "text": "r2"}]},
            {"role": "assistant", "content": null, "refusal": "no"}]})");
    auto &r = *parsed;

    CHECK(r.model == "gpt-4o");
    CHECK(r.temperature.raw() == "0.50");
    CHECK(r.top_p.raw() == "1e-1");
    CHECK(r.top_k.raw() == "40");
    CHECK(r.n == 2);
    CHECK(r.stop.size() == 2);
    CHECK(r.max_tokens == 20);
    CHECK(r.presence_penalty.raw() == "-2");
    CHECK(r.frequency_penalty.raw() == "2.0");
    CHECK(r.logit_bias.raw() == R"({"50256": -100})");
    CHECK(r.logprobs == true);
    CHECK(r.top_logprobs == 5);
    CHECK(r.seed.raw() == "9223372036854775808");
    CHECK(r.user == "u");
    CHECK(r.stream);
    CHECK(r.include_usage);
    CHECK(r.response_format->type == chat::ResponseFormat::Type::json_schema);
    CHECK(r.response_format->name == "n");
    CHECK(r.response_format->strict == true);
    CHECK(r.parallel_tool_calls == false);
    CHECK(r.reasoning.effort == "high");
    CHECK(r.verbosity == "low");
    CHECK(r.modalities.size() == 1);
    CHECK(r.audio.is_object());
    CHECK(r.prediction.is_object());
    CHECK(r.web_search_options.is_object());
    CHECK(r.service_tier == "flex");
    CHECK(r.store.is_bool());
    CHECK(r.metadata["k"].string() == "v");
    CHECK(r.origin == &openai_format());
    REQUIRE(r.extra.size() == 2);
    CHECK(r.extra[0].name == "prompt_cache_key");
    CHECK(r.extra[1].value.raw() == "[1]");

    REQUIRE(r.tools.size() == 3);
    CHECK(r.tools[0].name == "f");
    CHECK(r.tools[0].strict == false);
    CHECK(r.tools[1].type == chat::Tool::Type::custom);
    CHECK(r.tools[2].type == chat::Tool::Type::native);
    CHECK(r.tool_choice->mode == chat::ToolChoice::Mode::named);
    CHECK(r.tool_choice->name == "f");

    REQUIRE(r.messages.size() == 7);
    CHECK(r.messages[0].role == Role::developer);
    CHECK(r.messages[1].parts[0].text == "s");

    auto &user = r.messages[2];
    CHECK(user.name == "joe");
    REQUIRE(user.parts.size() == 6);
    CHECK(user.parts[0].cache_control.is_object());
    CHECK(user.parts[1].url == "https://h/i.png");
    CHECK(user.parts[1].detail == "low");
    CHECK(user.parts[2].media_type == "image/png");
    CHECK(user.parts[2].data == "iVBO");
    CHECK(user.parts[2].url == "");
    CHECK(user.parts[3].media_type == "audio/wav");
    CHECK(user.parts[4].filename == "a.pdf");
    CHECK(user.parts[4].media_type == "application/pdf");
    CHECK(user.parts[4].data == "JVBE");
    CHECK(user.parts[5].file_id == "file-1");

    auto &assistant = r.messages[3];
    REQUIRE(assistant.parts.size() == 4);
    CHECK(assistant.parts[0].type == PartType::reasoning);
    CHECK(assistant.parts[1].text == "c");
    CHECK(assistant.parts[2].arguments == "{\"b\":1}");
    CHECK(assistant.parts[3].custom);
    CHECK(assistant.parts[3].arguments == "free");
    CHECK(r.messages[4].tool_call_id == "1");
    CHECK(r.messages[5].parts[0].text == "r2");
    CHECK(r.messages[6].parts[0].type == PartType::refusal);
}

TEST_CASE("openai: the head is what routing needs, and no more is refused") {
    auto head = [](std::string_view body) {
        json::Document document;
        REQUIRE(document.parse(body));
        auto result = openai_format().parse_head(document, {});
        if (!result) {
            CHECK(result.error().kind == ErrorKind::invalid_request);
            return result.error().param + ": " + result.error().message;
        }
        std::string text(result->model);
        text += result->stream ? " stream" : "";
        text += result->include_usage ? " usage" : "";
        if (result->max_tokens) {
            text += ' ' + std::to_string(*result->max_tokens);
        }
        if (result->choices != 1) {
            text += " x " + std::to_string(result->choices);
        }
        return text;
    };

    CHECK(head(R"({"model":"m","messages":[{"role":"robot"}],"x":1})") == "m");
    CHECK(head(R"({"model":"m","messages":[1],"stream":true,
        "stream_options":{"include_usage":true},"max_tokens":5})")
          == "m stream usage 5");
    CHECK(head(R"({"model":"m","messages":[1],"max_tokens":5,"n":3})")
          == "m 5 x 3");
    // The provider will refuse it.
    CHECK(head(R"({"model":"m","messages":[1],"n":-3})") == "m");
    CHECK(head(R"({"model":"m","messages":[1],"max_tokens":5,
        "max_completion_tokens":7,"stream":null})") == "m 7");

    CHECK(head("[]") == ": the body must be a JSON object");
    CHECK(head("{}") == "model: model is missing");
    CHECK(head(R"({"model":1,"messages":[1]})")
          == "model: model must be a string that is not empty");
    CHECK(head(R"({"model":"m"})") == "messages: messages is missing");
    CHECK(head(R"({"model":"m","messages":[]})")
          == "messages: messages must be an array that is not empty");
    CHECK(head(R"({"model":"m","messages":[1],"stream":"yes"})")
          == "stream: stream must be true or false");
    CHECK(head(R"({"model":"m","messages":[1],"stream_options":1})")
          == "stream_options: stream_options must be an object");
    CHECK(head(R"({"model":"m","messages":[1],"max_tokens":"5"})")
          == "max_tokens: max_tokens must be an integer of at least 1");
    CHECK(head(R"({"model":"m","messages":[1],"max_completion_tokens":-1})")
          == "max_completion_tokens: max_completion_tokens must be an integer "
             "of at least 1");
}

TEST_CASE("openai: a wrong member is refused by its name") {
    struct Case {
        const char *members;    // after the model and before the messages
        const char *messages;
        const char *param;
    };
    const char *hello = R"([{"role":"user","content":"hi"}])";
    const Case cases[] = {
        {R"("temperature":"hot")", hello, "temperature"},
        {R"("top_p":[])", hello, "top_p"},
        {R"("n":0)", hello, "n"},
        {R"("n":1.5)", hello, "n"},
        {R"("max_tokens":0)", hello, "max_tokens"},
        {R"("max_completion_tokens":"1")", hello, "max_completion_tokens"},
        {R"("stop":1)", hello, "stop"},
        {R"("stop":["a",1])", hello, "stop[1]"},
        {R"("stream":1)", hello, "stream"},
        {R"("stream_options":[])", hello, "stream_options"},
        {R"("stream_options":{"include_usage":1})", hello,
         "stream_options.include_usage"},
        {R"("logit_bias":[])", hello, "logit_bias"},
        {R"("logprobs":1)", hello, "logprobs"},
        {R"("top_logprobs":-1)", hello, "top_logprobs"},
        {R"("seed":"1")", hello, "seed"},
        {R"("user":1)", hello, "user"},
        {R"("metadata":"x")", hello, "metadata"},
        {R"("modalities":"text")", hello, "modalities"},
        {R"("store":1)", hello, "store"},
        {R"("reasoning_effort":3)", hello, "reasoning_effort"},
        {R"("service_tier":1)", hello, "service_tier"},
        {R"("parallel_tool_calls":"no")", hello, "parallel_tool_calls"},
        {R"("response_format":"json")", hello, "response_format"},
        {R"("response_format":{"type":"xml"})", hello, "response_format.type"},
        {R"("response_format":{"type":"json_schema"})", hello,
         "response_format.json_schema"},
        {R"("response_format":{"type":"json_schema","json_schema":{"schema":1}})",
         hello, "response_format.json_schema.schema"},
        {R"("tools":{})", hello, "tools"},
        {R"("tools":[1])", hello, "tools[0]"},
        {R"("tools":[{}])", hello, "tools[0].type"},
        {R"("tools":[{"type":"function"}])", hello, "tools[0].function"},
        {R"("tools":[{"type":"function","function":{"name":""}}])", hello,
         "tools[0].function.name"},
        {R"("tools":[{"type":"function","function":{"name":"f","parameters":1}}])",
         hello, "tools[0].function.parameters"},
        {R"("tools":[{"type":"function","function":{"name":"f","description":1}}])",
         hello, "tools[0].function.description"},
        {R"("tools":[{"type":"custom","custom":{}}])", hello,
         "tools[0].custom.name"},
        {R"("tool_choice":"maybe")", hello, "tool_choice"},
        {R"("tool_choice":1)", hello, "tool_choice"},
        {R"("tool_choice":{"type":"x"})", hello, "tool_choice.type"},
        {R"("tool_choice":{"type":"function","function":{}})", hello,
         "tool_choice.function.name"},
        {R"("functions":[{}])", hello, "functions[0].name"},
        {R"("function_call":"x")", hello, "function_call"},
        {R"("x":1)", R"({})", "messages"},
        {R"("x":1)", R"([])", "messages"},
        {R"("x":1)", R"([1])", "messages[0]"},
        {R"("x":1)", R"([{}])", "messages[0].role"},
        {R"("x":1)", R"([{"role":"robot","content":"x"}])", "messages[0].role"},
        {R"("x":1)", R"([{"role":"user"}])", "messages[0].content"},
        {R"("x":1)", R"([{"role":"user","content":{}}])",
         "messages[0].content"},
        {R"("x":1)", R"([{"role":"user","content":"a","name":1}])",
         "messages[0].name"},
        {R"("x":1)", R"([{"role":"assistant"}])", "messages[0].content"},
        {R"("x":1)", R"([{"role":"user","content":"a"},
            {"role":"user","content":["a"]}])", "messages[1].content[0]"},
        {R"("x":1)", R"([{"role":"user","content":[{"type":"video"}]}])",
         "messages[0].content[0].type"},
        {R"("x":1)", R"([{"role":"system","content":[{"type":"image_url",
            "image_url":{"url":"https://h/"}}]}])",
         "messages[0].content[0].type"},
        {R"("x":1)", R"([{"role":"user","content":[{"type":"text"}]}])",
         "messages[0].content[0].text"},
        {R"("x":1)", R"([{"role":"user","content":[{"type":"image_url"}]}])",
         "messages[0].content[0].image_url"},
        {R"("x":1)", R"([{"role":"user","content":[{"type":"image_url",
            "image_url":{"url":"file:///etc/passwd"}}]}])",
         "messages[0].content[0].image_url.url"},
        {R"("x":1)", R"([{"role":"user","content":[{"type":"image_url",
            "image_url":{"url":"data:image/png,raw"}}]}])",
         "messages[0].content[0].image_url.url"},
        {R"("x":1)", R"([{"role":"user","content":[{"type":"input_audio",
            "input_audio":{"data":"x","format":"midi"}}]}])",
         "messages[0].content[0].input_audio.format"},
        {R"("x":1)", R"([{"role":"user","content":[{"type":"file",
            "file":{}}]}])", "messages[0].content[0].file"},
        {R"("x":1)", R"([{"role":"user","content":[{"type":"file",
            "file":{"file_data":"JVBE"}}]}])",
         "messages[0].content[0].file.file_data"},
        {R"("x":1)", R"([{"role":"assistant","tool_calls":{}}])",
         "messages[0].tool_calls"},
        {R"("x":1)", R"([{"role":"assistant","tool_calls":[{}]}])",
         "messages[0].tool_calls[0].id"},
        {R"("x":1)", R"([{"role":"assistant","tool_calls":[{"id":"1",
            "function":{"name":"f","arguments":1}}]}])",
         "messages[0].tool_calls[0].function.arguments"},
        {R"("x":1)", R"([{"role":"tool","content":"r"}])",
         "messages[0].tool_call_id"},
        {R"("x":1)", R"([{"role":"tool","tool_call_id":"1","content":"r"}])",
         "messages[0].tool_call_id"},
        {R"("x":1)", R"([{"role":"function","name":"f","content":"r"}])",
         "messages[0].name"},
    };

    for (const auto &c : cases) {
        Parsed parsed(R"({"model":"m",)" + std::string(c.members) +
                      R"(,"messages":)" + c.messages + "}");
        INFO(parsed.body);
        REQUIRE_FALSE(*parsed.request);
        CHECK(parsed.request->error().kind == ErrorKind::invalid_request);
        CHECK(parsed.request->error().param == c.param);
        CHECK(parsed.request->error().message.starts_with(
            std::string(c.param) + " "));
    }
    CHECK(Parsed("[]").request->error().message
          == "the body must be a JSON object");
    CHECK(Parsed(R"({"model":"m"})").request->error().param == "messages");
    CHECK(Parsed(R"({"messages":[]})").request->error().param == "model");
    CHECK(Parsed(R"({"model":"","messages":[]})").request->error().param
          == "model");
}

TEST_CASE("openai: the error names what would be right") {
    Parsed parsed(with_messages(R"([{"role":"assistant","content":[{"type":"x"}]}])"));
    CHECK(parsed.request->error().message
          == "messages[0].content[0].type must be one of \"text\", \"refusal\", \"thinking\"");
}

TEST_CASE("openai: null means left out") {
    Parsed parsed(R"({"model":"m","temperature":null,"n":null,"stop":null,
        "tools":null,"tool_choice":null,"response_format":null,"user":null,
        "stream":null,"stream_options":null,"max_tokens":null,
        "messages":[{"role":"user","content":"x","name":null},
            {"role":"assistant","content":"y","tool_calls":null,
             "refusal":null,"function_call":null,"audio":null}]})");
    CHECK_FALSE((*parsed).temperature);
    CHECK_FALSE((*parsed).n);
    CHECK((*parsed).messages[1].parts.size() == 1);
    CHECK((*parsed).extra.empty());
}

TEST_CASE("openai: a request written back to its own format is the same") {
    const char *bodies[] = {
        R"({"model":"m","messages":[{"role":"user","content":"hi"}]})",
        // Members that we do not know, at every level, and odd spacing.
        R"({"model":"m","messages":[{"content":[ {"x":1,"type":"text","text":"t"} ],"role":"user","y":{}},{"role":"assistant","content":"a","audio":{"id":"1"},"z":0}],"max_tokens":5,"stop":["a","b","c","d","e"],"temperature":0.70,"top_k":3,"tools":[{"type":"function","function":{"name":"f"},"v":1},{"type":"custom","custom":{"name":"c"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{}},"parallel_tool_calls":true,"prompt_cache_key":"k"})",
    };
    for (std::string body : bodies) {
        CHECK(round_trip(body) == body);
    }
}

TEST_CASE("openai: what the provider is like decides the words") {
    std::string body = with_messages(R"([{"role":"developer","content":"d","x":1}])",
        R"(,"max_completion_tokens":9,"stream":true,"tools":[{"type":"function","function":{"name":"f"}}],"parallel_tool_calls":false)");

    CHECK(round_trip(body, {.model = "other"})
          == R"({"model":"other","messages":[{"role":"system","content":"d","x":1}],"max_tokens":9,"tools":[{"type":"function","function":{"name":"f"}}],"parallel_tool_calls":false,"stream":true,"stream_options":{"include_usage":true}})");

    WriteOptions options{.model = "m"};
    options.quirks.max_completion_tokens = true;
    options.quirks.developer_role = true;
    options.quirks.stream_options = false;
    options.quirks.parallel_tool_calls = false;
    CHECK(round_trip(body, options)
          == R"({"model":"m","messages":[{"role":"developer","content":"d","x":1}],"max_completion_tokens":9,"tools":[{"type":"function","function":{"name":"f"}}],"stream":true})");
}

TEST_CASE("openai: a request of another format is written from its parts") {
    CHECK(foreign(with_messages(R"([
        {"role":"system","content":"one"},
        {"role":"system","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
        {"role":"user","content":[{"type":"text","text":"see"},
            {"type":"image_url","image_url":{"url":"https://h/i","detail":"low"}},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},
            {"type":"input_audio","input_audio":{"data":"BB==","format":"mp3"}},
            {"type":"file","file":{"file_data":"data:application/pdf;base64,CC=="}}]},
        {"role":"assistant","reasoning":"hidden","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}],
            "tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":""}},
                          {"id":"2","type":"function","function":{"name":"g","arguments":"{\"a\": 1}"}}]},
        {"role":"tool","tool_call_id":"1","content":[{"type":"text","text":"r"},{"type":"text","text":"s"}]},
        {"role":"tool","tool_call_id":"2","content":""}])",
        R"(,"stop":["1","2","3","4","5"],"top_k":3,"tools":[{"type":"function","function":{"name":"f"}}],
           "tool_choice":"required","response_format":{"type":"json_schema","json_schema":{"schema":{}}},"unknown":1)"))
          == R"({"model":"m","messages":[{"role":"system","content":"one"},)"
             R"({"role":"system","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},)"
             R"({"role":"user","content":[{"type":"text","text":"see"},)"
             R"({"type":"image_url","image_url":{"url":"https://h/i","detail":"low"}},)"
             R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},)"
             R"({"type":"input_audio","input_audio":{"data":"BB==","format":"mp3"}},)"
             R"({"type":"file","file":{"filename":"document.pdf","file_data":"data:application/pdf;base64,CC=="}}]},)"
             R"({"role":"assistant","content":"xy","tool_calls":[)"
             R"({"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},)"
             R"({"id":"2","type":"function","function":{"name":"g","arguments":"{\"a\": 1}"}}]},)"
             R"({"role":"tool","tool_call_id":"1","content":"r\ns"},)"
             R"({"role":"tool","tool_call_id":"2","content":""}],)"
             R"("stop":["1","2","3","4"],)"
             R"("tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],)"
             R"("tool_choice":"required",)"
             R"("response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{}}}})");
}

TEST_CASE("openai: results come right after the calls of a turn") {
    // Anthropic's API puts together what its client says in pieces.
    std::string messages = testing::translate_request(
        anthropic_format(), openai_format(),
        R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},)"
        R"({"role":"assistant","content":"one"},)"
        R"({"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},)"
        R"({"role":"assistant","content":[{"type":"text","text":"two"},{"type":"tool_use","id":"b","name":"f","input":{}}]},)"
        R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"1"},{"type":"tool_result","tool_use_id":"b","content":"2"}]},)"
        R"({"role":"assistant","content":"three"}]})");
    CHECK(messages
          == R"({"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":"one"},)"
             R"({"role":"assistant","content":"two","tool_calls":[)"
             R"({"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},)"
             R"({"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
             R"({"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"},)"
             R"({"role":"assistant","content":"three"}],"max_tokens":9})");
}

TEST_CASE("openai: tool results hold text; images follow in a user message") {
    std::string start = R"([{"role":"assistant","content":null,"tool_calls":[
        {"id":"1","function":{"name":"f","arguments":"{}"}},
        {"id":"2","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"1","content":[{"type":"text","text":"a"},
            {"type":"image_url","image_url":{"url":"https://h/1"}}]},
        {"role":"tool","tool_call_id":"2","content":[
            {"type":"image_url","image_url":{"url":"https://h/2"}}]})";
    std::string results =
        R"({"role":"tool","tool_call_id":"1","content":"a\n[image: see the next user message]"},)"
        R"({"role":"tool","tool_call_id":"2","content":"[image: see the next user message]"},)"
        R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/1"}},)"
        R"({"type":"image_url","image_url":{"url":"https://h/2"}})";

    auto out = foreign(with_messages(start + "]"));
    CHECK(out.find(results + "]}]") != std::string::npos);

    out = foreign(with_messages(start + R"(,{"role":"user","content":"and?"}])"));
    CHECK(out.find(results + R"(,{"type":"text","text":"and?"}]}])")
          != std::string::npos);

    out = foreign(with_messages(start + R"(,{"role":"assistant","content":"ok"}])"));
    CHECK(out.find(results + R"(]},{"role":"assistant","content":"ok"}])")
          != std::string::npos);

    Parsed failed(with_messages(start + "]"));
    make_foreign(*failed);
    (*failed).messages[2].tool_error = true;
    CHECK(written(*failed).find(
              R"("content":"Error: [image: see the next user message]")")
          != std::string::npos);
}

TEST_CASE("openai: what has no place here is refused or dropped") {
    struct Case {
        const char *messages;
        const char *more;
        const char *param;
    };
    const Case cases[] = {
        {R"([{"role":"user","content":[{"type":"text","text":"x"},{"type":"file","file":{"file_id":"f"}}]}])",
         "", "messages[0].content[1]"},
        {R"([{"role":"user","content":"x"}])",
         R"(,"tools":[{"type":"web_search_20250305"}],"tool_choice":"auto")",
         "tools[0]"},
        {R"([{"role":"user","content":"x"}])", R"(,"mcp_servers":[{}])",
         "mcp_servers"},
    };
    for (const auto &c : cases) {
        INFO(c.param);
        Parsed parsed(with_messages(c.messages, c.more));
        make_foreign(*parsed);
        std::string out;
        auto outcome = openai_format().write_request(*parsed, {.model = "m"},
                                                     out);
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().kind == ErrorKind::unsupported);
        CHECK(outcome.error().code == "unsupported_parameter");
        CHECK(outcome.error().param == c.param);

        CHECK(written(*parsed, {.model = "m", .drop_unsupported = true})
                  .starts_with(R"({"model":"m","messages":[{"role":"user","content":)"));
    }

    // Dropped tools leave no tool_choice behind.
    Parsed parsed(with_messages(cases[1].messages, cases[1].more));
    make_foreign(*parsed);
    CHECK(written(*parsed, {.model = "m", .drop_unsupported = true})
          == R"({"model":"m","messages":[{"role":"user","content":"x"}]})");
}

TEST_CASE("openai: thinking becomes an effort") {
    using Mode = chat::Reasoning::Mode;
    auto effort = [](Mode mode, std::int64_t budget, std::string_view word) {
        Parsed parsed(with_messages(R"([{"role":"user","content":"x"}])"));
        (*parsed).reasoning = {mode, word, budget, {}};
        std::string out = written(*parsed);
        auto at = out.find("\"reasoning_effort\":\"");
        return at == std::string::npos
                   ? std::string()
                   : out.substr(at + 20, out.find('"', at + 20) - at - 20);
    };
    CHECK(effort(Mode::budget, 1024, "") == "low");
    CHECK(effort(Mode::budget, 4096, "") == "medium");
    CHECK(effort(Mode::budget, 30000, "") == "high");
    CHECK(effort(Mode::budget, 30000, "low") == "low");
    CHECK(effort(Mode::adaptive, 0, "") == "");
    CHECK(effort(Mode::adaptive, 0, "medium") == "medium");
    CHECK(openai::effort_word({Mode::adaptive, "", 0, {}},
                              openai::find_model("gpt-5"))
          == "high");
    CHECK(effort(Mode::disabled, 0, "") == "");
    CHECK(effort(Mode::unset, 0, "minimal") == "minimal");
}

TEST_CASE("openai: a call of another API is within what the model takes") {
    auto sent = [](const Format &provider, std::string_view model,
                   std::string_view more) {
        WriteOptions options;
        options.model = model;
        options.quirks.max_completion_tokens = true;
        std::string out = testing::translate_request(
            anthropic_format(), provider,
            R"({"model":"m","messages":[{"role":"user","content":"x"}],)"
                + std::string(more) + "}",
            options);
        json::Document document;
        REQUIRE(document.parse(out));
        std::string all;
        for (std::string_view name :
             {"max_completion_tokens", "max_output_tokens", "temperature",
              "reasoning_effort", "reasoning"}) {
            all.append(document.root()[name].raw()).append(" ");
        }
        return all;
    };
    auto chat = [&](std::string_view model, std::string_view more) {
        return sent(openai_format(), model, more);
    };
    auto responses = [&](std::string_view model, std::string_view more) {
        return sent(responses_format(), model, more);
    };
    std::string thinks = R"("max_tokens":32000,"temperature":1,"thinking":{"type":"enabled","budget_tokens":31999})";
    CHECK(chat("gpt-4o", thinks) == "16384  1   ");
    CHECK(chat("ft:gpt-4o-mini-2024-07-18:acme::x", thinks) == "16384  1   ");
    CHECK(chat("gpt-4.1-mini", thinks) == "32000  1   ");
    CHECK(chat("gpt-5", thinks) == R"(32000   "high"  )");
    CHECK(chat("openai/o3-2025-04-16", thinks) == R"(32000   "high"  )");
    CHECK(responses("gpt-4o", thinks) == " 16384 1   ");
    CHECK(responses("gpt-5.6-sol", thinks)
          == R"( 32000   {"effort":"high"} )");
    // Of a model that is not known, the provider is asked.
    CHECK(chat("o1x", thinks) == R"(32000  1 "high"  )");
    CHECK(chat("gpt-7", thinks) == R"(32000  1 "high"  )");

    auto effort = [&](std::string_view model, std::string_view word) {
        return chat(model, R"("max_tokens":9,"output_config":{"effort":")"
                               + std::string(word) + "\"}");
    };
    CHECK(effort("o4-mini", "max") == R"(9   "high"  )");
    CHECK(effort("gpt-5.1", "xhigh") == R"(9   "high"  )");
    CHECK(effort("gpt-5.2", "max") == R"(9   "xhigh"  )");
    CHECK(effort("gpt-6-sol", "max") == R"(9   "max"  )");
    CHECK(effort("o3", "none") == R"(9   "low"  )");
    CHECK(effort("gpt-5-mini", "none") == R"(9   "minimal"  )");
    CHECK(effort("gpt-5.1", "minimal") == R"(9   "low"  )");

    // A temperature with thinking is refused; the newer ones think unasked.
    CHECK(chat("gpt-5.1", R"("max_tokens":9,"temperature":0)") == "9  0   ");
    CHECK(chat("gpt-5", R"("max_tokens":9,"temperature":0)") == "9     ");
    CHECK(chat("gpt-5.6", R"("max_tokens":9,"temperature":0)") == "9     ");

    // So are functions, where chat completions are asked.
    std::string tools = thinks + R"(,"tools":[{"name":"f","input_schema":{"type":"object"}}])";
    CHECK(chat("gpt-5.2", tools) == R"(32000   "high"  )");
    CHECK(chat("gpt-5.6-sol", tools) == R"(32000   "none"  )");
    CHECK(responses("gpt-5.6-sol", tools)
          == R"( 32000   {"effort":"high"} )");

    // Clients of the API know what they ask for.
    CHECK(round_trip(with_messages(R"([{"role":"user","content":"x"}])",
                                   R"(,"max_tokens":99999,"temperature":0,"reasoning_effort":"max")"),
                     {.model = "gpt-4o"})
          == R"({"model":"gpt-4o","messages":[{"role":"user","content":"x"}],"max_tokens":99999,"temperature":0,"reasoning_effort":"max"})");
}

TEST_CASE("openai: a conversation with Mistral's thoughts goes anywhere") {
    std::string body = with_messages(
        R"([{"role":"user","content":"q"},{"role":"assistant","content":[)"
        R"({"type":"thinking","thinking":[{"type":"text","text":"h"},{"type":"text","text":"m"}],"closed":true},)"
        R"({"type":"text","text":"a"}]},{"role":"user","content":"b"}])");
    Parsed parsed(body);
    const auto &parts = (*parsed).messages.at(1).parts;
    REQUIRE(parts.size() == 2);
    CHECK(parts[0].type == PartType::reasoning);
    CHECK(parts[0].text == "hm");
    CHECK(parts[1].text == "a");
    CHECK(foreign(body)
          == R"({"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":"b"}]})");
    CHECK(round_trip(body) == body);
    CHECK(testing::translate_request(openai_format(), anthropic_format(), body)
              .find(R"({"role":"assistant","content":[{"type":"text","text":"a"}]})")
          != std::string::npos);
}

TEST_CASE("openai: an end user's id of another API is short enough") {
    std::string fits(64, 'u');
    std::string longer = fits + "_session_1";
    auto user = [](const std::string &id, bool own) {
        std::string body = with_messages(R"([{"role":"user","content":"x"}])",
                                         R"(,"user":")" + id + '"');
        json::Document document;
        std::string out = own ? round_trip(body) : foreign(body);
        REQUIRE(document.parse(out));
        return std::string(document.root()["user"].string());
    };
    CHECK(user(fits, false) == fits);
    CHECK(user(longer, false).starts_with("user_"));
    CHECK(user(longer, false).size() <= 64);
    CHECK(user(longer, false) == user(longer, false));
    CHECK(user(longer, false) != user(fits + "_session_2", false));
    // Who speaks this API knows what it takes.
    CHECK(user(longer, true) == longer);

    CHECK(testing::translate_request(
              anthropic_format(), responses_format(),
              R"({"model":"m","max_tokens":99,"metadata":{"user_id":")" + longer
                  + R"("},"messages":[{"role":"user","content":"x"}]})")
              .find(R"("user":")" + user(longer, false) + '"')
          != std::string::npos);
}

TEST_CASE("openai: deprecated functions become tools") {
    std::string body = R"({"model":"m","functions":[{"name":"f","parameters":{}}],
        "function_call":{"name":"f"},"messages":[
        {"role":"user","content":"x"},
        {"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},
        {"role":"function","name":"f","content":"r"}]})";
    CHECK(round_trip(body)
          == R"({"model":"m","messages":[{"role":"user","content":"x"},)"
             R"({"role":"assistant","content":null,"tool_calls":[{"id":"call_function_0","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
             R"({"role":"tool","tool_call_id":"call_function_0","content":"r"}],)"
             R"("tools":[{"type":"function","function":{"name":"f","parameters":{}}}],)"
             R"("tool_choice":{"type":"function","function":{"name":"f"}}})");
}

TEST_CASE("openai: thoughts come back with their proof") {
    auto parts = [](std::string message) {
        Parsed parsed(with_messages("[" + message + "]"));
        std::string text;
        for (const auto &part : (*parsed).messages[0].parts) {
            text += part.type == PartType::reasoning ? 'r'
                    : part.type == PartType::redacted_reasoning ? 'x' : 't';
            text += '(' + std::string(part.text) + '|' +
                    std::string(part.signature) + std::string(part.data) + ')';
        }
        return text;
    };
    CHECK(parts(R"({"role":"assistant","content":"c","reasoning_content":"t",
        "reasoning_details":[{"type":"reasoning.text","signature":"s"}]})")
          == "r(t|s)t(c|)");
    CHECK(parts(R"({"role":"assistant","content":"c","reasoning":"ab",
        "reasoning_details":[{"text":"a","signature":"1"},
            {"type":"reasoning.encrypted","data":"d"},
            {"text":"b","signature":"2"}]})")
          == "r(a|1)x(|d)r(b|2)t(c|)");
    // Two proofs of one text: neither can be told to fit.
    CHECK(parts(R"({"role":"assistant","content":"c","reasoning":"ab",
        "reasoning_details":[{"signature":"1"},{"signature":"2"}]})")
          == "r(ab|)t(c|)");
}

TEST_CASE("openai: a call that stays in its format changes in two places") {
    auto edited = [](std::string body, WriteOptions options) {
        json::Document document;
        REQUIRE(document.parse(body));
        auto edits = openai_format().request_edits(body, document, options);
        std::string out;
        json::apply_edits(body, edits, out);
        return out;
    };
    WriteOptions same{.model = "m"};
    WriteOptions other{.model = "p/\"x\""};
    WriteOptions plain{.model = "m"};
    plain.quirks.stream_options = false;

    std::string body = R"({ "x" : 1, "model" : "m", "messages": [ ] })";
    CHECK(edited(body, same) == body);
    CHECK(edited(body, other)
          == R"({ "x" : 1, "model" : "p/\"x\"", "messages": [ ] })");

    CHECK(edited(R"({"model":"m","stream":true})", other)
          == R"({"stream_options":{"include_usage":true},"model":"p/\"x\"","stream":true})");
    CHECK(edited(R"({"stream_options":{"a":1,"include_usage":false},"stream":true,"model":"m"})", other)
          == R"({"stream_options":{"a":1,"include_usage":true},"stream":true,"model":"p/\"x\""})");
    CHECK(edited(R"({"stream_options":{"a":1},"stream":true,"model":"m"})", same)
          == R"({"stream_options":{"include_usage":true,"a":1},"stream":true,"model":"m"})");
    CHECK(edited(R"({"stream_options":null,"stream":true,"model":"m"})", same)
          == R"({"stream_options":{"include_usage":true},"stream":true,"model":"m"})");
    body = R"({"stream_options":{"include_usage":true},"stream":true,"model":"m"})";
    CHECK(edited(body, same) == body);
    CHECK(edited(body, plain) == R"({"stream":true,"model":"m"})");
    CHECK(edited(R"({"model":"m","stream":true})", plain)
          == R"({"model":"m","stream":true})");
}
