// A process dies inside a call, at any of its instructions: the next one to
// use the zone finds it whole, with all that it had before or empty.
//
// The call runs in a child that is stepped through it. Each time that the
// child has changed the zone, a copy of what it would leave behind is used by
// the parent.
#include <algorithm>

#include "catch.hpp"
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

using namespace zones;

namespace {

constexpr std::size_t size = 40 * 1024;
constexpr std::int64_t now = 1000;
const ZoneKey partitions[] = {key(1000), key(1001), key(1002)};

cache::ZoneOptions options() {
    cache::ZoneOptions options;
    options.dimensions = 16;
    options.graph_from = 2;
    options.build_effort = 8;
    return options;
}

const ZoneKey &partition_of(int name) {
    return partitions[name % 3];
}

std::string value_of(int name) {
    return std::string(static_cast<std::size_t>(name) * 40 % 900,
                       static_cast<char>(name));
}

clusters::Vector vector_of(int name) {
    std::mt19937 random(static_cast<unsigned>(name));
    std::normal_distribution<float> value;
    clusters::Vector vector(16);
    for (auto &x : vector) {
        x = value(random);
    }
    return vector;
}

struct Handle {
    explicit Handle(std::span<std::byte> memory) {
        if (Zone::attach(memory, options(), &zone) != ZoneStatus::ok
            || !scratch.prepare(zone))
        {
            throw std::runtime_error("no zone");
        }
    }

    Stored put(int name, std::int64_t ttl = hour) {
        cache::NewEntry entry;
        entry.key = key(static_cast<unsigned>(name));
        entry.partition = &partition_of(name);
        value = value_of(name);
        vector = vector_of(name);
        entry.value = value;
        entry.vector = vector;
        entry.ttl = ttl;
        return zone.put(entry, now, scratch);
    }

    Zone zone;
    cache::ZoneScratch scratch;
    std::string value;
    clusters::Vector vector;
};

// Whatever a key has is its own value, and the zone can be used.
void use(std::span<std::byte> memory, std::size_t steps) {
    INFO("after " << steps << " changes");
    Handle handle(memory);
    const char *wrong = handle.zone.check();
    INFO((wrong ? wrong : ""));
    REQUIRE(wrong == nullptr);

    auto stats = handle.zone.stats();
    std::size_t found = 0;
    char out[2000];
    for (int name = 0; name < 100; ++name) {
        auto entry = handle.zone.get(key(static_cast<unsigned>(name)), now,
                                     out, Access::peek);
        if (entry.match != Match::miss) {
            REQUIRE(std::string_view(out, entry.size) == value_of(name));
            ++found;
        }
    }
    REQUIRE(found == stats.entries);

    REQUIRE(handle.put(99) == Stored::stored);
    Candidate nearest[1];
    REQUIRE(handle.zone.search(partition_of(99), vector_of(99), now, {},
                               handle.scratch, nearest)
            == 1);
    REQUIRE(nearest[0].key == key(99));
    REQUIRE(handle.zone.check() == nullptr);
}

// Calls it in a child and calls on_change() after each instruction that
// changed the zone, until that says false; then the child dies. False: this
// system does not let us look.
template <typename Operation, typename OnChange>
bool step_through(std::span<std::byte> shared, Operation operation,
                  OnChange on_change) {
    pid_t child = fork();
    if (child == 0) {
        Handle handle(shared);
        if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
            _exit(1);
        }
        raise(SIGSTOP);
        operation(handle);
        raise(SIGSTOP);
        _exit(0);
    }
    REQUIRE(child > 0);

    Block before(size);
    int status = 0;
    bool traced = waitpid(child, &status, 0) == child && WIFSTOPPED(status);
    // Also what the child did before it was stopped counts as old.
    std::memcpy(before.span().data(), shared.data(), size);
    while (traced && ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) == 0
           && waitpid(child, &status, 0) == child && WIFSTOPPED(status)
           && WSTOPSIG(status) == SIGTRAP)
    {
        if (std::memcmp(before.span().data(), shared.data(), size) != 0) {
            std::memcpy(before.span().data(), shared.data(), size);
            if (!on_change()) {
                break;
            }
        }
    }
    kill(child, SIGKILL);
    while (!WIFSIGNALED(status) && !WIFEXITED(status)
           && waitpid(child, &status, 0) == child)
    {
    }
    return traced;
}

