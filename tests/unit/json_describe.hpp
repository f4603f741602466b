// All that can be asked of a value, and where in its text it stands.
#pragma once

#include <string>
#include <string_view>

#include "llm/json.hpp"

namespace llm::testing {

inline void describe(json::Value value, std::string_view text,
                     std::string &out) {
    out += std::to_string(static_cast<int>(value.kind())) + '@'
           + std::to_string(value.raw().data() - text.data()) + '+'
           + std::to_string(value.raw().size()) + '#'
           + std::to_string(value.size()) + '<';
    out.append(value.string()).append(">(");
    for (const json::Member &member : value.members()) {
        out.append(member.name).append("|").append(member.raw).append("|");
        describe(member.value, text, out);
    }
    for (json::Value element : value.elements()) {
        describe(element, text, out);
    }
    out.push_back(')');
}

// What a document has made of the text, or why it has refused it.
inline std::string describe(const Result<void> &parsed,
                            const json::Document &document,
                            std::string_view text) {
    if (!parsed) {
        return parsed.error().message;
    }
    std::string out;
    describe(document.root(), text, out);
    return out;
}

}  // namespace llm::testing
