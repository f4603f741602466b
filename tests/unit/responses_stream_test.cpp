// OpenAI's Responses API: streams.
#include <memory_resource>
#include <string>

#include "catch.hpp"
#include "events.hpp"
#include "exchange.hpp"
#include "llm/exchange.hpp"
#include "llm/format.hpp"

using namespace llm;
using testing::events_of;
using testing::sum_of_response;
using testing::sum_of_stream;
using testing::translate_response;
using testing::translate_stream;

namespace {

// An event of a provider: its number does not matter.
std::string event(std::string_view type, std::string_view members) {
    return "event: " + std::string(type) + "\ndata: {\"type\":\""
           + std::string(type) + "\",\"sequence_number\":0,"
           + std::string(members) + "}\n\n";
}

std::string response(std::string_view type, std::string_view status,
                     std::string_view output = "[]",
                     std::string_view more = "") {
    return event("response." + std::string(type),
                 R"("response":{"id":"resp_1","object":"response","created_at":1700000000,"model":"gpt-5","status":")"
                     + std::string(status) + R"(","output":)"
                     + std::string(output) + std::string(more) + "}");
}

const std::string begin = response("created", "in_progress")
                          + response("in_progress", "in_progress");
const std::string usage =
    R"(,"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":15})";
const std::string end = response("completed", "completed", "[]", usage);

std::string added(int index, std::string_view item) {
    return event("response.output_item.added",
                 "\"output_index\":" + std::to_string(index) + ",\"item\":"
                     + std::string(item));
}

std::string done(int index, std::string_view item) {
    return event("response.output_item.done",
                 "\"output_index\":" + std::to_string(index) + ",\"item\":"
                     + std::string(item));
}

std::string delta(std::string_view type, int index, std::string_view text) {
    return event("response." + std::string(type) + ".delta",
                 R"("item_id":"i","output_index":)" + std::to_string(index)
                     + R"(,"content_index":0,"delta":)" + std::string(text));
}

const std::string last = "usage 10+5=15 cached 4 reasoning 3\n";

AnswerContext context() {
    AnswerContext context;
    context.request_model = "asked";
    context.now = 1700000000;
    context.unique = "u1";
    return context;
}

std::string chunk(std::string_view delta, std::string_view finish = "null") {
    return R"(data: {"id":"chatcmpl-1","created":1700000000,"model":"m","choices":[{"index":0,"delta":)"
           + std::string(delta) + R"(,"finish_reason":)" + std::string(finish)
           + "}]}\n\n";
}

const std::string openai_end =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":15}}\n\ndata: [DONE]\n\n";

// A stream of an OpenAI provider as clients of this API get it.
std::string from_openai(const std::string &stream) {
    return translate_stream(openai_format(), responses_format(), stream,
                            context());
}

// What the official SDKs hold such a stream to, and more: events have their
// name twice, numbers count up by one, items and parts are announced before
// and ended after what is said of them, with what was said of them, and the
// last event repeats all items. Returns the types, without "response.".
class Checker final : public wire::FrameSink {
public:
    static std::string types_of(std::string_view stream) {
        Checker checker;
        wire::SseFramer framer;
        REQUIRE(framer.feed(stream, checker));
        REQUIRE(framer.pending() == 0);
        return checker.types_;
    }

    void on_frame(const wire::Frame &frame) override {
        if (frame.data.empty()) {
            return;
        }
        INFO(frame.data);
        json::Document document;
        REQUIRE(document.parse(frame.data));
        json::Value root = document.root();
        std::string_view type = root["type"].string();
        REQUIRE(frame.event == type);
        REQUIRE(root["sequence_number"].integer() == number_++);
        REQUIRE_FALSE(over_);
        if (type.starts_with("response.")) {
            type.remove_prefix(9);
        }
        types_.append(types_.empty() ? "" : " ").append(type);
        check(type, root);
    }

private:
    struct Item {
        std::string id;
        std::string type;
        std::string said;           // deltas of the open part
        bool part_open = false;
        bool done = false;
        std::string raw;            // once it is done
    };

