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

// Indices of the request's tools. Fails where one of them is another API's, or
// is a custom tool that is held to a grammar, and the options do not let that
// be left out: then the tool goes, or its grammar. `ours`: the call came in
// the format that it is written in.
Result<std::vector<std::size_t>> plan_tools(const chat::Request &request,
                                            const WriteOptions &options,
                                            bool ours);

// Fails with "PARAM WHAT", unless the operator wants such things to be left
// out.
Result<void> refuse(const WriteOptions &options, const std::string &param,
                    std::string_view what);

}  // namespace llm
