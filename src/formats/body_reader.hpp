// What the requests of several APIs say alike, mostly in OpenAI's words, which
// others have taken over.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory_resource>
#include <optional>
#include <string_view>

#include "formats/fields.hpp"
#include "llm/chat.hpp"

namespace llm::fields {

// A row of the table by which `Reader`, which is derived from BodyReader,
// reads the members of a body.
template <typename Reader>
struct MemberRow {
    std::string_view name;
    bool (Reader::*read)(json::Value, const Path &);
};

// nullptr where no row has the name.
template <typename Reader, std::size_t size>
const MemberRow<Reader> *find_row(const MemberRow<Reader> (&rows)[size],
                                  std::string_view name) {
    for (const auto &row : rows) {
        if (row.name == name) {
            return &row;
        }
    }
    return nullptr;
}

// What reads a whole request is derived from it. Functions with a value and
// its path read a member that is there and not null.
class BodyReader : protected Reader {
public:
    BodyReader(json::Value root, std::pmr::memory_resource *memory)
        : root_(root), memory_(memory), request_(memory) {}

protected:
    // Whether the body is an object, and has these members.
    bool has(std::initializer_list<std::string_view> names);

    // A member that stands for one field and needs no more than a check of
    // its type.
    template <json::Value chat::Request::*field, json::Kind kind>
    bool keep(json::Value value, const Path &path) {
        request_.*field = value;
        return expect(value, kind, path);
    }
    template <std::string_view chat::Request::*field>
    bool text(json::Value value, const Path &path) {
        request_.*field = value.string();
        return expect(value, json::Kind::string, path);
    }
    template <auto field>
    bool flag(json::Value value, const Path &path) {
        request_.*field = value.boolean();
        return expect(value, json::Kind::boolean, path);
    }
    template <std::optional<std::int64_t> chat::Request::*field,
              std::int64_t least>
    bool count(json::Value value, const Path &path) {
        return integer(value, path, least, request_.*field);
    }

    bool read_model(json::Value value, const Path &path);
    // A list of texts.
    bool read_stops(json::Value value, const Path &path) {
        return texts(value, path, request_.stop);
    }
    // A text, or a list of texts.
    bool read_stop(json::Value value, const Path &path);
    bool read_stream_options(json::Value value, const Path &path);

    // {"type":"text"}, "json_object" or "json_schema". What the latter holds,
    // read_json_schema() reads where it is.
    bool read_format_type(json::Value value, const Path &path);
    bool wants_json_schema() const;
    // {"name","description","schema","strict"}
    bool read_json_schema(json::Value value, const Path &path);

    // {"name","description","parameters"}
    bool read_function(json::Value value, const Path &path, chat::Tool &tool);
    // [{"type":"function","function":{...}}]. A tool without "type" is a
    // function.
    bool read_function_list(json::Value value, const Path &path);
    // "auto", "none", "required"; an object is left to the caller.
    bool read_choice_word(json::Value value, const Path &path,
                          chat::ToolChoice &choice);

    json::Value root_;
    std::pmr::memory_resource *memory_;
    chat::Request request_;
};

}  // namespace llm::fields