    void check(std::string_view type, json::Value root) {
        if (type == "created") {
            REQUIRE(number_ == 1);
            id_ = root["response"]["id"].string();
        } else if (type == "output_item.added") {
            REQUIRE(root["output_index"].integer()
                    == static_cast<std::int64_t>(items_.size()));
            Item item;
            item.id = root["item"]["id"].string();
            item.type = root["item"]["type"].string();
            items_.push_back(item);
        } else if (type == "output_item.done") {
            Item &item = at(root);
            REQUIRE_FALSE(item.part_open);
            REQUIRE(item.id == root["item"]["id"].string());
            item.done = true;
            item.raw = root["item"].raw();
        } else if (type == "completed" || type == "incomplete"
                   || type == "failed" || type == "error") {
            over_ = true;
            if (type == "error") {
                return;
            }
            REQUIRE(root["response"]["status"].string() == type);
            REQUIRE(root["response"]["id"].string() == id_);
            if (type == "failed") {
                return;
            }
            std::string all;
            for (const Item &item : items_) {
                REQUIRE(item.done);
                all.append(all.empty() ? "" : ",").append(item.raw);
            }
            REQUIRE(root["response"]["output"].raw() == "[" + all + "]");
        } else if (root["item_id"]) {
            check_part(type, root);
        }
    }

    void check_part(std::string_view type, json::Value root) {
        Item &item = at(root);
        REQUIRE(item.id == root["item_id"].string());
        REQUIRE_FALSE(item.done);
        if (type.ends_with("part.added")) {
            REQUIRE_FALSE(item.part_open);
            item.part_open = true;
            item.said.clear();
        } else if (type.ends_with(".delta")) {
            bool call = item.type.ends_with("call");
            REQUIRE((call || item.part_open));
            item.said += root["delta"].string();
        } else if (type.ends_with("part.done")) {
            REQUIRE(item.part_open);
            item.part_open = false;
        } else if (type.ends_with(".done")) {
            std::string_view all;
            for (auto name : {"text", "refusal", "arguments", "input"}) {
                if (root[name]) {
                    all = root[name].string();
                }
            }
            REQUIRE(all == item.said);
        }
    }

    Item &at(json::Value root) {
        auto index = root["output_index"].integer().value_or(-1);
        REQUIRE(index >= 0);
        REQUIRE(index < static_cast<std::int64_t>(items_.size()));
        return items_[static_cast<std::size_t>(index)];
    }

    std::string types_;
    std::string id_;
    std::int64_t number_ = 0;
    bool over_ = false;
    std::vector<Item> items_;
};

}  // namespace

// From providers

TEST_CASE("responses stream: words") {
    CHECK(events_of(responses_format(),
        begin + added(0, R"({"type":"message","id":"msg_1","role":"assistant","content":[]})")
        + delta("output_text", 0, R"("Hel")") + delta("output_text", 0, "\"lo \xF0\x9F\x98\x80\"")
        + event("response.output_text.done", "\"output_index\":0,\"content_index\":0,\"text\":\"Hello \xF0\x9F\x98\x80\"")
        + done(0, R"({"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"Hello"}]})")
        + response("completed", "completed", R"([{"type":"message","content":[{"type":"output_text","text":"Hello"}]}])", usage))
          == "start resp_1 gpt-5 1700000000\ntext Hel\ntext lo \xF0\x9F\x98\x80\n" + last
             + "finish stop (completed)\ndone\n");
}

TEST_CASE("responses stream: thoughts, words and parallel calls") {
    CHECK(events_of(responses_format(),
        begin + added(0, R"({"type":"reasoning","id":"rs_1","summary":[]})")
        + event("response.reasoning_summary_text.delta", R"("output_index":0,"summary_index":0,"delta":"one")")
        + event("response.reasoning_summary_text.delta", R"("output_index":0,"summary_index":1,"delta":"two")")
        + done(0, R"({"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"one"}],"encrypted_content":"gAAA"})")
        + delta("refusal", 1, R"("No.")")
        + added(2, R"({"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":""})")
        + added(3, R"({"type":"custom_tool_call","id":"ct_1","call_id":"c2","name":"sql","input":""})")
        + delta("function_call_arguments", 2, R"("{\"a\":")") + delta("custom_tool_call_input", 3, R"("select")")
        + delta("function_call_arguments", 2, R"("1}")")
        + event("response.function_call_arguments.done", R"("output_index":2,"name":"f","arguments":"{\"a\":1}")")
        + done(2, R"({"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\"a\":1}"})")
        + end)
          == "start resp_1 gpt-5 1700000000\nreasoning one\nreasoning \n\n\nreasoning two\nsignature rs_1:gAAA\n"
             "refusal No.\ncall 0 c1 f\ncustom call 1 c2 sql\narguments 0 {\"a\":\narguments 1 select\narguments 0 1}\n"
             + last + "finish tool_calls (completed)\ndone\n");
}

