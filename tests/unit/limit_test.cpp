#include <random>

#include "catch.hpp"
#include "llm/limit.hpp"
#include "llm/time_zone.hpp"

using namespace llm;
using namespace llm::limit;

namespace {

constexpr std::int64_t minute = 60'000;
// A whole number of days, hours and minutes.
constexpr std::int64_t noon = 20'000 * limit::day;

Limit sliding(std::int64_t budget, std::int64_t period = minute) {
    Limit limit;
    limit.window = Window::sliding;
    limit.budget = budget;
    limit.period = period;
    return limit;
}

Limit fixed(std::int64_t budget, std::int64_t period = minute) {
    Limit limit = sliding(budget, period);
    limit.window = Window::fixed;
    return limit;
}

Limit calendar(std::int64_t budget, CalendarUnit unit) {
    Limit limit = sliding(budget);
    limit.window = Window::calendar;
    limit.unit = unit;
    return limit;
}

Limit bucket(std::int64_t budget, std::int64_t burst,
             std::int64_t period = minute) {
    Limit limit = sliding(budget, period);
    limit.window = Window::bucket;
    limit.burst = burst;
    return limit;
}

// One key.
struct Consumer {
    Limit limit;
    std::int64_t now = noon;
    State state = {};
    Reservation last = {};

    Decision ask(std::int64_t amount) {
        return reserve(limit, state, now, amount, &last);
    }
    bool granted(std::int64_t amount) { return ask(amount).granted(); }
    // Reserved and settled with the same.
    bool spend(std::int64_t amount) {
        bool granted = this->granted(amount);
        if (granted) {
            settle(limit, state, now, last, amount);
        }
        return granted;
    }
    std::int64_t used() const { return usage(limit, state, now).used; }
};

const Limit all_kinds[] = {
    sliding(1000), fixed(1000), calendar(1000, CalendarUnit::minute),
    bucket(1000, 1000)};

}  // namespace

TEST_CASE("what is reserved counts until it is settled") {
    for (const auto &limit : all_kinds) {
        INFO(static_cast<int>(limit.window));
        Consumer consumer{limit};
        auto first = consumer.ask(600);
        REQUIRE(first.granted());
        CHECK(first.limit == 1000);
        CHECK(first.remaining == 400);
        auto reservation = consumer.last;

        auto second = consumer.ask(600);
        CHECK(second.outcome == Outcome::refused);
        CHECK(second.remaining == 400);
        CHECK(second.retry_after > 0);
        REQUIRE(consumer.granted(400));
        CHECK_FALSE(consumer.granted(1));

        settle(limit, consumer.state, consumer.now, reservation, 100);
        CHECK(consumer.used() == 500);
        CHECK(consumer.granted(500));
    }
}

TEST_CASE("a request that failed is refunded whole") {
    for (const auto &limit : all_kinds) {
        INFO(static_cast<int>(limit.window));
        Consumer consumer{limit};
        REQUIRE(consumer.granted(1000));
        refund(limit, consumer.state, consumer.now, consumer.last);
        CHECK(consumer.used() == 0);
        CHECK(usage(limit, consumer.state, consumer.now).idle());
    }
}

TEST_CASE("a refused request changes nothing") {
    for (const auto &limit : all_kinds) {
        INFO(static_cast<int>(limit.window));
        Consumer consumer{limit};
        REQUIRE(consumer.spend(900));
        auto before = consumer.used();
        for (int i = 0; i < 1000; ++i) {
            CHECK_FALSE(consumer.granted(200));
        }
        CHECK(consumer.used() == before);
        auto refused = consumer.ask(200);
        consumer.now += refused.retry_after - 1;
        CHECK_FALSE(consumer.granted(200));
        consumer.now += 1;
        CHECK(consumer.granted(200));
    }
}

