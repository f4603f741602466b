// The canonical form that include/llm/cache_key.hpp describes, into a digest.
#pragma once

#include <memory_resource>
#include <span>
#include <string_view>

#include "cache/sha256.hpp"
#include "llm/json.hpp"

namespace llm::cache {

class Canonical {
public:
    explicit Canonical(std::pmr::memory_resource *memory) : memory_(memory) {}

    void tag(char byte) { hash_.update({&byte, 1}); }
    void count(std::uint64_t number);
    void text(std::string_view text);
    void json(json::Value value);
    // An object without the members of these names and those that are null;
    // no bytes at all where nothing is left.
    void rest(char name, json::Value object,
              std::span<const std::string_view> known);
    // A text that is JSON where it can be read, else itself.
    void json_text(std::string_view text);

    // Fields: nothing where there is nothing to say.
    void field(char name, std::string_view value);
    void field(char name, json::Value value);
    void flag(char name, bool value);

    // Of all since the last one.
    Digest finish() { return hash_.finish(); }

private:
    void members(std::span<json::Member> members);
    void number(std::string_view digits);

    Sha256 hash_;
    std::pmr::memory_resource *memory_;
};

}  // namespace llm::cache
