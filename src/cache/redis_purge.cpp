#include "cache/redis_reply.hpp"

namespace llm::cache::remote {

using redis::Reply;

namespace {

// Keys that Redis looks at in one step of a scan: well below a millisecond.
constexpr std::size_t scan_step = 500;

// A text that a pattern matches as it is.
// https://redis.io/docs/latest/commands/keys/
std::string escape_pattern(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (std::string_view("*?[]^-\\").find(c) != std::string_view::npos) {
            out.push_back('\\');
        }
        out.push_back(c);
    }
    return out;
}

}  // namespace

Command list_members(const Names &names, const ZoneKey &partition,
                     std::size_t count) {
    std::string name = names.members(partition);
    return {{"ZRANGE", name, "0", std::to_string(count - 1)}, name};
}

Result<Members> read_members(const Reply &reply) {
    if (reply.is_error()) {
        return error_of(reply);
    }
    if (reply.type != Reply::Type::array) {
        return unexpected("list of members");
    }
    Members members;
    for (const Reply &element : reply.elements) {
        if (!element.is_text()) {
            return unexpected("list of members");
        }
        members.words.push_back(element.text);
        if (auto key = from_hex(element.text)) {
            members.keys.push_back(*key);
        }
    }
    return members;
}

Command remove_members(const Names &names, const ZoneKey &partition,
                       std::span<const std::string> words) {
    std::string name = names.members(partition);
    Command command{{"ZREM", name}, name};
    command.words.insert(command.words.end(), words.begin(), words.end());
    return command;
}

std::vector<Command> remove_partition(const Names &names,
                                      const ZoneKey &partition) {
    return {remove_key(names.members(partition)),
            remove_key(names.set(partition))};
}

Command cluster_slots() { return {{"CLUSTER", "SLOTS"}, {}}; }

std::string key_of_slots(unsigned first, unsigned last) {
    // Each slot has some 60 of them.
    for (unsigned i = 0; i < 64 * redis::slot_count; ++i) {
        std::string key = std::to_string(i);
        unsigned slot = redis::key_slot(key);
        if (slot >= first && slot <= last) {
            return key;
        }
    }
    return {};
}

Command scan(const Names &names, std::string_view cursor,
             std::string_view node_key) {
    return {{"SCAN", std::string(cursor), "MATCH",
             escape_pattern(names.prefix()) + '*', "COUNT",
             std::to_string(scan_step)},
            std::string(node_key)};
}

Result<Scanned> read_scan(const Reply &reply, const Names &names) {
    if (reply.is_error()) {
        return error_of(reply);
    }
    if (reply.type != Reply::Type::array || reply.elements.size() != 2
        || !reply.elements[0].is_text()
        || !parse_integer<std::uint64_t>(reply.elements[0].text)
        || reply.elements[1].type != Reply::Type::array)
    {
        return unexpected("step of a scan");
    }
    Scanned scanned;
    scanned.cursor = reply.elements[0].text;
    for (const Reply &name : reply.elements[1].elements) {
        if (name.is_text() && names.is_content(name.text)) {
            scanned.keys.push_back(name.text);
        }
    }
    return scanned;
}

Command remove_key(std::string_view name) {
    return {{"UNLINK", std::string(name)}, std::string(name)};
}

}  // namespace llm::cache::remote
