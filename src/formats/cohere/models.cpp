#include "formats/cohere/cohere.hpp"

namespace llm::cohere {

void write_model(json::Writer &w, std::string_view model) {
    w.begin_object().member("name", model).key("endpoints").begin_array()
        .string("chat").end_array().end_object();
}

void write_models(std::span<const std::string_view> models,
                  std::string &out) {
    json::Writer w(out);
    w.begin_object().key("models").begin_array();
    for (std::string_view model : models) {
        write_model(w, model);
    }
    w.end_array().end_object();
}

}  // namespace llm::cohere
