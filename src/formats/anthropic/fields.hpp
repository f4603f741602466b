// Reading the members of a request: where they are, and the checks of their
// types that all have in common.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::anthropic {

// Where in the body a value is; becomes text only when there is an error.
class Path {
public:
    Path() = default;
    Path(const Path &parent, std::string_view name)
        : parent_(&parent), name_(name) {}
    Path(const Path &parent, std::size_t index)
        : parent_(&parent), index_(index) {}

    std::string text() const {
        std::string out;
        append(out);
        return out;
    }

private:
    void append(std::string &out) const {
        if (!parent_) {
            return;
        }
        parent_->append(out);
        if (name_.empty()) {
            out.append("[" + std::to_string(index_) + "]");
            return;
        }
        if (!out.empty()) {
            out.push_back('.');
        }
        out.append(name_);
    }

    const Path *parent_ = nullptr;
    std::string_view name_;
    std::size_t index_ = 0;
};

// For a message to a person: short, whatever the client sent.
std::string quoted(std::string_view text);

// What reads a part of a request is derived from it. Every function returns
// false after it has set error_, whose param is the path's text.
class FieldReader {
protected:
    bool fail(const Path &path, std::string_view what);

    // Readers of a member that must have one type. Optional ones may be null,
    // since some clients write what they leave out as null.

    bool required_string(json::Value object, std::string_view name,
                         const Path &parent, std::string_view &out);
    bool optional_string(json::Value object, std::string_view name,
                         const Path &parent, std::string_view &out);
    bool optional_boolean(json::Value object, std::string_view name,
                          const Path &parent, std::optional<bool> &out);
    bool optional_object(json::Value object, std::string_view name,
                         const Path &parent, json::Value &out);
    bool number(json::Value value, const Path &path, double least, double most,
                json::Value &out);
    bool cache_control(json::Value block, const Path &path, json::Value &out);

    Error error_;
};

}  // namespace llm::anthropic
