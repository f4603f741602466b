#include "formats/ollama/ollama.hpp"
#include "text/rfc3339.hpp"

namespace llm::ollama {

namespace {

// What clients compare with the version that a feature came with; that of the
// API as it is understood here.
constexpr std::string_view api_version = "0.12.6";

}  // namespace

std::optional<std::vector<std::string_view>> parse_models(json::Value root) {
    json::Value list = root["models"];
    if (!list.is_array()) {
        return std::nullopt;
    }
    std::vector<std::string_view> names;
    for (json::Value model : list.elements()) {
        std::string_view name = model["model"].string();
        if (name.empty()) {
            name = model["name"].string();
        }
        if (!name.empty()) {
            names.push_back(name);
        }
    }
    return names;
}

// Sizes and digests are of files, which a gateway does not have.
void write_models(std::span<const std::string_view> models, std::int64_t now,
                  std::string &out) {
    std::string modified;
    rfc3339::append(modified, now);

    json::Writer w(out);
    w.begin_object().key("models").begin_array();
    for (std::string_view model : models) {
        // "provider/model" belongs to the provider; an alias to us.
        std::size_t slash = model.find('/');
        w.begin_object()
            .member("name", model)
            .member("model", model)
            .member("modified_at", modified)
            .member("size", 0)
            .member("digest", "")
            .key("details").begin_object()
            .member("parent_model", "")
            .member("format", "")
            .member("family", slash == std::string_view::npos
                                  ? std::string_view("gateway")
                                  : model.substr(0, slash))
            .key("families").null()
            .member("parameter_size", "")
            .member("quantization_level", "")
            .end_object()
            .end_object();
    }
    w.end_array().end_object();
}

void write_version(std::string &out) {
    json::Writer(out).begin_object().member("version", api_version)
        .end_object();
}

}  // namespace llm::ollama
