#include "formats/cohere/cohere.hpp"
#include "formats/model_edits.hpp"
#include "formats/openai/openai.hpp"
#include "formats/table_format.hpp"

namespace llm {

namespace {

// Its "/v1/models" is OpenAI's path, too: only its SDKs are answered so.
constexpr Route cohere_routes[] = {
    {"/v2/chat", Operation::chat},
    {"/models", Operation::models},
    {"/models/{model}", Operation::model},
};

constexpr std::string_view passed_on[] = {"x-client-name"};

constexpr FormatRow cohere_row = {
    .name = "cohere",
    .routes = cohere_routes,
    .path = [](const CallPath &) { return std::string("/v2/chat"); },
    // As many as there may be on one page.
    .models_path = "/v1/models?page_size=1000",
    .parse_head = cohere::parse_head,
    .parse_request = cohere::parse_request,
    .write_request = cohere::write_request,
    .request_edits = model_edits,
    .parse_response = cohere::parse_response,
    .write_response = cohere::write_response,
    .make_reader = cohere::make_reader,
    .make_writer = cohere::make_writer,
    .parse_error = cohere::parse_error,
    .write_error = cohere::write_error,
    .error_status = openai::error_status,
    .write_models = [](std::span<const std::string_view> models, std::int64_t,
                       std::string &out) {
        cohere::write_models(models, out);
    },
    .append_model = [](json::Writer &writer, std::string_view model,
                       std::int64_t) { cohere::write_model(writer, model); },
};

class CohereFormat final : public TableFormat {
public:
    CohereFormat() noexcept : TableFormat(cohere_row) {}

    bool recognises(const ClientHints &hints) const noexcept override {
        return hints.cohere_sdk;
    }

    std::span<const std::string_view> client_headers() const noexcept override {
        return passed_on;
    }

    json::Value listed_models(json::Value root) const override {
        return root["models"];
    }

    std::string_view listed_name(json::Value model) const override {
        return model["name"].string();
    }
};

}  // namespace

const Format &cohere_format() noexcept {
    static const CohereFormat format;
    return format;
}

}  // namespace llm
