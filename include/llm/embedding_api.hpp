// Embeddings from a provider: what each API is sent for one text, and what is
// made of its answer. Sources:
//
//     openai  https://platform.openai.com/docs/api-reference/embeddings; so do
//             Azure (its v1 API), Mistral, vLLM, llama.cpp, TEI and many more
//     ollama  https://github.com/ollama/ollama/blob/main/docs/api.md
//     cohere  https://docs.cohere.com/reference/embed (v2)
//     gemini  https://ai.google.dev/api/embeddings
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

#include "llm/result.hpp"

namespace llm::embedding {

struct Api {
    std::string_view name;
    // How a key is sent: "authorization" (as "Bearer KEY") or a header's name.
    std::string_view key_header;
    // Ends of base URLs that are none of this API's, but of the provider's
    // OpenAI-compatible one, or of its version: so that chat and embeddings
    // can share a URL. At most one is cut off.
    std::span<const std::string_view> foreign_ends;
};

// nullptr where there is none of this name.
const Api *find_api(std::string_view name) noexcept;

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
    // How the openai API calls it.
    std::string_view dimensions_member = "dimensions";
};

// The path of a call: that of the base URL ("", or "/v1"), and the API's own.
std::string request_path(const Api &api, std::string_view base,
                         std::string_view model);

// Appends the body of a call: JSON.
void write_request(const Api &api, const Question &question,
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
