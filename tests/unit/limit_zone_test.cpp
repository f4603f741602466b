#include <map>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "llm/limit_zone.hpp"
#include "zone.hpp"

using namespace llm;
using namespace llm::limit;
using zones::Block;
using limit::ZoneStatus;

namespace {

constexpr std::int64_t minute = 60'000;
constexpr std::int64_t noon = 20'000 * limit::day;

limit::Key key(unsigned number) {
    return key_of(std::to_string(number));
}

Limit per_minute(std::int64_t budget) {
    Limit limit;
    limit.budget = budget;
    return limit;
}

struct TestZone {
    explicit TestZone(std::size_t size) : block(size) {
        REQUIRE(LimitZone::format(block.span(), 1) == ZoneStatus::ok);
        REQUIRE(LimitZone::attach(block.span(), 1, &zone) == ZoneStatus::ok);
    }

    bool spend(unsigned name, std::int64_t amount) {
        Reservation reservation;
        bool granted =
            zone.reserve(key(name), limit, now, amount, &reservation)
                .granted();
        if (granted) {
            zone.settle(key(name), limit, now, reservation, amount);
        }
        return granted;
    }
    std::int64_t used(unsigned name) {
        return zone.usage(key(name), limit, now).used;
    }

    Block block;
    LimitZone zone;
    Limit limit = per_minute(1000);
    std::int64_t now = noon;
};

}  // namespace

TEST_CASE("keys have budgets of their own") {
    TestZone test(64 * 1024);
    CHECK(test.spend(1, 1000));
    CHECK_FALSE(test.spend(1, 1));
    CHECK(test.spend(2, 1000));
    CHECK(test.used(1) == 1000);
    CHECK(test.used(3) == 0);
    auto counts = test.zone.counts();
    CHECK(counts.keys == 2);
    CHECK(counts.granted == 2);
    CHECK(counts.refused == 1);
    CHECK(counts.settled == 2000);
}

