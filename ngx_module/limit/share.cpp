#include "limit/shares.hpp"

#include <cstring>
#include <new>

#include "limit/redis.hpp"

namespace {

using llm::limit::Key;
using llm::limit::Limit;
using llm::limit::RemoteRequest;
using llm::limit::RemoteSettlement;
using llm::limit::Reservation;
using llm::limit::Share;
using Locked = ngx_http_llm_limit_locked_t;
using Shares = ngx_http_llm_limit_shares_t;
using Zone = ngx_http_llm_limit_zone_t;

// No turn takes longer, so that a worker that is to leave need not wait.
constexpr ngx_msec_t longest_turn = 500;
// After a call for a share has failed.
constexpr std::int64_t refill_pause = 1000;

// Shares that one sweep looks at, and how long they were not used.
constexpr int sweep_most = 256;
constexpr std::int64_t sweep_age = 5000;

// A clock of the machine that is never put back.
std::int64_t now() noexcept {
    return static_cast<std::int64_t>(ngx_current_msec);
}

// Puts the answer to a call for a share where all workers find it.
class Refilling final : public ngx_http_llm_limit_reserving_t {
public:
    Refilling(Zone *zone, const Key &key, std::vector<RemoteRequest> requests,
              std::string record)
        : ngx_http_llm_limit_reserving_t(zone->redis, std::move(requests),
                                         std::move(record)),
          zone_(zone), key_(key), sent_(now()) {}

private:
    void answered(llm::limit::RemoteAnswer answer,
                  const char *failure) noexcept override try {
        const auto &request = requests().front();
        if (failure) {
            ngx_http_llm_limit_redis_log(ngx_cycle->log, failure);
            Locked locked(zone_);
            Share share = locked.shares().get(key_);
            share.refill_until = now() + refill_pause;
            (void) locked.shares().set(key_, share);
            return;
        }
        const auto &remote = answer.decisions.front();
        Reservation rest;
        bool kept = false;
        bool returns = false;
        {
            Locked locked(zone_);
            Share share = locked.shares().get(key_);
            learn(share, request.limit, now(), remote.decision);
            share.refill_until = 0;
            if (answer.granted && !ngx_exiting) {
                returns = put_in(share, request.limit, remote, answer.now,
                                 sent_, zone_->sync, &rest);
            }
            kept = locked.shares().set(key_, share) && !ngx_exiting;
        }
        if (answer.granted && !kept) {
            refund(answer);
            return;
        }
        if (answer.granted) {
            ngx_http_llm_limit_redis_forget(redis(), record());
        }
        if (returns) {
            ngx_http_llm_limit_redis_settle(
                redis(), {{request.key, request.limit, rest, 0}}, {});
        }

    } catch (const std::bad_alloc &) {
        ngx_http_llm_limit_redis_log(ngx_cycle->log, "no memory");
    }

    Zone *zone_;
    Key key_;
    std::int64_t sent_;
};

}  // namespace

size_t ngx_http_llm_limit_shares_t::Hash::operator()(
    const Key &key) const noexcept {
    // It is a digest already.
    size_t hash;
    std::memcpy(&hash, key.data(), sizeof(hash));
    return hash;
}

ngx_http_llm_limit_shares_t::ngx_http_llm_limit_shares_t(Zone *zone) noexcept
    : zone_(zone) {
    // nginx's debug log looks for a descriptor in an event's data.
    dummy_.fd = static_cast<ngx_socket_t>(-1);
    dummy_.data = this;
    timer_.handler = on_timer;
    timer_.data = &dummy_;
    timer_.log = ngx_cycle->log;
}

ngx_http_llm_limit_shares_t::~ngx_http_llm_limit_shares_t() {
    if (timer_.timer_set) {
        ngx_del_timer(&timer_);
    }
}

Shares &ngx_http_llm_limit_shares_t::of(Zone *zone) {
    if (!zone->worker_shares) {
        zone->worker_shares = std::make_unique<Shares>(zone);
    }
    return *zone->worker_shares;
}

// Used again: the worker looks after it from now on.
Shares::Active &ngx_http_llm_limit_shares_t::use(
    const Key &key, const std::string &redis_key, const Limit &limit) {
    auto [place, is_new] = keys_.try_emplace(key);
    Active &active = place->second;
    if (is_new) {
        active.redis_key = redis_key;
    }
    active.limit = limit;
    if (!timer_.timer_set) {
        ngx_add_timer(&timer_, ngx_min(zone_->sync, longest_turn));
    }
    return active;
}

void ngx_http_llm_limit_shares_t::wait(Active &active,
                                       const Reservation &reservation,
                                       std::int64_t actual) {
    collect(active.waiting,
            {active.redis_key, active.limit, reservation, actual});
}

void ngx_http_llm_limit_shares_t::flush(Active &active) noexcept {
    if (!active.waiting.empty()) {
        ngx_http_llm_limit_redis_settle(zone_->redis,
                                        std::move(active.waiting), {});
        active.waiting.clear();
    }
}

