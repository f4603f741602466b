// A request between equal formats whose model has another name at the
// provider: the one edit that all formats with a member "model" need.
#pragma once

#include <string_view>
#include <vector>

#include "llm/format.hpp"

namespace llm {

// Adds the edit to `edits` unless `root`, which `body` was parsed into, names
// `model` already.
void edit_model(std::string_view body, json::Value root,
                std::string_view model, std::vector<json::Edit> &edits);

// Format::request_edits() where nothing else changes.
std::vector<json::Edit> model_edits(std::string_view body,
                                    const json::Document &document,
                                    const WriteOptions &options);

}  // namespace llm
