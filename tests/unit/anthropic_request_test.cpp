#include <algorithm>

#include "catch.hpp"
#include "exchange.hpp"

using namespace llm;
using testing::translate_request;

namespace {

// An Anthropic client's body, read and written again for Anthropic.
std::string again(std::string_view body, WriteOptions options = {}) {
    return translate_request(anthropic_format(), anthropic_format(), body,
                             options);
}

std::string with_messages(std::string_view messages) {
    return R"({"model":"m","max_tokens":9,"messages":)"
           + std::string(messages) + "}";
}

std::string with_member(std::string_view member) {
    return R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}],)"
           + std::string(member) + "}";
}

// A request made by hand, as another format's reader would make it.
struct Call {
    std::pmr::monotonic_buffer_resource memory;
    chat::Request request{&memory};
    WriteOptions options;
    std::vector<std::unique_ptr<json::Document>> documents;
    std::vector<std::unique_ptr<std::string>> texts;

    Call() { options.model = "claude-sonnet-4-5"; }

    json::Value value(std::string_view text) {
        texts.push_back(std::make_unique<std::string>(text));
        documents.push_back(std::make_unique<json::Document>());
        REQUIRE(documents.back()->parse(*texts.back()));
        return documents.back()->root();
    }

    chat::Message &say(chat::Role role, std::string_view text = {}) {
        chat::Message &message = request.messages.emplace_back(&memory);
        message.role = role;
        if (!text.empty()) {
            chat::Part part;
            part.text = text;
            message.parts.push_back(part);
        }
        return message;
    }

    chat::Part &add(chat::Message &message, chat::PartType type) {
        message.parts.emplace_back();
        message.parts.back().type = type;
        return message.parts.back();
    }

    void call(chat::Message &message, std::string_view id,
              std::string_view name, std::string_view arguments) {
        chat::Part &part = add(message, chat::PartType::tool_call);
        part.id = id;
        part.name = name;
        part.arguments = arguments;
    }

    void result(std::string_view id, std::string_view text) {
        say(chat::Role::tool, text).tool_call_id = id;
    }

    chat::Tool &tool(std::string_view name) {
        chat::Tool &tool = request.tools.emplace_back();
        tool.name = name;
        return tool;
    }

    std::string write() {
        std::string out;
        auto outcome =
            anthropic_format().write_request(request, options, out);
        return outcome ? out : testing::describe(outcome.error());
    }

    // The JSON of one member of what is written; empty where it is absent.
    std::string member(std::string_view name) {
        std::string out = write();
        json::Document document;
        if (!document.parse(out)) {
            return out;
        }
        return std::string(document.root()[name].raw());
    }
};

}  // namespace

TEST_CASE("anthropic: what a client says is said again, block by block") {
    CHECK(again(R"({"max_tokens":100,"model":"m","system":[
        {"type":"text","text":"A","cache_control":{"type":"ephemeral"}},
        {"type":"text","text":"B"}],
        "messages":[
        {"role":"user","content":[
            {"type":"text","text":"see","citations":[]},
            {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}},
            {"type":"image","source":{"type":"url","url":"https://x/y.png"}},
            {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA=="},"title":"t","citations":{"enabled":true}}]},
        {"role":"assistant","content":[
            {"type":"thinking","thinking":"hm","signature":"sig"},
            {"type":"redacted_thinking","data":"xx"},
            {"type":"text","text":"calling"},
            {"type":"tool_use","id":"toolu_1","name":"f","input":{"b":1,"a":12345678901234567890}}]},
        {"role":"user","content":[
            {"type":"text","text":"and"},
            {"type":"tool_result","tool_use_id":"toolu_1","content":"18","is_error":true,"cache_control":{"type":"ephemeral"}}]}],
        "tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}},"input_examples":[]},
                 {"type":"web_search_20250305","name":"web_search","max_uses":3}],
        "tool_choice":{"type":"any","disable_parallel_tool_use":true},
        "top_k":5,"temperature":0.50,"stop_sequences":["END"],"stream":true,
        "metadata":{"user_id":"u1"},"service_tier":"standard_only",
        "context_management":{"edits":[]}})") ==
        R"({"model":"m","max_tokens":100,"stream":true,"system":[{"type":"text","text":"A","cache_control":{"type":"ephemeral"}},{"type":"text","text":"B"}],"messages":[{"role":"user","content":[)"
        R"({"type":"text","text":"see","citations":[]},)"
        R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}},)"
        R"({"type":"image","source":{"type":"url","url":"https://x/y.png"}},)"
        R"({"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA=="},"title":"t","citations":{"enabled":true}}]},)"
        R"({"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"redacted_thinking","data":"xx"},{"type":"text","text":"calling"},)"
        R"({"type":"tool_use","id":"toolu_1","name":"f","input":{"b":1,"a":12345678901234567890}}]},)"
        R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"18"}],"is_error":true,"cache_control":{"type":"ephemeral"}},{"type":"text","text":"and"}]}],)"
        R"("tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}},"input_examples":[]},{"type":"web_search_20250305","name":"web_search","max_uses":3}],)"
        R"("tool_choice":{"type":"any","disable_parallel_tool_use":true},"temperature":0.50,"top_k":5,"stop_sequences":["END"],)"
        R"("metadata":{"user_id":"u1"},"service_tier":"standard_only","context_management":{"edits":[]}})");
}

