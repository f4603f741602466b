// Calls and answers as nobody would think of them, in OpenAI's words: what
// properties are tried on.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace llm::testing {

class RandomChat {
public:
    explicit RandomChat(std::uint32_t seed) : random_(seed) {}

    // A body that OpenAI's own server would take.
    std::string request();
    // A whole answer of one choice.
    std::string response();

private:
    std::size_t below(std::size_t bound);
    bool maybe(unsigned percent) { return below(100) < percent; }
    // With quotes; of letters, escapes, UTF-8, line ends; never blank.
    std::string text();
    std::string arguments();
    std::string user_parts();
    std::string calls(std::string &results);
    std::string messages();
    std::string tools();

    std::mt19937 random_;
    int calls_made_ = 0;
};

}  // namespace llm::testing
