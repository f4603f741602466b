// What the fuzz targets share. A broken promise ends the run, as a crash does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "llm/json.hpp"

namespace llm::fuzz {

inline void promise(bool kept, const char *what, std::string_view text = {}) {
    if (!kept) {
        std::fprintf(stderr, "broken promise: %s\n%.*s\n", what,
                     static_cast<int>(text.size()), text.data());
        std::abort();
    }
}

inline void promise_json(std::string_view text, const char *what) {
    json::Document document;
    // One level more than a client may send: writers wrap what came in.
    json::ParseLimits limits{.depth = 256, .duplicates = true};
    promise(static_cast<bool>(document.parse(text, limits)), what, text);
}

}  // namespace llm::fuzz