TEST_CASE("anthropic: thinking and output_config come through as they are") {
    CHECK(again(with_member(R"("thinking":{"type":"enabled","budget_tokens":2000,"display":"omitted"},)"
                            R"("output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object","minProperties":1}},"task_budget":7})")) ==
          R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],)"
          R"("thinking":{"type":"enabled","budget_tokens":2000,"display":"omitted"},)"
          R"("output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object","minProperties":1}},"task_budget":7}})");
}

TEST_CASE("anthropic: system messages between others stay in their place") {
    CHECK(again(with_messages(
              R"([{"role":"user","content":"a"},{"role":"system","content":"s"},)"
              R"({"role":"user","content":[{"type":"text","text":"b"},{"type":"mid_conv_system","content":[{"type":"text","text":"t"}]},{"type":"text","text":"c"}]}])")) ==
          with_messages(
              R"([{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"system","content":[{"type":"text","text":"s"}]},)"
              R"({"role":"user","content":[{"type":"text","text":"b"}]},{"role":"user","content":[{"type":"mid_conv_system","content":[{"type":"text","text":"t"}]}]},)"
              R"({"role":"user","content":[{"type":"text","text":"c"}]}])"));
}

TEST_CASE("anthropic: documents and search results of text are text for others") {
    std::string body = with_messages(
        R"([{"role":"user","content":[)"
        R"({"type":"document","title":"notes","source":{"type":"text","media_type":"text/plain","data":"abc"}},)"
        R"({"type":"document","source":{"type":"content","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}},)"
        R"({"type":"search_result","source":"https://s","title":"T","content":[{"type":"text","text":"r"}]}]}])");
    json::Document document;
    REQUIRE(document.parse(body));
    std::pmr::monotonic_buffer_resource memory;
    auto request = anthropic_format().parse_request(document, &memory);
    REQUIRE(request);
    auto &parts = request->messages.at(0).parts;
    REQUIRE(parts.size() == 3);
    CHECK(parts[0].type == chat::PartType::text);
    CHECK(parts[0].text == "notes\n\nabc");
    CHECK(parts[1].text == "x\ny");
    CHECK(parts[2].text == "T\nhttps://s\n\nr");
    // And what they were for Anthropic.
    CHECK(again(body) == body);
}

TEST_CASE("anthropic: blocks of the provider's own tools are no tool calls") {
    std::string body = with_messages(
        R"([{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":[)"
        R"({"type":"server_tool_use","id":"s","name":"web_search","input":{}},)"
        R"({"type":"web_search_tool_result","tool_use_id":"s","content":[]},)"
        R"({"type":"tool_search_tool_result","tool_use_id":"t","content":{}}]}])");
    json::Document document;
    REQUIRE(document.parse(body));
    std::pmr::monotonic_buffer_resource memory;
    auto request = anthropic_format().parse_request(document, &memory);
    REQUIRE(request);
    for (const chat::Part &part : request->messages.at(1).parts) {
        CHECK(part.type == chat::PartType::native);
    }
    CHECK(again(body) == body);
}

TEST_CASE("anthropic: the head needs a model and messages only") {
    auto head = [](std::string_view body) {
        json::Document document;
        REQUIRE(document.parse(body));
        auto head = anthropic_format().parse_head(document, {});
        if (!head) {
            return testing::describe(head.error());
        }
        return std::string(head->model) + (head->stream ? " stream" : "")
               + (head->max_tokens ? " " + std::to_string(*head->max_tokens)
                                   : "");
    };
    CHECK(head(R"({"model":"m","stream":true,"max_tokens":5,"messages":[{"role":"new","content":[{"type":"new"}]}],"new":1})")
          == "m stream 5");
    CHECK(head(R"([])") == ": the request must be a JSON object");
    CHECK(head(R"({"messages":[1]})") == "model: model is required");
    CHECK(head(R"({"model":5,"messages":[1]})")
          == "model: model must be a string that is not empty");
    CHECK(head(R"({"model":"m"})") == "messages: messages is required");
    CHECK(head(R"({"model":"m","messages":[]})")
          == "messages: messages must be an array that is not empty");
    CHECK(head(R"({"model":"m","messages":[1],"stream":"yes"})")
          == "stream: stream must be true or false");
    CHECK(head(R"({"model":"m","messages":[1],"max_tokens":"5"})")
          == "max_tokens: max_tokens must be an integer of at least 0");
}

