// A process dies inside a call, at any of its instructions: the next one to
// use the zone finds every other key with all that it had, and the key of the
// call as it was before or after.
//
// The call runs in a child that is stepped through it. Each time that the
// child has changed the zone, a copy of what it would leave behind is used by
// the parent.
#include <cstring>

#include "catch.hpp"
#include "llm/limit_zone.hpp"
#include "zone.hpp"

// Instrumented code takes too many steps.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace llm;
using namespace llm::limit;
using limit::ZoneStatus;
using zones::Block;

namespace {

constexpr std::size_t size = 8 * 1024;
constexpr std::int64_t noon = 20'000 * limit::day;
constexpr unsigned old_keys = 20;

limit::Key key(unsigned number) { return key_of(std::to_string(number)); }

Limit per_day() {
    Limit limit;
    limit.budget = 1000;
    limit.period = limit::day;
    return limit;
}

LimitZone attached(std::span<std::byte> memory) {
    LimitZone zone;
    if (LimitZone::attach(memory, 1, &zone) != ZoneStatus::ok) {
        throw std::runtime_error("no zone");
    }
    return zone;
}

std::int64_t used(LimitZone &zone, unsigned name) {
    return zone.usage(key(name), per_day(), noon).used;
}

bool spend(LimitZone &zone, unsigned name, std::int64_t amount) {
    Reservation reservation;
    bool granted =
        zone.reserve(key(name), per_day(), noon, amount, &reservation)
            .granted();
    if (granted) {
        zone.settle(key(name), per_day(), noon, reservation, amount);
    }
    return granted;
}

class Shared {
public:
    explicit Shared(unsigned keys)
        : data_(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
        REQUIRE(data_ != MAP_FAILED);
        REQUIRE(LimitZone::format(span(), 1) == ZoneStatus::ok);
        zone_ = attached(span());
        for (unsigned i = 0; i < keys; ++i) {
            REQUIRE(spend(zone_, i, 100 + i));
        }
    }
    ~Shared() { munmap(data_, size); }

    std::span<std::byte> span() {
        return {static_cast<std::byte *>(data_), size};
    }

    const LimitZone &zone() const { return zone_; }

private:
    void *data_;
    LimitZone zone_;
};

template <typename Operation, typename OnChange>
void step_through(Shared &shared, Operation operation, OnChange on_change) {
    pid_t child = fork();
    if (child == 0) {
        LimitZone zone = shared.zone();
        if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
            _exit(1);
        }
        raise(SIGSTOP);
        operation(zone);
        raise(SIGSTOP);
        _exit(0);
    }
    REQUIRE(child > 0);

    Block before(size);
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
        WARN("no process can be traced here: not tested");
        return;
    }
    std::memcpy(before.span().data(), shared.span().data(), size);
    int changes = 0;
    while (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) == 0
           && waitpid(child, &status, 0) == child && WIFSTOPPED(status)
           && WSTOPSIG(status) == SIGTRAP)
    {
        if (std::memcmp(before.span().data(), shared.span().data(), size)
            != 0)
        {
            std::memcpy(before.span().data(), shared.span().data(), size);
            INFO("after " << ++changes << " changes");
            on_change(before.span());
        }
    }
    kill(child, SIGKILL);
    while (!WIFSIGNALED(status) && !WIFEXITED(status)
           && waitpid(child, &status, 0) == child)
    {
    }
    CHECK(changes > 3);
}

// Every key but `changed` is as it was; that one has one of two values.
void check_left_behind(std::span<std::byte> left, unsigned keys,
                       unsigned changed, std::int64_t before,
                       std::int64_t after) {
    Block copy(size);
    std::memcpy(copy.span().data(), left.data(), size);
    auto zone = attached(copy.span());
    const char *wrong = zone.check();
    INFO((wrong ? wrong : ""));
    REQUIRE(wrong == nullptr);
    for (unsigned i = 0; i < keys; ++i) {
        if (i != changed) {
            REQUIRE(used(zone, i) == 100 + i);
        }
    }
    auto found = used(zone, changed);
    INFO(found);
    REQUIRE((found == before || found == after));
    // And it can be used.
    REQUIRE(spend(zone, 1000, 77));
    REQUIRE(used(zone, 1000) == 77);
    REQUIRE(zone.check() == nullptr);
}

}  // namespace

