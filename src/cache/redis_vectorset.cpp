// Vector sets, Redis 8.
//
// Redis keeps the vectors as int8 unless told otherwise, so similarities are
// off by thousandths, as those of the gateway's own memory are.
#include "cache/redis_reply.hpp"
#include "llm/json.hpp"

namespace llm::cache::remote {

using redis::Reply;

namespace {

// KEYS: the list, the set. ARGV: the member, ms, the vector, the question as
// JSON. Some members that have expired go on each call, which is more than
// one call adds: so the set does not grow for ever.
constexpr std::string_view add_to_set_script = R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local keep = tonumber(ARGV[2])
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 32)
for _, member in ipairs(gone) do
    redis.call('VREM', KEYS[2], member)
    redis.call('ZREM', KEYS[1], member)
end
redis.call('VADD', KEYS[2], 'FP32', ARGV[3], ARGV[1], 'SETATTR',
           string.format('{"x":%.0f,"q":%s}', now + keep, ARGV[4]))
redis.call('ZADD', KEYS[1], now + keep, ARGV[1])
for _, key in ipairs(KEYS) do
    if redis.call('PTTL', key) < keep then
        redis.call('PEXPIRE', key, keep)
    end
end
return 1
)";

constexpr std::string_view question_member = "q";

std::string question_in(std::string_view attributes) {
    json::Document document;
    if (!document.parse(attributes, {.depth = 8})) {
        return {};
    }
    return std::string(document.root()[question_member].string());
}

Error set_error(const Reply &reply) {
    Error error = error_of(reply);
    if (mentions(reply.text, "syntax error")) {
        error.code = code_syntax;
    }
    return error;
}

void take_element(const Reply &element, const Reply &score,
                  const Reply *attributes, std::vector<Neighbour> &found) {
    auto key = element.is_text() ? from_hex(element.text) : std::nullopt;
    auto value = number(score);
    if (!key || !value) {
        return;
    }
    // 1 for the same direction, 0 for the opposite one.
    Neighbour neighbour{*key, static_cast<float>(2 * *value - 1), {}};
    if (attributes != nullptr && attributes->is_text()) {
        neighbour.question = question_in(attributes->text);
    }
    found.push_back(std::move(neighbour));
}

}  // namespace

Command add_to_set(const Names &names, const Put &put) {
    std::string question;
    json::append_string(question, put.question);
    return script(add_to_set_script,
                  {names.members(put.partition), names.set(put.partition)},
                  {hex(put.key), std::to_string(put.kept_for()),
                   blob(put.vector), std::move(question)});
}

Command remove_from_set(const Names &names, const ZoneKey &partition,
                        const ZoneKey &key) {
    std::string name = names.set(partition);
    return {{"VREM", name, hex(key)}, name};
}

Command search_set(const Names &names, const ZoneKey &partition,
                   std::span<const float> vector, std::size_t count,
                   std::int64_t now, bool attributes) {
    std::string name = names.set(partition);
    Command command{{"VSIM", name, "FP32", blob(vector), "WITHSCORES"}, name};
    if (attributes) {
        command.words.emplace_back("WITHATTRIBS");
    }
    command.words.emplace_back("COUNT");
    command.words.push_back(std::to_string(count));
    if (now > 0) {
        command.words.emplace_back("FILTER");
        command.words.push_back(".x > " + std::to_string(now));
    }
    return command;
}

Result<std::vector<Neighbour>> read_search_set(const Reply &reply,
                                               bool attributes) {
    if (reply.is_error()) {
        return set_error(reply);
    }
    std::vector<Neighbour> found;
    if (reply.is_nil()) {
        return found;
    }
    if (reply.type != Reply::Type::array && reply.type != Reply::Type::map) {
        return unexpected("list of elements");
    }

    // RESP3: a map of scores, or of score and attributes. RESP2: all in a row.
    const auto &all = reply.elements;
    bool is_map = reply.type == Reply::Type::map;
    std::size_t step = attributes && !is_map ? 3 : 2;
    if (all.size() % step != 0) {
        return unexpected("list of elements");
    }
    for (std::size_t i = 0; i < all.size(); i += step) {
        const Reply *score = &all[i + 1];
        const Reply *rest = step == 3 ? &all[i + 2] : nullptr;
        if (score->type == Reply::Type::array) {
            if (score->elements.size() < 2) {
                return unexpected("list of elements");
            }
            rest = &score->elements[1];
            score = &score->elements[0];
        }
        take_element(all[i], *score, rest, found);
    }
    sort_neighbours(found);
    return found;
}

Command get_attributes(const Names &names, const ZoneKey &partition,
                       const ZoneKey &key) {
    std::string name = names.set(partition);
    return {{"VGETATTR", name, hex(key)}, name};
}

std::string read_attributes(const Reply &reply) {
    return reply.is_text() ? question_in(reply.text) : std::string();
}

}  // namespace llm::cache::remote
