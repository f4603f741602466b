// What is the same question: equal keys where nothing that changes the answer
// differs, other keys wherever something does.
#include "catch.hpp"

#include <memory_resource>
#include <string>
#include <utility>
#include <vector>

#include "llm/cache_key.hpp"
#include "llm/format.hpp"

using namespace llm;
using cache::Key;
using cache::KeyOptions;
using cache::Obstacle;

namespace {

Key key_of(const Format &format, std::string_view body,
           const KeyOptions &options = {.model = "pool"}) {
    json::Document document;
    INFO(body);
    REQUIRE(document.parse(body));
    std::pmr::monotonic_buffer_resource memory;
    auto request = format.parse_request(document, &memory);
    INFO((request ? "" : request.error().message));
    REQUIRE(request);
    return cache::make_key(*request, options);
}

Key openai(std::string_view body,
           const KeyOptions &options = {.model = "pool"}) {
    return key_of(openai_format(), body, options);
}

Key anthropic(std::string_view body,
              const KeyOptions &options = {.model = "pool"}) {
    return key_of(anthropic_format(), body, options);
}

// A body with these messages and, after them, more members.
std::string with(std::string_view messages, std::string_view more = "") {
    return R"({"model":"m","messages":)" + std::string(messages)
           + std::string(more) + "}";
}

const std::string hello = R"([{"role":"user","content":"Hello"}])";

std::string plus(std::string_view more) {
    return with(hello, "," + std::string(more));
}

Obstacle obstacle(std::string_view body,
                  const KeyOptions &options = {.model = "pool"}) {
    return openai(body, options).obstacle;
}

}  // namespace

TEST_CASE("cache key: what changes no answer changes no key") {
    const Key key = openai(plus(R"("temperature":1,"max_tokens":10)"));

    auto body = GENERATE(as<std::string>{},
        // order of members, white space
        R"({"max_tokens":10, "temperature" : 1,
            "messages":[{"content":"Hello","role":"user"}],"model":"m"})",
        // the client's word for the model: routing has named the pool
        R"({"model":"alias","messages":[{"role":"user","content":"Hello"}],"temperature":1,"max_tokens":10})",
        // how a number or a text is written
        R"({"model":"m","messages":[{"role":"user","content":"\u0048ello"}],"temperature":1.0,"max_tokens":10})",
        R"({"model":"m","messages":[{"role":"user","content":"Hello"}],"temperature":10e-1,"max_tokens":10.0})",
        R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hello"}]}],"temperature":1,"max_completion_tokens":10})",
        // who asks for what in which form
        R"({"model":"m","messages":[{"role":"user","content":"Hello"}],"temperature":1,"max_tokens":10,"stream":true,"stream_options":{"include_usage":true}})",
        R"({"model":"m","messages":[{"role":"user","content":"Hello"}],"temperature":1,"max_tokens":10,"user":"u1","metadata":{"a":"b"},"store":true,"service_tier":"flex"})",
        R"({"model":"m","messages":[{"role":"user","content":"Hello"}],"temperature":1,"max_tokens":10,"safety_identifier":"x","prompt_cache_key":"y"})",
        R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hello","cache_control":{"type":"ephemeral"}}]}],"temperature":1,"max_tokens":10})",
        // what is the default anyway
        R"({"model":"m","messages":[{"role":"user","content":"Hello"}],"temperature":1,"max_tokens":10,"n":1,"logprobs":false,"response_format":{"type":"text"},"tool_choice":"auto","parallel_tool_calls":true,"stop":null,"tools":[],"new_member":null})");

    Key other = openai(body);
    CHECK(other.exact == key.exact);
    CHECK(other.partition == key.partition);
    CHECK(other.question == "Hello");
}

