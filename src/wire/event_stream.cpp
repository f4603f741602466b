#include <algorithm>
#include <cstdint>

#include "llm/wire.hpp"
#include "wire/crc32.hpp"

namespace llm::wire {

namespace {

constexpr std::size_t prelude_size = 12;
constexpr std::size_t crc_size = 4;
constexpr std::size_t least_size = prelude_size + crc_size;

// Buffers that one large message made larger than this are given back.
constexpr std::size_t kept_capacity = std::size_t{16} << 10;

std::uint32_t read_u32(std::string_view bytes, std::size_t at) noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    }
    return value;
}

void write_u32(char *out, std::uint32_t value) noexcept {
    for (int i = 0; i < 4; ++i) {
        out[i] = static_cast<char>(value >> (24 - 8 * i));
    }
}

// The type of a header's value, and how many bytes it has.
enum class HeaderType : unsigned char {
    yes, no, byte, short_integer, integer, long_integer, bytes, string,
    timestamp, uuid,
};
constexpr std::size_t counted = ~std::size_t{0};    // the count comes first
constexpr std::size_t value_sizes[] = {0, 0, 1, 2, 4, 8, counted, counted,
                                       8, 16};

struct Header {
    std::string_view name;
    HeaderType type = HeaderType::yes;
    std::string_view value;
};

// Takes the first header off `bytes`. False: that is none.
bool take_header(std::string_view &bytes, Header &header) noexcept {
    auto take = [&bytes](std::size_t size, std::string_view &out) {
        if (size > bytes.size()) {
            return false;
        }
        out = bytes.substr(0, size);
        bytes.remove_prefix(size);
        return true;
    };
    auto number = [](std::string_view digits) {
        std::size_t value = 0;
        for (char c : digits) {
            value = value << 8 | static_cast<unsigned char>(c);
        }
        return value;
    };

    std::string_view one;
    if (!take(1, one) || !take(number(one), header.name) || !take(1, one)) {
        return false;
    }
    std::size_t type = number(one);
    if (header.name.empty() || type >= std::size(value_sizes)) {
        return false;
    }
    header.type = static_cast<HeaderType>(type);
    std::size_t size = value_sizes[type];
    if (size == counted) {
        if (!take(2, one)) {
            return false;
        }
        size = number(one);
    }
    return take(size, header.value);
}

// Where a header goes whose value says what the message is.
struct Meaning {
    std::string_view message_type;
    std::string_view event_type;
    std::string_view exception_type;
    std::string_view error_code;
    std::string_view error_message;
};

struct MeaningRow {
    std::string_view name;
    std::string_view Meaning::*field;
};

constexpr MeaningRow meaning_rows[] = {
    {":message-type", &Meaning::message_type},
    {":event-type", &Meaning::event_type},
    {":exception-type", &Meaning::exception_type},
    {":error-code", &Meaning::error_code},
    {":error-message", &Meaning::error_message},
};

bool read_headers(std::string_view bytes, Meaning &meaning) noexcept {
    while (!bytes.empty()) {
        Header header;
        if (!take_header(bytes, header)) {
            return false;
        }
        for (const MeaningRow &row : meaning_rows) {
            if (header.type == HeaderType::string && row.name == header.name
                && (meaning.*row.field).empty()) {
                meaning.*row.field = header.value;
            }
        }
    }
    return true;
}

Error damaged(std::string_view what) {
    return Error{ErrorKind::bad_gateway,
                 "the provider's event stream is damaged: "
                     + std::string(what),
                 {}, {}, 0, {}};
}

// A whole message, whose prelude is right.
Result<void> emit(std::string_view raw, FrameSink &sink) {
    std::size_t body = raw.size() - crc_size;
    if (crc32(raw.substr(0, body)) != read_u32(raw, body)) {
        return damaged("a message's checksum is wrong");
    }
    std::size_t headers = read_u32(raw, 4);
    Meaning meaning;
    if (!read_headers(raw.substr(prelude_size, headers), meaning)) {
        return damaged("a message's headers make no sense");
    }

    Frame frame;
    frame.raw = raw;
    frame.data = raw.substr(prelude_size + headers,
                            body - prelude_size - headers);
    if (meaning.message_type == "exception") {
        frame.failure = true;
        frame.event = meaning.exception_type;
    } else if (meaning.message_type == "error") {
        frame.failure = true;
        frame.event = meaning.error_code;
        if (frame.data.empty()) {
            frame.data = meaning.error_message;
        }
    } else {
        frame.event = meaning.event_type;
    }
    sink.on_frame(frame);
    return {};
}

