// Cohere's chat API, version 2, in both directions: the parts of the Format
// that format.cpp puts together, one file each.
//
// Source: Cohere's API reference ("Chat", v2) and its Python package's types.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llm/format.hpp"

namespace llm::cohere {

// request_read.cpp
Result<RequestHead> parse_head(const json::Document &document);
Result<chat::Request> parse_request(const json::Document &document,
                                    std::pmr::memory_resource *memory);

// request_write.cpp
Result<void> write_request(const chat::Request &request,
                           const WriteOptions &options, std::string &out);

// response.cpp
Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory);
void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out);

// usage.cpp
// usage.known stays false where the value is no usage object.
chat::Usage read_usage(json::Value value);
void write_usage(json::Writer &w, const chat::Usage &usage);

// stream_read.cpp
std::unique_ptr<StreamReader> make_reader();

// stream_write.cpp
std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context);

// error.cpp
// The error that an answer or an event is; nothing where it is none.
std::optional<Error> find_error(int status, json::Value root);
Error parse_error(int status, std::string_view body);
// Appends {"message":"..."}.
void write_error(const Error &error, std::string &out);
// What a provider says of an answer that it did not finish.
Error incomplete_answer(std::string_view reason);

// models.cpp
void write_model(json::Writer &w, std::string_view model);
void write_models(std::span<const std::string_view> models, std::string &out);

}  // namespace llm::cohere
