// Ollama's own API: /api/embed, and the older /api/embeddings, which takes one
// text and does not bring its vector to unit length.
#include "formats/embedding/shared.hpp"

namespace llm::embedding {

namespace {

using json::Value;

constexpr Route ollama_routes[] = {
    {"/api/embed"},
    {"/api/embeddings", true},
};

constexpr std::string_view ends[] = {"/v1", "/api"};

// "options" and "keep_alive" are of no use to others and change no vector.
constexpr std::string_view known[] = {
    "model", "input", "prompt", "truncate", "dimensions",
};

class OllamaApi final : public Api {
public:
    std::string_view name() const noexcept override { return "ollama"; }

    std::span<const std::string_view> foreign_ends() const noexcept override {
        return ends;
    }

    std::span<const Route> routes() const noexcept override {
        return ollama_routes;
    }

    void append_path(const Call &call, std::string &out) const override {
        out += call.single ? "/api/embeddings" : "/api/embed";
    }

    Result<RequestHead> parse_head(const json::Document &document,
                                   const RouteMatch &route) const override {
        Value root = document.root();
        RequestHead head;
        head.model = root["model"].string();
        if (head.model.empty()) {
            return invalid_request("\"model\" must be a string, and not empty",
                                   "model");
        }
        std::string_view input = route.single ? "prompt" : "input";
        if (root[input].is_null()) {
            return invalid_request('"' + std::string(input) + "\" is missing",
                                   std::string(input));
        }
        return head;
    }

    Result<Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        Value root = document.root();
        Request request(memory);
        request.model = root["model"].string();
        bool old = root["input"].is_null();
        auto input = old ? read_input(root["prompt"], "prompt", request)
                         : read_input(root["input"], "input", request);
        if (!input) {
            return input.error();
        }
        auto dimensions = read_dimensions(root["dimensions"], "dimensions");
        if (!dimensions) {
            return dimensions.error();
        }
        request.dimensions = *dimensions;
        auto truncate = read_truncate(root["truncate"], "truncate");
        if (!truncate) {
            return truncate.error();
        }
        request.truncate = *truncate;
        keep_extra(root, known, request);
        return request;
    }

    Result<void> write_request(const Request &request,
                               const WriteOptions &options,
                               std::string &out) const override {
        if (auto texts = want_texts(request, name()); !texts) {
            return texts;
        }
        json::Writer w(out);
        w.begin_object().member("model", options.model).key("input");
        write_inputs(request, w);
        if (request.truncate) {
            w.member("truncate", *request.truncate);
        }
        if (request.dimensions) {
            w.member("dimensions", *request.dimensions);
        }
        w.end_object();
        return {};
    }

    Result<Response> parse_response(
        Value root, std::pmr::memory_resource *memory) const override {
        Response response(memory);
        response.model = root["model"].string();
        auto added = root["embeddings"]
                         ? add_vectors(root["embeddings"], response)
                         : add_vector(root["embedding"], response);
        if (!added) {
            return added.error();
        }
        set_usage(root["prompt_eval_count"], response);
        return response;
    }

    Result<void> write_response(const Response &response, const Request &,
                                bool single, const AnswerContext &context,
                                std::string &out) const override {
        json::Writer w(out);
        w.begin_object();
        if (single) {
            w.key("embedding");
            write_numbers(response.vectors.front(), w);
            w.end_object();
            return {};
        }
        w.member("model", context.request_model)
            .key("embeddings")
            .begin_array();
        for (const Vector &vector : response.vectors) {
            write_numbers(vector, w);
        }
        w.end_array()
            .member("prompt_eval_count", response.usage.prompt_tokens)
            .end_object();
        return {};
    }
};

}  // namespace

const Api &ollama_api() noexcept {
    static const OllamaApi api;
    return api;
}

}  // namespace llm::embedding
