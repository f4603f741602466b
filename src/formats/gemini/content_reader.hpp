// Reads "systemInstruction" and "contents" of a request into the messages of
// the call.
#pragma once

#include <memory_resource>

#include "llm/chat.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::gemini {

// A content that holds results of functions becomes several messages, all with
// that content as their source: one for each result, then one for the rest.
Result<void> read_contents(json::Value root, chat::Request &request,
                           std::pmr::memory_resource *memory);

}  // namespace llm::gemini
