// Reading the members of a request: where they are, and the checks of their
// types that all have in common.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::openai {

// Where a member of a request is, for errors: a chain on the stack that costs
// nothing until an error makes a text of it.
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

// For an error: what a value of the kind must be, "must be an array" say.
std::string_view expected(json::Kind kind);

// What reads a part of a request is derived from it. Every function that reads
// returns false after it has set error_.
class FieldReader {
protected:
    bool fail(const Path &path, std::string_view reason);
    bool expect(json::Value value, json::Kind kind, const Path &path);
    bool required_text(json::Value parent, const Path &path,
                       std::string_view name, std::string_view &out);
    bool optional_text(json::Value parent, const Path &path,
                       std::string_view name, std::string_view &out);

    Error error_;
};

}  // namespace llm::openai
