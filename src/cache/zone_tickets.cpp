// Uses and leases of keys, stored or not. A small table in which a key has
// few places; when all are taken, the one that was used longest ago is lost,
// a lease that runs last.
#include <tuple>

#include "cache/zone_call.hpp"

namespace llm::cache {

using namespace zone;

namespace {

std::uint64_t tag_of(const ZoneKey &key) noexcept {
    std::uint64_t tag;
    std::memcpy(&tag, key.data() + sizeof(tag), sizeof(tag));
    return tag != 0 ? tag : 1;
}

Ticket *find(Memory memory, const ZoneKey &key) noexcept {
    auto *set = memory.ticket_set(key);
    for (std::size_t i = 0; i < ticket_ways; ++i) {
        if (set[i].tag == tag_of(key)) {
            return &set[i];
        }
    }
    return nullptr;
}

Ticket &find_or_take(Memory memory, const ZoneKey &key,
                     std::int64_t now) noexcept {
    if (auto *ticket = find(memory, key)) {
        return *ticket;
    }
    auto *set = memory.ticket_set(key);
    auto value = [now](const Ticket &ticket) {
        return std::tuple(ticket.tag != 0, ticket.leased_until > now,
                          ticket.used);
    };
    auto *least = std::min_element(
        set, set + ticket_ways, [&](const Ticket &a, const Ticket &b) {
            return value(a) < value(b);
        });
    *least = {tag_of(key), now, 0, 0};
    return *least;
}

}  // namespace

std::uint32_t Zone::count_use(const ZoneKey &key, std::int64_t now) noexcept {
    Call call(*this);
    if (!call) {
        return 0;
    }
    call.write();
    auto &ticket = find_or_take(call.memory(), key, now);
    if (now - ticket.used > options_.uses_window) {
        ticket.uses = 0;
    }
    ticket.used = now;
    ++ticket.uses;
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(ticket.uses, UINT32_MAX));
}

bool Zone::lease(const ZoneKey &key, std::int64_t now,
                 std::int64_t until) noexcept {
    Call call(*this);
    if (!call) {
        return true;
    }
    call.write();
    auto &ticket = find_or_take(call.memory(), key, now);
    if (ticket.leased_until > now) {
        return false;
    }
    ticket.leased_until = until;
    return true;
}

bool Zone::is_leased(const ZoneKey &key, std::int64_t now) noexcept {
    Call call(*this);
    if (!call) {
        return false;
    }
    const auto *ticket = find(call.memory(), key);
    return ticket != nullptr && ticket->leased_until > now;
}

void Zone::release(const ZoneKey &key) noexcept {
    Call call(*this);
    if (!call) {
        return;
    }
    if (auto *ticket = find(call.memory(), key)) {
        call.write();
        ticket->leased_until = 0;
    }
}

}  // namespace llm::cache
