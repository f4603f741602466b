#include <algorithm>
#include <charconv>

#include "llm/price.hpp"

namespace llm::price {

namespace {

// Rates are millionths of a millionth of a dollar for a token.
constexpr std::int64_t pico_in_nano = 1000;
constexpr std::int64_t nano_in_micro = 1000;

__extension__ using Wide = __int128;

std::int64_t part(std::int64_t count, std::int64_t whole) noexcept {
    return std::clamp<std::int64_t>(count, 0, whole);
}

}  // namespace

std::int64_t cost(const Price &price, const chat::Usage &usage,
                  std::int64_t images) noexcept {
    const std::int64_t prompt = std::max<std::int64_t>(usage.prompt_tokens, 0);
    const std::int64_t completion =
        std::max<std::int64_t>(usage.completion_tokens, 0);

    // Each token is charged once: what it is besides goes first.
    std::int64_t input = prompt;
    const std::int64_t cached = part(usage.cached_tokens, input);
    input -= cached;
    const std::int64_t written = part(usage.cache_write_tokens, input);
    input -= written;
    const std::int64_t heard = part(usage.audio_prompt_tokens, input);
    input -= heard;

    std::int64_t output = completion;
    const std::int64_t thought = part(usage.reasoning_tokens, output);
    output -= thought;
    const std::int64_t spoken = part(usage.audio_completion_tokens, output);
    output -= spoken;

    const Tier *tier = &price.tiers.front();
    for (const auto &other : price.tiers) {
        if (prompt > other.above) {
            tier = &other;
        }
    }

    const std::pair<Item, std::int64_t> counts[] = {
        {Item::input, input},       {Item::cached_input, cached},
        {Item::cache_write, written}, {Item::audio_input, heard},
        {Item::output, output},     {Item::reasoning, thought},
        {Item::audio_output, spoken},
    };
    Wide pico = 0;
    for (auto [item, count] : counts) {
        pico += Wide{tier->rates[static_cast<std::size_t>(item)]} * count;
    }
    pico += Wide{tier->rates[static_cast<std::size_t>(Item::image)]} *
            std::max<std::int64_t>(images, 0) * nano_in_micro * pico_in_nano;

    const Wide rounded = (pico + pico_in_nano / 2) / pico_in_nano;
    return rounded > INT64_MAX ? INT64_MAX
                               : static_cast<std::int64_t>(rounded);
}

void append_dollars(std::string &out, std::int64_t nanodollars) {
    // Towards zero first: nothing overflows.
    const std::int64_t rest = nanodollars % nano_in_micro;
    std::int64_t micro = nanodollars / nano_in_micro;
    micro += rest >= nano_in_micro / 2 ? 1 : 0;
    micro -= rest <= -nano_in_micro / 2 ? 1 : 0;
    if (micro < 0) {
        out.push_back('-');
        micro = -micro;
    }
    char digits[20];
    auto [end, error] =
        std::to_chars(digits, digits + sizeof(digits), micro / 1'000'000);
    out.append(digits, end);
    out.push_back('.');
    for (std::int64_t unit = 100'000; unit > 0; unit /= 10) {
        out.push_back(static_cast<char>('0' + micro / unit % 10));
    }
}

}  // namespace llm::price
