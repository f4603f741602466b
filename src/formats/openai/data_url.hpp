// data: URLs (RFC 2397), in which OpenAI's API carries images and files.
#pragma once

#include <optional>
#include <string_view>

namespace llm::openai {

struct DataUrl {
    std::string_view media_type;    // without parameters
    std::string_view data;          // base64
};

// Whether the text is a data: URL at all, base64 or not.
bool is_data_url(std::string_view url) noexcept;

// Nothing where the URL is no data: URL, or one that is not base64.
std::optional<DataUrl> parse_data_url(std::string_view url) noexcept;

}  // namespace llm::openai
