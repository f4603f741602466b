// Framings of a streamed answer: bytes, cut anywhere, become frames.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "llm/result.hpp"

namespace llm::wire {

// One event of a stream. Views live until on_frame() returns.
struct Frame {
    std::string_view event;     // SSE "event:", or ":event-type"; may be empty
    std::string_view data;      // the payload, lines joined by LF
    // The frame says by itself that it is an exception or an error, and
    // `event` is its type: AWS' event streams only.
    bool failure = false;
    // The exact bytes of the frame as they came, its line ends and the blank
    // line included; the raw views of all frames of a stream, put together,
    // are the stream. Comments and pings without data are frames too: they
    // have no data and are passed through, not read.
    std::string_view raw;
};

class FrameSink {
public:
    virtual void on_frame(const Frame &frame) = 0;

protected:
    ~FrameSink() = default;
};

class Framer {
public:
    virtual ~Framer() = default;

    // Takes the next bytes; calls sink once for each frame they complete.
    // Fails when a frame grows over the limit or cannot be valid; the framer
    // is then at its end.
    virtual Result<void> feed(std::string_view bytes, FrameSink &sink) = 0;

    // The stream has ended: what is left is a last frame, complete or not.
    virtual Result<void> finish(FrameSink &sink) = 0;

    // Bytes held back since they are no whole frame yet.
    virtual std::size_t pending() const noexcept = 0;
};

// Server-sent events, as the WHATWG HTML standard parses them
// (https://html.spec.whatwg.org/multipage/server-sent-events.html): lines end
// with LF, CRLF or CR, in any mix; several data lines join; a BOM is skipped;
// one space after the colon is removed. Beyond it: an event that the end of
// the stream cuts off is still a frame, since providers forget the blank line;
// and JSON that stands where an event should (an error that a provider sends
// as it is, in the middle of its stream) is a frame whose data is that JSON.
//
// Copies only what a cut leaves over: an event that lies within one feed() is
// a view into it.
class SseFramer final : public Framer {
public:
    // max_event: bytes of one event, all lines.
    explicit SseFramer(std::size_t max_event = std::size_t{16} << 20);

    Result<void> feed(std::string_view bytes, FrameSink &sink) override;
    Result<void> finish(FrameSink &sink) override;
    std::size_t pending() const noexcept override;

private:
    void emit(std::string_view raw, FrameSink &sink);
    Error too_large();

    std::size_t max_event_;
    std::string held_;          // an event's first bytes, no end in them
    std::string data_;          // joined data lines, where there are several
    bool at_start_ = true;      // a BOM may come
    bool failed_ = false;
};

// AWS' event streams, "application/vnd.amazon.eventstream". Source: Smithy
// specification, "Amazon Event Stream". A message is (big endian)
//
//     4 bytes     its size, all of it
//     4 bytes     size of the headers
//     4 bytes     CRC-32 of these eight bytes
//     headers     each: size of the name (1), name, type of the value (1),
//                 value: nothing, or 1, 2, 4, 8 or 16 bytes, or a size (2)
//                 and that many bytes
//     payload
//     4 bytes     CRC-32 of all bytes before
//
// Both CRCs are checked; a message that fails them ends the stream, as does
// one that the end of the stream cuts off. Of the headers a Frame holds what
// says how the payload is to be read:
//
//     :message-type "event"       event: ":event-type"
//     :message-type "exception"   event: ":exception-type"; failure
//     :message-type "error"       event: ":error-code"; failure; data:
//                                 ":error-message", which is plain text, where
//                                 there is no payload
//
// Copies only what a cut leaves over, as SseFramer.
class EventStreamFramer final : public Framer {
public:
    // max_event: bytes of one message, all of it.
    explicit EventStreamFramer(std::size_t max_event = std::size_t{16} << 20);

    Result<void> feed(std::string_view bytes, FrameSink &sink) override;
    Result<void> finish(FrameSink &sink) override;
    std::size_t pending() const noexcept override;

private:
    Result<std::size_t> message_size(std::string_view prelude) const;
    Error fail(Error error);

    std::size_t max_event_;
    std::string held_;          // a message's first bytes
    std::size_t wanted_ = 0;    // its size, once that is known; else 0
    std::optional<Error> error_;
};

// Appends a message whose payload is JSON; `failure`: an exception of the type
// `event`, else an event.
void append_event_message(std::string &out, std::string_view event,
                          std::string_view data, bool failure = false);
// Likewise in two steps, between which the caller appends the payload. The
// first returns what the second needs to know.
std::size_t begin_event_message(std::string &out, std::string_view event,
                                bool failure = false);
void end_event_message(std::string &out, std::size_t begun);

// JSON texts, one a line (application/x-ndjson), as Ollama sends them. A line
// that is empty or white space is a frame without data; the last one needs no
// end. Copies only what a cut leaves over, as SseFramer does.
class NdjsonFramer final : public Framer {
public:
    // max_event: bytes of one line.
    explicit NdjsonFramer(std::size_t max_event = std::size_t{16} << 20)
        : max_event_(max_event) {}

    Result<void> feed(std::string_view bytes, FrameSink &sink) override;
    Result<void> finish(FrameSink &sink) override;
    std::size_t pending() const noexcept override { return held_.size(); }

private:
    std::size_t max_event_;
    std::string held_;          // a line's first bytes
    bool failed_ = false;
};

// Appends "event: NAME\ndata: DATA\n\n"; without the first line if the name is
// empty. data must not hold a line end (JSON of our writer does not).
void append_sse(std::string &out, std::string_view event,
                std::string_view data);

}  // namespace llm::wire
