// The stream that tells gateways of one another. A record's fields:
//
//     t    add, key, partition, all
//     g    the gateway that wrote it
//     k    the entry's key, hexadecimal (add, key)
//     p    the partition's (add, partition)
//     i    the embedding (add), and what follows likewise
//     l    ms from the record's own time on until it is stale
//     s    ms after that until it goes
//     q    the question
//     v    the vector, int8 for each component
#include <algorithm>
#include <cmath>

#include "cache/redis_reply.hpp"

namespace llm::cache::remote {

using redis::Reply;

namespace {

// KEYS: the stream. ARGV: records, ms to keep it, then names and values.
constexpr std::string_view announce_script = R"(
local keep = tonumber(ARGV[2])
local record = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*',
                          unpack(ARGV, 3))
if redis.call('PTTL', KEYS[1]) < keep then
    redis.call('PEXPIRE', KEYS[1], keep)
end
return record
)";

// KEYS: the epoch. ARGV: a new one.
constexpr std::string_view epoch_script = R"(
redis.call('SET', KEYS[1], ARGV[1], 'NX')
local time = redis.call('TIME')
return {redis.call('GET', KEYS[1]), time[1], time[2]}
)";

struct TypeRow {
    RecordType type;
    std::string_view word;
    bool has_key;
    bool has_partition;
};

constexpr TypeRow types[] = {
    {RecordType::added, "add", true, true},
    {RecordType::purged_key, "key", true, false},
    {RecordType::purged_partition, "partition", false, true},
    {RecordType::purged_all, "all", false, false},
};

constexpr float largest = 127;

std::string quantised(std::span<const float> vector) {
    float most = 0;
    for (float component : vector) {
        most = std::max(most, std::fabs(component));
    }
    float scale = most > 0 ? largest / most : 0;
    std::string out;
    out.reserve(vector.size());
    for (float component : vector) {
        float rounded = std::nearbyint(component * scale);
        out.push_back(static_cast<char>(static_cast<std::int8_t>(rounded)));
    }
    return out;
}

Command announce(const Names &names, std::int64_t keep,
                 std::vector<std::string> fields) {
    std::vector<std::string> arguments = {
        std::to_string(stream_length),
        std::to_string(std::max(keep, stream_kept_for))};
    std::move(fields.begin(), fields.end(), std::back_inserter(arguments));
    return script(announce_script, {names.stream()}, std::move(arguments));
}

std::string_view text_of(const Reply &fields, std::string_view name) noexcept {
    const Reply *found = field(fields, name);
    return found && found->is_text() ? std::string_view(found->text)
                                     : std::string_view();
}

// False: it is not what a gateway writes.
bool read_fields(const Reply &fields, Record &record) {
    std::string_view type = text_of(fields, "t");
    auto row = std::find_if(
        std::begin(types), std::end(types),
        [&](const TypeRow &known) { return known.word == type; });
    if (row == std::end(types)) {
        return false;
    }
    record.type = row->type;
    record.gateway = text_of(fields, "g");

    if (row->has_key) {
        auto key = from_hex(text_of(fields, "k"));
        if (!key) {
            return false;
        }
        record.key = *key;
    }
    if (row->has_partition) {
        auto partition = from_hex(text_of(fields, "p"));
        if (!partition) {
            return false;
        }
        record.partition = *partition;
    }
    if (row->type != RecordType::added) {
        return true;
    }

    auto ttl = parse_integer<std::int64_t>(text_of(fields, "l"));
    auto stale_for = parse_integer<std::int64_t>(text_of(fields, "s"));
    if (!ttl || !stale_for || *ttl <= 0 || *stale_for < 0) {
        return false;
    }
    record.id = text_of(fields, "i");
    record.ttl = *ttl;
    record.stale_for = *stale_for;
    record.question = text_of(fields, "q");
    record.vector = text_of(fields, "v");
    return !record.id.empty() && !record.vector.empty();
}

// An array of id and fields.
std::optional<Position> position_of(const Reply &entry) noexcept {
    if (entry.type != Reply::Type::array || entry.elements.empty()
        || !entry.elements[0].is_text())
    {
        return std::nullopt;
    }
    return Position::parse(entry.elements[0].text);
}

}  // namespace

std::string Position::text() const {
    return std::to_string(ms) + '-' + std::to_string(count);
}

std::optional<Position> Position::parse(std::string_view text) noexcept {
    auto dash = text.find('-');
    if (dash == text.npos) {
        return std::nullopt;
    }
    auto ms = parse_integer<std::uint64_t>(text.substr(0, dash));
    auto count = parse_integer<std::uint64_t>(text.substr(dash + 1));
    if (!ms || !count) {
        return std::nullopt;
    }
    return Position{*ms, *count};
}

std::vector<float> Record::floats(std::size_t dimensions) const {
    if (vector.size() != dimensions) {
        return {};
    }
    std::vector<float> out(vector.size());
    std::transform(vector.begin(), vector.end(), out.begin(), [](char byte) {
        return static_cast<float>(static_cast<std::int8_t>(byte)) / largest;
    });
    return out;
}

