// The messages of an AWS event stream are the same wherever it is cut, and
// their raw bytes are the stream up to what is damaged. The first byte says
// how large the pieces are; is it odd, the checksums are made right, which no
// fuzzer would guess.
#include <algorithm>
#include <vector>

#include "fuzz.hpp"
#include "llm/wire.hpp"
#include "wire/crc32.hpp"

using namespace llm;

namespace {

constexpr std::size_t limit = 512;

struct Collector : wire::FrameSink {
    void on_frame(const wire::Frame &frame) override {
        raw.append(frame.raw);
        frames.push_back(std::string(frame.failure ? "!" : "")
                         + std::string(frame.event) + '\0'
                         + std::string(frame.data));
    }

    std::vector<std::string> frames;
    std::string raw;
    bool failed = false;
};

Collector collect(std::string_view bytes, std::size_t piece) {
    Collector collector;
    wire::EventStreamFramer framer(limit);
    for (std::size_t i = 0; i < bytes.size() && !collector.failed;
         i += piece) {
        collector.failed = !framer.feed(bytes.substr(i, piece), collector);
        fuzz::promise(framer.pending() <= limit,
                      "no more is held than allowed");
    }
    collector.failed |= !framer.finish(collector);
    return collector;
}

void write_u32(std::string &bytes, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[at + i] = static_cast<char>(value >> (24 - 8 * i));
    }
}

// Sizes stay as they are where they can be; both checksums fit.
std::string mend(std::string_view text) {
    std::string bytes(text);
    for (std::size_t at = 0; bytes.size() - at >= 16;) {
        std::size_t size =
            static_cast<unsigned char>(bytes[at + 2]) << 8
            | static_cast<unsigned char>(bytes[at + 3]);
        size = std::clamp<std::size_t>(size, 16, bytes.size() - at);
        write_u32(bytes, at, static_cast<std::uint32_t>(size));
        std::string_view message = std::string_view(bytes).substr(at, size);
        write_u32(bytes, at + 8, wire::crc32(message.substr(0, 8)));
        write_u32(bytes, at + size - 4,
                  wire::crc32(message.substr(0, size - 4)));
        at += size;
    }
    return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    if (size == 0) {
        return 0;
    }
    std::string_view text(reinterpret_cast<const char *>(data) + 1, size - 1);
    std::string mended;
    if (data[0] % 2 == 1) {
        mended = mend(text);
        text = mended;
    }
    Collector whole = collect(text, size);
    Collector cut = collect(text, data[0] / 2 % 16 + 1);

    fuzz::promise(whole.failed == cut.failed, "cuts change no error");
    fuzz::promise(whole.frames == cut.frames, "cuts change nothing", text);
    fuzz::promise(text.starts_with(whole.raw), "frames are the stream", text);
    if (!whole.failed) {
        fuzz::promise(whole.raw == text, "frames are all of it", text);
    }
    return 0;
}
