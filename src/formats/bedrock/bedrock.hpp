// The parts of the Bedrock Converse format; format.cpp puts them together.
// Each is what the member function of llm::Format with its name promises.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>

#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::bedrock {

Result<RequestHead> parse_head(const json::Document &document,
                               const RouteMatch &route);
Result<chat::Request> parse_request(const json::Document &document,
                                    std::pmr::memory_resource *memory);
Result<void> write_request(const chat::Request &request,
                           const WriteOptions &options, std::string &out);

Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory);
void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out);

std::unique_ptr<StreamReader> make_reader();
std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context);

Error parse_error(const AnswerHead &head, std::string_view body);
// An exception in a stream: its type and its payload.
Error read_exception(std::string_view type, std::string_view payload);
void write_error(const Error &error, std::string &out);
// The exception that it becomes: "ValidationException".
std::string_view error_type(const Error &error) noexcept;
int error_status(const Error &error) noexcept;

// The three counts of the prompt are disjoint in this API.
chat::Usage read_usage(json::Value usage) noexcept;
// As a value. `estimate`: the prompt's tokens where usage is not known.
void write_usage(json::Writer &writer, const chat::Usage &usage,
                 std::int64_t estimate);

// The members of an answer that the service model demands and nobody here
// knows: how long the provider took.
void write_metrics(json::Writer &writer);

// The id of a tool call that came without one.
void append_tool_id(std::string &out, const AnswerContext &context,
                    std::size_t call);

}  // namespace llm::bedrock
