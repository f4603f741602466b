#include "catch.hpp"

#include <string>
#include <vector>

#include "cuts.hpp"
#include "llm/wire.hpp"
#include "wire/crc32.hpp"

using namespace llm;
using llm::testing::for_each_cut;
using llm::testing::Pieces;

namespace {

std::string bytes(std::string_view hex) {
    auto digit = [](char c) {
        return c <= '9' ? c - '0' : c - 'a' + 10;
    };
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        out.push_back(
            static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
    }
    return out;
}

// A message as AWS' specification lays it out, with right checksums.
std::string message(std::string_view headers, std::string_view payload) {
    auto u32 = [](std::size_t value) {
        std::string out;
        for (int shift = 24; shift >= 0; shift -= 8) {
            out.push_back(static_cast<char>(value >> shift));
        }
        return out;
    };
    std::string out = u32(16 + headers.size() + payload.size());
    out += u32(headers.size());
    out += u32(wire::crc32(out));
    out.append(headers).append(payload);
    return out + u32(wire::crc32(out));
}

std::string string_header(std::string_view name, std::string_view value) {
    std::string out(1, static_cast<char>(name.size()));
    out.append(name).append(1, '\7');
    out.push_back(static_cast<char>(value.size() >> 8));
    out.push_back(static_cast<char>(value.size()));
    return out.append(value);
}

// Each frame as a line; then the error, if there is one.
struct Run : wire::FrameSink {
    std::vector<std::string> lines;
    std::string relayed;
    std::string error;

    Run(const Pieces &pieces, std::size_t max_event = 1 << 20) {
        wire::EventStreamFramer framer(max_event);
        for (auto piece : pieces) {
            auto outcome = framer.feed(piece, *this);
            if (!outcome) {
                error = outcome.error().message;
                // It is at its end: nothing comes of what follows.
                std::size_t frames = lines.size();
                CHECK_FALSE(framer.feed(piece, *this));
                CHECK(lines.size() == frames);
                return;
            }
        }
        auto outcome = framer.finish(*this);
        if (!outcome) {
            error = outcome.error().message;
        }
        CHECK(framer.pending() == 0);
    }

    void on_frame(const wire::Frame &frame) override {
        lines.push_back(std::string(frame.failure ? "!" : "")
                        + std::string(frame.event) + " "
                        + std::string(frame.data));
        relayed.append(frame.raw);
    }
};

using Lines = std::vector<std::string>;

// The first two are AWS' published vectors; all were decoded with botocore.
const std::string empty = bytes("000000100000000005c248eb7d98c8ff");
const std::string only_payload = bytes(
    "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936");
const std::string message_start = bytes(
    "000000760000005296d5fade0b3a6576656e742d7479706507000c6d657373616765"
    "53746172740d3a636f6e74656e742d747970650700106170706c69636174696f6e2f"
    "6a736f6e0d3a6d6573736167652d747970650700056576656e747b22726f6c65223a"
    "22617373697374616e74227d6fa8c599");
const std::string throttled = bytes(
    "00000090000000618e91a9b70f3a657863657074696f6e2d74797065070013746872"
    "6f74746c696e67457863657074696f6e0d3a636f6e74656e742d7479706507001061"
    "70706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700096578"
    "63657074696f6e7b226d657373616765223a22546f6f206d616e7920726571756573"
    "7473227de67f8005");

}  // namespace

TEST_CASE("CRC-32 is that of IEEE 802.3") {
    CHECK(wire::crc32("") == 0);
    CHECK(wire::crc32("123456789") == 0xCBF43926);
    CHECK(wire::crc32("56789", wire::crc32("1234")) == 0xCBF43926);
    CHECK(wire::crc32("The quick brown fox jumps over the lazy dog")
          == 0x414FA339);
}

TEST_CASE("event stream: the vectors that AWS publishes") {
    CHECK(Run({empty}).lines == Lines{" "});
    CHECK(Run({only_payload}).lines == Lines{" {'foo':'bar'}"});
}

TEST_CASE("event stream: messages are found wherever the bytes are cut") {
    std::string stream = message_start + only_payload + throttled + empty;
    for_each_cut(stream, [&](const Pieces &pieces) {
        Run run(pieces);
        CHECK(run.lines
              == Lines{R"(messageStart {"role":"assistant"})",
                       " {'foo':'bar'}",
                       R"(!throttlingException )"
                       R"({"message":"Too many requests"})",
                       " "});
        CHECK(run.error == "");
        // The raw views, put together, are the stream.
        CHECK(run.relayed == stream);
    });
}