TEST_CASE("anthropic: a wrong member is named") {
    struct {
        std::string body;
        std::string error;
    } const cases[] = {
        {"[]", ": the request must be a JSON object"},
        {R"({"max_tokens":9,"messages":[]})", "model: model is required"},
        {R"({"model":"","max_tokens":9,"messages":[]})",
         "model: model must not be empty"},
        {R"({"model":"m","messages":[{"role":"user","content":"a"}]})",
         "max_tokens: max_tokens is required"},
        {R"({"model":"m","max_tokens":1.5,"messages":[{"role":"user","content":"a"}]})",
         "max_tokens: max_tokens must be an integer of at least 0"},
        {R"({"model":"m","max_tokens":9})", "messages: messages is required"},
        {with_messages("{}"), "messages: messages must be an array"},
        {with_messages("[]"), "messages: messages must not be empty"},
        {with_messages("[1]"), "messages[0]: messages[0] must be an object"},
        {with_messages(R"([{"content":"a"}])"),
         "messages[0].role: messages[0].role is required"},
        {with_messages(R"([{"role":"tool","content":"a"}])"),
         R"(messages[0].role: messages[0].role has an unknown value "tool")"},
        {with_messages(R"([{"role":"user"}])"),
         "messages[0].content: messages[0].content is required"},
        {with_messages(R"([{"role":"user","content":5}])"),
         "messages[0].content: messages[0].content must be a string or an array"},
        {with_messages(R"([{"role":"user","content":["a"]}])"),
         "messages[0].content[0]: messages[0].content[0] must be an object"},
        {with_messages(R"([{"role":"user","content":[{"type":5}]}])"),
         "messages[0].content[0].type: messages[0].content[0].type must be a string"},
        {with_messages(R"([{"role":"user","content":[{"type":"hologram"}]}])"),
         R"(messages[0].content[0].type: messages[0].content[0].type has an unknown value "hologram")"},
        {with_messages(R"([{"role":"user","content":[{"type":"tool_use","id":"a","name":"b","input":{}}]}])"),
         R"(messages[0].content[0].type: messages[0].content[0].type cannot be "tool_use" in this place)"},
        {with_messages(R"([{"role":"user","content":[{"type":"text","text":null}]}])"),
         "messages[0].content[0].text: messages[0].content[0].text must be a string"},
        {with_messages(R"([{"role":"user","content":[{"type":"text","text":"a","cache_control":"x"}]}])"),
         "messages[0].content[0].cache_control: messages[0].content[0].cache_control must be an object"},
        {with_messages(R"([{"role":"user","content":[{"type":"image"}]}])"),
         "messages[0].content[0].source: messages[0].content[0].source is required"},
        {with_messages(R"([{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"x"}}]}])"),
         "messages[0].content[0].source.media_type: messages[0].content[0].source.media_type is required"},
        {with_messages(R"([{"role":"user","content":[{"type":"document","source":{"type":"ftp"}}]}])"),
         R"(messages[0].content[0].source.type: messages[0].content[0].source.type has an unknown value "ftp")"},
        {with_messages(R"([{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"b","input":"{}"}]}])"),
         "messages[1].content[0].input: messages[1].content[0].input must be an object"},
        {with_messages(R"([{"role":"user","content":[{"type":"tool_result","content":"x"}]}])"),
         "messages[0].content[0].tool_use_id: messages[0].content[0].tool_use_id is required"},
        {with_messages(R"([{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"thinking"}]}]}])"),
         R"(messages[0].content[0].content[0].type: messages[0].content[0].content[0].type cannot be "thinking" in this place)"},
        {with_messages(R"([{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","is_error":"no"}]}])"),
         "messages[0].content[0].is_error: messages[0].content[0].is_error must be true or false"},
        {with_member(R"("system":5)"),
         "system: system must be a string or an array"},
        {with_member(R"("system":[{"type":"image"}])"),
         R"(system[0].type: system[0].type cannot be "image" in this place)"},
        {with_member(R"("temperature":"hot")"),
         "temperature: temperature must be a number"},
        {with_member(R"("temperature":1.5)"),
         "temperature: temperature is out of range"},
        {with_member(R"("top_p":-1)"), "top_p: top_p is out of range"},
        {with_member(R"("top_k":0.5)"),
         "top_k: top_k must be an integer of at least 0"},
        {with_member(R"("stop_sequences":"x")"),
         "stop_sequences: stop_sequences must be an array of strings"},
        {with_member(R"("stop_sequences":["a",1])"),
         "stop_sequences[1]: stop_sequences[1] must be a string"},
        {with_member(R"("stream":1)"), "stream: stream must be true or false"},
        {with_member(R"("tools":{})"), "tools: tools must be an array"},
        {with_member(R"("tools":[5])"), "tools[0]: tools[0] must be an object"},
        {with_member(R"("tools":[{"name":"f"}])"),
         "tools[0].input_schema: tools[0].input_schema is required"},
        {with_member(R"("tools":[{"input_schema":{}}])"),
         "tools[0].name: tools[0].name is required"},
        {with_member(R"("tool_choice":"auto")"),
         "tool_choice: tool_choice must be an object"},
        {with_member(R"("tool_choice":{"type":"some"})"),
         R"(tool_choice.type: tool_choice.type has an unknown value "some")"},
        {with_member(R"("tool_choice":{"type":"tool"})"),
         "tool_choice.name: tool_choice.name is required"},
        {with_member(R"("thinking":{"type":"enabled"})"),
         "thinking.budget_tokens: thinking.budget_tokens must be a positive integer"},
        {with_member(R"("thinking":{"type":"deep"})"),
         R"(thinking.type: thinking.type has an unknown value "deep")"},
        {with_member(R"("output_config":{"effort":3})"),
         "output_config.effort: output_config.effort must be a string"},
        {with_member(R"("output_config":{"format":{"type":"json_schema"}})"),
         "output_config.format.schema: output_config.format.schema must be an object"},
        {with_member(R"("metadata":{"user_id":1})"),
         "metadata.user_id: metadata.user_id must be a string"},
        {with_member(R"("service_tier":1)"),
         "service_tier: service_tier must be a string"},
    };
    for (auto &one : cases) {
        INFO(one.body);
        CHECK(again(one.body) == one.error);
    }
}

