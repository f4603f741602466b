// Whose turn each message of a call becomes, in APIs where the user and the
// assistant take turns and the user's begins with the results of all calls
// that the assistant's before it has made: Anthropic's, and Bedrock's
// Converse.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "llm/chat.hpp"
#include "llm/result.hpp"

namespace llm::anthropic {

// Sorted where they are searched: a body can hold very many.
using Names = std::vector<std::string_view>;

// One message towards the API. Messages are indices into the request.
struct Turn {
    chat::Role role;                    // user, assistant or system
    std::vector<std::size_t> messages;  // results first
    // The ids of calls in the turn before it that it has no result for.
    Names missing_results;
};

struct TurnRules {
    bool ours = false;          // the call came in the API's own format
    bool join_systems = false;  // neighbouring system turns are one
    // Whether a part is sent at all.
    bool (*is_written)(const chat::Part &part, bool ours);
};

struct Turns {
    std::vector<std::size_t> system;    // messages of the system prompt
    std::vector<Turn> turns;
};

// Fails where a result answers no call; a call in the API's own format is left
// to the provider.
Result<Turns> plan_turns(const chat::Request &request, const TurnRules &rules);

// Whether a thought has the proof without which the model refuses it. What the
// Responses API has sealed is OpenAI's.
bool is_proved(const chat::Part &part);

// Whether a model that has to think before it answers can go on with the
// conversation: the assistant's part of it that is not over, which calls and
// their results belong to, must begin with a thought. Clients that have no
// place for the proof of one do not give it back.
bool begins_with_thought(const chat::Request &request,
                         const std::vector<Turn> &turns,
                         const TurnRules &rules);

// The ids of a turn's calls, to which the next one must have the results.
Names calls_of(const chat::Request &request, const Turn &turn);

}  // namespace llm::anthropic
