// OpenAI's chat completions, in both directions: the parts of the Format that
// formats/openai/format.cpp puts together, one file each.
//
// Sources: the OpenAI API reference (chat completions: request, response,
// chunk, errors; the published OpenAPI description), and for what compatible
// servers do differently the tables in tables.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/format.hpp"

namespace llm::openai {

// format.cpp
// The path of one of OpenAI's APIs ("/chat/completions"), also on Azure, whose
// older paths name the deployment (Azure OpenAI REST API reference).
std::string path(const CallPath &call, std::string_view api);
inline constexpr std::string_view models_path = "/models";
void write_models(std::span<const std::string_view> models, std::int64_t now,
                  std::string &out);

// request_read.cpp
Result<RequestHead> parse_head(const json::Document &document);
Result<chat::Request> parse_request(const json::Document &document,
                                    std::pmr::memory_resource *memory);

// request_write.cpp
Result<void> write_request(const chat::Request &request,
                           const WriteOptions &options, std::string &out);
std::vector<json::Edit> request_edits(std::string_view body,
                                      const json::Document &document,
                                      const WriteOptions &options);

// quirks.cpp
// Appends the edits that make a body of OpenAI's API one that the server with
// these quirks takes: neither sorted, nor with those of "model" and
// "stream_options". `text` is the body of which `root` is the tree.
void add_quirk_edits(std::string_view text, json::Value root,
                     const Quirks &quirks, std::vector<json::Edit> &edits);
// Whether a body that write_request() has made can need any.
bool rewrites(const Quirks &quirks) noexcept;

// response.cpp
Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory);
void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out);

// usage.cpp
// usage.known stays false where the value is no usage object.
chat::Usage parse_usage(json::Value value);
// The usage of an answer or a chunk, wherever servers put it.
json::Value find_usage(json::Value root);
void write_usage(json::Writer &writer, const chat::Usage &usage);

// stream_read.cpp
std::unique_ptr<StreamReader> make_reader();
// A chunk, `root`, as a client gets it that did not ask for usage.
Relay hide_usage(const wire::Frame &frame, json::Value root,
                 std::string &edited);

// stream_write.cpp
std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context);

// error.cpp
// The error that a body of JSON or an event of a stream holds; nothing where
// it holds none. `status` as in Format::parse_error, or 0 inside a stream.
std::optional<Error> find_error(int status, json::Value root);
Error parse_error(int status, std::string_view body);
// Appends {"error":{...}}.
void write_error(const Error &error, std::string &out);
int error_status(const Error &error) noexcept;

}  // namespace llm::openai
