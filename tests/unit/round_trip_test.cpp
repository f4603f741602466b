// Properties that hold for every format: what one has words for survives
// being written and read again, however odd it is.
#include "catch.hpp"

#include <memory_resource>
#include <optional>
#include <string>

#include "llm/assemble.hpp"
#include "llm/exchange.hpp"
#include "llm/format.hpp"
#include "matrix_abilities.hpp"
#include "matrix_meaning.hpp"
#include "random_chat.hpp"

using namespace llm;
using namespace llm::testing;

namespace {

constexpr std::uint32_t rounds = 4000;

// A text and what a format reads of it, kept together.
struct Read {
    Read(const Format &format, std::string body) : text(std::move(body)) {
        INFO(text);
        auto parsed = document.parse(text);
        REQUIRE(parsed);
        auto read = format.parse_request(document, &memory);
        if (!read) {
            FAIL(read.error().param << ": " << read.error().message);
        }
        request.emplace(std::move(*read));
    }

    std::string text;
    std::pmr::monotonic_buffer_resource memory;
    json::Document document;
    std::optional<chat::Request> request;
};

struct ReadAnswer {
    ReadAnswer(const Format &format, std::string body)
        : text(std::move(body)) {
        INFO(text);
        REQUIRE(document.parse(text));
        auto read = format.parse_response(document, &memory);
        if (!read) {
            FAIL(read.error().message);
        }
        response.emplace(std::move(*read));
    }

    std::string text;
    std::pmr::monotonic_buffer_resource memory;
    json::Document document;
    std::optional<chat::Response> response;
};

WriteOptions options() {
    WriteOptions options;
    options.model = "m";
    options.drop_unsupported = true;
    options.quirks.output_config = true;
    return options;
}

AnswerContext context() {
    AnswerContext context;
    context.request_model = "p";
    context.include_usage = true;
    context.now = 1700000000;
    context.unique = "0123456789abcdef01234567";
    context.query = "alt=sse";
    return context;
}

}  // namespace

TEST_CASE("round trip: a call that is read and written again is the same",
          "[round-trip]") {
    for (const Format *format : formats()) {
        for (std::uint32_t seed = 0; seed < rounds; ++seed) {
            Read original(openai_format(), RandomChat(seed).request());
            std::string first;
            INFO(format->name() << ", seed " << seed << ": "
                                << original.text);
            auto written =
                format->write_request(*original.request, options(), first);
            if (!written) {
                // Audio and files, say: refused, with the member's name.
                REQUIRE(written.error().param != "");
                continue;
            }

            Read again(*format, first);
            std::string second;
            INFO(first);
            REQUIRE(format->write_request(*again.request, options(), second));
            REQUIRE(second == first);
        }
    }
}

TEST_CASE("round trip: an answer that is read and written again is the same",
          "[round-trip]") {
    for (const Format *format : formats()) {
        const Carries &carries = abilities(*format).answers;
        for (std::uint32_t seed = 0; seed < rounds; ++seed) {
            ReadAnswer original(openai_format(), RandomChat(seed).response());
            std::string first;
            INFO(format->name() << ", seed " << seed << ": "
                                << original.text);
            format->write_response(*original.response, context(), first);
            ReadAnswer again(*format, first);
            INFO(first);
            REQUIRE(meaning(*again.response, carries)
                    == meaning(*original.response, carries));
            std::string second;
            format->write_response(*again.response, context(), second);
            REQUIRE(second == first);
        }
    }
}

TEST_CASE("round trip: a stream says what the whole answer says",
          "[round-trip]") {
    struct Write final : chat::EventSink {
        void on_event(const chat::Event &event) override {
            writer->write(event, out);
        }
        std::unique_ptr<StreamWriter> writer;
        std::string out;
    };
    struct Frames final : wire::FrameSink {
        void on_frame(const wire::Frame &frame) override {
            reader->read(frame, assembler);
        }
        std::unique_ptr<StreamReader> reader;
        Assembler assembler{std::size_t{1} << 20};
    };

    for (const Format *format : formats()) {
        const Carries &carries = abilities(*format).answers;
        for (std::uint32_t seed = 0; seed < rounds; ++seed) {
            ReadAnswer original(openai_format(), RandomChat(seed).response());
            Write write;
            write.writer = format->make_writer(context());
            replay(*original.response, write);

            Frames frames;
            frames.reader = format->make_reader();
            auto framer = format->make_framer(std::size_t{1} << 20);
            // Cut somewhere, another place each time.
            std::string_view bytes = write.out;
            auto cut = seed * 7919 % bytes.size();
            INFO(format->name() << ", seed " << seed << ": " << write.out);
            REQUIRE(framer->feed(bytes.substr(0, cut), frames));
            REQUIRE(framer->feed(bytes.substr(cut), frames));
            REQUIRE(framer->finish(frames));
            frames.reader->end(frames.assembler);
            REQUIRE(frames.assembler.state() == Assembler::State::complete);
            std::pmr::monotonic_buffer_resource memory;
            REQUIRE(meaning(frames.assembler.response(&memory), carries)
                    == meaning(*original.response, carries));
        }
    }
}
