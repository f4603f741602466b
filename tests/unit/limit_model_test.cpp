// Random steps on states and on naive models of them, which keep every
// request there ever was.
#include <algorithm>
#include <random>
#include <vector>

#include "catch.hpp"
#include "llm/limit.hpp"
#include "llm/time_zone.hpp"

using namespace llm;
using namespace llm::limit;

namespace {

struct Request {
    std::int64_t window;        // begin
    std::int64_t slot;          // the last in which it is held
    std::int64_t amount;
    std::int64_t actual = -1;   // not settled
    Reservation reservation;
};

// Of any window; the definition, not the algorithm.
class Model {
public:
    Model(const Limit &limit) : limit_(limit), slot_((limit.lease + 1) / 2) {}

    std::int64_t used(std::int64_t now) const {
        auto window = window_of(now);
        auto slot = slot_of(now);
        std::int64_t present = 0;
        std::int64_t before = 0;
        for (const auto &request : requests) {
            std::int64_t counts = request.actual >= 0    ? request.actual
                                  : slot <= request.slot ? request.amount
                                                         : 0;
            if (request.window == window) {
                present += counts;
            } else if (request.window == window - limit_.period) {
                before += counts;
            }
        }
        if (limit_.window != Window::sliding) {
            return present;
        }
        std::int64_t tick = limit_.period > limit::day ? 1000 : 1;
        __extension__ using Wide = __int128;
        Wide left = window + limit_.period - std::max(now, window);
        left = (left + tick - 1) / tick;
        Wide whole = limit_.period / tick;
        return present
               + static_cast<std::int64_t>((before * left + whole - 1)
                                           / whole);
    }

    void admit(std::int64_t now, std::int64_t amount,
               const Reservation &reservation) {
        commit(now);
        requests.push_back(
            {window_, slot_of(now) + 2, amount, -1, reservation});
        // What no window reaches any more.
        std::erase_if(requests, [&](const Request &request) {
            return request.window < window_ - limit_.period
                   && request.actual >= 0;
        });
    }

    void settle(std::int64_t now, std::size_t index, std::int64_t actual) {
        commit(now);
        requests[index].actual = actual;
    }

    std::vector<Request> requests;

private:
    // A clock that went back a little stands still, once something was done.
    void commit(std::int64_t now) {
        window_ = window_of(now);
        if (!begun_) {
            leased_at_ = now;
            begun_ = true;
        }
        newest_slot_ = slot_of(now);
    }

    std::int64_t window_of(std::int64_t now) const {
        std::int64_t window = 0;
        switch (limit_.window) {
        case Window::sliding:
            window = now / limit_.period * limit_.period;
            break;
        case Window::fixed:
            return begun_ && now - window_ < limit_.period ? window_ : now;
        default:
            window = calendar_span(limit_.unit, limit_.zone, now).start;
        }
        return begun_ ? std::max(window, window_) : window;
    }

    std::int64_t slot_of(std::int64_t now) const {
        if (!begun_) {
            return 0;
        }
        return std::max(newest_slot_,
                        now < leased_at_ ? 0 : (now - leased_at_) / slot_);
    }

