#include "formats/openai/fields.hpp"

#include <utility>

namespace llm::openai {

using json::Kind;
using json::Value;

std::string_view expected(Kind kind) {
    switch (kind) {
    case Kind::null:
        return "must be null";
    case Kind::boolean:
        return "must be true or false";
    case Kind::number:
        return "must be a number";
    case Kind::string:
        return "must be a string";
    case Kind::array:
        return "must be an array";
    case Kind::object:
        return "must be an object";
    }
    return {};
}

bool FieldReader::fail(const Path &path, std::string_view reason) {
    std::string param = path.text();
    std::string message = param + ' ' + std::string(reason);
    error_ = invalid_request(std::move(message), std::move(param));
    return false;
}

bool FieldReader::expect(Value value, Kind kind, const Path &path) {
    if (value && value.kind() == kind) {
        return true;
    }
    return fail(path, expected(kind));
}

bool FieldReader::required_text(Value parent, const Path &path,
                                std::string_view name, std::string_view &out) {
    Path member(path, name);
    out = parent[name].string();
    if (!out.empty()) {
        return true;
    }
    return fail(member, "must be a string that is not empty");
}

bool FieldReader::optional_text(Value parent, const Path &path,
                                std::string_view name, std::string_view &out) {
    Value value = parent[name];
    out = value.string();
    return value.is_null() || expect(value, Kind::string, Path(path, name));
}

}  // namespace llm::openai
