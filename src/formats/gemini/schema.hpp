// Google's Schema object, which is a part of OpenAPI's: to and from JSON
// Schema. Newer models take JSON Schema itself, in members of its own.
#pragma once

#include "llm/json.hpp"

namespace llm::gemini {

// Appends a JSON Schema as a Schema: keywords that it does not have are left
// out, references are put in place, unions and nulls are said in its way.
void write_schema(json::Writer &writer, json::Value schema);

// Appends a Schema as JSON Schema.
void write_json_schema(json::Writer &writer, json::Value schema);

// Whether it is an object that is to have no properties at all, which Google
// refuses for a function's parameters.
bool is_empty_object(json::Value schema) noexcept;

}  // namespace llm::gemini
