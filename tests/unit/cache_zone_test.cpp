#include <limits>

#include "catch.hpp"
#include "zone.hpp"

using namespace zones;

namespace {

constexpr std::size_t small = 64 * 1024;

cache::ZoneOptions with_vectors(std::uint32_t dimensions) {
    cache::ZoneOptions options;
    options.dimensions = dimensions;
    return options;
}

std::string pattern(std::size_t size, unsigned seed = 0) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        text[i] = static_cast<char>((i * 31 + i / 251 + seed) % 256);
    }
    return text;
}

// In the plane of the first two axes, so many degrees from the first.
clusters::Vector direction(double degrees, std::size_t dimensions = 8) {
    clusters::Vector vector(dimensions);
    double angle = degrees * 3.14159265358979 / 180;
    vector[0] = static_cast<float>(std::cos(angle));
    vector[1] = static_cast<float>(std::sin(angle));
    return vector;
}

}  // namespace

TEST_CASE("what was stored is found under its key") {
    TestZone test(small);
    REQUIRE(test.put(key(1), "one") == Stored::stored);
    REQUIRE(test.put(key(2), "two") == Stored::stored);

    CHECK(test.get(key(1)) == "one");
    CHECK(test.found.match == Match::fresh);
    CHECK(test.get(key(2)) == "two");
    CHECK(test.get(key(3)) == std::nullopt);
}

TEST_CASE("a new value takes the place of the old one") {
    TestZone test(small);
    test.put(key(1), pattern(3000));
    test.put(key(1), "new");
    CHECK(test.get(key(1)) == "new");
    CHECK(test.zone.stats().entries == 1);
    CHECK(test.zone.stats().value_bytes == 3);
    CHECK(test.zone.check() == nullptr);
}

TEST_CASE("values of any size up to the largest are kept whole") {
    for (std::uint32_t dimensions : {0, 100, 256, 1536}) {
        TestZone test(1 << 20, with_vectors(dimensions));
        REQUIRE(test.status == ZoneStatus::ok);
        std::vector<std::size_t> sizes = {0, 1, test.zone.max_value()};
        for (std::size_t size = 350; size < 3000; size += 17) {
            sizes.push_back(size);
        }
        for (std::size_t size : sizes) {
            for (bool has_vector : {false, true}) {
                Put how;
                if (has_vector && dimensions != 0) {
                    how.partition = key(1000);
                    how.vector = direction(30, dimensions);
                }
                REQUIRE(test.put(key(size), pattern(size), how)
                        == Stored::stored);
                REQUIRE(test.get(key(size)) == pattern(size));
            }
        }
        CHECK(test.zone.check() == nullptr);
        CHECK(test.put(key(1), pattern(test.zone.max_value() + 1))
              == Stored::too_large);
    }
}

TEST_CASE("the operator can bound values") {
    cache::ZoneOptions options;
    options.max_value = 100;
    TestZone test(small, options);
    CHECK(test.zone.max_value() == 100);
    CHECK(test.put(key(1), pattern(100)) == Stored::stored);
    CHECK(test.put(key(2), pattern(101)) == Stored::too_large);
}

TEST_CASE("a value that does not fit the caller's memory says its size") {
    TestZone test(small);
    test.put(key(1), "four");
    char out[3] = {'-', '-', '-'};
    auto found = test.zone.get(key(1), test.now, out);
    CHECK(found.match == Match::fresh);
    CHECK_FALSE(found.copied);
    CHECK(found.size == 4);
    CHECK(out[0] == '-');
    CHECK(test.zone.stats().hits == 0);
}

TEST_CASE("an entry goes when its time is over") {
    TestZone test(small);
    test.put(key(1), "short", {.ttl = 100});
    test.now += 99;
    CHECK(test.get(key(1)) == "short");
    test.now += 1;
    CHECK(test.get(key(1)) == std::nullopt);
    CHECK(test.zone.stats().expirations == 1);
    CHECK(test.zone.stats().entries == 0);

    CHECK(test.put(key(1), "never", {.ttl = 0}) == Stored::expired);
}

