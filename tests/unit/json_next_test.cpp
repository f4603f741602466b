// parse_next() reads most texts by what they differ in from the one before,
// and must say in all cases what parse() says.
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "json_describe.hpp"
#include "llm/json.hpp"

using namespace llm;

namespace {

constexpr json::ParseLimits limits{.duplicates = true};

// What parse() makes of the text, or why it refuses it.
std::string parsed(std::string_view text) {
    json::Document document;
    auto outcome = document.parse(text, limits);
    return testing::describe(outcome, document, text);
}

// Reads texts one after the other, and checks each.
class Texts {
public:
    void read(std::string_view text) {
        // Nothing may be left of the text before.
        text_.reset(new std::string(text));
        auto outcome = document_.parse_next(*text_, limits);
        INFO(text);
        CHECK(testing::describe(outcome, document_, *text_) == parsed(text));
        if (!outcome) {
            CHECK_FALSE(document_.root());
            CHECK(document_.form() == 0);
        }
    }

    bool alike(std::string_view text) {
        std::uint64_t before = document_.form();
        read(text);
        return document_.form() == before;
    }

    const json::Document &document() const { return document_; }

private:
    std::unique_ptr<std::string> text_;
    json::Document document_;
};

class RandomTexts {
public:
    explicit RandomTexts(std::uint32_t seed) : random_(seed) {}

    // A value; its strings and numbers are marked, see fill().
    std::string form(int depth = 0) {
        switch (below(depth < 4 ? 7 : 5)) {
        case 0:
            return "true";
        case 1:
            return "null";
        case 2:
            return "%n";
        case 3:
        case 4:
            return "%s";
        case 5:
            return "[" + list(depth, "") + "]";
        default:
            return "{" + list(depth, "%k") + "}";
        }
    }

    std::string fill(std::string_view form) {
        std::string out;
        int keys = 0;
        for (std::size_t i = 0; i < form.size(); ++i) {
            if (form[i] != '%') {
                out.push_back(form[i]);
            } else if (form[++i] == 'n') {
                out += number();
            } else if (form[i] == 's') {
                out += string();
            } else {
                out += "\"k" + std::to_string(keys++ % 3) + "\" :";
            }
        }
        return out;
    }

    // One byte is another one, is missing, or is one too many.
    std::string spoil(std::string text) {
        constexpr std::string_view bytes = "\"\\{}[]:, 0e.-ux\n\x1B\xC3\xA9";
        char byte = bytes[below(bytes.size())];
        std::size_t at = below(text.size());
        switch (below(3)) {
        case 0:
            text[at] = byte;
            break;
        case 1:
            text.erase(at, 1);
            break;
        default:
            text.insert(at, 1, byte);
            break;
        }
        return text;
    }

    std::size_t below(std::size_t bound) { return random_() % bound; }

private:
    std::string list(int depth, std::string_view before) {
        std::string out;
        for (std::size_t i = below(4); i != 0; --i) {
            out.append(before).append(form(depth + 1));
            out.append(i == 1 ? "" : ", ");
        }
        return out;
    }

    std::string number() {
        constexpr const char *numbers[] = {
            "0", "-0", "7", "42", "-3", "0.5", "-12.25", "1e3", "1E-2", "01",
            "1.", "-", ".5", "123456789012345678", "12345678901234567890123",
            "1e400",
        };
        return numbers[below(std::size(numbers))];
    }

    std::string string() {
        constexpr const char *pieces[] = {
            "a", " word", "{", "]", ",", "\\n", "\\\"", "\\\\", "\\/", "\\u00e9",
            "\\u0000", "\\uFFfd", "\\uD83D\\uDE00", "\\uD83D", "\\uDE00", "\\x",
            "\\u12", "\xC3\xA9", "\xF0\x9F\x98\x80", "\xC3", "\t", "\x7F",
        };
        std::string out = "\"";
        for (std::size_t i = below(5); i != 0; --i) {
            out += pieces[below(below(4) ? 12 : std::size(pieces))];
        }
        return out + "\"";
    }

    std::mt19937 random_;
};

std::string chunk(std::string_view content, int number) {
    return R"({"id":"c1","choices":[{"delta":{"content":")"
           + std::string(content) + R"("},"finish_reason":null}],"n": )"
           + std::to_string(number) + "}";
}

}  // namespace