TEST_CASE("more than the whole budget is refused for good") {
    for (const auto &limit : all_kinds) {
        INFO(static_cast<int>(limit.window));
        Consumer consumer{limit};
        auto decision = consumer.ask(1001);
        CHECK(decision.outcome == Outcome::too_large);
        CHECK(decision.retry_after == 0);
        CHECK(decision.remaining == 1000);
        CHECK(consumer.granted(1000));
    }
}

TEST_CASE("amounts out of all bounds are taken for the nearest") {
    for (const auto &limit : all_kinds) {
        INFO(static_cast<int>(limit.window));
        Consumer consumer{limit};
        CHECK(consumer.granted(-5));
        CHECK(consumer.used() == 0);
        CHECK(consumer.ask(INT64_MAX).outcome == Outcome::too_large);
        REQUIRE(consumer.granted(10));
        settle(limit, consumer.state, consumer.now, consumer.last, INT64_MAX);
        CHECK(consumer.used() == max_amount);
        CHECK(consumer.ask(1).remaining == 0);
        CHECK(consumer.ask(INT64_MIN).outcome == Outcome::refused);
    }
}

TEST_CASE("a sliding window forgets the one before evenly") {
    Consumer consumer{sliding(1000)};
    REQUIRE(consumer.spend(1000));
    consumer.now = noon + minute;
    CHECK(consumer.used() == 1000);
    consumer.now = noon + minute + minute / 4;
    CHECK(consumer.used() == 750);
    CHECK(consumer.ask(0).reset == minute * 3 / 4);
    REQUIRE(consumer.spend(250));
    CHECK(consumer.ask(0).reset == minute * 7 / 4);
    consumer.now = noon + 2 * minute;
    CHECK(consumer.used() == 250);
    consumer.now = noon + 3 * minute;
    CHECK(consumer.used() == 0);
}

TEST_CASE("a fixed window begins with the first request") {
    Consumer consumer{fixed(1000)};
    consumer.now += 7;
    REQUIRE(consumer.spend(1000));
    consumer.now += minute - 1;
    auto refused = consumer.ask(1);
    CHECK(refused.retry_after == 1);
    CHECK(refused.reset == 1);
    consumer.now += 1;
    CHECK(consumer.spend(1000));
}