TEST_CASE("anthropic: a long unknown word is not echoed at length") {
    std::string error = again(
        with_messages(R"([{"role":")" + std::string(10000, 'x') + R"("}])"));
    CHECK(error.size() < 200);
}

TEST_CASE("anthropic: system and developer messages of any place become the system prompt") {
    Call call;
    call.say(chat::Role::system, "one");
    call.say(chat::Role::user, "hi");
    call.say(chat::Role::developer, "two");
    call.say(chat::Role::system, " ");
    CHECK(call.member("system")
          == R"([{"type":"text","text":"one"},{"type":"text","text":"two"}])");
    CHECK(call.member("messages")
          == R"([{"role":"user","content":[{"type":"text","text":"hi"}]}])");
}

TEST_CASE("anthropic: neighbours of one role are one message, empty ones none") {
    Call call;
    call.say(chat::Role::user, "a");
    call.say(chat::Role::user, "  ");
    call.say(chat::Role::assistant);
    call.say(chat::Role::user, "b");
    call.say(chat::Role::assistant, "c");
    call.say(chat::Role::assistant, "d \n");
    CHECK(call.member("messages") ==
          R"([{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},)"
          R"({"role":"assistant","content":[{"type":"text","text":"c"},{"type":"text","text":"d"}]}])");
}

TEST_CASE("anthropic: the conversation starts with the user") {
    Call call;
    call.say(chat::Role::system, "s");
    CHECK(call.member("messages")
          == R"([{"role":"user","content":[{"type":"text","text":"."}]}])");
    call.say(chat::Role::assistant, "hello");
    CHECK(call.member("messages") ==
          R"([{"role":"user","content":[{"type":"text","text":"."}]},)"
          R"({"role":"assistant","content":[{"type":"text","text":"hello"}]}])");
}

TEST_CASE("anthropic: results come first in the message after their calls") {
    Call call;
    call.say(chat::Role::user, "q");
    auto &message = call.say(chat::Role::assistant, "calling");
    call.call(message, "a", "f", R"({"x":1})");
    call.call(message, "b", "g", "");
    call.result("a", "one");
    call.say(chat::Role::user, "more");
    call.result("b", "");
    CHECK(call.member("messages") ==
          R"([{"role":"user","content":[{"type":"text","text":"q"}]},)"
          R"({"role":"assistant","content":[{"type":"text","text":"calling"},)"
          R"({"type":"tool_use","id":"a","name":"f","input":{"x":1}},)"
          R"({"type":"tool_use","id":"b","name":"g","input":{}}]},)"
          R"({"role":"user","content":[)"
          R"({"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"one"}]},)"
          R"({"type":"tool_result","tool_use_id":"b"},)"
          R"({"type":"text","text":"more"}]}])");
}

TEST_CASE("anthropic: a result without a call is refused, a call without a result gets one") {
    Call orphan;
    orphan.say(chat::Role::user, "q");
    orphan.result("a", "one");
    CHECK(orphan.write() ==
          "messages[1].tool_call_id: messages[1].tool_call_id answers no tool "
          "call of the assistant message before it");

    Call missing;
    missing.say(chat::Role::user, "q");
    auto &message = missing.say(chat::Role::assistant);
    missing.call(message, "a", "f", "{}");
    missing.call(message, "b", "f", "{}");
    missing.result("b", "two");
    CHECK(missing.member("messages").find(
              R"({"role":"user","content":[)"
              R"({"type":"tool_result","tool_use_id":"a","content":"no result","is_error":true},)"
              R"({"type":"tool_result","tool_use_id":"b","content":[{"type":"text","text":"two"}]}]})")
          != std::string::npos);
}

TEST_CASE("anthropic: arguments that are no object are wrapped") {
    auto input = [](std::string_view arguments) {
        Call call;
        call.say(chat::Role::user, "q");
        call.call(call.say(chat::Role::assistant), "a", "f", arguments);
        std::string messages = call.member("messages");
        std::size_t at = messages.find(R"("input":)") + 8;
        return messages.substr(at, messages.size() - at - 4);
    };
    CHECK(input("") == "{}");
    CHECK(input(" \n") == "{}");
    CHECK(input(R"( {"b":1, "a":1e2} )") == R"({"b":1, "a":1e2})");
    CHECK(input(R"({"a":)") == R"({"input":"{\"a\":"})");
    CHECK(input("[1]") == R"({"input":[1]})");
    CHECK(input("not json") == R"({"input":"not json"})");
}

