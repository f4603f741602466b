// What is sent of a call, decided before any of it is written: which tools and
// how the model is made to use them, how it is to think and how long, and whose
// turn each message becomes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/anthropic/tables.hpp"
#include "formats/anthropic/turns.hpp"
#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/result.hpp"

namespace llm::anthropic {

// What is known of a call before its members are written. Its texts are views
// into the request; messages and tools are indices into it.
struct Plan {
    const ModelTraits *traits = nullptr;
    bool ours = false;                  // the call came in this format
    bool output_config = false;         // may be sent; ours: the client knows

    std::vector<std::size_t> tools;     // of the request, to be sent
    bool answer_tool = false;           // and the one that takes the answer
    bool json_instruction = false;
    bool output_format = false;

    std::string_view choice;            // type of tool_choice; empty: none
    std::string_view choice_name;

    std::string_view thinking;          // its type; empty: not said
    bool thinking_as_came = false;
    std::int64_t budget = 0;
    std::string_view effort;            // output_config.effort
    std::int64_t max_tokens = 0;

    std::vector<std::size_t> system;    // messages of the system prompt
    std::vector<Turn> turns;
};

// Fails where the call asks for what this API cannot do and the options do not
// let that be left out, or where a tool's result answers no call.
Result<Plan> plan_request(const chat::Request &request,
                          const WriteOptions &options);

// The API refuses a text that is empty or white space only.
bool is_blank(std::string_view text);
std::string_view without_trailing_space(std::string_view text);

// Whether a part is sent at all. `ours`: the call came in this format.
bool is_written(const chat::Part &part, bool ours);

}  // namespace llm::anthropic