class Shared {
public:
    Shared()
        : data_(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
        REQUIRE(data_ != MAP_FAILED);
        REQUIRE(Zone::format(span(), options()) == ZoneStatus::ok);
        Handle handle(span());
        for (int name = 0; name < 46; ++name) {
            REQUIRE(handle.put(name, name == 40 ? 1 : hour)
                    == Stored::stored);
        }
        // The child's call must have something to do.
        REQUIRE(handle.zone.stats().evictions > 0);
        REQUIRE(handle.zone.stats().graph_vectors > 8);
    }
    ~Shared() { munmap(data_, size); }

    std::span<std::byte> span() {
        return {static_cast<std::byte *>(data_), size};
    }

private:
    void *data_;
};

// Uses what each instruction of the call leaves behind.
template <typename Operation>
void try_all(Shared &shared, Operation operation) {
    Block copy(size);
    std::size_t changes = 0;
    bool traced = step_through(shared.span(), operation, [&] {
        std::memcpy(copy.span().data(), shared.span().data(), size);
        use(copy.span(), ++changes);
        return true;
    });
    if (!traced) {
        WARN("no process can be traced here: not tested");
        return;
    }
    CHECK(changes > 3);
}

template <typename Operation>
void try_all(Operation operation) {
    Shared shared;
    try_all(shared, operation);
    // The call came to its end in the child: nothing is to be emptied.
    Handle handle(shared.span());
    CHECK(handle.zone.stats().resets == 0);
}

// Leaves the zone as one that died inside put() does. False: cannot.
bool die_inside(Shared &shared) {
    int changes = 0;
    return step_through(
        shared.span(), [](Handle &handle) { handle.put(50); },
        [&] { return ++changes < 100; });
}

}  // namespace

TEST_CASE("a zone survives the death of one that stores") {
    try_all([](Handle &handle) { handle.put(50); });
}

TEST_CASE("a zone survives the death of one that replaces") {
    try_all([](Handle &handle) { handle.put(44); });
}

TEST_CASE("a zone survives the death of one that reads") {
    try_all([](Handle &handle) {
        char out[2000];
        (void) handle.zone.get(key(41), now, out);
        (void) handle.zone.get(key(42), now, out);
    });
}

TEST_CASE("a zone survives the death of one that searches") {
    try_all([](Handle &handle) {
        Candidate out[20];
        // Comes across an expired one.
        (void) handle.zone.search(partition_of(40), vector_of(40), now + 1, {},
                                  handle.scratch, out);
    });
}

TEST_CASE("a zone survives the death of one that removes") {
    try_all([](Handle &handle) { (void) handle.zone.remove(key(43)); });
}

TEST_CASE("a zone survives the death of one that purges") {
    try_all([](Handle &handle) {
        (void) handle.zone.purge_partition(partitions[0]);
        (void) handle.zone.sweep(now, 5);
    });
    try_all([](Handle &handle) { handle.zone.purge_all(); });
}

TEST_CASE("a zone survives the death of one that finds another one dead") {
    Shared shared;
    if (die_inside(shared)) {
        try_all(shared, [](Handle &handle) { handle.put(51); });
    }
}

TEST_CASE("a zone is emptied once after a death") {
    Shared shared;
    if (!die_inside(shared)) {
        return;
    }
    // Attaching is the first call after it.
    Handle handle(shared.span());
    CHECK(handle.zone.stats().resets == 1);
    CHECK(handle.zone.stats().entries == 0);
    REQUIRE(handle.put(1) == Stored::stored);
    CHECK(handle.zone.stats().resets == 1);
    CHECK(handle.zone.stats().entries == 1);
}

#endif
