#include "formats/block_message_reader.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "llm/arena.hpp"

namespace llm {

using chat::Message;
using chat::Part;
using chat::Role;
using fields::Path;
using fields::quoted;

Result<void> BlockMessageReader::read(json::Value root) {
    if (!read_system(root["system"], Path("system"))
        || !read_messages(root["messages"], Path("messages"))) {
        return std::move(error_);
    }
    return {};
}

bool BlockMessageReader::read_system(json::Value value, const Path &path) {
    if (value.is_null()) {
        return true;
    }
    Message message(memory_);
    message.role = Role::system;
    if (!read_content(value, path, in_system, message)) {
        return false;
    }
    push_unless_empty(message);
    return true;
}

bool BlockMessageReader::read_messages(json::Value value, const Path &path) {
    if (!value.is_array()) {
        return fail(path, value ? "must be an array" : "is required");
    }
    if (value.size() == 0) {
        return fail(path, "must not be empty");
    }
    request_.messages.reserve(value.size() + 1);
    return each(value, path, [this](json::Value message, const Path &where) {
        return read_message(message, where);
    });
}

bool BlockMessageReader::read_message(json::Value value, const Path &path) {
    static constexpr struct {
        std::string_view word;
        Role role;
        Place place;
    } roles[] = {
        {"user", Role::user, in_user},
        {"assistant", Role::assistant, in_assistant},
        {"system", Role::system, in_system},
    };

    std::string_view word;
    if (!expect(value, json::Kind::object, path)
        || !required_string(value, path, "role", word)) {
        return false;
    }
    auto row = std::find_if(std::begin(roles), std::end(roles),
                            [&](auto &row) { return row.word == word; });
    if (row == std::end(roles)) {
        return fail(Path(path, "role"),
                    "has an unknown value " + quoted(word));
    }

    std::size_t before = request_.messages.size();
    Message message(memory_);
    message.role = row->role;
    message.source = value;
    json::Value content = value["content"];
    Path where(path, "content");
    if (!content) {
        return fail(where, "is required");
    }
    if (!read_content(content, where, row->place, message)) {
        return false;
    }
    // A message of tool results only has become others.
    if (!message.parts.empty() || request_.messages.size() == before) {
        request_.messages.push_back(std::move(message));
    }
    return true;
}

void BlockMessageReader::push_unless_empty(Message &message) {
    if (!message.parts.empty()) {
        request_.messages.push_back(std::move(message));
    }
}

std::string_view BlockMessageReader::titled(std::string_view title,
                                            std::string_view source,
                                            std::string_view text) {
    if (title.empty() && source.empty()) {
        return text;
    }
    std::string_view line = source.empty() || title.empty() ? "" : "\n";
    return arena_concat(memory_, {title, line, source, "\n\n", text});
}

std::string_view BlockMessageReader::joined(const Message &message) {
    if (message.parts.size() == 1) {
        return message.parts.front().text;
    }
    std::string text;
    for (const Part &part : message.parts) {
        if (!text.empty()) {
            text.push_back('\n');
        }
        text.append(part.text);
    }
    return arena_copy(memory_, text);
}

}  // namespace llm
