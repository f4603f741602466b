#include "simulate/instance.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "simulate/words.hpp"

namespace llm::simulate {

namespace {

// What a string property of such a name is filled with.
enum class Source { name, text };

struct NameRow {
    std::string_view name;
    Source source;
};

constexpr NameRow names[] = {
    {"city", Source::name},        {"location", Source::name},
    {"place", Source::name},       {"town", Source::name},
    {"country", Source::name},     {"region", Source::name},
    {"name", Source::name},        {"person", Source::name},
    {"origin", Source::name},      {"destination", Source::name},
    {"query", Source::text},       {"question", Source::text},
    {"prompt", Source::text},      {"text", Source::text},
    {"input", Source::text},       {"message", Source::text},
    {"q", Source::text},           {"search", Source::text},
    {"answer", Source::text},      {"expression", Source::text},
};

// The formats of JSON Schema Validation, section 7.3.
struct FormatRow {
    std::string_view format;
    std::string_view example;
};

constexpr FormatRow formats[] = {
    {"date", "2025-01-01"},
    {"time", "12:00:00Z"},
    {"date-time", "2025-01-01T12:00:00Z"},
    {"duration", "PT1H"},
    {"email", "user@example.com"},
    {"hostname", "example.com"},
    {"uri", "https://example.com/"},
    {"ipv4", "192.0.2.1"},
    {"ipv6", "2001:db8::1"},
    {"uuid", "00000000-0000-4000-8000-000000000000"},
};

constexpr std::string_view no_word = "example";

// Schemas that refer to themselves end here.
constexpr int deepest = 12;
constexpr int most_values = 4096;
constexpr std::int64_t most_items = 16;
constexpr std::size_t longest_ref = 256;
// A user can name one of so many.
constexpr int most_choices = 256;

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

class InstanceWriter {
public:
    InstanceWriter(std::string &out, json::Value root, std::string_view text)
        : writer_(out), root_(root), text_(text), words_(split_words(text)) {
        for (std::string_view word : words_) {
            double number = 0;
            auto [end, error] = std::from_chars(
                word.data(), word.data() + word.size(), number);
            // "nan" and "inf" are words here.
            if (error == std::errc() && end == word.data() + word.size()
                && std::isfinite(number)) {
                numbers_.push_back(number);
            }
        }
    }

    void write_root() {
        json::Value schema = resolve(root_);
        if (schema["properties"].is_object()) {
            write_object(schema, 0);
        } else {
            writer_.begin_object().end_object();
        }
    }

private:
    // The schema that a $ref into this document leads to.
    json::Value resolve(json::Value schema) const {
        for (int hops = 0; hops < deepest; ++hops) {
            std::string_view ref = schema["$ref"].string();
            if (!ref.starts_with("#") || ref.size() > longest_ref) {
                break;
            }
            ref.remove_prefix(1);
            schema = root_;
            while (ref.starts_with("/")) {
                ref.remove_prefix(1);
                std::string_view name = ref.substr(0, ref.find('/'));
                schema = schema[name];
                ref.remove_prefix(name.size());
            }
        }
        return schema;
    }

    static json::Value first(json::Value array) {
        for (json::Value one : array.elements()) {
            return one;
        }
        return {};
    }

    static std::string_view type_of(json::Value schema) {
        json::Value type = schema["type"];
        if (type.is_string()) {
            return type.string();
        }
        for (json::Value one : type.elements()) {
            if (one.string() != "null") {
                return one.string();
            }
        }
        if (schema["properties"].is_object()) {
            return "object";
        }
        return schema["items"].is_object() ? "array" : "string";
    }

    void write(json::Value schema, std::string_view name, int depth) {
        if (depth >= deepest || ++values_ > most_values) {
            writer_.null();
            return;
        }
        schema = resolve(schema);
        for (std::string_view keyword : {"const", "default"}) {
            if (json::Value value = schema[keyword]) {
                writer_.raw(value.raw());
                return;
            }
        }
        if (schema["enum"].size() != 0) {
            write_enum(schema["enum"]);
            return;
        }
        for (std::string_view keyword : {"anyOf", "oneOf", "allOf"}) {
            if (json::Value one = first(schema[keyword])) {
                write(one, name, depth + 1);
                return;
            }
        }

        std::string_view type = type_of(schema);
        if (type == "object") {
            write_object(schema, depth);
        } else if (type == "array") {
            write_array(schema, name, depth);
        } else if (type == "number" || type == "integer") {
            write_number(schema, type == "integer");
        } else if (type == "boolean") {
            writer_.boolean(true);
        } else if (type == "null") {
            writer_.null();
        } else {
            write_string(schema, name);
        }
    }

