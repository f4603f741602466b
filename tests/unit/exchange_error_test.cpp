// What an exchange makes of a provider's error.
#include "catch.hpp"

#include <memory_resource>
#include <string>

#include "llm/exchange.hpp"
#include "llm/format.hpp"

using namespace llm;

TEST_CASE("an error without an end is told all the same", "[exchange]") {
    std::pmr::monotonic_buffer_resource memory;
    Exchange exchange(
        openai_format(),
        R"({"model":"m","messages":[{"role":"user","content":"q"}]})", {},
        &memory);
    RouteMatch route;
    route.format = &openai_format();
    REQUIRE(exchange.open(route));
    exchange.set_context("0123456789abcdef01234567", 1700000001);
    Target target;
    target.format = &anthropic_format();
    target.model = "p";
    REQUIRE(exchange.prepare(target));

    AnswerHead head;
    head.status = 503;
    head.content_type = "text/html";
    REQUIRE(exchange.begin(head) == Exchange::Step::more);
    const std::string piece(1000, '<');
    const std::size_t most = ExchangeLimits().max_error;
    auto step = Exchange::Step::more;
    std::size_t fed = 0;
    while (step == Exchange::Step::more && fed < 2 * most) {
        step = exchange.feed(piece);
        fed += piece.size();
    }
    CHECK(step == Exchange::Step::failed);
    CHECK(fed < most + piece.size());
    CHECK(exchange.error().kind == ErrorKind::unavailable);
    CHECK(exchange.error().message.find('<') == std::string::npos);
    // What comes before the connection is closed.
    CHECK(exchange.feed(piece) == Exchange::Step::more);
}
