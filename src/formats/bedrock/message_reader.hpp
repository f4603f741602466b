// The system prompt and the messages of a request.
#pragma once

#include <memory_resource>
#include <string_view>

#include "llm/chat.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::bedrock {

// Appends to request.messages.
Result<void> read_messages(json::Value root, chat::Request &request,
                           std::pmr::memory_resource *memory);

// What a cachePoint says of the block before it, as Part::cache_control has
// it. Valid for ever.
json::Value cache_mark(json::Value cache_point);

}  // namespace llm::bedrock