TEST_CASE("responses stream: an image is told once, when it is whole") {
    std::string image = R"({"type":"image_generation_call","id":"ig_1","status":"completed","result":"iVBORw0KGgo="})";
    CHECK(events_of(responses_format(),
        begin + added(0, R"({"type":"image_generation_call","id":"ig_1","status":"in_progress","result":null})")
        + event("response.image_generation_call.partial_image", R"("output_index":0,"partial_image_index":0,"partial_image_b64":"iVBORw0KGgp=")")
        + done(0, image) + response("completed", "completed", "[" + image + "]", usage))
          == "start resp_1 gpt-5 1700000000\nimage image/png iVBORw0KGgo=\n" + last
             + "finish stop (completed)\ndone\n");
}

TEST_CASE("responses stream: what a server leaves out of its events") {
    // No deltas, or no event that begins an item, or nothing but the end.
    std::string call = R"({"type":"function_call","call_id":"c1","name":"f","arguments":"{}"})";
    std::string words = R"({"type":"message","content":[{"type":"output_text","text":"a"}]})";
    std::string thoughts = R"({"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]})";
    std::string items = "reasoning hm\ntext a\ncall 0 c1 f\narguments 0 {}\n";
    std::string head = "start resp_1 gpt-5 1700000000\n";
    std::string tail = last + "finish tool_calls (completed)\ndone\n";
    CHECK(events_of(responses_format(), begin + done(0, thoughts) + done(1, words) + done(2, call) + end) == head + items + tail);
    CHECK(events_of(responses_format(),
                    response("completed", "completed", "[" + thoughts + "," + words + "," + call + "]", usage))
          == head + items + tail);
    CHECK(events_of(responses_format(), begin + delta("function_call_arguments", 0, R"("{")") + done(0, call) + end)
          == head + "call 0 c1 f\narguments 0 {}\n" + tail);
    // The arguments only when they are done.
    CHECK(events_of(responses_format(),
                    begin + added(0, R"({"type":"function_call","call_id":"c1","name":"f"})")
                    + event("response.function_call_arguments.done", R"("output_index":0,"arguments":"{}")") + end)
          == head + "call 0 c1 f\narguments 0 {}\n" + tail);
    // Names of events as SSE has them, and chat completions' end marker.
    CHECK(events_of(responses_format(), "event: response.created\ndata: {\"response\":{\"id\":\"r\"}}\n\n"
                    "event: response.completed\ndata: {\"response\":{\"id\":\"r\"}}\n\ndata: [DONE]\n\n")
          == "start r  0\nfinish stop (completed)\ndone\n");
}

TEST_CASE("responses stream: events that come twice, or that nobody knows") {
    std::string item = R"({"type":"function_call","call_id":"c1","name":"f","arguments":"{}"})";
    CHECK(events_of(responses_format(),
        begin + begin + event("response.zork", R"("z":[])") + event("response.web_search_call.searching", R"("output_index":0)")
        + added(1, item) + added(1, item) + done(1, item) + done(1, item)
        + delta("function_call_arguments", 1, R"("late")") + end + end)
          == "start resp_1 gpt-5 1700000000\ncall 0 c1 f\narguments 0 {}\n" + last + "finish tool_calls (completed)\ndone\n");
}

TEST_CASE("responses stream: incomplete answers") {
    CHECK(events_of(responses_format(), begin + delta("output_text", 0, R"("cut")")
                    + response("incomplete", "incomplete", "[]", R"(,"incomplete_details":{"reason":"max_output_tokens"})" + usage))
          == "start resp_1 gpt-5 1700000000\ntext cut\n" + last + "finish length (max_output_tokens)\ndone\n");
    CHECK(events_of(responses_format(), begin + response("incomplete", "incomplete", "[]", R"(,"incomplete_details":{"reason":"content_filter"})"))
          == "start resp_1 gpt-5 1700000000\nfinish content_filter\ndone\n");
}

TEST_CASE("responses stream: probabilities of tokens") {
    CHECK(events_of(responses_format(), begin
        + event("response.output_text.delta", R"("output_index":0,"content_index":0,"delta":"a","logprobs":[{"token":"a","logprob":-1,"top_logprobs":[]}])") + end)
          == "start resp_1 gpt-5 1700000000\ntext a\nlogprobs {\"content\":[{\"token\":\"a\",\"logprob\":-1,\"top_logprobs\":[]}]}\n"
             + last + "finish stop (completed)\ndone\n");
}

