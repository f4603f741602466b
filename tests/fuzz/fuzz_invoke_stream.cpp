// The chunks of Bedrock's InvokeModel are what was put into them, the same
// wherever the stream is cut. The first byte says how large the pieces are;
// after it comes a message after the other, with NUL between, each of a kind
// that its first byte chooses.
#include <algorithm>
#include <vector>

#include "formats/bedrock/chunk_framer.hpp"
#include "fuzz.hpp"
#include "text/base64.hpp"

using namespace llm;

namespace {

struct Collector : wire::FrameSink {
    void on_frame(const wire::Frame &frame) override {
        frames.push_back((frame.failure ? "!" : "") + std::string(frame.data));
    }

    std::vector<std::string> frames;
    bool failed = false;
};

Collector collect(std::string_view bytes, std::size_t piece) {
    Collector collector;
    auto framer = bedrock::make_chunk_framer(std::size_t{1} << 20);
    for (std::size_t i = 0; i < bytes.size() && !collector.failed;
         i += piece) {
        collector.failed = !framer->feed(bytes.substr(i, piece), collector);
    }
    collector.failed |= !framer->finish(collector);
    return collector;
}

// The stream, and the frames that must come of it: none are said where a
// payload is whatever the fuzzer made.
struct Stream {
    void add(std::string_view part) {
        char kind = part.empty() ? 'c' : part.front();
        part.remove_prefix(std::min<std::size_t>(part.size(), 1));
        switch (kind) {
        case 'r':
            wire::append_event_message(bytes, bedrock::chunk_event, part);
            known = false;
            break;
        case 'x':
            wire::append_event_message(bytes, "throttlingException", part,
                                       true);
            frames.push_back("!" + std::string(part));
            break;
        case 'o':
            wire::append_event_message(bytes, "other", part);
            break;
        default:
            std::string payload = "{\"bytes\":\"";
            payload += base64::encode(part);
            payload += "\",\"p\":\"abc\"}";
            wire::append_event_message(bytes, bedrock::chunk_event, payload);
            frames.emplace_back(part);
        }
    }

    std::string bytes;
    std::vector<std::string> frames;
    bool known = true;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    if (size == 0) {
        return 0;
    }
    std::string_view text(reinterpret_cast<const char *>(data) + 1, size - 1);
    Stream stream;
    while (!text.empty()) {
        auto part = text.substr(0, text.find('\0'));
        text.remove_prefix(std::min(part.size() + 1, text.size()));
        stream.add(part);
    }

    Collector whole = collect(stream.bytes, stream.bytes.size());
    Collector cut = collect(stream.bytes, data[0] % 32 + 1);
    fuzz::promise(whole.failed == cut.failed, "cuts change no error");
    fuzz::promise(whole.frames == cut.frames, "cuts change nothing");
    if (stream.known) {
        fuzz::promise(!whole.failed, "a good stream has no error");
        fuzz::promise(whole.frames == stream.frames,
                      "chunks hold what was put into them");
    }
    return 0;
}
