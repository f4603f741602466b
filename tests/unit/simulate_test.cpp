#include "catch.hpp"
#include "exchange.hpp"
#include "events.hpp"
#include "llm/simulate.hpp"

using namespace llm;

namespace {

// A request in OpenAI's words, and what the simulated model makes of it.
class Simulated {
public:
    explicit Simulated(std::string_view members,
                       simulate::Options options = {})
        : body_(R"({"model":"sim",)" + std::string(members) + "}") {
        REQUIRE(document_.parse(body_));
        auto request = openai_format().parse_request(document_, &memory_);
        INFO((request ? "" : request.error().message));
        REQUIRE(request);
        request_.emplace(std::move(*request));
        answer_.emplace(*request_, options);
    }

    simulate::Answer &answer() { return *answer_; }
    const chat::Choice &choice() { return answer_->response().choices.at(0); }
    const chat::Usage &usage() { return answer_->response().usage; }

    std::string text() {
        std::string text;
        for (const chat::Part &part : choice().message.parts) {
            if (part.type == chat::PartType::text) {
                text += part.text;
            }
        }
        return text;
    }

    // "NAME ARGUMENTS" of each call, one a line.
    std::string calls() {
        std::string calls;
        for (const chat::Part &part : choice().message.parts) {
            if (part.type == chat::PartType::tool_call) {
                calls += std::string(part.name) + " "
                         + std::string(part.arguments) + "\n";
            }
        }
        return calls;
    }

    // The stream as a client of the format gets it.
    std::string stream(const Format &format) {
        struct Sink : chat::EventSink {
            void on_event(const chat::Event &event) override {
                writer->write(event, out);
            }
            std::unique_ptr<StreamWriter> writer;
            std::string out;
        } sink;
        AnswerContext context;
        context.unique = answer_->unique();
        context.include_usage = true;
        sink.writer = format.make_writer(context);
        std::size_t steps = 1;
        while (answer_->step(sink)) {
            ++steps;
        }
        CHECK(steps == answer_->steps());
        return sink.out;
    }

    std::string body(const Format &format) {
        AnswerContext context;
        context.unique = answer_->unique();
        std::string out;
        format.write_response(answer_->response(), context, out);
        return out;
    }

private:
    std::string body_;
    json::Document document_;
    std::pmr::monotonic_buffer_resource memory_;
    std::optional<chat::Request> request_;
    std::optional<simulate::Answer> answer_;
};

std::string user(std::string_view text) {
    std::string out = R"("messages":[{"role":"user","content":)";
    json::append_string(out, text);
    return out + "}]";
}

const std::string weather_and_time =
    R"(,"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}},)"
    R"({"type":"function","function":{"name":"getTime","parameters":{"type":"object","properties":{"zone":{"type":"string","enum":["UTC","CET"]}},"required":["zone"]}}}])";

// The arguments made of a schema and a user's text.
std::string arguments(std::string_view schema, std::string_view text) {
    Simulated simulated(
        user(text) + R"(,"tools":[{"type":"function","function":{"name":"f","parameters":)"
        + std::string(schema) + "}}]");
    std::string calls = simulated.calls();
    return calls.substr(2, calls.size() - 3);
}

}  // namespace

TEST_CASE("simulated model: echo, fixed text and lorem") {
    CHECK(Simulated(user("Hello, w\xC3\xB6rld")).text() == "Hello, w\xC3\xB6rld");

    simulate::Options options;
    options.reply = simulate::Reply::text;
    options.text = "fixed";
    CHECK(Simulated(user("x"), options).text() == "fixed");
    options.tokens = 3;
    CHECK(Simulated(user("x"), options).text() == "fixed fixed fixed");

    options.reply = simulate::Reply::lorem;
    options.tokens = 20;
    Simulated lorem(user("x"), options);
    CHECK(lorem.usage().completion_tokens == 20);
    CHECK(Simulated(user("x"), options).text() == lorem.text());
    options.seed = 2;
    CHECK(Simulated(user("x"), options).text() != lorem.text());

    options = {};
    options.tokens = 2;
    CHECK(Simulated(user("one two three"), options).text() == "one two");
    CHECK(Simulated(R"("messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/i.png"}}]}])").text()
          == "[no text]");
}

