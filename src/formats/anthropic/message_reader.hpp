// The messages of a request: its "system" and "messages" members, with their
// content blocks.
#pragma once

#include <memory_resource>

#include "llm/chat.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::anthropic {

// Appends them to the messages of `request`. `root`: the request's body, an
// object; `memory` holds texts that are put together of several.
Result<void> read_messages(json::Value root, chat::Request &request,
                           std::pmr::memory_resource *memory);

}  // namespace llm::anthropic
