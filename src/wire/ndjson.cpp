#include "llm/wire.hpp"

namespace llm::wire {

namespace {

// A buffer that one long line made larger than this is given back.
constexpr std::size_t kept_capacity = std::size_t{16} << 10;

void emit(std::string_view line, FrameSink &sink) {
    constexpr std::string_view space = " \t\r\n";

    Frame frame;
    frame.raw = line;
    std::size_t first = line.find_first_not_of(space);
    if (first != std::string_view::npos) {
        frame.data =
            line.substr(first, line.find_last_not_of(space) + 1 - first);
    }
    sink.on_frame(frame);
}

Error too_long(std::size_t max_event) {
    return Error{ErrorKind::bad_gateway,
                 "the provider's stream holds a line of more than " +
                     std::to_string(max_event) + " bytes",
                 {}, {}, 0, {}};
}

}  // namespace

Result<void> NdjsonFramer::feed(std::string_view bytes, FrameSink &sink) {
    while (!bytes.empty() && !failed_) {
        std::size_t end = bytes.find('\n');
        bool whole = end != std::string_view::npos;
        std::size_t size = whole ? end + 1 : bytes.size();
        if (size - whole > max_event_ - held_.size()) {
            failed_ = true;
            break;
        }

        std::string_view line = bytes.substr(0, size);
        bytes.remove_prefix(size);
        if (whole && held_.empty()) {
            emit(line, sink);
            continue;
        }
        held_.append(line);
        if (whole) {
            emit(held_, sink);
            held_.clear();
            if (held_.capacity() > kept_capacity) {
                std::string().swap(held_);
            }
        }
    }

    if (failed_) {
        std::string().swap(held_);
        return too_long(max_event_);
    }
    return {};
}

Result<void> NdjsonFramer::finish(FrameSink &sink) {
    if (failed_) {
        return too_long(max_event_);
    }
    if (!held_.empty()) {
        emit(held_, sink);
        held_.clear();
    }
    return {};
}

}  // namespace llm::wire
