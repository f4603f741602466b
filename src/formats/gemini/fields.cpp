#include <new>

#include "formats/gemini/gemini.hpp"
#include "llm/arena.hpp"

namespace llm::gemini {

bool is_named(std::string_view name, std::string_view camel) noexcept {
    std::size_t i = 0;
    for (char c : camel) {
        bool upper = c >= 'A' && c <= 'Z';
        if (upper && i < name.size() && name[i] == '_') {
            ++i;
            c = static_cast<char>(c | 0x20);
        }
        if (i == name.size() || name[i] != c) {
            return false;
        }
        ++i;
    }
    return i == name.size();
}

json::Value field(json::Value object, std::string_view camel) noexcept {
    for (json::Member member : object.members()) {
        if (is_named(member.name, camel)) {
            return member.value;
        }
    }
    return {};
}

json::Value arena_json(std::pmr::memory_resource *memory,
                       std::string_view json) {
    void *place = memory->allocate(sizeof(json::Document),
                                   alignof(json::Document));
    auto *document = new (place) json::Document(memory);
    if (!document->parse(arena_copy(memory, json), {.duplicates = true})) {
        return {};
    }
    return document->root();
}

}  // namespace llm::gemini