TEST_CASE("a bucket drains evenly") {
    Consumer consumer{bucket(60, 100)};
    REQUIRE(consumer.spend(100));
    CHECK(consumer.ask(1).retry_after == 1000);
    CHECK(consumer.ask(100).retry_after == 100'000);
    CHECK(consumer.ask(0).reset == 100'000);
    consumer.now += 1500;
    CHECK(consumer.used() == 99);
    REQUIRE(consumer.spend(1));
    consumer.now += 499;
    CHECK_FALSE(consumer.spend(1));
    consumer.now += 1;
    CHECK(consumer.spend(1));
}

TEST_CASE("a bucket that does not drain says so for long") {
    Consumer consumer{bucket(0, 100)};
    REQUIRE(consumer.spend(100));
    CHECK(consumer.ask(1).retry_after == longest_wait);
}

TEST_CASE("a request is charged to the window in which it was admitted") {
    SECTION("sliding, to the window before") {
        Consumer consumer{sliding(1000)};
        REQUIRE(consumer.granted(800));
        auto stream = consumer.last;
        consumer.now = noon + minute + minute / 2;
        CHECK(consumer.used() == 400);
        settle(consumer.limit, consumer.state, consumer.now, stream, 400);
        CHECK(consumer.used() == 200);
        CHECK(usage(consumer.limit, consumer.state, consumer.now).spent == 0);
    }
    SECTION("to none, when that is over") {
        for (const auto &limit :
             {sliding(1000), fixed(1000),
              calendar(1000, CalendarUnit::minute)})
        {
            Consumer consumer{limit};
            REQUIRE(consumer.granted(800));
            auto stream = consumer.last;
            consumer.now = noon + 2 * minute;
            REQUIRE(consumer.granted(1));
            settle(limit, consumer.state, consumer.now, stream, 800);
            CHECK(consumer.used() == 1);
        }
    }
    SECTION("a bucket gets back what has not drained") {
        Consumer consumer{bucket(60, 100)};
        REQUIRE(consumer.granted(100));
        auto first = consumer.last;
        consumer.now += 40'000;
        REQUIRE(consumer.granted(40));
        // 60 of the first are left, and 40 of the second.
        refund(consumer.limit, consumer.state, consumer.now, first);
        CHECK(consumer.used() == 40);
    }
    SECTION("and nothing of what has") {
        Consumer consumer{bucket(60, 100)};
        REQUIRE(consumer.granted(100));
        auto first = consumer.last;
        consumer.now += 100'000;
        REQUIRE(consumer.granted(100));
        refund(consumer.limit, consumer.state, consumer.now, first);
        CHECK(consumer.used() == 100);
    }
}

TEST_CASE("what was used above its reservation is charged, too") {
    for (const auto &limit : all_kinds) {
        INFO(static_cast<int>(limit.window));
        Consumer consumer{limit};
        REQUIRE(consumer.granted(900));
        settle(limit, consumer.state, consumer.now, consumer.last, 1500);
        CHECK(consumer.used() == 1500);
        auto refused = consumer.ask(1);
        CHECK(refused.remaining == 0);
        consumer.now += refused.retry_after;
        CHECK(consumer.granted(1));
    }
}

TEST_CASE("reservations of the dead expire") {
    for (auto limit : {sliding(1000, limit::day), fixed(1000, limit::day),
                       calendar(1000, CalendarUnit::month)})
    {
        limit.lease = 10 * minute;
        Consumer consumer{limit};
        REQUIRE(consumer.granted(1000));
        auto dead = consumer.last;
        auto refused = consumer.ask(1);
        // Only what is reserved is in the way: no need to wait for a day.
        CHECK(refused.retry_after >= limit.lease);
        CHECK(refused.retry_after <= limit.lease * 3 / 2);

        consumer.now += limit.lease - 1;
        CHECK_FALSE(consumer.granted(1));
        consumer.now += limit.lease / 2 + 1;
        CHECK(consumer.granted(400));
        CHECK(consumer.used() == 400);

        // Not dead after all: it is charged, and takes nothing from others.
        settle(limit, consumer.state, consumer.now, dead, 500);
        CHECK(consumer.used() == 900);
    }
}

TEST_CASE("what is renewed is held for as long as that goes on") {
    for (auto limit : {sliding(1000, limit::day), fixed(1000, limit::day),
                       calendar(1000, CalendarUnit::month)})
    {
        limit.lease = 10 * minute;
        Consumer consumer{limit};
        REQUIRE(consumer.granted(700));
        auto stream = consumer.last;
        REQUIRE(consumer.granted(100));
        for (int i = 0; i < 20; ++i) {
            consumer.now += limit.lease / 2;
            renew(limit, consumer.state, consumer.now, &stream);
            CHECK_FALSE(consumer.granted(301));
        }
        // The other one has long been forgotten.
        CHECK(consumer.used() == 700);
        settle(limit, consumer.state, consumer.now, stream, 250);
        CHECK(consumer.used() == 250);
        CHECK(usage(limit, consumer.state, consumer.now).held == 0);
    }
}

TEST_CASE("what is renewed too late is held once more, for it is being used") {
    auto limit = sliding(1000, limit::day);
    limit.lease = 10 * minute;
    Consumer consumer{limit};
    REQUIRE(consumer.granted(700));
    auto stream = consumer.last;
    consumer.now += 3 * limit.lease;
    REQUIRE(consumer.spend(600));
    renew(limit, consumer.state, consumer.now, &stream);
    CHECK(consumer.used() == 1300);
    settle(limit, consumer.state, consumer.now, stream, 10);
    CHECK(consumer.used() == 610);
}

TEST_CASE("what a window that is over has admitted is not held in another") {
    Consumer consumer{fixed(1000)};
    REQUIRE(consumer.granted(700));
    auto stream = consumer.last;
    consumer.now += minute;
    REQUIRE(consumer.spend(1));
    renew(consumer.limit, consumer.state, consumer.now, &stream);
    CHECK(consumer.used() == 1);

    // Of the window before, as much as that still counts.
    Consumer slides{sliding(1000)};
    REQUIRE(slides.granted(600));
    slides.now += minute + minute / 2;
    renew(slides.limit, slides.state, slides.now, &slides.last);
    CHECK(slides.used() == 300);
}

TEST_CASE("a clock that is put back gives nothing back and locks nobody out") {
    for (const auto &limit :
         {sliding(1000), fixed(1000), calendar(1000, CalendarUnit::minute),
          bucket(1000, 1000)})
    {
        INFO(static_cast<int>(limit.window));
        for (std::int64_t jump :
             {std::int64_t{1}, clock_slack, clock_slack + 1, limit::day,
              noon})
        {
            Consumer consumer{limit};
            REQUIRE(consumer.spend(1000));
            consumer.now -= jump;
            auto refused = consumer.ask(1000);
            CHECK(refused.outcome == Outcome::refused);
            CHECK(refused.retry_after <= 2 * minute + clock_slack);
            consumer.now += refused.retry_after;
            CHECK(consumer.spend(1000));
        }
    }
}

TEST_CASE("a clock that jumps ahead and back leaves usable states") {
    for (const auto &limit : all_kinds) {
        INFO(static_cast<int>(limit.window));
        Consumer consumer{limit};
        REQUIRE(consumer.granted(500));
        auto early = consumer.last;
        consumer.now += 4000 * limit::day;
        REQUIRE(consumer.spend(700));
        consumer.now -= 4000 * limit::day;
        CHECK(consumer.used() == 700);
        settle(limit, consumer.state, consumer.now, early, 500);
        CHECK(consumer.used() == 700);
        consumer.now += 2 * minute;
        CHECK(consumer.granted(1000));
    }
}

TEST_CASE("times from before the epoch and from far ahead do no harm") {
    for (const auto &limit : all_kinds) {
        Consumer consumer{limit};
        for (std::int64_t now :
             {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX,
              std::int64_t{1} << 52, std::int64_t{5}})
        {
            consumer.now = now;
            (void)consumer.ask(300);
            settle(limit, consumer.state, now, consumer.last, 200);
            CHECK(consumer.used() <= 1000);
            CHECK(consumer.ask(1000).retry_after >= 0);
        }
    }
}

TEST_CASE("a reservation of a state that was forgotten takes nothing") {
    for (const auto &limit :
         {sliding(1000), fixed(1000), calendar(1000, CalendarUnit::minute)})
    {
        INFO(static_cast<int>(limit.window));
        Consumer consumer{limit};
        consumer.state.birth = 1;
        REQUIRE(consumer.granted(300));
        auto old = consumer.last;
        consumer.state = {};
        consumer.state.birth = 2;
        REQUIRE(consumer.granted(600));
        settle(limit, consumer.state, consumer.now, old, 200);
        CHECK(consumer.used() == 800);

        // Its window is over: nothing is left to charge.
        consumer.now += 2 * minute;
        settle(limit, consumer.state, consumer.now, old, 200);
        CHECK(consumer.used() == 0);
    }
    Consumer consumer{bucket(60, 1000)};
    consumer.state.birth = 1;
    REQUIRE(consumer.granted(300));
    auto old = consumer.last;
    consumer.state = {};
    consumer.state.birth = 2;
    consumer.now += minute;
    settle(consumer.limit, consumer.state, consumer.now, old, 200);
    CHECK(consumer.used() == 140);
}

TEST_CASE("parallel requests cannot exceed a budget together") {
    // One peer of ours let 663 through where 100 were allowed.
    for (auto limit : all_kinds) {
        limit.budget = 100;
        limit.burst = 100;
        Consumer consumer{limit};
        int let_through = 0;
        for (int i = 0; i < 663; ++i) {
            let_through += consumer.granted(1);
        }
        CHECK(let_through == 100);
    }
}
