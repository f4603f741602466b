// Claude as InvokeModel on AWS: Anthropic's API inside of Bedrock's.
#include <memory_resource>
#include <string>
#include <string_view>

#include "catch.hpp"
#include "cuts.hpp"
#include "events.hpp"
#include "exchange.hpp"
#include "llm/exchange.hpp"
#include "llm/provider.hpp"
#include "text/base64.hpp"

using namespace llm;
using testing::Pieces;
using testing::for_each_cut;
using testing::translate_request;

namespace {

constexpr std::string_view model = "us.anthropic.claude-sonnet-4-5-v1:0";

WriteOptions on_bedrock(std::string_view betas = {}) {
    WriteOptions options;
    options.model = model;
    options.quirks.hosting = Hosting::bedrock;
    options.betas = betas;
    return options;
}

std::string edited(std::string_view body, std::string_view betas = {}) {
    json::Document document;
    REQUIRE(document.parse(body));
    std::string out;
    json::apply_edits(body,
                      anthropic_format().request_edits(body, document,
                                                       on_bedrock(betas)),
                      out);
    CHECK(document.parse(out));
    return out;
}

// One event of Anthropic's as AWS sends it.
std::string chunk(std::string_view event) {
    std::string out;
    wire::append_event_message(out, "chunk",
                               R"({"bytes":")" + base64::encode(event)
                                   + R"(","p":"abcdefgh"})");
    return out;
}

std::string exception(std::string_view type, std::string_view payload) {
    std::string out;
    wire::append_event_message(out, type, payload, true);
    return out;
}

constexpr std::string_view start =
    R"({"type":"message_start","message":{"id":"msg_bdrk_1","type":"message","role":"assistant","model":"claude","content":[],"usage":{"input_tokens":9,"output_tokens":1}}})";
constexpr std::string_view block =
    R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})";
constexpr std::string_view hello =
    R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}})";
constexpr std::string_view block_stop =
    R"({"type":"content_block_stop","index":0})";
constexpr std::string_view delta =
    R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":4}})";
constexpr std::string_view stop =
    R"({"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":9,"outputTokenCount":4}})";

const std::string whole_stream = chunk(start) + chunk(block) + chunk(hello)
                                 + chunk(block_stop) + chunk(delta)
                                 + chunk(stop);

// A call of this client's through the gateway, to the provider's answer.
class Call {
public:
    explicit Call(const Format &client,
                  std::string_view body = R"({"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]})")
        : exchange(client, body, {}, &memory) {
        REQUIRE(exchange.open());
        Target target;
        target.format = &anthropic_format();
        target.model = model;
        target.quirks.hosting = Hosting::bedrock;
        REQUIRE(exchange.prepare(target));
        exchange.set_context("u1", 1700000000);
    }

    Exchange::Step answer(const Pieces &pieces) {
        AnswerHead head;
        head.status = 200;
        head.content_type = exchange.answer_wire().stream_type;
        exchange.begin(head);
        for (std::string_view piece : pieces) {
            if (exchange.feed(piece) == Exchange::Step::failed) {
                return Exchange::Step::failed;
            }
        }
        return exchange.finish();
    }

    std::pmr::monotonic_buffer_resource memory;
    Exchange exchange;
};

}  // namespace

TEST_CASE("invoke: no name of a model changes the path") {
    CallPath call;
    call.model = model;
    call.quirks.hosting = Hosting::bedrock;
    CHECK(anthropic_format().path(call)
          == "/model/us.anthropic.claude-sonnet-4-5-v1%3A0/invoke");
    call.stream = true;
    call.model = "arn:aws:bedrock:us-east-1:1:inference-profile/../x?y";
    CHECK(anthropic_format().path(call)
          == "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile"
             "%2F..%2Fx%3Fy/invoke-with-response-stream");
}

TEST_CASE("invoke: the body has neither model nor stream") {
    CHECK(translate_request(openai_format(), anthropic_format(),
                            R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}],"max_tokens":9})",
                            on_bedrock())
          == R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]})");
    CHECK(edited(R"({"model":"m", "max_tokens" : 9,"stream":true,"zork":[ ]})")
          == R"({"anthropic_version":"bedrock-2023-05-31", "max_tokens" : 9,"zork":[ ]})");
}

