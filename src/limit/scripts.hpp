// The scripts' text: Lua 5.1, as Redis and Valkey run it.
#pragma once

#include <string_view>

namespace llm::limit::scripts {

extern const std::string_view common;       // before all but the last
extern const std::string_view reserve;
extern const std::string_view settling;     // before the three that follow
extern const std::string_view settle;
extern const std::string_view cancel;
extern const std::string_view renew;
extern const std::string_view presence;

}  // namespace llm::limit::scripts
