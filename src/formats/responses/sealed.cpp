#include "formats/responses/sealed.hpp"

namespace llm::responses {

namespace {

constexpr std::string_view id_prefix = "rs_";
constexpr char separator = ':';

struct Mark {
    Proof proof;
    std::string_view prefix;
};

// Neither base64, in either alphabet, nor any id has a colon.
constexpr Mark marks[] = {
    {Proof::signature, "llm:signature:"},
    {Proof::redacted, "llm:redacted:"},
    {Proof::call, "llm:call:"},
};

}  // namespace

std::string seal(const SealedItem &item) {
    std::string signature;
    if (!item.id.starts_with(id_prefix)) {
        signature = id_prefix;
    }
    signature.append(item.id).push_back(separator);
    return signature.append(item.encrypted_content);
}

std::optional<SealedItem> unseal(std::string_view signature) noexcept {
    std::size_t colon = signature.find(separator);
    if (!signature.starts_with(id_prefix)
        || colon == std::string_view::npos) {
        return std::nullopt;
    }
    return SealedItem{signature.substr(0, colon),
                      signature.substr(colon + 1)};
}

std::string mark(Proof proof, std::string_view data) {
    std::string text;
    for (const Mark &row : marks) {
        if (row.proof == proof) {
            text.append(row.prefix);
        }
    }
    return text.append(data);
}

Marked read_mark(std::string_view encrypted_content) noexcept {
    for (const Mark &row : marks) {
        if (encrypted_content.starts_with(row.prefix)) {
            return {row.proof, encrypted_content.substr(row.prefix.size())};
        }
    }
    return {};
}

}  // namespace llm::responses