TEST_CASE("event stream: what is written is read, and as AWS writes it") {
    std::string out;
    wire::append_event_message(out, "messageStart",
                               R"({"role":"assistant"})");
    CHECK(out == message_start);
    out.clear();
    wire::append_event_message(out, "throttlingException",
                               R"({"message":"Too many requests"})", true);
    CHECK(out == throttled);
}

TEST_CASE("event stream: headers of all types") {
    std::string headers;
    auto add = [&](std::string_view name, char type, std::string_view value) {
        headers.push_back(static_cast<char>(name.size()));
        headers.append(name).append(1, type).append(value);
    };
    using namespace std::string_view_literals;
    add("yes", 0, "");
    add("no", 1, "");
    add("byte", 2, "\x7f"sv);
    add("short", 3, "\x00\x01"sv);
    add("int", 4, "\x00\x00\x00\x01"sv);
    add("long", 5, "\x00\x00\x00\x00\x00\x00\x00\x01"sv);
    add("bytes", 6, "\x00\x03\x01\x02\x03"sv);
    // A string would say what the message is; bytes do not.
    add(":event-type", 6, "\x00\x03\x01\x02\x03"sv);
    add("time", 8, "\x00\x00\x01\x00\x00\x00\x00\x01"sv);
    add("uuid", 9, "0123456789abcdef"sv);
    headers += string_header(":message-type", "event");
    headers += string_header(":event-type", "ok");
    // The first of one name counts.
    headers += string_header(":event-type", "again");
    Run run({message(headers, "{}")});
    CHECK(run.error == "");
    CHECK(run.lines == Lines{"ok {}"});
}

TEST_CASE("event stream: an error without a payload says its message") {
    std::string headers = string_header(":message-type", "error")
                          + string_header(":error-code", "InternalError")
                          + string_header(":error-message", "it broke");
    CHECK(Run({message(headers, "")}).lines
          == Lines{"!InternalError it broke"});
}

TEST_CASE("event stream: every flipped bit is found") {
    for (std::size_t bit = 0; bit < 8 * throttled.size(); ++bit) {
        std::string bad = throttled;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
        Run run({message_start, bad});
        INFO(bit);
        CHECK(run.lines.size() == 1);
        CHECK(run.error.find("damaged") != std::string::npos);
    }
}

TEST_CASE("event stream: a stream that is cut off is no stream") {
    for (std::size_t size = 1; size < throttled.size(); ++size) {
        Run run({message_start, std::string_view(throttled).substr(0, size)});
        INFO(size);
        CHECK(run.lines.size() == 1);
        CHECK(run.error
              == "the provider's event stream is damaged: it ends in the "
                 "middle of a message");
    }
}

TEST_CASE("event stream: sizes that make no sense") {
    auto prelude = [](std::string_view hex) {
        std::string out = bytes(hex);
        std::uint32_t crc = wire::crc32(out);
        for (int shift = 24; shift >= 0; shift -= 8) {
            out.push_back(static_cast<char>(crc >> shift));
        }
        return out;
    };
    std::string wrong = "the provider's event stream is damaged: a message's "
                        "sizes make no sense";
    // Smaller than a message can be; headers larger than the message.
    CHECK(Run({prelude("0000000f00000000")}).error == wrong);
    CHECK(Run({prelude("0000001000000001")}).error == wrong);
    CHECK(Run({prelude("00000020ffffffff")}).error == wrong);
    // Not held until it is there.
    CHECK(Run({prelude("ffffffff00000000")}).error
          == "the provider's stream holds an event of more than 1048576 "
             "bytes");
}

TEST_CASE("event stream: the limit is of a whole message") {
    CHECK(Run({throttled}, throttled.size()).lines.size() == 1);
    CHECK(Run({throttled}, throttled.size() - 1).error
          == "the provider's stream holds an event of more than 143 bytes");
}

TEST_CASE("event stream: headers that make no sense") {
    using namespace std::string_view_literals;
    std::string wrong = "the provider's event stream is damaged: a message's "
                        "headers make no sense";
    std::string_view bad[] = {
        "\x05"sv,                   // no name
        "\x00\x00"sv,               // an empty one
        "\x01x"sv,                  // no type
        "\x01x\x0a"sv,              // a type that is none
        "\x01x\x05zz"sv,            // a number cut off
        "\x01x\x07\x00"sv,          // a size cut off
        "\x01x\x07\x00\x05zz"sv,    // a string cut off
    };
    for (auto headers : bad) {
        CHECK(Run({message(headers, "{}")}).error == wrong);
    }
}
