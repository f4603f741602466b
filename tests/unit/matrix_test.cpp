// Every client API with every provider API and every feature, whole and as a
// stream: the call that the provider gets and the answer that the client gets
// must mean what they meant. One case is one canonical call and answer; how
// they look in an API its own writer says (which other tests hold to the
// vendors' types), so a new format is in the matrix as soon as it is in
// formats().
//
// The table in docs/matrix.md is made of the results: LLM_WRITE_MATRIX=1
// writes it anew.
#include "catch.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory_resource>
#include <sstream>

#include "events.hpp"
#include "llm/assemble.hpp"
#include "llm/exchange.hpp"
#include "matrix_abilities.hpp"
#include "matrix_meaning.hpp"

using namespace llm;
using namespace llm::testing;

namespace {

struct Feature {
    std::string_view name;
    std::string_view title;
    // In OpenAI's words: the members of the call without the model, and the
    // answer's message, finish reason and usage.
    std::string call;
    std::string_view message = R"({"role":"assistant","content":"Good day"})";
    std::string_view finish = "stop";
    std::string_view usage =
        R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15})";
};

const std::string hello =
    R"("messages":[{"role":"user","content":"Hello"}])";

constexpr std::string_view tools =
    R"("tools":[{"type":"function","function":{"name":"get_weather","description":"The weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}}},)"
    R"({"type":"function","function":{"name":"get_time","description":"The time","parameters":{"type":"object","properties":{"zone":{"type":"string"}},"required":["zone"],"additionalProperties":false}}}])";

const std::string with_tools =
    R"("messages":[{"role":"user","content":"Weather and time in Rome?"}],)"
    + std::string(tools);

const std::string with_results =
    R"("messages":[{"role":"user","content":"Weather and time in Rome?"},)"
    R"({"role":"assistant","content":"Let me see","tool_calls":[)"
    R"({"id":"call_abcdefgh1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}},)"
    R"({"id":"call_abcdefgh2","type":"function","function":{"name":"get_time","arguments":"{\"zone\":\"Europe/Rome\"}"}}]},)"
    R"({"role":"tool","tool_call_id":"call_abcdefgh1","content":"sunny"},)"
    R"({"role":"tool","tool_call_id":"call_abcdefgh2","content":"noon"}],)"
    + std::string(tools);

std::string with_choice(std::string_view choice) {
    return with_tools + ",\"tool_choice\":" + std::string(choice);
}

constexpr std::string_view first_call =
    R"({"role":"assistant","content":null,"tool_calls":[{"id":"call_abcdefgh1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]})";

