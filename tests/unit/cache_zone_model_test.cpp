// Random operations on a zone and on a model of it, which is a map: whatever
// the zone still has must be what the model has, and what the zone gave up,
// it gave up in the order of use.
#include <algorithm>
#include <list>
#include <map>

#include "catch.hpp"
#include "zone.hpp"

using namespace zones;

namespace {

struct Stay {
    std::string value;
    std::int64_t expires;
    std::int64_t kept_until;
    std::optional<int> partition;
    clusters::Vector vector;
    std::list<int>::iterator use;
};

class Run {
public:
    Run(std::size_t size, cache::ZoneOptions options, std::uint32_t seed)
        : test(size, options), random_(seed),
          source_(std::max(options.dimensions, 1u), 5, seed),
          keys_(static_cast<int>(size / 1024)) {
        REQUIRE(test.status == ZoneStatus::ok);
    }

    void step() {
        test.now += below(40);
        switch (below(16)) {
        case 0: case 1: case 2: case 3: case 4: case 5:
            return put();
        case 6: case 7: case 8: case 9:
            return get();
        case 10: case 11: case 12:
            return search();
        case 13:
            return remove();
        case 14:
            if (below(20) == 0) {
                purge();
            }
            return;
        default:
            (void) test.zone.sweep(test.now, below(50));
        }
    }

    void check() {
        const char *wrong = test.zone.check();
        INFO((wrong ? wrong : ""));
        REQUIRE(wrong == nullptr);
        drop_expired();
        for (const auto &[name, stay] : model_) {
            REQUIRE(test.get(key(name), Access::peek) == stay.value);
            REQUIRE(test.found.match
                    == (stay.expires <= test.now ? Match::stale
                                                 : Match::fresh));
        }
        auto stats = test.zone.stats();
        REQUIRE(stats.used_bytes <= stats.total_bytes);
        REQUIRE(stats.entries >= model_.size());
    }

    // Of the nearest, so many were found.
    double recall() const {
        return asked_ == 0 ? 1
                           : static_cast<double>(found_)
                                 / static_cast<double>(asked_);
    }

    TestZone test;

private:
    int below(int limit) {
        return static_cast<int>(random_() % static_cast<unsigned>(limit));
    }

    // The partitions are of very different sizes.
    int some_partition() { return std::min(below(6), below(6)); }
    static ZoneKey partition_key(int partition) {
        return key(1000000u + static_cast<unsigned>(partition));
    }

    void erase(std::map<int, Stay>::iterator place) {
        uses_.erase(place->second.use);
        model_.erase(place);
    }

    void drop_expired() {
        for (auto place = model_.begin(); place != model_.end();) {
            auto next = std::next(place);
            if (place->second.kept_until <= test.now) {
                erase(place);
            }
            place = next;
        }
    }

    // What the zone gave up goes from the model: the least recently used.
    void follow_evictions(std::uint64_t evicted) {
        while (evicted > 0 && !uses_.empty()
               && !test.has(key(uses_.back())))
        {
            erase(model_.find(uses_.back()));
        }
    }

    void put() {
        int name = below(keys_);
        Put how;
        how.ttl = 1 + below(3) * 4000;
        how.stale_for = below(2) * 1000;
        // Mostly short, now and then up to the limit.
        constexpr std::size_t limits[] = {3000, 100000, SIZE_MAX};
        std::size_t limit = std::min(
            limits[(below(10) == 0) + (below(100) == 0)],
            test.zone.max_value() + 2);
        std::string value(random_() % limit, static_cast<char>(name));
        if (below(8) != 0) {
            how.partition = partition_key(some_partition());
            if (test.options.dimensions != 0 && below(8) != 0) {
                how.vector = source_.next();
            }
        }

        drop_expired();
        auto evicted = test.zone.stats().evictions;
        auto stored = test.put(key(name), value, how);
        if (value.size() > test.zone.max_value()) {
            REQUIRE(stored == Stored::too_large);
            return;
        }
        REQUIRE(stored == Stored::stored);
        if (auto old = model_.find(name); old != model_.end()) {
            erase(old);
        }
        follow_evictions(test.zone.stats().evictions - evicted);

        uses_.push_front(name);
        std::optional<int> partition;
        for (int i = 0; how.partition && i < 6; ++i) {
            if (*how.partition == partition_key(i)) {
                partition = i;
            }
        }
        model_[name] = {value,     test.now + how.ttl,
                        test.now + how.ttl + how.stale_for,
                        partition, how.vector,
                        uses_.begin()};
    }

