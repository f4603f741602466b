#include <algorithm>

#include "llm/embedding_api.hpp"

namespace llm::embedding {

namespace {

// From the makers' own pages:
//   OpenAI    https://platform.openai.com/docs/guides/embeddings
//   Cohere    https://docs.cohere.com/docs/cohere-embed
//   Google    https://ai.google.dev/gemini-api/docs/embeddings
//   Mistral   https://docs.mistral.ai/capabilities/embeddings/overview
//   others    the models' cards on https://huggingface.co, "dim" or
//             "hidden_size" in their config.json
constexpr KnownModel table[] = {
    {"text-embedding-3-small", 1536, "dimensions"},
    {"text-embedding-3-large", 3072, "dimensions"},
    {"text-embedding-ada-002", 1536, {}},

    {"embed-v4.0", 1536, "dimensions"},
    {"embed-english-v3.0", 1024, {}},
    {"embed-multilingual-v3.0", 1024, {}},
    {"embed-english-light-v3.0", 384, {}},
    {"embed-multilingual-light-v3.0", 384, {}},

    {"gemini-embedding-001", 3072, "dimensions"},

    {"mistral-embed", 1024, {}},
    {"codestral-embed", 1536, "output_dimension"},

    {"all-minilm", 384, {}},
    {"all-minilm-l6-v2", 384, {}},
    {"all-minilm-l12-v2", 384, {}},
    {"all-mpnet-base-v2", 768, {}},
    {"paraphrase-multilingual-minilm-l12-v2", 384, {}},
    {"nomic-embed-text", 768, {}},
    {"nomic-embed-text-v1.5", 768, {}},
    {"mxbai-embed-large", 1024, {}},
    {"mxbai-embed-large-v1", 1024, {}},
    {"bge-small-en-v1.5", 384, {}},
    {"bge-base-en-v1.5", 768, {}},
    {"bge-large-en-v1.5", 1024, {}},
    {"bge-m3", 1024, {}},
    {"multilingual-e5-small", 384, {}},
    {"multilingual-e5-base", 768, {}},
    {"multilingual-e5-large", 1024, {}},
};

bool equal(std::string_view name, std::string_view lower) noexcept {
    return std::equal(name.begin(), name.end(), lower.begin(), lower.end(),
                      [](char a, char b) {
                          return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) ==
                                 b;
                      });
}

}  // namespace

const KnownModel *find_model(std::string_view name) noexcept {
    if (auto slash = name.rfind('/'); slash != name.npos) {
        name.remove_prefix(slash + 1);
    }
    name = name.substr(0, name.find(':'));
    for (const auto &model : table) {
        if (equal(name, model.name)) {
            return &model;
        }
    }
    return nullptr;
}

}  // namespace llm::embedding
