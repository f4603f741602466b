// What Redis answers, as a value: the same for RESP2 and RESP3, whoever read
// it from the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llm::redis {

// One reply, with all that is in it. (Redis serialization protocol
// specification, redis.io/docs/latest/develop/reference/protocol-spec.)
struct Reply {
    enum class Type : std::uint8_t {
        nil,
        status,     // text: "OK"
        error,      // text: "WRONGTYPE Operation against a key ..."
        string,     // text: any bytes
        integer,    // integer; RESP3 booleans are 0 or 1
        real,       // real, RESP3 only; text as it was sent
        array,      // elements; RESP3 sets and pushes, too
        map,        // elements: key, value, key, value ...; RESP3 only
    };

    Type type = Type::nil;
    std::int64_t integer = 0;
    double real = 0;
    std::string text;
    std::vector<Reply> elements;

    bool is_nil() const noexcept { return type == Type::nil; }
    bool is_error() const noexcept { return type == Type::error; }
    bool is_text() const noexcept {
        return type == Type::string || type == Type::status;
    }
    // "MOVED" of "MOVED 3999 127.0.0.1:6381"; empty where it is no error.
    std::string_view error_code() const noexcept {
        return is_error()
                   ? std::string_view(text).substr(0, text.find(' '))
                   : std::string_view();
    }
};

}  // namespace llm::redis