const Feature features[] = {
    {"text", "text", hello},
    {"sampling", "bounds and sampling",
     R"("messages":[{"role":"user","content":"Hello"}],"max_tokens":77,"temperature":0.5)"},
    {"systems", "several system messages",
     R"("messages":[{"role":"system","content":"Be brief."},{"role":"developer","content":"Be kind."},{"role":"user","content":"Hello"}])"},
    {"turns", "many turns",
     R"("messages":[{"role":"user","content":"One"},{"role":"assistant","content":"Two"},{"role":"user","content":"Three"},{"role":"assistant","content":"Four"},{"role":"user","content":"Five \u00fc\ud83d\ude00"}])"},
    {"calls", "parallel tool calls", with_tools,
     R"({"role":"assistant","content":"Let me see","tool_calls":[{"id":"call_abcdefgh1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}},{"id":"call_abcdefgh2","type":"function","function":{"name":"get_time","arguments":"{\"zone\":\"Europe/Rome\"}"}}]})",
     "tool_calls"},
    {"results", "tool results", with_results},
    {"required", "a tool must be called",
     with_choice(R"("required")"), first_call, "tool_calls"},
    {"named", "that tool must be called",
     with_choice(R"({"type":"function","function":{"name":"get_weather"}})"),
     first_call, "tool_calls"},
    {"allowed", "some of the tools allowed",
     with_choice(R"({"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"get_weather"}}]}})")},
    {"custom", "free-form tool",
     R"("messages":[{"role":"user","content":"All rows?"}],"tools":[{"type":"custom","custom":{"name":"sql","description":"Asks the database"}}])"},
    {"image", "image given as data",
     R"("messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}])"},
    {"image_url", "image given by URL",
     R"("messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"https://example.com/i.png"}}]}])"},
    {"audio", "audio given as data",
     R"("messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"input_audio","input_audio":{"data":"UklGRiQAAABXQVZFZm10IA==","format":"wav"}}]}])"},
    {"file", "PDF given as data",
     R"("messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0xLjQK"}}]}])"},
    {"image_out", "image in the answer", hello,
     R"({"role":"assistant","content":"Here","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]})"},
    {"schema", "JSON schema",
     R"("messages":[{"role":"user","content":"Rome?"}],"response_format":{"type":"json_schema","json_schema":{"name":"city","strict":true,"schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}}})",
     R"({"role":"assistant","content":"{\"city\":\"Rome\"}"})"},
    {"reasoning", "reasoning",
     R"("messages":[{"role":"user","content":"Hello"}],"max_tokens":9000,"reasoning_effort":"medium")",
     R"({"role":"assistant","content":"Good day","reasoning_content":"Hm, hm."})"},
    {"stop", "stop sequences",
     R"("messages":[{"role":"user","content":"Hello"}],"stop":["END","###"])"},
    {"length", "answer cut by its bound",
     R"("messages":[{"role":"user","content":"Hello"}],"max_tokens":25)",
     R"({"role":"assistant","content":"Good"})", "length"},
    {"refusal", "refusal", hello,
     R"({"role":"assistant","content":null,"refusal":"I will not."})",
     "content_filter"},
    {"usage", "cached and reasoning tokens", hello,
     R"({"role":"assistant","content":"Good day"})", "stop",
     R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}})"},
};

// A JSON text and what is read of it, together.
struct Call {
    explicit Call(const Feature &feature, bool stream)
        : text("{\"model\":\"m\"," + std::string(feature.call)
               // Some APIs demand a bound.
               + (feature.call.find("max_tokens") == feature.call.npos
                      ? R"(,"max_tokens":900)"
                      : "")
               + (stream ? R"(,"stream":true,"stream_options":)"
                           R"({"include_usage":true}})"
                         : "}")) {
        REQUIRE(document.parse(text));
        auto parsed = openai_format().parse_request(document, &memory);
        REQUIRE(parsed);
        request.emplace(std::move(*parsed));
    }

    std::string text;
    std::pmr::monotonic_buffer_resource memory;
    json::Document document;
    std::optional<chat::Request> request;
};

struct Answer {
    explicit Answer(const Feature &feature)
        : text(R"({"id":"c1","object":"chat.completion","created":1700000000,"model":"p","choices":[{"index":0,"message":)"
               + std::string(feature.message) + R"(,"finish_reason":")"
               + std::string(feature.finish) + R"("}],"usage":)"
               + std::string(feature.usage) + "}") {
        REQUIRE(document.parse(text));
        auto parsed = openai_format().parse_response(document, &memory);
        REQUIRE(parsed);
        response.emplace(std::move(*parsed));
    }

    std::string text;
    std::pmr::monotonic_buffer_resource memory;
    json::Document document;
    std::optional<chat::Response> response;
};

AnswerContext provider_context() {
    AnswerContext context;
    context.request_model = "p";
    context.include_usage = true;
    context.now = 1700000000;
    context.unique = "0123456789abcdef01234567";
    context.query = "alt=sse";
    return context;
}

// What a provider of this API sends.
std::string provider_bytes(const Format &provider,
                           const chat::Response &response, bool stream) {
    std::string out;
    if (!stream) {
        provider.write_response(response, provider_context(), out);
        return out;
    }
    struct Sink final : chat::EventSink {
        void on_event(const chat::Event &event) override {
            writer->write(event, *out);
        }
        std::unique_ptr<StreamWriter> writer;
        std::string *out;
    } sink;
    sink.writer = provider.make_writer(provider_context());
    sink.out = &out;
    replay(response, sink);
    return out;
}

