// What limits cost without nginx, and how exact they are:
//   - a reservation and its settlement in a zone, against the number of keys;
//   - how much more than its budget a limit lets through in any one period,
//     for requests that come as they like and for those that know the windows.
//
//     bench_limit [KEYS]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <random>
#include <vector>

#include <sys/mman.h>

#include "llm/limit_zone.hpp"

namespace {

using namespace llm;
using namespace llm::limit;

constexpr std::int64_t minute = 60'000;

// Nanoseconds of this thread's processor time: others may be busy as well.
double cpu_time() {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9
           + static_cast<double>(time.tv_nsec);
}

limit::Key key_of_number(std::uint64_t number) {
    std::mt19937_64 random(number);
    limit::Key key;
    for (std::size_t i = 0; i < key.size(); i += 8) {
        std::uint64_t bits = random();
        std::memcpy(key.data() + i, &bits, 8);
    }
    return key;
}

void measure_zone(std::size_t keys) {
    std::size_t size = keys * 192 + 65536;
    void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    std::span<std::byte> block(static_cast<std::byte *>(memory), size);
    LimitZone zone;
    if (memory == MAP_FAILED
        || LimitZone::format(block, 1) != ZoneStatus::ok
        || LimitZone::attach(block, 1, &zone) != ZoneStatus::ok)
    {
        std::fprintf(stderr, "no zone\n");
        std::exit(1);
    }
    std::vector<limit::Key> names(keys);
    for (std::size_t i = 0; i < keys; ++i) {
        names[i] = key_of_number(i);
    }
    Limit limit;
    limit.budget = 1'000'000;
    limit.period = limit::day;
    std::int64_t now = 20'000 * limit::day;
    Reservation reservation;
    double start = cpu_time();
    for (const auto &name : names) {
        (void)zone.reserve(name, limit, now, 1, &reservation);
        zone.settle(name, limit, now, reservation, 1);
    }
    double first = (cpu_time() - start) / static_cast<double>(keys);

    constexpr std::size_t rounds = 500'000;
    std::mt19937_64 random(1);
    std::vector<std::size_t> order(rounds);
    for (auto &index : order) {
        index = random() % keys;
    }
    start = cpu_time();
    for (auto index : order) {
        (void)zone.reserve(names[index], limit, now, 10, &reservation);
        zone.settle(names[index], limit, now, reservation, 5);
    }
    double again = (cpu_time() - start) / rounds;
    auto counts = zone.counts();
    std::printf("%9zu %9zu %12.0f %12.0f %12.1f\n", keys,
                static_cast<std::size_t>(counts.keys), first, again,
                static_cast<double>(size)
                    / static_cast<double>(counts.capacity));
    munmap(memory, size);
}

// The most that any period had, over the budget.
class Peak {
public:
    void add(std::int64_t now, std::int64_t amount) {
        recent_.emplace_back(now, amount);
        sum_ += amount;
        while (recent_.front().first <= now - minute) {
            sum_ -= recent_.front().second;
            recent_.pop_front();
        }
        most_ = std::max(most_, sum_);
        all_ += amount;
    }
    double most(const Limit &limit) const {
        return static_cast<double>(most_) / static_cast<double>(limit.budget);
    }
    // Of what the budget would have allowed.
    double mean(const Limit &limit, std::int64_t duration) const {
        return static_cast<double>(all_) * minute
               / static_cast<double>(limit.budget)
               / static_cast<double>(duration);
    }

private:
    std::deque<std::pair<std::int64_t, std::int64_t>> recent_;
    std::int64_t sum_ = 0;
    std::int64_t most_ = 0;
    std::int64_t all_ = 0;
};

// load: times the budget; 0: all that is left, in the last and the first
// moments of each window.
void measure_exactness(const char *name, Limit limit, double load) {
    std::mt19937_64 random(2);
    State state;
    Peak peak;
    constexpr std::int64_t start = 20'000 * limit::day;
    constexpr std::int64_t duration = 2000 * minute;
    std::int64_t now = start;
    constexpr double mean_amount = 500;
    while (now < start + duration) {
        std::int64_t amount = 0;
        Reservation reservation;
        if (load > 0) {
            double gap = minute * mean_amount
                         / (load * static_cast<double>(limit.budget));
            now += static_cast<std::int64_t>(
                std::exponential_distribution<double>(1 / gap)(random) + 0.5);
            amount = static_cast<std::int64_t>(
                1 + random() % static_cast<std::uint64_t>(2 * mean_amount));
        } else {
            // 100 ms before the end of every other window, and all through
            // the next one.
            now += 100;
            if (now % (2 * minute) < minute - 100) {
                continue;
            }
            amount = reserve(limit, state, now, 0, &reservation).remaining;
        }
        if (reserve(limit, state, now, amount, &reservation).granted()) {
            settle(limit, state, now, reservation, amount);
            peak.add(now, amount);
        }
    }
    std::printf("%-22s %12.1f %11.1f%% %11.1f%%\n", name, load,
                100 * peak.most(limit), 100 * peak.mean(limit, duration));
}

}  // namespace

int main(int argc, char **argv) {
    std::printf("     keys      kept  new key, ns    known, ns  bytes a key\n");
    std::size_t most = argc > 1 ? std::strtoul(argv[1], nullptr, 10)
                                : 1'000'000;
    for (std::size_t keys = 1000; keys < most; keys *= 10) {
        measure_zone(keys);
    }
    measure_zone(most);

    std::printf("\nlimit                        demand  worst minute   "
                "mean minute\n");
    Limit limit;
    limit.budget = 100'000;
    Limit fixed = limit;
    fixed.window = Window::fixed;
    Limit calendar = limit;
    calendar.window = Window::calendar;
    Limit small = limit;
    small.window = Window::bucket;
    small.burst = 20'000;
    Limit large = small;
    large.burst = 100'000;
    const std::pair<const char *, Limit> rows[] = {
        {"sliding", limit},
        {"fixed", fixed},
        {"calendar", calendar},
        {"bucket, burst 20%", small},
        {"bucket, burst 100%", large}};
    for (double load : {0.9, 1.5, 5.0, 0.0}) {
        for (const auto &row : rows) {
            measure_exactness(row.first, row.second, load);
        }
    }
    return 0;
}
