// For writers of streams that begin no block before the last one is whole.
#pragma once

#include <cstddef>
#include <string_view>

namespace llm {

// Tells when a JSON object that comes in fragments is whole.
class ObjectEnd {
public:
    void feed(std::string_view fragment) noexcept {
        for (char c : fragment) {
            if (in_string_) {
                if (escaped_) {
                    escaped_ = false;
                } else if (c == '\\') {
                    escaped_ = true;
                } else if (c == '"') {
                    in_string_ = false;
                }
            } else if (c == '"') {
                in_string_ = true;
            } else if (c == '{' || c == '[') {
                ++depth_;
                opened_ = true;
            } else if ((c == '}' || c == ']') && depth_ != 0) {
                --depth_;
            }
        }
    }

    bool reached() const noexcept { return opened_ && depth_ == 0; }

private:
    std::size_t depth_ = 0;
    bool in_string_ = false;
    bool escaped_ = false;
    bool opened_ = false;
};

}  // namespace llm
