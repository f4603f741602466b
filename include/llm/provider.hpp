// Providers that the gateway knows by name: one row each. Another
// OpenAI-compatible provider is one more row in src/provider/presets.cpp.
#pragma once

#include <span>
#include <string_view>

#include "llm/format.hpp"

namespace llm {

struct Preset {
    std::string_view name;      // of llm_provider, or in its "preset"
    std::string_view url;       // base URL, as the provider's SDK takes it
    std::string_view format;    // a name that find_format() knows
    Quirks quirks;
    std::string_view key_header = {};   // empty: the format's
    // Other formats that the provider speaks, separated by spaces: calls in
    // one of them stay in it. "FORMAT=PATH": not at the URL's path.
    std::string_view also = {};
};

std::span<const Preset> presets() noexcept;

// nullptr where there is none of this name.
const Preset *find_preset(std::string_view name) noexcept;

}  // namespace llm
