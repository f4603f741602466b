#include "formats/openai/openai.hpp"
#include "llm/url.hpp"

namespace llm {

namespace {

constexpr Route openai_routes[] = {
    {"/chat/completions", Operation::chat},
    {"/models", Operation::models},
    {"/models/{model}", Operation::model},
};

class OpenAiFormat final : public Format {
public:
    std::string_view name() const noexcept override { return "openai"; }

    std::span<const Route> routes() const noexcept override {
        return openai_routes;
    }

    std::string path(const CallPath &call) const override {
        return openai::path(call, "/chat/completions");
    }

    std::string_view models_path() const noexcept override {
        return "/models";
    }

    std::span<const HeaderField> headers() const noexcept override {
        return {};
    }

    std::string_view request_id_header() const noexcept override {
        return "x-request-id";
    }

    std::string_view key_header() const noexcept override {
        return "authorization";
    }

    Result<RequestHead> parse_head(const json::Document &document,
                                   const RouteMatch &) const override {
        return openai::parse_head(document);
    }

    Result<chat::Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return openai::parse_request(document, memory);
    }

    Result<void> write_request(const chat::Request &request,
                               const WriteOptions &options,
                               std::string &out) const override {
        return openai::write_request(request, options, out);
    }

    std::vector<json::Edit> request_edits(
        std::string_view body, const json::Document &document,
        const WriteOptions &options) const override {
        return openai::request_edits(body, document, options);
    }

    Result<chat::Response> parse_response(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return openai::parse_response(document, memory);
    }

    void write_response(const chat::Response &response,
                        const AnswerContext &context,
                        std::string &out) const override {
        openai::write_response(response, context, out);
    }

    std::unique_ptr<wire::Framer> make_framer(
        std::size_t max_event) const override {
        return std::make_unique<wire::SseFramer>(max_event);
    }

    std::unique_ptr<StreamReader> make_reader() const override {
        return openai::make_reader();
    }

    std::unique_ptr<StreamWriter> make_writer(
        const AnswerContext &context) const override {
        return openai::make_writer(context);
    }

    std::string_view stream_type() const noexcept override {
        return "text/event-stream";
    }

    Error parse_error(const AnswerHead &head,
                      std::string_view body) const override {
        return openai::parse_error(head.status, body);
    }

    void write_error(const Error &error, std::string &out) const override {
        openai::write_error(error, out);
    }

    int error_status(const Error &error) const noexcept override {
        return openai::error_status(error);
    }

    void write_models(std::span<const std::string_view> models,
                      std::int64_t now, std::string &out) const override {
        json::Writer w(out);
        w.begin_object().member("object", "list").key("data").begin_array();
        for (std::string_view model : models) {
            append_model(w, model, now);
        }
        w.end_array().end_object();
    }

    void write_model(std::string_view model, json::Value listed,
                     std::int64_t now, std::string &out) const override {
        json::Writer w(out);
        if (listed) {
            w.raw(listed.raw());
        } else {
            append_model(w, model, now);
        }
    }

private:
    static void append_model(json::Writer &w, std::string_view model,
                             std::int64_t now) {
        // "provider/model" belongs to the provider; an alias to us.
        std::size_t slash = model.find('/');
        w.begin_object()
            .member("id", model)
            .member("object", "model")
            .member("created", now)
            .member("owned_by", slash == std::string_view::npos
                                    ? std::string_view("gateway")
                                    : model.substr(0, slash))
            // Mistral's SDK reads no model without these two.
            .member("type", "base")
            .key("capabilities").begin_object()
            .member("completion_chat", true)
            .end_object().end_object();
    }
};

}  // namespace

std::string openai::path(const CallPath &call, std::string_view api) {
    std::string path;
    if (call.quirks.hosting == Hosting::azure_deployments) {
        path = "/deployments/";
        append_segment(path, call.model);
    }
    path += api;
    if (!call.quirks.api_version.empty()) {
        path.append("?api-version=").append(call.quirks.api_version);
    }
    return path;
}

const Format &openai_format() noexcept {
    static const OpenAiFormat format;
    return format;
}

}  // namespace llm
