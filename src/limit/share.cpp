#include "llm/limit_share.hpp"

#include <algorithm>
#include <utility>

#include "limit/arithmetic.hpp"

namespace llm::limit {

bool take(Share &share, std::int64_t now, std::int64_t amount,
          Reservation *reservation) noexcept {
    amount = clamp_amount(amount);
    if (now >= share.good_until || amount > share.left) {
        share.missed = add(share.missed, amount);
        return false;
    }
    share.left -= amount;
    share.taken = add(share.taken, amount);
    *reservation = share.source;
    reservation->amount = amount;
    return true;
}

std::int64_t next_share(const Share &share, std::int64_t remaining,
                        std::int64_t gateways) noexcept {
    std::int64_t wanted = 2 * add(share.taken, share.missed);
    std::int64_t most = std::max<std::int64_t>(remaining, 0)
                        / (std::max<std::int64_t>(gateways, 1) + 1);
    return std::min(wanted, most);
}

bool give_back(Share &share, Reservation *rest) noexcept {
    *rest = share.source;
    rest->amount = share.left;
    share = {};
    return rest->amount > 0;
}

void put_in(Share &share, const Limit &limit, const RemoteDecision &granted,
            std::int64_t redis_now, std::int64_t now) noexcept {
    const auto &source = granted.reservation;
    std::int64_t good_for = limit.lease;
    switch (limit.window) {
    case Window::sliding:
    case Window::fixed:
        good_for = std::min(good_for, source.at + period_of(limit) - redis_now);
        break;
    case Window::calendar: {
        auto span = calendar_span(limit.unit, limit.zone, redis_now);
        good_for = std::min(good_for, span.end - redis_now);
        break;
    }
    case Window::bucket:
        // It drains in Redis meanwhile, which is what it would do here.
        good_for = std::min(good_for, period_of(limit));
    }
    share.source = source;
    share.left = source.amount;
    share.good_until = now + good_for;
}

void collect(std::vector<RemoteSettlement> &waiting,
             RemoteSettlement settlement) {
    const auto &source = settlement.reservation;
    for (auto &other : waiting) {
        auto &to = other.reservation;
        if (to.birth == source.birth && to.mark == source.mark
            && to.lease == source.lease && to.at == source.at
            && other.key == settlement.key)
        {
            to.amount = add(to.amount, source.amount);
            other.actual = add(other.actual, settlement.actual);
            return;
        }
    }
    waiting.push_back(std::move(settlement));
}

}  // namespace llm::limit
