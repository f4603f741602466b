// JSON that fits a JSON Schema, made from a user's words.
#pragma once

#include <string>
#include <string_view>

#include "llm/json.hpp"

namespace llm::simulate {

// Appends an object with all required properties; "{}" for an absent schema.
// The same schema and text give the same bytes.
void append_instance(std::string &out, json::Value schema,
                     std::string_view text);

}  // namespace llm::simulate