    Limit limit_;
    std::int64_t slot_;
    bool begun_ = false;
    std::int64_t window_ = 0;
    std::int64_t leased_at_ = 0;
    std::int64_t newest_slot_ = 0;
};

class Random {
public:
    explicit Random(std::uint32_t seed) : engine_(seed) {}
    std::int64_t below(std::int64_t limit) {
        return std::uniform_int_distribution<std::int64_t>(0,
                                                           limit - 1)(engine_);
    }

private:
    std::mt19937_64 engine_;
};

// Small steps mostly, now and then one over windows; back a little.
std::int64_t step_of_time(Random &random, std::int64_t period) {
    switch (random.below(40)) {
    case 0:
        return random.below(3 * period);
    case 1:
        return -random.below(std::min<std::int64_t>(period / 4 + 1, 50));
    case 2:
        return random.below(50) == 0 ? 100 * period : 0;
    default:
        return random.below(period / 16 + 1);
    }
}

void check_retry(const Limit &limit, const State &state, std::int64_t now,
                 std::int64_t amount, const Decision &refused) {
    Reservation reservation;
    State then = state;
    REQUIRE(refused.retry_after > 0);
    REQUIRE_FALSE(reserve(limit, then, now + refused.retry_after - 1, amount,
                          &reservation)
                      .granted());
    REQUIRE(reserve(limit, then, now + refused.retry_after, amount,
                    &reservation)
                .granted());
}

void run_windows(const Limit &limit, std::uint32_t seed, int steps) {
    INFO("window " << static_cast<int>(limit.window) << " period "
                   << limit.period << " seed " << seed);
    Random random(seed);
    Model model(limit);
    State state;
    std::int64_t now = 1'700'000'000'000 + random.below(limit.period);
    std::vector<std::size_t> open;
    for (int i = 0; i < steps; ++i) {
        now += step_of_time(random, limit.period);
        if (random.below(3) != 0) {
            std::int64_t amount = random.below(limit.budget / 4 + 2);
            std::int64_t used = model.used(now);
            Reservation reservation;
            auto decision = reserve(limit, state, now, amount, &reservation);
            REQUIRE(decision.granted() == (used + amount <= limit.budget));
            std::int64_t after = decision.granted() ? used + amount : used;
            REQUIRE(decision.remaining
                    == std::max<std::int64_t>(limit.budget - after, 0));
            if (decision.granted()) {
                model.admit(now, amount, reservation);
            } else if (decision.outcome == Outcome::refused
                       && random.below(8) == 0)
            {
                check_retry(limit, state, now, amount, decision);
            }
        } else {
            // One of those that are not settled; some never are.
            std::erase_if(model.requests, [&](const Request &request) {
                return request.actual < 0
                       && request.window < now - 20 * limit.period;
            });
            open.clear();
            for (std::size_t j = 0; j < model.requests.size(); ++j) {
                if (model.requests[j].actual < 0
                    && model.requests[j].amount % 7 != 0)
                {
                    open.push_back(j);
                }
            }
            if (open.empty()) {
                continue;
            }
            auto index = open[static_cast<std::size_t>(
                random.below(static_cast<std::int64_t>(open.size())))];
            const auto &request = model.requests[index];
            // Sometimes nothing, sometimes more than was reserved.
            std::int64_t actual =
                random.below(4) == 0 ? 0 : random.below(request.amount * 9 / 8
                                                        + 1);
            settle(limit, state, now, request.reservation, actual);
            model.settle(now, index, actual);
        }
        REQUIRE(usage(limit, state, now).used == model.used(now));
    }
}

}  // namespace

