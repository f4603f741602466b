// Where a member of a request is, for errors: a chain on the stack that costs
// nothing until an error makes a text of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llm::openai {

class Path {
public:
    explicit Path(std::string_view name) : name_(name) {}
    // A member of, or an element of, `parent`, which must outlive this.
    Path(const Path &parent, std::string_view name)
        : parent_(&parent), name_(name) {}
    Path(const Path &parent, std::size_t index)
        : parent_(&parent), index_(index) {}

    // "messages[2].content"
    std::string text() const {
        if (!parent_) {
            return std::string(name_);
        }
        if (name_.empty()) {
            return parent_->text() + '[' + std::to_string(index_) + ']';
        }
        return parent_->text() + '.' + std::string(name_);
    }

private:
    const Path *parent_ = nullptr;
    std::string_view name_;
    std::size_t index_ = 0;
};

}  // namespace llm::openai