TEST_CASE("cache key: through either front it is the same call") {
    SECTION("system prompt, sampling, stop") {
        Key a = openai(R"({"model":"m","messages":[
            {"role":"system","content":"Be brief."},
            {"role":"user","content":"Hello"}],
            "max_tokens":100,"temperature":0.5,"top_p":0.9,"stop":"END"})");
        Key b = anthropic(R"({"model":"claude","system":"Be brief.","messages":[
            {"role":"user","content":[{"type":"text","text":"Hello"}]}],
            "max_tokens":100,"temperature":0.50,"top_p":0.9,
            "stop_sequences":["END"],"stream":true})");
        CHECK(a.exact == b.exact);
        CHECK(a.partition == b.partition);
    }
    SECTION("a developer's words are a system prompt") {
        CHECK(openai(with(R"([{"role":"developer","content":"x"},{"role":"user","content":"y"}])")).exact
              == openai(with(R"([{"role":"system","content":"x"},{"role":"user","content":"y"}])")).exact);
    }
    SECTION("tools, calls and their results, whatever the ids are") {
        Key a = openai(R"({"model":"m","max_tokens":100,
            "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}}}}],
            "tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false,
            "messages":[{"role":"user","content":"Hello"},
              {"role":"assistant","content":null,"refusal":null,"annotations":[],"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{ \"b\": 1.0, \"a\": [] }"}},
                                                     {"id":"call_2","type":"function","function":{"name":"f","arguments":"{}"}}]},
              {"role":"tool","tool_call_id":"call_1","content":"one"},
              {"role":"tool","tool_call_id":"call_2","content":"two"}]})");
        Key b = anthropic(R"({"model":"m","max_tokens":100,
            "tools":[{"name":"f","description":"d","input_schema":{"properties":{},"type":"object"}}],
            "tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},
            "messages":[{"role":"user","content":"Hello"},
              {"role":"assistant","content":[{"type":"tool_use","id":"toolu_x","name":"f","input":{"a":[],"b":1}},
                                             {"type":"tool_use","id":"toolu_y","name":"f","input":{}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_x","content":"one"},
                                        {"type":"tool_result","tool_use_id":"toolu_y","content":[{"type":"text","text":"two"}]}]}]})");
        CHECK(a.exact == b.exact);
        CHECK(a.obstacle == Obstacle::tool_results);
    }
    SECTION("images") {
        Key a = openai(with(R"([{"role":"user","content":[
            {"type":"text","text":"What is it?"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,aGk=","detail":"auto"}},
            {"type":"image_url","image_url":{"url":"https://host/a.png"}}]}])",
                            R"(,"max_tokens":9)"));
        Key b = anthropic(with(R"([{"role":"user","content":[
            {"type":"text","text":"What is it?"},
            {"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}},
            {"type":"image","source":{"type":"url","url":"https://host/a.png"}}]}])",
                               R"(,"max_tokens":9)"));
        CHECK(a.exact == b.exact);
    }
}

TEST_CASE("cache key: what changes the answer changes both keys") {
    const Key key = openai(plus(R"("temperature":0.5)"));

    auto more = GENERATE(as<std::string>{},
        R"("temperature":0.51)", R"("temperature":5)",
        R"("temperature":0.50000000000000000001)",
        R"("temperature":0.5,"max_tokens":1)",
        R"("temperature":0.5,"max_tokens":2)",
        R"("temperature":0.5,"top_p":0.5)",
        R"("temperature":0.5,"top_k":5)",
        R"("temperature":0.5,"frequency_penalty":0.5)",
        R"("temperature":0.5,"presence_penalty":0.5)",
        R"("temperature":0.5,"seed":5)",
        R"("temperature":0.5,"seed":-5)",
        R"("temperature":0.5,"logit_bias":{"5":1})",
        R"("temperature":0.5,"n":2)",
        R"("temperature":0.5,"logprobs":true)",
        R"("temperature":0.5,"logprobs":true,"top_logprobs":2)",
        R"("temperature":0.5,"stop":"a")",
        R"("temperature":0.5,"stop":["a","b"])",
        R"("temperature":0.5,"stop":["ab"])",
        R"("temperature":0.5,"verbosity":"low")",
        R"("temperature":0.5,"reasoning_effort":"low")",
        R"("temperature":0.5,"modalities":["text"])",
        R"("temperature":0.5,"audio":{"voice":"alloy"})",
        R"("temperature":0.5,"prediction":{"type":"content","content":"x"})",
        R"("temperature":0.5,"web_search_options":{})",
        R"("temperature":0.5,"response_format":{"type":"json_object"})",
        R"("temperature":0.5,"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{}}})",
        R"("temperature":0.5,"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{},"strict":true}})",
        R"("temperature":0.5,"response_format":{"type":"json_schema","json_schema":{"name":"b","schema":{}}})",
        R"("temperature":0.5,"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"}}})",
        R"("temperature":0.5,"tools":[{"type":"function","function":{"name":"f"}}])",
        R"("temperature":0.5,"tools":[{"type":"function","function":{"name":"f","strict":true}}])",
        R"("temperature":0.5,"tools":[{"type":"function","function":{"name":"f","description":"d"}}])",
        R"("temperature":0.5,"tools":[{"type":"function","function":{"name":"f","parameters":{}}}])",
        R"("temperature":0.5,"tools":[{"type":"function","function":{"name":"f","parameters":{"a":null}}}])",
        R"("temperature":0.5,"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}])",
        R"("temperature":0.5,"tools":[{"type":"function","function":{"name":"g"}},{"type":"function","function":{"name":"f"}}])",
        R"("temperature":0.5,"tools":[{"type":"custom","custom":{"name":"f"}}])",
        R"("temperature":0.5,"tools":[{"type":"custom","custom":{"name":"f","format":{"type":"text"}}}])",
        R"("temperature":0.5,"tools":[{"type":"web_search"}])",
        R"("temperature":0.5,"tools":[{"type":"web_search","filters":{}}])",
        R"("temperature":0.5,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none")",
        R"("temperature":0.5,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required")",
        R"("temperature":0.5,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}})",
        R"("temperature":0.5,"tools":[{"type":"function","function":{"name":"f"}}],"parallel_tool_calls":false)",
        // what this gateway does not know
        R"("temperature":0.5,"min_p":0.1)",
        R"("temperature":0.5,"min_p":0.2)",
        R"("temperature":0.5,"chat_template_kwargs":{"thinking":true})",
        R"("temperature":0.5,"chat_template_kwargs":{"thinking":false})");

    // None of these is like the first call or like any other.
    static std::vector<std::pair<std::string, Key>> seen;
    Key other = openai(plus(more));
    CAPTURE(more);
    CHECK(other.exact != key.exact);
    CHECK(other.partition != key.partition);
    for (const auto &[body, known] : seen) {
        CAPTURE(body);
        CHECK((body == more || known.partition != other.partition));
    }
    seen.emplace_back(more, other);
}