    void get() {
        int name = below(keys_);
        drop_expired();
        auto place = model_.find(name);
        auto value = test.get(key(name));
        if (place == model_.end()) {
            REQUIRE(value == std::nullopt);
            return;
        }
        REQUIRE(value == place->second.value);
        uses_.splice(uses_.begin(), uses_, place->second.use);
    }

    void search() {
        if (test.options.dimensions == 0) {
            return;
        }
        drop_expired();
        int partition = some_partition();
        auto query = source_.next();
        std::vector<std::pair<float, int>> nearest;
        for (const auto &[name, stay] : model_) {
            if (stay.partition == partition && !stay.vector.empty()) {
                nearest.emplace_back(
                    -vector::kernels().dot_f32(query.data(),
                                               stay.vector.data(),
                                               query.size()),
                    name);
            }
        }
        std::sort(nearest.begin(), nearest.end());

        auto found = test.search(partition_key(partition), query, {-1, true},
                                 3);
        REQUIRE(found.size() <= std::min<std::size_t>(3, nearest.size()));
        asked_ += std::min<std::size_t>(3, nearest.size());
        float before = 1;
        for (const auto &candidate : found) {
            // Each is what it says it is.
            auto own = std::find_if(
                nearest.begin(), nearest.end(), [&](const auto &each) {
                    return key(each.second) == candidate.key;
                });
            REQUIRE(own != nearest.end());
            REQUIRE(candidate.similarity
                    == Approx(-own->first).margin(1e-4));
            REQUIRE(candidate.similarity <= before);
            before = candidate.similarity;
            found_ += own - nearest.begin() < 3;
        }
    }

    void remove() {
        int name = below(keys_);
        drop_expired();
        auto place = model_.find(name);
        bool there = test.has(key(name));
        REQUIRE(there == (place != model_.end()));
        bool removed = test.zone.remove(key(name));
        REQUIRE((removed || !there));
        if (place != model_.end()) {
            erase(place);
        }
    }

    void purge() {
        if (below(20) == 0) {
            test.zone.purge_all();
            model_.clear();
            uses_.clear();
            return;
        }
        int partition = some_partition();
        (void) test.zone.purge_partition(partition_key(partition));
        for (auto place = model_.begin(); place != model_.end();) {
            auto next = std::next(place);
            if (place->second.partition == partition) {
                erase(place);
            }
            place = next;
        }
    }

    std::mt19937 random_;
    clusters::Source source_;
    int keys_;
    std::map<int, Stay> model_;
    std::list<int> uses_;       // the latest first
    std::size_t asked_ = 0;
    std::size_t found_ = 0;
};

void run(std::size_t size, cache::ZoneOptions options, int steps,
         int check_every) {
    INFO("size " << size << ", dimensions " << options.dimensions);
    Run run(size, options, static_cast<std::uint32_t>(size / 1024 + steps));
    for (int i = 0; i < steps; ++i) {
        run.step();
        if (i % check_every == 0) {
            run.check();
        }
    }
    run.check();
    CHECK(run.recall() > 0.95);
}

cache::ZoneOptions shape(std::uint32_t dimensions, std::uint32_t graph_from) {
    cache::ZoneOptions options;
    options.dimensions = dimensions;
    options.graph_from = graph_from;
    return options;
}

}  // namespace

TEST_CASE("a zone by key is what a map is, while there is room") {
    run(64 << 10, shape(0, 0), 6000, 20);
    run(1 << 20, shape(0, 0), 6000, 500);
    run(64 << 20, shape(0, 0), 20000, 10000);
}

TEST_CASE("a zone with lists of vectors finds what a full comparison finds") {
    run(64 << 10, shape(16, 1000), 6000, 20);
    run(64 << 10, shape(256, 1000), 6000, 20);
    run(1 << 20, shape(70, 1000), 6000, 500);
}

TEST_CASE("a zone with graphs finds nearly what a full comparison finds") {
    run(64 << 10, shape(16, 4), 6000, 20);
    run(256 << 10, shape(64, 10), 10000, 50);
    run(4 << 20, shape(64, 50), 10000, 1000);
    run(64 << 20, shape(64, 200), 10000, 5000);
}
