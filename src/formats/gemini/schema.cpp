// Sources: Gemini API reference, Schema; JSON Schema 2020-12.
#include "formats/gemini/schema.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gemini/gemini.hpp"

namespace llm::gemini {

namespace {

// Of a schema that refers to others, how much is put in place: bytes, levels.
constexpr std::size_t most_bytes = std::size_t{1} << 20;
constexpr std::size_t deepest = 32;

// Keywords that mean the same in both.
constexpr std::string_view common[] = {
    "title",     "description",   "minLength",     "maxLength",
    "pattern",   "minimum",       "maximum",       "minItems",
    "maxItems",  "minProperties", "maxProperties", "default",
    "example",   "propertyOrdering",
};

// The only values of "format" that are not refused, by type.
constexpr std::string_view formats[] = {
    "date-time", "enum", "float", "double", "int32", "int64",
};

template <std::size_t N>
bool is_one_of(std::string_view word, const std::string_view (&words)[N]) {
    return std::find(std::begin(words), std::end(words), word)
           != std::end(words);
}

// One JSON Schema with what it refers to and all that is in its "allOf", as
// if it were one object: of a keyword that is there twice the first counts.
class Merged {
public:
    Merged(json::Value root, json::Value schema) : root_(root) {
        add(schema, 0);
    }

    json::Value operator[](std::string_view name) const {
        for (json::Value layer : layers_) {
            if (json::Value value = layer[name]) {
                return value;
            }
        }
        return {};
    }

    // A reference that leads to nothing, or in a circle.
    bool broken() const { return broken_; }

    const std::vector<json::Value> &layers() const { return layers_; }

private:
    void add(json::Value schema, std::size_t depth) {
        if (!schema.is_object()) {
            return;
        }
        if (depth == deepest || layers_.size() == deepest) {
            broken_ = true;
            return;
        }
        layers_.push_back(schema);
        if (json::Value ref = schema["$ref"]) {
            json::Value target = resolve(ref.string());
            broken_ |= !target;
            add(target, depth + 1);
        }
        for (json::Value one : schema["allOf"].elements()) {
            add(one, depth + 1);
        }
    }

    // "#/$defs/Name", or any other pointer into the same schema.
    json::Value resolve(std::string_view pointer) const {
        if (!pointer.starts_with('#')) {
            return {};
        }
        pointer.remove_prefix(1);
        json::Value value = root_;
        while (pointer.starts_with('/')) {
            pointer.remove_prefix(1);
            auto name = pointer.substr(0, pointer.find('/'));
            pointer.remove_prefix(name.size());
            value = value[name];
        }
        return value;
    }

    json::Value root_;
    std::vector<json::Value> layers_;
    bool broken_ = false;
};

class SchemaWriter {
public:
    SchemaWriter(json::Value root, std::string &out)
        : root_(root), out_(out), w_(out) {}

    void write(json::Value schema, std::size_t depth) {
        Merged merged(root_, schema);
        if (is_full() || depth == deepest || merged.broken()
            || is_inside(merged)) {
            // What a recursive schema says further down.
            w_.begin_object().member("type", "object").end_object();
            return;
        }

        std::size_t outer = open_.size();
        for (json::Value layer : merged.layers()) {
            open_.push_back(layer.raw().data());
        }
        w_.begin_object();
        write_types(merged, depth);
        for (std::string_view name : common) {
            if (json::Value value = merged[name]) {
                w_.member(name, value);
            }
        }
        if (is_one_of(merged["format"].string(), formats)) {
            w_.member("format", merged["format"]);
        }
        w_.end_object();
        open_.resize(outer);
    }

private:
    // Whether it is a part of itself.
    bool is_inside(const Merged &merged) const {
        return std::any_of(
            merged.layers().begin(), merged.layers().end(),
            [this](json::Value layer) {
                return std::find(open_.begin(), open_.end(),
                                 layer.raw().data())
                       != open_.end();
            });
    }

    bool is_full() const { return out_.size() > most_bytes; }

    // "type", and what belongs to it.
    void write_types(const Merged &schema, std::size_t depth) {
        std::vector<std::string_view> types;
        bool nullable = schema["nullable"].boolean();
        auto add = [&](std::string_view type) {
            if (type == "null") {
                nullable = true;
            } else if (!type.empty()) {
                types.push_back(type);
            }
        };
        add(schema["type"].string());
        for (json::Value one : schema["type"].elements()) {
            add(one.string());
        }

        json::Value any = schema["anyOf"];
        if (!any.is_array()) {
            any = schema["oneOf"];
        }
        if (any.is_array()) {
            write_union(any, nullable, depth);
            return;
        }
        if (types.empty()) {
            types.push_back(implied_type(schema));
        }
        if (nullable) {
            w_.member("nullable", true);
        }
        if (types.size() == 1) {
            write_type(schema, types.front(), depth);
            return;
        }
        w_.key("anyOf").begin_array();
        for (std::string_view type : types) {
            w_.begin_object();
            write_type(schema, type, depth);
            w_.end_object();
        }
        w_.end_array();
    }

    // A null among them is a property of the whole.
    void write_union(json::Value any, bool nullable, std::size_t depth) {
        std::vector<json::Value> members;
        for (json::Value one : any.elements()) {
            if (one["type"].string() == "null") {
                nullable = true;
            } else {
                members.push_back(one);
            }
        }
        if (nullable) {
            w_.member("nullable", true);
        }
        w_.key("anyOf").begin_array();
        for (json::Value one : members) {
            if (is_full()) {
                break;
            }
            write(one, depth + 1);
        }
        w_.end_array();
    }