TEST_CASE("cache key: messages that differ in anything have keys of their own") {
    const std::vector<std::string> all = {
        R"([{"role":"user","content":"Hello"}])",
        R"([{"role":"user","content":"Hello "}])",
        R"([{"role":"user","content":"hello"}])",
        R"([{"role":"user","content":"Hel"},{"role":"user","content":"lo"}])",
        R"([{"role":"user","content":[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}]}])",
        R"([{"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"Hello"}]}])",
        R"([{"role":"user","name":"ann","content":"Hello"}])",
        R"([{"role":"user","name":"bob","content":"Hello"}])",
        R"([{"role":"system","content":"Hello"}])",
        R"([{"role":"assistant","content":"Hello"}])",
        R"([{"role":"assistant","refusal":"Hello"}])",
        R"([{"role":"assistant","content":"","reasoning_content":"Hello"}])",
        R"([{"role":"assistant","content":"Hello","prefix":true}])",
        R"([{"role":"system","content":"A"},{"role":"user","content":"Hello"}])",
        R"([{"role":"system","content":"B"},{"role":"user","content":"Hello"}])",
        R"([{"role":"user","content":"Hello"},{"role":"system","content":"A"}])",
        R"([{"role":"user","content":"A"},{"role":"assistant","content":"B"},{"role":"user","content":"Hello"}])",
        R"([{"role":"user","content":"B"},{"role":"assistant","content":"A"},{"role":"user","content":"Hello"}])",
        R"([{"role":"user","content":[{"type":"text","text":"Hello"},{"type":"image_url","image_url":{"url":"https://h/a"}}]}])",
        R"([{"role":"user","content":[{"type":"text","text":"Hello"},{"type":"image_url","image_url":{"url":"https://h/b"}}]}])",
        R"([{"role":"user","content":[{"type":"text","text":"Hello"},{"type":"image_url","image_url":{"url":"https://h/b","detail":"low"}}]}])",
        R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/a"}},{"type":"text","text":"Hello"}]}])",
        R"([{"role":"user","content":[{"type":"text","text":"Hello"},{"type":"image_url","image_url":{"url":"https://h/a"},"max_pixels":9}]}])",
        R"([{"role":"user","content":[{"type":"text","text":"Hello"},{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]}])",
        R"([{"role":"user","content":[{"type":"text","text":"Hello"},{"type":"image_url","image_url":{"url":"data:image/gif;base64,aGk="}}]}])",
        R"([{"role":"user","content":[{"type":"text","text":"Hello"},{"type":"input_audio","input_audio":{"data":"aGk=","format":"wav"}}]}])",
        R"([{"role":"user","content":[{"type":"text","text":"Hello"},{"type":"file","file":{"file_id":"f1"}}]}])",
        R"([{"role":"user","content":[{"type":"text","text":"Hello"},{"type":"file","file":{"file_id":"f1","filename":"a"}}]}])",
        R"([{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}])",
        R"([{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"g","arguments":"{}"}}]}])",
        R"([{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}])",
        R"([{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":\"1\"}"}}]}])",
        R"([{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"1","type":"custom","custom":{"name":"f","input":"{}"}}]}])",
        // two calls, results in one order and in the other
        R"([{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"2","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"r"}])",
        R"([{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"2","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"2","content":"r"}])",
    };

    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            CAPTURE(all[i], all[j]);
            CHECK(openai(with(all[i])).exact != openai(with(all[j])).exact);
        }
    }
}