// What a client of this API makes of its answer.
std::string client_hears(const Format &client, std::string_view bytes,
                         bool stream, const Carries &carries) {
    std::pmr::monotonic_buffer_resource memory;
    if (!stream) {
        json::Document document;
        INFO(bytes);
        REQUIRE(document.parse(bytes));
        auto response = client.parse_response(document, &memory);
        if (!response) {
            return response.error().message;
        }
        return meaning(*response, carries);
    }

    struct Read final : wire::FrameSink {
        Read(StreamReader &reader, chat::EventSink &sink)
            : reader(reader), sink(sink) {}
        void on_frame(const wire::Frame &frame) override {
            reader.read(frame, sink);
        }
        StreamReader &reader;
        chat::EventSink &sink;
    };
    Assembler assembler(std::size_t{1} << 20);
    auto framer = client.make_framer(std::size_t{1} << 20);
    auto reader = client.make_reader();
    Read read(*reader, assembler);
    REQUIRE(framer->feed(bytes, read));
    REQUIRE(framer->finish(read));
    reader->end(assembler);
    if (assembler.state() != Assembler::State::complete) {
        return "no whole answer";
    }
    return meaning(assembler.response(&memory), carries);
}

Carries both(const Carries &a, const Carries &b) {
    return {a.reasoning && b.reasoning,
            a.cached_tokens && b.cached_tokens,
            a.cache_write_tokens && b.cache_write_tokens,
            a.reasoning_tokens && b.reasoning_tokens,
            a.usage && b.usage,
            a.content_filter && b.content_filter,
            a.images && b.images,
            a.calls && b.calls};
}

// One call on its way, up to where the provider's answer is due.
struct Way {
    Way(const Format &client, const Format &provider, std::string_view body,
        bool stream)
        : exchange(client, body, {}, &memory) {
        route.format = &client;
        route.model = "m";
        route.stream = stream;
        route.query = "alt=sse";
        INFO(body);
        auto opened = exchange.open(route);
        if (!opened) {
            FAIL(opened.error().message);
        }
        exchange.set_context("0123456789abcdef01234567", 1700000001);
        Target target;
        target.format = &provider;
        target.model = "p";
        target.quirks.output_config = true;
        if (auto prepared = exchange.prepare(target); !prepared) {
            refused = prepared.error();
        }
    }

    std::string sent() const {
        std::string all;
        for (auto piece : exchange.pieces()) {
            all += piece;
        }
        return all;
    }

    Exchange::Step answered(std::string_view bytes, bool stream,
                            int status = 200) {
        AnswerHead head;
        head.status = status;
        head.content_type =
            stream ? exchange.provider().stream_type() : "application/json";
        if (exchange.begin(head) == Exchange::Step::failed
            || exchange.feed(bytes) == Exchange::Step::failed) {
            return Exchange::Step::failed;
        }
        return exchange.finish();
    }

    std::pmr::monotonic_buffer_resource memory;
    RouteMatch route;
    Exchange exchange;
    std::optional<Error> refused;
};

// Whether the body has the member of this path, "messages[0].content" say.
bool holds(const std::string &body, std::string_view path) {
    json::Document document;
    REQUIRE(document.parse(body));
    json::Value value = document.root();
    while (value && !path.empty()) {
        bool indexed = path.starts_with('[');
        std::size_t end = indexed ? path.find(']') + 1
                                  : std::min(path.find_first_of(".["),
                                             path.size());
        if (!indexed) {
            value = value[path.substr(0, end)];
        } else {
            auto index = std::stoul(std::string(path.substr(1)));
            auto elements = value.elements();
            auto element = elements.begin();
            for (; index > 0 && element != elements.end(); --index) {
                ++element;
            }
            value = element == elements.end() ? json::Value() : *element;
        }
        path.remove_prefix(end);
        if (path.starts_with('.')) {
            path.remove_prefix(1);
        }
    }
    return static_cast<bool>(value);
}

