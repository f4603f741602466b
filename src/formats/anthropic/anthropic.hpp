// The parts of the Anthropic Messages format; format.cpp puts them together.
// Each is what the member function of llm::Format with its name promises.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::anthropic {

Result<RequestHead> parse_head(const json::Document &document);
Result<chat::Request> parse_request(const json::Document &document,
                                    std::pmr::memory_resource *memory);
Result<void> write_request(const chat::Request &request,
                           const WriteOptions &options, std::string &out);

std::vector<json::Edit> request_edits(std::string_view body,
                                      const json::Document &document,
                                      const WriteOptions &options);

// The array "anthropic_beta": the features that `listed` has, separated by
// commas, and those of the body's own array, each once. Empty: there are none.
std::string beta_features(std::string_view listed, json::Value in_body);

Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory);
void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out);

std::unique_ptr<StreamReader> make_reader();
std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context);

Error parse_error(int status, std::string_view body);
// The error object of an error answer or event, {"type","message"}; `status`
// is 0 in a stream.
Error read_error(json::Value error, int status);
void write_error(const Error &error, std::string &out);
int error_status(const Error &error) noexcept;

// Usage as this API counts it: the three counts of the prompt are disjoint.
// In a stream each event replaces the members that it names, and no other.
class UsageCounts {
public:
    void update(json::Value usage) noexcept;
    // In OpenAI's sense: cached and cache_write are parts of the prompt.
    chat::Usage usage() const noexcept;

private:
    std::optional<std::int64_t> input_;
    std::optional<std::int64_t> cache_read_;
    std::optional<std::int64_t> cache_write_;
    std::optional<std::int64_t> output_;
    std::optional<std::int64_t> thinking_;
};

// Appends a usage object. `estimate`: the prompt's tokens where usage is not
// known.
void write_usage(json::Writer &writer, const chat::Usage &usage,
                 std::int64_t estimate);

// The id of an answer: the provider's own if it looks like one of this API's,
// else one made of the context's unique part.
void append_message_id(std::string &out, std::string_view id,
                       const AnswerContext &context);
// The id of a tool call that came without one.
void append_tool_id(std::string &out, const AnswerContext &context,
                    std::size_t call);

// Appends `schema` in the subset that this API holds a model to: keywords that
// it refuses are left out, objects are closed ("additionalProperties":false),
// "oneOf" is "anyOf". Source: Anthropic API docs, structured outputs.
void write_strict_schema(json::Writer &writer, json::Value schema);

// Whether every object in it is closed and all its properties are required,
// which OpenAI demands of a strict schema. Source: OpenAI docs, structured
// outputs.
bool is_strict_schema(json::Value schema) noexcept;

// Appends `schema` as a tool's input_schema, which must say "type":"object".
void write_input_schema(json::Writer &writer, json::Value schema);

}  // namespace llm::anthropic
