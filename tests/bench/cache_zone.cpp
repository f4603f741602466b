// What a cache zone costs without nginx: look-ups by meaning against the
// number of entries, each with the share of the true nearest that it finds;
// entries by key.
//
//     bench_cache_zone [ENTRIES [SEARCH_EFFORT [BUILD_EFFORT [GRAPH_FROM]]]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include <sys/mman.h>

#include "clusters.hpp"
#include "llm/cache_zone.hpp"

namespace {

using namespace llm;

constexpr std::size_t dimensions = 256;
constexpr std::size_t queries = 1000;
constexpr std::int64_t hour = 3600 * 1000;

// Microseconds of this thread's processor time: others may be busy as well.
double now() {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6
           + static_cast<double>(time.tv_nsec) / 1e3;
}

double since(double start) {
    return now() - start;
}

cache::ZoneKey key_of(std::uint64_t number) {
    std::mt19937_64 random(number);
    cache::ZoneKey key;
    for (std::size_t i = 0; i < key.size(); i += 8) {
        std::uint64_t bits = random();
        std::memcpy(key.data() + i, &bits, 8);
    }
    return key;
}

struct Times {
    void add(double time) { all.push_back(time); }
    double at(double share) {
        std::sort(all.begin(), all.end());
        return all[static_cast<std::size_t>(
            share * static_cast<double>(all.size() - 1))];
    }
    std::vector<double> all;
};

// As nginx shares memory, since that has pages of its own kind.
class Memory {
public:
    Memory(std::size_t entries, std::size_t value)
        : size_(entries * (512 * (5 + value / 500)) + (1 << 20)),
          data_(mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {}
    ~Memory() { munmap(data_, size_); }
    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;

    cache::Zone attach(const cache::ZoneOptions &options) {
        std::span<std::byte> bytes(static_cast<std::byte *>(data_), size_);
        cache::Zone zone;
        if (data_ == MAP_FAILED
            || cache::Zone::format(bytes, options) != cache::ZoneStatus::ok
            || cache::Zone::attach(bytes, options, &zone)
                   != cache::ZoneStatus::ok)
        {
            std::printf("no zone\n");
            std::exit(1);
        }
        return zone;
    }

private:
    std::size_t size_;
    void *data_;
};

class ByMeaning {
public:
    ByMeaning(std::size_t entries, const cache::ZoneOptions &options)
        : entries_(entries), source_(dimensions, entries / 50 + 1, 1),
          memory_(entries, value_.size()), zone_(memory_.attach(options)) {
        if (!scratch_.prepare(zone_)) {
            std::exit(1);
        }
    }

    // Fills the zone, or replaces all that is there, one by one.
    void fill() {
        puts_.all.clear();
        std::uint64_t first = next_;
        vectors_.resize(entries_);
        for (std::size_t i = 0; i < entries_; ++i, ++next_) {
            if (first != 0) {
                (void) zone_.remove(key_of(next_ - entries_));
            }
            vectors_[i] = source_.next();
            cache::NewEntry entry;
            entry.key = key_of(next_);
            entry.partition = &partition_;
            entry.vector = vectors_[i];
            entry.value = value_;
            entry.ttl = hour;
            double start = now();
            (void) zone_.put(entry, 0, scratch_);
            puts_.add(since(start));
        }
    }

    void report(const char *what) {
        Times searches;
        std::size_t found_first = 0, found_ten = 0;
        for (std::size_t i = 0; i < queries; ++i) {
            auto query = source_.near(vectors_[i * 7919 % entries_], 0.42);
            auto nearest = true_nearest(query);
            cache::Candidate found[ten];
            double start = now();
            std::size_t count = zone_.search(partition_, query, 0,
                                             {.min_similarity = -1}, scratch_,
                                             found);
            searches.add(since(start));
            for (std::size_t j = 0; j < ten; ++j) {
                auto key = key_of(next_ - entries_ + nearest[j]);
                bool has = std::any_of(
                    found, found + count,
                    [&](const auto &each) { return each.key == key; });
                found_ten += has;
                found_first += has && j == 0;
            }
        }
        auto stats = zone_.stats();
        std::printf("%8zu %-9s %8zu %7.1f %7.1f %7.3f %7.3f %9.1f %9.1f "
                    "%7.1f\n", entries_, what,
                    static_cast<std::size_t>(stats.graph_vectors),
                    searches.at(0.5), searches.at(0.99),
                    static_cast<double>(found_first) / queries,
                    static_cast<double>(found_ten) / queries / ten,
                    puts_.at(0.5), puts_.at(0.99),
                    static_cast<double>(stats.used_bytes) / 1e6);
    }

private:
    static constexpr std::size_t ten = 10;

