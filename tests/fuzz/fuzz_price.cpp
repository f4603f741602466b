// Any file is a table or an error that says where; no usage costs less than
// nothing.
#include "fuzz.hpp"
#include "llm/price.hpp"

using namespace llm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    std::string_view text(reinterpret_cast<const char *>(data), size);
    auto table = price::Table::parse(text);
    if (!table) {
        fuzz::promise(!table.error().message.empty(), "an error says what");
        return 0;
    }
    for (std::string_view model : {"m", "gpt-4o", ""}) {
        const price::Price *found = table->find("p", model);
        if (found == nullptr) {
            continue;
        }
        for (std::int64_t count : {INT64_MIN, std::int64_t{-1},
                                   std::int64_t{0}, std::int64_t{1000},
                                   INT64_MAX}) {
            auto cost = price::cost(
                *found, {.prompt_tokens = count, .completion_tokens = count,
                         .cached_tokens = count / 2,
                         .reasoning_tokens = count}, count);
            fuzz::promise(cost >= 0, "a cost is not negative");
            std::string out;
            price::append_dollars(out, cost);
            fuzz::promise(out.size() >= 8, "dollars have six decimals");
        }
    }
    return 0;
}
