#include <string>

#include "llm/embedding_api.hpp"
#include "llm/json.hpp"
#include "llm/vector.hpp"

namespace llm::embedding {

namespace {

// Where an answer has its vectors.
struct Found {
    json::Value vector;
    std::size_t count = 0;      // 0: none
};

struct Row {
    Api api;
    void (*path)(std::string_view model, std::string &out);
    void (*write)(const Question &question, json::Writer &writer);
    Found (*find)(json::Value root);
};

Found first_of(json::Value list) {
    if (!list.is_array() || list.size() == 0) {
        return {};
    }
    return {*list.elements().begin(), list.size()};
}

void write_dimensions(const Question &question, std::string_view member,
                      json::Writer &writer) {
    if (question.dimensions) {
        writer.member(member, std::int64_t{question.dimensions});
    }
}

void openai_path(std::string_view, std::string &out) {
    out += "/embeddings";
}

void openai_write(const Question &question, json::Writer &writer) {
    writer.member("model", question.model).member("input", question.text);
    write_dimensions(question, question.dimensions_member, writer);
}

Found openai_find(json::Value root) {
    auto found = first_of(root["data"]);
    found.vector = found.vector["embedding"];
    return found;
}

void ollama_path(std::string_view, std::string &out) {
    out += "/api/embed";
}

void ollama_write(const Question &question, json::Writer &writer) {
    writer.member("model", question.model)
        .member("input", question.text)
        .member("truncate", false);
    write_dimensions(question, "dimensions", writer);
}

Found ollama_find(json::Value root) {
    return first_of(root["embeddings"]);
}

void cohere_path(std::string_view, std::string &out) {
    out += "/v2/embed";
}

void cohere_write(const Question &question, json::Writer &writer) {
    writer.member("model", question.model)
        .key("texts")
        .begin_array()
        .string(question.text)
        .end_array()
        .member("input_type", "clustering")
        .key("embedding_types")
        .begin_array()
        .string("float")
        .end_array()
        .member("truncate", "NONE");
    write_dimensions(question, "output_dimension", writer);
}

Found cohere_find(json::Value root) {
    return first_of(root["embeddings"]["float"]);
}

// "gemini-embedding-001" and "models/gemini-embedding-001" are the same.
std::string_view gemini_model(std::string_view model) {
    constexpr std::string_view collection = "models/";
    if (model.starts_with(collection)) {
        model.remove_prefix(collection.size());
    }
    return model;
}

// RFC 3986, 2.3: all but the unreserved are written as %XX.
void append_segment(std::string &out, std::string_view text) {
    constexpr char digits[] = "0123456789ABCDEF";
    for (unsigned char c : text) {
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                     c == '_' || c == '~';
        if (plain) {
            out += static_cast<char>(c);
        } else {
            out += {'%', digits[c >> 4], digits[c & 15]};
        }
    }
}

void gemini_path(std::string_view model, std::string &out) {
    out += "/models/";
    append_segment(out, gemini_model(model));
    out += ":embedContent";
}

void gemini_write(const Question &question, json::Writer &writer) {
    writer
        .member("model", "models/" + std::string(gemini_model(question.model)))
        .key("content")
        .begin_object()
        .key("parts")
        .begin_array()
        .begin_object()
        .member("text", question.text)
        .end_object()
        .end_array()
        .end_object()
        .member("taskType", "SEMANTIC_SIMILARITY");
    write_dimensions(question, "outputDimensionality", writer);
}

Found gemini_find(json::Value root) {
    auto vector = root["embedding"]["values"];
    return {vector, vector ? std::size_t{1} : 0};
}

constexpr std::string_view ollama_ends[] = {"/v1", "/api"};
constexpr std::string_view cohere_ends[] = {"/compatibility/v1", "/v2", "/v1"};
constexpr std::string_view gemini_ends[] = {"/openai"};

constexpr Row rows[] = {
    {{"openai", "authorization", {}},
     openai_path, openai_write, openai_find},
    {{"ollama", "authorization", ollama_ends},
     ollama_path, ollama_write, ollama_find},
    {{"cohere", "authorization", cohere_ends},
     cohere_path, cohere_write, cohere_find},
    {{"gemini", "x-goog-api-key", gemini_ends},
     gemini_path, gemini_write, gemini_find},
};

// Every Api that a caller can have is that of a row.
const Row &row_of(const Api &api) noexcept {
    for (const auto &row : rows) {
        if (row.api.name == api.name) {
            return row;
        }
    }
    return rows[0];
}

Error wrong(std::string message) {
    Error error;
    error.kind = ErrorKind::bad_gateway;
    error.message = std::move(message);
    return error;
}

}  // namespace

const Api *find_api(std::string_view name) noexcept {
    for (const auto &row : rows) {
        if (row.api.name == name) {
            return &row.api;
        }
    }
    return nullptr;
}

std::string request_path(const Api &api, std::string_view base,
                         std::string_view model) {
    for (auto end : api.foreign_ends) {
        if (base.ends_with(end)) {
            base.remove_suffix(end.size());
            break;
        }
    }
    std::string path(base);
    row_of(api).path(model, path);
    return path;
}

void write_request(const Api &api, const Question &question,
                   std::string &out) {
    json::Writer writer(out);
    writer.begin_object();
    row_of(api).write(question, writer);
    writer.end_object();
}

std::size_t max_answer(std::size_t dimensions) noexcept {
    // Beside the vector: usage, Cohere's copy of the text, Azure's comments.
    constexpr std::size_t others = 256 * 1024;
    constexpr std::size_t number = 64;
    return others + dimensions * number;
}

Result<void> read_answer(const Api &api, std::string_view body,
                         std::span<float> out) {
    json::Document document;
    if (auto parsed = document.parse(body); !parsed) {
        return wrong("the answer is not JSON");
    }
    auto found = row_of(api).find(document.root());
    if (found.count > 1) {
        return wrong("the answer has " + std::to_string(found.count) +
                     " embeddings for one text");
    }
    if (found.count == 0 || !found.vector.is_array()) {
        return wrong("the answer has no embedding");
    }
    if (found.vector.size() != out.size()) {
        return wrong("the embedding has " +
                     std::to_string(found.vector.size()) +
                     " dimensions, not " + std::to_string(out.size()));
    }
    std::size_t index = 0;
    for (auto component : found.vector.elements()) {
        auto number = component.number();
        if (!number) {
            return wrong("component " + std::to_string(index) +
                         " of the embedding is no number");
        }
        out[index++] = static_cast<float>(*number);
    }
    if (!vector::normalise(out, out)) {
        return wrong("the embedding is zero or not finite");
    }
    return {};
}

}  // namespace llm::embedding