TEST_CASE("windows are what their definition says") {
    auto berlin = TimeZone::parse_posix("CET-1CEST,M3.5.0,M10.5.0/3");
    REQUIRE(berlin);
    std::uint32_t seed = 1;
    for (auto window : {Window::sliding, Window::fixed}) {
        for (std::int64_t period :
             {std::int64_t{1000}, std::int64_t{60'000}, limit::day,
              30 * limit::day})
        {
            for (std::int64_t budget :
                 {std::int64_t{50}, std::int64_t{100'000}, max_amount})
            {
                for (std::int64_t lease : {period / 10, period * 3}) {
                    Limit limit;
                    limit.window = window;
                    limit.period = period;
                    limit.budget = budget;
                    limit.lease = lease;
                    run_windows(limit, seed++, 20'000);
                }
            }
        }
    }
    for (auto unit : {CalendarUnit::minute, CalendarUnit::hour,
                      CalendarUnit::day, CalendarUnit::month})
    {
        Limit limit;
        limit.window = Window::calendar;
        limit.unit = unit;
        limit.zone = &*berlin;
        // For the steps of time.
        constexpr std::int64_t lengths[] = {60'000, 3'600'000, limit::day,
                                            30 * limit::day};
        limit.period = lengths[static_cast<int>(unit)];
        limit.budget = 100'000;
        limit.lease = limit.period / 3;
        run_windows(limit, seed++, 50'000);
    }
}

namespace {

__extension__ using Wide = __int128;

// The level of a bucket in parts of a unit, as a fraction without rounding.
class ExactBucket {
public:
    explicit ExactBucket(const Limit &limit)
        : rate_(limit.budget), tick_(limit.period > limit::day ? 1000 : 1),
          parts_(limit.period / tick_) {}

    void advance(std::int64_t now) {
        if (level_ == 0) {
            at_ = now;
        }
        std::int64_t ticks = now < at_ ? 0 : (now - at_) / tick_;
        at_ += ticks * tick_;
        level_ = std::max<Wide>(level_ - Wide{rate_} * ticks, 0);
    }
    void add(std::int64_t amount) { level_ += Wide{amount} * parts_; }
    // Whole units, a part of one counted as one.
    std::int64_t used() const {
        return static_cast<std::int64_t>((level_ + parts_ - 1) / parts_);
    }

private:
    std::int64_t rate_;
    std::int64_t tick_;
    std::int64_t parts_;
    std::int64_t at_ = 0;
    Wide level_ = 0;
};

Limit bucket_of(std::int64_t period, std::int64_t budget,
                std::int64_t burst) {
    Limit limit;
    limit.window = Window::bucket;
    limit.period = period;
    limit.budget = budget;
    limit.burst = burst;
    return limit;
}

constexpr std::int64_t bucket_periods[] = {1000, 60'000, limit::day,
                                           30 * limit::day};
constexpr std::int64_t bucket_rates[] = {1, 97, 100'000, max_amount};

}  // namespace

TEST_CASE("a bucket is exact, however it is divided") {
    std::uint32_t seed = 100;
    for (auto period : bucket_periods) {
        for (auto rate : bucket_rates) {
            auto limit = bucket_of(period, rate,
                                   rate == max_amount ? rate : rate / 3 + 50);
            INFO("period " << period << " rate " << rate);
            Random random(seed++);
            ExactBucket exact(limit);
            State state;
            std::int64_t now = 1'700'000'000'000;
            for (int i = 0; i < 20'000; ++i) {
                now += random.below(4) == 0 ? random.below(period / 4 + 1)
                                            : random.below(50);
                std::int64_t amount = random.below(limit.burst / 8 + 2);
                ExactBucket then = exact;
                then.advance(now);
                Reservation reservation;
                auto decision =
                    reserve(limit, state, now, amount, &reservation);
                REQUIRE(decision.granted()
                        == (then.used() + amount <= limit.burst));
                if (decision.granted()) {
                    exact = then;
                    exact.add(amount);
                } else if (decision.outcome == Outcome::refused
                           && random.below(8) == 0
                           && decision.retry_after < longest_wait)
                {
                    check_retry(limit, state, now, amount, decision);
                }
            }
        }
    }
}

TEST_CASE("what buckets give back never lets more through than the rate") {
    std::uint32_t seed = 200;
    for (auto period : bucket_periods) {
        for (auto rate : bucket_rates) {
            auto limit = bucket_of(period, rate,
                                   rate == max_amount ? rate : rate / 3 + 50);
            INFO("period " << period << " rate " << rate);
            Random random(seed++);
            State state;
            std::int64_t now = 1'700'000'000'000;
            struct Charge {
                std::int64_t at;
                std::int64_t amount;
                Reservation reservation;
            };
            std::vector<Charge> charges;
            for (int i = 0; i < 20'000; ++i) {
                now += random.below(4) == 0 ? random.below(period / 4 + 1)
                                            : random.below(50);
                if (random.below(2) == 0 || charges.empty()) {
                    std::int64_t amount = random.below(limit.burst / 8 + 2);
                    Reservation reservation;
                    if (reserve(limit, state, now, amount, &reservation)
                            .granted())
                    {
                        charges.push_back({now, amount, reservation});
                    }
                    continue;
                }
                auto back = std::min<std::int64_t>(
                    static_cast<std::int64_t>(charges.size()), 40);
                auto &charge = charges[charges.size() - 1
                                       - static_cast<std::size_t>(
                                           random.below(back))];
                if (charge.reservation.amount >= 0) {
                    charge.amount = random.below(charge.amount + 1);
                    settle(limit, state, now, charge.reservation,
                           charge.amount);
                    charge.reservation.amount = -1;
                }
            }
            // With what was really used, the bucket would not have spilled.
            ExactBucket exact(limit);
            for (const auto &charge : charges) {
                exact.advance(charge.at);
                exact.add(charge.amount);
                REQUIRE(exact.used() <= limit.burst + 1);
            }
        }
    }
}

TEST_CASE("after all is settled a window has exactly what was reported") {
    for (auto window : {Window::sliding, Window::fixed, Window::calendar}) {
        Limit limit;
        limit.window = window;
        limit.unit = CalendarUnit::month;
        limit.period = 366 * limit::day;
        limit.budget = 1'000'000;
        Random random(7);
        State state;
        std::int64_t now = 20'000 * limit::day;
        std::vector<Reservation> open;
        std::int64_t reported = 0;
        for (int i = 0; i < 100'000; ++i) {
            now += random.below(3);
            Reservation reservation;
            if (random.below(2) == 0) {
                if (reserve(limit, state, now, random.below(1000),
                            &reservation)
                        .granted())
                {
                    open.push_back(reservation);
                }
            } else if (!open.empty()) {
                auto index = static_cast<std::size_t>(
                    random.below(static_cast<std::int64_t>(open.size())));
                std::int64_t actual = random.below(20);
                settle(limit, state, now, open[index], actual);
                reported += actual;
                open[index] = open.back();
                open.pop_back();
            }
        }
        for (const auto &reservation : open) {
            settle(limit, state, now, reservation, 3);
            reported += 3;
        }
        auto at_last = usage(limit, state, now);
        CHECK(at_last.spent == reported);
        CHECK(at_last.held == 0);
    }
}