TEST_CASE("simulated model: a run can be repeated, byte for byte") {
    std::string members = user("weather in Paris") + weather_and_time;
    CHECK(Simulated(members).stream(openai_format())
          == Simulated(members).stream(openai_format()));
    CHECK(Simulated(members).body(anthropic_format())
          == Simulated(members).body(anthropic_format()));
    CHECK(Simulated(members).answer().unique()
          != Simulated(user("other")).answer().unique());
}

TEST_CASE("simulated model: it calls the tools that the user speaks of") {
    CHECK(Simulated(user("What is the weather in New York?") + weather_and_time).calls()
          == "get_weather {\"city\":\"New York\"}\n");
    CHECK(Simulated(user("weather and CET time in Oslo") + weather_and_time).calls()
          == "get_weather {\"city\":\"Oslo\"}\ngetTime {\"zone\":\"CET\"}\n");
    CHECK(Simulated(user("hello there") + weather_and_time).calls()
          == "get_weather {\"city\":\"there\"}\n");
    CHECK(Simulated(user("weather and time") + weather_and_time
                    + R"(,"parallel_tool_calls":false)").calls()
          == "get_weather {\"city\":\"time\"}\n");
    CHECK(Simulated(user("weather") + weather_and_time
                    + R"(,"tool_choice":{"type":"function","function":{"name":"getTime"}})").calls()
          == "getTime {\"zone\":\"UTC\"}\n");

    Simulated none(user("weather") + weather_and_time + R"(,"tool_choice":"none")");
    CHECK(none.calls() == "");
    CHECK(none.text() == "weather");

    Simulated called(user("weather") + weather_and_time);
    CHECK(called.choice().finish_reason == chat::FinishReason::tool_calls);
}

TEST_CASE("simulated model: it answers with what the tools said") {
    Simulated simulated(
        R"("messages":[{"role":"user","content":"weather?"},)"
        R"({"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"get_weather","arguments":"{}"}}]},)"
        R"({"role":"tool","tool_call_id":"a","content":"18 degrees"}])" + weather_and_time);
    CHECK(simulated.calls() == "");
    CHECK(simulated.text() == "The tools say:\nget_weather: 18 degrees");
    CHECK(simulated.choice().finish_reason == chat::FinishReason::stop);
}

TEST_CASE("simulated model: arguments fit their schema") {
    CHECK(arguments(R"({"type":"object","properties":{"a":{"type":"string"}}})", "x") == "{}");
    CHECK(arguments(R"({"type":"object","properties":{
        "query":{"type":"string"},"n":{"type":"integer","minimum":3},"x":{"type":"number","maximum":2},
        "yes":{"type":"boolean"},"none":{"type":"null"},"maybe":{"type":["null","integer"]},
        "cities":{"type":"array","items":{"type":"string"},"minItems":2},
        "day":{"type":"string","format":"date"},"short":{"type":"string","maxLength":2},"long":{"type":"string","minLength":7},
        "one":{"const":[1]},"other":{"$ref":"#/$defs/other"},"any":{"anyOf":[{"type":"boolean"},{"type":"string"}]}},
        "$defs":{"other":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}},
        "required":["query","n","x","yes","none","maybe","cities","day","short","long","one","other","any"]})",
                    "in Rome 7 or 2.5 words")
          == R"({"query":"in Rome 7 or 2.5 words","n":7,"x":2,"yes":true,"none":null,"maybe":5,"cities":["Rome","Rome"],)"
             R"("day":"2025-01-01","short":"wo","long":"wordsxx","one":[1],"other":{"name":"Rome"},"any":true})");
    // A schema that never ends does.
    CHECK(arguments(R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})", "x").size() < 200);
    CHECK(arguments(R"({"type":"object","properties":{"a":{"$ref":"#/properties/a"},"n":{"type":"integer"}},"required":["a","n"]})", "inf nan 1e300").size() < 200);
}

TEST_CASE("simulated model: a response format") {
    Simulated schema(user("Who lives in Rome?")
                     + R"(,"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}})");
    CHECK(schema.text() == R"({"city":"Rome"})");
    Simulated object(user("say \"JSON\"") + R"(,"response_format":{"type":"json_object"})");
    CHECK(object.text() == R"({"answer":"say \"JSON\""})");
}