TEST_CASE("responses stream: errors, and streams that break off") {
    std::string head = "start resp_1 gpt-5 1700000000\n";
    CHECK(events_of(responses_format(), begin + response("failed", "failed", "[]", R"(,"error":{"code":"rate_limit_exceeded","message":"slow down"})"))
          == head + "error 429 slow down\n");
    CHECK(events_of(responses_format(), begin + response("failed", "failed", "[]", R"(,"error":null)"))
          == head + "error 500 the provider failed before the answer was complete\n");
    CHECK(events_of(responses_format(), event("error", R"("code":"server_error","message":"boom","param":null)"))
          == "error 500 boom\n");
    CHECK(events_of(responses_format(), event("error", R"("error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"too long"})"))
          == "error 400 too long\n");
    CHECK(events_of(responses_format(), begin + delta("output_text", 0, R"("a")"))
          == head + "text a\nerror 502 the provider's stream ended before the answer was complete\n");
    CHECK(events_of(responses_format(), "")
          == "error 502 the provider's stream ended before the answer was complete\n");
    CHECK(events_of(responses_format(), begin + "data: {\n\n")
          == head + "error 502 the provider's stream holds an event that is not JSON\n");
    CHECK(events_of(responses_format(), begin + delta("function_call_arguments", 0, R"("{}")") + end)
          == head + "error 502 the provider's stream holds a tool call without a name\n");
    // What a server in between says, in no format.
    CHECK(events_of(responses_format(), "{\"error\":{\"message\":\"bad gateway\",\"code\":502}}")
          == "error 502 bad gateway\n");
}

TEST_CASE("responses stream: members of the wrong type end nothing but themselves") {
    CHECK(events_of(responses_format(),
        begin + event("response.output_item.added", R"("output_index":"x","item":7)")
        + event("response.output_text.delta", R"("output_index":null,"delta":{})")
        + event("response.output_item.done", R"("item":[])")
        + event("response.completed", R"("response":[])"))
          == "start resp_1 gpt-5 1700000000\nfinish stop (completed)\ndone\n");
}

TEST_CASE("responses stream: it says what the one-shot answer says") {
    std::string items =
        R"([{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"one"},{"type":"summary_text","text":"two"}],"encrypted_content":"gAAA"},)"
        R"({"type":"message","content":[{"type":"output_text","text":"Hello"}]},)"
        R"({"type":"function_call","call_id":"c1","name":"f","arguments":"{\"a\": 1}"}])";
    std::string whole = R"({"id":"resp_1","created_at":1700000000,"model":"gpt-5","status":"completed","error":null,"output":)" + items + usage + "}";
    CHECK(sum_of_stream(responses_format(), response("completed", "completed", items, usage))
          == sum_of_response(responses_format(), whole));
    AnswerContext asked = context();
    asked.include_usage = true;
    for (const Format *client : {&openai_format(), &anthropic_format(), &responses_format()}) {
        INFO(client->name());
        CHECK(sum_of_stream(*client, translate_stream(responses_format(), *client, response("completed", "completed", items, usage), asked))
              == sum_of_response(*client, translate_response(responses_format(), *client, whole, asked)));
    }
}

// To clients

TEST_CASE("responses stream: the events of a text, in their order") {
    std::string stream = from_openai(chunk(R"({"role":"assistant","content":""})") + chunk(R"({"content":"Hel"})")
                                     + chunk(R"({"content":"lo"})") + chunk("{}", "\"stop\"") + openai_end);
    CHECK(Checker::types_of(stream)
          == "created in_progress output_item.added content_part.added output_text.delta output_text.delta "
             "output_text.done content_part.done output_item.done completed");
    CHECK(stream.find("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":4,"
                      "\"item_id\":\"msg_u1_0\",\"output_index\":0,\"content_index\":0,\"delta\":\"Hel\",\"logprobs\":[]}\n\n")
          != std::string::npos);
    CHECK(stream.find(R"({"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"id":"msg_u1_0","type":"message","status":"in_progress","role":"assistant","content":[]}})")
          != std::string::npos);
    CHECK(stream.find(R"("usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":15})")
          != std::string::npos);
    CHECK(stream.find(R"("response":{"id":"resp_u1","object":"response","created_at":1700000000,"status":"in_progress")") != std::string::npos);
    // The API knows no end marker.
    CHECK(stream.find("[DONE]") == std::string::npos);
}

