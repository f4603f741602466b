// What the clients' APIs call what a writer refuses.
#pragma once

#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm {

// An error of a writer is about the normalised call: its param, and the first
// words of its message, are a member's path in OpenAI's API. Here they become
// the path of the member that the client has sent: "tools[1].type" of a client
// of Gemini's API, say, "tools[0].functionDeclarations[1]". `request` was read
// from `body`, which is all of the client's; nullptr: it is no chat.
Error in_clients_words(Error error, const Format &client,
                       const chat::Request *request, json::Value body);

}  // namespace llm
