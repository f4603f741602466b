// What a call costs: a table of prices, and the sum for the usage of a call.
//
// Prices are US dollars per million tokens, as providers publish them, and
// amounts are nano-dollars (10^-9): a price with up to three decimals makes a
// whole number of them for each token, so sums are exact.
//
// The table is a JSON file; data/prices.json is one:
//
//     {
//       "currency": "USD",
//       "note": "for people",
//       "prices": [
//         {
//           "provider": "openai",
//           "models": ["gpt-4o", "gpt-4o-2024-*"],
//           "input": 2.5, "cached_input": 1.25, "output": 10,
//           "tiers": [{"above": 200000, "input": 5, "output": 15}],
//           "source": "https://...", "date": "2026-11-20"
//         }
//       ]
//     }
//
// - "provider" is the name of an llm_provider or of its preset, or "*": any.
// - "models": names, or patterns that end in "*". A name goes before a
//   pattern, a longer pattern before a shorter one, a provider before "*".
//   The same twice is an error.
// - "input" and "output" must be there. Others: "cached_input" (read from the
//   provider's cache; else as input), "cache_write" (else as input),
//   "reasoning" (else as output), "audio_input" (else as input),
//   "audio_output" (else as output), and "image", US dollars for each image of
//   the prompt on top of its tokens (else none).
// - "tiers", ascending: from more than "above" prompt tokens on, the whole
//   call costs what the tier says; what it leaves out is as before, or as the
//   tier's "input" or "output" where it never had a price of its own.
// - "source" and "date" (YYYY-MM-DD) say where a price is from and of when.
// - Numbers: 0 to 1,000,000, at most six decimals. Anything else, a member
//   that is not named here, or one twice, is an error.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/chat.hpp"
#include "llm/result.hpp"

namespace llm::price {

inline constexpr std::int64_t nano = 1'000'000'000;     // in a dollar

// What is charged for. All but image are by the token.
enum class Item : std::uint8_t {
    input, cached_input, cache_write, audio_input,
    output, reasoning, audio_output,
    image,
};
inline constexpr std::size_t item_count = 8;

// Micro-dollars for a million tokens (each 10^-12 dollars a token), or for one
// image.
using Rates = std::array<std::int64_t, item_count>;

struct Tier {
    std::int64_t above = 0;     // prompt tokens
    Rates rates{};
};

struct Price {
    std::string provider;       // "*": any
    std::vector<Tier> tiers;    // ascending; the first is above 0
    std::string source;
    std::string date;
};

// What a call costs in nano-dollars, rounded to the nearest; at most INT64_MAX.
// Counts below 0, or parts larger than their whole, count as far as they make
// sense: a provider's usage is input.
std::int64_t cost(const Price &price, const chat::Usage &usage,
                  std::int64_t images = 0) noexcept;

// Appends dollars with six decimals, "0.012345", rounded to the nearest.
void append_dollars(std::string &out, std::int64_t nanodollars);

class Table {
public:
    // Errors name the member: "prices[3].tiers[0].above". Reads `json` only.
    static Result<Table> parse(std::string_view json);

    // Null: there is no price for this model.
    const Price *find(std::string_view provider,
                      std::string_view model) const noexcept;

    std::size_t size() const noexcept { return prices_.size(); }

private:
    struct Entry {
        std::string provider;
        std::string model;      // without its "*"
        bool pattern = false;
        std::size_t price = 0;
    };

    // The best entry of one provider.
    const Entry *best(std::string_view provider,
                      std::string_view model) const noexcept;

    std::vector<Price> prices_;
    // By provider, then model, the name itself before the pattern.
    std::vector<Entry> entries_;
    std::size_t longest_ = 0;   // name or pattern
};

}  // namespace llm::price
