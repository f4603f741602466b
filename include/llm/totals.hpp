// What each model was asked and what that cost, in memory that processes share.
// Zeroed memory is an empty table; whoever shares it locks it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "llm/chat.hpp"

namespace llm::totals {

struct Counts {
    std::uint64_t requests;
    std::uint64_t errors;           // of them: failed, or broke off
    std::uint64_t unpriced;         // of them: without a price
    std::uint64_t prompt_tokens;
    std::uint64_t completion_tokens;
    std::uint64_t cached_tokens;    // of the prompts'
    std::uint64_t reasoning_tokens; // of the completions'
    std::uint64_t nanodollars;

    // A request; counts below 0 are none.
    void add(const chat::Usage &usage) noexcept;
};

class Row {
public:
    std::string_view provider() const noexcept { return {text_, provider_}; }
    std::string_view model() const noexcept {
        return {text_ + provider_, model_};
    }

    Counts counts;
    // Anything that the user of the table remembers of the model.
    std::uint64_t mark;

private:
    friend class Table;

    static constexpr std::size_t room = 192;

    std::uint32_t provider_;
    std::uint32_t model_;
    char text_[room];
};

// Holds so many models and no more: names may come from clients. All that have
// no row share one, "other" of the same provider, or of none.
class Table {
public:
    static constexpr std::size_t capacity = 512;
    static constexpr std::string_view other = "other";

    // The model's row. `create`: it may be made, since the name is known to be
    // one of a model; else without a row it is one of the others.
    Row &at(std::string_view provider, std::string_view model,
            bool create) noexcept;

    std::span<const Row> rows() const noexcept { return {rows_, size_}; }

private:
    Row *find(std::string_view provider, std::string_view model,
              std::uint32_t hash) noexcept;
    Row *make(std::string_view provider, std::string_view model,
              std::uint32_t hash) noexcept;

    std::uint32_t size_;
    std::uint32_t hashes_[capacity];
    Row rows_[capacity];
};

}  // namespace llm::totals
