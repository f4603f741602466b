// Every way to cut a stream that tests try.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

namespace llm::testing {

using Pieces = std::vector<std::string_view>;

// Calls `check` with the stream whole, byte by byte, cut once at every byte,
// and, up to `pairs_up_to` bytes, cut twice at every pair of bytes.
inline void for_each_cut(std::string_view stream,
                         const std::function<void(const Pieces &)> &check,
                         std::size_t pairs_up_to = 120) {
    check({stream});

    Pieces bytes;
    for (std::size_t i = 0; i < stream.size(); ++i) {
        bytes.push_back(stream.substr(i, 1));
    }
    check(bytes);

    for (std::size_t i = 1; i < stream.size(); ++i) {
        check({stream.substr(0, i), stream.substr(i)});
        if (stream.size() > pairs_up_to) {
            continue;
        }
        for (std::size_t j = i + 1; j < stream.size(); ++j) {
            check({stream.substr(0, i), stream.substr(i, j - i),
                   stream.substr(j)});
        }
    }
}

}  // namespace llm::testing
