#include <deque>
#include <string>
#include <vector>

#include "catch.hpp"
#include "llm/balance.hpp"

using namespace llm;
using balance::bit;
using balance::Target;

namespace {

// A pool with states of its own, at a time that the test moves.
class TestPool {
public:
    explicit TestPool(std::vector<balance::Target> targets)
        : targets_(std::move(targets)) {
        for (const auto &target : targets_) {
            states_.push_back({.effective_weight = target.weight});
            pointers_.push_back(&states_.back());
        }
    }

    balance::Pool view() { return {targets_, pointers_}; }
    balance::State &state(std::size_t i) { return states_[i]; }

    // The member that is chosen, "-" for none; its try ends at once.
    std::string choose(balance::Members tried = 0) {
        bool any = balance::any(view(), tried, now);
        auto index = balance::choose(view(), tried, now);
        CHECK(any == index.has_value());
        if (!index) {
            return "-";
        }
        balance::release(view(), *index);
        return std::string(1, static_cast<char>('a' + *index));
    }

    std::string choose_many(int count) {
        std::string chosen;
        while (count-- > 0) {
            chosen += choose();
        }
        return chosen;
    }

    bool fail(std::size_t i) { return balance::failed(view(), i, now); }
    void succeed(std::size_t i) { balance::succeeded(view(), i); }
    auto earliest() { return balance::earliest_available(view(), now); }

    std::int64_t now = 1'000'000;

private:
    std::vector<balance::Target> targets_;
    std::deque<balance::State> states_;
    std::vector<balance::State *> pointers_;
};

}  // namespace

TEST_CASE("members take turns, heavier ones more often and never in a row") {
    CHECK(TestPool({{}, {}, {}}).choose_many(6) == "abcabc");
    CHECK(TestPool({{.weight = 5}, {}, {}}).choose_many(7) == "aabacaa");
}

TEST_CASE("a member that was tried is not tried again") {
    TestPool pool({{.weight = 100}, {}, {}});
    CHECK(pool.choose() == "a");
    CHECK(pool.choose(bit(0)) == "b");
    CHECK(pool.choose(bit(0) | bit(1)) == "c");
    CHECK(pool.choose(bit(0) | bit(1) | bit(2)) == "-");
}

TEST_CASE("backups serve when no other member is left") {
    TestPool pool({{}, {.backup = true}, {}});
    CHECK(pool.choose_many(4) == "acac");
    CHECK(pool.choose(bit(0) | bit(2)) == "b");
    CHECK(pool.choose(bit(0)) == "c");

    pool.fail(0);
    pool.fail(2);
    CHECK(pool.choose_many(2) == "bb");
}

TEST_CASE("a member that is down is never chosen") {
    TestPool pool({{.down = true}, {}});
    CHECK(pool.choose_many(3) == "bbb");
    CHECK_FALSE(balance::take(pool.view(), 0, pool.now));

    TestPool all_down({Target{.down = true}});
    CHECK(all_down.choose() == "-");
    CHECK_FALSE(all_down.earliest());
}

TEST_CASE("max_fails failures put a member out for fail_timeout") {
    TestPool pool({{.max_fails = 2, .fail_timeout = 1000}, {}});
    CHECK_FALSE(pool.fail(0));
    CHECK(pool.choose_many(4).find('a') != std::string::npos);
    CHECK(pool.fail(0));
    CHECK(pool.choose_many(4) == "bbbb");

    pool.now += 1000;
    CHECK(pool.choose() == "b");
    pool.now += 1;
    CHECK(balance::take(pool.view(), 0, pool.now));
    // One request is enough to find out.
    CHECK_FALSE(balance::take(pool.view(), 0, pool.now));

    pool.succeed(0);
    CHECK(balance::take(pool.view(), 0, pool.now));
    CHECK(pool.choose_many(8).find('a') != std::string::npos);
}

TEST_CASE("a probe that fails keeps the member out") {
    TestPool pool({{.fail_timeout = 1000}, {}});
    CHECK(pool.fail(0));
    pool.now += 1001;
    CHECK(balance::take(pool.view(), 0, pool.now));
    CHECK(pool.fail(0));
    pool.now += 1000;
    CHECK_FALSE(balance::take(pool.view(), 0, pool.now));
    pool.now += 1;
    CHECK(balance::take(pool.view(), 0, pool.now));
}

TEST_CASE("a success that began before the failure proves nothing") {
    TestPool pool({{}, {}});
    CHECK(pool.fail(0));
    pool.succeed(0);
    CHECK(pool.choose_many(2) == "bb");
}

TEST_CASE("max_fails=0 lets no failure count") {
    TestPool pool({{.max_fails = 0}, {}});
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(pool.fail(0));
    }
    CHECK(pool.choose_many(4) == "abab");
}

TEST_CASE("failures cost weight, which comes back with time") {
    TestPool pool({{.weight = 10, .max_fails = 5}, {.weight = 10}});
    pool.fail(0);
    pool.fail(0);
    CHECK(pool.state(0).effective_weight == 6);
    CHECK(pool.choose_many(4) == "baba");  // "abab" were they equal
    CHECK(pool.state(0).effective_weight == 10);
}

TEST_CASE("the only member is tried however often it fails") {
    TestPool pool({Target{}});
    for (int i = 0; i < 5; ++i) {
        CHECK_FALSE(pool.fail(0));
        CHECK(pool.choose() == "a");
    }
    CHECK(pool.earliest() == 0);
}

TEST_CASE("a member that asked for a pause is left alone until it is over") {
    TestPool pool({{}, {}});
    balance::block_until(pool.view(), 0, pool.now + 5000);
    balance::block_until(pool.view(), 0, pool.now + 1000);
    CHECK(pool.choose_many(3) == "bbb");
    CHECK(pool.choose(bit(1)) == "-");
    pool.now += 4999;
    CHECK(pool.choose(bit(1)) == "-");
    pool.now += 1;
    CHECK(pool.choose(bit(1)) == "a");
    // Both were tries that failed.
    CHECK(pool.view().states[0]->failures == 2);

    TestPool single({Target{}});
    balance::block_until(single.view(), 0, single.now + 5000);
    CHECK(single.choose() == "-");
}

TEST_CASE("when nobody is left it is known how long that lasts") {
    TestPool pool({{.fail_timeout = 10'000}, {}, {.backup = true}});
    CHECK(pool.earliest() == 0);
    pool.fail(0);
    balance::block_until(pool.view(), 1, pool.now + 30'000);
    CHECK(pool.earliest() == 0);
    balance::block_until(pool.view(), 2, pool.now + 20'000);
    CHECK(pool.choose() == "-");
    CHECK(pool.earliest() == 10'001);
    balance::block_until(pool.view(), 0, pool.now + 60'000);
    CHECK(pool.earliest() == 20'000);
}

TEST_CASE("running tries are counted until they are released") {
    TestPool pool({Target{}});
    auto view = pool.view();
    REQUIRE(balance::choose(view, 0, pool.now));
    REQUIRE(balance::take(view, 0, pool.now));
    CHECK(pool.state(0).conns == 2);
    CHECK(pool.state(0).selected == 2);
    balance::release(view, 0);
    balance::release(view, 0);
    balance::release(view, 0);
    CHECK(pool.state(0).conns == 0);
    pool.fail(0);
    CHECK(pool.state(0).failures == 1);
}
