// What servers say of themselves and of each other.
#include <algorithm>
#include <charconv>

#include "llm/redis.hpp"

namespace llm::redis {

namespace {

struct TroubleRow {
    std::string_view start;     // of the error; a whole word, or more
    Trouble trouble;
};

constexpr TroubleRow troubles[] = {
    {"MOVED", Trouble::moved},
    {"ASK", Trouble::ask},
    {"TRYAGAIN", Trouble::try_again},
    {"CLUSTERDOWN", Trouble::cluster_down},
    {"LOADING", Trouble::loading},
    {"MASTERDOWN", Trouble::master_down},
    {"READONLY", Trouble::read_only},
    {"NOAUTH", Trouble::not_authenticated},
    {"ERR max number of clients", Trouble::too_many_clients},
};

std::optional<unsigned> read_number(std::string_view text,
                                    unsigned max) noexcept {
    unsigned number = 0;
    auto [end, failed] = std::from_chars(text.data(),
                                         text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size()
        || number > max)
    {
        return std::nullopt;
    }
    return number;
}

// "?" is what Redis 7 says where it does not know.
bool is_unknown(std::string_view host) noexcept {
    return host.empty() || host == "?";
}

// Names and addresses, and nothing that would have to be escaped in a log.
bool is_host(std::string_view host) noexcept {
    return !host.empty() && host.size() <= 255
           && std::all_of(host.begin(), host.end(), [](unsigned char c) {
                  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                         || (c >= '0' && c <= '9') || c == '.' || c == '-'
                         || c == '_' || c == ':' || c == '%';
              });
}

constexpr unsigned max_port = 65535;

Error no_slots() {
    return Error{ErrorKind::bad_gateway, "no reply to CLUSTER SLOTS", {}, {},
                 0, {}};
}

bool is_slot(const Reply &reply) noexcept {
    return reply.type == Reply::Type::integer && reply.integer >= 0
           && reply.integer < static_cast<std::int64_t>(slot_count);
}

// [first slot, last slot, [host, port, ...] of the master, of replicas ...]
std::optional<SlotRange> read_range(const Reply &row, std::string_view asked) {
    if (row.type != Reply::Type::array || row.elements.size() < 3
        || !is_slot(row.elements[0]) || !is_slot(row.elements[1])
        || row.elements[0].integer > row.elements[1].integer)
    {
        return std::nullopt;
    }
    const auto &node = row.elements[2];
    if (node.type != Reply::Type::array || node.elements.size() < 2) {
        return std::nullopt;
    }
    const auto &host = node.elements[0];
    const auto &port = node.elements[1];
    if ((!host.is_text() && !host.is_nil()) || !is_host(
            is_unknown(host.text) ? asked : std::string_view(host.text))
        || port.type != Reply::Type::integer || port.integer < 1
        || port.integer > max_port)
    {
        return std::nullopt;
    }

    SlotRange range;
    range.first = static_cast<unsigned>(row.elements[0].integer);
    range.last = static_cast<unsigned>(row.elements[1].integer);
    range.master.host = is_unknown(host.text) ? asked : host.text;
    range.master.port = static_cast<std::uint16_t>(port.integer);
    return range;
}

}  // namespace

Trouble trouble_of(const Reply &reply) noexcept {
    if (!reply.is_error()) {
        return Trouble::none;
    }
    std::string_view text = reply.text;
    for (const auto &row : troubles) {
        if (text.starts_with(row.start)
            && (text.size() == row.start.size()
                || text[row.start.size()] == ' '))
        {
            return row.trouble;
        }
    }
    return Trouble::none;
}

std::optional<Redirection> read_redirection(const Reply &reply) {
    std::string_view text = reply.text;
    auto first = text.find(' ');
    if (!reply.is_error() || first == text.npos) {
        return std::nullopt;
    }
    auto second = text.find(' ', first + 1);
    if (second == text.npos) {
        return std::nullopt;
    }
    auto slot = read_number(text.substr(first + 1, second - first - 1),
                            slot_count - 1);
    // More words may follow in versions to come.
    auto address = text.substr(second + 1);
    address = address.substr(0, address.find(' '));
    // IPv6 addresses have colons of their own, and no brackets here.
    auto colon = address.rfind(':');
    if (!slot || colon == address.npos) {
        return std::nullopt;
    }
    auto port = read_number(address.substr(colon + 1), max_port);
    auto host = address.substr(0, colon);
    if (!port || *port == 0 || (!is_unknown(host) && !is_host(host))) {
        return std::nullopt;
    }
    if (is_unknown(host)) {
        host = {};
    }
    return Redirection{*slot, {std::string(host),
                               static_cast<std::uint16_t>(*port)}};
}

Result<std::vector<SlotRange>> read_slots(const Reply &reply,
                                          std::string_view asked) {
    if (reply.type != Reply::Type::array
        || reply.elements.size() > slot_count)
    {
        return no_slots();
    }
    std::vector<SlotRange> ranges;
    ranges.reserve(reply.elements.size());
    for (const auto &row : reply.elements) {
        auto range = read_range(row, asked);
        if (!range) {
            return no_slots();
        }
        ranges.push_back(std::move(*range));
    }
    return ranges;
}

Result<std::optional<Address>> read_master(const Reply &reply) {
    if (reply.is_nil()) {
        return std::optional<Address>();
    }
    if (reply.type == Reply::Type::array && reply.elements.size() == 2
        && reply.elements[0].is_text() && reply.elements[1].is_text())
    {
        const auto &host = reply.elements[0].text;
        auto port = read_number(reply.elements[1].text, max_port);
        if (!host.empty() && is_host(host) && port && *port != 0) {
            return std::optional(
                Address{host, static_cast<std::uint16_t>(*port)});
        }
    }
    return Error{ErrorKind::bad_gateway, "no address of a master", {}, {}, 0,
                 {}};
}

std::string_view read_role(const Reply &reply) noexcept {
    if (reply.type != Reply::Type::array || reply.elements.empty()
        || !reply.elements[0].is_text())
    {
        return {};
    }
    return reply.elements[0].text;
}

}  // namespace llm::redis
