// Whose turn each message of a call becomes, and what is made of its tools,
// decided before any of it is written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gemini/tables.hpp"
#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/result.hpp"

namespace llm::gemini {

// A call of the model's turn before.
struct Call {
    std::string_view id;
    std::string_view name;
    bool custom = false;
};

// One content towards the API. Indices are those of the request's messages.
struct Turn {
    enum class Type { user, model, results };

    Type type = Type::user;
    std::vector<std::size_t> messages;
    // Type::results: what is answered, in the order of the calls; the message
    // of each, or `missing`.
    static constexpr std::size_t missing = ~std::size_t{0};
    std::vector<Call> calls;
};

struct Plan {
    const ModelTraits *traits = nullptr;
    bool ours = false;              // the call came in this format
    bool ids = false;               // calls and results have theirs
    std::vector<std::size_t> system;
    std::vector<Turn> turns;
    std::vector<std::size_t> tools; // of the request, to be sent
    bool search = false;            // Google's own tool
    std::string_view mode;          // of function calling; empty: not said
    std::string_view function;      // the one that must be called
    bool function_custom = false;
};

// Fails where the call asks for what this API cannot do and the options do not
// let that be left out, or where a tool's result answers no call.
Result<Plan> plan_request(const chat::Request &request,
                          const WriteOptions &options);

// Whether a part is sent at all; `ours`: the call came in this format.
bool is_written(const chat::Part &part, bool ours);

// A function's name as Google takes it.
std::string function_name(std::string_view name, bool custom);

}  // namespace llm::gemini
