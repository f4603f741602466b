#include "catch.hpp"
#include "llm/breaker.hpp"

using llm::Breaker;

TEST_CASE("a breaker opens after failures in a row", "[breaker]") {
    Breaker breaker(3, 1000);
    CHECK_FALSE(breaker.failed(0));
    CHECK_FALSE(breaker.failed(0));
    CHECK_FALSE(breaker.succeeded());
    CHECK_FALSE(breaker.failed(1));
    CHECK_FALSE(breaker.failed(2));
    CHECK(breaker.admit(2));
    CHECK(breaker.failed(3));
    CHECK_FALSE(breaker.admit(3));
    CHECK_FALSE(breaker.admit(1002));
    CHECK(breaker.admit(1003));
}

TEST_CASE("an open breaker lets one call at a time find out", "[breaker]") {
    Breaker breaker(1, 1000);
    CHECK(breaker.failed(0));
    CHECK(breaker.admit(1000));
    CHECK_FALSE(breaker.admit(1000));

    SECTION("which fails: the pause begins anew") {
        CHECK(breaker.failed(1500));
        CHECK_FALSE(breaker.admit(2499));
        CHECK(breaker.admit(2500));
    }
    SECTION("which succeeds: all may") {
        CHECK(breaker.succeeded());
        CHECK(breaker.admit(1500));
        CHECK(breaker.admit(1500));
    }
    SECTION("which says nothing: the next may") {
        breaker.released();
        CHECK(breaker.admit(1500));
        CHECK_FALSE(breaker.admit(1500));
    }
}

TEST_CASE("calls that were under way fail without opening it again",
          "[breaker]") {
    Breaker breaker(2, 1000);
    CHECK_FALSE(breaker.failed(0));
    CHECK(breaker.failed(1));
    CHECK_FALSE(breaker.failed(2));
    CHECK_FALSE(breaker.admit(1001));
    CHECK(breaker.admit(1002));
}

TEST_CASE("a breaker without a limit never opens", "[breaker]") {
    Breaker breaker(0, 1000);
    for (int i = 0; i < 5; i++) {
        CHECK(breaker.admit(0));
        CHECK_FALSE(breaker.failed(0));
    }
    CHECK_FALSE(breaker.succeeded());
    CHECK(breaker.admit(0));
}
