#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "files.hpp"
#include "llm/bpe.hpp"
#include "text/hash.hpp"

using namespace llm;
using tokens::Counter;
using tokens::Pattern;
using tokens::Vocabulary;

namespace {

const std::string &file(const std::string &name) {
    static const std::string o200k =
        testing::read_file("data/o200k_base.llmb");
    static const std::string cl100k =
        testing::read_file("data/cl100k_base.llmb");
    return name == "o200k_base" ? o200k : cl100k;
}

Result<Vocabulary> open(const std::string &bytes) {
    return Vocabulary::open(std::as_bytes(std::span(bytes)));
}

Vocabulary vocabulary(const std::string &name) {
    auto opened = open(file(name));
    REQUIRE(opened);
    return *opened;
}

std::vector<std::uint32_t> encode(Counter &counter, std::string_view text,
                                  std::size_t slice = SIZE_MAX) {
    std::vector<std::uint32_t> ranks;
    counter.start(text, &ranks);
    while (!counter.advance(slice)) {
    }
    CHECK(counter.count() == static_cast<std::int64_t>(ranks.size()));
    CHECK(counter.position() == text.size());
    return ranks;
}

std::string hash(const std::vector<std::uint32_t> &ranks) {
    std::string bytes(ranks.size() * 4, '\0');
    std::memcpy(bytes.data(), ranks.data(), bytes.size());
    std::string out;
    append_hex(out, fnv1a(bytes));
    for (char &c : out) {
        c = static_cast<char>(std::tolower(c));
    }
    return out;
}

std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); i++) {
        if (text[i] != '\\') {
            out += text[i];
            continue;
        }
        char c = text[++i];
        if (c == 'x') {
            out += static_cast<char>(
                std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else {
            out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        }
    }
    return out;
}

struct Sample {
    std::string text;
    std::string tokens[2];      // how many and their hash: o200k, cl100k
};

std::vector<Sample> samples() {
    std::istringstream lines(testing::read_file("tests/unit/data/bpe.tsv"));
    std::vector<Sample> out;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream cells(line);
        std::string cell[6];
        for (auto &c : cell) {
            std::getline(cells, c, '\t');
        }
        Sample sample;
        for (int times = std::stoi(cell[0]); times > 0; times--) {
            sample.text += unescape(cell[1]);
        }
        sample.tokens[0] = cell[2] + " " + cell[3];
        sample.tokens[1] = cell[4] + " " + cell[5];
        out.push_back(std::move(sample));
    }
    return out;
}

std::string pieces(Pattern pattern, std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = tokens::piece_end(pattern, text, i);
        REQUIRE(end > i);
        out.append(i > 0 ? "|" : "").append(text.substr(i, end - i));
        i = end;
    }
    return out;
}

}  // namespace

TEST_CASE("tokens are those of tiktoken", "[bpe]") {
    const auto all = samples();
    REQUIRE(all.size() > 3000);
    for (int which : {0, 1}) {
        Counter counter(
            vocabulary(which == 0 ? "o200k_base" : "cl100k_base"));
        for (const auto &sample : all) {
            auto ranks = encode(counter, sample.text);
            if (std::to_string(ranks.size()) + " " + hash(ranks) !=
                sample.tokens[which]) {
                FAIL_CHECK(which << ": " << sample.text.substr(0, 100));
            }
        }
    }
}

TEST_CASE("a text counted in slices has the same tokens", "[bpe]") {
    std::string text;
    for (const auto &sample : samples()) {
        if (sample.text.size() < 1000) {
            text += sample.text;
        }
    }
    text += std::string(5000, 'a');
    Counter counter(vocabulary("o200k_base"));
    const auto whole = encode(counter, text);
    for (std::size_t slice : {0, 1, 7, 100, 10000}) {
        CHECK(encode(counter, text, slice) == whole);
    }
    CHECK(counter.count(text) == static_cast<std::int64_t>(whole.size()));
}

