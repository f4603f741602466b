// The frames of a stream are the same wherever it is cut, and their raw bytes
// are the stream. The first byte says how large the pieces are.
#include <vector>

#include "fuzz.hpp"
#include "llm/wire.hpp"

using namespace llm;

namespace {

struct Collector : wire::FrameSink {
    void on_frame(const wire::Frame &frame) override {
        raw.append(frame.raw);
        if (!frame.data.empty()) {
            frames.push_back(std::string(frame.event) + '\0' +
                             std::string(frame.data));
        }
    }

    std::vector<std::string> frames;
    std::string raw;
    bool failed = false;
};

Collector collect(std::string_view text, std::size_t piece) {
    Collector collector;
    wire::SseFramer framer(64);
    for (std::size_t i = 0; i < text.size() && !collector.failed; i += piece) {
        collector.failed = !framer.feed(text.substr(i, piece), collector);
        fuzz::promise(framer.pending() <= 64, "no more is held than allowed");
    }
    (void)framer.finish(collector);
    return collector;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    if (size == 0) {
        return 0;
    }
    std::string_view text(reinterpret_cast<const char *>(data) + 1, size - 1);
    Collector whole = collect(text, size);
    Collector cut = collect(text, data[0] % 16 + 1);

    fuzz::promise(whole.failed == cut.failed, "the limit holds in any cut");
    fuzz::promise(whole.frames == cut.frames, "cuts change nothing", text);
    if (!whole.failed) {
        fuzz::promise(whole.raw == text && cut.raw == text,
                      "frames are the stream", text);
    }
    return 0;
}
