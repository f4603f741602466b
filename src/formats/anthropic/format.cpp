// The Anthropic Messages API as a format.
#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/tables.hpp"
#include "formats/bedrock/bedrock.hpp"
#include "formats/bedrock/chunk_framer.hpp"
#include "formats/table_format.hpp"
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

std::string messages_path(const CallPath &call) {
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
               + (call.stream ? "/invoke-with-response-stream" : "/invoke");
    }
    // The base URL has no version: https://api.anthropic.com.
    return "/v1/messages";
}

void append_model(json::Writer &writer, std::string_view model, std::int64_t) {
    // The API's own date for "not known when".
    writer.begin_object()
        .member("type", "model")
        .member("id", model)
        .member("display_name", model)
        .member("created_at", "1970-01-01T00:00:00Z")
        .end_object();
}

void write_models(std::span<const std::string_view> models, std::int64_t now,
                  std::string &out) {
    json::Writer writer(out);
    writer.begin_object().key("data").begin_array();
    for (std::string_view model : models) {
        append_model(writer, model, now);
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

constexpr FormatRow anthropic_row = {
    .name = "anthropic",
    .routes = messages_routes,
    .path = messages_path,
    // As many as there may be on one page.
    .models_path = "/v1/models?limit=1000",
    .parse_head = anthropic::parse_head,
    .parse_request = anthropic::parse_request,
    .write_request = anthropic::write_request,
    .request_edits = anthropic::request_edits,
    .parse_response = anthropic::parse_response,
    .write_response = anthropic::write_response,
    .make_reader = anthropic::make_reader,
    .make_writer = anthropic::make_writer,
    .parse_error = anthropic::parse_error,
    .write_error = anthropic::write_error,
    .error_status = anthropic::error_status,
    .write_models = write_models,
    .append_model = append_model,
};

class AnthropicFormat final : public TableFormat {
public:
    AnthropicFormat() noexcept : TableFormat(anthropic_row) {}

    bool recognises(const ClientHints &hints) const noexcept override {
        return hints.anthropic_version;
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
        return TableFormat::parse_error(head, body);
    }
};

}  // namespace

const Format &anthropic_format() noexcept {
    static const AnthropicFormat format;
    return format;
}

}  // namespace llm
