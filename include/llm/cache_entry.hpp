// What a cache keeps of an answer: all of it, in one JSON text that any format
// can be written from and that an operator can read with redis-cli.
//
// Version 1 (members that are empty are left out):
//
//   {"v":1,
//    "stored":1700000000,            Unix seconds
//    "ttl":300,                      seconds
//    "question":"Who is ...?",       what was embedded
//    "embedding":"static-1",         the model that embedded it
//    "id":"chatcmpl-1","model":"gpt-4o","created":1700000000,
//    "service_tier":"default","system_fingerprint":"fp",
//    "usage":{"prompt_tokens":10, ... ,"estimated":true},
//    "choices":[{"index":0,"finish_reason":"stop",
//                "native_finish_reason":"end_turn","stop_sequence":"END",
//                "logprobs":{...},
//                "parts":[{"type":"text","text":"..."},
//                         {"type":"tool_call","id":"call_1","name":"f",
//                          "arguments":"{}","custom":true},
//                         {"type":"native","source":{...}}]}]}
//
// A reader refuses every other version: a gateway of another one makes a miss
// of it and writes its own.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>

#include "llm/chat.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::cache {

// What is kept beside the answer itself. Views, as in chat::Response.
struct EntryHead {
    std::string_view question;      // empty: not to be found by meaning
    std::string_view embedding;     // vectors of two models do not compare
    std::int64_t stored = 0;        // Unix seconds
    std::int64_t ttl = 0;           // seconds, 1 .. 2^31

    std::int64_t age(std::int64_t now) const noexcept {
        return now > stored ? now - stored : 0;
    }
};

struct Entry {
    explicit Entry(std::pmr::memory_resource *memory) : response(memory) {}

    EntryHead head;
    chat::Response response;
};

// Appends the JSON.
void write_entry(const EntryHead &head, const chat::Response &response,
                 std::string &out);

// Reads what write_entry() wrote. `document` is the parsed value; its views
// live as long as it and its text. Whatever else is there (another version,
// something that somebody else put under our key) is an Error that says what
// is wrong with it.
Result<Entry> read_entry(const json::Document &document,
                         std::pmr::memory_resource *memory);

// All that the answer says and calls, as one text: to compare answers with.
std::string answer_text(const chat::Response &response);

// Whether the provider may run tools of its own for the call, such as a search:
// the answer is of the moment then, and has sources and results that an entry
// has no place for.
bool runs_tools(const chat::Request &request) noexcept;

// Why an answer is not kept.
enum class Unstorable : std::uint8_t {
    none,
    empty,          // nothing was said
    incomplete,     // it broke off
    error,          // the provider failed in the middle of it
    content_filter, // it was withheld, in part or as a whole
    refusal,        // the model would not
    length,         // cut at the limit of tokens
};

// "content_filter" say: for variables, metrics and logs.
std::string_view to_string(Unstorable reason) noexcept;

// `keep_cut`: answers that were cut at the limit of tokens are kept, too.
Unstorable storable(const chat::Response &response,
                    bool keep_cut = false) noexcept;

}  // namespace llm::cache
