// What kind of file a text in base64 is, for APIs that do not say.
#pragma once

#include <string_view>

namespace llm {

// By the file's first bytes: "image/png"; empty: none that is known.
std::string_view media_type_of(std::string_view base64);

}  // namespace llm
