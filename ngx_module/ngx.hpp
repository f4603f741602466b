// nginx's headers, for C++. They come before the standard ones in every file
// here, since they choose 64-bit file offsets.
#pragma once

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
}

#include <string_view>

// nginx's strings and the core's views are the same thing.
inline std::string_view to_view(const ngx_str_t &text) noexcept {
    return {reinterpret_cast<const char *>(text.data), text.len};
}

inline ngx_str_t to_ngx(std::string_view text) noexcept {
    return {text.size(),
            reinterpret_cast<u_char *>(const_cast<char *>(text.data()))};
}
