#include "llm/resolv.hpp"

#include <algorithm>

namespace llm {

namespace {

constexpr std::string_view blank = " \t\r";

// Takes the next word off a line; empty at its end or at a comment.
std::string_view next_word(std::string_view &line) noexcept {
    line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
    auto word = line.substr(0, line.find_first_of(blank));
    line.remove_prefix(word.size());
    return word;
}

template <typename OnLine>
void for_each_line(std::string_view text, OnLine on_line) {
    while (!text.empty()) {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        on_line(line.substr(0, line.find_first_of("#;")));
    }
}

bool same_name(std::string_view a, std::string_view b) noexcept {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [lower](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::vector<std::string_view> hosts_addresses(std::string_view text,
                                              std::string_view name) {
    std::vector<std::string_view> addresses;
    for_each_line(text, [&](std::string_view line) {
        auto address = next_word(line);
        for (auto word = next_word(line); !word.empty();
             word = next_word(line))
        {
            if (same_name(word, name)) {
                addresses.push_back(address);
                break;
            }
        }
    });
    return addresses;
}

std::vector<std::string_view> resolv_nameservers(std::string_view text) {
    std::vector<std::string_view> servers;
    for_each_line(text, [&](std::string_view line) {
        if (next_word(line) == "nameserver") {
            if (auto server = next_word(line); !server.empty()) {
                servers.push_back(server);
            }
        }
    });
    return servers;
}

}  // namespace llm