TEST_CASE("a stale entry is served while one caller refreshes it") {
    TestZone test(small);
    test.put(key(1), "old", {.ttl = 100, .stale_for = 1000});
    test.now += 100;

    char out[10];
    auto first = test.zone.get(key(1), test.now, out, Access::exact, 50);
    CHECK(first.match == Match::stale);
    CHECK(first.refresh);
    auto second = test.zone.get(key(1), test.now, out, Access::exact, 50);
    CHECK(second.match == Match::stale);
    CHECK_FALSE(second.refresh);

    // The one who was asked did not manage: the next is asked.
    test.now += 50;
    CHECK(test.zone.get(key(1), test.now, out, Access::exact, 50).refresh);

    test.put(key(1), "new", {.ttl = 100});
    CHECK(test.get(key(1)) == "new");
    CHECK(test.found.match == Match::fresh);
}

TEST_CASE("expired entries are swept without being asked for") {
    TestZone test(small);
    for (int i = 0; i < 20; ++i) {
        test.put(key(i), "x", {.ttl = i < 10 ? 100 : hour});
    }
    test.now += 100;
    CHECK(test.zone.sweep(test.now, test.zone.cells()) == 10);
    CHECK(test.zone.stats().entries == 10);
    CHECK(test.zone.check() == nullptr);
}

TEST_CASE("those not used for longest make room") {
    TestZone test(small);
    std::string value = pattern(5000);
    int count = 0;
    while (test.zone.stats().evictions == 0) {
        test.put(key(count++), value);
        if (count > 1) {
            // 0 is used again and again, so 1 is the first to go.
            REQUIRE(test.get(key(0)));
        }
    }
    CHECK(test.has(key(0)));
    CHECK_FALSE(test.has(key(1)));
    CHECK(test.has(key(2)));
    CHECK(test.zone.check() == nullptr);
}

TEST_CASE("looking does not count as use") {
    TestZone test(small);
    std::string value = pattern(5000);
    for (int i = 0; test.zone.stats().evictions == 0; ++i) {
        test.put(key(i), value);
        (void) test.get(key(0), Access::peek);
    }
    CHECK_FALSE(test.has(key(0)));
    CHECK(test.zone.stats().hits == 0);
}

TEST_CASE("all sizes find room for ever, whatever was there before") {
    // First many small values, then large ones only, and back.
    TestZone test(small, with_vectors(256));
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 500; ++i) {
            REQUIRE(test.put(key(i), "small") == Stored::stored);
        }
        for (int i = 0; i < 50; ++i) {
            std::string value = pattern(test.zone.max_value());
            REQUIRE(test.put(key(i), value) == Stored::stored);
            REQUIRE(test.get(key(i)) == value);
        }
        REQUIRE(test.zone.check() == nullptr);
        // At least half of the memory is in use by these few.
        auto stats = test.zone.stats();
        CHECK(stats.value_bytes * 2 > stats.total_bytes);
    }
}

TEST_CASE("entries can be removed") {
    TestZone test(small);
    test.put(key(1), "one");
    CHECK(test.zone.remove(key(1)));
    CHECK_FALSE(test.zone.remove(key(1)));
    CHECK_FALSE(test.has(key(1)));
    CHECK(test.zone.stats().removals == 1);
}

TEST_CASE("a partition is purged as a whole, and only that") {
    TestZone test(1 << 20, with_vectors(8));
    for (int i = 0; i < 300; ++i) {
        test.put(key(i), "a", {key(1000), direction(i)});
        test.put(key(i + 300), "b", {key(1001), direction(i)});
    }
    test.put(key(600), "no vector", {.partition = key(1000)});

    CHECK(test.zone.purge_partition(key(1000)) == 301);
    CHECK(test.zone.check() == nullptr);
    CHECK(test.zone.stats().entries == 300);
    CHECK(test.zone.stats().partitions == 1);
    CHECK_FALSE(test.has(key(0)));
    CHECK_FALSE(test.has(key(600)));
    CHECK(test.has(key(300)));
    CHECK(test.search(key(1000), direction(10)).empty());
    CHECK(test.search(key(1001), direction(10)).size() == 5);
    CHECK(test.zone.purge_partition(key(1000)) == 0);

    // Its keys and its name are free for new ones.
    test.put(key(0), "again", {key(1000), direction(0)});
    CHECK(test.get(key(0)) == "again");
    CHECK(test.search(key(1000), direction(0)).size() == 1);

    // What is left of the old one is collected.
    (void) test.zone.sweep(test.now, 1000);
    CHECK(test.zone.check() == nullptr);
    CHECK(test.zone.stats().entries == 301);
}

