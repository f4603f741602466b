// Images in an answer. OpenAI's chat completions have none; OpenRouter's
// message.images and delta.images are what clients of image models read.
// Source: OpenRouter docs, Image generation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/openai/data_url.hpp"
#include "llm/json.hpp"

namespace llm::openai {

// Calls image(media type, base64) for each one in a message or a delta.
template <typename F>
void for_each_image(json::Value message, F &&image) {
    for (json::Value one : message["images"].elements()) {
        auto data = parse_data_url(one["image_url"]["url"].string());
        if (data && !data->data.empty()) {
            image(data->media_type, data->data);
        }
    }
}

// Appends one element of "images".
inline void write_image(json::Writer &writer, std::string_view media_type,
                        std::string_view data, std::int64_t index) {
    std::string url("data:");
    url.append(media_type).append(";base64,").append(data);
    writer.begin_object()
        .member("type", "image_url")
        .key("image_url").begin_object()
        .member("url", std::string_view(url))
        .end_object()
        .member("index", index)
        .end_object();
}

}  // namespace llm::openai
