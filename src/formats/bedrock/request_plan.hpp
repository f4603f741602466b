// What is sent of a call, decided before any of it is written: which tools and
// how the model is made to use them, how it is to think, and whose turn each
// message becomes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/anthropic/tables.hpp"
#include "formats/anthropic/turns.hpp"
#include "formats/bedrock/tables.hpp"
#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/result.hpp"

namespace llm::bedrock {

using anthropic::Turn;

// Its texts are views into the request; messages and tools are indices into
// it.
struct Plan {
    const ModelTraits *traits = nullptr;
    // Anthropic's own, where the model is Claude.
    const anthropic::ModelTraits *claude = nullptr;
    bool ours = false;                  // the call came in this format

    std::vector<std::size_t> tools;     // of the request, to be sent
    bool answer_tool = false;           // and the one that takes the answer
    // And one that nobody is to call: the API refuses a conversation in which
    // tools were used where it is given none.
    bool idle_tool = false;
    bool json_instruction = false;
    bool text_format = false;           // outputConfig.textFormat

    std::string_view choice;            // member of toolChoice; empty: none
    std::string_view choice_name;

    std::string_view thinking;          // Claude's "type"; empty: not said
    bool thinking_as_came = false;
    std::int64_t budget = 0;
    std::string_view effort;            // for outputConfig, or as traits say
    std::optional<std::int64_t> max_tokens;

    std::vector<std::size_t> system;    // messages of the system prompt
    std::vector<Turn> turns;
};

// Fails where the call asks for what this API cannot do and the options do not
// let that be left out, or where a tool's result answers no call.
Result<Plan> plan_request(const chat::Request &request,
                          const WriteOptions &options);

// Whether a part is sent at all. `ours`: the call came in this format.
bool is_written(const chat::Part &part, bool ours);

}  // namespace llm::bedrock