TEST_CASE("everything can be purged") {
    TestZone test(small, with_vectors(8));
    for (int i = 0; i < 20; ++i) {
        test.put(key(i), "x", {key(1000), direction(i)});
    }
    test.zone.purge_all();
    CHECK(test.zone.stats().entries == 0);
    CHECK(test.zone.stats().used_bytes == 0);
    CHECK(test.search(key(1000), direction(0)).empty());
    CHECK(test.zone.check() == nullptr);
    CHECK(test.put(key(1), "new") == Stored::stored);
}

TEST_CASE("uses of a key are counted before it is stored") {
    TestZone test(small);
    CHECK(test.zone.count_use(key(1), test.now) == 1);
    CHECK(test.zone.count_use(key(1), test.now) == 2);
    CHECK(test.zone.count_use(key(2), test.now) == 1);
    test.now += test.options.uses_window;
    CHECK(test.zone.count_use(key(1), test.now) == 3);
    test.now += test.options.uses_window + 1;
    CHECK(test.zone.count_use(key(1), test.now) == 1);
}

TEST_CASE("many keys cannot make the counters grow") {
    TestZone test(small);
    for (int i = 0; i < 10000; ++i) {
        CHECK(test.zone.count_use(key(i), test.now + i) == 1);
    }
    CHECK(test.zone.count_use(key(9999), test.now + 10000) == 2);
    CHECK(test.zone.check() == nullptr);
}

TEST_CASE("one caller at a time has the lease of a key") {
    TestZone test(small);
    CHECK(test.zone.lease(key(1), test.now, test.now + 100));
    CHECK_FALSE(test.zone.lease(key(1), test.now, test.now + 100));
    CHECK(test.zone.is_leased(key(1), test.now));
    CHECK(test.zone.lease(key(2), test.now, test.now + 100));

    test.zone.release(key(1));
    CHECK_FALSE(test.zone.is_leased(key(1), test.now));
    CHECK(test.zone.lease(key(1), test.now, test.now + 100));

    // Who has it may have died.
    CHECK(test.zone.lease(key(1), test.now + 100, test.now + 200));
}

TEST_CASE("the nearest come first, with their exact similarity") {
    for (bool exact : {true, false}) {
        auto options = with_vectors(8);
        options.exact_vectors = exact;
        TestZone test(small, options);
        for (int degrees : {90, 10, 30, 60, 180}) {
            test.put(key(degrees), std::to_string(degrees),
                     {key(1000), direction(degrees)});
        }

        auto found = test.search(key(1000), direction(0), {0.4f, false});
        REQUIRE(found.size() == 3);
        CHECK(found[0].key == key(10));
        CHECK(found[1].key == key(30));
        CHECK(found[2].key == key(60));
        double error = exact ? 1e-6 : 0.01;
        CHECK(found[0].similarity
              == Approx(std::cos(10 * 3.14159265 / 180)).margin(error));
        CHECK(found[2].similarity == Approx(0.5).margin(error));
        CHECK(found[0].match == Match::fresh);

        CHECK(test.search(key(1000), direction(0), {-1, false}, 2).size()
              == 2);
        CHECK(test.get(found[0].key, Access::semantic) == "10");
        CHECK(test.zone.stats().semantic_hits == 1);
        CHECK(test.zone.stats().hits == 0);
    }
}

TEST_CASE("the length of a vector means nothing") {
    TestZone test(small, with_vectors(3));
    test.put(key(1), "long", {key(1000), {300, 0, 0}});
    test.put(key(2), "short", {key(1000), {0, 0.003f, 0}});
    auto found = test.search(key(1000), {5, 5, 0});
    REQUIRE(found.size() == 2);
    CHECK(found[0].similarity == Approx(std::sqrt(0.5)));
    CHECK(found[1].similarity == Approx(std::sqrt(0.5)));
}

