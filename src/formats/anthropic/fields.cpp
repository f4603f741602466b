#include "formats/anthropic/fields.hpp"

namespace llm::anthropic {

std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 64;
    std::string out;
    json::append_string(out, text.substr(0, longest));
    return out;
}

bool FieldReader::fail(const Path &path, std::string_view what) {
    std::string param = path.text();
    error_ = invalid_request(
        (param.empty() ? "the request" : param) + " " + std::string(what),
        param);
    return false;
}

bool FieldReader::required_string(json::Value object, std::string_view name,
                                  const Path &parent, std::string_view &out) {
    json::Value value = object[name];
    if (!value.is_string()) {
        return fail(Path(parent, name), value ? "must be a string"
                                              : "is required");
    }
    out = value.string();
    return true;
}

bool FieldReader::optional_string(json::Value object, std::string_view name,
                                  const Path &parent, std::string_view &out) {
    return object[name].is_null()
           || required_string(object, name, parent, out);
}

bool FieldReader::optional_boolean(json::Value object, std::string_view name,
                                   const Path &parent,
                                   std::optional<bool> &out) {
    json::Value value = object[name];
    if (value.is_null()) {
        return true;
    }
    if (!value.is_bool()) {
        return fail(Path(parent, name), "must be true or false");
    }
    out = value.boolean();
    return true;
}

bool FieldReader::optional_object(json::Value object, std::string_view name,
                                  const Path &parent, json::Value &out) {
    json::Value value = object[name];
    if (value.is_null()) {
        return true;
    }
    if (!value.is_object()) {
        return fail(Path(parent, name), "must be an object");
    }
    out = value;
    return true;
}

bool FieldReader::number(json::Value value, const Path &path, double least,
                         double most, json::Value &out) {
    if (value.is_null()) {
        return true;
    }
    auto real = value.number();
    if (!real) {
        return fail(path, "must be a number");
    }
    if (*real < least || *real > most) {
        return fail(path, "is out of range");
    }
    out = value;
    return true;
}

bool FieldReader::cache_control(json::Value block, const Path &path,
                                json::Value &out) {
    return optional_object(block, "cache_control", path, out);
}

}  // namespace llm::anthropic
