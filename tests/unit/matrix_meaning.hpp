// What a call and an answer mean, in words that no format has a say in: two
// of them mean the same where the words are the same.
#pragma once

#include <string>

#include "llm/chat.hpp"

namespace llm::testing {

// System texts first, in their order; then the turns, neighbours of one role
// joined; calls and results by the tool's name, since not every API has ids;
// then tools, choice, schema and bounds. JSON without white space.
std::string meaning(const chat::Request &request);

// What of an answer a format has words for.
struct Carries {
    bool reasoning = true;
    bool cached_tokens = true;
    bool cache_write_tokens = true;
    bool reasoning_tokens = true;
    bool usage = true;
    // Tells a refusal and a filtered answer from one that just ends.
    bool content_filter = true;
    bool images = true;
    bool calls = true;
};

// Text (refusals are text), reasoning, images, calls, finish, usage.
std::string meaning(const chat::Response &response, const Carries &carries);

}  // namespace llm::testing
