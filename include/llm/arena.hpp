// Texts that have to be made, in memory that outlives the call: the resource
// that a request or an answer was parsed with.
#pragma once

#include <cstring>
#include <initializer_list>
#include <memory_resource>
#include <string_view>

namespace llm {

// The parts put together, in memory of the resource. The resource is one that
// frees everything at once (a monotonic buffer, a request's pool): nobody
// gives these bytes back.
inline std::string_view arena_concat(
    std::pmr::memory_resource *memory,
    std::initializer_list<std::string_view> parts) {
    std::size_t size = 0;
    for (std::string_view part : parts) {
        size += part.size();
    }
    if (size == 0) {
        return {};
    }

    char *bytes = static_cast<char *>(memory->allocate(size, 1));
    char *end = bytes;
    for (std::string_view part : parts) {
        if (!part.empty()) {
            std::memcpy(end, part.data(), part.size());
            end += part.size();
        }
    }
    return {bytes, size};
}

inline std::string_view arena_copy(std::pmr::memory_resource *memory,
                                   std::string_view text) {
    return arena_concat(memory, {text});
}

}  // namespace llm
