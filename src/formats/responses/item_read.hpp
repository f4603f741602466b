// The items of a request's input.
#pragma once

#include <memory_resource>

#include "formats/fields.hpp"
#include "llm/chat.hpp"

namespace llm::responses {

// Appends them to the messages of `request`. `value`: the body's member
// "input", a text or an array, which is at `path`; `memory` holds texts that
// are made.
Result<void> read_input(json::Value value, const fields::Path &path,
                        chat::Request &request,
                        std::pmr::memory_resource *memory);

}  // namespace llm::responses
