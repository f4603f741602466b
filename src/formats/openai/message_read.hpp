// The messages of a request, with their content parts.
#pragma once

#include <memory_resource>

#include "formats/fields.hpp"
#include "llm/chat.hpp"

namespace llm::openai {

// Appends them to the messages of `request`. `value`: the body's member
// "messages", which is at `path`; `memory` holds ids that are made.
Result<void> read_messages(json::Value value, const fields::Path &path,
                           chat::Request &request,
                           std::pmr::memory_resource *memory);

}  // namespace llm::openai
