#include <string>
#include <vector>

#include "catch.hpp"
#include "cuts.hpp"
#include "llm/wire.hpp"

using namespace llm;

namespace {

struct Seen {
    std::string event;
    std::string data;
    bool operator==(const Seen &) const = default;
};

std::ostream &operator<<(std::ostream &out, const Seen &seen) {
    return out << '(' << seen.event << '|' << seen.data << ')';
}

// Frames with data, and the raw bytes of all frames.
struct Collector : wire::FrameSink {
    void on_frame(const wire::Frame &frame) override {
        raw.append(frame.raw);
        if (!frame.data.empty()) {
            seen.push_back({std::string(frame.event), std::string(frame.data)});
        }
    }

    std::vector<Seen> seen;
    std::string raw;
};

std::vector<Seen> frames(const testing::Pieces &pieces, std::string &raw) {
    wire::SseFramer framer;
    Collector collector;
    for (auto piece : pieces) {
        REQUIRE(framer.feed(piece, collector));
    }
    REQUIRE(framer.finish(collector));
    CHECK(framer.pending() == 0);
    raw = collector.raw;
    return collector.seen;
}

struct Stream {
    const char *what;
    std::string bytes;
    std::vector<Seen> expected;
};

const std::vector<Stream> streams = {
    {"nothing", "", {}},
    {"LF", "data: a\n\ndata: b\n\n", {{"", "a"}, {"", "b"}}},
    {"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", {{"", "a"}, {"", "b"}}},
    {"CR", "data: a\r\rdata: b\r\r", {{"", "a"}, {"", "b"}}},
    {"a mix of line ends", "data: a\r\n\ndata: b\n\r\ndata: c\r\n\rdata: d\n\n",
     {{"", "a"}, {"", "b"}, {"", "c"}, {"", "d"}}},
    {"no space after the colon", "data:{\"a\":1}\n\n", {{"", "{\"a\":1}"}}},
    {"only one space is removed", "data:  a \n\n", {{"", " a "}}},
    {"data lines are joined", "data: {\"a\":\ndata: 1}\r\ndata\n\n",
     {{"", "{\"a\":\n1}\n"}}},
    {"event names", "event: ping\ndata: {}\n\ndata: x\nevent:y\n\n",
     {{"ping", "{}"}, {"y", "x"}}},
    {"comments", ": OPENROUTER PROCESSING\n\n:\ndata: a\n: b\n\n",
     {{"", "a"}}},
    {"other fields and fields without a colon",
     "id: 7\nretry: 10\ndata: a\nevent\n\nfoo\n\n", {{"", "a"}}},
    {"no data, no event", "event: ping\n\ndata:\n\n", {}},
    {"blank lines between", "\n\r\n\rdata: a\n\n\n\n\ndata: b\n\n",
     {{"", "a"}, {"", "b"}}},
    {"a byte order mark", "\xEF\xBB\xBF" "data: a\n\n\xEF\xBB\xBF" "data: b\n\n",
     {{"", "a"}}},
    {"no blank line at the end", "data: a\n\ndata: [DONE]",
     {{"", "a"}, {"", "[DONE]"}}},
    {"one line end at the end", "data: [DONE]\r", {{"", "[DONE]"}}},
    {"UTF-8 in two and four bytes", "data: \xC3\xA9\xF0\x9F\x98\x80\n\n",
     {{"", "\xC3\xA9\xF0\x9F\x98\x80"}}},
    {"an error that is no event, at the end",
     "data: a\n\n\n{\n \"error\": {\n  \"code\": 503 }\n}\n",
     {{"", "a"}, {"", "{\n \"error\": {\n  \"code\": 503 }\n}"}}},
    {"an array that is no event", "[{\"error\":{}}]\r\n\r\ndata: b",
     {{"", "[{\"error\":{}}]"}, {"", "b"}}},
    {"a NUL is a byte as any other",
     std::string("data: a\0\ndata: b\n\n", 19),
     {{"", std::string("a\0\nb", 4)}}},
};

}  // namespace

TEST_CASE("an event stream means the same wherever it is cut") {
    for (const auto &stream : streams) {
        INFO(stream.what);
        testing::for_each_cut(stream.bytes, [&](const testing::Pieces &pieces) {
            std::string raw;
            auto seen = frames(pieces, raw);
            if (seen != stream.expected || raw != stream.bytes) {
                INFO("first piece: " << pieces[0].size() << " bytes");
                CHECK(seen == stream.expected);
                CHECK(raw == stream.bytes);
            }
        });
    }
}

TEST_CASE("an event within one feed is not copied") {
    std::string bytes = "data: a\n\ndata: b\n\n";
    struct : wire::FrameSink {
        void on_frame(const wire::Frame &frame) override {
            CHECK(frame.raw.data() >= bytes->data());
            CHECK(frame.raw.data() + frame.raw.size()
                  <= bytes->data() + bytes->size());
        }
        std::string *bytes;
    } sink;
    sink.bytes = &bytes;
    wire::SseFramer framer;
    REQUIRE(framer.feed(bytes, sink));
    CHECK(framer.pending() == 0);
}

TEST_CASE("an event is out as soon as its blank line is in") {
    for (std::string bytes : {"data: a\n\n", "data: a\r\r", "data: a\r\n\r"}) {
        wire::SseFramer framer;
        Collector collector;
        REQUIRE(framer.feed(bytes, collector));
        CHECK(collector.seen == std::vector<Seen>{{"", "a"}});
        REQUIRE(framer.feed("data: b", collector));
        CHECK(framer.pending() == 7);
    }
}

TEST_CASE("a large event in single bytes takes linear work") {
    // Quadratic work would be 10^13 steps, which no test run survives.
    std::string bytes = "data: " + std::string(4 << 20, 'x') + "\n\n";
    wire::SseFramer framer;
    Collector collector;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        (void)framer.feed({bytes.data() + i, 1}, collector);
    }
    REQUIRE(collector.seen.size() == 1);
    CHECK(collector.seen[0].data.size() == 4 << 20);
}

TEST_CASE("an event over the limit ends the stream, however it is cut") {
    std::string bytes = "data: 1\n\ndata: 0123456789\n\ndata: 2\n\n";
    testing::for_each_cut(bytes, [](const testing::Pieces &pieces) {
        wire::SseFramer framer(16);
        Collector collector;
        Result<void> outcome;
        for (auto piece : pieces) {
            outcome = framer.feed(piece, collector);
        }
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().kind == ErrorKind::bad_gateway);
        CHECK(outcome.error().message ==
              "the provider's stream holds an event of more than 16 bytes");
        REQUIRE(framer.finish(collector));
        CHECK(collector.seen == std::vector<Seen>{{"", "1"}});
        CHECK(framer.pending() == 0);
    });

    // Exactly the limit is fine: 6 + 8 + 2 bytes.
    wire::SseFramer framer(16);
    Collector collector;
    CHECK(framer.feed("data: 12345678\n\n", collector));
    CHECK(collector.seen.size() == 1);
}

TEST_CASE("events are written with and without a name") {
    std::string out;
    wire::append_sse(out, "", "{}");
    wire::append_sse(out, "ping", "{}");
    CHECK(out == "data: {}\n\nevent: ping\ndata: {}\n\n");
}
