#include <algorithm>
#include <limits>

#include "cache/redis_reply.hpp"

namespace llm::cache::remote {

using redis::Reply;

namespace {

// KEYS: the list. ARGV: the member, ms.
constexpr std::string_view add_member_script = R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local keep = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + keep, ARGV[1])
if redis.call('PTTL', KEYS[1]) < keep then
    redis.call('PEXPIRE', KEYS[1], keep)
end
return 1
)";

// What no ttl reaches; far below where Redis' sums would overflow.
constexpr std::int64_t longest = std::int64_t{1} << 42;

}  // namespace

std::int64_t Put::kept_for() const noexcept {
    return std::clamp<std::int64_t>(ttl, 1, longest)
           + std::clamp<std::int64_t>(stale_for, 0, longest);
}

Command get_entry(const Names &names, const ZoneKey &key) {
    std::string name = names.entry(key);
    return {{"GET", name}, name};
}

Result<std::optional<std::string>> read_entry(const Reply &reply) {
    if (reply.is_error()) {
        return error_of(reply);
    }
    if (reply.is_nil()) {
        return std::optional<std::string>();
    }
    // Enough to tell ours from a mistake; its reader looks closely.
    if (reply.type != Reply::Type::string
        || !reply.text.starts_with("{\"v\":") || !reply.text.ends_with('}'))
    {
        return unexpected("entry of a cache");
    }
    return std::optional(reply.text);
}

Command set_entry(const Names &names, const Put &put) {
    std::string name = names.entry(put.key);
    return {{"SET", name, std::string(put.value), "PX",
             std::to_string(put.kept_for())},
            name};
}

Command remove_entry(const Names &names, const ZoneKey &key) {
    return remove_key(names.entry(key));
}

Command add_member(const Names &names, const Put &put) {
    return script(add_member_script, {names.members(put.partition)},
                  {hex(put.key), std::to_string(put.kept_for())});
}

Result<void> read_done(const Reply &reply) {
    if (reply.is_error()) {
        return error_of(reply);
    }
    return {};
}

std::string stand_in(std::string_view question) {
    // No JSON begins so.
    return '\1' + std::string(question);
}

bool is_stand_in(std::string_view value) noexcept {
    return value.starts_with('\1');
}

std::string_view question_of(std::string_view value) noexcept {
    return is_stand_in(value) ? value.substr(1) : std::string_view();
}

}  // namespace llm::cache::remote
