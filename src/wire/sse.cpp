#include <bit>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "llm/wire.hpp"

namespace llm::wire {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// Buffers that one large event made larger than this are given back.
constexpr std::size_t kept_capacity = std::size_t{16} << 10;

bool is_line_end(char c) {
    return c == '\n' || c == '\r';
}

// The next LF or CR at or after `position`, or npos. One pass for both, many
// bytes at a time: two memchr() would be quadratic where only one of them
// occurs.
std::size_t find_line_end(std::string_view text, std::size_t position) {
#if defined(__SSE2__)
    const __m128i lf = _mm_set1_epi8('\n');
    const __m128i cr = _mm_set1_epi8('\r');
    for (; text.size() - position >= 16; position += 16) {
        __m128i block = _mm_loadu_si128(
            reinterpret_cast<const __m128i *>(text.data() + position));
        auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(
            _mm_cmpeq_epi8(block, lf), _mm_cmpeq_epi8(block, cr))));
        if (found != 0) {
            return position
                   + static_cast<std::size_t>(std::countr_zero(found));
        }
    }
#else
    constexpr std::uint64_t ones = 0x0101010101010101U;
    constexpr std::uint64_t tops = 0x8080808080808080U;
    auto has_zero = [](std::uint64_t word) {
        return (word - ones) & ~word & tops;
    };
    for (; text.size() - position >= 8; position += 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + position, 8);
        if (has_zero(word ^ (ones * '\n')) || has_zero(word ^ (ones * '\r'))) {
            break;
        }
    }
#endif
    for (; position < text.size(); ++position) {
        if (is_line_end(text[position])) {
            return position;
        }
    }
    return std::string_view::npos;
}

// The position after the line end at `position`.
std::size_t skip_line_end(std::string_view text, std::size_t position) {
    bool pair = text[position] == '\r' && position + 1 < text.size()
                && text[position + 1] == '\n';
    return position + (pair ? 2 : 1);
}

// Where the event ends that text goes on with: after its blank line, or npos.
// `before` is the byte that precedes text in this event, LF where text is its
// start.
//
// A blank line that is a CR at the end of text ends the event at once, though
// an LF may follow: that LF is then an empty frame of its own.
std::size_t event_end(std::string_view text, char before) {
    bool line_start = is_line_end(before);
    std::size_t position = 0;
    if (before == '\r' && text[0] == '\n') {
        position = 1;
    }

    for (;;) {
        std::size_t end = find_line_end(text, position);
        if (end == std::string_view::npos) {
            return end;
        }
        bool blank = line_start && end == position;
        position = skip_line_end(text, end);
        if (blank) {
            return position;
        }
        line_start = true;
    }
}

// The event that bytes begin with, if it is of the form that nearly all have:
// one line of data, maybe one with a name before it, and an LF, or CRLF, at the
// end of each. Its size; 0 where it is of any other form, or not whole.
std::size_t common_event(std::string_view bytes, Frame &frame) {
    constexpr std::string_view event = "event: ";
    constexpr std::string_view data = "data: ";

    std::size_t begin = 0;
    if (bytes.starts_with(event)) {
        std::size_t end = find_line_end(bytes, event.size());
        if (end == std::string_view::npos) {
            return 0;
        }
        frame.event = bytes.substr(event.size(), end - event.size());
        begin = skip_line_end(bytes, end);
    }
    if (!bytes.substr(begin).starts_with(data)) {
        return 0;
    }
    begin += data.size();
    std::size_t end = find_line_end(bytes, begin);
    if (end == std::string_view::npos) {
        return 0;
    }
    frame.data = bytes.substr(begin, end - begin);
    for (std::string_view blank : {"\n\n", "\r\n\r\n"}) {
        if (bytes.substr(end).starts_with(blank)) {
            frame.raw = bytes.substr(0, end + blank.size());
            return frame.raw.size();
        }
    }
    return 0;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    std::size_t first = text.find_first_not_of(space);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(space) + 1 - first);
}

