// What clients can ask for that most APIs have no way to say, where leaving it
// out would make the answer another one: rows for the tables of writers. Mere
// hints (seed, logit_bias, penalties, verbosity and the like) are left out
// without a word.
#pragma once

#include <span>
#include <string_view>

#include "llm/chat.hpp"

namespace llm {

struct Unsupported {
    std::string_view param;
    bool (*asked)(const chat::Request &);
};

// For rows of OpenAI's members "n", "logprobs", "modalities" (an answer that
// is more than text) and "web_search_options".
bool wants_several_answers(const chat::Request &request) noexcept;
bool wants_logprobs(const chat::Request &request) noexcept;
bool wants_more_than_text(const chat::Request &request) noexcept;
bool wants_web_search(const chat::Request &request) noexcept;

// For rows of members that are kept as they came, whoever's client has sent
// them: Anthropic's "mcp_servers"; Google's "cachedContent", a part of the
// prompt, and "responseMimeType" where it is a kind of answer of its own.
bool has_mcp_servers(const chat::Request &request) noexcept;
bool has_cached_content(const chat::Request &request) noexcept;
bool has_response_type(const chat::Request &request) noexcept;

// The param of the first row that is asked for; empty: nothing is.
std::string_view first_unsupported(std::span<const Unsupported> rows,
                                   const chat::Request &request) noexcept;

}  // namespace llm