TEST_CASE("invoke: wherever the members are, JSON remains") {
    CHECK(edited(R"({"stream":true,"model":"m","a":1})")
          == R"({"anthropic_version":"bedrock-2023-05-31","a":1})");
    CHECK(edited(R"({"anthropic_version":"x","stream":false,"a":1,"model":"m"})")
          == R"({"a":1,"anthropic_version":"bedrock-2023-05-31"})");
    CHECK(edited(R"({"model":"m","stream":true,"anthropic_beta":["b"]})")
          == R"({"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["b"]})");
    CHECK(edited(R"({ "stream":true , "anthropic_beta":[] , "model":"m" })")
          == R"({ "anthropic_version":"bedrock-2023-05-31" })");
}

TEST_CASE("invoke: beta features are named in the body") {
    CHECK(edited(R"({"model":"m","a":1})", "one, two-2025-01-01 ,,one")
          == R"({"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["one","two-2025-01-01"],"a":1})");
    // Those of the header and of the body, each once.
    CHECK(edited(R"({"model":"m","anthropic_beta":["two","three"]})", "one,two")
          == R"({"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["two","three","one"]})");
    CHECK(edited(R"({"model":"m","anthropic_beta":"no array"})")
          == R"({"anthropic_version":"bedrock-2023-05-31"})");
    // No feature's name ends its string.
    CHECK(edited(R"({"model":"m"})", R"(a"],"b":["c)")
          == R"({"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a\"]","\"b\":[\"c"]})");
    CHECK(translate_request(openai_format(), anthropic_format(),
                            R"({"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":9})",
                            on_bedrock("one"))
          == R"({"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["one"],"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]})");
    // Elsewhere they are a header.
    WriteOptions own;
    own.model = "m";
    own.betas = "one";
    CHECK(translate_request(openai_format(), anthropic_format(),
                            R"({"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":9})",
                            own)
              .find("beta")
          == std::string::npos);
}

TEST_CASE("invoke stream: a client of Anthropic's API gets its events") {
    std::string expected;
    for (auto [type, data] :
         {std::pair{"message_start", start},
          std::pair{"content_block_start", block},
          std::pair{"content_block_delta", hello},
          std::pair{"content_block_stop", block_stop},
          std::pair{"message_delta", delta}, std::pair{"message_stop", stop}}) {
        wire::append_sse(expected, type, data);
    }
    auto check = [&](const Pieces &pieces) {
        Call call(anthropic_format());
        REQUIRE(call.answer(pieces) == Exchange::Step::complete);
        if (call.exchange.output() != expected) {
            CHECK(call.exchange.output() == expected);
        }
        CHECK(call.exchange.content_type() == "text/event-stream");
        CHECK(call.exchange.account().usage.total_tokens == 13);
        CHECK(call.exchange.account().complete);
    };
    for_each_cut(whole_stream, check);
}

TEST_CASE("invoke stream: others get what they understand") {
    Call call(openai_format(), R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})");
    REQUIRE(call.answer({whole_stream}) == Exchange::Step::complete);
    CHECK(call.exchange.output().find(R"("content":"Hel")")
          != std::string::npos);
    CHECK(call.exchange.output().ends_with("data: [DONE]\n\n"));
}

TEST_CASE("invoke stream: line ends in an event's JSON end nothing") {
    std::string event = "{\"type\":\n\"ping\",\r\n\n\"x\": 1}";
    testing::StreamRun run(anthropic_format(), Hosting::bedrock);
    std::string stream = chunk(event);
    run.run({stream});
    CHECK(run.relayed
          == "event: ping\ndata: {\"type\": \"ping\",   \"x\": 1}\n\n");
}

TEST_CASE("invoke stream: no type of an event becomes another line") {
    testing::StreamRun run(anthropic_format(), Hosting::bedrock);
    std::string stream = chunk(R"({"type":"a\nevent: b"})");
    run.run({stream});
    CHECK(run.relayed == "data: {\"type\":\"a\\nevent: b\"}\n\n");
}