TEST_CASE("the next text is read like one that stands alone", "[json]") {
    Texts texts;
    for (std::string_view content :
         {"a", "a", "", "longer than before", R"(\n)", R"(x\"y\\ \u00e9\u0041)",
          R"(\ud83d\ude00)", "\xC3\xA9", R"(\n\t)", "end"}) {
        for (int number : {1, 2, 30, -4, 4}) {
            texts.read(chunk(content, number));
        }
    }
}

TEST_CASE("what is wrong in the next text is found", "[json]") {
    for (std::string content :
         {R"(")", R"(\)", R"(\x)", R"(\u12)", R"(\u12g4)", R"(\udc00\ud800)",
          "\x1F", "\n", "\xC3", "\xED\xA0\x80", "\\\n", R"(","content":1,"x":")"}) {
        Texts texts;
        texts.read(chunk("", 0));
        texts.read(chunk("a", 1));
        texts.read(chunk("b", 2));
        texts.read(chunk(content, 3));
        texts.read(chunk("c", 4));
    }
    for (std::string end : {"", "}", "}}", "-}", "01}", "1.}", "1e}", "1x}",
                            "\"1\"}", "null}", "1234567890123456789012}"}) {
        Texts texts;
        texts.read(R"({"n":0})");
        texts.read(R"({"n":1})");
        texts.read(R"({"n":2})");
        texts.read(R"({"n":)" + end);
        texts.read(R"({"n":3})");
    }
}

TEST_CASE("texts of one form differ in nothing but what varies", "[json]") {
    // The first of a stream is seldom like those that come after it.
    Texts texts;
    texts.read(chunk("a", 1));
    CHECK(texts.document().form() == 0);
    CHECK_FALSE(texts.alike(chunk("a", 1)));
    CHECK_FALSE(texts.alike(chunk("b", 1)));
    CHECK(texts.alike(chunk("c", 1)));
    CHECK(texts.alike(chunk("", 1)));

    const json::Document &document = texts.document();
    auto content = [&] {
        return (*document.root()["choices"].elements().begin())["delta"]
            ["content"];
    };
    CHECK(document.varies_only({content()}));
    CHECK_FALSE(document.varies_only({document.root()["n"]}));

    // One thing more that varies makes it another form.
    CHECK_FALSE(texts.alike(chunk("c", 23)));
    CHECK(texts.alike(chunk("d", 4)));
    CHECK_FALSE(document.varies_only({content()}));
    CHECK(document.varies_only({document.root()["n"], content()}));

    // So does another kind of value, and another member.
    CHECK_FALSE(texts.alike(R"({"n":"1"})"));
    CHECK_FALSE(texts.alike(R"({"n":1})"));
    CHECK_FALSE(texts.alike(R"({"m":1})"));
    CHECK(document.varies_only({}));
}

TEST_CASE("a form has an end", "[json]") {
    json::Document document;
    std::string text = chunk("a", 1);
    REQUIRE(document.parse_next(text, limits));
    REQUIRE(document.parse_next(text, limits));
    CHECK(document.form() != 0);
    REQUIRE(document.parse(text, limits));
    CHECK(document.form() == 0);

    // Nor do large texts have one.
    Texts texts;
    texts.read(chunk("a", 1));
    texts.read(chunk(std::string(100000, 'x'), 1));
    CHECK(texts.document().form() == 0);
    texts.read(chunk("b", 1));
    texts.read(chunk("c", 1));
    CHECK(texts.document().form() != 0);
    texts.read(chunk(std::string(100000, 'x'), 1));
    CHECK(texts.document().form() == 0);
    texts.read(chunk("d", 1));
}

TEST_CASE("any texts in any order are read as if each stood alone", "[json]") {
    for (std::uint32_t seed = 1; seed <= 2000; ++seed) {
        RandomTexts random(seed);
        std::string forms[] = {random.form(), random.form()};
        Texts texts;
        for (int i = 0; i < 24; ++i) {
            std::string text = random.fill(forms[random.below(5) == 0]);
            if (random.below(6) == 0) {
                text = random.spoil(std::move(text));
            }
            texts.read(text);
        }
    }
}