TEST_CASE("anthropic: ids that the API refuses are mapped alike everywhere") {
    Call call;
    call.say(chat::Role::user, "q");
    auto &message = call.say(chat::Role::assistant);
    call.call(message, "call:1", "f", "{}");
    call.call(message, "call.1", "f", "{}");
    call.result("call.1", "x");
    call.result("call:1", "y");
    std::string messages = call.member("messages");
    json::Document document;
    REQUIRE(document.parse(messages));
    auto block = [&](int turn, int index) {
        auto message = *std::next(document.root().elements().begin(), turn);
        return *std::next(message["content"].elements().begin(), index);
    };
    std::string first(block(1, 0)["id"].string());
    std::string second(block(1, 1)["id"].string());
    CHECK(first != second);
    CHECK(first.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_")
          == std::string::npos);
    CHECK(block(2, 0)["tool_use_id"].string() == second);
    CHECK(block(2, 1)["tool_use_id"].string() == first);
}

TEST_CASE("anthropic: only thinking that is signed goes back") {
    Call call;
    call.say(chat::Role::user, "q");
    auto &message = call.say(chat::Role::assistant);
    call.add(message, chat::PartType::reasoning).text = "unsigned";
    auto &part = call.add(message, chat::PartType::reasoning);
    part.text = "signed";
    part.signature = "sig";
    auto &sealed = call.add(message, chat::PartType::reasoning);
    sealed.text = "by OpenAI";
    sealed.signature = "rs_1:gAAA";
    call.add(message, chat::PartType::refusal).text = "no";
    CHECK(call.member("messages").find(
              R"({"role":"assistant","content":[{"type":"thinking","thinking":"signed","signature":"sig"},{"type":"text","text":"no"}]})")
          != std::string::npos);
}

TEST_CASE("anthropic: images and files") {
    Call call;
    auto &message = call.say(chat::Role::user);
    auto &image = call.add(message, chat::PartType::image);
    image.media_type = "image/jpg";
    image.data = "AAAA";
    image.detail = "high";
    call.add(message, chat::PartType::image).url = "https://h/i.png";
    auto &pdf = call.add(message, chat::PartType::file);
    pdf.media_type = "application/pdf";
    pdf.data = "BBBB";
    pdf.filename = "a.pdf";
    auto &text = call.add(message, chat::PartType::file);
    text.media_type = "text/plain";
    text.data = "aMOp";
    CHECK(call.member("messages") ==
          R"([{"role":"user","content":[)"
          R"({"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"AAAA"}},)"
          R"({"type":"image","source":{"type":"url","url":"https://h/i.png"}},)"
          R"({"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"BBBB"},"title":"a.pdf"},)"
          "{\"type\":\"document\",\"source\":{\"type\":\"text\",\"media_type\":\"text/plain\",\"data\":\"h\xC3\xA9\"}}]}]");
}

TEST_CASE("anthropic: what it cannot take is refused by name, or dropped on demand") {
    struct {
        void (*ask)(Call &);
        std::string param;
    } const cases[] = {
        {[](Call &call) { call.request.n = 2; }, "n"},
        {[](Call &call) { call.request.logprobs = true; }, "logprobs"},
        {[](Call &call) { call.request.modalities = call.value(R"(["text","audio"])"); },
         "modalities"},
        {[](Call &call) { call.request.web_search_options = call.value("{}"); },
         "web_search_options"},
        {[](Call &call) { call.tool("f").type = chat::Tool::Type::native; },
         "tools[0].type"},
        {[](Call &call) {
             auto &tool = call.tool("f");
             tool.type = chat::Tool::Type::custom;
             tool.source = call.value(R"({"custom":{"format":{"type":"grammar"}}})");
         },
         "tools[0].custom.format"},
        {[](Call &call) {
             call.add(call.request.messages[0], chat::PartType::audio).data = "AA";
         },
         "messages[0].content[1]"},
        {[](Call &call) {
             call.add(call.request.messages[0], chat::PartType::image).media_type = "image/tiff";
         },
         "messages[0].content[1]"},
        {[](Call &call) {
             call.add(call.request.messages[0], chat::PartType::file).file_id = "file-1";
         },
         "messages[0].content[1]"},
        {[](Call &call) {
             call.add(call.request.messages[0], chat::PartType::file).media_type = "video/mp4";
         },
         "messages[0].content[1]"},
    };
    for (auto &one : cases) {
        INFO(one.param);
        Call call;
        call.say(chat::Role::user, "hi");
        one.ask(call);
        std::string out;
        auto outcome = anthropic_format().write_request(call.request, call.options, out);
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().kind == ErrorKind::unsupported);
        CHECK(outcome.error().param == one.param);
        CHECK(outcome.error().message.starts_with(one.param));
        CHECK(out.empty());

        call.options.drop_unsupported = true;
        CHECK(call.member("messages")
              == R"([{"role":"user","content":[{"type":"text","text":"hi"}]}])");
    }
}

TEST_CASE("anthropic: hints that it does not know are dropped") {
    Call call;
    call.say(chat::Role::user, "hi");
    call.request.seed = call.value("7");
    call.request.logit_bias = call.value(R"({"1":2})");
    call.request.frequency_penalty = call.value("1");
    call.request.verbosity = "low";
    call.request.metadata = call.value(R"({"a":"b"})");
    call.request.store = call.value("true");
    call.request.extra.push_back({"prompt_cache_key", call.value("\"k\""), {}});
    CHECK(call.write() ==
          R"({"model":"claude-sonnet-4-5","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]})");
}