    static std::string_view implied_type(const Merged &schema) {
        if (schema["properties"]) {
            return "object";
        }
        if (schema["items"] || schema["prefixItems"]) {
            return "array";
        }
        json::Value constant = schema["const"];
        if (constant.is_number()) {
            return "number";
        }
        if (constant.is_bool()) {
            return "boolean";
        }
        return schema["enum"] || constant ? "string" : "object";
    }

    void write_type(const Merged &schema, std::string_view type,
                    std::size_t depth) {
        w_.member("type", type);
        if (type == "string") {
            write_enum(schema);
        } else if (type == "array") {
            json::Value items = schema["items"];
            if (!items.is_object()) {
                for (json::Value first : schema["prefixItems"].elements()) {
                    items = first;
                    break;
                }
            }
            w_.key("items");
            if (items.is_object()) {
                write(items, depth + 1);
            } else {
                w_.begin_object().member("type", "string").end_object();
            }
        } else if (type == "object") {
            write_properties(schema, depth);
        }
    }

    // Only strings can be enumerated.
    void write_enum(const Merged &schema) {
        json::Value constant = schema["const"];
        json::Value list = schema["enum"];
        if (constant.is_string()) {
            w_.key("enum").begin_array().raw(constant.raw()).end_array();
        } else if (list.size() != 0) {
            w_.key("enum").begin_array();
            for (json::Value one : list.elements()) {
                if (one.is_string()) {
                    w_.raw(one.raw());
                }
            }
            w_.end_array();
        }
    }

    void write_properties(const Merged &schema, std::size_t depth) {
        json::Value properties = schema["properties"];
        if (!properties.is_object() || properties.size() == 0) {
            return;
        }
        w_.key("properties").begin_object();
        for (json::Member member : properties.members()) {
            if (is_full()) {
                break;
            }
            w_.key(member.name);
            write(member.value, depth + 1);
        }
        w_.end_object();

        json::Value required = schema["required"];
        if (required.size() == 0) {
            return;
        }
        // A name without a property is refused.
        w_.key("required").begin_array();
        for (json::Value name : required.elements()) {
            if (properties[name.string()]) {
                w_.raw(name.raw());
            }
        }
        w_.end_array();
    }

    json::Value root_;
    std::string &out_;
    json::Writer w_;
    std::vector<const char *> open_;    // schemas that are being written
};

// Schema -> JSON Schema

std::string lower(std::string_view word) {
    std::string out(word);
    for (char &c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }
    return out;
}

// What only Google knows.
constexpr std::string_view own[] = {"nullable", "propertyOrdering", "example",
                                    "property_ordering"};

// Numbers that protocol buffers may write as strings.
constexpr std::string_view counts[] = {
    "minItems",  "maxItems",      "minLength",
    "maxLength", "minProperties", "maxProperties",
};

bool write_count(json::Writer &writer, const json::Member &member) {
    for (std::string_view name : counts) {
        if (!is_named(member.name, name)) {
            continue;
        }
        std::string_view digits = member.value.string();
        std::int64_t count = 0;
        const char *end = digits.data() + digits.size();
        auto [last, error] = std::from_chars(digits.data(), end, count);
        writer.key(name);
        if (!digits.empty() && error == std::errc() && last == end) {
            writer.integer(count);
        } else {
            writer.raw(member.value.raw());
        }
        return true;
    }
    return false;
}

void write_type_word(json::Writer &writer, std::string_view type,
                     bool nullable) {
    std::string word = lower(type);
    if (!nullable || word == "null") {
        writer.string(word);
        return;
    }
    writer.begin_array().string(word).string("null").end_array();
}

}  // namespace

void write_schema(json::Writer &writer, json::Value schema) {
    std::string text;
    SchemaWriter(schema, text).write(schema, 0);
    writer.raw(text);
}

// Recursive: the parser bounds how deep a schema can be.
void write_json_schema(json::Writer &writer, json::Value schema) {
    if (!schema.is_object()) {
        writer.raw(schema.is_bool() ? schema.raw() : "{}");
        return;
    }

    bool nullable = schema["nullable"].boolean();
    writer.begin_object();
    for (json::Member member : schema.members()) {
        bool keyword = std::find(std::begin(own), std::end(own), member.name)
                       != std::end(own);
        if (keyword || write_count(writer, member)) {
            continue;
        }
        if (member.name == "type" && member.value.is_string()) {
            if (member.value.string() != "TYPE_UNSPECIFIED") {
                write_type_word(writer.key("type"), member.value.string(),
                                nullable);
            }
        } else if (member.name == "format"
                   && member.value.string() == "enum") {
            // JSON Schema has a keyword for it.
        } else if (member.name == "items") {
            write_json_schema(writer.key("items"), member.value);
        } else if (is_named(member.name, "anyOf")) {
            writer.key("anyOf").begin_array();
            for (json::Value one : member.value.elements()) {
                write_json_schema(writer, one);
            }
            if (nullable && !schema["type"]) {
                writer.begin_object().member("type", "null").end_object();
            }
            writer.end_array();
        } else if (member.name == "properties"
                   && member.value.is_object()) {
            writer.key("properties").begin_object();
            for (json::Member one : member.value.members()) {
                write_json_schema(writer.key(one.name), one.value);
            }
            writer.end_object();
        } else {
            writer.raw(member.raw);
        }
    }
    writer.end_object();
}

bool is_empty_object(json::Value schema) noexcept {
    return schema.is_object() && schema["properties"].size() == 0
           && !schema["$ref"] && !schema["anyOf"] && !schema["oneOf"]
           && !schema["allOf"] && !schema["additionalProperties"].is_object()
           && !schema["additional_properties"].is_object();
}

}  // namespace llm::gemini
