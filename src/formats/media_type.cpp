#include "formats/media_type.hpp"

#include <cstddef>

#include "text/base64.hpp"

namespace llm {

namespace {

// The signatures of file formats (each one's specification): the bytes at an
// offset.
struct Signature {
    std::size_t offset;
    std::string_view bytes;
    std::string_view media_type;
};

constexpr Signature signatures[] = {
    {0, "\xFF\xD8\xFF", "image/jpeg"}, {0, "\x89PNG", "image/png"},
    {0, "GIF8", "image/gif"},          {8, "WEBP", "image/webp"},
    {8, "WAVE", "audio/wav"},          {0, "ID3", "audio/mpeg"},
    {0, "BM", "image/bmp"},
};

}  // namespace

std::string_view media_type_of(std::string_view base64) {
    // 16 characters are 12 bytes: enough for every row.
    auto bytes = base64::decode(base64.substr(0, 16));
    if (bytes) {
        for (const Signature &row : signatures) {
            if (bytes->size() > row.offset
                && std::string_view(*bytes).substr(row.offset)
                       .starts_with(row.bytes)) {
                return row.media_type;
            }
        }
    }
    return {};
}

}  // namespace llm
