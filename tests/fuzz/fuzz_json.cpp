// Any text is refused, or becomes a tree whose parts are JSON by themselves
// and stay so when members are set and removed.
#include "fuzz.hpp"

using namespace llm;

namespace {

void visit(json::Value value, std::string &out) {
    json::Writer w(out);
    switch (value.kind()) {
    case json::Kind::object:
        w.begin_object();
        for (const json::Member &member : value.members()) {
            fuzz::promise(member.raw.ends_with(member.value.raw()),
                          "a member ends with its value", member.raw);
            std::string inner;
            visit(member.value, inner);
            w.key(member.name).raw(inner);
        }
        w.end_object();
        break;
    case json::Kind::array:
        w.begin_array();
        for (json::Value element : value.elements()) {
            std::string inner;
            visit(element, inner);
            w.raw(inner);
        }
        w.end_array();
        break;
    case json::Kind::string:
        w.string(value.string());
        break;
    default:
        (void)value.integer();
        (void)value.number();
        w.raw(value.raw());
        break;
    }
}

void edit(std::string_view text, json::Value root, std::string_view name) {
    for (const json::Edit &edit : {json::set_member(text, root, name, "[1]"),
                                   json::remove_member(text, root, name)}) {
        std::string out;
        json::apply_edits(text, {&edit, 1}, out);
        fuzz::promise_json(out, "an edited object is JSON");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    std::string_view text(reinterpret_cast<const char *>(data), size);
    json::Document document;
    if (!document.parse(text, {.depth = 32, .duplicates = true})) {
        fuzz::promise(!document.root(), "no tree after an error", text);
        return 0;
    }

    json::Value root = document.root();
    fuzz::promise_json(root.raw(), "a value's bytes are JSON");
    std::string out;
    visit(root, out);
    fuzz::promise_json(out, "a tree written again is JSON");

    if (root.is_object()) {
        edit(text, root, "a");
        for (const json::Member &member : root.members()) {
            edit(text, root, member.name);
        }
    }
    return 0;
}
