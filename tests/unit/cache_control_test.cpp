// Cache-Control: what may be read from the cache and what may be kept.
#include "catch.hpp"

#include <string_view>

#include "llm/cache_control.hpp"

using namespace llm::cache;

namespace {

RequestPolicy request(std::string_view header) {
    CacheControl control;
    control.add(header);
    return request_policy(control);
}

AnswerPolicy answer(std::string_view header, std::int64_t ttl = 300) {
    CacheControl control;
    control.add(header);
    return answer_policy(control, ttl);
}

}  // namespace

TEST_CASE("cache control: a request that says nothing takes what is there") {
    RequestPolicy policy = request("");
    CHECK(policy.read);
    CHECK(policy.store);
    CHECK_FALSE(policy.must_hit);
    CHECK(policy.accepts(299, 300));
    CHECK(policy.accepts(300, 300));
    CHECK_FALSE(policy.accepts(301, 300));
}

TEST_CASE("cache control: no-cache asks anew, no-store leaves no trace") {
    RequestPolicy fresh = request("no-cache");
    CHECK_FALSE(fresh.read);
    CHECK(fresh.store);
    CHECK_FALSE(fresh.accepts(0, 300));

    RequestPolicy none = request("no-store");
    CHECK_FALSE(none.read);
    CHECK_FALSE(none.store);

    CHECK(request("only-if-cached").must_hit);

    CacheControl pragma;
    pragma.add_pragma("x-something, No-Cache");
    CHECK_FALSE(request_policy(pragma).read);
}

TEST_CASE("cache control: how old and how stale a client takes an answer") {
    CHECK(request("max-age=60").accepts(60, 300));
    CHECK_FALSE(request("max-age=60").accepts(61, 300));
    CHECK_FALSE(request("max-age=0").accepts(1, 300));
    CHECK(request("min-fresh=100").accepts(200, 300));
    CHECK_FALSE(request("min-fresh=100").accepts(201, 300));
    CHECK(request("max-stale=10").accepts(310, 300));
    CHECK_FALSE(request("max-stale=10").accepts(311, 300));
    CHECK(request("max-stale").accepts(100000, 300));
    CHECK_FALSE(request("max-stale, min-fresh=1").accepts(300, 300));
    CHECK(request("stale-if-error=60").stale_if_error == 60);
}

TEST_CASE("cache control: what an answer allows") {
    CHECK(answer("").store);
    CHECK(answer("").ttl == 300);
    CHECK(answer("max-age=60").ttl == 60);
    CHECK(answer("max-age=60, s-maxage=120").ttl == 120);
    CHECK_FALSE(answer("no-store").store);
    CHECK_FALSE(answer("private").store);
    CHECK_FALSE(answer("no-cache").store);
    CHECK_FALSE(answer("max-age=0").store);
    CHECK_FALSE(answer("", 0).store);
    CHECK(answer("stale-if-error=600, stale-while-revalidate=30")
              .stale_if_error == 600);
    CHECK(answer("stale-if-error=600, stale-while-revalidate=30")
              .stale_while_revalidate == 30);
}

TEST_CASE("cache control: the grammar of the field") {
    CHECK(answer("PRIVATE=\"set-cookie, x\", Max-Age=60").ttl == 60);
    CHECK_FALSE(answer("private=\"set-cookie\"").store);
    // A comma within quotes separates nothing.
    CHECK(answer("ext=\"a, no-store\"").store);
    CHECK(answer("ext=\"a\\\", no-store\"").store);
    CHECK(answer(" , ,max-age = \"60\" ,").ttl == 60);
    CHECK(answer("max-age=99999999999999999999").ttl == std::int64_t{1} << 31);
    // Of two the stricter; what is no number is the strictest.
    CHECK(answer("max-age=60, max-age=30").ttl == 30);
    CHECK_FALSE(answer("max-age=sixty").store);
    CHECK_FALSE(answer("max-age=-1").store);
    CHECK_FALSE(answer("max-age").store);
    CHECK_FALSE(request("max-stale=ten").accepts(301, 300));
    CHECK_FALSE(request("min-fresh=ten").accepts(0, 300));
}
