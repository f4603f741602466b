#include "formats/fields.hpp"

#include <utility>

namespace llm::fields {

using json::Kind;
using json::Value;

std::string Path::text() const {
    std::string out;
    if (parent_) {
        out = parent_->text();
        if (name_.empty()) {
            return out + '[' + std::to_string(index_) + ']';
        }
        if (!out.empty()) {
            out.push_back('.');
        }
    }
    return out.append(name_);
}

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

std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 64;
    std::string out;
    json::append_string(out, text.substr(0, longest));
    return out;
}

bool Reader::fail(const Path &path, std::string_view reason) {
    std::string param = path.text();
    std::string message = param.empty() ? "the request" : param;
    message.append(1, ' ').append(reason);
    error_ = invalid_request(std::move(message), std::move(param));
    return false;
}

bool Reader::expect(Value value, Kind kind, const Path &path) {
    if (value && value.kind() == kind) {
        return true;
    }
    return fail(path, expected(kind));
}

bool Reader::integer(Value value, const Path &path, std::int64_t least,
                     std::optional<std::int64_t> &out) {
    out = value.integer();
    return (out && *out >= least)
           || fail(path, "must be an integer of at least "
                             + std::to_string(least));
}

bool Reader::texts(Value value, const Path &path,
                   std::pmr::vector<std::string_view> &out) {
    return each(value, path, [&](Value element, const Path &where) {
        out.push_back(element.string());
        return expect(element, Kind::string, where);
    });
}

bool Reader::number(Value value, const Path &path, double least, double most,
                    Value &out) {
    if (value.is_null()) {
        return true;
    }
    auto real = value.number();
    if (!real) {
        return fail(path, expected(Kind::number));
    }
    if (*real < least || *real > most) {
        return fail(path, "is out of range");
    }
    out = value;
    return true;
}

bool Reader::required_text(Value object, const Path &path,
                           std::string_view name, std::string_view &out) {
    out = object[name].string();
    return !out.empty() || fail(Path(path, name), not_empty);
}

bool Reader::required_string(Value object, const Path &path,
                             std::string_view name, std::string_view &out) {
    Value value = object[name];
    out = value.string();
    return value.is_string()
           || fail(Path(path, name),
                   value ? expected(Kind::string) : "is required");
}

bool Reader::optional_text(Value object, const Path &path,
                           std::string_view name, std::string_view &out) {
    Value value = object[name];
    if (value.is_null()) {
        return true;
    }
    out = value.string();
    return expect(value, Kind::string, Path(path, name));
}

bool Reader::optional_boolean(Value object, const Path &path,
                              std::string_view name,
                              std::optional<bool> &out) {
    Value value = object[name];
    if (value.is_null()) {
        return true;
    }
    out = value.boolean();
    return expect(value, Kind::boolean, Path(path, name));
}

bool Reader::optional_object(Value object, const Path &path,
                             std::string_view name, Value &out) {
    Value value = object[name];
    if (value.is_null()) {
        return true;
    }
    out = value;
    return expect(value, Kind::object, Path(path, name));
}

}  // namespace llm::fields
