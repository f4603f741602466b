#include <algorithm>
#include <iterator>

#include "llm/tokens.hpp"

namespace llm::tokens {

namespace {

// Members of messages, and of the parts of their content, of all APIs. Those
// that hold text or parts are looked into; the others are nothing but text,
// whatever is in them. The most frequent ones come first.
struct Known {
    std::string_view name;
    bool nested;
};

constexpr Known known_members[] = {
    {"role", false},         {"content", true},      {"text", false},
    {"name", false},         {"tool_calls", false},  {"tool_call_id", false},
    {"tool_use_id", false},  {"id", false},          {"input", false},
    {"arguments", false},    {"call_id", false},     {"output", true},
    {"refusal", false},      {"parts", true},        {"cache_control", false},
    {"is_error", false},     {"thinking", false},    {"signature", false},
    {"status", false},       {"function_call", false},
    {"functionCall", false},
};

// What a part may call itself without being more than its text.
constexpr std::string_view known_types[] = {
    "text",        "input_text", "output_text",   "tool_use",
    "tool_result", "message",    "function_call", "function_call_output",
    "thinking",    "refusal",
};

// Where a body has its messages; all else in it is settings and tools.
constexpr std::string_view prompt_members[] = {
    "messages",     "system",            "contents",           "input",
    "instructions", "systemInstruction", "system_instruction",
};

template <typename Table, typename Matches>
auto find(const Table &table, Matches matches) noexcept {
    return std::find_if(std::begin(table), std::end(table), matches);
}

bool is_text(json::Value value) noexcept;

bool is_text(const json::Member &member) noexcept {
    if (member.name == "type") {
        auto type = member.value.string();
        return find(known_types,
                    [type](std::string_view one) { return one == type; })
               != std::end(known_types);
    }
    auto known = find(known_members, [&member](const Known &one) {
        return one.name == member.name;
    });
    return known != std::end(known_members)
           && (!known->nested || is_text(member.value));
}

// A tree is no deeper than the parser allowed.
bool is_text(json::Value value) noexcept {
    for (auto element : value.elements()) {
        if (!is_text(element)) {
            return false;
        }
    }
    for (const auto &member : value.members()) {
        if (!is_text(member)) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::optional<std::int64_t> prompt_bound(json::Value body) noexcept {
    for (const auto &member : body.members()) {
        auto name = member.name;
        bool holds_text =
            find(prompt_members,
                 [name](std::string_view one) { return one == name; })
            != std::end(prompt_members);
        if (holds_text && !is_text(member.value)) {
            return std::nullopt;
        }
    }
    return static_cast<std::int64_t>(body.raw().size());
}

}  // namespace llm::tokens
