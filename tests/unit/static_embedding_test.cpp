#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "files.hpp"
#include "llm/static_embedding.hpp"
#include "table_file.hpp"

using namespace llm;
using embedding::Kernel;
using embedding::StaticTable;
using testing::TableFile;

namespace {

// Where things are in the file of small(), in bytes.
constexpr std::size_t version_at = 8;
constexpr std::size_t rows_at = 12;
constexpr std::size_t dimensions_at = 16;
constexpr std::size_t offsets_at = 64;
constexpr std::size_t text_at = offsets_at + 5 * 4;
constexpr std::size_t scales_at = text_at + 16;

TableFile small() {
    return TableFile({{"[UNK]", 0.5F, {4, 0, 0}},
                      {"red", 1, {1, 0, 0}},
                      {"blue", 2, {0, 1, 0}},
                      {"dim", 0, {0, 0, 7}}},
                     "small");
}

std::string error_of(const TableFile &file) {
    auto table = StaticTable::open(file.view());
    return table ? "" : table.error().message;
}

std::vector<float> embed(const StaticTable &table, std::string_view text,
                         std::size_t tokens) {
    StaticTable::Scratch scratch;
    std::vector<float> out(table.dimensions());
    CHECK(table.embed(text, out, scratch) == tokens);
    return out;
}

double dot(const std::vector<float> &a, const std::vector<float> &b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); i++) {
        sum += double{a[i]} * b[i];
    }
    return sum;
}

}  // namespace

TEST_CASE("an embedding is the sum of the pieces' vectors at unit length",
          "[embedding]") {
    auto file = small();
    auto table = StaticTable::open(file.view());
    REQUIRE(table);
    CHECK(table->name() == "small");
    CHECK(table->dimensions() == 3);
    CHECK(table->rows() == 4);

    CHECK(embed(*table, "Red!", 2)[2] != 0);        // ! is unknown
    auto both = embed(*table, "red blue", 2);
    CHECK(both[0] == Approx(1 / std::sqrt(5.0)));
    CHECK(both[1] == Approx(2 / std::sqrt(5.0)));
    CHECK(both[2] == 0);
    CHECK(embed(*table, "blue red red blue", 4) == both);
}

TEST_CASE("a text without a direction has no embedding", "[embedding]") {
    auto file = small();
    auto table = StaticTable::open(file.view());
    REQUIRE(table);
    const std::vector<float> zero(3);
    CHECK(embed(*table, "", 0) == zero);
    CHECK(embed(*table, " \n", 0) == zero);
    CHECK(embed(*table, "dim dim", 0) == zero);
}

TEST_CASE("unknown words have directions of their own", "[embedding]") {
    std::vector<std::int8_t> none(256, 0);
    auto length = none;
    length[0] = 100;
    TableFile file({{"[UNK]", 0.01F, length}, {"red", 0.01F, length}});
    auto table = StaticTable::open(file.view());
    REQUIRE(table);
    auto zebra = embed(*table, "zebra", 1);
    CHECK(dot(zebra, zebra) == Approx(1));
    CHECK(dot(zebra, embed(*table, "ZEBRA", 1)) == Approx(1));
    CHECK(std::fabs(dot(zebra, embed(*table, "yak", 1))) < 0.25);
    CHECK(std::fabs(dot(zebra, embed(*table, "red", 1))) < 0.25);
}

TEST_CASE("every kernel adds as the plain one does", "[embedding]") {
    std::mt19937 random(1);
    auto all = embedding::kernels();
    REQUIRE(all.front().name == "plain");
    for (std::size_t count : {32U, 256U, 1024U}) {
        std::vector<std::int8_t> row(count);
        for (auto &value : row) {
            value = static_cast<std::int8_t>(random());
        }
        row.front() = -128;
        std::vector<float> start(count);
        for (std::size_t i = 0; i < count; i++) {
            start[i] = static_cast<float>(i) / 7;
        }
        auto expected = start;
        all.front().add_row(expected.data(), row.data(), 0.037F, count);
        for (const auto &kernel : all) {
            INFO(kernel.name << ", " << count);
            auto sum = start;
            kernel.add_row(sum.data(), row.data(), 0.037F, count);
            for (std::size_t i = 0; i < count; i++) {
                CHECK(sum[i] == Approx(expected[i]).margin(1e-4));
            }
        }
    }
}

