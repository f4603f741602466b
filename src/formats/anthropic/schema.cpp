#include <algorithm>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"

namespace llm::anthropic {

namespace {

// What becomes of a JSON Schema keyword; one that is not listed is kept.
enum class Keyword {
    dropped,
    schema,         // its value is a schema
    schemas,        // an array of schemas
    named_schemas,  // an object of schemas
    one_of,
    format,
    min_items,
};

struct KeywordRow {
    std::string_view name;
    Keyword keyword;
};

constexpr KeywordRow keywords[] = {
    {"additionalProperties", Keyword::dropped},
    {"minimum", Keyword::dropped},
    {"maximum", Keyword::dropped},
    {"exclusiveMinimum", Keyword::dropped},
    {"exclusiveMaximum", Keyword::dropped},
    {"multipleOf", Keyword::dropped},
    {"minLength", Keyword::dropped},
    {"maxLength", Keyword::dropped},
    {"pattern", Keyword::dropped},
    {"maxItems", Keyword::dropped},
    {"uniqueItems", Keyword::dropped},
    {"minProperties", Keyword::dropped},
    {"maxProperties", Keyword::dropped},
    {"items", Keyword::schema},
    {"not", Keyword::schema},
    {"anyOf", Keyword::schemas},
    {"allOf", Keyword::schemas},
    {"prefixItems", Keyword::schemas},
    {"properties", Keyword::named_schemas},
    {"$defs", Keyword::named_schemas},
    {"definitions", Keyword::named_schemas},
    {"oneOf", Keyword::one_of},
    {"format", Keyword::format},
    {"minItems", Keyword::min_items},
};

constexpr std::string_view formats[] = {
    "date-time", "time", "date", "duration", "email",
    "hostname",  "uri",  "ipv4", "ipv6",     "uuid",
};

bool describes_object(json::Value schema) {
    json::Value type = schema["type"];
    if (type.string() == "object" || schema["properties"].is_object()) {
        return true;
    }
    for (json::Value one : type.elements()) {
        if (one.string() == "object") {
            return true;
        }
    }
    return false;
}

void write_schemas(json::Writer &writer, json::Value schemas) {
    if (!schemas.is_array()) {
        writer.raw(schemas.raw());
        return;
    }
    writer.begin_array();
    for (json::Value schema : schemas.elements()) {
        write_strict_schema(writer, schema);
    }
    writer.end_array();
}

void write_named_schemas(json::Writer &writer, json::Value schemas) {
    if (!schemas.is_object()) {
        writer.raw(schemas.raw());
        return;
    }
    writer.begin_object();
    for (json::Member member : schemas.members()) {
        writer.key(member.name);
        write_strict_schema(writer, member.value);
    }
    writer.end_object();
}

void write_keyword(json::Writer &writer, json::Value schema,
                   const json::Member &member) {
    auto row = std::find_if(
        std::begin(keywords), std::end(keywords),
        [&](const KeywordRow &row) { return row.name == member.name; });
    if (row == std::end(keywords)) {
        writer.raw(member.raw);
        return;
    }

    switch (row->keyword) {
    case Keyword::dropped:
        break;
    case Keyword::schema:
        writer.key(member.name);
        write_strict_schema(writer, member.value);
        break;
    case Keyword::schemas:
        writer.key(member.name);
        write_schemas(writer, member.value);
        break;
    case Keyword::named_schemas:
        writer.key(member.name);
        write_named_schemas(writer, member.value);
        break;
    case Keyword::one_of:
        if (!schema["anyOf"]) {
            writer.key("anyOf");
            write_schemas(writer, member.value);
        }
        break;
    case Keyword::format:
        if (std::find(std::begin(formats), std::end(formats),
                      member.value.string()) != std::end(formats)) {
            writer.raw(member.raw);
        }
        break;
    case Keyword::min_items:
        if (member.value.integer().value_or(2) <= 1) {
            writer.raw(member.raw);
        }
        break;
    }
}

}  // namespace

// Recursive: the parser bounds how deep a schema can be.
void write_strict_schema(json::Writer &writer, json::Value schema) {
    if (!schema.is_object()) {
        writer.raw(schema.raw());       // true, false
        return;
    }

    writer.begin_object();
    for (json::Member member : schema.members()) {
        write_keyword(writer, schema, member);
    }
    if (describes_object(schema)) {
        writer.member("additionalProperties", false);
    }
    writer.end_object();
}

bool is_strict_schema(json::Value schema) noexcept {
    // Members and elements that are no schemas have no properties.
    if (schema.is_array()) {
        for (json::Value one : schema.elements()) {
            if (!is_strict_schema(one)) {
                return false;
            }
        }
        return true;
    }
    if (!schema.is_object()) {
        return true;
    }

    json::Value properties = schema["properties"];
    if (properties.is_object()) {
        // Names in `required` are unique, so that equal counts mean all.
        json::Value closed = schema["additionalProperties"];
        if (!closed.is_bool() || closed.boolean()
            || schema["required"].size() != properties.size()) {
            return false;
        }
    }
    for (json::Member member : schema.members()) {
        if (!is_strict_schema(member.value)) {
            return false;
        }
    }
    return true;
}

void write_input_schema(json::Writer &writer, json::Value schema) {
    if (schema["type"].string() == "object") {
        writer.raw(schema.raw());
        return;
    }

    writer.begin_object().member("type", "object");
    if (!schema["properties"] && !schema["$ref"] && !schema["anyOf"]) {
        writer.key("properties").begin_object().end_object();
    }
    for (json::Member member : schema.members()) {
        if (member.name != "type") {
            writer.raw(member.raw);
        }
    }
    writer.end_object();
}

}  // namespace llm::anthropic