TEST_CASE("anthropic: sampling, stop and identity") {
    Call call;
    call.say(chat::Role::user, "hi");
    call.request.max_tokens = 50;
    call.request.temperature = call.value("1.7");
    call.request.top_p = call.value("0.9");
    call.request.stop = {"END", " \n", "STOP"};
    call.request.user = "u";
    call.request.service_tier = "default";
    CHECK(call.member("max_tokens") == "50");
    CHECK(call.member("temperature") == "1");
    CHECK(call.member("top_p") == "");
    CHECK(call.member("stop_sequences") == R"(["END","STOP"])");
    CHECK(call.member("metadata") == R"({"user_id":"u"})");
    CHECK(call.member("service_tier") == R"("standard_only")");

    call.request.temperature = {};
    CHECK(call.member("top_p") == "0.9");
    call.request.stop = {" "};
    CHECK(call.member("stop_sequences") == "");
    // The newest models refuse them all.
    call.options.model = "claude-opus-4-7";
    CHECK(call.member("top_p") == "");
    // No model answers at more length than it can.
    call.request.max_tokens = 200000;
    CHECK(call.member("max_tokens") == "128000");
    call.options.model = "claude-3-haiku-20240307";
    CHECK(call.member("max_tokens") == "4096");
}

TEST_CASE("anthropic: tools and the choice among them") {
    Call call;
    call.say(chat::Role::user, "hi");
    auto &tool = call.tool("f");
    tool.description = "d";
    tool.parameters = call.value(R"({"properties":{"a":{"type":"string"}},"required":["a"]})");
    tool.strict = true;
    call.tool("g").parameters = call.value("{}");
    call.tool("h");
    auto &custom = call.tool("sql");
    custom.type = chat::Tool::Type::custom;
    CHECK(call.member("tools") ==
          R"([{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}},)"
          R"({"name":"g","input_schema":{"type":"object","properties":{}}},)"
          R"({"name":"h","input_schema":{"type":"object","properties":{}}},)"
          R"({"name":"llm_custom_sql","input_schema":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}])");
    CHECK(call.member("tool_choice") == "");

    call.request.parallel_tool_calls = false;
    CHECK(call.member("tool_choice")
          == R"({"type":"auto","disable_parallel_tool_use":true})");
    call.request.parallel_tool_calls.reset();

    using Mode = chat::ToolChoice::Mode;
    call.request.tool_choice = chat::ToolChoice{Mode::none, {}, {}};
    CHECK(call.member("tool_choice") == R"({"type":"none"})");
    call.request.tool_choice = chat::ToolChoice{Mode::required, {}, {}};
    CHECK(call.member("tool_choice") == R"({"type":"any"})");
    call.request.tool_choice = chat::ToolChoice{Mode::named, "g", {}};
    CHECK(call.member("tool_choice") == R"({"type":"tool","name":"g"})");
    call.request.tool_choice = chat::ToolChoice{Mode::named, "sql", {}};
    CHECK(call.member("tool_choice")
          == R"({"type":"tool","name":"llm_custom_sql"})");
    call.request.tool_choice = chat::ToolChoice{
        Mode::allowed, {},
        call.value(R"({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"h"}}]}})")};
    CHECK(call.member("tool_choice") == R"({"type":"any"})");
    CHECK(call.member("tools")
          == R"([{"name":"h","input_schema":{"type":"object","properties":{}}}])");
}

TEST_CASE("anthropic: strict schemas lose what the API refuses") {
    Call call;
    call.say(chat::Role::user, "hi");
    call.options.quirks.output_config = true;
    call.request.response_format = chat::ResponseFormat{};
    auto &format = *call.request.response_format;
    format.type = chat::ResponseFormat::Type::json_schema;
    format.schema = call.value(
        R"({"type":"object","properties":{"pattern":{"type":"string","pattern":"^a","format":"date"},)"
        R"("n":{"type":"integer","minimum":1,"format":"int32"},"l":{"type":"array","items":{"oneOf":[{"type":"null"},{"type":"object","additionalProperties":true}]},"minItems":2}},)"
        R"("required":["n"],"$defs":{"minimum":{"type":"number","maximum":2}}})");
    CHECK(call.member("output_config") ==
          R"({"format":{"type":"json_schema","schema":{"type":"object","properties":{"pattern":{"type":"string","format":"date"},)"
          R"("n":{"type":"integer"},"l":{"type":"array","items":{"anyOf":[{"type":"null"},{"type":"object","additionalProperties":false}]}}},)"
          R"("required":["n"],"$defs":{"minimum":{"type":"number"}},"additionalProperties":false}}})");
    CHECK(call.member("tools") == "");

    auto &tool = call.tool("f");
    tool.strict = true;
    tool.parameters = call.value(R"({"type":"object","properties":{"a":{"type":"string","minLength":1}}})");
    CHECK(call.member("tools") ==
          R"([{"name":"f","input_schema":{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false},"strict":true}])");
}

