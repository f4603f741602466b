#include "llm/json.hpp"

namespace llm::json {

namespace {

std::size_t offset_in(std::string_view text, std::string_view part) {
    return static_cast<std::size_t>(part.data() - text.data());
}

}  // namespace

void apply_edits(std::string_view text, std::span<const Edit> edits,
                 std::string &out) {
    std::size_t position = 0;

    for (const Edit &edit : edits) {
        out.append(text, position, edit.offset - position);
        out.append(edit.text);
        position = edit.offset + edit.length;
    }

    out.append(text, position, text.size() - position);
}

Edit set_member(std::string_view text, Value object, std::string_view name,
                std::string_view json) {
    if (Value old = object[name]) {
        return {offset_in(text, old.raw()), old.raw().size(), std::string(json)};
    }

    Edit edit{offset_in(text, object.raw()) + 1, 0, {}};
    append_string(edit.text, name);
    edit.text.push_back(':');
    edit.text.append(json);
    if (object.size() != 0) {
        edit.text.push_back(',');
    }
    return edit;
}

Edit remove_member(std::string_view text, Value object, std::string_view name) {
    // From the end of the member before (the comma goes), or, for the first,
    // up to the start of the member after.
    std::size_t previous_end = 0;
    std::size_t found = std::string_view::npos;
    std::size_t found_end = 0;

    for (auto member : object.members()) {
        std::size_t start = offset_in(text, member.raw);
        if (found != std::string_view::npos) {
            return {found, start - found, {}};
        }
        if (member.name == name) {
            if (previous_end != 0) {
                return {previous_end,
                        start + member.raw.size() - previous_end, {}};
            }
            found = start;
            found_end = start + member.raw.size();
        } else {
            previous_end = start + member.raw.size();
        }
    }

    if (found != std::string_view::npos) {
        return {found, found_end - found, {}};
    }
    return {0, 0, {}};
}

}  // namespace llm::json