TEST_CASE("responses stream: the events of thoughts, a refusal and calls") {
    std::string stream = from_openai(
        chunk(R"({"role":"assistant","reasoning_content":"hm "})") + chunk(R"({"reasoning_content":"hm"})")
        + chunk(R"({"content":"a"})") + chunk(R"({"refusal":"r"})")
        + chunk(R"({"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]})")
        + chunk(R"({"tool_calls":[{"index":1,"id":"c2","type":"custom","custom":{"name":"sql","input":"select"}}]})")
        + chunk("{}", "\"tool_calls\"") + openai_end);
    CHECK(Checker::types_of(stream)
          == "created in_progress output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.delta "
             "reasoning_summary_text.done reasoning_summary_part.done output_item.done "
             "output_item.added content_part.added output_text.delta output_text.done content_part.done "
             "content_part.added refusal.delta refusal.done content_part.done output_item.done "
             "output_item.added function_call_arguments.delta function_call_arguments.done output_item.done "
             "output_item.added custom_tool_call_input.delta custom_tool_call_input.done output_item.done completed");
}

TEST_CASE("responses stream: arguments of parallel calls may come mixed") {
    std::string stream = from_openai(
        chunk(R"({"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":"}}]})")
        + chunk(R"({"tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":""}}]})")
        + chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"1}"}},{"index":1,"function":{"arguments":"{\"y\":2}"}}]})")
        + chunk("{}", "\"tool_calls\"") + openai_end);
    CHECK(Checker::types_of(stream)
          == "created in_progress output_item.added function_call_arguments.delta output_item.added "
             "function_call_arguments.delta function_call_arguments.delta "
             "function_call_arguments.done output_item.done function_call_arguments.done output_item.done completed");
    CHECK(stream.find(R"("arguments":"{\"x\":1}","call_id":"c1","name":"f")") != std::string::npos);
    CHECK(stream.find(R"("arguments":"{\"y\":2}","call_id":"c2","name":"g")") != std::string::npos);
}

TEST_CASE("responses stream: a call without arguments has an empty object") {
    std::string stream = from_openai(
        chunk(R"({"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]})")
        + chunk("{}", "\"tool_calls\"") + openai_end);
    CHECK(Checker::types_of(stream)
          == "created in_progress output_item.added function_call_arguments.delta function_call_arguments.done output_item.done completed");
    CHECK(stream.find(R"("arguments":"{}","call_id":"c1")") != std::string::npos);
}

TEST_CASE("responses stream: signatures and what cannot be read") {
    std::string stream = from_openai(
        chunk(R"({"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"hm"}]})")
        + chunk(R"({"reasoning_details":[{"type":"reasoning.text","text":"","signature":"sig"}]})")
        + chunk(R"({"reasoning_details":[{"type":"reasoning.encrypted","data":"xyz"}]})")
        + chunk(R"({"content":"a"})") + chunk("{}", "\"stop\"") + openai_end);
    Checker::types_of(stream);
    CHECK(stream.find(R"({"id":"rs_u1_0","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"llm:signature:sig"})")
          != std::string::npos);
    CHECK(stream.find(R"({"id":"rs_u1_1","type":"reasoning","summary":[],"encrypted_content":"llm:redacted:xyz"})")
          != std::string::npos);
}

TEST_CASE("responses stream: proofs of calls, images, and the rest of the events") {
    auto writer = responses_format().make_writer(context());
    std::string out;
    auto write = [&](chat::Event::Type type, auto &&fill) {
        chat::Event event;
        event.type = type;
        fill(event);
        writer->write(event, out);
    };
    using Type = chat::Event::Type;
    write(Type::ping, [](chat::Event &) {});
    CHECK(out == ": keep-alive\n\n");
    out.clear();
    write(Type::image, [](chat::Event &e) { e.text = "QUJD"; e.media_type = "image/png"; });
    write(Type::tool_call, [](chat::Event &e) { e.name = "f"; e.signature = "Cgo="; });
    // Another choice is none of this API's.
    write(Type::text, [](chat::Event &e) { e.choice = 1; e.text = "zork"; });
    write(Type::finish, [](chat::Event &e) { e.finish_reason = chat::FinishReason::length; });
    write(Type::done, [](chat::Event &) {});
    CHECK(Checker::types_of(out)
          == "created in_progress output_item.added output_item.done output_item.added output_item.done "
             "output_item.added function_call_arguments.done output_item.done incomplete");
    CHECK(out.find(R"({"id":"ig_u1_0","type":"image_generation_call","status":"completed","result":"QUJD"})") != std::string::npos);
    CHECK(out.find(R"("encrypted_content":"llm:call:Cgo=")") != std::string::npos);
    // Cut off before its arguments: not as if it had none.
    CHECK(out.find(R"({"id":"fc_u1_2","type":"function_call","status":"incomplete","arguments":"","call_id":"call_u1_0","name":"f"})") != std::string::npos);
    CHECK(out.find("zork") == std::string::npos);
    CHECK(out.find(R"("incomplete_details":{"reason":"max_output_tokens"})") != std::string::npos);
}