TEST_CASE("budgets survive the death of one that reserves") {
    Shared shared(old_keys);
    step_through(
        shared,
        [](LimitZone &zone) {
            Reservation reservation;
            (void)zone.reserve(key(7), per_day(), noon, 50, &reservation);
        },
        [](std::span<std::byte> left) {
            check_left_behind(left, old_keys, 7, 107, 157);
        });
    auto zone = attached(shared.span());
    CHECK(used(zone, 7) == 157);
    CHECK(zone.counts().repairs == 0);
}

TEST_CASE("budgets survive the death of one that brings a new key") {
    Shared shared(old_keys);
    step_through(
        shared,
        [](LimitZone &zone) {
            Reservation reservation;
            (void)zone.reserve(key(500), per_day(), noon, 50, &reservation);
        },
        [](std::span<std::byte> left) {
            check_left_behind(left, old_keys, 500, 0, 50);
        });
}

TEST_CASE("budgets survive the death of one that settles") {
    Shared shared(old_keys);
    Reservation reservation;
    LimitZone zone = shared.zone();
    REQUIRE(zone.reserve(key(3), per_day(), noon, 500, &reservation)
                .granted());
    step_through(
        shared,
        [&](LimitZone &zone) {
            zone.settle(key(3), per_day(), noon, reservation, 20);
        },
        [](std::span<std::byte> left) {
            check_left_behind(left, old_keys, 3, 603, 123);
        });
}

TEST_CASE("budgets survive the death of one that removes a key") {
    Shared shared(old_keys);
    step_through(
        shared, [](LimitZone &zone) { (void)zone.remove(key(4)); },
        [](std::span<std::byte> left) {
            check_left_behind(left, old_keys, 4, 104, 0);
        });
}

TEST_CASE("budgets survive the death of one that evicts a key") {
    Shared shared(0);
    auto zone = attached(shared.span());
    auto capacity = static_cast<unsigned>(zone.counts().capacity);
    for (unsigned i = 0; i < capacity; ++i) {
        // The first has least, and goes.
        REQUIRE(spend(zone, i, i == 0 ? 1 : 100 + i));
    }
    step_through(
        shared,
        [](LimitZone &zone) {
            Reservation reservation;
            (void)zone.reserve(key(500), per_day(), noon, 50, &reservation);
        },
        [&](std::span<std::byte> left) {
            Block copy(size);
            std::memcpy(copy.span().data(), left.data(), size);
            auto zone = attached(copy.span());
            REQUIRE(zone.check() == nullptr);
            for (unsigned i = 1; i < capacity; ++i) {
                REQUIRE(used(zone, i) == 100 + i);
            }
        });
}

TEST_CASE("budgets survive the death of one that repairs") {
    Shared shared(old_keys);
    Block half(size);
    int changes = 0;
    step_through(
        shared,
        [](LimitZone &zone) {
            Reservation reservation;
            (void)zone.reserve(key(7), per_day(), noon, 50, &reservation);
        },
        [&](std::span<std::byte> left) {
            if (++changes == 12) {
                std::memcpy(half.span().data(), left.data(), size);
            }
        });
    if (changes < 12) {
        return;
    }
    std::memcpy(shared.span().data(), half.span().data(), size);
    step_through(
        shared,
        [](LimitZone &zone) { (void)zone.usage(key(1), per_day(), noon); },
        [](std::span<std::byte> left) {
            check_left_behind(left, old_keys, 7, 107, 157);
        });
    CHECK(shared.zone().counts().repairs == 1);
}

#endif
