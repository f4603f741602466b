// Names of tools that a provider does not take: what it gets, and that the
// client hears its own.
#include "catch.hpp"

#include <memory_resource>
#include <string>
#include <string_view>

#include "formats/tool_name.hpp"
#include "llm/exchange.hpp"
#include "llm/format.hpp"

namespace llm {

namespace {

// As agents name the tools of MCP servers.
constexpr std::string_view long_name =
    "mcp__a-server-with-a-rather-long-name__create_or_update_pull_request_review";

struct Call {
    Call(const Format &client, const Format &provider, std::string_view body)
        : exchange(client, body, {}, &memory) {
        RouteMatch route;
        route.format = &client;
        REQUIRE(exchange.open(route));
        exchange.set_context("0123456789abcdef01234567", 1700000001);
        Target target;
        target.format = &provider;
        target.model = "p";
        REQUIRE(exchange.prepare(target));
        for (auto piece : exchange.pieces()) {
            sent += piece;
        }
    }

    // In a stream the pieces are of one byte.
    std::string answered(std::string_view type, std::string_view bytes,
                         std::size_t step) {
        AnswerHead head;
        head.status = 200;
        head.content_type = type;
        REQUIRE(exchange.begin(head) != Exchange::Step::failed);
        for (std::size_t i = 0; i < bytes.size(); i += step) {
            REQUIRE(exchange.feed(bytes.substr(i, step))
                    != Exchange::Step::failed);
        }
        REQUIRE(exchange.finish() == Exchange::Step::complete);
        return exchange.output();
    }

    std::pmr::monotonic_buffer_resource memory;
    Exchange exchange;
    std::string sent;
};

bool holds(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

std::string claude_body(bool stream) {
    std::string name(long_name);
    return R"({"model":"m","max_tokens":64,"stream":)"
           + std::string(stream ? "true" : "false")
           + R"(,"tools":[{"name":"other","input_schema":{"type":"object"}},)"
             R"({"name":")" + name + R"(","input_schema":{"type":"object"}}],)"
             R"("tool_choice":{"type":"tool","name":")" + name + R"("},)"
             R"("messages":[{"role":"user","content":"a"},)"
             R"({"role":"assistant","content":[{"type":"tool_use","id":"t1",)"
             R"("name":")" + name + R"(","input":{}}]},)"
             R"({"role":"user","content":[{"type":"tool_result",)"
             R"("tool_use_id":"t1","content":"r"}]}]})";
}

}  // namespace

TEST_CASE("a tool's name that is too long is cut, and whole again in answers",
          "[tool_name]") {
    std::string cut = legal_tool_name(long_name);
    CHECK(cut.size() == 64);
    CHECK(cut.starts_with("llm_cut_"));
    CHECK(holds(cut, "_mcp__a-server-with"));

    Call whole(anthropic_format(), openai_format(), claude_body(false));
    CHECK_FALSE(holds(whole.sent, long_name));
    // In the tools, the choice and what was said.
    std::size_t times = 0;
    for (std::size_t at = 0;
         (at = whole.sent.find(cut, at)) != whole.sent.npos; ++at) {
        ++times;
    }
    CHECK(times == 3);

    auto answer = whole.answered(
        "application/json",
        R"({"id":"c","object":"chat.completion","created":1,"model":"p",)"
        R"("choices":[{"index":0,"message":{"role":"assistant","content":null,)"
        R"("tool_calls":[{"id":"t2","type":"function","function":{"name":")"
            + cut + R"(","arguments":"{}"}}]},"finish_reason":"tool_calls"}]})",
        4096);
    CHECK(holds(answer, R"("name":")" + std::string(long_name) + "\""));
    CHECK_FALSE(holds(answer, "llm_cut_"));

    Call stream(anthropic_format(), openai_format(), claude_body(true));
    auto events = stream.answered(
        "text/event-stream",
        R"(data: {"id":"c","object":"chat.completion.chunk","created":1,)"
        R"("model":"p","choices":[{"index":0,"delta":{"role":"assistant",)"
        R"("tool_calls":[{"index":0,"id":"t2","type":"function","function":)"
        R"({"name":")" + cut + R"(","arguments":""}}]},"finish_reason":null}]})"
        "\n\n"
        R"(data: {"id":"c","object":"chat.completion.chunk","created":1,)"
        R"("model":"p","choices":[{"index":0,"delta":{"tool_calls":)"
        R"([{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":null}]})"
        "\n\n"
        R"(data: {"id":"c","object":"chat.completion.chunk","created":1,)"
        R"("model":"p","choices":[{"index":0,"delta":{},)"
        R"("finish_reason":"tool_calls"}]})"
        "\n\ndata: [DONE]\n\n",
        1);
    CHECK(holds(events, R"("name":")" + std::string(long_name) + "\""));
    CHECK_FALSE(holds(events, "llm_cut_"));
}

TEST_CASE("a cut name is one of the request's tools, or what it is",
          "[tool_name]") {
    std::pmr::monotonic_buffer_resource memory;
    chat::Request request(&memory);
    std::string other(70, 'x');
    for (std::string_view name : {long_name, std::string_view(other)}) {
        request.tools.emplace_back();
        request.tools.back().name = name;
    }
    CHECK(whole_tool_name(legal_tool_name(other), request) == other);
    CHECK(whole_tool_name(legal_tool_name(long_name), request) == long_name);
    // A custom tool's has a prefix of its own in front.
    CHECK(whole_tool_name(*encode_tool_name(long_name, true), request)
          == long_name);
    CHECK(encode_tool_name(long_name, true)->size() == 64);

    for (std::string_view name : {"", "x", "llm_cut_", "llm_cut_0123456789abcdef_x"}) {
        CHECK(whole_tool_name(name, request) == name);
    }
    CHECK_FALSE(encode_tool_name("", false));
    // Escaped, where that fits.
    CHECK(decode_tool_name(*encode_tool_name("docs.create", false)).name
          == "docs.create");
    std::string dots(40, '.');
    request.tools.back().name = dots;
    CHECK(whole_tool_name(legal_tool_name(dots), request) == dots);
}

}  // namespace llm