std::string understood(const Format &format, const std::string &body) {
    json::Document document;
    std::pmr::monotonic_buffer_resource memory;
    INFO(body);
    REQUIRE(document.parse(body));
    auto request = format.parse_request(document, &memory);
    if (!request) {
        return request.error().param + ": " + request.error().message;
    }
    return meaning(*request);
}

// The client's body; empty where the API has no words for it.
std::string asked(const Format &client, const Feature &feature, bool stream) {
    Call call(feature, stream);
    WriteOptions options;
    options.model = "m";
    options.quirks.output_config = true;
    std::string body;
    auto written = client.write_request(*call.request, options, body);
    bool may = !is_in(abilities(client).cannot_ask, feature.name);
    INFO(feature.name << " asked by " << client.name());
    if (!written) {
        INFO(written.error().message);
        CHECK_FALSE(may);
        return {};
    }
    CHECK(may);
    return is_in(abilities(client).imitates, feature.name) ? "" : body;
}

// "yes", "in part" (of the answer), "400", or "-": the client's API cannot ask
// for it.
std::string try_cell(const Format &client, const Format &provider,
                     const Feature &feature, bool stream) {
    INFO(feature.name << " from " << client.name() << " to "
                      << provider.name() << (stream ? ", streamed" : ""));
    std::string body = asked(client, feature, stream);
    if (body.empty()) {
        return "-";
    }

    Way way(client, provider, body, stream);
    bool refuses = is_in(abilities(provider).refuses, feature.name)
                   && &client != &provider;
    if (way.refused) {
        INFO(way.refused->message);
        CHECK(refuses);
        CHECK(way.refused->kind == ErrorKind::unsupported);
        INFO(way.refused->param << " of " << body);
        CHECK(holds(body, way.refused->param));
        return "400";
    }
    CHECK_FALSE(refuses);

    // The provider gets what the client has asked for.
    CHECK(understood(provider, way.sent()) == understood(client, body));

    // The client hears what the provider has said.
    Answer answer(feature);
    auto carries = both(abilities(client).answers, abilities(provider).answers);
    auto bytes = provider_bytes(provider, *answer.response, stream);
    INFO(bytes);
    CHECK(way.answered(bytes, stream) == Exchange::Step::complete);
    INFO(way.exchange.output());
    INFO(way.exchange.error().message);
    CHECK(client_hears(client, way.exchange.output(), stream, carries)
          == meaning(*answer.response, carries));
    CHECK(way.exchange.account().complete);
    return meaning(*answer.response, carries) == meaning(*answer.response, {})
               ? "yes"
               : "in part";
}

using Cells = std::map<std::string, std::map<std::string, std::string>>;

std::string table(const Format &client, const Cells &cells) {
    std::string out = "\n### Clients of " + std::string(client.name())
                      + "\n\n| |";
    for (const Format *provider : formats()) {
        out += ' ' + std::string(provider->name()) + " |";
    }
    out += "\n|---|";
    for (std::size_t i = 0; i < formats().size(); ++i) {
        out += "---|";
    }
    out += '\n';
    for (const auto &feature : features) {
        out += "| " + std::string(feature.title) + " |";
        for (const Format *provider : formats()) {
            out += ' '
                   + cells.at(std::string(provider->name()))
                         .at(std::string(feature.name))
                   + " |";
        }
        out += '\n';
    }
    return out;
}

const Error errors[] = {
    {ErrorKind::invalid_request, "that is wrong", {}, {}, 400, {}},
    // Providers quote keys in these: nothing of them is passed on.
    {ErrorKind::authentication, "the provider refused", {}, {}, 401, {}},
    {ErrorKind::not_found, "no such model", {}, {}, 404, {}},
    {ErrorKind::rate_limit, "slow down", {}, {}, 429, {}},
    {ErrorKind::server, "it broke", {}, {}, 500, {}},
    {ErrorKind::overloaded, "too much to do", {}, {}, 529, {}},
};

}  // namespace