    std::vector<std::size_t> true_nearest(const clusters::Vector &query) {
        std::vector<std::pair<float, std::size_t>> all;
        for (std::size_t i = 0; i < entries_; ++i) {
            all.emplace_back(-vector::kernels().dot_f32(
                                 query.data(), vectors_[i].data(), dimensions),
                             i);
        }
        std::partial_sort(all.begin(), all.begin() + ten, all.end());
        std::vector<std::size_t> nearest;
        for (std::size_t i = 0; i < ten; ++i) {
            nearest.push_back(all[i].second);
        }
        return nearest;
    }

    const std::string value_ = std::string(1000, 'v');
    const cache::ZoneKey partition_ = key_of(UINT64_MAX);
    std::size_t entries_;
    clusters::Source source_;
    Memory memory_;
    cache::Zone zone_;
    cache::ZoneScratch scratch_;
    std::vector<clusters::Vector> vectors_;
    Times puts_;
    std::uint64_t next_ = 0;
};

void by_key(std::size_t entries, std::size_t size) {
    const std::string value(size, 'v');
    Memory memory(entries, size);
    cache::Zone zone = memory.attach({});
    cache::ZoneScratch scratch;
    std::vector<cache::ZoneKey> keys;
    for (std::size_t i = 0; i < entries; ++i) {
        keys.push_back(key_of(i));
    }
    cache::NewEntry entry;
    entry.value = value;
    entry.ttl = hour;
    double start = now();
    for (const auto &key : keys) {
        entry.key = key;
        (void) zone.put(entry, 0, scratch);
    }
    double put = since(start) / static_cast<double>(entries);

    std::vector<char> out(size);
    std::size_t hits = 0;
    start = now();
    for (std::size_t i = 0; i < entries; ++i) {
        hits += zone.get(keys[i * 7919 % entries], 0, out).copied;
    }
    double get = since(start) / static_cast<double>(entries);
    std::printf("%8zu %8zu %9.2f %9.2f %9zu\n", entries, size, get, put, hits);
}

}  // namespace

int main(int count, char **arguments) {
    auto number = [&](int index, unsigned long otherwise) {
        return index < count ? std::strtoul(arguments[index], nullptr, 10)
                             : otherwise;
    };
    cache::ZoneOptions options;
    options.dimensions = dimensions;
    options.search_effort =
        static_cast<std::uint32_t>(number(2, options.search_effort));
    options.build_effort =
        static_cast<std::uint32_t>(number(3, options.build_effort));
    options.graph_from =
        static_cast<std::uint32_t>(number(4, options.graph_from));

    std::printf("by meaning: %zu dimensions, %.*s, effort %u; microseconds\n"
                "%8s %-9s %8s %7s %7s %7s %7s %9s %9s %7s\n",
                dimensions, static_cast<int>(vector::kernels().name.size()),
                vector::kernels().name.data(), options.search_effort,
                "entries", "", "in graph", "p50", "p99", "first", "of ten",
                "put p50", "put p99", "MB");
    std::vector<std::size_t> sizes = {1000, 10000, 100000};
    bool one = count > 1;
    if (one) {
        sizes = {number(1, 0)};
    }
    for (std::size_t entries : sizes) {
        ByMeaning zone(entries, options);
        zone.fill();
        zone.report("filled");
        zone.fill();
        zone.report("replaced");
    }
    if (one) {
        return 0;
    }
    std::printf("\nby key; microseconds\n%8s %8s %9s %9s %9s\n", "entries",
                "bytes", "get", "put", "hits");
    for (std::size_t size : {200, 2000, 20000}) {
        for (std::size_t entries : {1000, 10000, 100000}) {
            if (entries * size < 500'000'000) {
                by_key(entries, size);
            }
        }
    }
}
