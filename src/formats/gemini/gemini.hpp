// The parts of Google's generateContent format; format.cpp puts them together.
// Each is what the member function of llm::Format with its name promises.
//
// Sources: the Gemini API reference (generateContent, streamGenerateContent,
// Schema, errors), its guides on thinking and thought signatures, the Vertex
// AI reference where it differs, and the types of the official Python SDK,
// google-genai.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::gemini {

// The member of an object by its name in camel case. Requests may spell names
// in snake case as well, as protocol buffers in JSON always can.
bool is_named(std::string_view name, std::string_view camel) noexcept;
json::Value field(json::Value object, std::string_view camel) noexcept;

// JSON that had to be made, parsed in memory of the resource, which must free
// everything at once: nobody destroys the document.
json::Value arena_json(std::pmr::memory_resource *memory,
                       std::string_view json);

Result<RequestHead> parse_head(const json::Document &document,
                               const RouteMatch &route);
Result<chat::Request> parse_request(const json::Document &document,
                                    std::pmr::memory_resource *memory);
Result<void> write_request(const chat::Request &request,
                           const WriteOptions &options, std::string &out);

std::vector<json::Edit> request_edits(std::string_view body,
                                      const json::Document &document);

Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory);
void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out);

std::unique_ptr<StreamReader> make_reader();
std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context);
// Whether a client with this query gets its stream as events, "alt=sse": else
// it is one JSON array.
bool wants_events(std::string_view query) noexcept;

Error parse_error(int status, std::string_view body);
// The object in the "error" of an answer or an event; `status` is 0 in a
// stream.
Error read_error(json::Value error, int status);
void write_error(const Error &error, std::string &out);
int error_status(const Error &error) noexcept;

// usage.known stays false where the value is no usageMetadata.
chat::Usage parse_usage(json::Value value) noexcept;
void write_usage(json::Writer &writer, const chat::Usage &usage);

// What writers of answers have in common.

// As a value: the arguments of a call, which are an object here, on one line.
void write_args(json::Writer &writer, std::string_view arguments, bool custom);
// A whole part: a call; thoughts with their foreign proof; thoughts that
// another provider has encrypted.
void write_call(json::Writer &writer, const chat::Part &call);
void write_thought(json::Writer &writer, std::string_view text,
                   std::string_view signature);
void write_redacted(json::Writer &writer, std::string_view data);
void write_inline_data(json::Writer &writer, std::string_view media_type,
                       std::string_view data);
// OpenAI's logprobs object, and ours.
void write_openai_logprobs(json::Writer &writer, json::Value result);
void write_logprobs(json::Writer &writer, json::Value openai);

}  // namespace llm::gemini
