// The content parts of a message, where OpenAI's two APIs, and others that
// follow them, say the same.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "formats/fields.hpp"
#include "llm/chat.hpp"

namespace llm::openai {

// For sets of roles.
constexpr unsigned bit(chat::Role role) {
    return 1U << static_cast<unsigned>(role);
}

// How `Reader`, which is derived from PartReader, reads the parts of a type,
// and the roles whose messages may have them.
template <typename Reader>
struct PartRow {
    std::string_view type;
    unsigned roles;
    bool (Reader::*read)(json::Value, const fields::Path &, chat::Part &);
};

// Makes of an image's URL, which is in `part` as it came, its data where it is
// a data URL. What is wrong with it; empty: nothing.
std::string_view take_image_url(chat::Part &part);

class PartReader : protected fields::Reader {
protected:
    // {"text"}, {"refusal"} and {"input_audio":{"data","format"}}
    bool read_text(json::Value value, const fields::Path &path,
                   chat::Part &part);
    bool read_refusal(json::Value value, const fields::Path &path,
                      chat::Part &part);
    bool read_audio(json::Value value, const fields::Path &path,
                    chat::Part &part);
    // A file's content as a data URL, at `path`; none where it is empty.
    bool take_file_data(std::string_view url, const fields::Path &path,
                        chat::Part &part);

    // The row by which the part, an object, is read; nullptr after an error.
    template <typename Reader, std::size_t size>
    const PartRow<Reader> *row_of(json::Value value, const fields::Path &path,
                                  chat::Role role,
                                  const PartRow<Reader> (&rows)[size]) {
        if (!expect(value, json::Kind::object, path)) {
            return nullptr;
        }
        std::string_view type = value["type"].string();
        for (const auto &row : rows) {
            if (row.type == type && (row.roles & bit(role)) != 0) {
                return &row;
            }
        }

        std::string known;
        for (const auto &row : rows) {
            if ((row.roles & bit(role)) != 0) {
                known.append(known.empty() ? "must be one of \"" : ", \"");
                known.append(row.type).push_back('"');
            }
        }
        fail(fields::Path(path, "type"), known);
        return nullptr;
    }
};

}  // namespace llm::openai