TEST_CASE("matrix: every client, provider and feature", "[matrix]") {
    std::string tables;
    for (const Format *client : formats()) {
        Cells cells;
        for (const Format *provider : formats()) {
            for (const auto &feature : features) {
                auto whole = try_cell(*client, *provider, feature, false);
                CHECK(try_cell(*client, *provider, feature, true) == whole);
                cells[std::string(provider->name())]
                     [std::string(feature.name)] = whole;
            }
        }
        tables += table(*client, cells);
    }

    const std::string file = LLM_SOURCE_DIR "/docs/matrix.md";
    constexpr std::string_view mark = "<!-- made by tests/unit/matrix_test.cpp -->\n";
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    std::string document = text.str();
    auto at = document.find(mark);
    REQUIRE(at != document.npos);
    at += mark.size();
    if (std::getenv("LLM_WRITE_MATRIX")) {
        std::ofstream(file) << document.substr(0, at) << tables;
    } else {
        CHECK(document.substr(at) == tables);
    }
}

TEST_CASE("matrix: errors reach every client with their meaning", "[matrix]") {
    for (const Format *client : formats()) {
        for (const Format *provider : formats()) {
            for (const Error &error : errors) {
                for (bool stream : {false, true}) {
                    INFO(error.message << " from " << provider->name()
                                       << " to " << client->name());
                    auto body = asked(*client, features[0], stream);
                    Way way(*client, *provider, body, stream);
                    std::string bytes;
                    provider->write_error(error, bytes);
                    int status = provider->error_status(error);
                    CHECK(way.answered(bytes, false, status)
                          == Exchange::Step::failed);
                    CHECK(way.exchange.error().message.starts_with(error.message));

                    way.exchange.refuse(Error(way.exchange.error()));
                    auto heard = client->parse_error(way.exchange.status(),
                                                     way.exchange.output());
                    CHECK(heard.message.starts_with(error.message));
                    // Not every API tells an overload from a failure.
                    CHECK(http_status(heard.kind) / 100
                          == http_status(error.kind) / 100);
                    if (error.status < 500) {
                        CHECK(heard.kind == error.kind);
                    }
                }
            }
        }
    }
}

TEST_CASE("matrix: a stream that fails or is cut is no whole answer",
          "[matrix]") {
    Answer answer(features[0]);
    for (const Format *client : formats()) {
        for (const Format *provider : formats()) {
            INFO("from " << provider->name() << " to " << client->name());
            auto body = asked(*client, features[0], true);

            // The provider fails after its first words.
            struct Begin final : chat::EventSink {
                void on_event(const chat::Event &event) override {
                    if (event.type == chat::Event::Type::finish) {
                        over = true;
                    }
                    if (!over) {
                        writer->write(event, out);
                    }
                }
                std::unique_ptr<StreamWriter> writer;
                std::string out;
                bool over = false;
            } begin;
            begin.writer = provider->make_writer(provider_context());
            replay(*answer.response, begin);

            Error error;
            error.kind = ErrorKind::overloaded;
            error.message = "too much to do";
            chat::Event failure;
            failure.type = chat::Event::Type::error;
            failure.error = &error;

            for (bool says_so : {true, false}) {
                std::string bytes = begin.out;
                if (says_so) {
                    begin.writer->write(failure, bytes);
                }
                INFO(bytes);
                Way way(*client, *provider, body, true);
                CHECK(way.answered(bytes, true) == Exchange::Step::complete);
                CHECK(way.exchange.broken());
                CHECK_FALSE(way.exchange.account().complete);

                auto heard = way.exchange.output();
                INFO(heard);
                CHECK(client_hears(*client, heard, true, {})
                      == "no whole answer");
                CHECK(heard.find(says_so ? "too much to do"
                                         : "ended before the answer")
                      != heard.npos);
            }
        }
    }
}