TEST_CASE("a slice ends near its size, in a long word as well", "[bpe]") {
    std::string text;
    for (int i = 0; i < 40000; i++) {
        text += static_cast<char>('a' + i * i % 23);
    }
    Counter counter(vocabulary("o200k_base"));
    counter.start(text);
    int calls = 1;
    while (!counter.advance(1000)) {
        calls++;
    }
    CHECK(calls >= 40);
}

// Runs of two characters of which there are tokens of nearly every length: the
// first guess is mostly wrong.
TEST_CASE("work is linear for texts made to be hard", "[bpe]") {
    auto work = [](int runs) {
        std::string text;
        std::uint32_t state = 1;
        for (int i = 0; i < runs; i++) {
            state = state * 1664525 + 1013904223;
            text.append((state >> 16) % 130 + 1, i % 2 ? '=' : '*');
        }
        Counter counter(vocabulary("o200k_base"));
        counter.count(text);
        return static_cast<double>(counter.work()) /
               static_cast<double>(text.size());
    };
    CHECK(work(5000) < work(500) * 1.2);
    CHECK(work(5000) < 100);
}

TEST_CASE("no text has no tokens, and special tokens are text", "[bpe]") {
    Counter counter(vocabulary("o200k_base"));
    CHECK(counter.count("") == 0);
    CHECK(counter.count("hello world") == 2);
    CHECK(counter.count("<|endoftext|>") == 7);
}

TEST_CASE("o200k's pattern", "[bpe]") {
    auto split = [](std::string_view text) {
        return pieces(Pattern::o200k, text);
    };
    CHECK(split("It's HTTPServer's camelCase") ==
          "It's| HTTPServer's| camel|Case");
    CHECK(split("中ABC def") == "中|ABC| def");
    CHECK(split("1234567") == "123|456|7");
    CHECK(split("a //\n/b") == "a| //\n/|b");
    CHECK(split("  x \n\n  y") == " | x| \n\n| | y");
    CHECK(split("end  ") == "end|  ");
    CHECK(split("DON'T DON'\xC5\xBF") == "DON'T| DON'\xC5\xBF");
}

TEST_CASE("cl100k's pattern", "[bpe]") {
    auto split = [](std::string_view text) {
        return pieces(Pattern::cl100k, text);
    };
    CHECK(split("It's HTTPServer's camelCase") ==
          "It|'s| HTTPServer|'s| camelCase");
    CHECK(split("a //\n/b") == "a| //\n|/b");
    // At the end a run of white space stays whole.
    CHECK(split("x \n  y") == "x| \n| | y");
    CHECK(split("x \n  ") == "x| \n  ");
}

TEST_CASE("a vocabulary says what it is", "[bpe]") {
    CHECK(vocabulary("o200k_base").name() == "o200k_base");
    CHECK(vocabulary("o200k_base").size() == 199998);
    CHECK(vocabulary("cl100k_base").size() == 100256);
    CHECK(vocabulary("cl100k_base").pattern() == Pattern::cl100k);
}

TEST_CASE("a damaged vocabulary is refused", "[bpe]") {
    auto message = [](std::string bytes) {
        auto opened = open(bytes);
        return opened ? std::string() : opened.error().message;
    };
    const std::string &good = file("cl100k_base");
    CHECK(message("") == "the vocabulary is not an .llmb file");
    CHECK(message(good.substr(0, good.size() - 4)) ==
          "the vocabulary is cut off or too long");
    auto changed = [&](std::size_t at, char c) {
        std::string bytes = good;
        bytes[at] = c;
        return message(bytes);
    };
    CHECK(changed(8, 2) == "the vocabulary is of another version");
    CHECK(changed(12, 3) == "the vocabulary has an unknown split pattern");
    CHECK(changed(20, 1) == "the vocabulary has sizes out of range");
    CHECK(changed(good.size() / 2, '\x55') ==
          "the vocabulary is damaged: its checksum differs");
}
