// An embedding API is one wire format of embeddings, in both directions, as a
// Format is of chats: any client's calls can be served by any provider. The
// gateway's own calls for vectors (llm/embedding_api.hpp) use the same halves.
//
// Sources:
//
//     openai  https://platform.openai.com/docs/api-reference/embeddings; so do
//             Azure, vLLM, llama.cpp, TEI and many more
//     mistral https://docs.mistral.ai/api/endpoint/embeddings
//     voyage  https://docs.voyageai.com/reference/embeddings-api
//     nvidia  https://docs.nvidia.com/nim/nemo-retriever/text-embedding,
//             Reference
//     ollama  https://github.com/ollama/ollama/blob/main/docs/api.md
//     cohere  https://docs.cohere.com/reference/embed (v2)
//     gemini  https://ai.google.dev/api/embeddings
//     vertex  https://docs.cloud.google.com/vertex-ai/generative-ai/docs/
//             model-reference/text-embeddings-api (predict)
//     bedrock https://docs.aws.amazon.com/bedrock/latest/userguide/
//             model-parameters-titan-embed-text.html and -embed.html
//             (Cohere), by InvokeModel
//     tei     https://huggingface.github.io/text-embeddings-inference
//
// To add one: a file in src/formats/embedding/, and a row in its registry.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::embedding {

template <typename T>
using List = std::pmr::vector<T>;

// What the vectors are for. APIs that ask are told; others have one kind.
enum class Purpose : std::uint8_t {
    unset,
    query,          // texts to search with
    document,       // texts to be found
    similarity,
    classification,
    clustering,
    question_answering,
    fact_verification,
    code_query,
};

struct Input {
    std::string_view text;      // UTF-8
    json::Value tokens;         // instead of it: an array of tokens' numbers
};

enum class Encoding : std::uint8_t {
    floats,         // JSON numbers
    base64,         // of 32-bit floats, little endian
};

// The normalised call. Views are into the client's body or its Document.
struct Request {
    explicit Request(std::pmr::memory_resource *memory)
        : inputs(memory), extra(memory) {}

    std::string_view model;
    List<Input> inputs;             // one at least
    bool list = false;              // the client gave a list, maybe of one
    std::optional<std::int64_t> dimensions;
    Encoding encoding = Encoding::floats;   // that the client wants
    Purpose purpose = Purpose::unset;
    std::string_view title;         // of a document
    // A text that is too long for its model: true: may be cut at its end,
    // false: is an error. Unset: as the provider does.
    std::optional<bool> truncate;
    std::string_view user;
    // Members that no field above stands for; passed on within a family.
    List<json::Member> extra;
};

// One vector: as the provider wrote it, or made of floats.
struct Vector {
    explicit Vector(std::pmr::memory_resource *memory) : floats(memory) {}

    json::Value numbers;            // an array of numbers, digits kept
    List<float> floats;             // where `numbers` is absent
};

struct Response {
    explicit Response(std::pmr::memory_resource *memory) : vectors(memory) {}

    std::string_view id;
    std::string_view model;         // what the provider says it was
    List<Vector> vectors;           // in the order of the inputs
    chat::Usage usage;              // prompt_tokens alone
};

struct WriteOptions {
    std::string_view model;         // the name that the provider knows
    bool drop_unsupported = false;  // as llm::WriteOptions
    // How dimensions are called, in APIs of OpenAI's family; empty: as usual.
    std::string_view dimensions_member = {};
};

// One way into an API: how a client's path ends.
struct Route {
    std::string_view pattern;       // as llm::Route
    bool single = false;            // takes one text, not a list
};

// What a path is made of.
struct Call {
    std::string_view model;         // the name that the provider knows
    bool single = false;            // one text, for APIs with a path for that
    Quirks quirks{};
};

class Api {
public:
    virtual ~Api() = default;

    virtual std::string_view name() const noexcept = 0;
    // APIs of one family take each other's bodies, but for the few members
    // that request_edits() changes, and answer alike.
    virtual std::string_view family() const noexcept { return name(); }

    // How a key is sent: "authorization" (as "Bearer KEY") or a header's name.
    virtual std::string_view key_header() const noexcept {
        return "authorization";
    }

    // Ends of base URLs that are none of this API's, but of the provider's
    // OpenAI-compatible one, or of its version: so that chat and embeddings
    // can share a URL. At most one is cut off.
    virtual std::span<const std::string_view> foreign_ends() const noexcept {
        return {};
    }

    // Appends the path of a call; the model is percent-encoded where it is
    // part of it.
    virtual void append_path(const Call &call, std::string &out) const = 0;

    // How many texts one call to this model takes; 0: no less than a client
    // would send.
    virtual std::size_t max_inputs(std::string_view) const noexcept {
        return 0;
    }

    // Whether so many texts go to the path for one of them.
    virtual bool is_single(const Request &) const noexcept { return false; }

    // Ways in; none: no client speaks this API to the gateway.
    virtual std::span<const Route> routes() const noexcept { return {}; }

    // As Format::parse_head().
    virtual Result<RequestHead> parse_head(const json::Document &document,
                                           const RouteMatch &route) const;

    // The client's body; the model of the path is the caller's to add.
    virtual Result<Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const;

    // Appends the body of a call. What cannot be said is an Error, or left
    // out with drop_unsupported.
    virtual Result<void> write_request(const Request &request,
                                       const WriteOptions &options,
                                       std::string &out) const = 0;

    // For a call that stays in its family: as Format::request_edits().
    virtual std::vector<json::Edit> request_edits(
        std::string_view body, json::Value root,
        const WriteOptions &options) const;

    // The body of a good answer; best parsed with pack_numbers. An Error
    // quotes nothing of it.
    virtual Result<Response> parse_response(
        json::Value root, std::pmr::memory_resource *memory) const = 0;

    // Appends the answer to a client of this API, whose call was `request`
    // and came by a route that is `single` or not. Error: the provider's
    // vectors cannot be said so.
    virtual Result<void> write_response(const Response &response,
                                const Request &request, bool single,
                                const AnswerContext &context,
                                std::string &out) const;
};

std::span<const Api *const> apis() noexcept;

// nullptr where there is none of this name.
const Api *find_api(std::string_view name) noexcept;

// The path of a call: that of the base URL ("", or "/v1"), without an end that
// is foreign to the API, and the API's own.
std::string request_path(const Api &api, std::string_view base,
                         const Call &call);

// The components of a vector that a provider gave. False: one is no number.
bool read_floats(const Vector &vector, std::vector<float> &out);

// A call for some of a request's inputs, with all else that it says. In the
// same document.
Request part_of(const Request &request, std::size_t first, std::size_t count,
                std::pmr::memory_resource *memory);

// A guess at the tokens of a request's inputs; exact where they are tokens.
std::int64_t estimate_tokens(const Request &request,
                             std::string_view model) noexcept;

}  // namespace llm::embedding
