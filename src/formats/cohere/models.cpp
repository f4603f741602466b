#include "formats/cohere/cohere.hpp"

namespace llm::cohere {

std::optional<std::vector<std::string_view>> parse_models(json::Value root) {
    json::Value list = root["models"];
    if (!list.is_array()) {
        return std::nullopt;
    }
    std::vector<std::string_view> names;
    for (json::Value model : list.elements()) {
        if (auto name = model["name"].string(); !name.empty()) {
            names.push_back(name);
        }
    }
    return names;
}

void write_models(std::span<const std::string_view> models,
                  std::string &out) {
    json::Writer w(out);
    w.begin_object().key("models").begin_array();
    for (std::string_view model : models) {
        w.begin_object().member("name", model).key("endpoints").begin_array()
            .string("chat").end_array().end_object();
    }
    w.end_array().end_object();
}

}  // namespace llm::cohere