TEST_CASE("a table can have any dimension up to 1024", "[embedding]") {
    for (std::size_t dimensions : {1U, 31U, 33U, 1000U, 1024U}) {
        std::vector<std::int8_t> vector(dimensions, 3);
        vector.back() = 5;
        TableFile file({{"[UNK]", 1, vector}, {"red", 1, vector}});
        auto table = StaticTable::open(file.view());
        REQUIRE(table);
        auto red = embed(*table, "red", 1);
        CHECK(red.size() == dimensions);
        CHECK(dot(red, red) == Approx(1));
        CHECK(red.back() > 0);
    }
}

TEST_CASE("an error says what is wrong with a table", "[embedding]") {
    CHECK(error_of(small()) == "");

    auto change = [](auto &&how) {
        auto file = small();
        how(file);
        file.sign();
        return error_of(file);
    };
    auto set = [&](std::size_t at, std::uint32_t value) {
        return change([&](TableFile &file) { file.set(at, value); });
    };

    CHECK(set(0, 0) == "not a table of embeddings");
    CHECK(set(version_at, 2) == "the table has version 2, not 1");
    CHECK(set(rows_at, 0) == "the table has 0 rows, not 2 to 16777216");
    CHECK(set(rows_at, 1 << 25) ==
          "the table has 33554432 rows, not 2 to 16777216");
    CHECK(set(dimensions_at, 1025) ==
          "the table has 1025 dimensions, not 1 to 1024");
    CHECK(set(dimensions_at, 33) ==
          "the table has 244 bytes, but its header says 372");
    CHECK(set(offsets_at + 4, 99) ==
          "the offsets of the vocabulary make no sense");
    CHECK(change([](TableFile &file) { file.bytes()[text_at] = '('; }) ==
          "the vocabulary has no piece \"[UNK]\"");
    CHECK(change([](TableFile &file) {
              file.set(scales_at + 8,
                       std::numeric_limits<float>::infinity());
          }) == "the scale of row 2 is not a finite number");

    auto file = small();
    CHECK(StaticTable::open(file.view().subspan(1)).error().message ==
          "the table is not aligned in memory");
}

TEST_CASE("a table that was cut or damaged anywhere is refused",
          "[embedding]") {
    auto whole = small();
    for (std::size_t size = 0; size < whole.bytes().size(); size++) {
        auto cut = small();
        cut.bytes().resize(size);
        CHECK_FALSE(StaticTable::open(cut.view()));
    }
    for (std::size_t at = 0; at < whole.bytes().size(); at++) {
        auto damaged = small();
        damaged.bytes()[at] ^= 0x10;
        CHECK_FALSE(StaticTable::open(damaged.view()));
    }
    whole.bytes().push_back('\0');
    CHECK(error_of(whole) ==
          "the table has 245 bytes, but its header says 244");
}

TEST_CASE("a sum that runs over is no embedding", "[embedding]") {
    TableFile file({{"[UNK]", 1, {1}},
                    {"red", std::numeric_limits<float>::max(), {127}}});
    auto table = StaticTable::open(file.view());
    REQUIRE(table);
    CHECK(embed(*table, "red", 0) == std::vector<float>{0});
}

TEST_CASE("the built-in table tells questions apart", "[embedding]") {
    const auto &bytes = testing::built_in_table();
    auto table = StaticTable::open(std::as_bytes(std::span(bytes)));
    REQUIRE(table);
    CHECK(table->name() == "all-minilm-l6-v2.static256");
    CHECK(table->dimensions() == 256);
    CHECK(bytes.size() <= 10'000'000);

    // docs/cache-similarity.md explains the value.
    constexpr double default_similarity = 0.8;

    auto stored = embed(*table, "Who is Joseph Conrad?", 5);
    auto near = [&](std::string_view text) {
        StaticTable::Scratch scratch;
        std::vector<float> out(table->dimensions());
        table->embed(text, out, scratch);
        return dot(stored, out);
    };
    double more = near("Tell me more about Joseph Conrad");
    CHECK(near("who is joseph conrad") > more);
    CHECK(more > default_similarity);
    CHECK(near("Tell me more about Joseph Haydn") < more);
    CHECK(near("Who is Marie Curie?") < 0.6);
    CHECK(near("Living is easy with eyes closed") < 0.3);
    CHECK(near("How do I bake bread?") < 0.3);
    CHECK(near("🤖") < 0.3);
}
