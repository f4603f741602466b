// Embeddings for the gateway itself: one text's vector from a provider, in any
// embedding API (llm/embedding_format.hpp).
//
// Texts that are compared are of one kind, so where an API asks what a text is
// for, it is told the use that treats both sides alike: Cohere's input_type is
// "clustering", Gemini's taskType "SEMANTIC_SIMILARITY". Where an API can be
// told so, a text that is too long for its model is an error and not cut: two
// texts that begin alike are not the same text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "llm/embedding_format.hpp"
#include "llm/result.hpp"

namespace llm::embedding {

// What is known of a model.
struct KnownModel {
    std::string_view name;
    std::uint32_t dimensions;   // where no others are asked for
    // How others are asked for in the openai API; empty: they cannot be.
    std::string_view member;
};

// By its name, upper or lower case, with or without its maker ("BAAI/bge-m3")
// and a tag ("bge-m3:latest"). nullptr: unknown.
const KnownModel *find_model(std::string_view name) noexcept;

struct Question {
    std::string_view model;
    std::string_view text;      // UTF-8; other bytes are replaced by U+FFFD
    // Asked for; 0: not mentioned.
    std::uint32_t dimensions = 0;
    // As WriteOptions::dimensions_member.
    std::string_view dimensions_member = {};
};

// The path of a question: as request_path() of one text.
std::string question_path(const Api &api, std::string_view base,
                          std::string_view model);

// Appends the body of a question: JSON.
void write_question(const Api &api, const Question &question,
                    std::string &out);

// The longest answer that makes sense, in bytes, for a vector of so many
// dimensions: numbers written long, one to a line.
std::size_t max_answer(std::size_t dimensions) noexcept;

// Reads the vector out of the body of a good answer (200), and brings it to
// unit length. An error says what is wrong and quotes nothing of the answer;
// `out` is undefined then.
Result<void> read_answer(const Api &api, std::string_view body,
                         std::span<float> out);

}  // namespace llm::embedding
