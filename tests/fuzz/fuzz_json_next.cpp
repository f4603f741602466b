// Lines of text, each read as the next one after the one before, are what they
// are to a parser that has not seen any other.
#include <algorithm>
#include <string>

#include "fuzz.hpp"
#include "json_describe.hpp"

using namespace llm;

namespace {

constexpr json::ParseLimits limits{.depth = 32, .duplicates = true};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    std::string_view lines(reinterpret_cast<const char *>(data), size);
    json::Document next;
    while (!lines.empty()) {
        // A copy, whose end is the end of what may be read.
        std::string text(lines.substr(0, lines.find('\n')));
        text.shrink_to_fit();
        lines.remove_prefix(std::min(text.size() + 1, lines.size()));

        json::Document alone;
        auto parsed = alone.parse(text, limits);
        auto parsed_next = next.parse_next(text, limits);
        fuzz::promise(testing::describe(parsed_next, next, text)
                          == testing::describe(parsed, alone, text),
                      "the text before changes nothing", text);
    }
    return 0;
}