TEST_CASE("invoke stream: events of other types and what follows the end") {
    std::string other;
    wire::append_event_message(other, "initial-response", "{}");
    testing::StreamRun run(anthropic_format(), Hosting::bedrock);
    std::string stream = other + whole_stream + chunk(hello);
    run.run({stream});
    CHECK(run.relayed.starts_with("event: message_start\n"));
    CHECK(run.relayed.ends_with(std::string(stop) + "\n\n"));
}

TEST_CASE("invoke stream: an exception first is an error with its status") {
    Call call(anthropic_format());
    std::string stream =
        exception("throttlingException", R"({"message":"slow"})");
    REQUIRE(call.answer({stream}) == Exchange::Step::failed);
    CHECK(call.exchange.error().kind == ErrorKind::rate_limit);
    CHECK(call.exchange.error().message == "slow");
}

TEST_CASE("invoke stream: an exception in the middle is an error event") {
    std::string stream =
        chunk(start) + chunk(block) + chunk(hello)
        + exception("modelStreamErrorException", R"({"message":"broke"})");
    Call call(anthropic_format());
    REQUIRE(call.answer({stream}) == Exchange::Step::complete);
    CHECK(call.exchange.broken());
    CHECK(call.exchange.output().ends_with(
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
        "\"api_error\",\"message\":\"broke\"}}\n\n"));

    Call other(openai_format(), R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})");
    REQUIRE(other.answer({stream}) == Exchange::Step::complete);
    CHECK(other.exchange.output().find(R"({"error":{"message":"broke")")
          != std::string::npos);
}

TEST_CASE("invoke stream: what is damaged or cut off ends in an error") {
    auto end_of = [](const std::string &stream) {
        Call call(anthropic_format());
        CHECK(call.answer({stream}) == Exchange::Step::complete);
        CHECK(call.exchange.broken());
        auto &out = call.exchange.output();
        return out.substr(out.rfind("event: "));
    };
    std::string begun = chunk(start) + chunk(block) + chunk(hello);
    auto message = [](std::string_view payload) {
        std::string out;
        wire::append_event_message(out, "chunk", payload);
        return out;
    };
    for (std::string_view payload :
         {R"({"bytes":"!"})", R"({"bytes":7})", "{}", "[", ""}) {
        CHECK(end_of(begun + message(payload) + chunk(stop))
              == "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
                 "\"api_error\",\"message\":\"the provider's event stream is "
                 "damaged: a chunk holds no bytes in base64\"}}\n\n");
    }
    CHECK(end_of(begun + chunk("no JSON")).find("that is no JSON")
          != std::string::npos);
    CHECK(end_of(begun).find("ended before the answer was complete")
          != std::string::npos);
    CHECK(end_of(begun + chunk(stop).substr(0, 20)).find("middle of a message")
          != std::string::npos);
}

TEST_CASE("invoke: errors are the service's, in whose words they come") {
    const Format &format = anthropic_format();
    AnswerHead head;
    head.status = 400;
    head.error_type = "ValidationException:http://internal.amazon.com/";
    Error error = format.parse_error(head, R"({"message":"invalid beta flag"})");
    CHECK(error.kind == ErrorKind::invalid_request);
    CHECK(error.message == "invalid beta flag");
    CHECK(error.type == "ValidationException");

    // Its words may say whose keys they were.
    head.status = 403;
    head.error_type = "UnrecognizedClientException";
    error = format.parse_error(head, R"({"message":"token AKIA1 is invalid"})");
    CHECK(error.kind == ErrorKind::authentication);
    CHECK(error.message == "the provider refused the gateway's credentials");

    AnswerWire wire = format.answer_wire(Hosting::bedrock);
    CHECK(wire.error_type_header == "x-amzn-errortype");
    CHECK(wire.request_id_header == "x-amzn-requestid");
    wire = format.answer_wire(Hosting::own);
    CHECK(wire.stream_type == "text/event-stream");
    CHECK(wire.error_type_header == "");
}

TEST_CASE("invoke: the preset") {
    const Preset *preset = find_preset("bedrock-anthropic");
    REQUIRE(preset);
    CHECK(preset->format == "anthropic");
    CHECK(preset->quirks.hosting == Hosting::bedrock);
    CHECK(preset->key_header == "authorization");
}
