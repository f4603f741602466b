// OpenAI's Responses API, in both directions: the parts of the Format that
// formats/responses/format.cpp puts together, one file each. What it has in
// common with chat completions it takes from formats/openai.
//
// Sources: the OpenAI API reference (Responses: create, the response object,
// streaming events; the published OpenAPI description) and the types of the
// official Python SDK.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llm/format.hpp"

namespace llm::responses {

// request_read.cpp
Result<RequestHead> parse_head(const json::Document &document);
Result<chat::Request> parse_request(const json::Document &document,
                                    std::pmr::memory_resource *memory);

// request_write.cpp
Result<void> write_request(const chat::Request &request,
                           const WriteOptions &options, std::string &out);

// request_edit.cpp
std::vector<json::Edit> request_edits(std::string_view body,
                                      const json::Document &document,
                                      const WriteOptions &options);

// response.cpp
Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory);
void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out);

// usage.cpp
// usage.known stays false where the value is no usage object.
chat::Usage parse_usage(json::Value value);
void write_usage(json::Writer &writer, const chat::Usage &usage);

// stream_read.cpp
std::unique_ptr<StreamReader> make_reader();

// stream_write.cpp
std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context);

}  // namespace llm::responses
