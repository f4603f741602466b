#include "formats/body_reader.hpp"

namespace llm::fields {

using json::Kind;
using json::Value;

bool BodyReader::has(std::initializer_list<std::string_view> names) {
    if (!root_.is_object()) {
        error_ = invalid_request("the body must be a JSON object");
        return false;
    }
    for (std::string_view name : names) {
        if (root_[name].is_null()) {
            return fail(Path(name), missing);
        }
    }
    return true;
}

bool BodyReader::read_model(Value value, const Path &path) {
    request_.model = value.string();
    return !request_.model.empty() || fail(path, not_empty);
}

bool BodyReader::read_stop(Value value, const Path &path) {
    if (value.is_string()) {
        request_.stop.push_back(value.string());
        return true;
    }
    return value.is_array()
               ? texts(value, path, request_.stop)
               : fail(path, "must be a string or an array of strings");
}

bool BodyReader::read_stream_options(Value value, const Path &path) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }
    Value include = value["include_usage"];
    request_.include_usage = include.boolean();
    return include.is_null()
           || expect(include, Kind::boolean, Path(path, "include_usage"));
}

bool BodyReader::read_format_type(Value value, const Path &path) {
    using Type = chat::ResponseFormat::Type;
    constexpr struct {
        std::string_view word;
        Type type;
    } words[] = {
        {"text", Type::text},
        {"json_object", Type::json_object},
        {"json_schema", Type::json_schema},
    };

    if (!expect(value, Kind::object, path)) {
        return false;
    }
    auto &format = request_.response_format.emplace();
    for (const auto &row : words) {
        if (row.word == value["type"].string()) {
            format.type = row.type;
            return true;
        }
    }
    return fail(Path(path, "type"),
                "must be \"text\", \"json_object\" or \"json_schema\"");
}

bool BodyReader::wants_json_schema() const {
    return request_.response_format->type
           == chat::ResponseFormat::Type::json_schema;
}

bool BodyReader::read_json_schema(Value value, const Path &path) {
    auto &format = *request_.response_format;
    return optional_text(value, path, "name", format.name)
           && optional_text(value, path, "description", format.description)
           && optional_object(value, path, "schema", format.schema)
           && optional_boolean(value, path, "strict", format.strict);
}

bool BodyReader::read_function(Value value, const Path &path,
                               chat::Tool &tool) {
    return expect(value, Kind::object, path)
           && required_text(value, path, "name", tool.name)
           && optional_text(value, path, "description", tool.description)
           && optional_object(value, path, "parameters", tool.parameters);
}

bool BodyReader::read_function_list(Value value, const Path &path) {
    return each(value, path, [this](Value element, const Path &where) {
        chat::Tool &tool = request_.tools.emplace_back();
        tool.source = element;
        if (!expect(element, Kind::object, where)) {
            return false;
        }
        std::string_view type = element["type"].string();
        if (!type.empty() && type != "function") {
            return fail(Path(where, "type"), "must be \"function\"");
        }
        return read_function(element["function"], Path(where, "function"),
                             tool);
    });
}

bool BodyReader::read_choice_word(Value value, const Path &path,
                                  chat::ToolChoice &choice) {
    using Mode = chat::ToolChoice::Mode;
    constexpr struct {
        std::string_view word;
        Mode mode;
    } words[] = {
        {"auto", Mode::automatic},
        {"none", Mode::none},
        {"required", Mode::required},
    };

    for (const auto &row : words) {
        if (row.word == value.string()) {
            choice.mode = row.mode;
            return true;
        }
    }
    return fail(path, "must be \"auto\", \"none\", \"required\" or an object");
}

}  // namespace llm::fields