TEST_CASE("no partition sees into another") {
    TestZone test(small, with_vectors(8));
    test.put(key(1), "ours", {key(1000), direction(0)});
    CHECK(test.search(key(1001), direction(0)).empty());
    CHECK(test.search(key(1000), direction(0)).size() == 1);
}

TEST_CASE("vectors that make no sense are refused") {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    TestZone test(small, with_vectors(3));
    for (clusters::Vector bad : {clusters::Vector{1, 2},
                                 {1, 2, 3, 4},
                                 {0, 0, 0},
                                 {1, nan, 0}})
    {
        CHECK(test.put(key(1), "x", {key(1000), bad}) == Stored::bad_vector);
        CHECK(test.search(key(1000), bad).empty());
    }
    CHECK(test.put(key(1), "x", {.vector = {1, 2, 3}}) == Stored::bad_vector);
    CHECK_FALSE(test.has(key(1)));
}

TEST_CASE("searches find no expired entries, and stale ones on request") {
    TestZone test(small, with_vectors(8));
    test.put(key(1), "gone", {key(1000), direction(0), 100, 0});
    test.put(key(2), "stale", {key(1000), direction(1), 100, 1000});
    test.put(key(3), "fresh", {key(1000), direction(2), 10000, 0});
    test.now += 100;

    auto found = test.search(key(1000), direction(0));
    REQUIRE(found.size() == 1);
    CHECK(found[0].key == key(3));
    CHECK(test.zone.stats().expirations == 1);

    found = test.search(key(1000), direction(0), {-1, true});
    REQUIRE(found.size() == 2);
    CHECK(found[0].key == key(2));
    CHECK(found[0].match == Match::stale);
    CHECK(test.zone.check() == nullptr);
}

TEST_CASE("expired neighbours do not hide one that is alive") {
    TestZone test(small, with_vectors(8));
    for (int i = 0; i < 7; ++i) {
        test.put(key(i), "gone", {key(1000), direction(i), 100});
    }
    test.put(key(100), "far", {key(1000), direction(50)});
    test.now += 100;
    auto found = test.search(key(1000), direction(0), {-1, false}, 1);
    REQUIRE(found.size() == 1);
    CHECK(found[0].key == key(100));
}

TEST_CASE("a zone is used wherever it is mapped, and after a reload") {
    TestZone test(1 << 20, with_vectors(8));
    for (int i = 0; i < 100; ++i) {
        test.put(key(i), pattern(100 + i * 10), {key(1000), direction(i)});
    }

    Block elsewhere(1 << 20);
    std::memcpy(elsewhere.span().data(), test.block.span().data(), 1 << 20);
    test.zone.purge_all();

    auto options = test.options;
    options.graph_from = 3;     // may change with a reload
    options.search_effort = 10;
    REQUIRE(Zone::attach(elsewhere.span(), options, &test.zone)
            == ZoneStatus::ok);
    CHECK(test.get(key(99)) == pattern(100 + 990));
    CHECK(test.search(key(1000), direction(42))[0].key == key(42));
    CHECK(test.put(key(100), "new", {key(1000), direction(100)})
          == Stored::stored);
    CHECK(test.zone.check() == nullptr);
}

TEST_CASE("only a block of the same shape is attached to") {
    Block block(small);
    Zone zone;
    auto options = with_vectors(8);
    CHECK(Zone::attach(block.span(), options, &zone)
          == ZoneStatus::not_a_zone);
    REQUIRE(Zone::format(block.span(), options) == ZoneStatus::ok);
    CHECK(Zone::attach(block.span(), options, &zone) == ZoneStatus::ok);

    CHECK(Zone::attach(block.span(), with_vectors(9), &zone)
          == ZoneStatus::other_shape);
    auto without = options;
    without.exact_vectors = false;
    CHECK(Zone::attach(block.span(), without, &zone)
          == ZoneStatus::other_shape);
    CHECK(Zone::attach(block.span().first(small - 1024), options, &zone)
          == ZoneStatus::other_shape);

    block.span()[8] ^= std::byte{0xFF};
    CHECK(Zone::attach(block.span(), options, &zone)
          == ZoneStatus::other_version);
}