TEST_CASE("anthropic: a model that takes no schema is made to call the tool that takes the answer") {
    Call call;
    call.say(chat::Role::user, "hi");
    call.request.response_format = chat::ResponseFormat{};
    auto &format = *call.request.response_format;
    format.type = chat::ResponseFormat::Type::json_schema;
    format.schema = call.value(R"({"type":"object","properties":{"a":{"type":"string","pattern":"x"}}})");
    call.request.reasoning.effort = "high";

    CHECK(call.member("tool_choice")
          == R"({"type":"tool","name":"llm_structured_answer"})");
    CHECK(call.member("tools") ==
          R"([{"name":"llm_structured_answer","description":"Gives the answer. Call it once, with the whole answer as its input.",)"
          R"("input_schema":{"type":"object","properties":{"a":{"type":"string","pattern":"x"}}}}])");
    // Which goes against thinking.
    CHECK(call.member("thinking") == "");

    // Beside tools of the client's, it calls one of them or answers.
    call.tool("f");
    CHECK(call.member("tool_choice") == R"({"type":"any"})");
    call.request.tool_choice =
        chat::ToolChoice{chat::ToolChoice::Mode::required, {}, {}};
    CHECK(call.member("tools")
          == R"([{"name":"f","input_schema":{"type":"object","properties":{}}}])");
}

TEST_CASE("anthropic: a JSON object is asked for in words") {
    Call call;
    call.say(chat::Role::system, "s");
    call.say(chat::Role::user, "hi");
    call.request.response_format = chat::ResponseFormat{};
    call.request.response_format->type = chat::ResponseFormat::Type::json_object;
    CHECK(call.member("system") ==
          R"([{"type":"text","text":"s"},{"type":"text","text":"Answer with one JSON object and nothing else: no explanation, no code fence."}])");
}

TEST_CASE("anthropic: effort becomes what the model understands") {
    struct {
        std::string model;
        bool output_config;
        std::string effort;
        std::int64_t max_tokens;
        std::string thinking;
        std::string config;
        std::string written_max_tokens;
    } const cases[] = {
        {"claude-opus-4-7", true, "xhigh", 9000, R"({"type":"adaptive"})", R"({"effort":"xhigh"})", "9000"},
        {"claude-sonnet-4-6", true, "xhigh", 9000, R"({"type":"adaptive"})", R"({"effort":"max"})", "9000"},
        {"claude-opus-4-7", true, "none", 9000, R"({"type":"disabled"})", "", "9000"},
        {"claude-opus-4-5", true, "max", 40000, R"({"type":"enabled","budget_tokens":16384})", R"({"effort":"high"})", "40000"},
        {"claude-opus-4-5", true, "minimal", 9000, R"({"type":"enabled","budget_tokens":1024})", R"({"effort":"low"})", "9000"},
        {"claude-sonnet-4-5", true, "medium", 9000, R"({"type":"enabled","budget_tokens":2048})", "", "9000"},
        {"claude-sonnet-4-6", false, "high", 9000, R"({"type":"enabled","budget_tokens":4096})", "", "9000"},
        // Half of the room at most is for thinking; too little is for none.
        {"claude-sonnet-4-5", false, "high", 4000, R"({"type":"enabled","budget_tokens":2000})", "", "4000"},
        {"claude-sonnet-4-5", false, "high", 1024, "", "", "1024"},
        // What the client did not bound has room for both.
        {"claude-sonnet-4-5", false, "high", 0, R"({"type":"enabled","budget_tokens":4096})", "", "8192"},
        {"claude-3-5-sonnet-20241022", true, "high", 100, "", "", "100"},
    };
    for (auto &one : cases) {
        INFO(one.model << " " << one.effort << " " << one.max_tokens);
        Call call;
        call.say(chat::Role::user, "hi");
        call.options.model = one.model;
        call.options.quirks.output_config = one.output_config;
        call.request.reasoning.effort = one.effort;
        call.request.temperature = call.value("0.5");
        if (one.max_tokens != 0) {
            call.request.max_tokens = one.max_tokens;
        }
        CHECK(call.member("thinking") == one.thinking);
        CHECK(call.member("output_config") == one.config);
        CHECK(call.member("max_tokens") == one.written_max_tokens);
        // Thinking and a temperature exclude each other.
        bool thinks = !one.thinking.empty() && one.effort != "none";
        bool sampling = one.model != "claude-opus-4-7";
        CHECK(call.member("temperature")
              == (thinks || !sampling ? "" : "0.5"));
    }
}

