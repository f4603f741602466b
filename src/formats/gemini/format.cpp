// Google's generateContent API as a format.
#include "formats/gemini/gemini.hpp"
#include "formats/gemini/tables.hpp"
#include "llm/url.hpp"

namespace llm {

namespace {

constexpr Route gemini_routes[] = {
    {"/models/{model}:generateContent", Operation::chat},
    {"/models/{model}:streamGenerateContent", Operation::chat, true},
    {"/models", Operation::models},
    {"/models/{model}", Operation::model},
    // Of no other API, so that they need not be told by a header.
    {"/v1beta/models", Operation::models},
    {"/v1beta/models/{model}", Operation::model},
};

// The collection that a model is in, where its name does not say.
constexpr std::string_view collections[] = {"models/", "tunedModels/"};

class GeminiFormat final : public Format {
public:
    std::string_view name() const noexcept override { return "gemini"; }

    std::span<const Route> routes() const noexcept override {
        return gemini_routes;
    }

    bool recognises(const ClientHints &hints) const noexcept override {
        return hints.google_key;
    }

    std::string path(const CallPath &call) const override {
        std::string_view model = call.model;
        std::string_view collection = collections[0];
        for (std::string_view one : collections) {
            if (model.starts_with(one)) {
                collection = one;
                model.remove_prefix(one.size());
            }
        }
        std::string path = "/";
        path.append(collection);
        append_segment(path, model);
        path += call.stream ? ":streamGenerateContent?alt=sse"
                            : ":generateContent";
        return path;
    }

    std::string_view models_path() const noexcept override {
        // As many as the API gives at once.
        return "/models?pageSize=1000";
    }

    std::span<const HeaderField> headers() const noexcept override {
        return {};
    }

    std::string_view request_id_header() const noexcept override {
        return "x-request-id";
    }

    std::string_view key_header() const noexcept override {
        return "x-goog-api-key";
    }

    Result<RequestHead> parse_head(const json::Document &document,
                                   const RouteMatch &route) const override {
        return gemini::parse_head(document, route);
    }

    Result<chat::Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return gemini::parse_request(document, memory);
    }

    Result<void> write_request(const chat::Request &request,
                               const WriteOptions &options,
                               std::string &out) const override {
        return gemini::write_request(request, options, out);
    }

    std::vector<json::Edit> request_edits(
        std::string_view body, const json::Document &document,
        const WriteOptions &) const override {
        return gemini::request_edits(body, document);
    }

    Result<chat::Response> parse_response(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return gemini::parse_response(document, memory);
    }

    void write_response(const chat::Response &response,
                        const AnswerContext &context,
                        std::string &out) const override {
        gemini::write_response(response, context, out);
    }

    std::unique_ptr<wire::Framer> make_framer(
        std::size_t max_event) const override {
        return std::make_unique<wire::SseFramer>(max_event);
    }

    std::unique_ptr<StreamReader> make_reader() const override {
        return gemini::make_reader();
    }

    std::unique_ptr<StreamWriter> make_writer(
        const AnswerContext &context) const override {
        return gemini::make_writer(context);
    }

    std::string_view stream_type() const noexcept override {
        return "text/event-stream";
    }

    std::string_view client_stream_type(
        std::string_view query) const noexcept override {
        return gemini::wants_events(query) ? "text/event-stream"
                                           : "application/json";
    }

    Error parse_error(const AnswerHead &head,
                      std::string_view body) const override {
        return gemini::parse_error(head.status, body);
    }

    void write_error(const Error &error, std::string &out) const override {
        gemini::write_error(error, out);
    }

    int error_status(const Error &error) const noexcept override {
        return gemini::error_status(error);
    }

    json::Value listed_models(json::Value root) const override {
        json::Value list = root["models"];
        return list ? list : root["publisherModels"];
    }

    // "models/NAME"; on Vertex "publishers/google/models/NAME".
    std::string_view listed_name(json::Value model) const override {
        constexpr std::string_view collection = "models/";
        std::string_view name = model["name"].string();
        std::size_t at = name.rfind(collection);
        return at == name.npos ? name : name.substr(at + collection.size());
    }

    void write_models(std::span<const std::string_view> models, std::int64_t,
                      std::string &out) const override {
        json::Writer w(out);
        w.begin_object().key("models").begin_array();
        for (std::string_view model : models) {
            append_model(w, model);
        }
        w.end_array().end_object();
    }

    void write_model(std::string_view model, json::Value listed, std::int64_t,
                     std::string &out) const override {
        json::Writer w(out);
        if (listed) {
            w.raw(listed.raw());
        } else {
            append_model(w, model);
        }
    }

private:
    static void append_model(json::Writer &w, std::string_view model) {
        w.begin_object()
            .member("name", std::string_view("models/" + std::string(model)))
            .member("displayName", model)
            .key("supportedGenerationMethods").begin_array()
            .string("generateContent")
            .string("countTokens")
            .end_array().end_object();
    }
};

}  // namespace

const Format &gemini_format() noexcept {
    static const GeminiFormat format;
    return format;
}

}  // namespace llm