TEST_CASE("cache key: thoughts that only their provider can read") {
    auto thought = [](std::string_view sealed) {
        return key_of(responses_format(),
                      R"({"model":"m","input":[{"role":"user","content":"Q"},)"
                      R"({"type":"reasoning","id":"rs_1","summary":)"
                      R"([{"type":"summary_text","text":"S"}],)"
                      R"("encrypted_content":")" + std::string(sealed)
                      + R"("},{"role":"user","content":"R"}]})");
    };
    CHECK(thought("a").exact == thought("a").exact);
    CHECK(thought("a").exact != thought("b").exact);
    CHECK(thought("a").partition != thought("b").partition);
}

TEST_CASE("cache key: a call that was named twice is not another one") {
    // The same id again, then a new one: results must not change places.
    auto body = [](std::string_view result) {
        return with(R"([{"role":"assistant","tool_calls":[
            {"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},
            {"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},
            {"id":"2","type":"function","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","content":"r","tool_call_id":")"
                    + std::string(result) + "\"}]");
    };
    CHECK(openai(body("1")).exact != openai(body("2")).exact);
}

TEST_CASE("cache key: bytes of one field cannot pass for another's") {
    // Anthropic's front has members that OpenAI's has not, and unknown ones
    // mean what their own API says.
    std::string both = plus(R"("max_tokens":5,"extra_member":{"a":1})");
    CHECK(openai(both).exact != anthropic(both).exact);
    // Consumers and partitions whose texts put together are the same.
    CHECK(openai(with(hello), {.model = "ab", .consumer = "c"}).exact
          != openai(with(hello), {.model = "a", .consumer = "bc"}).exact);
    CHECK(openai(with(hello), {.model = "a", .partition = "b"}).exact
          != openai(with(hello), {.model = "a", .consumer = "b"}).exact);
}

TEST_CASE("cache key: consumers are apart unless the operator says so") {
    auto key = [](std::string_view consumer, bool shared,
                  std::string_view partition = "") {
        return openai(with(hello), {.model = "pool", .consumer = consumer,
                                    .shared = shared,
                                    .partition = partition});
    };
    CHECK(key("ann", false).exact == key("ann", false).exact);
    CHECK(key("ann", false).exact != key("bob", false).exact);
    CHECK(key("ann", false).partition != key("bob", false).partition);
    CHECK(key("ann", true).exact == key("bob", true).exact);
    CHECK(key("ann", true).partition == key("bob", true).partition);
    // Nobody's own cache is not everybody's.
    CHECK(key("", false).exact != key("", true).exact);
    CHECK(key("ann", true, "x").partition != key("ann", true, "y").partition);
    CHECK(openai(with(hello), {.model = "a"}).partition
          != openai(with(hello), {.model = "b"}).partition);
}

TEST_CASE("cache key: the question is the last user messages' text") {
    const std::string talk = R"([
        {"role":"system","content":"Be kind."},
        {"role":"user","content":"Who is Joseph Conrad?"},
        {"role":"assistant","content":"A writer."},
        {"role":"user","content":[{"type":"text","text":" When was"},
                                  {"type":"text","text":"he born? "}]}])";

    Key last = openai(with(talk));
    CHECK(last.question == "When was\nhe born?");
    CHECK(last.obstacle == Obstacle::none);

    Key two = openai(with(talk), {.model = "pool", .messages = 2});
    CHECK(two.question == "Who is Joseph Conrad?\n When was\nhe born?");
    CHECK(two.partition != last.partition);

    Key more = openai(with(talk), {.model = "pool", .messages = 9});
    CHECK(more.partition == two.partition);
}

TEST_CASE("cache key: another question shares the partition, not the key") {
    auto ask = [](std::string_view system, std::string_view question) {
        return openai(with(R"([{"role":"system","content":")"
                           + std::string(system)
                           + R"("},{"role":"user","content":")"
                           + std::string(question) + R"("}])"));
    };
    Key a = ask("Be brief.", "Who is Joseph Conrad?");
    Key b = ask("Be brief.", "Tell me about Joseph Conrad");
    Key c = ask("Be long.", "Who is Joseph Conrad?");
    CHECK(a.partition == b.partition);
    CHECK(a.exact != b.exact);
    CHECK(a.partition != c.partition);
    CHECK(a.exact != c.exact);
}

