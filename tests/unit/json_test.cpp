#include <map>
#include <string>

#include "catch.hpp"
#include "llm/json.hpp"

using namespace llm;

namespace {

std::string reason(std::string_view text, json::ParseLimits limits = {}) {
    json::Document document;
    auto outcome = document.parse(text, limits);
    return outcome ? "" : outcome.error().message;
}

}  // namespace

TEST_CASE("a value knows the bytes that it was written with") {
    std::string text = R"( {"a" : [1, 2.50e+1 ,"x\u00e9\"y"], "b\n":{ } , "c":true,"d":null} )";
    json::Document document;
    REQUIRE(document.parse(text));

    auto root = document.root();
    CHECK(root.raw() == std::string_view(text).substr(1, text.size() - 2));
    CHECK(root.size() == 4);
    CHECK(root["a"].raw() == R"([1, 2.50e+1 ,"x\u00e9\"y"])");
    CHECK(root["b\n"].raw() == "{ }");
    CHECK(root["c"].boolean());
    CHECK(root["d"].is_null());
    CHECK(root["d"]);
    CHECK_FALSE(root["e"]);

    std::vector<std::string> raws;
    for (auto element : root["a"].elements()) {
        raws.emplace_back(element.raw());
    }
    CHECK(raws == std::vector<std::string>{"1", "2.50e+1", R"("x\u00e9\"y")"});
    auto last = *std::next(root["a"].elements().begin(), 2);
    CHECK(last.string() == "x\xC3\xA9\"y");

    std::vector<std::string> members;
    for (auto member : root.members()) {
        members.emplace_back(member.raw);
    }
    CHECK(members[0] == R"("a" : [1, 2.50e+1 ,"x\u00e9\"y"])");
    CHECK(members[1] == R"("b\n":{ })");
}

TEST_CASE("numbers keep their digits and say what they are") {
    json::Document document;
    REQUIRE(document.parse("[12345678901234567890123, 9223372036854775807, "
                           "1.0, 1e2, 1.5, -0]"));
    std::vector<json::Value> values;
    for (auto value : document.root().elements()) {
        values.push_back(value);
    }
    CHECK(values[0].raw() == "12345678901234567890123");
    CHECK_FALSE(values[0].integer());
    CHECK(values[1].integer() == 9223372036854775807);
    CHECK(values[2].integer() == 1);
    CHECK(values[3].integer() == 100);
    CHECK_FALSE(values[4].integer());
    CHECK(values[4].number() == 1.5);
    CHECK(values[5].integer() == 0);
}

TEST_CASE("an integer is exact however it is written") {
    auto integer = [](std::string text) {
        json::Document document;
        REQUIRE(document.parse(text));
        return document.root().integer();
    };
    CHECK(integer("122222222222222024.0e+0") == 122222222222222024);
    CHECK(integer("9223372036854775807.0") == 9223372036854775807);
    CHECK(integer("-9223372036854775808.00") == INT64_MIN);
    CHECK(integer("0.009223372036854775807e21") == 9223372036854775807);
    CHECK(integer("1200e-2") == 12);
    CHECK(integer("1.20E+1") == 12);
    CHECK(integer("100.50e2") == 10050);
    CHECK(integer("-0.0e7") == 0);
    CHECK(integer("0e99") == 0);
    CHECK(integer("9e18") == 9000000000000000000);
    CHECK_FALSE(integer("9223372036854775808.0"));
    CHECK_FALSE(integer("1e19"));
    CHECK_FALSE(integer("1200e-3"));
    CHECK_FALSE(integer("1.5"));
    CHECK_FALSE(integer("1e-400"));
    CHECK_FALSE(integer("123456789012345678901234567890.0"));
}

TEST_CASE("what is not JSON is refused with the reason and the place") {
    CHECK(reason("") == "invalid JSON: empty at byte 0");
    CHECK(reason("   ") == "invalid JSON: empty at byte 0");
    CHECK(reason("{\"a\":1}x").find("at byte 7") != std::string::npos);
    CHECK(reason(std::string_view("{}\0x", 4)) == "invalid JSON: a NUL byte at byte 2");
    CHECK(reason(std::string_view("\"a\0b\"", 5)) != "");
    CHECK(reason("\"\xFF\"") == "invalid JSON: invalid UTF-8 at byte 1");
    CHECK(reason("\"\xED\xA0\x80\"") == "invalid JSON: invalid UTF-8 at byte 1");
    CHECK(reason("\"\\ud800\"") != "");
    // Wherever in a block of the reader they are.
    for (char control = 0; control < 0x20; ++control) {
        for (std::size_t at = 1; at < 40; ++at) {
            std::string text = '"' + std::string(60, 'x') + '"';
            text[at] = control;
            CHECK(reason(text) != "");
        }
    }
    CHECK(reason("\"0123456789012345678\x1F\"")
          == "invalid JSON: a control character at byte 20");
    CHECK(reason("[1,]") != "");
    CHECK(reason("{\"a\":1,}") != "");
    CHECK(reason("[01]") != "");
    CHECK(reason("NaN") != "");
    // Legal JSON, but no double holds it, and no API means it.
    CHECK(reason("1e400") == "invalid JSON: number too big to be stored in double at byte 0");
    CHECK(reason("\xEF\xBB\xBF{}") != "");
}

