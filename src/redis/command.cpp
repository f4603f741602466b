#include <charconv>
#include <cstring>

#include "llm/redis.hpp"

namespace llm::redis {

namespace {

constexpr std::size_t max_digits = 20;      // of a std::size_t

std::size_t digits(std::size_t number) noexcept {
    std::size_t count = 1;
    while (number >= 10) {
        number /= 10;
        ++count;
    }
    return count;
}

char *write_line(char *to, char type, std::size_t number) noexcept {
    *to++ = type;
    to = std::to_chars(to, to + max_digits, number).ptr;
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

}  // namespace

std::size_t command_size(std::span<const std::string_view> words) noexcept {
    std::size_t size = digits(words.size()) + 3;
    for (auto word : words) {
        size += digits(word.size()) + 3 + word.size() + 2;
    }
    return size;
}

char *write_command(char *to,
                    std::span<const std::string_view> words) noexcept {
    to = write_line(to, '*', words.size());
    for (auto word : words) {
        to = write_line(to, '$', word.size());
        if (!word.empty()) {
            std::memcpy(to, word.data(), word.size());
            to += word.size();
        }
        *to++ = '\r';
        *to++ = '\n';
    }
    return to;
}

}  // namespace llm::redis