TEST_CASE("cache key: roles that the operator leaves out") {
    auto body = [](std::string_view system, std::string_view answer) {
        return with(R"([{"role":"system","content":")" + std::string(system)
                    + R"("},{"role":"user","content":"a"},{"role":"assistant","content":")"
                    + std::string(answer)
                    + R"("},{"role":"user","content":"b"}])");
    };
    KeyOptions none{.model = "pool"};
    KeyOptions no_system{.model = "pool", .ignored = {.system = true}};
    KeyOptions no_answers{.model = "pool", .ignored = {.assistant = true}};

    CHECK(openai(body("x", "y"), no_system).exact
          == openai(body("z", "y"), no_system).exact);
    CHECK(openai(body("x", "y"), no_system).exact
          != openai(body("x", "z"), no_system).exact);
    CHECK(openai(body("x", "y"), no_answers).exact
          == openai(body("x", "z"), no_answers).exact);

    // Where nothing is left out, a call without a system prompt must not hear
    // what was answered to one with a prompt that did not count.
    const std::string bare = with(hello);
    CHECK(openai(bare, none).exact != openai(bare, no_system).exact);
}

TEST_CASE("cache key: calls that are not answered by meaning") {
    CHECK(obstacle(with(hello)) == Obstacle::none);
    CHECK(obstacle(plus(R"("tools":[{"type":"function","function":{"name":"f"}}])")) == Obstacle::tools);
    CHECK(obstacle(plus(R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none")")) == Obstacle::none);
    CHECK(obstacle(plus(R"("n":2)")) == Obstacle::several);
    CHECK(obstacle(plus(R"("seed":1)")) == Obstacle::seed);
    CHECK(obstacle(plus(R"("temperature":1)")) == Obstacle::none);
    CHECK(obstacle(plus(R"("temperature":1.1)")) == Obstacle::temperature);
    CHECK(obstacle(plus(R"("temperature":0.4)"), {.max_temperature = 0.3}) == Obstacle::temperature);
    CHECK(obstacle(with(R"([{"role":"system","content":"x"}])")) == Obstacle::empty);
    CHECK(obstacle(with(R"([{"role":"user","content":" \n"}])")) == Obstacle::empty);
    CHECK(obstacle(with(R"([{"role":"user","content":"x"},{"role":"assistant","content":"y"}])")) == Obstacle::not_a_question);
    CHECK(obstacle(with(hello), {.max_question = 4}) == Obstacle::too_long);
    CHECK(obstacle(with(hello), {.max_question = 5}) == Obstacle::none);
    CHECK(obstacle(with(R"([{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"https://h/a"}}]}])")) == Obstacle::media);

    // An image earlier in the talk is a part of the partition; one that was
    // shown since the last answer is a part of the question.
    const std::string image = R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/a"}}]})";
    const std::string answer = R"({"role":"assistant","content":"y"})";
    const std::string ask = R"({"role":"user","content":"z"})";
    CHECK(obstacle(with("[" + image + "," + answer + "," + ask + "]")) == Obstacle::none);
    CHECK(obstacle(with("[" + image + "," + ask + "]")) == Obstacle::media);

    const std::string call = R"({"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]})";
    const std::string result = R"({"role":"tool","tool_call_id":"1","content":"r"})";
    CHECK(obstacle(with("[" + call + "," + result + "]")) == Obstacle::tool_results);
    CHECK(obstacle(with("[" + call + "," + result + "," + ask + "]")) == Obstacle::tool_results);
    CHECK(obstacle(with("[" + call + "," + result + "," + answer + "," + ask + "]")) == Obstacle::none);

    CHECK(to_string(Obstacle::tool_results) == "tool_results");
    CHECK(to_string(Obstacle::temperature) == "temperature");
}

TEST_CASE("cache key: the digests of a known call stay what they are") {
    // Gateways of different versions share one Redis: a new canonical form
    // needs a new version in its first bytes.
    Key key = openai(plus(R"("temperature":0.5)"),
                     {.model = "pool", .consumer = "ann"});
    CHECK(key.exact.hex()
          == "61226562aedfdbfba9cea6b34e131fa9c3f1279f87fc9881865a00d75bf483e6");
    CHECK(key.partition.hex()
          == "a73f3169faa4993d6995c2d56ee9953a4ff937142dfdb542413126e8a52dc66c");
}