    void write_object(json::Value schema, int depth) {
        json::Value properties = schema["properties"];
        writer_.begin_object();
        for (json::Value required : schema["required"].elements()) {
            if (values_ > most_values) {
                break;
            }
            if (required.is_string()) {
                writer_.key(required.string());
                write(properties[required.string()], required.string(),
                      depth + 1);
            }
        }
        writer_.end_object();
    }

    void write_array(json::Value schema, std::string_view name, int depth) {
        std::int64_t items = std::clamp<std::int64_t>(
            schema["minItems"].integer().value_or(1), 1, most_items);
        items = std::min(items,
                         schema["maxItems"].integer().value_or(most_items));
        // "cities" is filled as "city" would be.
        std::string singular(name);
        if (singular.ends_with("ies")) {
            singular.replace(singular.size() - 3, 3, "y");
        } else if (singular.ends_with("s")) {
            singular.pop_back();
        }
        writer_.begin_array();
        for (std::int64_t i = 0; i < items; ++i) {
            write(schema["items"], singular, depth + 1);
        }
        writer_.end_array();
    }

    // The value that the user names, else the first.
    void write_enum(json::Value values) {
        json::Value chosen = first(values);
        int seen = 0;
        for (json::Value value : values.elements()) {
            if (++seen > most_choices) {
                break;
            }
            if (!value.string().empty() && contains(text_, value.string())) {
                chosen = value;
                break;
            }
        }
        writer_.raw(chosen.raw());
    }

    void write_number(json::Value schema, bool integer) {
        auto least = schema["minimum"].number();
        auto most = schema["maximum"].number();
        if (auto above = schema["exclusiveMinimum"].number()) {
            least = *above + 1;
        }
        if (auto below = schema["exclusiveMaximum"].number()) {
            most = *below - 1;
        }

        double value = 1;
        if (next_number_ < numbers_.size()) {
            value = numbers_[next_number_++];
        }
        if (least) {
            value = std::max(value, *least);
        }
        if (most) {
            value = std::min(value, *most);
        }
        if (!integer) {
            writer_.number(value);
            return;
        }
        constexpr double largest = 0x1p53;
        writer_.integer(static_cast<std::int64_t>(
            std::clamp(std::ceil(value), -largest, largest)));
    }

    void write_string(json::Value schema, std::string_view name) {
        std::string_view format = schema["format"].string();
        for (const FormatRow &row : formats) {
            if (row.format == format) {
                writer_.string(row.example);
                return;
            }
        }

        std::string value(string_for(name));
        bound(value, schema);
        writer_.string(value);
    }

    std::string_view string_for(std::string_view name) const {
        auto row = std::find_if(
            std::begin(names), std::end(names), [name](const NameRow &row) {
                return row.name.size() == name.size()
                       && contains(name, row.name);
            });
        if (row != std::end(names)) {
            std::string_view found =
                row->source == Source::name ? last_name(text_) : text_;
            if (!found.empty()) {
                return found;
            }
        }
        return words_.empty() ? no_word : words_.back();
    }

    // Lengths are in characters.
    static void bound(std::string &value, json::Value schema) {
        constexpr std::int64_t longest = 4096;
        std::int64_t most =
            std::max<std::int64_t>(schema["maxLength"].integer().value_or(
                                       longest), 0);
        std::int64_t least =
            std::min(schema["minLength"].integer().value_or(0), longest);

        std::int64_t characters = 0;
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (is_continuation(value[i])) {
                continue;
            }
            if (characters == most) {
                value.resize(i);
                break;
            }
            ++characters;
        }
        if (characters < least) {
            value.append(static_cast<std::size_t>(least - characters), 'x');
        }
    }

    json::Writer writer_;
    json::Value root_;
    std::string_view text_;
    std::vector<std::string_view> words_;
    std::vector<double> numbers_;
    std::size_t next_number_ = 0;
    int values_ = 0;
};

}  // namespace

void append_instance(std::string &out, json::Value schema,
                     std::string_view text) {
    InstanceWriter(out, schema, text).write_root();
}

}  // namespace llm::simulate
