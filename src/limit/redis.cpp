#include "llm/limit_redis.hpp"

#include <algorithm>
#include <new>

#include <openssl/evp.h>

#include "limit/arithmetic.hpp"
#include "limit/scripts.hpp"

namespace llm::limit {

namespace {

std::string sha1_hex(std::string_view text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    // With a digest that is built in, only memory can be missing.
    if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(),
                   nullptr)
        != 1)
    {
        throw std::bad_alloc();
    }
    std::string hex;
    for (unsigned int i = 0; i < size; ++i) {
        hex.push_back("0123456789abcdef"[digest[i] >> 4]);
        hex.push_back("0123456789abcdef"[digest[i] & 0xF]);
    }
    return hex;
}

struct OwnedScript {
    explicit OwnedScript(std::string source)
        : text(std::move(source)), script{text, sha1_hex(text)} {}

    std::string text;
    Script script;
};

std::string with_settling(std::string_view script) {
    std::string text(scripts::common);
    text += scripts::settling;
    text += script;
    return text;
}

char kind_of(const Limit &limit) noexcept {
    switch (limit.window) {
    case Window::sliding:
        return 's';
    case Window::fixed:
        return 'f';
    case Window::calendar:
        return 'c';
    case Window::bucket:
        break;
    }
    return 'b';
}

Command begin(const Script &script, Call call, std::size_t keys) {
    if (call == Call::by_text) {
        return {"EVAL", std::string(script.text), std::to_string(keys)};
    }
    return {"EVALSHA", script.sha1, std::to_string(keys)};
}

// What read_limit() reads.
void append_limit(Command &command, const Limit &limit, std::int64_t now) {
    std::int64_t period = period_of(limit);
    command.emplace_back(1, kind_of(limit));
    std::int64_t borders[4] = {};
    if (limit.window == Window::calendar) {
        auto present = calendar_span(limit.unit, limit.zone, now);
        borders[0] =
            calendar_span(limit.unit, limit.zone, present.start - 1).start;
        borders[1] = present.start;
        borders[2] = present.end;
        borders[3] = calendar_span(limit.unit, limit.zone, present.end).end;
    }
    for (std::int64_t value :
         {limit.capacity(), clamp_amount(limit.budget), period,
          tick_of(period), slot_of(limit), borders[0], borders[1],
          borders[2], borders[3]})
    {
        command.push_back(std::to_string(value));
    }
}

// Up to what is told of each limit.
template <typename Each>
Command begin_call(const Script &script, Call call, std::span<Each> each,
                   std::string_view record,
                   std::optional<std::int64_t> test_clock) {
    auto command = begin(script, call, each.size() + !record.empty());
    for (const auto &one : each) {
        command.push_back(one.key);
    }
    if (!record.empty()) {
        command.emplace_back(record);
    }
    command.push_back(test_clock ? std::to_string(*test_clock)
                                 : std::string());
    return command;
}

void append_requests(Command &command,
                     std::span<const RemoteRequest> requests,
                     std::int64_t now) {
    for (const auto &request : requests) {
        command.push_back(std::to_string(clamp_amount(request.amount)));
        append_limit(command, request.limit, now);
    }
}

void append_settlements(Command &command,
                        std::span<const RemoteSettlement> settlements,
                        std::int64_t now) {
    for (const auto &settlement : settlements) {
        const auto &reservation = settlement.reservation;
        command.push_back(std::to_string(clamp_amount(settlement.actual)));
        append_limit(command, settlement.limit, now);
        for (std::int64_t value :
             {reservation.amount, reservation.birth, reservation.mark,
              reservation.lease, reservation.at})
        {
            command.push_back(std::to_string(value));
        }
    }
}

Error bad_reply(const redis::Reply &reply) {
    Error error;
    error.kind = ErrorKind::unavailable;
    error.message = reply.is_error() ? "redis: " + reply.text
                                     : "redis: answer of another form";
    return error;
}

std::string_view tag_of(std::string_view key) noexcept {
    std::size_t begin = key.find('{');
    if (begin == std::string_view::npos) {
        return key;
    }
    std::size_t end = key.find('}', begin + 1);
    if (end == std::string_view::npos || end == begin + 1) {
        return key;
    }
    return key.substr(begin + 1, end - begin - 1);
}

}  // namespace

const Script &reserve_script() {
    static const OwnedScript owned(std::string(scripts::common)
                                   + std::string(scripts::reserve));
    return owned.script;
}

const Script &settle_script() {
    static const OwnedScript owned(with_settling(scripts::settle));
    return owned.script;
}

const Script &cancel_script() {
    static const OwnedScript owned(with_settling(scripts::cancel));
    return owned.script;
}

const Script &renew_script() {
    static const OwnedScript owned(with_settling(scripts::renew));
    return owned.script;
}

const Script &presence_script() {
    static const OwnedScript owned{std::string(scripts::presence)};
    return owned.script;
}

std::string redis_key(std::string_view prefix, const Key &key,
                      std::string_view zone, const Limit &limit) {
    std::string out(prefix);
    out.push_back('{');
    for (std::uint8_t byte : key) {
        out.push_back("0123456789abcdef"[byte >> 4]);
        out.push_back("0123456789abcdef"[byte & 0xF]);
    }
    out.push_back('}');
    out.append(zone);
    out.push_back(':');
    out.push_back(kind_of(limit));
    out += std::to_string(limit.window == Window::calendar
                              ? static_cast<std::int64_t>(limit.unit)
                              : period_of(limit));
    return out;
}

