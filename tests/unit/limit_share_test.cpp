// Shares of a budget that several gateways have in Redis, which is a state in
// memory here.
#include <algorithm>
#include <deque>
#include <random>

#include "catch.hpp"
#include "llm/limit_share.hpp"

using namespace llm;
using namespace llm::limit;

namespace {

constexpr std::int64_t noon = 20'000 * limit::day;
constexpr std::int64_t interval = 100;

RemoteDecision granted(std::int64_t amount, std::int64_t mark = 1) {
    RemoteDecision granted;
    granted.decision.outcome = Outcome::granted;
    granted.decision.remaining = 1'000'000;
    granted.reservation.amount = amount;
    granted.reservation.mark = mark;
    granted.reservation.at = noon;
    return granted;
}

// With `left` in it, and what remains beside that.
Share share_of(std::int64_t left, std::int64_t remaining) {
    Share share;
    Reservation rest;
    put_in(share, Limit{}, granted(left), noon, 1000, interval, &rest);
    share.remaining = remaining;
    share.turned_at = 1000;
    return share;
}

}  // namespace

TEST_CASE("a share is used until its window is over, by the machine's clock") {
    Limit limit;
    limit.budget = 1000;
    Share share;
    Reservation rest;
    // 40 s of the minute are left.
    CHECK_FALSE(put_in(share, limit, granted(100), noon + 20'000, 500,
                       interval, &rest));
    Reservation reservation;
    CHECK(take(share, 500 + 39'999, 60, &reservation));
    CHECK(reservation.amount == 60);
    CHECK_FALSE(take(share, 500 + 39'999, 60, &reservation));
    CHECK_FALSE(take(share, 500 + 40'000, 1, &reservation));
    REQUIRE(give_back(share, &reservation));
    CHECK(reservation.amount == 40);
    CHECK_FALSE(give_back(share, &reservation));
}

TEST_CASE("a share of a day is used for a quarter of its lease") {
    Limit limit;
    limit.period = limit::day;
    limit.lease = 40'000;
    Share share;
    Reservation reservation;
    put_in(share, limit, granted(100), noon, 500, interval, &reservation);
    CHECK(take(share, 500 + 9'999, 1, &reservation));
    CHECK_FALSE(take(share, 500 + 10'000, 1, &reservation));
}

TEST_CASE("a share of a bucket is used for two intervals, for it drains") {
    Limit limit;
    limit.window = Window::bucket;
    limit.burst = 1000;
    Share share;
    Reservation reservation;
    put_in(share, limit, granted(100), noon, 500, interval, &reservation);
    CHECK(take(share, 699, 1, &reservation));
    CHECK_FALSE(take(share, 700, 1, &reservation));
}

TEST_CASE("the next share is twice what was asked for") {
    Share share;
    Reservation reservation;
    CHECK_FALSE(take(share, 1000, 30, &reservation));
    CHECK_FALSE(take(share, 1001, 20, &reservation));
    Decision decision;
    decision.remaining = 10'000;
    decision.reset = 7;
    learn(share, Limit{}, 1001, decision);
    CHECK(turn(share, Limit{}, 1010, interval, 1).refill == 100);
    SECTION("and asked for once") {
        CHECK_FALSE(take(share, 1020, 30, &reservation));
        CHECK(turn(share, Limit{}, 1110, interval, 1).refill == 0);
        CHECK(turn(share, Limit{}, 1010 + refill_patience, interval, 1)
                  .refill > 0);
    }
    SECTION("in each interval, whoever comes first") {
        CHECK_FALSE(take(share, 1020, 30, &reservation));
        turn(share, Limit{}, 1109, interval, 1);
        CHECK(share.asked == 30);
    }
    SECTION("and no more if there is enough") {
        put_in(share, Limit{}, granted(100), noon, 1010, interval,
               &reservation);
        CHECK(take(share, 1020, 40, &reservation));
        CHECK(turn(share, Limit{}, 1110, interval, 1).refill == 0);
        // What was asked for before counts, too.
        CHECK(take(share, 1120, 40, &reservation));
        CHECK(share.left == 20);
        CHECK(turn(share, Limit{}, 1210, interval, 1).refill > 60);
    }
}

TEST_CASE("each gateway leaves as much to the others, and to single calls") {
    for (std::int64_t gateways : {1, 2, 9}) {
        auto share = share_of(10, 890);
        Reservation reservation;
        take(share, 1050, 1000, &reservation);
        CHECK(turn(share, Limit{}, 1100, interval, gateways).refill
              == 900 / (gateways + 1) - 10);
    }
}

TEST_CASE("what nobody asks for is given back") {
    auto share = share_of(100, 900);
    Reservation reservation;
    REQUIRE(take(share, 1000, 20, &reservation));
    std::int64_t now = 1000;
    std::int64_t returned = 0;
    int turns = 0;
    ShareTurn todo;
    do {
        todo = turn(share, Limit{}, now += interval, interval, 1);
        returned += todo.rest.amount;
        CHECK(todo.refill == 0);
        ++turns;
    } while (!todo.idle);
    CHECK(returned == 80);
    CHECK(share.left == 0);
    CHECK(turns == quiet_turns + 1);
}

TEST_CASE("much more than is asked for is given back") {
    auto share = share_of(1000, 900);
    Reservation reservation;
    REQUIRE(take(share, 1050, 10, &reservation));
    auto todo = turn(share, Limit{}, 1100, interval, 1);
    CHECK(todo.rest.amount == 970);
    CHECK(share.left == 20);
}

TEST_CASE("what a request does not use goes back into its share") {
    auto share = share_of(100, 900);
    Reservation reservation;
    REQUIRE(take(share, 1050, 60, &reservation));
    put_back(share, 1060, 15, &reservation);
    CHECK(share.left == 85);
    CHECK(reservation.amount == 15);

    REQUIRE(take(share, 1070, 60, &reservation));
    Reservation rest;
    CHECK(put_in(share, Limit{}, granted(50, 2), noon, 1080, interval, &rest));
    CHECK(rest.amount == 25);
    // It is another share now.
    put_back(share, 1090, 15, &reservation);
    CHECK(share.left == 50);
    CHECK(reservation.amount == 60);
}

TEST_CASE("who takes from a share is told what remains with it") {
    Limit limit;
    limit.budget = 1000;
    auto share = share_of(100, 500);
    share.reset_at = 3000;
    Reservation reservation;
    REQUIRE(take(share, 1050, 60, &reservation));
    auto decision = decision_of(share, limit, 1050);
    CHECK(decision.granted());
    CHECK(decision.limit == 1000);
    CHECK(decision.remaining == 540);
    CHECK(decision.reset == 1950);
}

TEST_CASE("shares are kept by key, and those in use make room for nobody") {
    std::vector<std::byte> memory(4096);
    REQUIRE(ShareZone::format(memory) == ZoneStatus::ok);
    ShareZone zone;
    REQUIRE(ShareZone::attach(memory, &zone) == ZoneStatus::ok);
    auto capacity = zone.counts().capacity;
    REQUIRE(capacity >= 16);
    for (std::uint64_t i = 0; i < capacity; ++i) {
        REQUIRE(zone.set(key_of("k" + std::to_string(i)),
                         share_of(static_cast<std::int64_t>(i), 0)));
    }
    CHECK(zone.get(key_of("k3")).left == 3);
    CHECK(zone.get(key_of("other")).left == 0);

    // The first is empty.
    CHECK(zone.set(key_of("other"), share_of(9, 0)));
    CHECK(zone.get(key_of("other")).left == 9);
    CHECK_FALSE(zone.set(key_of("one more"), share_of(9, 0)));
    limit::Key key;
    Share share;
    REQUIRE(zone.oldest(&key, &share));
    CHECK(key == key_of("k1"));
    zone.remove(key);
    CHECK(zone.set(key_of("one more"), share_of(9, 0)));
    CHECK(zone.check() == nullptr);
}

namespace {

// Several gateways with a share each, answers and settlements that take their
// time, and gateways that die.
class Fleet {
public:
    Fleet(const Limit &limit, std::uint32_t seed)
        : limit_(limit), random_(seed), gateways_(4) {}

    void run(int steps) {
        for (int i = 0; i < steps; ++i) {
            now_ += below(40) == 0 ? below(2000) : below(12);
            deliver();
            auto &gateway = gateways_[static_cast<std::size_t>(below(4))];
            switch (below(400)) {
            case 0:
                gateway = {};       // and all it knew of
                break;
            case 1:
                idle_until_ = now_ + below(5000);
                break;
            default:
                step(gateway);
            }
        }
    }

    std::size_t local() const { return local_; }
    std::size_t called() const { return called_; }

private:
    struct Open {
        Reservation reservation;
        bool shared;
    };
    struct Gateway {
        Share share;
        std::vector<Open> open;
    };

    std::int64_t below(std::int64_t most) {
        return static_cast<std::int64_t>(random_()
                                         % static_cast<std::uint64_t>(most));
    }

    // The machine's clock, which has begun elsewhere.
    std::int64_t clock() const { return now_ - noon + 77; }

    void step(Gateway &gateway) {
        auto todo = turn(gateway.share, limit_, clock(), interval, 4);
        later_settle(todo.rest, 0);
        if (todo.refill > 0) {
            refill(gateway, todo.refill);
        }
        if (below(3) == 0 && !gateway.open.empty()) {
            finish(gateway);
        } else if (now_ >= idle_until_) {
            request(gateway, below(limit_.capacity() / 20) + 1);
        }
    }

    void request(Gateway &gateway, std::int64_t amount) {
        Open open{{}, true};
        if (take(gateway.share, clock(), amount, &open.reservation)) {
            ++local_;
            admit(amount, open.reservation);
            gateway.open.push_back(open);
            return;
        }
        ++called_;
        Reservation rest;
        if (give_back(gateway.share, &rest)) {
            limit::settle(limit_, state_, now_, rest, 0);
        }
        auto decision = ask(amount, &open.reservation);
        learn(gateway.share, limit_, clock(), decision);
        if (decision.granted()) {
            open.shared = false;
            admit(amount, open.reservation);
            gateway.open.push_back(open);
        }
    }

    // The answer takes its time; windows may end meanwhile.
    void refill(Gateway &gateway, std::int64_t amount) {
        auto sent = clock();
        RemoteDecision answer;
        auto executed = now_ + below(30);
        answer.decision = limit::reserve(limit_, state_, executed, amount,
                                         &answer.reservation);
        answer.reservation.amount = amount;
        now_ = executed + below(30);
        learn(gateway.share, limit_, clock(), answer.decision);
        Reservation rest;
        if (answer.decision.granted()
            && put_in(gateway.share, limit_, answer, executed, sent,
                      interval, &rest))
        {
            later_settle(rest, 0);
        }
    }

    Decision ask(std::int64_t amount, Reservation *reservation) {
        return limit::reserve(limit_, state_, now_, amount, reservation);
    }

    void finish(Gateway &gateway) {
        auto index = static_cast<std::size_t>(
            below(static_cast<std::int64_t>(gateway.open.size())));
        auto open = gateway.open[index];
        gateway.open[index] = gateway.open.back();
        gateway.open.pop_back();
        // A bucket's bound is of what was admitted; see admit().
        auto actual = limit_.window == Window::bucket
                          ? open.reservation.amount
                          : below(open.reservation.amount + 1);
        admitted_ -= open.reservation.at == window_
                         ? open.reservation.amount - actual
                         : 0;
        if (open.shared) {
            put_back(gateway.share, clock(), actual, &open.reservation);
        }
        later_settle(open.reservation, actual);
    }

    void later_settle(const Reservation &reservation, std::int64_t actual) {
        if (reservation.amount > 0) {
            later_.push_back({now_ + below(200), reservation, actual});
        }
    }

    void deliver() {
        while (!later_.empty() && later_.front().at <= now_) {
            limit::settle(limit_, state_, now_, later_.front().reservation,
                          later_.front().actual);
            later_.pop_front();
        }
    }

    // What a window has admitted is within its budget, and what a bucket has
    // had is what it may have and what drains in two intervals.
    void admit(std::int64_t amount, const Reservation &reservation) {
        if (limit_.window == Window::bucket) {
            auto drained = static_cast<double>(limit_.budget)
                           / static_cast<double>(limit_.period);
            level_ = std::max(0.0, level_ - drained * static_cast<double>(
                                                now_ - level_at_))
                     + static_cast<double>(amount);
            level_at_ = now_;
            REQUIRE(level_ <= static_cast<double>(limit_.burst)
                                  + drained * share_intervals * interval + 1);
            return;
        }
        // It is the window in which it is admitted that is charged.
        REQUIRE(now_ < reservation.at + limit_.period);
        REQUIRE(now_ >= reservation.at);
        if (reservation.at != window_) {
            window_ = reservation.at;
            admitted_ = 0;
        }
        admitted_ += amount;
        REQUIRE(admitted_ <= limit_.budget);
    }

    struct Later {
        std::int64_t at;
        Reservation reservation;
        std::int64_t actual;
    };

    Limit limit_;
    State state_;
    std::mt19937_64 random_;
    std::vector<Gateway> gateways_;
    // In the order in which they are sent.
    std::deque<Later> later_;
    std::int64_t now_ = noon;
    std::int64_t idle_until_ = 0;
    std::int64_t window_ = 0;
    std::int64_t admitted_ = 0;
    double level_ = 0;
    std::int64_t level_at_ = noon;
    std::size_t local_ = 0;
    std::size_t called_ = 0;
};

}  // namespace

TEST_CASE("gateways with shares never exceed the budget by more than the "
          "bound")
{
    std::uint32_t seed = 1;
    for (auto window : {Window::sliding, Window::fixed, Window::bucket}) {
        for (std::int64_t period : {1000, 60'000}) {
            for (int turns = 0; turns < 5; ++turns, ++seed) {
                INFO("window " << static_cast<int>(window) << " period "
                               << period << " seed " << seed);
                Limit limit;
                limit.window = window;
                limit.period = period;
                limit.budget = 100'000;
                limit.burst = 40'000;
                Fleet fleet(limit, seed);
                fleet.run(20'000);
                CHECK(fleet.local() > 0);
                CHECK(fleet.called() > 0);
            }
        }
    }
}
