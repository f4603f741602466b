// SHA-256 of several texts, each with its length: so that no two lists of them
// have the same digest.
#pragma once

#include "ngx.hpp"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

using ngx_http_llm_digest_t = std::array<std::uint8_t, 32>;

// False: no memory.
bool ngx_http_llm_digest(std::initializer_list<std::string_view> texts,
                         ngx_http_llm_digest_t &digest) noexcept;

inline std::string_view to_view(const ngx_http_llm_digest_t &digest) noexcept {
    return {reinterpret_cast<const char *>(digest.data()), digest.size()};
}
