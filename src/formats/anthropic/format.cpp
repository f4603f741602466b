// The Anthropic Messages API as a format.
#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/tables.hpp"
#include "formats/bedrock/bedrock.hpp"
#include "formats/bedrock/chunk_framer.hpp"
#include "llm/url.hpp"

namespace llm {

namespace {

constexpr Route messages_routes[] = {
    {"/messages", Operation::chat},
    {"/models", Operation::models},
    {"/models/{model}", Operation::model},
};

constexpr HeaderField request_headers[] = {
    {"anthropic-version", anthropic::api_version},
};

// Anthropic API docs: Versions; Beta headers.
constexpr std::string_view passed_headers[] = {
    "anthropic-version",
    "anthropic-beta",
};

class AnthropicFormat final : public Format {
public:
    std::string_view name() const noexcept override { return "anthropic"; }

    std::span<const Route> routes() const noexcept override {
        return messages_routes;
    }

    bool recognises(const ClientHints &hints) const noexcept override {
        return hints.anthropic_version;
    }

    std::string path(const CallPath &call) const override {
        if (call.quirks.hosting == Hosting::vertex) {
            // The base URL ends with /publishers/anthropic.
            std::string path = "/models/";
            append_segment(path, call.model);
            return path + (call.stream ? ":streamRawPredict" : ":rawPredict");
        }
        if (call.quirks.hosting == Hosting::bedrock) {
            std::string path = "/model/";
            append_segment(path, call.model);
            return path
                   + (call.stream ? "/invoke-with-response-stream"
                                  : "/invoke");
        }
        // The base URL has no version: https://api.anthropic.com.
        return "/v1/messages";
    }

    std::string_view models_path() const noexcept override {
        // As many as there may be on one page.
        return "/v1/models?limit=1000";
    }

    std::span<const HeaderField> headers() const noexcept override {
        return request_headers;
    }

    std::span<const std::string_view> client_headers()
        const noexcept override {
        return passed_headers;
    }

    bool begins_with_usage() const noexcept override { return true; }

    std::string_view request_id_header() const noexcept override {
        return "request-id";
    }

    std::string_view key_header() const noexcept override {
        return "x-api-key";
    }

    Result<RequestHead> parse_head(const json::Document &document,
                                   const RouteMatch &) const override {
        return anthropic::parse_head(document);
    }

    Result<chat::Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        auto request = anthropic::parse_request(document, memory);
        if (request) {
            request->origin = this;
        }
        return request;
    }

    Result<void> write_request(const chat::Request &request,
                               const WriteOptions &options,
                               std::string &out) const override {
        return anthropic::write_request(request, options, out);
    }

    std::vector<json::Edit> request_edits(
        std::string_view body, const json::Document &document,
        const WriteOptions &options) const override {
        return anthropic::request_edits(body, document, options);
    }

    Result<chat::Response> parse_response(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return anthropic::parse_response(document, memory);
    }

    void write_response(const chat::Response &response,
                        const AnswerContext &context,
                        std::string &out) const override {
        anthropic::write_response(response, context, out);
    }

    std::unique_ptr<wire::Framer> make_framer(
        std::size_t max_frame) const override {
        return std::make_unique<wire::SseFramer>(max_frame);
    }

    std::unique_ptr<StreamReader> make_reader() const override {
        return anthropic::make_reader();
    }

    std::unique_ptr<StreamWriter> make_writer(
        const AnswerContext &context) const override {
        return anthropic::make_writer(context);
    }

    std::string_view stream_type() const noexcept override {
        return "text/event-stream";
    }

    AnswerWire answer_wire(Hosting hosting) const noexcept override {
        if (hosting != Hosting::bedrock) {
            return Format::answer_wire(hosting);
        }
        const Format &converse = bedrock_format();
        return {converse.stream_type(), converse.request_id_header(),
                converse.error_type_header()};
    }

    std::unique_ptr<wire::Framer> make_hosted_framer(
        Hosting hosting, std::size_t max_event) const override {
        return hosting == Hosting::bedrock
                   ? bedrock::make_chunk_framer(max_event)
                   : make_framer(max_event);
    }

    Error parse_error(const AnswerHead &head,
                      std::string_view body) const override {
        // Its header is the service's, and so is its body, not the model's.
        if (!head.error_type.empty()) {
            return bedrock::parse_error(head, body);
        }
        return anthropic::parse_error(head.status, body);
    }

    void write_error(const Error &error, std::string &out) const override {
        anthropic::write_error(error, out);
    }

    int error_status(const Error &error) const noexcept override {
        return anthropic::error_status(error);
    }

    void write_models(std::span<const std::string_view> models, std::int64_t,
                      std::string &out) const override {
        json::Writer writer(out);
        writer.begin_object().key("data").begin_array();
        for (std::string_view model : models) {
            append_model(writer, model);
        }
        writer.end_array();

        auto id = [&](std::string_view name, bool first) {
            writer.key(name);
            if (models.empty()) {
                writer.null();
            } else {
                writer.string(first ? models.front() : models.back());
            }
        };
        id("first_id", true);
        id("last_id", false);
        writer.member("has_more", false).end_object();
    }

    void write_model(std::string_view model, json::Value listed, std::int64_t,
                     std::string &out) const override {
        json::Writer writer(out);
        if (listed) {
            writer.raw(listed.raw());
        } else {
            append_model(writer, model);
        }
    }

private:
    static void append_model(json::Writer &writer, std::string_view model) {
        // The API's own date for "not known when".
        writer.begin_object()
            .member("type", "model")
            .member("id", model)
            .member("display_name", model)
            .member("created_at", "1970-01-01T00:00:00Z")
            .end_object();
    }
};

}  // namespace

const Format &anthropic_format() noexcept {
    static const AnthropicFormat format;
    return format;
}

}  // namespace llm