void append_header(std::string &out, std::string_view name,
                   std::string_view value) {
    out.push_back(static_cast<char>(name.size()));
    out.append(name);
    out.push_back(static_cast<char>(HeaderType::string));
    out.push_back(static_cast<char>(value.size() >> 8));
    out.push_back(static_cast<char>(value.size()));
    out.append(value);
}

}  // namespace

EventStreamFramer::EventStreamFramer(std::size_t max_event)
    : max_event_(max_event) {}

Error EventStreamFramer::fail(Error error) {
    error_ = error;
    std::string().swap(held_);
    return error;
}

Result<std::size_t> EventStreamFramer::message_size(
    std::string_view prelude) const {
    if (crc32(prelude.substr(0, 8)) != read_u32(prelude, 8)) {
        return damaged("the checksum of a message's sizes is wrong");
    }
    std::size_t size = read_u32(prelude, 0);
    if (size < least_size || read_u32(prelude, 4) > size - least_size) {
        return damaged("a message's sizes make no sense");
    }
    if (size > max_event_) {
        return Error{ErrorKind::bad_gateway,
                     "the provider's stream holds an event of more than "
                         + std::to_string(max_event_) + " bytes",
                     {}, {}, 0, {}};
    }
    return size;
}

Result<void> EventStreamFramer::feed(std::string_view bytes,
                                     FrameSink &sink) {
    if (error_) {
        return *error_;
    }

    while (!bytes.empty()) {
        bool whole = false;
        if (held_.empty() && bytes.size() >= prelude_size) {
            auto size = message_size(bytes);
            if (!size) {
                return fail(std::move(size.error()));
            }
            wanted_ = *size;
            whole = wanted_ <= bytes.size();
        }
        if (whole) {
            auto outcome = emit(bytes.substr(0, wanted_), sink);
            if (!outcome) {
                return fail(std::move(outcome.error()));
            }
            bytes.remove_prefix(wanted_);
            wanted_ = 0;
            continue;
        }

        std::size_t goal = wanted_ ? wanted_ : prelude_size;
        auto size = std::min(goal - held_.size(), bytes.size());
        held_.append(bytes, 0, size);
        bytes.remove_prefix(size);
        if (held_.size() < goal) {
            break;
        }
        if (wanted_ == 0) {
            auto wanted = message_size(held_);
            if (!wanted) {
                return fail(std::move(wanted.error()));
            }
            wanted_ = *wanted;
            continue;
        }
        auto outcome = emit(held_, sink);
        if (!outcome) {
            return fail(std::move(outcome.error()));
        }
        wanted_ = 0;
        if (held_.capacity() > kept_capacity) {
            std::string().swap(held_);
        } else {
            held_.clear();
        }
    }
    return {};
}

Result<void> EventStreamFramer::finish(FrameSink &) {
    if (!error_ && !held_.empty()) {
        return fail(damaged("it ends in the middle of a message"));
    }
    return {};
}

std::size_t EventStreamFramer::pending() const noexcept {
    return held_.size();
}

std::size_t begin_event_message(std::string &out, std::string_view event,
                                bool failure) {
    std::size_t start = out.size();
    out.append(prelude_size, '\0');
    append_header(out, failure ? ":exception-type" : ":event-type", event);
    append_header(out, ":content-type", "application/json");
    append_header(out, ":message-type", failure ? "exception" : "event");
    write_u32(out.data() + start + 4,
              static_cast<std::uint32_t>(out.size() - start - prelude_size));
    return start;
}

void end_event_message(std::string &out, std::size_t begun) {
    std::size_t body = out.size() - begun;
    char *message = out.data() + begun;
    write_u32(message, static_cast<std::uint32_t>(body + crc_size));
    write_u32(message + 8, crc32({message, 8}));
    char crc[crc_size];
    write_u32(crc, crc32({message, body}));
    out.append(crc, crc_size);
}

void append_event_message(std::string &out, std::string_view event,
                          std::string_view data, bool failure) {
    std::size_t begun = begin_event_message(out, event, failure);
    out.append(data);
    end_event_message(out, begun);
}

}  // namespace llm::wire