TEST_CASE("what a zone does for those it refuses takes no room") {
    TestZone test(64 * 1024);
    for (unsigned i = 0; i < 10'000; ++i) {
        CHECK_FALSE(test.spend(i, 1001));
    }
    CHECK(test.zone.counts().keys == 0);
    CHECK(test.zone.counts().too_large == 10'000);
}

TEST_CASE("another process finds the budgets as they are") {
    TestZone test(64 * 1024);
    REQUIRE(test.spend(1, 700));
    LimitZone other;
    REQUIRE(LimitZone::attach(test.block.span(), 1, &other)
            == ZoneStatus::ok);
    CHECK(other.usage(key(1), test.limit, test.now).used == 700);
    CHECK(LimitZone::attach(test.block.span(), 2, &other)
          == ZoneStatus::other_shape);

    Block fresh(64 * 1024);
    CHECK(LimitZone::attach(fresh.span(), 1, &other)
          == ZoneStatus::not_a_zone);
    CHECK(LimitZone::format(fresh.span().first(1000), 1)
          == ZoneStatus::too_small);
    CHECK(LimitZone::format({}, 1) == ZoneStatus::too_small);
    CHECK(describe(ZoneStatus::too_small) == "zone is too small");
}

TEST_CASE("a full zone forgets first those that have nothing to lose") {
    TestZone test(16 * 1024);
    auto capacity = static_cast<unsigned>(test.zone.counts().capacity);
    REQUIRE(capacity > 50);
    // The oldest one has spent, and all others were refunded.
    REQUIRE(test.spend(0, 900));
    for (unsigned i = 1; i < capacity; ++i) {
        Reservation reservation;
        REQUIRE(test.zone.reserve(key(i), test.limit, test.now, 100,
                                  &reservation)
                    .granted());
        test.zone.settle(key(i), test.limit, test.now, reservation, 0);
    }
    for (unsigned i = 0; i < capacity / 2; ++i) {
        REQUIRE(test.spend(capacity + i, 1));
    }
    CHECK(test.used(0) == 900);
    CHECK(test.zone.counts().forgotten == 0);
    CHECK(test.zone.check() == nullptr);
}

TEST_CASE("a full zone gives back as little as it can, and says so") {
    TestZone test(16 * 1024);
    auto capacity = static_cast<unsigned>(test.zone.counts().capacity);
    for (unsigned i = 0; i < capacity; ++i) {
        REQUIRE(test.spend(i, i == 3 ? 5 : 900));
    }
    REQUIRE(test.spend(capacity, 900));
    CHECK(test.used(0) == 900);
    CHECK(test.used(3) == 0);
    auto counts = test.zone.counts();
    CHECK(counts.evictions == 1);
    CHECK(counts.forgotten == 1);
    CHECK(counts.given_back == 5);
    CHECK(counts.keys == capacity);
}

TEST_CASE("one that was forgotten is charged for what it still settles") {
    TestZone test(16 * 1024);
    auto capacity = static_cast<unsigned>(test.zone.counts().capacity);
    Reservation reservation;
    REQUIRE(test.zone.reserve(key(0), test.limit, test.now, 1, &reservation)
                .granted());
    for (unsigned i = 1; i <= capacity + 20; ++i) {
        REQUIRE(test.spend(i, 900));
    }
    REQUIRE(test.used(0) == 0);
    test.zone.settle(key(0), test.limit, test.now, reservation, 400);
    CHECK(test.used(0) == 400);
}

TEST_CASE("one that was forgotten is held again when it is renewed") {
    TestZone test(16 * 1024);
    Reservation reservation;
    REQUIRE(test.zone.reserve(key(0), test.limit, test.now, 500, &reservation)
                .granted());
    REQUIRE(test.zone.remove(key(0)));
    test.zone.renew(key(0), test.limit, test.now, &reservation);
    CHECK(test.used(0) == 500);
    test.zone.settle(key(0), test.limit, test.now, reservation, 400);
    CHECK(test.used(0) == 400);
    CHECK(test.zone.check() == nullptr);
}

TEST_CASE("keys of the past make room by themselves") {
    TestZone test(64 * 1024);
    for (unsigned i = 0; i < 100; ++i) {
        REQUIRE(test.spend(i, 10));
    }
    CHECK(test.zone.sweep(test.limit, test.now, 1000) == 0);
    test.now += 2 * minute;
    REQUIRE(test.spend(1000, 10));
    CHECK(test.zone.counts().keys == 99);
    CHECK(test.zone.sweep(test.limit, test.now, 1000) == 98);
    CHECK(test.zone.counts().keys == 1);
    CHECK(test.zone.remove(key(1000)));
    CHECK_FALSE(test.zone.remove(key(1000)));
    CHECK(test.zone.check() == nullptr);
}

TEST_CASE("a zone of many keys is as many states") {
    std::mt19937_64 random(5);
    auto below = [&](std::uint64_t limit) {
        return static_cast<std::int64_t>(random() % limit);
    };
    for (auto window : {Window::sliding, Window::calendar, Window::bucket}) {
        TestZone test(256 * 1024);
        test.limit.window = window;
        test.limit.burst = 1000;
        // Slots and fixed windows begin when a key does, which the zone may
        // have forgotten: only what begins by the clock is the same.
        test.limit.lease = 100 * limit::day;
        std::map<unsigned, State> model;
        struct Open {
            unsigned name;
            Reservation zone;
            Reservation model;
        };
        std::vector<Open> open;
        for (int i = 0; i < 1'000'000; ++i) {
            test.now += below(20);
            if (below(500) == 0) {
                test.now += below(4 * minute);
            }
            auto name = static_cast<unsigned>(below(300));
            if (below(2) == 0 || open.empty()) {
                Open ask{name, {}, {}};
                auto amount = below(400);
                auto &state = model[name];
                auto expected =
                    reserve(test.limit, state, test.now, amount, &ask.model);
                auto decision = test.zone.reserve(
                    key(name), test.limit, test.now, amount, &ask.zone);
                REQUIRE(decision.outcome == expected.outcome);
                REQUIRE(decision.remaining == expected.remaining);
                REQUIRE(decision.retry_after == expected.retry_after);
                // A worker that is killed settles nothing.
                if (decision.granted() && below(20) != 0) {
                    open.push_back(ask);
                }
            } else {
                auto index = static_cast<std::size_t>(below(open.size()));
                auto &ask = open[index];
                auto most = ask.zone.amount;
                // Above that a bucket that was forgotten is charged less.
                most += window == Window::bucket ? 0 : 50;
                auto actual = below(static_cast<std::uint64_t>(most) + 1);
                test.zone.settle(key(ask.name), test.limit, test.now,
                                 ask.zone, actual);
                settle(test.limit, model[ask.name], test.now, ask.model,
                       actual);
                open[index] = open.back();
                open.pop_back();
            }
        }
        REQUIRE(test.zone.check() == nullptr);
        CHECK(test.zone.counts().forgotten == 0);
    }
}

TEST_CASE("what a killed worker had reserved comes back") {
    TestZone test(64 * 1024);
    test.limit.period = limit::day;
    Reservation reservation;
    REQUIRE(test.zone.reserve(key(1), test.limit, test.now, 1000,
                              &reservation)
                .granted());
    test.now += test.limit.lease - 1;
    CHECK_FALSE(test.spend(1, 1));
    test.now += test.limit.lease / 2 + 1;
    CHECK(test.spend(1, 1000));
}

TEST_CASE("a zone stays whole whatever the clock does") {
    std::mt19937_64 random(6);
    auto below = [&](std::uint64_t limit) {
        return static_cast<std::int64_t>(random() % limit);
    };
    for (auto window : {Window::sliding, Window::fixed, Window::bucket}) {
        // Too small for its keys.
        TestZone test(16 * 1024);
        test.limit.window = window;
        test.limit.burst = 1000;
        std::vector<std::pair<unsigned, Reservation>> open;
        for (int i = 0; i < 200'000; ++i) {
            test.now += below(100) == 0 ? below(20 * minute) - 10 * minute
                                        : below(50);
            auto name = static_cast<unsigned>(below(300));
            if (below(2) == 0 || open.empty()) {
                Reservation reservation;
                auto decision = test.zone.reserve(
                    key(name), test.limit, test.now, below(1001),
                    &reservation);
                REQUIRE(decision.retry_after
                        <= 2 * minute + test.limit.lease * 3 / 2);
                if (decision.granted() && open.size() < 1000) {
                    open.emplace_back(name, reservation);
                }
            } else {
                auto [who, reservation] = open.back();
                open.pop_back();
                test.zone.settle(key(who), test.limit, test.now, reservation,
                                 below(1001));
                REQUIRE(test.used(who) <= 1000 * 1000);
            }
            if (i % 1000 == 0) {
                REQUIRE(test.zone.check() == nullptr);
            }
        }
        CHECK(test.zone.counts().evictions > 1000);
    }
}

TEST_CASE("a slow bucket is not forgotten for one that is quick") {
    TestZone test(64 * 1024);
    test.limit.window = Window::bucket;
    test.limit.burst = 1000;
    test.limit.budget = 1;
    REQUIRE(test.spend(1, 1000));
    auto slow = test.limit;
    test.limit.budget = 1'000'000;
    test.now += minute;
    for (unsigned i = 2; i < 20; ++i) {
        REQUIRE(test.spend(i, 1));
    }
    (void)test.zone.sweep(test.limit, test.now, 100);
    CHECK(test.zone.usage(key(1), slow, test.now).used == 999);
}

TEST_CASE("sketches are kept by key, and the oldest goes") {
    Block block(16 * 1024);
    REQUIRE(SketchZone::format(block.span()) == ZoneStatus::ok);
    SketchZone zone;
    REQUIRE(SketchZone::attach(block.span(), &zone) == ZoneStatus::ok);
    for (int i = 0; i < 100; ++i) {
        zone.add(key(1), 500);
    }
    CHECK(zone.get(key(1)).total == 100);
    CHECK(zone.get(key(2)).total == 0);
    auto capacity = static_cast<unsigned>(zone.counts().capacity);
    for (unsigned i = 2; i <= capacity + 1; ++i) {
        zone.add(key(i), 500);
    }
    CHECK(zone.get(key(1)).total == 0);
    CHECK(zone.get(key(2)).total == 1);
    CHECK(zone.counts().keys == capacity);
    CHECK(zone.check() == nullptr);

    LimitZone limits;
    CHECK(LimitZone::attach(block.span(), 1, &limits)
          == ZoneStatus::other_shape);
}

TEST_CASE("a zone that is attached to nothing refuses nothing it can grant") {
    LimitZone zone;
    Reservation reservation;
    CHECK(zone.reserve(key(1), per_minute(10), noon, 5, &reservation)
              .granted());
    zone.settle(key(1), per_minute(10), noon, reservation, 5);
    CHECK(zone.usage(key(1), per_minute(10), noon).used == 0);
    CHECK_FALSE(zone.remove(key(1)));
}
