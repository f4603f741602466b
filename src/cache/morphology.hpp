// Forms of one word: what may differ between two questions that have it.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "cache/lexicon.hpp"

namespace llm::cache {

// All words here are in lower case.

// "runs" and "running", in English also "color" and "colour". Words that only
// look like forms of one ("moral" and "morale", "arm" and "arms") are not.
bool same_word(Language language, std::string_view a,
               std::string_view b) noexcept;

// "invent" and "inventor": the same, where a question asks who it was.
bool is_agent(std::string_view verb, std::string_view agent) noexcept;

// "café" and "cafe".
bool same_but_accents(std::string_view a, std::string_view b) noexcept;

// English: "owned", "wrote"; "owned", "written".
bool is_past(std::string_view verb) noexcept;
bool is_participle(std::string_view verb) noexcept;

// What an English word may be a form of, to look it up: "carry" for "carries".
class Bases {
public:
    static constexpr std::size_t longest = 24;

    explicit Bases(std::string_view word) noexcept;

    std::size_t size() const noexcept { return count_; }
    std::string_view operator[](std::size_t index) const noexcept {
        return {bases_[index].text.data(), bases_[index].size};
    }

private:
    void add(std::string_view stem, std::string_view ending,
             std::string_view word);

    struct Base {
        std::array<char, longest> text;
        std::size_t size;
    };
    std::array<Base, 3> bases_;
    std::size_t count_ = 0;
};

}  // namespace llm::cache
