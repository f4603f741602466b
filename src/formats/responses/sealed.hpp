// Reasoning that only its provider can read, on its way through clients that
// give it back unread.
//
// This API seals a reasoning item as a whole: "encrypted_content" is valid
// with the item's id alone. Towards clients of another API both are one
// signature. Towards clients of this API the proofs of other providers travel
// as encrypted_content with a mark, so that they are known when they come
// back, and never reach a provider that did not make them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace llm::responses {

struct SealedItem {
    std::string_view id;                // "rs_..."
    std::string_view encrypted_content;
};

// The signature that stands for the item.
std::string seal(const SealedItem &item);
// Nothing where the signature is another provider's.
std::optional<SealedItem> unseal(std::string_view signature) noexcept;

// What another provider's proof is of.
enum class Proof {
    none,
    signature,      // of the item's text
    redacted,       // reasoning without text
    call,           // of the tool call that follows the item
};

std::string mark(Proof proof, std::string_view data);

struct Marked {
    Proof proof = Proof::none;          // none: it is not ours
    std::string_view data;
};
Marked read_mark(std::string_view encrypted_content) noexcept;

}  // namespace llm::responses
