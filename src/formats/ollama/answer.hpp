// What whole answers and lines of a stream have in common.
#pragma once

#include <string>
#include <string_view>

#include "formats/ollama/ollama.hpp"
#include "llm/json.hpp"

namespace llm::ollama {

// The text, the thoughts and the calls of an answer or a line.
struct Said {
    json::Value text;
    json::Value thinking;
    json::Value calls;
};

inline Said said(Api api, json::Value root) {
    json::Value message = api == Api::chat ? root["message"] : root;
    return {message[api == Api::chat ? "content" : "response"],
            message["thinking"], message["tool_calls"]};
}

// The id of a call, or one that is made of the answer's time, which has nine
// digits of fractions: servers gave no ids before 0.12.
std::string call_id(json::Value call, json::Value answer, std::size_t number);

// The arguments' text.
std::string_view arguments_of(json::Value call);

chat::Usage read_usage(json::Value root);
void write_usage(json::Writer &w, const chat::Usage &usage);

// OpenAI's object of the list that "logprobs" is here, as JSON text; empty
// where there is none.
std::string logprobs_object(json::Value root);

// Appends what comes before a message in an answer or a line, and what it is
// made of: "message":{...} or its members.
class MessageWriter {
public:
    MessageWriter(Api api, std::string_view model, std::int64_t created);

    // The first member is out; the caller adds others and ends the object.
    // `thinking`, `calls` (JSON) and `image` (base64) may be empty.
    void begin(std::string &out, std::string_view text,
               std::string_view thinking = {}, std::string_view calls = {},
               std::string_view image = {}) const;

private:
    Api api_;
    std::string head_;
};

}  // namespace llm::ollama