TEST_CASE("blocks that cannot be zones are refused") {
    Block block(small);
    CHECK(Zone::format(block.span().first(1000), {})
          == ZoneStatus::too_small);
    CHECK(Zone::format({}, {}) == ZoneStatus::too_small);
    CHECK(Zone::format(block.span(), with_vectors(4097))
          == ZoneStatus::bad_options);
    // Not aligned, but large enough.
    CHECK(Zone::format(block.span().subspan(3), {}) == ZoneStatus::ok);
}

TEST_CASE("who is attached to another shape finds and stores nothing") {
    TestZone old(small, with_vectors(8));
    old.put(key(1), "x", {key(1000), direction(0)});
    auto options = with_vectors(16);
    REQUIRE(Zone::format(old.block.span(), options) == ZoneStatus::ok);

    CHECK(old.get(key(1)) == std::nullopt);
    CHECK(old.put(key(1), "x") == Stored::detached);
    CHECK(old.search(key(1000), direction(0)).empty());
    CHECK(old.zone.purge_partition(key(1000)) == 0);
    CHECK(old.zone.sweep(old.now, 10) == 0);
    CHECK(old.zone.stats().entries == 0);

    Zone zone;
    REQUIRE(Zone::attach(old.block.span(), options, &zone) == ZoneStatus::ok);
    CHECK(zone.check() == nullptr);
}

TEST_CASE("a zone that is attached to nothing is an empty cache") {
    Zone zone;
    cache::ZoneScratch scratch;
    char out[1];
    CHECK(zone.get(key(1), 0, out).match == Match::miss);
    CHECK(zone.put({.ttl = 1}, 0, scratch) == Stored::detached);
    CHECK_FALSE(zone.remove(key(1)));
    CHECK(zone.lease(key(1), 0, 1));
    CHECK(zone.max_value() == 0);
    zone.purge_all();
}

TEST_CASE("a search without scratch finds nothing, and breaks nothing") {
    TestZone test(small, with_vectors(8));
    test.put(key(1), "x", {key(1000), direction(0)});
    test.scratch = {};
    CHECK(test.search(key(1000), direction(0)).empty());
    CHECK(test.put(key(2), "x", {key(1000), direction(0)})
          == Stored::bad_vector);
    CHECK(test.put(key(2), "x") == Stored::stored);

    // Nor with one that was prepared for a small zone only.
    TestZone large(1 << 20, with_vectors(8));
    REQUIRE(test.scratch.prepare(test.zone));
    large.scratch = std::move(test.scratch);
    CHECK(large.put(key(1), "x", {key(1000), direction(0)})
          == Stored::bad_vector);
    CHECK(large.search(key(1000), direction(0)).empty());
    REQUIRE(large.scratch.prepare(large.zone));
    CHECK(large.put(key(1), "x", {key(1000), direction(0)})
          == Stored::stored);
}

TEST_CASE("the counters count") {
    TestZone test(1 << 20, with_vectors(8));
    test.put(key(1), "one", {key(1000), direction(0)});
    test.put(key(2), "three", {.ttl = 100, .stale_for = 100});
    (void) test.get(key(1));
    (void) test.get(key(3));
    (void) test.search(key(1000), direction(0));
    (void) test.search(key(1000), direction(90), {0.5f, false});
    test.now += 100;
    (void) test.get(key(2));

    auto stats = test.zone.stats();
    CHECK(stats.stores == 2);
    CHECK(stats.hits == 1);
    CHECK(stats.stale_hits == 1);
    CHECK(stats.misses == 1);
    CHECK(stats.searches == 2);
    CHECK(stats.searches_found == 1);
    CHECK(stats.entries == 2);
    CHECK(stats.vectors == 1);
    CHECK(stats.partitions == 1);
    CHECK(stats.value_bytes == 8);
    CHECK(stats.used_bytes > 0);
    CHECK(stats.used_bytes < stats.total_bytes);
    CHECK(stats.total_bytes <= 1 << 20);
}
