// When two calls are the same question: a digest of the whole call, a digest
// of everything but the question, and the question's text, from a parsed
// request in whatever format it came.
//
// The exact key of two calls is equal only if every member that can change
// the answer is: model, messages, tools, response format, sampling, reasoning,
// members that the gateway does not know, the consumer, the operator's own
// partition. What cannot change it is left out: stream and its options, user,
// metadata, store, service tier, prompt-cache hints, the order of JSON members
// and the white space between them, how a number is written (1.0 is 1),
// `null` for a member that is not there, ids of tool calls (each is replaced
// by the number of the call that it names), "developer" for "system", and
// words for what is the default anyway (tool_choice auto, n 1, text as the
// response format). So a call has the same key as a stream and in one piece,
// through the OpenAI front and through the Anthropic one.
//
// The partition is all of that without the text of the last user messages:
// within one partition an answer may be looked for by meaning.
//
// Canonical form, version 1. Everything is tagged and self-delimiting, which
// makes it injective: two calls that differ in what is listed above cannot
// have the same bytes.
//
//     text     8 bytes of length, little-endian, then the bytes
//     count    8 bytes, little-endian
//     json     'z' null, 't' true, 'f' false, 's' text, 'n' number,
//              'a' count, elements; 'o' count, then name as text and json of
//              each member, sorted by name
//     number   sign, digits without zeros at either end as text, exponent of
//              ten as count (two's complement); 0 has no digits
//     field    one byte that names it, then its value; fields that are not
//              there, or say what is the default, have no bytes; the order is
//              that of the code in src/cache/key.cpp
//     part     the text of a question leaves its place and its number, no
//              bytes of its own
//
//     partition = SHA-256(text "llm partition 1", fields, messages)
//     exact     = SHA-256(text "llm exact 1", partition as text, count, the
//                 question's texts)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>

#include "llm/chat.hpp"

namespace llm::cache {

// A SHA-256 digest.
struct Digest {
    std::array<std::uint8_t, 32> bytes{};

    std::string hex() const;    // 64 lower-case hexadecimal digits
    bool operator==(const Digest &) const = default;
};

// Messages that do not count, by role.
struct IgnoredRoles {
    bool system = false;        // and developer
    bool assistant = false;
    bool tool = false;
};

struct KeyOptions {
    // What will answer: a pool or a model, by the name that routing gave it.
    // The client's own `model` is not looked at.
    std::string_view model{};
    std::string_view consumer{};    // who asks; not looked at where `shared`
    bool shared = false;        // one consumer may hear another's answer
    std::string_view partition{};   // the operator's own; empty: none
    // How many of the last user messages are the question.
    std::size_t messages = 1;
    IgnoredRoles ignored{};

    // Above it an answer is meant to be different each time. A call that
    // names no temperature is not over it.
    double max_temperature = 1.0;
    std::size_t max_question = 4096;    // bytes
};

// Why a call must not be answered by meaning. It may be answered from the
// cache all the same where the exact key is the same.
enum class Obstacle : std::uint8_t {
    none,
    empty,          // no text to compare
    too_long,       // the question is over max_question
    not_a_question, // the last word is not the user's
    tools,          // the answer may be an action
    tool_results,   // the last turn tells what a tool said
    media,          // the question is not text alone
    several,        // n > 1
    seed,           // a certain answer is wanted
    temperature,    // a new answer is wanted
};

// "tool_results" say: for variables, metrics and logs.
std::string_view to_string(Obstacle obstacle) noexcept;

struct Key {
    Digest exact;
    Digest partition;
    // The texts of the last user messages, joined by LF, without white space
    // around them: what is embedded and verified. Empty where too long.
    std::string question;
    Obstacle obstacle = Obstacle::none;
};

// `memory`: for scratch only; nothing of it is in the result.
Key make_key(const chat::Request &request, const KeyOptions &options,
             std::pmr::memory_resource *memory =
                 std::pmr::get_default_resource());

}  // namespace llm::cache
