// Google's APIs: Gemini's embedContent (one text) and batchEmbedContents, and
// Vertex AI's predict.
#include "formats/embedding/shared.hpp"
#include "llm/url.hpp"

namespace llm::embedding {

namespace {

using json::Value;

constexpr Route gemini_routes[] = {
    {"/models/{model}:embedContent", true},
    {"/models/{model}:batchEmbedContents"},
};

constexpr std::string_view ends[] = {"/openai"};

constexpr std::string_view known[] = {
    "model", "content", "requests", "taskType", "task_type", "title",
    "outputDimensionality", "output_dimensionality",
};

// "gemini-embedding-001" and "models/gemini-embedding-001" are the same.
std::string_view bare_model(std::string_view model) {
    constexpr std::string_view collection = "models/";
    if (model.starts_with(collection)) {
        model.remove_prefix(collection.size());
    }
    return model;
}

// Members in JSON's spelling or in that of protocol buffers: both are valid.
Value either(Value object, std::string_view name, std::string_view other) {
    Value value = object[name];
    return value ? value : object[other];
}

// What one text is asked with.
struct Entry {
    Purpose purpose = Purpose::unset;
    std::string_view title;
    std::optional<std::int64_t> dimensions;

    bool operator==(const Entry &) const = default;
};

Result<Entry> read_entry(Value object) {
    Entry entry;
    auto purpose =
        read_purpose(either(object, "taskType", "task_type"), "taskType");
    if (!purpose) {
        return purpose.error();
    }
    entry.purpose = *purpose;
    auto title = read_text(object, "title");
    if (!title) {
        return title.error();
    }
    entry.title = *title;
    auto dimensions = read_dimensions(
        either(object, "outputDimensionality", "output_dimensionality"),
        "outputDimensionality");
    if (!dimensions) {
        return dimensions.error();
    }
    entry.dimensions = *dimensions;
    return entry;
}

Result<std::string_view> read_content(Value content, std::string param) {
    Value parts = content["parts"];
    Value part = parts;     // one part may stand without its list
    for (Value first : parts.elements()) {
        part = first;
        break;
    }
    if (parts.is_array() && parts.size() != 1) {
        return unsupported("only contents of one text are translated for "
                           "other providers",
                           std::move(param));
    }
    if (part["text"].string().empty()) {
        if (part.size() > 0 && !part["text"]) {
            return unsupported("only texts are translated for other providers",
                               std::move(param));
        }
        return invalid_request("an empty text has no embedding",
                               std::move(param));
    }
    return part["text"].string();
}

void write_entry(const Request &request, std::string_view text,
                 std::string_view model, json::Writer &w) {
    w.begin_object()
        .member("model", "models/" + std::string(bare_model(model)))
        .key("content")
        .begin_object()
        .key("parts")
        .begin_array()
        .begin_object()
        .member("text", text)
        .end_object()
        .end_array()
        .end_object();
    if (auto word = purpose_words(request.purpose).gemini; !word.empty()) {
        w.member("taskType", word);
    }
    if (!request.title.empty()) {
        w.member("title", request.title);
    }
    if (request.dimensions) {
        w.member("outputDimensionality", *request.dimensions);
    }
    w.end_object();
}

class GeminiApi final : public Api {
public:
    std::string_view name() const noexcept override { return "gemini"; }

    std::string_view key_header() const noexcept override {
        return "x-goog-api-key";
    }

    std::span<const std::string_view> foreign_ends() const noexcept override {
        return ends;
    }

    std::span<const Route> routes() const noexcept override {
        return gemini_routes;
    }

    std::size_t max_inputs(std::string_view) const noexcept override {
        return 100;
    }

    bool is_single(const Request &request) const noexcept override {
        return request.inputs.size() == 1 && !request.list;
    }

    void append_path(const Call &call, std::string &out) const override {
        out += "/models/";
        append_segment(out, bare_model(call.model));
        out += call.single ? ":embedContent" : ":batchEmbedContents";
    }

    Result<RequestHead> parse_head(const json::Document &document,
                                   const RouteMatch &route) const override;

    Result<Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override;

    Result<void> write_request(const Request &request,
                               const WriteOptions &options,
                               std::string &out) const override {
        if (auto texts = want_texts(request, name()); !texts) {
            return texts;
        }
        json::Writer w(out);
        if (is_single(request)) {
            write_entry(request, request.inputs.front().text, options.model,
                        w);
            return {};
        }
        w.begin_object().key("requests").begin_array();
        for (const Input &input : request.inputs) {
            write_entry(request, input.text, options.model, w);
        }
        w.end_array().end_object();
        return {};
    }

    std::vector<json::Edit> request_edits(
        std::string_view body, Value root,
        const WriteOptions &options) const override;

    Result<Response> parse_response(
        Value root, std::pmr::memory_resource *memory) const override {
        Response response(memory);
        if (Value one = root["embedding"]) {
            if (auto added = add_vector(one["values"], response); !added) {
                return added.error();
            }
        }
        Value list = root["embeddings"];
        for (Value item : list.elements()) {
            if (auto added = add_vector(item["values"], response); !added) {
                return added.error();
            }
        }
        if (response.vectors.size() != list.size() + (root["embedding"] ? 1 : 0)
            || response.vectors.empty()) {
            return wrong_answer("the answer has no embedding");
        }
        set_usage(root["usageMetadata"]["promptTokenCount"], response);
        return response;
    }

