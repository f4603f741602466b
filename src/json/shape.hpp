// Reads a text of which all is known but the contents of a few strings and
// numbers: the events of a stream are so like each other that reading one by
// its difference to the one before costs a small part of parsing it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/json.hpp"

namespace llm::json {

class Shape {
public:
    // Takes a text that was parsed, and its values. A text that is too large
    // for this to pay is not kept.
    void learn(std::string_view text, std::span<const detail::Node> nodes);
    void forget() noexcept;

    // Whether `text` differs from the one that was learnt in nothing but what
    // its strings (those that are values) and its numbers are. If so, `nodes`,
    // which are those of the text learnt or read last, become those of `text`:
    // what a parser would make of it. Else they are worth nothing any more.
    //
    // False also for what is right but unusual, and for all that is wrong: the
    // parser has the last word.
    bool read(std::string_view text, std::span<detail::Node> nodes);

    // A number for what all texts read by now have in common; another one as
    // soon as they differ in one thing more. 0: nothing was learnt.
    std::uint64_t form() const noexcept { return text_.empty() ? 0 : form_; }

    // Whether is_one_of(NODE) holds for all nodes in which they differ.
    template <typename Predicate>
    bool varies_only(Predicate is_one_of) const {
        return std::all_of(
            varying_.begin(), varying_.end(),
            [&](const Leaf &leaf) { return is_one_of(leaf.node); });
    }

private:
    // Texts are small, and each stream has a shape.
    using Offset = std::uint16_t;

    // A string or number; offsets are into text_.
    struct Leaf {
        Offset begin;
        Offset end;
        Offset node;
        bool string;
        bool varies;        // was another one in some text since it was learnt
    };
    // Where a value stands, and how many leaves that vary end before its begin
    // and before its end.
    struct Place {
        Offset begin;
        Offset end;
        Offset before_begin;
        Offset before_end;
    };
    enum class Outcome : std::uint8_t { read, unlike, one_more_varies };

    Outcome read_once(std::string_view text, std::span<detail::Node> nodes);
    Outcome vary(std::string_view text, std::size_t learnt);
    bool read_string(std::string_view text, std::size_t &position,
                     detail::Node &node);
    bool unescape(std::string_view body, detail::Node &node);

    std::string text_;
    std::uint64_t form_ = 0;
    std::vector<Leaf> leaves_;
    std::vector<Leaf> varying_;         // those that vary, in their order
    std::vector<Place> places_;         // of each node
    std::vector<std::uint32_t> shifts_; // of what follows so many of varying_
    std::string decoded_;               // strings that hold escapes
    std::size_t decoded_size_ = 0;
};

}  // namespace llm::json