bool Record::remaining(std::int64_t now, std::int64_t *ttl_left,
                       std::int64_t *stale_left) const noexcept {
    // A clock that went back must not make anything live longer.
    std::uint64_t since = now > 0 && static_cast<std::uint64_t>(now)
                                         > position.ms
                              ? static_cast<std::uint64_t>(now) - position.ms
                              : 0;
    auto fresh = static_cast<std::uint64_t>(std::max<std::int64_t>(ttl, 0));
    auto stale = static_cast<std::uint64_t>(
        std::max<std::int64_t>(stale_for, 0));
    if (since < fresh) {
        *ttl_left = static_cast<std::int64_t>(fresh - since);
        *stale_left = static_cast<std::int64_t>(stale);
        return true;
    }
    since -= fresh;
    if (since >= stale) {
        return false;
    }
    // Stale now: the shortest time to be fresh that there is.
    *ttl_left = 1;
    *stale_left = static_cast<std::int64_t>(stale - since);
    return true;
}

Command announce_put(const Names &names, const Put &put,
                     std::string_view gateway) {
    return announce(names, put.kept_for(),
                    {"t", "add", "g", std::string(gateway), "k", hex(put.key),
                     "p", hex(put.partition), "i", names.id(), "l",
                     std::to_string(put.ttl), "s",
                     std::to_string(std::max<std::int64_t>(put.stale_for, 0)),
                     "q", std::string(put.question), "v",
                     quantised(put.vector)});
}

Command announce_purge(const Names &names, const ZoneKey *key,
                       const ZoneKey *partition, std::string_view gateway) {
    std::vector<std::string> fields = {"t", "all", "g", std::string(gateway)};
    if (key != nullptr) {
        fields[1] = "key";
        fields.insert(fields.end(), {"k", hex(*key)});
    } else if (partition != nullptr) {
        fields[1] = "partition";
        fields.insert(fields.end(), {"p", hex(*partition)});
    }
    return announce(names, stream_kept_for, std::move(fields));
}

Command read_stream(const Names &names, const Position &after,
                    std::size_t count, std::int64_t block) {
    Command command{{"XREAD", "COUNT", std::to_string(count)},
                    names.stream()};
    if (block > 0) {
        command.words.emplace_back("BLOCK");
        command.words.push_back(std::to_string(block));
    }
    command.words.insert(command.words.end(),
                         {"STREAMS", names.stream(), after.text()});
    return command;
}

Result<Records> read_records(const Reply &reply) {
    if (reply.is_error()) {
        return error_of(reply);
    }
    Records out;
    if (reply.is_nil()) {
        return out;
    }
    // One stream: a map of it and its entries, or an array of such pairs.
    const Reply *pair = &reply;
    if (reply.type == Reply::Type::array && reply.elements.size() == 1) {
        pair = &reply.elements[0];
    }
    if (pair->elements.size() != 2
        || pair->elements[1].type != Reply::Type::array)
    {
        return unexpected("part of a stream");
    }

    for (const Reply &entry : pair->elements[1].elements) {
        auto position = position_of(entry);
        if (!position) {
            return unexpected("part of a stream");
        }
        out.last = std::max(out.last.value_or(Position()), *position);
        Record record;
        record.position = *position;
        if (entry.elements.size() == 2
            && read_fields(entry.elements[1], record))
        {
            out.records.push_back(std::move(record));
        } else {
            ++out.broken;
        }
    }
    return out;
}

Command look_at_epoch(const Names &names, std::string_view fresh) {
    return script(epoch_script, {names.epoch()}, {std::string(fresh)});
}

Result<void> read_epoch(const Reply &reply, Look *look) {
    if (reply.is_error()) {
        return error_of(reply);
    }
    if (reply.type != Reply::Type::array || reply.elements.size() != 3
        || !reply.elements[0].is_text() || reply.elements[0].text.empty())
    {
        return unexpected("epoch");
    }
    auto seconds = parse_integer<std::int64_t>(reply.elements[1].text);
    auto micros = parse_integer<std::int64_t>(reply.elements[2].text);
    if (!seconds || !micros || *seconds < 0 || *micros < 0
        || *seconds > std::int64_t{1} << 40 || *micros >= 1000000)
    {
        return unexpected("time");
    }
    look->epoch = reply.elements[0].text;
    look->now = *seconds * 1000 + *micros / 1000;
    return {};
}

Command look_at_first(const Names &names) {
    return {{"XRANGE", names.stream(), "-", "+", "COUNT", "1"},
            names.stream()};
}

Command look_at_last(const Names &names) {
    return {{"XREVRANGE", names.stream(), "+", "-", "COUNT", "1"},
            names.stream()};
}

Result<std::optional<Position>> read_position(const Reply &reply) {
    if (reply.is_error()) {
        return error_of(reply);
    }
    if (reply.type != Reply::Type::array) {
        return unexpected("part of a stream");
    }
    if (reply.elements.empty()) {
        return std::optional<Position>();
    }
    auto position = position_of(reply.elements[0]);
    if (!position) {
        return unexpected("part of a stream");
    }
    return position;
}

Verdict judge(const Followed &followed, const Look &look, bool connected) {
    if (followed.epoch.empty()) {
        return Verdict::start_over;
    }
    if (followed.epoch != look.epoch) {
        return connected ? Verdict::start_empty : Verdict::start_over;
    }
    if (followed.position == Position()) {
        return Verdict::go_on;
    }
    // The stream alone went, or begins anew.
    if (!look.last || *look.last < followed.position) {
        return Verdict::start_over;
    }
    // Records that were never read are gone, a purge perhaps.
    if (look.first && *look.first > followed.position) {
        return Verdict::start_empty;
    }
    return Verdict::go_on;
}

}  // namespace llm::cache::remote
