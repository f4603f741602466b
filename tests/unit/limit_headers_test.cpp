#include "catch.hpp"
#include "llm/limit_headers.hpp"

using namespace llm;
using namespace llm::limit;

namespace {

using Fields = std::vector<HeaderField>;

Held held(Count count, std::int64_t limit, std::int64_t remaining,
          std::int64_t reset) {
    Held held;
    held.name = "team";
    held.count = count;
    held.limit.budget = limit;
    held.decision.outcome = Outcome::granted;
    held.decision.limit = limit;
    held.decision.remaining = remaining;
    held.decision.reset = reset;
    return held;
}

Held refused(Held held, std::int64_t retry_after) {
    held.decision.outcome = Outcome::refused;
    held.decision.retry_after = retry_after;
    return held;
}

}  // namespace

TEST_CASE("times are written as OpenAI writes them") {
    CHECK(openai_duration(0) == "0s");
    CHECK(openai_duration(-5) == "0s");
    CHECK(openai_duration(12) == "12ms");
    CHECK(openai_duration(1000) == "1s");
    CHECK(openai_duration(8640) == "8.64s");
    CHECK(openai_duration(1001) == "1.001s");
    CHECK(openai_duration(360'000) == "6m0s");
    CHECK(openai_duration(60'500) == "1m0.5s");
    CHECK(openai_duration(3'630'000) == "1h0m30s");
    CHECK(openai_duration(100 * 3'600'000) == "100h0m0s");
}

TEST_CASE("OpenAI's headers tell of the tightest limit of either kind") {
    Held limits[] = {
        held(Count::total, 100'000, 60'000, 30'000),
        held(Count::completion, 50'000, 20'000, 360'000),
        held(Count::requests, 60, 59, 1000),
        held(Count::cost, 10, 1, 1000),
    };
    CHECK(limit_headers(limits, {})
          == Fields{{"x-ratelimit-limit-tokens", "50000"},
                    {"x-ratelimit-remaining-tokens", "20000"},
                    {"x-ratelimit-reset-tokens", "6m0s"},
                    {"x-ratelimit-limit-requests", "60"},
                    {"x-ratelimit-remaining-requests", "59"},
                    {"x-ratelimit-reset-requests", "1s"}});
    CHECK(tightest(limits) == &limits[3]);
    CHECK(tightest({}) == nullptr);
    CHECK(limit_headers({}, {.openai = true, .ietf = true}).empty());
}

TEST_CASE("the draft's headers tell of all limits") {
    Held limits[] = {
        held(Count::total, 100'000, 60'000, 30'001),
        held(Count::requests, 60, 59, 1000),
        held(Count::cost, 10, 1, 1000),
    };
    limits[1].name = "a \"b\"";
    CHECK(limit_headers(limits, {.openai = false, .ietf = true})
          == Fields{{"ratelimit-policy",
                     "\"team\";q=100000;qu=\"tokens\";w=60, "
                     "\"a \\\"b\\\"\";q=60;w=60"},
                    {"ratelimit", "\"team\";r=60000;t=31, "
                                  "\"a \\\"b\\\"\";r=59;t=1"}});
}

TEST_CASE("a refused request hears when all limits would grant it") {
    Held limits[] = {
        refused(held(Count::total, 100, 10, 30'000), 1200),
        refused(held(Count::total, 1000, 50, 90'000), 60'001),
        held(Count::total, 500, 1, 10),
    };
    CHECK(retry_after(limits) == 60'001);
    CHECK(tightest(limits) == &limits[1]);
    auto fields = limit_headers(limits, {.openai = false, .ietf = false});
    CHECK(fields
          == Fields{{"retry-after", "61"}, {"retry-after-ms", "60001"}});
}

TEST_CASE("who asks for more than the budget is told not to try again") {
    Held limits[] = {refused(held(Count::total, 100, 10, 30'000), 1200),
                     held(Count::total, 50, 50, 0)};
    limits[1].decision.outcome = Outcome::too_large;
    CHECK(retry_after(limits) == -1);
    CHECK(tightest(limits) == &limits[1]);
    CHECK(limit_headers(limits, {.openai = false, .ietf = false})
          == Fields{{"x-should-retry", "false"}});
}