TEST_CASE("responses stream: a client's line ends do not cut an event") {
    std::string request = "{\"model\":\"m\",\n\"tools\":[\r\n{\"type\":\"function\",\n\"name\":\"f\"}\n],\"input\":\"a\\nb\"}";
    json::Document document;
    REQUIRE(document.parse(request));
    AnswerContext asked = context();
    asked.request = document.root();
    std::string stream = translate_stream(openai_format(), responses_format(),
        chunk(R"({"content":"a\nb"})", "\"stop\"") + openai_end, asked);
    Checker::types_of(stream);
    CHECK(stream.find("\"tools\":[  {\"type\":\"function\", \"name\":\"f\"} ]") != std::string::npos);
}

TEST_CASE("responses stream: errors towards clients") {
    std::string stream = from_openai(chunk(R"({"content":"a"})") + "data: {\"error\":{\"message\":\"busy\",\"type\":\"server_error\",\"code\":null}}\n\n");
    CHECK(Checker::types_of(stream)
          == "created in_progress output_item.added content_part.added output_text.delta failed");
    CHECK(stream.find(R"("status":"failed","background":false,"error":{"code":"server_error","message":"busy"})") != std::string::npos);
    // Nothing was begun, so nothing failed but the call.
    CHECK(from_openai("data: {\"error\":{\"message\":\"slow down\",\"type\":\"requests\",\"code\":\"rate_limit_exceeded\"}}\n\n")
          == "event: error\ndata: {\"type\":\"error\",\"sequence_number\":0,\"code\":\"rate_limit_exceeded\",\"message\":\"slow down\",\"param\":null}\n\n");
    std::string cut = from_openai(chunk(R"({"content":"a"})"));
    CHECK(sum_of_stream(responses_format(), cut).find("error: : the provider's stream ended before the answer was complete\n") != std::string::npos);
    CHECK(cut.find("response.completed") == std::string::npos);
}

TEST_CASE("responses stream: what goes through is not touched") {
    std::string stream = begin + event("response.zork", "\"z\":1") + delta("output_text", 0, "\"a\"") + end;
    testing::StreamRun run(responses_format());
    run.run({stream});
    CHECK(run.relayed == stream);
}

TEST_CASE("responses stream: one that is passed on and cut ends in its place") {
    auto sent = [](std::string_view events, bool aborted) {
        std::pmr::monotonic_buffer_resource memory;
        std::string_view body = R"({"model":"m","input":"q","stream":true})";
        Exchange exchange(responses_format(), body, {}, &memory);
        REQUIRE(exchange.open());
        exchange.set_context("0123456789abcdef", 1);
        Target target;
        target.format = &responses_format();
        target.model = "m";
        REQUIRE(exchange.prepare(target));
        AnswerHead head;
        head.status = 200;
        head.content_type = "text/event-stream";
        exchange.begin(head);
        exchange.feed(events);
        if (aborted) {
            exchange.abort({ErrorKind::timeout, "too late", {}, {}, 0, {}});
        } else {
            exchange.finish();
        }
        CHECK(exchange.broken());
        auto out = exchange.output();
        REQUIRE(out.starts_with(events));
        return out.substr(events.size());
    };
    const std::string created =
        R"(data: {"type":"response.created","response":{"id":"r"})";
    std::string events =
        created + ",\"sequence_number\":0}\n\n"
        + R"(data: {"type":"response.output_text.delta","output_index":0,)"
          R"("content_index":0,"delta":"\"sequence_number\":9",)"
          R"("sequence_number": 41})" "\n\n";

    CHECK(sent(events, false)
          == "event: error\ndata: {\"type\":\"error\",\"sequence_number\":42,"
             "\"code\":\"server_error\",\"message\":\"the provider's stream "
             "ended before the answer was complete\",\"param\":null}\n\n");
    CHECK(sent(events, true).find(R"("sequence_number":42,"code":)")
          != std::string::npos);
    // Servers that do not count are not counted for.
    CHECK(sent(created + "}\n\n", true)
              .find(R"("sequence_number":0,)")
          != std::string::npos);
}
