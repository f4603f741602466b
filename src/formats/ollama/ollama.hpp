// Ollama's own API, in both directions: the parts of the two Formats that
// format.cpp puts together, one file each. /api/chat and /api/generate differ
// in their requests and in where an answer has its text; all else is one.
//
// Source: Ollama's docs/api.md, api/types.go and server/routes.go
// (github.com/ollama/ollama), and its Python package.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llm/format.hpp"

namespace llm::ollama {

enum class Api : std::uint8_t { chat, generate };

const Format &format_of(Api api) noexcept;

// request_read.cpp
Result<RequestHead> parse_head(Api api, const json::Document &document);
Result<chat::Request> parse_request(Api api, const json::Document &document,
                                    std::pmr::memory_resource *memory);

// request_write.cpp
Result<void> write_request(Api api, const chat::Request &request,
                           const WriteOptions &options, std::string &out);

// response.cpp
Result<chat::Response> parse_response(Api api, const json::Document &document,
                                      std::pmr::memory_resource *memory);
void write_response(Api api, const chat::Response &response,
                    const AnswerContext &context, std::string &out);

// stream_read.cpp
std::unique_ptr<StreamReader> make_reader(Api api);

// stream_write.cpp
std::unique_ptr<StreamWriter> make_writer(Api api,
                                          const AnswerContext &context);

// error.cpp
// The error that an answer or a line of a stream is; nothing where it is none.
std::optional<Error> find_error(int status, json::Value root);
Error parse_error(int status, std::string_view body);
// Appends {"error":"..."}.
void write_error(const Error &error, std::string &out);

// models.cpp
void write_models(std::span<const std::string_view> models, std::int64_t now,
                  std::string &out);
std::string_view parse_show(json::Value root);
void write_show(std::string_view model, std::int64_t now, std::string &out);
void write_version(std::string &out);

}  // namespace llm::ollama
