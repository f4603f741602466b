// A simulated model: answers a request with no provider behind it, the same
// way every time. For trying a gateway out, for load tests and for our own.
//
// What it answers:
// - tools given, and no results yet: it calls tools. One call for each tool
//   of which the name, or a word of the name, is in the last user's message;
//   else of the first tool. tool_choice and parallel_tool_calls are honoured.
//   Arguments fit the parameters' JSON Schema: all required properties,
//   filled from the user's words where that makes sense (a city or a name: the
//   last capitalised words).
// - after tool results (any since the assistant's last message): a text that
//   cites them.
// - a response format: an object that fits its schema.
// - else the text that Options::reply says.
// Reasoning comes first where it is asked for. Stop sequences and max_tokens
// end the answer as they would a model's.
//
// What it counts: a token of the answer is one step, a word with the white
// space before it, of 16 bytes at most (of arguments: 4 bytes). A message of
// the prompt has a token for each 4 characters, rounded up, and 3 more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/chat.hpp"

namespace llm::simulate {

enum class Reply : std::uint8_t {
    echo,       // the last user's text
    lorem,      // words that mean nothing, by the seed
    text,       // Options::text
};

struct Options {
    Reply reply = Reply::echo;
    std::string_view text;
    // How long a reply is to be: cut or repeated to that many tokens.
    // 0: as it is (lorem: 32).
    std::int64_t tokens = 0;
    // Other seeds give other lorem and other ids.
    std::uint64_t seed = 0;
};

// One simulated answer. The request, and all that it is a view of, must
// outlive it.
class Answer {
public:
    Answer(const chat::Request &request, const Options &options,
           std::pmr::memory_resource *memory =
               std::pmr::get_default_resource());
    Answer(const Answer &) = delete;
    Answer &operator=(const Answer &) = delete;

    // The whole answer; views live as long as the Answer.
    const chat::Response &response() const noexcept { return response_; }

    // The same answer as a stream. Each call emits the events of one step:
    // the start, then a token each, at last the end. False: it was the last.
    bool step(chat::EventSink &sink);
    // Steps of the whole stream.
    std::size_t steps() const noexcept { return tokens_.size() + 2; }

    // The tail of the ids, made of the request and the seed alone: to be
    // given as AnswerContext::unique, so that runs can be repeated.
    std::string_view unique() const noexcept { return unique_; }

private:
    // A token is a piece of a part of a choice's message.
    struct Token {
        std::size_t choice;
        std::size_t part;
        std::size_t offset;
        std::size_t size;
    };

    void emit_token(const Token &token, chat::EventSink &sink) const;
    void emit_end(chat::EventSink &sink) const;

    std::pmr::monotonic_buffer_resource memory_;
    chat::Response response_;
    std::pmr::vector<Token> tokens_;
    std::string unique_;
    std::size_t next_ = 0;
};

// A text's vector: of unit length, and the sum of one for each of its words,
// so that texts which share words are alike. Upper or lower case is the same.
// A text without words: all components alike.
void embed(std::string_view text, std::uint64_t seed, std::span<float> out);

// The tokens of the prompt, by the estimate above.
std::int64_t estimate_prompt_tokens(const chat::Request &request) noexcept;

}  // namespace llm::simulate
