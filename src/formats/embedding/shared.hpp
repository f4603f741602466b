// What the embedding APIs' files share.
#pragma once

#include <string>
#include <string_view>

#include "llm/embedding_format.hpp"

namespace llm::embedding {

// APIs, one file each.
const Api &openai_api() noexcept;
const Api &mistral_api() noexcept;
const Api &voyage_api() noexcept;
const Api &nvidia_api() noexcept;
const Api &ollama_api() noexcept;
const Api &cohere_api() noexcept;
const Api &gemini_api() noexcept;
const Api &vertex_api() noexcept;
const Api &bedrock_api() noexcept;
const Api &tei_api() noexcept;

// tables.cpp: how each API calls a purpose; empty: it has no word for it.
struct PurposeWords {
    Purpose purpose;
    std::string_view cohere;
    std::string_view gemini;    // vertex, too
    std::string_view voyage;
    std::string_view nvidia;
};

const PurposeWords &purpose_words(Purpose purpose) noexcept;

// The purpose that any API calls so, in upper or lower case. nullopt: none.
std::optional<Purpose> find_purpose(std::string_view word) noexcept;

// Reading. Members of clients' bodies; an Error names the member.

// A text or null; absent: empty.
Result<std::string_view> read_text(json::Value object, std::string_view name);

// 1 or more; absent or null: none.
Result<std::optional<std::int64_t>> read_dimensions(json::Value value,
                                                    std::string_view name);

// A purpose's word, if there is one.
Result<Purpose> read_purpose(json::Value value, std::string_view name);

// A boolean, or Cohere's NONE or END (and START, which cannot be said).
Result<std::optional<bool>> read_truncate(json::Value value,
                                          std::string_view name);

// A text or a list of texts, of OpenAI's token arrays, too.
Result<void> read_input(json::Value value, std::string_view name,
                        Request &request);

// The names of the members that a reader knows.
void keep_extra(json::Value root, std::span<const std::string_view> known,
                Request &request);

// Writing.

// An Error where an input is no text.
Result<void> want_texts(const Request &request, std::string_view api);
// An Error where there are several inputs.
Result<void> want_one(const Request &request, std::string_view model);
// A list of the inputs' texts.
void write_texts(const Request &request, json::Writer &writer);
// A text, or a list where there was a list or is more than one.
void write_inputs(const Request &request, json::Writer &writer);

// A JSON array of numbers.
void write_numbers(const Vector &vector, json::Writer &writer);
// As the client wants it: an array, or a string in base64. Error: a number is
// too large for a float.
Result<void> write_vector(const Vector &vector, Encoding encoding,
                          json::Writer &writer);

// Answers.

Error wrong_answer(std::string message);
// Takes an array of numbers, or OpenAI's base64, as the next vector.
Result<void> add_vector(json::Value value, Response &response);
// Takes a list of arrays.
Result<void> add_vectors(json::Value list, Response &response);
void set_usage(json::Value tokens, Response &response);

// The model in the answer: the provider's word, or the client's.
inline std::string_view answered_model(const Response &response,
                                       const AnswerContext &context) noexcept {
    return response.model.empty() ? context.request_model : response.model;
}

}  // namespace llm::embedding
