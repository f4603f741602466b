#include "formats/ollama/ollama.hpp"
#include "text/rfc3339.hpp"

namespace llm::ollama {

namespace {

// What clients compare with the version that a feature came with; that of the
// API as it is understood here.
constexpr std::string_view api_version = "0.12.6";

constexpr std::string_view gateway_family = "gateway";

// "provider/model" belongs to the provider; an alias to us.
void write_details(json::Writer &w, std::string_view model) {
    std::size_t slash = model.find('/');
    w.key("details").begin_object()
        .member("parent_model", "")
        .member("format", "")
        .member("family", slash == std::string_view::npos
                              ? gateway_family
                              : model.substr(0, slash))
        .key("families").null()
        .member("parameter_size", "")
        .member("quantization_level", "")
        .end_object();
}

}  // namespace

// Sizes and digests are of files, which a gateway does not have.
void write_models(std::span<const std::string_view> models, std::int64_t now,
                  std::string &out) {
    std::string modified;
    rfc3339::append(modified, now);

    json::Writer w(out);
    w.begin_object().key("models").begin_array();
    for (std::string_view model : models) {
        w.begin_object()
            .member("name", model)
            .member("model", model)
            .member("modified_at", modified)
            .member("size", 0)
            .member("digest", "");
        write_details(w, model);
        w.end_object();
    }
    w.end_array().end_object();
}

// Older clients call it by the name.
std::string_view parse_show(json::Value root) {
    std::string_view model = root["model"].string();
    return model.empty() ? root["name"].string() : model;
}

// Editors leave out models that do not say that they take tools; whether this
// one does, its provider will say. "thinking" is not claimed: `ollama run`
// asks for it then, which models that cannot think refuse.
// Source: Ollama's api/types.go, ShowResponse; types/model/capability.go.
void write_show(std::string_view model, std::int64_t now, std::string &out) {
    std::string modified;
    rfc3339::append(modified, now);

    json::Writer w(out);
    w.begin_object()
        .member("modelfile", "")
        .member("parameters", "")
        .member("template", "");
    write_details(w, model);
    w.key("model_info").begin_object()
        .member("general.architecture", gateway_family)
        .member("general.basename", model)
        .end_object();
    w.key("capabilities").begin_array();
    for (std::string_view one : {"completion", "tools", "vision"}) {
        w.string(one);
    }
    w.end_array().member("modified_at", modified).end_object();
}

void write_version(std::string &out) {
    json::Writer(out).begin_object().member("version", api_version)
        .end_object();
}

}  // namespace llm::ollama
