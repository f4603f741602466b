#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "files.hpp"
#include "llm/static_embedding.hpp"
#include "llm/wordpiece.hpp"

using namespace llm;
using embedding::Token;
using embedding::WordPiece;

namespace {

// A vocabulary of a few pieces, and what it makes of a text.
class Pieces {
public:
    explicit Pieces(const std::vector<std::string> &pieces) : offsets_{0} {
        for (const auto &piece : pieces) {
            text_ += piece;
            offsets_.push_back(static_cast<std::uint32_t>(text_.size()));
        }
    }

    Result<WordPiece> make() const {
        return WordPiece::make({offsets_, text_});
    }

    // The pieces found, with a space between them.
    std::string operator()(std::string_view text) const {
        auto made = make();
        REQUIRE(made);
        std::vector<Token> tokens;
        made->encode(text, tokens);
        std::string out;
        for (const auto &token : tokens) {
            out += (out.empty() ? "" : " ") +
                   std::string(made->vocabulary().piece(token.id));
        }
        return out;
    }

private:
    std::vector<std::uint32_t> offsets_;
    std::string text_;
};

const Pieces few({"[UNK]", "un", "##aff", "##able", "affable", "able", "##a",
                  "a", "e", "i", "?", "-", "中", "国", "ss", "ᄒ", "##ᅡ", "##ᆫ",
                  "##s", "=", ";", "[", "]", "unk"});

std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); i++) {
        if (text[i] != '\\') {
            out += text[i];
            continue;
        }
        char c = text[++i];
        out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
    }
    return out;
}

}  // namespace

TEST_CASE("a word is cut into the longest pieces", "[wordpiece]") {
    CHECK(few("unaffable") == "un ##aff ##able");
    CHECK(few("affable able") == "affable able");
}

TEST_CASE("a word with a part that no piece fits is unknown as a whole",
          "[wordpiece]") {
    CHECK(few("unaffablez able") == "[UNK] able");
    CHECK(few("zable") == "[UNK]");
}

TEST_CASE("a word of more than 100 characters is unknown", "[wordpiece]") {
    CHECK(few(std::string(101, 'a')) == "[UNK]");
    CHECK(few(std::string(100, 'a')).substr(0, 7) == "a ##a #");
    std::string accents;
    for (int i = 0; i < 100; i++) {
        accents += "á";     // 100 characters in 200 bytes
    }
    CHECK(few(accents).substr(0, 7) == "a ##a #");
}

TEST_CASE("case and accents make no difference", "[wordpiece]") {
    CHECK(few("UNAFFABLE ÀBLÉ") == "un ##aff ##able able");
    CHECK(few("e\u0301") == "e");       // a combining accent
    CHECK(few("\u0130") == "i");        // I with a dot above
    CHECK(few("\u2260") == "=");        // not equal: = with a stroke
    CHECK(few("\u037E") == ";");        // the Greek question mark
}

TEST_CASE("punctuation and ideographs stand alone", "[wordpiece]") {
    CHECK(few("able?-able") == "able ? - able");
    CHECK(few("able中国able") == "able 中 国 able");
}

TEST_CASE("Hangul syllables are taken apart", "[wordpiece]") {
    CHECK(few("한") == "ᄒ ##ᅡ ##ᆫ");
}

TEST_CASE("control characters and what is not UTF-8 leave no trace",
          "[wordpiece]") {
    CHECK(few("a\x01"
              "ble") == "able");
    CHECK(few(std::string_view("ab\0le", 5)) == "able");
    CHECK(few("ab\xFFle") == "able");
    CHECK(few("able\xE4\xB8") == "able");           // cut in the middle
    CHECK(few("ab\xC0\xAFle") == "able");           // overlong
    CHECK(few("ab\xED\xA0\x80le") == "able");       // a surrogate
    CHECK(few("ab\uFEFFle\u200B") == "able");
    CHECK(few("able\t\r\n\u00A0\u3000able") == "able able");
    CHECK(few("") == "");
}

TEST_CASE("a text cannot name special tokens", "[wordpiece]") {
    CHECK(few("[UNK]") == "[ unk ]");
}

TEST_CASE("unknown words can be told apart", "[wordpiece]") {
    auto made = few.make();
    REQUIRE(made);
    std::vector<Token> tokens;
    made->encode("zebra xylophone Zebra", tokens);
    REQUIRE(tokens.size() == 3);
    CHECK(tokens[0].id == made->unknown());
    CHECK(tokens[0].word != tokens[1].word);
    CHECK(tokens[0].word == tokens[2].word);
}

TEST_CASE("a vocabulary that makes no sense is refused", "[wordpiece]") {
    CHECK(Pieces({"[UNK]", "a", "b", "a"}).make().error().message ==
          "piece 3 of the vocabulary, \"a\", is piece 1 again");
    CHECK(Pieces({"a", "b"}).make().error().message ==
          "the vocabulary has no piece \"[UNK]\"");

    const std::vector<std::vector<std::uint32_t>> wrong = {
        {}, {0}, {1, 5}, {0, 4}, {0, 9}, {0, 4, 3, 5}};
    for (const auto &offsets : wrong) {
        CHECK(WordPiece::make({offsets, "[UNK]"}).error().message ==
              "the offsets of the vocabulary make no sense");
    }
}

// tests/unit/data/wordpiece.tsv: scripts/make-wordpiece-sample.
TEST_CASE("the pieces are those of the reference", "[wordpiece]") {
    const auto &bytes = testing::built_in_table();
    auto table =
        embedding::StaticTable::open(std::as_bytes(std::span(bytes)));
    REQUIRE(table);

    std::istringstream sample(testing::read_file(
        "tests/unit/data/wordpiece.tsv"));
    std::vector<Token> tokens;
    std::string line;
    std::size_t lines = 0;
    while (std::getline(sample, line)) {
        auto tab = line.find('\t');
        REQUIRE(tab != std::string::npos);
        tokens.clear();
        table->tokenizer().encode(unescape(line.substr(0, tab)), tokens);
        std::string ids;
        for (const auto &token : tokens) {
            ids += (ids.empty() ? "" : " ") + std::to_string(token.id);
        }
        if (ids != line.substr(tab + 1)) {
            CHECK(line.substr(0, tab) + '\t' + ids == line);
        }
        lines++;
    }
    CHECK(lines > 3000);
}
