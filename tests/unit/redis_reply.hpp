// Replies of Redis, written as they are read: for the tests of readers.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "llm/redis.hpp"

namespace llm::redis::test {

inline Reply make(Reply::Type type, std::string_view text) {
    Reply reply;
    reply.type = type;
    reply.text = text;
    return reply;
}

inline Reply nil() { return {}; }
inline Reply status(std::string_view text) {
    return make(Reply::Type::status, text);
}
inline Reply error(std::string_view text) {
    return make(Reply::Type::error, text);
}
inline Reply text(std::string_view text) {
    return make(Reply::Type::string, text);
}
inline Reply integer(std::int64_t value) {
    Reply reply;
    reply.type = Reply::Type::integer;
    reply.integer = value;
    return reply;
}
inline Reply real(double value, std::string_view sent = "") {
    Reply reply = make(Reply::Type::real, sent);
    reply.real = value;
    return reply;
}
inline Reply array(std::initializer_list<Reply> elements) {
    Reply reply;
    reply.type = Reply::Type::array;
    reply.elements = elements;
    return reply;
}
inline Reply map(std::initializer_list<std::pair<std::string_view, Reply>>
                     members) {
    Reply reply;
    reply.type = Reply::Type::map;
    for (const auto &[name, value] : members) {
        reply.elements.push_back(text(name));
        reply.elements.push_back(value);
    }
    return reply;
}
// The same as RESP2 has it.
inline Reply flat(std::initializer_list<std::pair<std::string_view, Reply>>
                      members) {
    Reply reply = map(members);
    reply.type = Reply::Type::array;
    return reply;
}

}  // namespace llm::redis::test
