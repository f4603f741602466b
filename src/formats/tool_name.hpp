// Names of tools, there and back, for APIs that take letters, digits, "_" and
// "-" only, up to 64: Anthropic's, OpenAI's and Bedrock's. Clients of Google's
// API may name a tool "docs.create".
#pragma once

#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>

#include "llm/chat.hpp"

namespace llm {

// A name that such an API does not take is escaped, behind a prefix, so that
// the name in the answer tells which tool it was. Where there is no room for
// that, it is cut, behind another prefix and a digest of the whole:
// whole_tool_name() knows it again. nullopt: it is empty.
std::optional<std::string> encode_tool_name(std::string_view name,
                                            bool custom);

// As encode_tool_name(). An empty name is left as it is: what the provider
// says of it is clearer than anything else.
std::string legal_tool_name(std::string_view name, bool custom = false);

// The name of the request's tool whose name encode_tool_name() has cut to
// this; else the name as it is.
std::string_view whole_tool_name(std::string_view name,
                                 const chat::Request &request);

struct ToolName {
    std::string name;
    bool custom = false;        // of an OpenAI "custom" tool
};
ToolName decode_tool_name(std::string_view encoded);

// The name of a tool that is not custom; what is not as it came is put into
// the memory.
std::string_view plain_tool_name(std::string_view encoded,
                                 std::pmr::memory_resource *memory);
std::string_view plain_tool_name(std::string_view encoded, std::string &memory);

}  // namespace llm
