// What each model was asked: include/llm/totals.hpp.
#include "catch.hpp"

#include <memory>
#include <string>

#include "llm/totals.hpp"

using llm::totals::Row;
using llm::totals::Table;

namespace {

std::unique_ptr<Table> empty_table() {
    return std::make_unique<Table>();   // zeroed
}

llm::chat::Usage usage(std::int64_t prompt, std::int64_t completion) {
    llm::chat::Usage usage;
    usage.prompt_tokens = prompt;
    usage.completion_tokens = completion;
    return usage;
}

}  // namespace

TEST_CASE("totals: each model of each provider has its own") {
    auto table = empty_table();
    table->at("openai", "gpt-4o", true).counts.add(usage(10, 5));
    table->at("azure", "gpt-4o", true).counts.add(usage(1, 2));
    table->at("openai", "gpt-4o", true).counts.add(usage(20, 6));

    REQUIRE(table->rows().size() == 2);
    const Row &row = table->rows()[0];
    CHECK(row.provider() == "openai");
    CHECK(row.model() == "gpt-4o");
    CHECK(row.counts.requests == 2);
    CHECK(row.counts.prompt_tokens == 30);
    CHECK(row.counts.completion_tokens == 11);
    CHECK(table->rows()[1].counts.prompt_tokens == 1);
}

TEST_CASE("totals: names are not run together") {
    auto table = empty_table();
    table->at("a", "bc", true).counts.requests = 1;
    CHECK(table->at("ab", "c", true).counts.requests == 0);
}

TEST_CASE("totals: a name that nobody vouches for is one of the others") {
    auto table = empty_table();
    table->at("openai", "invented", false).counts.requests += 1;
    table->at("openai", "made-up", false).counts.requests += 1;

    REQUIRE(table->rows().size() == 1);
    CHECK(table->rows()[0].model() == "other");
    CHECK(table->rows()[0].counts.requests == 2);

    // But it is found where there is such a model.
    table->at("openai", "gpt-4o", true).counts.requests += 1;
    CHECK(table->at("openai", "gpt-4o", false).counts.requests == 1);
}

TEST_CASE("totals: what finds no room is counted all the same") {
    auto table = empty_table();
    for (std::size_t i = 0; i < 3 * Table::capacity; ++i) {
        table->at("p", std::to_string(i), true).counts.requests += 1;
    }
    for (int i = 0; i < 3; ++i) {
        table->at("late " + std::to_string(i), "m", true).counts.requests += 1;
    }

    CHECK(table->rows().size() == Table::capacity);
    std::uint64_t requests = 0;
    for (const Row &row : table->rows()) {
        requests += row.counts.requests;
    }
    CHECK(requests == 3 * Table::capacity + 3);
    CHECK(table->at("", "other", false).counts.requests > 0);
}

TEST_CASE("totals: a name that is too long is one of the others") {
    auto table = empty_table();
    table->at("openai", std::string(500, 'x'), true).counts.requests += 1;
    CHECK(table->at("openai", "other", false).counts.requests == 1);
}

TEST_CASE("totals: counts below 0 are none") {
    auto table = empty_table();
    table->at("p", "m", true).counts.add(usage(-5, -1));
    CHECK(table->rows()[0].counts.prompt_tokens == 0);
    CHECK(table->rows()[0].counts.requests == 1);
}
