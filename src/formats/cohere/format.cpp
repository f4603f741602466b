#include "formats/cohere/cohere.hpp"
#include "formats/openai/openai.hpp"

namespace llm {

namespace {

// Its "/v1/models" is OpenAI's path, too: only its SDKs are answered so.
constexpr Route cohere_routes[] = {
    {"/v2/chat", Operation::chat},
    {"/models", Operation::models},
    {"/models/{model}", Operation::model},
};

constexpr std::string_view passed_on[] = {"x-client-name"};

class CohereFormat final : public Format {
public:
    std::string_view name() const noexcept override { return "cohere"; }

    std::span<const Route> routes() const noexcept override {
        return cohere_routes;
    }

    bool recognises(const ClientHints &hints) const noexcept override {
        return hints.cohere_sdk;
    }

    std::string path(const CallPath &) const override { return "/v2/chat"; }

    std::string_view models_path() const noexcept override {
        // As many as there may be on one page.
        return "/v1/models?page_size=1000";
    }

    std::span<const HeaderField> headers() const noexcept override {
        return {};
    }

    std::span<const std::string_view> client_headers() const noexcept override {
        return passed_on;
    }

    std::string_view request_id_header() const noexcept override {
        return "x-request-id";
    }

    std::string_view key_header() const noexcept override {
        return "authorization";
    }

    Result<RequestHead> parse_head(const json::Document &document,
                                   const RouteMatch &) const override {
        return cohere::parse_head(document);
    }

    Result<chat::Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return cohere::parse_request(document, memory);
    }

    Result<void> write_request(const chat::Request &request,
                               const WriteOptions &options,
                               std::string &out) const override {
        return cohere::write_request(request, options, out);
    }

    std::vector<json::Edit> request_edits(
        std::string_view body, const json::Document &document,
        const WriteOptions &options) const override {
        std::vector<json::Edit> edits;
        if (document.root()["model"].string() != options.model) {
            std::string model;
            json::append_string(model, options.model);
            edits.push_back(
                json::set_member(body, document.root(), "model", model));
        }
        return edits;
    }

    Result<chat::Response> parse_response(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return cohere::parse_response(document, memory);
    }

    void write_response(const chat::Response &response,
                        const AnswerContext &context,
                        std::string &out) const override {
        cohere::write_response(response, context, out);
    }

    std::unique_ptr<wire::Framer> make_framer(
        std::size_t max_event) const override {
        return std::make_unique<wire::SseFramer>(max_event);
    }

    std::unique_ptr<StreamReader> make_reader() const override {
        return cohere::make_reader();
    }

    std::unique_ptr<StreamWriter> make_writer(
        const AnswerContext &context) const override {
        return cohere::make_writer(context);
    }

    std::string_view stream_type() const noexcept override {
        return "text/event-stream";
    }

    Error parse_error(const AnswerHead &head,
                      std::string_view body) const override {
        return cohere::parse_error(head.status, body);
    }

    void write_error(const Error &error, std::string &out) const override {
        cohere::write_error(error, out);
    }

    int error_status(const Error &error) const noexcept override {
        return openai::error_status(error);
    }

    json::Value listed_models(json::Value root) const override {
        return root["models"];
    }

    std::string_view listed_name(json::Value model) const override {
        return model["name"].string();
    }

    void write_models(std::span<const std::string_view> models, std::int64_t,
                      std::string &out) const override {
        cohere::write_models(models, out);
    }

    void write_model(std::string_view model, json::Value listed, std::int64_t,
                     std::string &out) const override {
        json::Writer w(out);
        if (listed) {
            w.raw(listed.raw());
        } else {
            cohere::write_model(w, model);
        }
    }
};

}  // namespace

const Format &cohere_format() noexcept {
    static const CohereFormat format;
    return format;
}

}  // namespace llm