TEST_CASE("simulated model: reasoning where it is asked for") {
    Simulated thinks(user("why") + R"(,"reasoning_effort":"low")");
    CHECK(thinks.choice().message.parts.at(0).type == chat::PartType::reasoning);
    CHECK(thinks.usage().reasoning_tokens > 0);
    CHECK(thinks.usage().completion_tokens == thinks.usage().reasoning_tokens + 1);
    Simulated not_asked(user("why") + R"(,"reasoning_effort":"none")");
    CHECK(not_asked.choice().message.parts.at(0).type == chat::PartType::text);
}

TEST_CASE("simulated model: where it stops") {
    Simulated stopped(user("one STOP two END") + R"(,"stop":["END","STOP"])");
    CHECK(stopped.text() == "one ");
    CHECK(stopped.choice().stop_sequence == "STOP");
    CHECK(stopped.choice().finish_reason == chat::FinishReason::stop);

    Simulated cut(user("one two three") + R"(,"max_tokens":2)");
    CHECK(cut.text() == "one two");
    CHECK(cut.choice().finish_reason == chat::FinishReason::length);
    CHECK(cut.usage().completion_tokens == 2);

    Simulated exact(user("one two three") + R"(,"max_tokens":3)");
    CHECK(exact.choice().finish_reason == chat::FinishReason::stop);

    // Characters stay whole.
    Simulated wide(user("\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC") + R"(,"max_tokens":1)");
    CHECK(wide.text() == "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC");
}

TEST_CASE("simulated model: tokens are counted as documented") {
    Simulated simulated(R"("messages":[{"role":"system","content":"12345"},{"role":"user","content":"a b\u20ac"}])");
    CHECK(simulated.usage().prompt_tokens == 2 + 3 + 1 + 3);
    CHECK(simulated.usage().completion_tokens == 2);
    CHECK(simulated.usage().total_tokens == 11);
    CHECK(simulated.usage().cached_tokens == 0);
}

TEST_CASE("simulated model: several choices") {
    simulate::Options options;
    options.reply = simulate::Reply::lorem;
    Simulated simulated(user("x") + R"(,"n":2)", options);
    const auto &choices = simulated.answer().response().choices;
    REQUIRE(choices.size() == 2);
    CHECK(choices[0].message.parts[0].text != choices[1].message.parts[0].text);
    CHECK(simulated.usage().completion_tokens == 64);
}

TEST_CASE("simulated model: the stream says what the answer says") {
    const std::string requests[] = {
        user("Hello you"),
        user("weather and time in Rome") + weather_and_time,
        user("why") + R"(,"reasoning_effort":"high")",
        user("one two") + R"(,"max_tokens":1)",
        user("weather in Rome") + weather_and_time + R"(,"max_tokens":2)",
        user("x") + R"(,"max_tokens":1,"reasoning_effort":"high")",
    };
    for (const std::string &request : requests) {
        for (const Format *format : {&openai_format(), &anthropic_format()}) {
            INFO(request << " " << format->name());
            std::string body = Simulated(request).body(*format);
            std::string stream = Simulated(request).stream(*format);
            std::string sum = testing::sum_of_response(*format, body);
            std::string streamed = testing::sum_of_stream(*format, stream);
            if (request.find("weather in Rome") != std::string::npos
                && format == &anthropic_format()) {
                // Arguments that are cut are no object, and a whole answer
                // of this API cannot hold them.
                continue;
            }
            CHECK(streamed == sum);
        }
    }
}
