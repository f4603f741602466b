// Which tools of a call are sent to an API that knows functions, and the
// provider's own tools, but none of OpenAI's other ones.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/result.hpp"

namespace llm {

// OpenAI's custom (free-form) tools travel as a function of this prefix and
// the tool's own name, with one string property, "input". The readers of
// answers take both off again.
inline constexpr std::string_view custom_prefix = "llm_custom_";
inline constexpr std::string_view custom_input = "input";
inline constexpr std::string_view custom_parameters =
    R"({"type":"object","properties":{"input":{"type":"string"}},)"
    R"("required":["input"]})";

// The name that a tool is sent with, which is custom or not.
std::string sent_tool_name(std::string_view name, bool custom);

// Takes the prefix off the name of a custom tool; false: it is none.
bool take_custom_prefix(std::string_view &name) noexcept;

// The input that the arguments of a custom tool's call hold, as they came:
// `whole` where they are not what such a tool was asked for.
std::string_view custom_text(json::Value arguments,
                             std::string_view whole) noexcept;

// The names that tool_choice limits the call to.
class ToolFilter {
public:
    explicit ToolFilter(const chat::Request &request);

    // Whether the model may call the tool at all.
    bool allows(std::string_view name) const;
    // Whether the choice, of whatever mode, makes it call one.
    bool demands_call() const noexcept { return demands_call_; }

private:
    bool limits_ = false;
    bool demands_call_ = false;
    std::vector<std::string_view> names_;   // sorted
};

// Whether the request's tool of this index is sent. Fails where it is another
// API's, or is a custom tool that is held to a grammar, and the options do not
// let that be left out: then the tool goes, or its grammar. `ours`: the call
// came in the format that it is written in.
Result<bool> plan_tool(const chat::Request &request, std::size_t index,
                       const WriteOptions &options, bool ours);

// The indices of all that the model may call, likewise.
Result<std::vector<std::size_t>> plan_tools(const chat::Request &request,
                                            const WriteOptions &options,
                                            bool ours);

// Fails with "PARAM WHAT", unless the operator wants such things to be left
// out.
Result<void> refuse(const WriteOptions &options, const std::string &param,
                    std::string_view what);

}  // namespace llm
