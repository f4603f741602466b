// Calls that the gateway passes on as they are: images, audio, files and what
// else a provider offers that needs no translation. Of such a call it reads
// the model, of the answer the usage; here is how.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "llm/chat.hpp"
#include "llm/result.hpp"
#include "llm/wire.hpp"

namespace llm::pass_through {

// Kinds of routes that an operator can let through one by one.
struct Group {
    std::string_view name;      // "images"
    std::uint32_t bit;
    // The first segments of its paths, separated by spaces.
    std::string_view segments;
};

std::span<const Group> groups() noexcept;

// All that has a path, whether it is of a group or not.
inline constexpr std::uint32_t everything = std::uint32_t{1} << 31;

// A client's path, cut where the provider's begins.
struct Path {
    std::string_view version;   // "v1" where the client's path has one
    std::string_view rest;      // "/images/edits": what the call is
};

// `path`: decoded and normalised, as a server has it. `prefix`: of the
// location; the rest begins behind it, and behind a version. Behind one that
// ends in a word it may begin without a slash; then it is no path.
Path split_path(std::string_view path, std::string_view prefix) noexcept;

// The bit of the path's group; 0: it is of none.
std::uint32_t group_of(const Path &path) noexcept;

// Appends the path at a provider whose URL has the path `base`: the client's
// version is left out where the URL has one. Percent-encoded anew, so that it
// stays below `base`. False, and nothing is appended: it has a segment that
// is empty, "." or "..".
bool append_path(const Path &path, std::string_view base, std::string &out);

// Whether a query can be sent as it is.
bool is_query(std::string_view query) noexcept;

// Where something stands in a text.
struct Found {
    std::size_t offset = 0;
    std::size_t length = 0;
};

// The value of an argument, as it stands in the query: not decoded, though
// names are compared so. nullopt: there is none. An Error: there are two.
Result<std::optional<Found>> find_argument(std::string_view query,
                                           std::string_view name);

// With %XX and "+" resolved.
std::string decode_argument(std::string_view text);

// The boundary of a Content-Type "multipart/form-data; boundary=..."; empty:
// it is none, or not a valid one (RFC 2046, 5.1.1).
std::string_view boundary_of(std::string_view content_type) noexcept;

// The value of a form's field of this name (RFC 7578), as it stands in the
// body, which may be no more than the beginning of a form: then the field has
// to be whole. nullopt: there is none. An Error: there are two, or the form is
// not well formed before its end, so that others may read it in another way.
Result<std::optional<Found>> find_field(std::string_view body,
                                        std::string_view boundary,
                                        std::string_view name, bool whole);

// What a usage object says, in OpenAI's words of any age: prompt_tokens or
// input_tokens, completion_tokens or output_tokens, total_tokens, and their
// details. Not known where it counts no tokens.
chat::Usage read_usage(json::Value value) noexcept;

// Reads the usage and the model out of an answer's bytes as they go by.
class UsageReader {
public:
    enum class Kind : std::uint8_t {
        none,       // nothing is read
        json,       // one object, of any size
        events,     // server-sent events, each with one object
    };

    UsageReader() = default;
    UsageReader(Kind kind, std::size_t max_event);

    void feed(std::string_view bytes);
    void finish();

    const chat::Usage &usage() const noexcept { return usage_; }
    const std::string &model() const noexcept { return model_; }

private:
    class Sink;

    void scan(char c);
    void end_of_value();
    void read_event(std::string_view data);

    Kind kind_ = Kind::none;
    chat::Usage usage_;
    std::string model_;
    std::optional<wire::SseFramer> framer_;

    // Kind::json: where in the text we are.
    std::size_t depth_ = 0;
    bool in_string_ = false;
    bool escaped_ = false;
    bool is_key_ = false;           // of the outer object
    bool wanted_ = false;           // the value that follows or is here
    std::string key_;
    std::string value_;
};

// Reads the usage out of a realtime session's server events: "response.done"
// adds what it names. Frames of WebSocket (RFC 6455) without extensions, from
// a server: not masked.
class RealtimeReader {
public:
    // Bytes that came from the server, cut anywhere.
    void feed(std::string_view bytes);

    // The sums so far.
    const chat::Usage &usage() const noexcept { return usage_; }

private:
    bool read_head(unsigned char byte);
    void take(std::string_view payload);
    void end_of_message();

    enum class State : std::uint8_t { head, payload, lost };
    State state_ = State::head;
    unsigned char head_[10] = {};
    std::size_t head_size_ = 0;
    std::uint64_t left_ = 0;        // of the frame's payload
    bool final_ = false;            // the frame ends its message
    bool control_ = false;
    bool text_ = false;             // the message is text
    bool skip_ = false;             // and none of ours
    std::string message_;
    chat::Usage usage_;
};

}  // namespace llm::pass_through
