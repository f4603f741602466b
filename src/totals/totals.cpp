#include "llm/totals.hpp"

#include <algorithm>
#include <cstring>

namespace llm::totals {

namespace {

std::uint64_t positive(std::int64_t count) noexcept {
    return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

// FNV-1a; the names are told apart in full.
std::uint32_t hash_of(std::string_view provider,
                      std::string_view model) noexcept {
    std::uint32_t hash = 2166136261u;
    for (std::string_view text : {provider, std::string_view("/"), model}) {
        for (unsigned char c : text) {
            hash = (hash ^ c) * 16777619u;
        }
    }
    return hash;
}

}  // namespace

void Counts::add(const chat::Usage &usage) noexcept {
    requests += 1;
    prompt_tokens += positive(usage.prompt_tokens);
    completion_tokens += positive(usage.completion_tokens);
    cached_tokens += positive(usage.cached_tokens);
    reasoning_tokens += positive(usage.reasoning_tokens);
}

Row *Table::find(std::string_view provider, std::string_view model,
                 std::uint32_t hash) noexcept {
    for (std::size_t i = 0; i < size_; ++i) {
        if (hashes_[i] == hash && rows_[i].provider() == provider
            && rows_[i].model() == model) {
            return &rows_[i];
        }
    }
    return nullptr;
}

Row *Table::make(std::string_view provider, std::string_view model,
                 std::uint32_t hash) noexcept {
    // The last row is for all who come too late.
    std::size_t last = provider.empty() && model == other ? capacity
                                                          : capacity - 1;
    if (size_ >= last || provider.size() + model.size() > Row::room) {
        return nullptr;
    }
    Row &row = rows_[size_];
    row = {};
    row.provider_ = static_cast<std::uint32_t>(provider.size());
    row.model_ = static_cast<std::uint32_t>(model.size());
    std::memcpy(std::copy(provider.begin(), provider.end(), row.text_),
                model.data(), model.size());
    hashes_[size_] = hash;
    ++size_;
    return &row;
}

Row &Table::at(std::string_view provider, std::string_view model,
               bool create) noexcept {
    struct Name {
        std::string_view provider;
        std::string_view model;
        bool create;
    };
    const Name names[] = {
        {provider, model, create},
        {provider, other, true},
        {{}, other, true},
    };
    for (const Name &name : names) {
        const std::uint32_t hash = hash_of(name.provider, name.model);
        Row *row = find(name.provider, name.model, hash);
        if (row == nullptr && name.create) {
            row = make(name.provider, name.model, hash);
        }
        if (row) {
            return *row;
        }
    }
    // Not reached: the row that is kept free is that of the third name.
    return rows_[capacity - 1];
}

}  // namespace llm::totals