void ngx_http_llm_limit_shares_t::refill(const Key &key, const Active &active,
                                         std::int64_t amount) {
    ngx_http_llm_limit_script_t::Pointer script(new Refilling(
        zone_, key, {{active.redis_key, active.limit, amount}},
        llm::limit::record_key(active.redis_key,
                               ngx_http_llm_limit_call_id())));
    (void) ngx_http_llm_limit_script_t::send(script);
}

// true: there is nothing left to look after.
bool ngx_http_llm_limit_shares_t::turn(const Key &key, Active &active) {
    llm::limit::ShareTurn todo;
    {
        Locked locked(zone_);
        auto &shares = locked.shares();
        Share share = shares.get(key);
        if (ngx_exiting) {
            (void) give_back(share, &todo.rest);
            todo.idle = true;
        } else {
            todo = llm::limit::turn(share, active.limit, now(), zone_->sync,
                                    zone_->shared->gateways);
        }
        if (todo.idle) {
            shares.remove(key);
        } else {
            (void) shares.set(key, share);
        }
    }
    if (todo.rest.amount > 0) {
        wait(active, todo.rest, 0);
    }
    flush(active);
    if (todo.refill > 0) {
        refill(key, active, todo.refill);
    }
    return todo.idle;
}

void ngx_http_llm_limit_shares_t::on_timer(ngx_event_t *ev) noexcept {
    auto dummy = static_cast<ngx_connection_t *>(ev->data);
    auto &self = *static_cast<Shares *>(dummy->data);
    try {
        for (auto key = self.keys_.begin(); key != self.keys_.end();) {
            bool idle = self.turn(key->first, key->second);
            key = idle ? self.keys_.erase(key) : std::next(key);
        }
    } catch (const std::bad_alloc &) {
        ngx_http_llm_limit_redis_log(ngx_cycle->log, "no memory");
    }
    // A worker that is to leave waits for what it has to give back.
    if (!self.keys_.empty()) {
        ngx_add_timer(ev, ngx_min(self.zone_->sync, longest_turn));
    }
}

bool ngx_http_llm_limit_share_take(Zone *zone, const Key &key,
                                   const std::string &redis_key,
                                   const Limit &limit, std::int64_t amount,
                                   Reservation *reservation,
                                   llm::limit::Decision *decision) {
    auto &shares = Shares::of(zone);
    auto &active = shares.use(key, redis_key, limit);
    Reservation rest;
    {
        Locked locked(zone);
        Share share = locked.shares().get(key);
        bool taken = take(share, now(), amount, reservation);
        if (taken) {
            *decision = decision_of(share, limit, now());
            locked.counts().from_share += 1;
        } else {
            (void) give_back(share, &rest);
        }
        (void) locked.shares().set(key, share);
        if (taken) {
            return true;
        }
    }
    if (rest.amount > 0) {
        shares.wait(active, rest, 0);
    }
    shares.flush(active);
    return false;
}

void ngx_http_llm_limit_share_learn(Zone *zone, const Key &key,
                                    const Limit &limit,
                                    const llm::limit::Decision &decision)
    noexcept {
    Locked locked(zone);
    Share share = locked.shares().get(key);
    learn(share, limit, now(), decision);
    (void) locked.shares().set(key, share);
}

void ngx_http_llm_limit_share_settle(Zone *zone, const Key &key,
                                     const std::string &redis_key,
                                     const Limit &limit,
                                     Reservation reservation,
                                     std::int64_t actual) {
    auto &shares = Shares::of(zone);
    auto &active = shares.use(key, redis_key, limit);
    {
        Locked locked(zone);
        Share share = locked.shares().get(key);
        put_back(share, now(), actual, &reservation);
        (void) locked.shares().set(key, share);
    }
    if (reservation.amount > 0 || actual > 0) {
        shares.wait(active, reservation, actual);
    }
}

void ngx_http_llm_limit_share_sweep(Zone *zone) noexcept try {
    std::int64_t age = ngx_max(
        sweep_age, 2 * llm::limit::quiet_turns
                       * static_cast<std::int64_t>(zone->sync));
    for (int i = 0; i < sweep_most; ++i) {
        Key key;
        Share share;
        {
            Locked locked(zone);
            if (!locked.shares().oldest(&key, &share)
                || now() - share.used_at < age) {
                return;
            }
            locked.shares().remove(key);
        }
        Reservation rest;
        if (!give_back(share, &rest)) {
            continue;
        }
        Limit limit = zone->spec.limit;
        limit.budget = share.budget;
        limit.burst = share.burst;
        ngx_http_llm_limit_redis_settle(
            zone->redis,
            {{llm::limit::redis_key(zone->prefix, key, to_view(zone->name),
                                    limit),
              limit, rest, 0}},
            {});
    }

} catch (const std::bad_alloc &) {
    ngx_http_llm_limit_redis_log(ngx_cycle->log, "no memory");
}