    Result<void> write_response(const Response &response, const Request &,
                                bool single, const AnswerContext &,
                                std::string &out) const override {
        json::Writer w(out);
        auto write = [&](const Vector &vector) {
            w.begin_object().key("values");
            write_numbers(vector, w);
            w.end_object();
        };
        w.begin_object();
        if (single) {
            w.key("embedding");
            write(response.vectors.front());
        } else {
            w.key("embeddings").begin_array();
            for (const Vector &vector : response.vectors) {
                write(vector);
            }
            w.end_array();
        }
        w.key("usageMetadata")
            .begin_object()
            .member("promptTokenCount", response.usage.prompt_tokens)
            .end_object()
            .end_object();
        return {};
    }
};

Result<RequestHead> GeminiApi::parse_head(const json::Document &document,
                                          const RouteMatch &route) const {
    Value root = document.root();
    RequestHead head;
    head.model = bare_model(route.model);

    // Whoever routes by the path must not be told otherwise in the body.
    auto differs = [&](Value object) {
        Value model = object["model"];
        return !model.is_null() && bare_model(model.string()) != head.model;
    };
    bool other = differs(root);
    for (Value item : root["requests"].elements()) {
        other = other || differs(item);
    }
    if (other) {
        return invalid_request("the \"model\" of the body is not that of the "
                               "path",
                               "model");
    }
    std::string_view input = route.single ? "content" : "requests";
    if (root[input].is_null()) {
        return invalid_request('"' + std::string(input) + "\" is missing",
                               std::string(input));
    }
    return head;
}

Result<Request> GeminiApi::parse_request(
    const json::Document &document, std::pmr::memory_resource *memory) const {
    Value root = document.root();
    Request request(memory);

    Value list = root["requests"];
    if (list.is_null()) {
        auto entry = read_entry(root);
        if (!entry) {
            return entry.error();
        }
        auto text = read_content(root["content"], "content");
        if (!text) {
            return text.error();
        }
        request.inputs.push_back({*text, {}});
        request.purpose = entry->purpose;
        request.title = entry->title;
        request.dimensions = entry->dimensions;
        keep_extra(root, known, request);
        return request;
    }

    request.list = true;
    std::optional<Entry> first;
    for (Value item : list.elements()) {
        std::string where =
            "requests[" + std::to_string(request.inputs.size()) + ']';
        auto entry = read_entry(item);
        if (!entry) {
            return entry.error();
        }
        if (first && !(*entry == *first)) {
            return unsupported("other providers are asked for all texts in "
                               "the same way: taskType, title and "
                               "outputDimensionality must not differ",
                               std::move(where));
        }
        first = *entry;
        auto text = read_content(item["content"], where + ".content");
        if (!text) {
            return text.error();
        }
        request.inputs.push_back({*text, {}});
    }
    if (!first) {
        return invalid_request("\"requests\" must be a list, and not empty",
                               "requests");
    }
    request.purpose = first->purpose;
    request.title = first->title;
    request.dimensions = first->dimensions;
    keep_extra(root, known, request);
    return request;
}

std::vector<json::Edit> GeminiApi::request_edits(
    std::string_view body, Value root, const WriteOptions &options) const {
    std::vector<json::Edit> edits;
    std::string name;
    json::append_string(name,
                        "models/" + std::string(bare_model(options.model)));
    // The path names the model; what the body says must not differ.
    auto rename = [&](Value object) {
        Value model = object["model"];
        if (!model.is_null()
            && bare_model(model.string()) != bare_model(options.model)) {
            edits.push_back(json::set_member(body, object, "model", name));
        }
    };
    for (auto member : root.members()) {
        if (member.name == "model") {
            rename(root);
        } else if (member.name == "requests") {
            for (Value item : member.value.elements()) {
                rename(item);
            }
        }
    }
    return edits;
}

// Vertex AI's text embeddings; only as a provider.
class VertexApi final : public Api {
public:
    std::string_view name() const noexcept override { return "vertex"; }

    std::size_t max_inputs(std::string_view model) const noexcept override {
        return bare_model(model).starts_with("gemini-embedding") ? 1 : 250;
    }

    void append_path(const Call &call, std::string &out) const override {
        out += "/models/";
        append_segment(out, bare_model(call.model));
        out += ":predict";
    }

    Result<void> write_request(const Request &request,
                               const WriteOptions &,
                               std::string &out) const override {
        if (auto texts = want_texts(request, name()); !texts) {
            return texts;
        }
        json::Writer w(out);
        w.begin_object().key("instances").begin_array();
        for (const Input &input : request.inputs) {
            w.begin_object().member("content", input.text);
            if (auto word = purpose_words(request.purpose).gemini;
                !word.empty()) {
                w.member("task_type", word);
            }
            if (!request.title.empty()) {
                w.member("title", request.title);
            }
            w.end_object();
        }
        w.end_array();
        if (request.dimensions || request.truncate) {
            w.key("parameters").begin_object();
            if (request.truncate) {
                w.member("autoTruncate", *request.truncate);
            }
            if (request.dimensions) {
                w.member("outputDimensionality", *request.dimensions);
            }
            w.end_object();
        }
        w.end_object();
        return {};
    }

    Result<Response> parse_response(
        Value root, std::pmr::memory_resource *memory) const override {
        Response response(memory);
        Value list = root["predictions"];
        for (Value item : list.elements()) {
            Value embeddings = item["embeddings"];
            if (auto added = add_vector(embeddings["values"], response);
                !added) {
                return added.error();
            }
            set_usage(embeddings["statistics"]["token_count"], response);
        }
        if (response.vectors.empty()
            || response.vectors.size() != list.size()) {
            return wrong_answer("the answer has no embedding");
        }
        return response;
    }
};

}  // namespace

const Api &gemini_api() noexcept {
    static const GeminiApi api;
    return api;
}

const Api &vertex_api() noexcept {
    static const VertexApi api;
    return api;
}

}  // namespace llm::embedding