void give_back(std::string &buffer) {
    if (buffer.capacity() > kept_capacity) {
        std::string().swap(buffer);
    } else {
        buffer.clear();
    }
}

}  // namespace

SseFramer::SseFramer(std::size_t max_event) : max_event_(max_event) {}

Result<void> SseFramer::feed(std::string_view bytes, FrameSink &sink) {
    if (failed_) {
        return too_large();
    }

    while (!bytes.empty()) {
        if (held_.empty()) {
            Frame frame;
            std::size_t size = common_event(bytes, frame);
            if (size != 0 && size <= max_event_) {
                at_start_ = false;
                sink.on_frame(frame);
                bytes.remove_prefix(size);
                continue;
            }
        }

        std::size_t end = event_end(bytes, held_.empty() ? '\n' : held_.back());
        bool whole = end != std::string_view::npos;
        std::size_t size = whole ? end : bytes.size();
        // The LF after a last CR may as well be no part of the event.
        std::size_t counted = size;
        if (whole && bytes.substr(0, size).ends_with("\r\n")) {
            --counted;
        }
        if (counted > max_event_ || held_.size() > max_event_ - counted) {
            return too_large();
        }

        if (whole && held_.empty()) {
            emit(bytes.substr(0, size), sink);
        } else {
            held_.append(bytes, 0, size);
            if (whole) {
                emit(held_, sink);
                give_back(held_);
            }
        }
        bytes.remove_prefix(size);
    }

    return {};
}

Result<void> SseFramer::finish(FrameSink &sink) {
    if (!held_.empty()) {
        emit(held_, sink);
        give_back(held_);
    }
    return {};
}

std::size_t SseFramer::pending() const noexcept {
    return held_.size();
}

Error SseFramer::too_large() {
    failed_ = true;
    std::string().swap(held_);
    return Error{ErrorKind::bad_gateway,
                 "the provider's stream holds an event of more than " +
                     std::to_string(max_event_) + " bytes",
                 {}, {}, 0, {}};
}

void SseFramer::emit(std::string_view raw, FrameSink &sink) {
    std::string_view text = raw;
    if (at_start_ && text.starts_with(byte_order_mark)) {
        text.remove_prefix(byte_order_mark.size());
    }
    at_start_ = false;

    Frame frame;
    frame.raw = raw;

    std::string_view body = trim(text);
    if (body.starts_with('{') || body.starts_with('[')) {
        frame.data = body;
        sink.on_frame(frame);
        return;
    }

    int data_lines = 0;
    for (std::size_t position = 0; position < text.size();) {
        std::size_t end = find_line_end(text, position);
        std::size_t next = text.size();
        if (end == std::string_view::npos) {
            end = text.size();
        } else {
            next = skip_line_end(text, end);
        }
        std::string_view line = text.substr(position, end - position);
        position = next;

        std::size_t colon = line.find(':');
        std::string_view name = line.substr(0, colon);
        std::string_view value;
        if (colon != std::string_view::npos) {
            value = line.substr(colon + 1);
            if (value.starts_with(' ')) {
                value.remove_prefix(1);
            }
        }

        if (name == "event") {
            frame.event = value;
        } else if (name == "data") {
            if (data_lines == 0) {
                frame.data = value;
            } else {
                if (data_lines == 1) {
                    data_.assign(frame.data);
                }
                data_.push_back('\n');
                data_.append(value);
            }
            ++data_lines;
        }
    }

    if (data_lines > 1) {
        frame.data = data_;
    }
    sink.on_frame(frame);
    give_back(data_);
}

void append_sse(std::string &out, std::string_view event,
                std::string_view data) {
    if (!event.empty()) {
        out.append("event: ").append(event).push_back('\n');
    }
    out.append("data: ").append(data).append("\n\n");
}

}  // namespace llm::wire
