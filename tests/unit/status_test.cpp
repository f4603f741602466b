#include "catch.hpp"
#include "llm/chat.hpp"
#include "llm/result.hpp"

using namespace llm;

TEST_CASE("a provider's status has a kind, and the kind a status") {
    CHECK(error_kind_of_status(400) == ErrorKind::invalid_request);
    CHECK(error_kind_of_status(418) == ErrorKind::invalid_request);
    CHECK(error_kind_of_status(402) == ErrorKind::quota);
    CHECK(error_kind_of_status(498) == ErrorKind::rate_limit);
    CHECK(error_kind_of_status(529) == ErrorKind::overloaded);
    CHECK(error_kind_of_status(507) == ErrorKind::server);
    // An answer that is no answer: 2xx and 3xx where an error was expected.
    CHECK(error_kind_of_status(200) == ErrorKind::bad_gateway);
    CHECK(error_kind_of_status(302) == ErrorKind::bad_gateway);
    CHECK(error_kind_of_status(0) == ErrorKind::bad_gateway);

    for (int status : {400, 401, 403, 404, 409, 413, 429, 500, 502, 503, 504}) {
        INFO(status);
        CHECK(http_status(error_kind_of_status(status)) == status);
    }
    CHECK(http_status(ErrorKind::overloaded) == 503);
    CHECK(http_status(ErrorKind::unsupported) == 400);
}

TEST_CASE("roles and finish reasons have OpenAI's words") {
    CHECK(chat::to_string(chat::Role::developer) == "developer");
    CHECK(chat::to_string(chat::Role::tool) == "tool");
    CHECK(chat::to_string(chat::FinishReason::content_filter)
          == "content_filter");
    CHECK(chat::to_string(chat::FinishReason::none) == "");
}
