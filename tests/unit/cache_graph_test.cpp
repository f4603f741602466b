// How much of the true nearest the graph of a large partition finds.
#include <algorithm>

#include "catch.hpp"
#include "zone.hpp"

using namespace zones;

namespace {

constexpr std::size_t dimensions = 64;

class LargePartition {
public:
    explicit LargePartition(std::uint32_t graph_from)
        : test(24 << 20, options(graph_from)), source(dimensions, 40, 7) {}

    void add(int count) {
        for (; count > 0; --count, ++end_) {
            vectors_.push_back(source.next());
            REQUIRE(test.put(key(end_), "x", {partition, vectors_.back()})
                    == Stored::stored);
        }
    }
    void remove_oldest(int count) {
        for (; count > 0; --count, ++begin_) {
            REQUIRE(test.zone.remove(key(begin_)));
        }
    }

    // The share of the ten nearest that searches find.
    double recall() {
        std::size_t found = 0;
        constexpr int queries = 200;
        for (int i = 0; i < queries; ++i) {
            auto query = source.near(
                vectors_[begin_ + i * 37 % (end_ - begin_)], 0.42);
            std::vector<std::pair<float, std::size_t>> all;
            for (std::size_t j = begin_; j < end_; ++j) {
                all.emplace_back(-vector::kernels().dot_f32(
                                     query.data(), vectors_[j].data(),
                                     dimensions), j);
            }
            std::partial_sort(all.begin(), all.begin() + 10, all.end());
            auto near = test.search(partition, query, {-1, false}, 10);
            for (std::size_t j = 0; j < 10; ++j) {
                found += std::any_of(
                    near.begin(), near.end(), [&](const auto &each) {
                        return each.key == key(all[j].second);
                    });
            }
        }
        return static_cast<double>(found) / queries / 10;
    }

    static cache::ZoneOptions options(std::uint32_t graph_from) {
        cache::ZoneOptions options;
        options.dimensions = dimensions;
        options.graph_from = graph_from;
        return options;
    }

    const ZoneKey partition = key(UINT64_MAX);
    TestZone test;
    clusters::Source source;

private:
    std::vector<clusters::Vector> vectors_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace

TEST_CASE("a partition that is compared as a whole finds all") {
    LargePartition large(10000);
    large.add(3000);
    CHECK(large.test.zone.stats().graph_vectors == 0);
    CHECK(large.recall() > 0.999);
    CHECK(large.test.zone.check() == nullptr);
}

TEST_CASE("a partition that grows large moves to its graph by and by") {
    LargePartition large(1000);
    large.add(1000);
    CHECK(large.test.zone.stats().graph_vectors == 0);
    large.add(100);
    // Some are in the graph and some are not: all are found.
    CHECK(large.test.zone.stats().graph_vectors == 300);
    CHECK(large.recall() > 0.98);
    large.add(1900);
    CHECK(large.test.zone.stats().graph_vectors == 3000);
    CHECK(large.test.zone.stats().vectors == 3000);
    CHECK(large.recall() > 0.98);
    CHECK(large.test.zone.check() == nullptr);
}

TEST_CASE("a graph stays good when all of its entries are replaced") {
    LargePartition large(100);
    large.add(3000);
    for (int i = 0; i < 200; ++i) {
        large.remove_oldest(30);
        large.add(30);
    }
    CHECK(large.recall() > 0.97);
    CHECK(large.test.zone.check() == nullptr);
}

TEST_CASE("a graph that shrinks to nothing and grows again works") {
    LargePartition large(50);
    for (int round = 0; round < 3; ++round) {
        large.add(500);
        REQUIRE(large.test.zone.check() == nullptr);
        large.remove_oldest(490);
        REQUIRE(large.test.zone.check() == nullptr);
        CHECK(large.recall() > 0.999);
        large.remove_oldest(10);
        REQUIRE(large.test.zone.check() == nullptr);
        CHECK(large.test.zone.stats().partitions == 0);
    }
}

TEST_CASE("equal vectors do not cut a graph into pieces") {
    LargePartition large(10);
    auto &test = large.test;
    auto first = large.source.next();
    auto second = large.source.next();
    for (int i = 0; i < 400; ++i) {
        REQUIRE(test.put(key(i), "x",
                         {large.partition, i % 2 == 0 ? first : second})
                == Stored::stored);
    }
    REQUIRE(test.zone.check() == nullptr);
    for (const auto &vector : {first, second}) {
        auto found = test.search(large.partition, vector, {0.999f, false}, 50);
        CHECK(found.size() == 50);
    }
}
