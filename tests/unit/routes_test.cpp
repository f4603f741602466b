#include "catch.hpp"

#include "llm/embedding_format.hpp"
#include "llm/format.hpp"

using namespace llm;

TEST_CASE("routes: the list names every way into every format, once") {
    std::string list = list_routes() + ",";
    auto count = [&list](std::string_view pattern) {
        std::string entry = "..." + std::string(pattern) + ",";
        int times = 0;
        for (auto at = list.find(entry); at != list.npos;
             at = list.find(entry, at + 1)) {
            ++times;
        }
        return times;
    };

    for (const Format *format : formats()) {
        for (const Route &route : format->routes()) {
            INFO(format->name() << " " << route.pattern);
            CHECK(count(route.pattern) == 1);
        }
    }
    for (const embedding::Api *api : embedding::apis()) {
        for (const embedding::Route &route : api->routes()) {
            INFO(api->name() << " " << route.pattern);
            CHECK(count(route.pattern) == 1);
        }
    }
    CHECK(list.starts_with(".../chat/completions, .../models, "));
}