TEST_CASE("anthropic: a model with a budget thinks only where a turn can begin with it") {
    auto thinking = [](std::string_view messages,
                       std::string_view model = "claude-sonnet-4-5") {
        WriteOptions options;
        options.model = model;
        std::string out = testing::translate_request(
            openai_format(), anthropic_format(),
            R"({"model":"m","max_tokens":9000,"reasoning_effort":"high","messages":)"
                + std::string(messages) + "}",
            options);
        json::Document document;
        REQUIRE(document.parse(out));
        return std::string(document.root()["thinking"].raw());
    };
    auto turn = [](std::string_view reasoning, std::string_view next) {
        return R"([{"role":"user","content":"q"},{"role":"assistant","content":null,)"
               + std::string(reasoning)
               + R"("tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]})"
               + std::string(next) + "]";
    };
    std::string on = R"({"type":"enabled","budget_tokens":4096})";
    std::string result =
        R"(,{"role":"tool","tool_call_id":"c","content":"r"})";
    std::string proof =
        R"("reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"EqQB"}],)";

    CHECK(thinking(turn(proof, result)) == on);
    // Clients that keep the thought's text at most.
    CHECK(thinking(turn("", result)) == "");
    CHECK(thinking(turn(R"("reasoning_content":"hm",)", result)) == "");
    // What OpenAI has sealed is no proof here.
    CHECK(thinking(turn(R"("reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"rs_1:gAAA"}],)",
                        result))
          == "");
    // Its calls without results, and with more said after them, go on too.
    CHECK(thinking(turn("", R"(,{"role":"user","content":"and?"})")) == "");
    CHECK(thinking(turn("", result + R"(,{"role":"user","content":"and?"})"))
          == "");
    // Of several calls, one after another, the first has the thought.
    std::string second =
        R"(,{"role":"assistant","content":null,"tool_calls":[{"id":"d","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
        R"({"role":"tool","tool_call_id":"d","content":"r"})";
    CHECK(thinking(turn(proof, result + second)) == on);
    CHECK(thinking(turn("", result + second)) == "");
    // The next question is a new beginning; an answer that has begun is none.
    CHECK(thinking(turn("", result
                                + R"(,{"role":"assistant","content":"a"},{"role":"user","content":"b"})"))
          == on);
    CHECK(thinking(R"([{"role":"user","content":"q"},{"role":"assistant","content":"It is"}])")
          == "");
    // Models that think as they like need none.
    CHECK(thinking(turn("", result), "claude-opus-4-7")
          == R"({"type":"adaptive"})");
}

TEST_CASE("anthropic: only the model is changed in a body that stays in its format") {
    std::string body =
        R"({ "messages" : [ {"role":"user","content":"hi"} ], "model" : "a", "x":1e5 })";
    json::Document document;
    REQUIRE(document.parse(body));
    WriteOptions options;
    options.model = "claude \"x\"";
    std::string out;
    json::apply_edits(
        body, anthropic_format().request_edits(body, document, options), out);
    CHECK(out ==
          R"({ "messages" : [ {"role":"user","content":"hi"} ], "model" : "claude \"x\"", "x":1e5 })");
    options.model = "a";
    CHECK(anthropic_format().request_edits(body, document, options).empty());
}

TEST_CASE("anthropic: another provider's thoughts do not come to Claude") {
    auto edited = [](std::string_view assistant, std::string_view next = "",
                     std::string_view more = "",
                     std::string_view model = "claude-sonnet-4-5") {
        std::string body =
            R"({"model":"m","max_tokens":9000,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":)"
            + std::string(assistant) + "}" + std::string(next) + "]"
            + std::string(more) + "}";
        json::Document document;
        REQUIRE(document.parse(body));
        WriteOptions options;
        options.model = model;
        std::string out;
        json::apply_edits(
            body, anthropic_format().request_edits(body, document, options),
            out);
        REQUIRE(document.parse(out));
        return std::string(
                   (*std::next(document.root()["messages"].elements().begin()))
                       ["content"].raw())
               + std::string(document.root()["thinking"].raw());
    };
    std::string unsigned_one = R"({"type":"thinking","thinking":"hm","signature":""})";
    std::string sealed = R"({"type":"thinking","thinking":"hm","signature":"rs_1:gAAA"})";
    std::string own = R"({"type":"thinking","thinking":"hm","signature":"EqQB"})";
    std::string text = R"({"type":"text","text":"t"})";
    std::string use = R"({"type":"tool_use","id":"c","name":"f","input":{}})";

    for (auto &foreign : {unsigned_one, sealed}) {
        CHECK(edited("[" + foreign + "," + text + "]") == "[" + text + "]");
        CHECK(edited("[" + foreign + "]")
              == R"([{"type":"text","text":"."}])");
    }
    CHECK(edited("[" + own + "," + text + "]") == "[" + own + "," + text + "]");
    CHECK(edited(R"("plain")") == R"("plain")");
    // Others that speak this API sign nothing, and may want their own back.
    CHECK(edited("[" + unsigned_one + "," + text + "]", "", "", "deepseek-chat")
          == "[" + unsigned_one + "," + text + "]");

    // The turn that goes on must begin with a thought, or the model must not
    // have to think.
    std::string on = R"({"type":"enabled","budget_tokens":2000})";
    std::string asked = R"(,"thinking":)" + on;
    std::string off = R"({"type":"disabled"})";
    std::string result =
        R"(,{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"r"}]})";
    std::string question = R"(,{"role":"user","content":"and?"})";
    CHECK(edited("[" + sealed + "," + use + "]", result, asked)
          == "[" + use + "]" + off);
    CHECK(edited("[" + own + "," + use + "]", result, asked)
          == "[" + own + "," + use + "]" + on);
    CHECK(edited("[" + sealed + "," + use + "]", result + R"(,{"role":"assistant","content":[)" + use + "]}" + result, asked)
          == "[" + use + "]" + off);
    CHECK(edited("[" + sealed + "," + text + "]", question, asked)
          == "[" + text + "]" + on);
    CHECK(edited("[" + sealed + "," + use + "]", result, R"(,"thinking":{"type":"adaptive"})")
          == "[" + use + "]" + R"({"type":"adaptive"})");
}
