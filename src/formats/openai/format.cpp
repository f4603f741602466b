#include "formats/openai/openai.hpp"
#include "formats/table_format.hpp"
#include "llm/url.hpp"

namespace llm {

namespace {

constexpr Route openai_routes[] = {
    {"/chat/completions", Operation::chat},
    {"/models", Operation::models},
    {"/models/{model}", Operation::model},
};

void append_model(json::Writer &writer, std::string_view model,
                  std::int64_t now) {
    // "provider/model" belongs to the provider; an alias to us.
    std::size_t slash = model.find('/');
    writer.begin_object()
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

constexpr FormatRow openai_row = {
    .name = "openai",
    .routes = openai_routes,
    .path = [](const CallPath &call) {
        return openai::path(call, "/chat/completions");
    },
    .models_path = openai::models_path,
    .parse_head = openai::parse_head,
    .parse_request = openai::parse_request,
    .write_request = openai::write_request,
    .request_edits = openai::request_edits,
    .parse_response = openai::parse_response,
    .write_response = openai::write_response,
    .make_reader = openai::make_reader,
    .make_writer = openai::make_writer,
    .parse_error = openai::parse_error,
    .write_error = openai::write_error,
    .error_status = openai::error_status,
    .write_models = openai::write_models,
    .append_model = append_model,
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

void openai::write_models(std::span<const std::string_view> models,
                          std::int64_t now, std::string &out) {
    json::Writer w(out);
    w.begin_object().member("object", "list").key("data").begin_array();
    for (std::string_view model : models) {
        append_model(w, model, now);
    }
    w.end_array().end_object();
}

const Format &openai_format() noexcept {
    static const TableFormat format(openai_row);
    return format;
}

}  // namespace llm
