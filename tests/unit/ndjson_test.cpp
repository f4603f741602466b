#include "catch.hpp"
#include "cuts.hpp"
#include "llm/wire.hpp"
#include "text/rfc3339.hpp"

using namespace llm;

namespace {

// The data of each frame, and all raw bytes put together.
struct Lines : wire::FrameSink {
    void on_frame(const wire::Frame &frame) override {
        if (!frame.data.empty()) {
            data.emplace_back(frame.data);
        }
        raw.append(frame.raw);
    }
    std::vector<std::string> data;
    std::string raw;
};

}  // namespace

TEST_CASE("ndjson: lines come whole, however they are cut") {
    std::string stream = "{\"a\":\"\xF0\x9F\x98\x80\"}\r\n\n  \n{\"b\":2}\n{\"c\":3}";
    testing::for_each_cut(stream, [&](const testing::Pieces &pieces) {
        wire::NdjsonFramer framer;
        Lines lines;
        for (auto piece : pieces) {
            REQUIRE(framer.feed(piece, lines));
        }
        CHECK(framer.pending() == 7);
        REQUIRE(framer.finish(lines));
        CHECK(framer.pending() == 0);
        CHECK(lines.data
              == std::vector<std::string>{"{\"a\":\"\xF0\x9F\x98\x80\"}",
                                          "{\"b\":2}", "{\"c\":3}"});
        CHECK(lines.raw == stream);
    });
}

TEST_CASE("ndjson: a line over the limit ends the stream") {
    for (std::size_t piece : {1, 4, 20}) {
        wire::NdjsonFramer framer(8);
        Lines lines;
        std::string_view bytes = "12345678\n123456789\n1\n";
        bool failed = false;
        for (std::size_t i = 0; i < bytes.size() && !failed; i += piece) {
            failed = !framer.feed(bytes.substr(i, piece), lines);
        }
        CHECK(failed);
        CHECK(lines.data == std::vector<std::string>{"12345678"});
        CHECK_FALSE(framer.feed("1\n", lines));
        CHECK_FALSE(framer.finish(lines));
        CHECK(framer.pending() == 0);
    }
}

TEST_CASE("rfc3339: points in time as providers write them") {
    CHECK(rfc3339::parse("1970-01-01T00:00:00Z") == 0);
    CHECK(rfc3339::parse("2023-08-04T19:22:45.499127Z") == 1691176965);
    CHECK(rfc3339::parse("2023-08-04T08:52:19.385406455-07:00") == 1691164339);
    CHECK(rfc3339::parse("2024-02-29T23:59:60+00:00") == 1709251200);
    for (auto bad : {"", "2023", "2023-08-04", "2023-13-04T00:00:00Z",
                     "2023-02-29T00:00:00Z", "2023-08-04T24:00:00Z",
                     "2023-08-04T00:00:00", "2023-08-04T00:00:00Zx",
                     "1969-12-31T23:59:59Z", "2023-08-04T00:00:00+0700"}) {
        INFO(bad);
        CHECK_FALSE(rfc3339::parse(bad));
    }
}

TEST_CASE("rfc3339: what is written can be read") {
    for (std::int64_t seconds : {std::int64_t{0}, std::int64_t{951782400},
                                 std::int64_t{1691176965},
                                 std::int64_t{253402300799}}) {
        std::string text;
        rfc3339::append(text, seconds);
        CHECK(rfc3339::parse(text) == seconds);
    }
    std::string text;
    rfc3339::append(text, 1691176965);
    CHECK(text == "2023-08-04T19:22:45Z");
    text.clear();
    rfc3339::append(text, -5);
    CHECK(text == "1970-01-01T00:00:00Z");
}
