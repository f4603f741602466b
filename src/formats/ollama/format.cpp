#include "formats/model_edits.hpp"
#include "formats/ollama/ollama.hpp"
#include "formats/openai/openai.hpp"

namespace llm {

namespace {

using ollama::Api;

constexpr Route chat_routes[] = {
    {"/api/chat", Operation::chat},
    {"/api/tags", Operation::models},
    {"/api/version", Operation::version},
    {"/api/show", Operation::show},
};

constexpr Route generate_routes[] = {
    {"/api/generate", Operation::chat},
};

class OllamaFormat final : public Format {
public:
    explicit OllamaFormat(Api api) : api_(api) {}

    std::string_view name() const noexcept override {
        return api_ == Api::chat ? "ollama" : "ollama-generate";
    }

    std::span<const Route> routes() const noexcept override {
        return api_ == Api::chat ? std::span<const Route>(chat_routes)
                                 : std::span<const Route>(generate_routes);
    }

    std::string path(const CallPath &) const override {
        return api_ == Api::chat ? "/api/chat" : "/api/generate";
    }

    std::string_view models_path() const noexcept override {
        return "/api/tags";
    }

    std::span<const HeaderField> headers() const noexcept override {
        return {};
    }

    // There is none; proxies before it often add this one.
    std::string_view request_id_header() const noexcept override {
        return "x-request-id";
    }

    std::string_view key_header() const noexcept override {
        return "authorization";
    }

    Result<RequestHead> parse_head(const json::Document &document,
                                   const RouteMatch &) const override {
        return ollama::parse_head(api_, document);
    }

    Result<chat::Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return ollama::parse_request(api_, document, memory);
    }

    Result<void> write_request(const chat::Request &request,
                               const WriteOptions &options,
                               std::string &out) const override {
        return ollama::write_request(api_, request, options, out);
    }

    std::vector<json::Edit> request_edits(
        std::string_view body, const json::Document &document,
        const WriteOptions &options) const override {
        return model_edits(body, document, options);
    }

    Result<chat::Response> parse_response(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return ollama::parse_response(api_, document, memory);
    }

    void write_response(const chat::Response &response,
                        const AnswerContext &context,
                        std::string &out) const override {
        ollama::write_response(api_, response, context, out);
    }

    std::unique_ptr<wire::Framer> make_framer(
        std::size_t max_event) const override {
        return std::make_unique<wire::NdjsonFramer>(max_event);
    }

    std::unique_ptr<StreamReader> make_reader() const override {
        return ollama::make_reader(api_);
    }

    std::unique_ptr<StreamWriter> make_writer(
        const AnswerContext &context) const override {
        return ollama::make_writer(api_, context);
    }

    std::string_view stream_type() const noexcept override {
        return "application/x-ndjson";
    }

    Error parse_error(const AnswerHead &head,
                      std::string_view body) const override {
        return ollama::parse_error(head.status, body);
    }

    void write_error(const Error &error, std::string &out) const override {
        ollama::write_error(error, out);
    }

    int error_status(const Error &error) const noexcept override {
        return openai::error_status(error);
    }

    json::Value listed_models(json::Value root) const override {
        return root["models"];
    }

    std::string_view listed_name(json::Value model) const override {
        std::string_view name = model["model"].string();
        return name.empty() ? model["name"].string() : name;
    }

    void write_models(std::span<const std::string_view> models,
                      std::int64_t now, std::string &out) const override {
        ollama::write_models(models, now, out);
    }

    std::string_view parse_show(json::Value root) const override {
        return ollama::parse_show(root);
    }

    void write_show(std::string_view model, std::int64_t now,
                    std::string &out) const override {
        ollama::write_show(model, now, out);
    }

    void write_version(std::string &out) const override {
        ollama::write_version(out);
    }

private:
    Api api_;
};

}  // namespace

const Format &ollama::format_of(Api api) noexcept {
    static const OllamaFormat chat(Api::chat);
    static const OllamaFormat generate(Api::generate);
    return api == Api::chat ? chat : generate;
}

const Format &ollama_format() noexcept {
    return ollama::format_of(Api::chat);
}

const Format &ollama_generate_format() noexcept {
    return ollama::format_of(Api::generate);
}

}  // namespace llm
