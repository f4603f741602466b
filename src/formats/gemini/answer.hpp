// What whole answers and the chunks of a stream have in common when they are
// read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "llm/chat.hpp"
#include "llm/json.hpp"

namespace llm::gemini {

// The id of a call that came without one, as most of Google's do: unique in a
// conversation, and the same whether the answer is streamed or not.
std::string made_call_id(std::string_view answer_id, json::Value call,
                         std::size_t number);

// The name of a function without our prefix.
std::string_view plain_name(std::string_view name, bool &custom) noexcept;

// Unix seconds of an RFC 3339 time in UTC, "2026-01-02T03:04:05.678Z"; 0: it
// is none.
std::int64_t read_time(std::string_view text) noexcept;

// Why the prompt was refused before there was any answer; empty: it was not.
std::string_view block_reason(json::Value root) noexcept;

// What a model's failure is called.
Error failed_answer(std::string_view word, std::string_view message);

}  // namespace llm::gemini