TEST_CASE("nesting, size and duplicates have limits") {
    std::string deep(10000, '[');
    CHECK(reason(deep).find("nested deeper than 128 levels") != std::string::npos);
    CHECK(reason("[[1]]", {.depth = 2}) == "");
    CHECK(reason("[[[1]]]", {.depth = 2}) != "");
    CHECK(reason("[1,2,3]", {.nodes = 3}).find("more than 3 values") != std::string::npos);
    CHECK(reason(R"({"a":1,"b":2,"a":3})").find("duplicate member \"a\"") != std::string::npos);
    CHECK(reason(R"({"a":1,"\u0061":3})") != "");
    CHECK(reason(R"({"a":{"a":1}})") == "");
    CHECK(reason(R"({"a":1,"a":3})", {.duplicates = true}) == "");
}

TEST_CASE("a document can be parsed again") {
    json::Document document;
    REQUIRE(document.parse("{\"a\":1}"));
    REQUIRE_FALSE(document.parse("{"));
    CHECK_FALSE(document.root());
    REQUIRE(document.parse("[true]"));
    CHECK(document.root().size() == 1);
}

TEST_CASE("the writer separates, escapes and repairs") {
    std::string out;
    json::Writer w(out);
    w.begin_object()
        .member("a", "q\"\\\n\x01\x7F\xC3\xA9")
        .key("b").begin_array().integer(-5).number(0.25).null().end_array()
        .member("c", true)
        .key("d").begin_object().end_object()
        .member("e", std::string_view("x\xFFy"))
        .end_object();
    CHECK(out == "{\"a\":\"q\\\"\\\\\\n\\u0001\x7F\xC3\xA9\",\"b\":[-5,0.25,null],"
                 "\"c\":true,\"d\":{},\"e\":\"x\xEF\xBF\xBDy\"}");
    CHECK(reason(out) == "");
}

TEST_CASE("every byte is escaped as it must be, wherever it stands") {
    const std::map<int, std::string> letters = {
        {'\b', "\\b"}, {'\f', "\\f"}, {'\n', "\\n"}, {'\r', "\\r"},
        {'\t', "\\t"}, {'"', "\\\""}, {'\\', "\\\\"}};

    for (int byte = 0; byte < 0x80; ++byte) {
        std::string escape(1, static_cast<char>(byte));
        if (letters.count(byte)) {
            escape = letters.at(byte);
        } else if (byte < 0x20) {
            escape = std::string("\\u00") + "01"[byte >> 4]
                     + "0123456789abcdef"[byte & 0xF];
        }
        for (std::size_t before = 0; before < 20; ++before) {
            std::string text(20, 'x');
            text[before] = static_cast<char>(byte);
            std::string out;
            json::append_string(out, text);
            REQUIRE(out == '"' + std::string(before, 'x') + escape
                               + std::string(19 - before, 'x') + '"');
        }
    }
}

TEST_CASE("members are set and removed in the text, the rest untouched") {
    auto edited = [](std::string text, auto make) {
        json::Document document;
        REQUIRE(document.parse(text));
        json::Edit edit = make(std::string_view(text), document.root());
        std::string out;
        json::apply_edits(text, {&edit, 1}, out);
        return out;
    };
    auto set = [](auto text, auto root) { return json::set_member(text, root, "b", "9"); };
    CHECK(edited(R"({"a":1, "b" : 2 })", set) == R"({"a":1, "b" : 9 })");
    CHECK(edited(R"({ "a":1})", set) == R"({"b":9, "a":1})");
    CHECK(edited(R"({})", set) == R"({"b":9})");

    auto remove = [](auto text, auto root) { return json::remove_member(text, root, "b"); };
    CHECK(edited(R"({"a":1, "b" : 2 , "c":3})", remove) == R"({"a":1 , "c":3})");
    CHECK(edited(R"({"b":2, "c":3})", remove) == R"({"c":3})");
    CHECK(edited(R"({"a":1,"b":2})", remove) == R"({"a":1})");
    CHECK(edited(R"({ "b":2 })", remove) == R"({  })");
    CHECK(edited(R"({"a":1})", remove) == R"({"a":1})");
}
