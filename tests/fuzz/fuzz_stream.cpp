// Any bytes from a provider, as a stream, as a whole answer and as an error:
// the stream ends with exactly one done or error, its events do not depend on
// the cuts, nor on whether one repeats the bytes of the one before, and what
// every client gets of it are events with JSON in them. The first byte says how
// large the pieces are.
//
// AWS' event streams are written as lines of text, "TYPE PAYLOAD", with a "!"
// before an exception: no fuzzer guesses a checksum.
#include <algorithm>
#include <memory>
#include <memory_resource>
#include <vector>

#include "fuzz.hpp"
#include "llm/format.hpp"

using namespace llm;

namespace {

// Checks that what a writer made is a stream.
struct WrittenFrames : wire::FrameSink {
    void on_frame(const wire::Frame &frame) override {
        if (!frame.data.empty() && frame.data != "[DONE]") {
            fuzz::promise_json(frame.data, "an event of a client is JSON");
        }
    }
};

class Run : public wire::FrameSink, public chat::EventSink {
public:
    // spaced: no event is given to the reader in the words of the one before.
    explicit Run(const Format &format, bool spaced = false)
        : reader_(format.make_reader()), spaced_(spaced) {
        AnswerContext context;
        context.request_model = "model";
        context.unique = "unique";
        context.now = 1;
        context.query = "alt=sse";
        for (const Format *client : formats()) {
            for (bool usage : {false, true}) {
                context.include_usage = usage;
                writers_.push_back({client, client->make_writer(context), {}});
            }
        }
    }

    void run(const Format &format, std::string_view bytes, std::size_t piece) {
        auto framer = format.make_framer(std::size_t{1} << 20);
        for (std::size_t i = 0; i < bytes.size(); i += piece) {
            if (!framer->feed(bytes.substr(i, piece), *this)) {
                break;
            }
        }
        (void)framer->finish(*this);
        reader_->end(*this);

        fuzz::promise(ended_ == 1, "a stream ends once");
        for (auto &written : writers_) {
            auto check = written.client->make_framer(std::size_t{1} << 30);
            WrittenFrames frames;
            (void)check->feed(written.bytes, frames);
            fuzz::promise(check->pending() == 0, "events are whole",
                          written.bytes);
        }
    }

    void on_frame(const wire::Frame &original) override {
        wire::Frame frame = original;
        std::string data(frame.data);
        // Around it: some ids are made of the bytes of the value.
        if (spaced_ && data.starts_with('{')) {
            data.insert(0, ++frames_ % 2 + 1, ' ');
            frame.data = data;
        }
        reader_->read(frame, *this);
        std::string edited;
        if (reader_->relay(frame, false, edited) == Relay::edited) {
            wire::SseFramer check;
            WrittenFrames frames;
            (void)check.feed(edited, frames);
            (void)check.finish(frames);
        }
        fuzz::promise(reader_->relay(frame, true, edited) != Relay::drop,
                      "nothing is hidden from who asked");
    }

    void on_event(const chat::Event &event) override {
        using Type = chat::Event::Type;

        fuzz::promise(ended_ == 0, "nothing comes after the end");
        ended_ += event.type == Type::done || event.type == Type::error;
        log += static_cast<char>('a' + static_cast<int>(event.type));
        log.append(event.text).append(event.id).append(event.name);
        log += std::to_string(event.choice) + '.' + std::to_string(event.call);
        for (auto &written : writers_) {
            written.writer->write(event, written.bytes);
        }
    }

    std::string log;

private:
    struct Written {
        const Format *client;
        std::unique_ptr<StreamWriter> writer;
        std::string bytes;
    };

    std::unique_ptr<StreamReader> reader_;
    std::vector<Written> writers_;
    bool spaced_;
    std::size_t frames_ = 0;
    int ended_ = 0;
};

std::string event_stream(std::string_view lines) {
    std::string out;
    while (!lines.empty()) {
        std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
        bool failure = line.starts_with('!');
        line.remove_prefix(failure);
        // A header's value has two bytes for its size.
        std::string_view type =
            line.substr(0, std::min<std::size_t>(line.find(' '), 1000));
        line.remove_prefix(std::min(type.size() + 1, line.size()));
        wire::append_event_message(out, type, line, failure);
    }
    return out;
}

void read_whole(const Format &format, std::string_view bytes) {
    for (int status : {200, 400, 529}) {
        Error error = format.parse_error(status, bytes);
        fuzz::promise(!error.message.empty(), "an error has a message");
        for (const Format *client : formats()) {
            std::string out;
            client->write_error(error, out);
            fuzz::promise_json(out, "an error is JSON");
        }
    }

    json::Document document;
    if (!document.parse(bytes, {.duplicates = true})) {
        return;
    }
    std::pmr::monotonic_buffer_resource memory;
    auto response = format.parse_response(document, &memory);
    if (!response) {
        return;
    }
    for (const Format *client : formats()) {
        std::string out;
        client->write_response(*response, {}, out);
        fuzz::promise_json(out, "an answer is JSON");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    if (size == 0) {
        return 0;
    }
    std::string_view bytes(reinterpret_cast<const char *>(data) + 1, size - 1);
    const Format &format = *find_format(LLM_FUZZ_FORMAT);

    std::string framed;
    std::string_view stream = bytes;
    if (format.stream_type() == "application/vnd.amazon.eventstream") {
        framed = event_stream(bytes);
        stream = framed;
    }
    Run whole(format);
    whole.run(format, stream, stream.size() + 1);
    Run cut(format);
    cut.run(format, stream, data[0] % 16 + 1);
    fuzz::promise(whole.log == cut.log, "cuts change nothing", bytes);
    Run spaced(format, true);
    spaced.run(format, stream, stream.size() + 1);
    fuzz::promise(whole.log == spaced.log, "a short cut changes nothing",
                  bytes);

    read_whole(format, bytes);
    return 0;
}
