// A cache zone in memory of the test's own.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "clusters.hpp"
#include "llm/cache_zone.hpp"

namespace zones {

using namespace llm;
using cache::Access;
using cache::Candidate;
using cache::Match;
using cache::Stored;
using cache::Zone;
using cache::ZoneKey;
using cache::ZoneStatus;

inline constexpr std::int64_t hour = 3600 * 1000;

// Spread like a digest.
inline ZoneKey key(std::uint64_t number) {
    std::mt19937_64 random(number);
    ZoneKey key;
    for (std::size_t i = 0; i < key.size(); i += 8) {
        std::uint64_t bits = random();
        std::memcpy(key.data() + i, &bits, 8);
    }
    return key;
}

class Block {
public:
    explicit Block(std::size_t size)
        : size_(size), bytes_(new(std::align_val_t{64}) std::byte[size]) {
        std::memset(bytes_.get(), 0x5A, size);
    }
    std::span<std::byte> span() const { return {bytes_.get(), size_}; }

private:
    struct Delete {
        void operator()(std::byte *bytes) const {
            ::operator delete[](bytes, std::align_val_t{64});
        }
    };
    std::size_t size_;
    std::unique_ptr<std::byte[], Delete> bytes_;
};

struct Put {
    std::optional<ZoneKey> partition = std::nullopt;
    clusters::Vector vector = {};
    std::int64_t ttl = hour;
    std::int64_t stale_for = 0;
};

class TestZone {
public:
    explicit TestZone(std::size_t size, cache::ZoneOptions options = {})
        : block(size), options(options) {
        status = Zone::format(block.span(), options);
        if (status == ZoneStatus::ok) {
            status = Zone::attach(block.span(), options, &zone);
        }
        if (status == ZoneStatus::ok && !scratch.prepare(zone)) {
            throw std::bad_alloc();
        }
    }

    Stored put(const ZoneKey &key, std::string_view value,
               const Put &how = {}) {
        cache::NewEntry entry;
        entry.key = key;
        entry.partition = how.partition ? &*how.partition : nullptr;
        entry.vector = how.vector;
        entry.value = value;
        entry.ttl = how.ttl;
        entry.stale_for = how.stale_for;
        return zone.put(entry, now, scratch);
    }

    // The value, fresh or stale; nullopt: a miss.
    std::optional<std::string> get(const ZoneKey &key,
                                   Access access = Access::exact) {
        std::string out(zone.get(key, now, {}, Access::peek).size, '\0');
        found = zone.get(key, now, out, access);
        if (found.match == Match::miss) {
            return std::nullopt;
        }
        return out;
    }
    bool has(const ZoneKey &key) {
        return zone.get(key, now, {}, Access::peek).match != Match::miss;
    }

    std::vector<Candidate> search(const ZoneKey &partition,
                                  const clusters::Vector &vector,
                                  cache::SearchOptions how = {-1, false},
                                  std::size_t most = 5) {
        std::vector<Candidate> out(most);
        out.resize(zone.search(partition, vector, now, how, scratch, out));
        return out;
    }

    Block block;
    cache::ZoneOptions options;
    ZoneStatus status;
    Zone zone;
    cache::ZoneScratch scratch;
    std::int64_t now = 1000000;
    cache::Found found;
};

}  // namespace zones
