// What the Responses API calls things.
#pragma once

#include <span>
#include <string_view>

#include "llm/chat.hpp"
#include "llm/result.hpp"

namespace llm::responses {

// Why an answer is incomplete ("incomplete_details.reason"); length for a word
// that nobody has heard of, since the answer is not whole.
chat::FinishReason finish_reason_of(std::string_view reason) noexcept;

// The other way round; empty: the answer is complete.
std::string_view incomplete_reason(chat::FinishReason reason) noexcept;

// The code of a failed response's error.
std::string_view error_code(ErrorKind kind) noexcept;

// Members of a request that its response repeats, and the JSON that stands
// there where the request does not say.
struct EchoedMember {
    std::string_view name;
    std::string_view otherwise;
};
std::span<const EchoedMember> echoed_members() noexcept;

// What only a server that keeps responses, or runs things itself, can do.
struct StoredMember {
    std::string_view name;
    std::string_view reason;
};
std::span<const StoredMember> stored_members() noexcept;

// Items of a conversation that a provider's own tools left there: what they
// led to is in the messages after them, so that another provider can do
// without.
bool is_hosted_item(std::string_view type) noexcept;

}  // namespace llm::responses
