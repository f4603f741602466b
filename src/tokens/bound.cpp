#include <algorithm>
#include <iterator>

#include "llm/tokens.hpp"

namespace llm::tokens {

namespace {

// What a member of a message, or of a part of its content, has to do with it.
enum class Holds : std::uint8_t {
    text,       // whatever is in it is no more than text
    parts,      // is looked into
    type,       // tells what the part is
};

struct Known {
    std::string_view name;
    Holds holds;
};

// Of all APIs, the most frequent ones first.
constexpr Known known_members[] = {
    {"role", Holds::text},         {"content", Holds::parts},
    {"type", Holds::type},         {"text", Holds::text},
    {"name", Holds::text},         {"tool_calls", Holds::text},
    {"tool_call_id", Holds::text}, {"tool_use_id", Holds::text},
    {"id", Holds::text},           {"input", Holds::text},
    {"arguments", Holds::text},    {"call_id", Holds::text},
    {"output", Holds::parts},      {"refusal", Holds::text},
    {"parts", Holds::parts},       {"cache_control", Holds::text},
    {"is_error", Holds::text},     {"thinking", Holds::text},
    {"signature", Holds::text},    {"status", Holds::text},
    {"function_call", Holds::text}, {"functionCall", Holds::text},
};

// Parts that are no more than their text.
constexpr std::string_view known_types[] = {
    "text",        "input_text", "output_text",   "tool_use",
    "tool_result", "message",    "function_call", "function_call_output",
    "thinking",    "refusal",
};

// Where a body has its messages; all else in it is settings and tools ...
constexpr std::string_view prompt_members[] = {
    "messages",     "system",            "contents",           "input",
    "instructions", "systemInstruction", "system_instruction", "content",
    "inputs",       "requests",
};

// ... but for what is no text, and for names of a text that is elsewhere.
constexpr std::string_view boundless_members[] = {
    "images",                                   // Ollama, Cohere
    "previous_response_id", "conversation",     // OpenAI's Responses
    "cachedContent",        "cached_content",   // Gemini
    "promptVariables",                          // Bedrock's stored prompts
};

template <std::size_t size>
bool is_one_of(const std::string_view (&table)[size],
               std::string_view name) noexcept {
    return std::find(std::begin(table), std::end(table), name)
           != std::end(table);
}

bool is_text(json::Value value) noexcept;

bool is_text(const json::Member &member) noexcept {
    for (const auto &known : known_members) {
        if (known.name == member.name) {
            return known.holds == Holds::text
                   || (known.holds == Holds::parts
                           ? is_text(member.value)
                           : is_one_of(known_types, member.value.string()));
        }
    }
    return false;
}

// A tree is no deeper than the parser allowed.
bool is_text(json::Value value) noexcept {
    if (value.is_array()) {
        for (auto element : value.elements()) {
            if (!is_text(element)) {
                return false;
            }
        }
    } else if (value.is_object()) {
        for (const auto &member : value.members()) {
            if (!is_text(member)) {
                return false;
            }
        }
    }
    return true;
}

bool is_bounded(const json::Member &member) noexcept {
    if (is_one_of(prompt_members, member.name)) {
        return is_text(member.value);
    }
    if (member.name == "prompt") {
        // A text or its tokens; to the Responses API, the id of a stored one.
        return !member.value.is_object();
    }
    return member.value.is_null()
           || !is_one_of(boundless_members, member.name);
}

}  // namespace

std::optional<std::int64_t> prompt_bound(json::Value body) noexcept {
    for (const auto &member : body.members()) {
        if (!is_bounded(member)) {
            return std::nullopt;
        }
    }
    return static_cast<std::int64_t>(body.raw().size());
}

}  // namespace llm::tokens
