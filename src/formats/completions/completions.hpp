// OpenAI's legacy completions, in both directions: the parts of the Format
// that formats/completions/format.cpp puts together, one file each. What it
// has in common with chat completions it takes from formats/openai.
//
// As an API of clients it asks a chat model: the prompt is the user's message.
// As one of a provider it is for servers that know nothing but raw text: a
// conversation becomes one by a template (llm/prompt_template.hpp).
//
// Source: the OpenAI API reference (completions; the published OpenAPI
// description) and the types of the official Python SDK.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llm/format.hpp"

namespace llm::completions {

// request_read.cpp
Result<RequestHead> parse_head(const json::Document &document);
Result<chat::Request> parse_request(const json::Document &document,
                                    std::pmr::memory_resource *memory);
std::size_t prompts(const json::Document &document) noexcept;
Result<chat::Request> parse_prompt(const json::Document &document,
                                   std::size_t index,
                                   std::pmr::memory_resource *memory);

// request_write.cpp
Result<void> write_request(const chat::Request &request,
                           const WriteOptions &options, std::string &out);

// response.cpp
Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory);
void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out);
// The words of this API; it knows of no calls.
std::string_view finish_word(chat::FinishReason reason) noexcept;

// stream_read.cpp
std::unique_ptr<StreamReader> make_reader();

// stream_write.cpp
std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context);

}  // namespace llm::completions
