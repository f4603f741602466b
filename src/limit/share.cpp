#include "llm/limit_share.hpp"

#include <algorithm>
#include <utility>

#include "limit/arithmetic.hpp"

namespace llm::limit {

namespace {

// What is left of `a` may be used in the name of `b`.
bool is_same_source(const Reservation &a, const Reservation &b) noexcept {
    return a.birth == b.birth && a.mark == b.mark && a.lease == b.lease
           && a.at == b.at;
}

// For how long Redis holds what it grants at `redis_now` for the window that
// it is granted in.
std::int64_t good_for(const Limit &limit, const Reservation &source,
                      std::int64_t redis_now,
                      std::int64_t interval) noexcept {
    // Requests that take it late have the most of a lease to be renewed in.
    std::int64_t lease = limit.lease / 4;
    switch (limit.window) {
    case Window::sliding:
    case Window::fixed:
        return std::min(lease, source.at + period_of(limit) - redis_now);
    case Window::calendar: {
        auto span = calendar_span(limit.unit, limit.zone, redis_now);
        return std::min(lease, span.end - redis_now);
    }
    case Window::bucket:
        break;
    }
    return share_intervals * interval;
}

}  // namespace

bool take(Share &share, std::int64_t now, std::int64_t amount,
          Reservation *reservation) noexcept {
    amount = clamp_amount(amount);
    share.asked = add(share.asked, amount);
    share.used_at = now;
    if (now >= share.good_until || amount > share.left) {
        return false;
    }
    share.left -= amount;
    *reservation = share.source;
    reservation->amount = amount;
    return true;
}

Decision decision_of(const Share &share, const Limit &limit,
                     std::int64_t now) noexcept {
    Decision decision;
    decision.outcome = Outcome::granted;
    decision.limit = limit.capacity();
    decision.remaining =
        std::min(decision.limit, add(share.remaining, share.left));
    decision.reset = std::max<std::int64_t>(share.reset_at - now, 0);
    return decision;
}

void learn(Share &share, const Limit &limit, std::int64_t now,
           const Decision &decision) noexcept {
    share.remaining = decision.remaining;
    share.reset_at = now + decision.reset;
    share.budget = limit.budget;
    share.burst = limit.burst;
}

bool give_back(Share &share, Reservation *rest) noexcept {
    *rest = share.source;
    rest->amount = std::exchange(share.left, 0);
    return rest->amount > 0;
}

void put_back(Share &share, std::int64_t now, std::int64_t actual,
              Reservation *reservation) noexcept {
    std::int64_t unused = reservation->amount - clamp_amount(actual);
    if (unused > 0 && now < share.good_until
        && is_same_source(share.source, *reservation))
    {
        share.left = add(share.left, unused);
        reservation->amount -= unused;
    }
}

ShareTurn turn(Share &share, const Limit &limit, std::int64_t now,
               std::int64_t interval, std::int64_t gateways) noexcept {
    ShareTurn turn;
    if (now - share.turned_at < interval) {
        return turn;
    }
    share.turned_at = share.used_at = now;
    share.quiet = share.asked > 0 ? 0 : share.quiet + 1;
    std::int64_t faded = share.demand - share.demand / demand_memory - 1;
    share.demand = std::max(share.asked, faded);
    share.asked = 0;

    turn.idle = share.quiet >= quiet_turns
                || (share.demand == 0 && share.left == 0);
    if (turn.idle || now >= share.good_until) {
        (void)give_back(share, &turn.rest);
    } else if (share.left / 4 > share.demand) {
        turn.rest = share.source;
        turn.rest.amount = share.left - 2 * share.demand;
        share.left -= turn.rest.amount;
    }

    bool bucket = limit.window == Window::bucket;
    // Before the next turn: there would be nothing until it is answered.
    std::int64_t lasting =
        bucket && share.good_until - now <= interval ? 0 : share.left;
    std::int64_t wanted = std::min(
        add(share.demand, share.demand),
        add(share.remaining, share.left)
            / (std::clamp<std::int64_t>(gateways, 1, max_amount) + 1));
    if (!turn.idle && lasting < share.demand && lasting < wanted
        && now >= share.refill_until)
    {
        // A share of a bucket is never added to: each charge drains by itself.
        turn.refill = wanted - (bucket ? 0 : share.left);
        share.refill_until = now + refill_patience;
    }
    return turn;
}

bool put_in(Share &share, const Limit &limit, const RemoteDecision &granted,
            std::int64_t redis_now, std::int64_t sent, std::int64_t interval,
            Reservation *rest) noexcept {
    const auto &source = granted.reservation;
    bool returns = false;
    if (is_same_source(share.source, source)) {
        share.left = add(share.left, source.amount);
    } else {
        returns = give_back(share, rest);
        share.source = source;
        share.left = source.amount;
    }
    share.good_until = sent + good_for(limit, source, redis_now, interval);
    share.refill_until = 0;
    return returns;
}

void collect(std::vector<RemoteSettlement> &waiting,
             RemoteSettlement settlement) {
    const auto &source = settlement.reservation;
    for (auto &other : waiting) {
        auto &to = other.reservation;
        if (is_same_source(to, source) && other.key == settlement.key) {
            to.amount = add(to.amount, source.amount);
            other.actual = add(other.actual, settlement.actual);
            return;
        }
    }
    waiting.push_back(std::move(settlement));
}

}  // namespace llm::limit
