// Cohere's API, version 2.
#include "formats/embedding/shared.hpp"

namespace llm::embedding {

namespace {

using json::Value;

constexpr Route cohere_routes[] = {{"/v2/embed"}};

constexpr std::string_view ends[] = {"/compatibility/v1", "/v2", "/v1"};

// "max_tokens" bounds what is cut, "priority" the wait: hints.
constexpr std::string_view known[] = {
    "model",           "texts",            "inputs",   "images",
    "input_type",      "embedding_types",  "truncate", "output_dimension",
};

// Of an input of content blocks, its text, where it is one.
Result<void> read_content(Value item, std::size_t index, Request &request) {
    Value content = item["content"];
    std::string where = "inputs[" + std::to_string(index) + "].content";
    Value block;
    for (Value first : content.elements()) {
        block = first;
        break;
    }
    if (content.size() != 1 || block["type"].string() != "text"
        || block["text"].string().empty()) {
        return unsupported("only inputs of one text are translated for other "
                           "providers",
                           std::move(where));
    }
    request.inputs.push_back({block["text"].string(), {}});
    return {};
}

Result<void> read_inputs(Value root, Request &request) {
    if (!root["images"].is_null()) {
        return unsupported("other providers are only sent texts", "images");
    }
    request.list = true;
    Value texts = root["texts"];
    if (!texts.is_null()) {
        if (!texts.is_array() || texts.size() == 0) {
            return invalid_request("\"texts\" must be a list of strings, and "
                                   "not empty",
                                   "texts");
        }
        for (Value text : texts.elements()) {
            if (text.string().empty()) {
                return invalid_request(
                    "a text must be a string, and not empty",
                    "texts[" + std::to_string(request.inputs.size()) + ']');
            }
            request.inputs.push_back({text.string(), {}});
        }
        return {};
    }
    for (Value item : root["inputs"].elements()) {
        if (auto read = read_content(item, request.inputs.size(), request);
            !read) {
            return read;
        }
    }
    if (request.inputs.empty()) {
        return invalid_request("\"texts\" is missing", "texts");
    }
    return {};
}

class CohereApi final : public Api {
public:
    std::string_view name() const noexcept override { return "cohere"; }

    std::span<const std::string_view> foreign_ends() const noexcept override {
        return ends;
    }

    std::span<const Route> routes() const noexcept override {
        return cohere_routes;
    }

    std::size_t max_inputs(std::string_view) const noexcept override {
        return 96;
    }

    void append_path(const Call &, std::string &out) const override {
        out += "/v2/embed";
    }

    Result<RequestHead> parse_head(const json::Document &document,
                                   const RouteMatch &) const override {
        Value root = document.root();
        RequestHead head;
        head.model = root["model"].string();
        if (head.model.empty()) {
            return invalid_request("\"model\" must be a string, and not empty",
                                   "model");
        }
        if (root["texts"].is_null() && root["inputs"].is_null()
            && root["images"].is_null()) {
            return invalid_request("\"texts\" is missing", "texts");
        }
        return head;
    }

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
        w.begin_object().member("model", options.model).key("texts");
        write_texts(request, w);
        // The API must be told; what is stored is what most embed.
        w.member("input_type",
                 purpose_words(request.purpose == Purpose::unset
                                   ? Purpose::document
                                   : request.purpose)
                     .cohere)
            .key("embedding_types")
            .begin_array()
            .string("float")
            .end_array();
        if (request.truncate) {
            w.member("truncate", *request.truncate ? "END" : "NONE");
        }
        if (request.dimensions) {
            w.member("output_dimension", *request.dimensions);
        }
        w.end_object();
        return {};
    }

    Result<Response> parse_response(
        Value root, std::pmr::memory_resource *memory) const override {
        Response response(memory);
        response.id = root["id"].string();
        // A client of this API may have asked for another type of numbers.
        Value lists = root["embeddings"];
        Value list = lists["float"];
        for (auto other : lists.members()) {
            if (list.is_null()) {
                list = other.value;
            }
        }
        if (auto added = add_vectors(list, response); !added) {
            return added.error();
        }
        set_usage(root["meta"]["billed_units"]["input_tokens"], response);
        return response;
    }

    Result<void> write_response(const Response &response,
                                const Request &request, bool,
                                const AnswerContext &context,
                                std::string &out) const override {
        json::Writer w(out);
        w.begin_object()
            .member("id",
                    response.id.empty() ? context.unique : response.id)
            .key("embeddings")
            .begin_object()
            .key(request.encoding == Encoding::base64 ? "base64" : "float")
            .begin_array();
        for (const Vector &vector : response.vectors) {
            if (auto written = write_vector(vector, request.encoding, w);
                !written) {
                return written;
            }
        }
        w.end_array().end_object().key("texts");
        write_texts(request, w);
        w.key("meta")
            .begin_object()
            .key("api_version")
            .begin_object()
            .member("version", "2")
            .end_object()
            .key("billed_units")
            .begin_object()
            .member("input_tokens", response.usage.prompt_tokens)
            .end_object()
            .end_object()
            .member("response_type", "embeddings_by_type")
            .end_object();
        return {};
    }
};

Result<Request> CohereApi::parse_request(
    const json::Document &document, std::pmr::memory_resource *memory) const {
    Value root = document.root();
    Request request(memory);
    request.model = root["model"].string();
    if (auto read = read_inputs(root, request); !read) {
        return read.error();
    }
    auto purpose = read_purpose(root["input_type"], "input_type");
    if (!purpose) {
        return purpose.error();
    }
    request.purpose = *purpose;
    auto truncate = read_truncate(root["truncate"], "truncate");
    if (!truncate) {
        return truncate.error();
    }
    request.truncate = *truncate;
    auto dimensions =
        read_dimensions(root["output_dimension"], "output_dimension");
    if (!dimensions) {
        return dimensions.error();
    }
    request.dimensions = *dimensions;

    Value types = root["embedding_types"];
    std::string_view type = "float";
    for (Value first : types.elements()) {
        type = first.string();
        break;
    }
    if (types.size() > 1 || (type != "float" && type != "base64")) {
        return unsupported("of other providers there is \"float\" or "
                           "\"base64\", one of them",
                           "embedding_types");
    }
    request.encoding =
        type == "base64" ? Encoding::base64 : Encoding::floats;
    keep_extra(root, known, request);
    return request;
}

}  // namespace

const Api &cohere_api() noexcept {
    static const CohereApi api;
    return api;
}

}  // namespace llm::embedding
