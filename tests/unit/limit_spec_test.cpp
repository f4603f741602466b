#include "catch.hpp"
#include "llm/limit_spec.hpp"

using namespace llm;
using namespace llm::limit;

namespace {

std::string error_of(const SpecWords &words) {
    auto spec = parse_spec(words);
    return spec ? std::string("no error") : spec.error().message;
}

Spec spec_of(const SpecWords &words) {
    auto spec = parse_spec(words);
    INFO(words.rate);
    REQUIRE(spec);
    return *spec;
}

}  // namespace

TEST_CASE("a rate is a sliding window") {
    auto spec = spec_of({.rate = "100k/m"});
    CHECK(spec.limit.window == Window::sliding);
    CHECK(spec.limit.budget == 100'000);
    CHECK(spec.limit.period == 60'000);
    CHECK(spec.count == Count::total);
    CHECK(spec_of({.rate = "1/s"}).limit.period == 1000);
    CHECK(spec_of({.rate = "1.5m/d"}).limit.budget == 1'500'000);
    CHECK(spec_of({.rate = "1.5M/d"}).limit.budget == 1'500'000);
    CHECK(spec_of({.rate = "7/5h"}).limit.period == 5 * 3'600'000);
    CHECK(spec_of({.rate = "7/30d"}).limit.period == 30 * limit::day);
}

TEST_CASE("a rate with a burst is a bucket") {
    auto spec = spec_of({.rate = "100k/m", .burst = "20k"});
    CHECK(spec.limit.window == Window::bucket);
    CHECK(spec.limit.budget == 100'000);
    CHECK(spec.limit.burst == 20'000);
    CHECK(spec.limit.capacity() == 20'000);
}

TEST_CASE("a rate per month is one of the calendar") {
    auto spec = spec_of({.rate = "5.50usd/month"});
    CHECK(spec.limit.window == Window::calendar);
    CHECK(spec.limit.unit == CalendarUnit::month);
    CHECK(spec.limit.budget == 5'500'000);
    CHECK(spec.count == Count::cost);
    CHECK(spec.currency == "usd");
    CHECK(spec_of({.rate = "1/month", .window = "calendar"}).limit.window
          == Window::calendar);
    auto day = spec_of({.rate = "1m/d", .window = "calendar"});
    CHECK(day.limit.window == Window::calendar);
    CHECK(day.limit.unit == CalendarUnit::day);
}

TEST_CASE("what is counted can be said") {
    CHECK(spec_of({.rate = "60/m", .count = "requests"}).count
          == Count::requests);
    CHECK(spec_of({.rate = "1k/m", .window = "fixed", .count = "prompt"})
              .limit.window
          == Window::fixed);
    CHECK(spec_of({.rate = "1EUR/d", .count = "cost"}).currency == "eur");
    CHECK(name_of(Count::completion) == "completion");
}

TEST_CASE("every mistake is named") {
    struct Row {
        SpecWords words;
        const char *error;
    };
    const Row rows[] = {
        {{.rate = ""},
         "invalid rate \"\": has no period: use \"100k/m\", say"},
        {{.rate = "100k"},
         "invalid rate \"100k\": has no period: use \"100k/m\", say"},
        {{.rate = "/m"}, "invalid rate \"/m\": must begin with a number"},
        {{.rate = "0/m"}, "invalid rate \"0/m\": must be above 0"},
        {{.rate = "-5/m"},
         "invalid rate \"-5/m\": must begin with a number"},
        {{.rate = "100x/m"}, "invalid rate \"100x/m\": unknown unit \"x\""},
        {{.rate = "1..5k/m"}, "invalid rate \"1..5k/m\": has a point without "
                              "digits"},
        {{.rate = "1.5.5k/m"}, "invalid rate \"1.5.5k/m\": is not a number"},
        {{.rate = "1.0001k/m"}, "invalid rate \"1.0001k/m\": has a part of "
                                "the smallest unit"},
        {{.rate = "0.5/m"},
         "invalid rate \"0.5/m\": has a part of the smallest unit"},
        {{.rate = "99999999999999999999/m"},
         "invalid rate \"99999999999999999999/m\": is too large"},
        {{.rate = "2000000000000k/m"},
         "invalid rate \"2000000000000k/m\": is too large"},
        {{.rate = "1/w"}, "invalid rate \"1/w\": unknown period \"w\", must "
                          "be s, m, h, d or month"},
        {{.rate = "1/"}, "invalid rate \"1/\": unknown period \"\", must be "
                         "s, m, h, d or month"},
        {{.rate = "1/0m"},
         "invalid rate \"1/0m\": must be for a period above 0"},
        {{.rate = "1/2month"},
         "invalid rate \"1/2month\": must be per one month"},
        {{.rate = "1/367d"},
         "invalid rate \"1/367d\": must be for 366 days at most"},
        {{.rate = "1/99999999999999999999d"},
         "invalid rate \"1/99999999999999999999d\": unknown period "
         "\"99999999999999999999d\", must be s, m, h, d or month"},
        {{.rate = "1k/m", .burst = "x"},
         "invalid burst \"x\": must begin with a number"},
        {{.rate = "1k/m", .burst = "0"},
         "invalid burst \"0\": must be above 0"},
        {{.rate = "1k/m", .burst = "1usd"},
         "invalid burst \"1usd\": must be of the unit that the rate has"},
        {{.rate = "1k/month", .burst = "1"},
         "invalid burst \"1\": a rate per month has none: use a rate per 30d"},
        {{.rate = "1k/m", .burst = "1", .window = "fixed"},
         "invalid burst \"1\": a window has none: leave out one of the two"},
        {{.rate = "1k/m", .window = "rolling"},
         "invalid window \"rolling\": must be sliding, fixed or calendar"},
        {{.rate = "1k/month", .window = "sliding"},
         "invalid window \"sliding\": months differ in length: use a rate per "
         "30d, or window=calendar"},
        {{.rate = "1k/s", .window = "calendar"},
         "invalid window \"calendar\": must have a rate per m, h, d or month"},
        {{.rate = "1k/2d", .window = "calendar"},
         "invalid window \"calendar\": must have a rate per m, h, d or month"},
        {{.rate = "1k/m", .count = "words"},
         "invalid count \"words\": must be total, prompt, completion, cost or "
         "requests"},
        {{.rate = "1k/m", .count = "cost"},
         "invalid rate \"1k/m\": needs a currency, since cost is counted"},
        {{.rate = "1usd/m", .count = "total"},
         "invalid rate \"1usd/m\": is money, but total is counted"},
    };
    for (const auto &row : rows) {
        CHECK(error_of(row.words) == row.error);
    }
}

TEST_CASE("amounts are read exactly") {
    std::string currency;
    CHECK(*parse_money("0.000001usd", &currency) == 1);
    CHECK(*parse_money("12.340000eur", &currency) == 12'340'000);
    CHECK(currency == "eur");
    CHECK_FALSE(parse_money("0.0000001usd", &currency));
    CHECK_FALSE(parse_money("5", &currency));
    CHECK_FALSE(parse_count("5usd"));
    CHECK(*parse_count("4k") == 4000);
    CHECK(*parse_count("1125899906842624") == max_amount);
    CHECK_FALSE(parse_count("1125899906842625"));
    CHECK_FALSE(parse_count("1125899.906842625m"));
}

TEST_CASE("a rate may be another for each consumer") {
    auto window = spec_of({.rate = "100k/m"});
    CHECK(with_rate(window, "7k/m")->budget == 7000);
    CHECK(with_rate(window, "7k/h").error().message
          == "invalid rate \"7k/h\": must be for the period of the limit");
    CHECK(with_rate(window, "7usd/m").error().message
          == "invalid rate \"7usd/m\": must be of the unit that the limit "
             "has");
    CHECK_FALSE(with_rate(window, "many"));

    auto bucket = spec_of({.rate = "100k/m", .burst = "20k"});
    CHECK(with_rate(bucket, "50k/m")->burst == 10'000);
    CHECK(with_rate(bucket, "1/m")->burst == 1);

    auto month = spec_of({.rate = "1m/month"});
    CHECK(with_rate(month, "2m/month")->budget == 2'000'000);
    CHECK_FALSE(with_rate(month, "2m/d"));
}
