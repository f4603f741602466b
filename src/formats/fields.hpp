// Reading the members of a request: where they are, and the checks of their
// types that the readers of all formats have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::fields {

// Where a member of a request is, for errors: a chain on the stack that costs
// nothing until an error makes a text of it.
class Path {
public:
    // The body itself.
    Path() = default;
    // A member of the body.
    explicit Path(std::string_view name) : name_(name) {}
    // A member of, or an element of, `parent`, which must outlive this.
    Path(const Path &parent, std::string_view name)
        : parent_(&parent), name_(name) {}
    Path(const Path &parent, std::size_t index)
        : parent_(&parent), index_(index) {}

    // "messages[2].content"; empty for the body itself.
    std::string text() const;

private:
    const Path *parent_ = nullptr;
    std::string_view name_;
    std::size_t index_ = 0;
};

// For an error: what a value of the kind must be, "must be an array" say.
std::string_view expected(json::Kind kind);

// Likewise of a member that must be there, and of a text with something in it.
inline constexpr std::string_view missing = "is missing";
inline constexpr std::string_view not_empty =
    "must be a string that is not empty";

// For a message to a person: short, whatever the client sent.
std::string quoted(std::string_view text);

// What reads a part of a request is derived from it. Every function returns
// false after it has set error_, whose param is the path's text.
class Reader {
protected:
    bool fail(const Path &path, std::string_view reason);
    bool expect(json::Value value, json::Kind kind, const Path &path);
    bool integer(json::Value value, const Path &path, std::int64_t least,
                 std::optional<std::int64_t> &out);
    // An array. `read(element, path)` reads one element, as functions here.
    template <typename Read>
    bool each(json::Value value, const Path &path, Read read) {
        if (!expect(value, json::Kind::array, path)) {
            return false;
        }
        std::size_t index = 0;
        for (json::Value element : value.elements()) {
            if (!read(element, Path(path, index++))) {
                return false;
            }
        }
        return true;
    }
    // An array of strings, which are appended.
    bool texts(json::Value value, const Path &path,
               std::pmr::vector<std::string_view> &out);
    // Nothing for null, and for no value.
    bool number(json::Value value, const Path &path, double least, double most,
                json::Value &out);

    // Members of `object`, which is at `path`. Optional ones may be null,
    // since some clients write what they leave out as null; `out` stays as it
    // is then.

    // A string that is not empty, and any string.
    bool required_text(json::Value object, const Path &path,
                       std::string_view name, std::string_view &out);
    bool required_string(json::Value object, const Path &path,
                         std::string_view name, std::string_view &out);
    bool optional_text(json::Value object, const Path &path,
                       std::string_view name, std::string_view &out);
    bool optional_boolean(json::Value object, const Path &path,
                          std::string_view name, std::optional<bool> &out);
    bool optional_object(json::Value object, const Path &path,
                         std::string_view name, json::Value &out);

    Error error_;
};

}  // namespace llm::fields
