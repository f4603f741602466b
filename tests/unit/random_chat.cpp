#include "random_chat.hpp"

#include <iterator>

namespace llm::testing {

namespace {

constexpr const char *pieces[] = {
    "a", "Hello", "world", ".", "\\n", "\\\"", "\\\\", "\\u00fc", "\xC3\xA9",
    "\\ud83d\\ude00", "{\\\"x\\\":1}", "<b>", "\\t", "data: ", "[DONE]", "0",
    "\xE6\xBC\xA2", "/",
};

constexpr const char *functions[] = {"get_weather", "look-up", "f"};

}  // namespace

std::size_t RandomChat::below(std::size_t bound) {
    return random_() % bound;
}

std::string RandomChat::text() {
    std::string text = "\"w";
    for (std::size_t n = below(6); n > 0; --n) {
        text += pieces[below(std::size(pieces))];
        text += maybe(50) ? " " : "";
    }
    return text + "w\"";
}

std::string RandomChat::arguments() {
    static constexpr const char *objects[] = {
        R"({})", R"({\"city\":\"Rome\"})", R"({\"n\":1e3,\"m\":[1,2.50,null]})",
        R"({\"deep\":{\"a\":{\"b\":[{}]}}})", R"({\"big\":12345678901234567890})",
        R"({\"s\":\"a\\\"b\\n\\u00fc\"})",
    };
    return std::string("\"") + objects[below(std::size(objects))] + "\"";
}

std::string RandomChat::user_parts() {
    if (maybe(60)) {
        return text();
    }
    std::string parts = R"([{"type":"text","text":)" + text() + "}";
    if (maybe(50)) {
        parts += R"(,{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}})";
    }
    if (maybe(30)) {
        parts += R"(,{"type":"image_url","image_url":{"url":"https://example.com/i.png"}})";
    }
    if (maybe(30)) {
        parts += R"(,{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}})";
    }
    if (maybe(30)) {
        parts += R"(,{"type":"text","text":)" + text() + "}";
    }
    return parts + "]";
}

std::string RandomChat::calls(std::string &results) {
    std::string calls = "[";
    for (std::size_t n = below(3) + 1; n > 0; --n) {
        std::string id = "call_" + std::to_string(++calls_made_);
        calls += R"({"id":")" + id
                 + R"(","type":"function","function":{"name":")"
                 + functions[below(std::size(functions))]
                 + R"(","arguments":)" + arguments() + "}}"
                 + (n > 1 ? "," : "");
        results += R"(,{"role":"tool","tool_call_id":")" + id
                   + R"(","content":)" + text() + "}";
    }
    return calls + "]";
}

std::string RandomChat::messages() {
    std::string all = "[";
    for (std::size_t n = below(3); n > 0; --n) {
        all += std::string(R"({"role":")")
               + (maybe(50) ? "system" : "developer") + R"(","content":)"
               + text() + "},";
    }
    all += R"({"role":"user","content":)" + user_parts() + "}";
    for (std::size_t n = below(4); n > 0; --n) {
        std::string results;
        all += R"(,{"role":"assistant","content":)" + text();
        if (maybe(50)) {
            all += R"(,"tool_calls":)" + calls(results);
        }
        all += "}" + results;
        if (results.empty() || maybe(40)) {
            all += R"(,{"role":"user","content":)" + user_parts() + "}";
        }
    }
    return all + "]";
}

std::string RandomChat::tools() {
    static constexpr const char *schemas[] = {
        R"({"type":"object","properties":{}})",
        R"({"type":"object","properties":{"city":{"type":"string","description":"where"}},"required":["city"],"additionalProperties":false})",
        R"({"type":"object","properties":{"n":{"type":"integer"},"l":{"type":"array","items":{"type":"string","enum":["a","b"]}}},"required":["n","l"],"additionalProperties":false})",
    };
    std::string all = "[";
    for (std::size_t i = 0; i < std::size(functions); ++i) {
        all += std::string(i ? "," : "")
               + R"({"type":"function","function":{"name":")" + functions[i]
               + R"(","description":)" + text() + R"(,"parameters":)"
               + schemas[below(std::size(schemas))] + "}}";
    }
    return all + "]";
}

std::string RandomChat::request() {
    std::string body = R"({"model":"m","messages":)" + messages();
    auto add = [&](unsigned percent, const char *members) {
        if (maybe(percent)) {
            body += ',';
            body += members;
        }
    };
    // Earlier calls need their tools.
    if (calls_made_ > 0 || maybe(40)) {
        body += R"(,"tools":)" + tools();
        add(20, R"("tool_choice":"required")");
        add(20, R"("parallel_tool_calls":false)");
    }
    add(60, R"("max_tokens":9000)");
    add(30, R"("temperature":0.25)");
    add(20, R"("top_p":0.9)");
    add(30, R"("stop":["END","##"])");
    add(10, R"("seed":7)");
    add(10, R"("presence_penalty":0.5)");
    add(10, R"("user":"u-1")");
    add(10, R"("reasoning_effort":"high")");
    add(15, R"("response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}})");
    return body + "}";
}

std::string RandomChat::response() {
    std::string results;
    std::string message = R"({"role":"assistant","content":)" + text();
    if (maybe(30)) {
        message += R"(,"reasoning_content":)" + text();
    }
    bool called = maybe(40);
    if (called) {
        message += R"(,"tool_calls":)" + calls(results);
    }
    std::string finish = called ? "tool_calls" : maybe(30) ? "length" : "stop";
    auto prompt = 5 + below(1000);
    auto completion = 3 + below(1000);
    return R"({"id":"c1","object":"chat.completion","created":1700000000,"model":"p","choices":[{"index":0,"message":)"
           + message + R"(},"finish_reason":")" + finish
           + R"("}],"usage":{"prompt_tokens":)" + std::to_string(prompt)
           + R"(,"completion_tokens":)" + std::to_string(completion)
           + R"(,"total_tokens":)" + std::to_string(prompt + completion)
           + R"(,"prompt_tokens_details":{"cached_tokens":)"
           + std::to_string(below(5)) + "}}}";
}

}  // namespace llm::testing