bool is_noscript(const redis::Reply &reply) noexcept {
    return reply.error_code() == "NOSCRIPT";
}

std::string record_key(std::string_view key, std::string_view id) {
    // No name of a zone begins so.
    std::string out(key.substr(0, key.find('}') + 1));
    out.push_back('#');
    out.append(id);
    return out;
}

Command reserve_command(std::span<const RemoteRequest> requests,
                        std::int64_t now, Call call,
                        std::optional<std::int64_t> test_clock,
                        std::string_view record) {
    auto command =
        begin_call(reserve_script(), call, requests, record, test_clock);
    append_requests(command, requests, now);
    return command;
}

Command settle_command(std::span<const RemoteSettlement> settlements,
                       std::int64_t now, Call call,
                       std::optional<std::int64_t> test_clock,
                       std::string_view record, Settle settle) {
    auto command =
        begin_call(settle_script(), call, settlements, record, test_clock);
    append_settlements(command, settlements, now);
    if (!record.empty()) {
        command.emplace_back(settle == Settle::first   ? "first"
                             : settle == Settle::again ? "again"
                                                       : "once");
    }
    return command;
}

Command cancel_command(std::span<const RemoteRequest> requests,
                       std::string_view record, std::int64_t now, Call call,
                       std::optional<std::int64_t> test_clock) {
    auto command =
        begin_call(cancel_script(), call, requests, record, test_clock);
    append_requests(command, requests, now);
    return command;
}

Command renew_command(std::span<const RemoteSettlement> held,
                      std::string_view record, std::int64_t now, Call call,
                      std::optional<std::int64_t> test_clock) {
    auto command = begin_call(renew_script(), call, held, record, test_clock);
    append_settlements(command, held, now);
    return command;
}

Result<RemoteAnswer> read_reserve_reply(
    const redis::Reply &reply, std::span<const RemoteRequest> requests) {
    constexpr std::size_t head = 2;
    constexpr std::size_t each = 8;
    const auto &values = reply.elements;
    if (reply.type != redis::Reply::Type::array
        || values.size() != head + each * requests.size()
        || !std::all_of(values.begin(), values.end(), [](const auto &value) {
               return value.type == redis::Reply::Type::integer
                      && value.integer >= 0 && value.integer <= 2 * most;
           }))
    {
        return bad_reply(reply);
    }
    RemoteAnswer answer;
    answer.now = values[0].integer;
    answer.granted = values[1].integer == 1;
    bool all = true;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        auto value = [&](std::size_t index) {
            return values[head + i * each + index].integer;
        };
        RemoteDecision remote;
        if (value(0) > static_cast<int>(Outcome::too_large)) {
            return bad_reply(reply);
        }
        remote.decision.outcome = static_cast<Outcome>(value(0));
        all = all && remote.decision.granted();
        remote.decision.limit = requests[i].limit.capacity();
        remote.decision.remaining =
            std::max<std::int64_t>(remote.decision.limit - value(1), 0);
        remote.decision.retry_after = value(2);
        remote.decision.reset = value(3);
        remote.reservation.amount = clamp_amount(requests[i].amount);
        remote.reservation.birth = value(4);
        remote.reservation.mark = value(5);
        remote.reservation.lease = value(6);
        remote.reservation.at = value(7);
        answer.decisions.push_back(remote);
    }
    if (answer.granted != all) {
        return bad_reply(reply);
    }
    return answer;
}

Result<void> read_settle_reply(const redis::Reply &reply) {
    if (reply.type != redis::Reply::Type::integer) {
        return bad_reply(reply);
    }
    return {};
}

std::vector<std::vector<std::size_t>> groups_of(
    std::span<const RemoteRequest> requests) {
    std::vector<std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        auto group = std::find_if(
            groups.begin(), groups.end(), [&](const auto &members) {
                return tag_of(requests[members.front()].key)
                       == tag_of(requests[i].key);
            });
        if (group == groups.end()) {
            groups.push_back({i});
        } else {
            group->push_back(i);
        }
    }
    return groups;
}

Command presence_command(std::string_view key, std::string_view gateway,
                         std::int64_t lifetime, Call call) {
    Command command = begin(presence_script(), call, 1);
    command.emplace_back(key);
    command.emplace_back(gateway);
    command.push_back(std::to_string(std::max<std::int64_t>(lifetime, 1)));
    return command;
}

Result<std::int64_t> read_presence_reply(const redis::Reply &reply) {
    if (reply.type != redis::Reply::Type::integer || reply.integer < 1) {
        return bad_reply(reply);
    }
    return reply.integer;
}

Limit fair_share(const Limit &limit, std::int64_t gateways) noexcept {
    Limit share = limit;
    std::int64_t count = std::max<std::int64_t>(gateways, 1);
    auto part = [count](std::int64_t amount) {
        return amount > 0 ? std::max<std::int64_t>(amount / count, 1) : 0;
    };
    share.budget = part(limit.budget);
    share.burst = part(limit.burst);
    return share;
}

}  // namespace llm::limit
