// A cache in one block of memory that several processes map: entries by key,
// and the nearest entries of a partition by meaning.
//
// The block is the caller's (nginx: an allocation in a shared zone). Nothing
// in it is a pointer, so each process may map it elsewhere, and a reload that
// keeps the memory keeps the entries. Beside the block nothing is allocated,
// save by ZoneScratch::prepare().
//
// Lock: the caller holds one lock of the block's (nginx: the slab's mutex)
// during each call of format(), attach() and of every member of Zone but the
// defaulted ones. Calls copy in and copy out; none waits or throws. A get()
// holds the lock for some microseconds, a search() for some tens, a put() of
// a vector into a large partition for some hundreds.
//
// Death inside: a process may be killed at any moment, the lock is then freed
// by others. Each call that writes marks the block as busy first; who finds
// the mark set by a dead one empties the cache, which is always a correct
// cache, and counts it in ZoneStats::resets.
//
// Memory: the block is cut into cells of one size. An entry is one cell with
// its key, its vector and its links, and the cells that its value needs, in
// any order: so a value never has to wait for room in one piece, and every
// free cell is of use for everything. When cells are short, the entries that
// were not used for longest go.
//
// Search: a partition of up to ZoneOptions::graph_from vectors is compared as
// a whole; from there on, each put() moves a few of its vectors into a graph
// that is searched from near to nearer: Malkov and Yashunin, "Efficient and
// robust approximate nearest neighbor search using Hierarchical Navigable
// Small World graphs", arXiv 1603.09320. Unlike there, each link is known at
// both of its ends: so an entry that goes leaves nothing behind that points to
// it, and those that it linked are linked to one another. Vectors are compared
// as int8 (llm/vector.hpp); the best are compared again in floats.
//
// Times are milliseconds of one clock that never goes back, which all who
// share the block must share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "llm/vector.hpp"

namespace llm::cache {

// A digest (SHA-256, say): what is in it must be spread evenly.
using ZoneKey = std::array<std::uint8_t, 32>;

struct ZoneOptions {
    // The shape of the block: must be the same for all who share it.

    // Of the vectors, up to vector::max_dimensions; 0: exact entries only.
    std::uint32_t dimensions = 0;
    // Keeps the vectors in floats too, 4 bytes a dimension, for similarities
    // that are exact. Without it they are off by some thousandths.
    bool exact_vectors = true;

    // How this process uses it: may differ, and change with a reload.

    // The number of vectors from which on a partition gets its graph.
    std::uint32_t graph_from = 2048;
    // How many of the best are kept in mind while the graph is searched, and
    // while it is built, up to max_effort. More of it finds more, in more
    // time: time grows about as the effort does. A graph of up to 16,384
    // vectors is searched with half of it, which finds as much there.
    std::uint32_t search_effort = 64;
    std::uint32_t build_effort = 128;
    // Bytes; 0: as much as the block takes, about a quarter of it. A large
    // one may have to remove many others while it holds the lock.
    std::size_t max_value = 0;
    // After so long without use, uses of a key count from the beginning.
    std::int64_t uses_window = 10 * 60 * 1000;

    static constexpr std::uint32_t max_effort = 512;
};

enum class ZoneStatus : std::uint8_t {
    ok,
    too_small,      // for the header and 32 cells
    too_large,      // over 2^31 cells
    bad_options,    // dimensions over the maximum
    not_a_zone,     // never formatted, or not to the end
    other_version,  // formatted by another version of this code
    other_shape,    // other size, dimensions or kind of vectors
};

// In words, lower case, for a log.
std::string_view describe(ZoneStatus status) noexcept;

// All since the block was formatted, save the last group.
struct ZoneStats {
    std::uint64_t hits = 0;             // fresh, by key
    std::uint64_t semantic_hits = 0;    // fresh, by Access::semantic
    std::uint64_t stale_hits = 0;       // by either
    std::uint64_t misses = 0;           // by key
    std::uint64_t searches = 0;
    std::uint64_t searches_found = 0;   // at least one candidate
    std::uint64_t stores = 0;
    std::uint64_t evictions = 0;        // made room for others
    std::uint64_t expirations = 0;
    std::uint64_t removals = 0;         // removed or purged, not replaced
    std::uint64_t resets = 0;           // emptied after a death inside

    std::uint64_t entries = 0;          // now
    std::uint64_t vectors = 0;
    std::uint64_t graph_vectors = 0;    // of them in a graph
    std::uint64_t partitions = 0;
    std::uint64_t value_bytes = 0;
    std::uint64_t used_bytes = 0;       // of cells
    std::uint64_t total_bytes = 0;      // of cells
};

enum class Access : std::uint8_t {
    exact,      // by key: counts, and the entry counts as used
    semantic,   // of what search() found: likewise
    peek,       // changes nothing
};

enum class Match : std::uint8_t {
    miss,
    fresh,
    stale,      // its time is over, and it was stored to be kept on
};

struct Found {
    Match match = Match::miss;
    // The value is in the caller's memory. False with a match: that is
    // smaller than `size`; nothing was counted.
    bool copied = false;
    // A stale entry, and this caller is the one to bring a new one.
    bool refresh = false;
    std::size_t size = 0;           // of the value, in bytes
    std::int64_t created = 0;
    std::int64_t expires = 0;       // when it becomes stale
    std::int64_t kept_until = 0;    // when it goes
    std::uint32_t uses = 0;         // this one included
};

struct NewEntry {
    ZoneKey key = {};
    // For purge_partition() and search(). Vectors of different origin (two
    // models, say) must be in different partitions. nullptr: none.
    const ZoneKey *partition = nullptr;
    // Of the zone's dimensions and any length above 0; needs a partition.
    // Empty: to be found by key only.
    std::span<const float> vector = {};
    std::string_view value = {};
    std::int64_t ttl = 0;           // ms, above 0
    std::int64_t stale_for = 0;     // ms after that
};

enum class Stored : std::uint8_t {
    stored,
    too_large,      // the value
    bad_vector,     // other dimensions, no direction, not finite; or no
                    // partition for it, or a scratch that is not prepared
    expired,        // a ttl of 0 or less
    detached,       // the block was formatted anew with another shape
};

struct Candidate {
    ZoneKey key;
    float similarity;           // cosine, -1..1
    Match match;                // fresh or stale
    std::int64_t created;
    std::int64_t expires;
};

struct SearchOptions {
    float min_similarity = 0;
    bool stale = false;         // stale entries too
};

class Zone;

// What a process needs for searching and for storing vectors, one for all its
// zones: some ten kilobytes and a bit for each cell of the largest zone. Not
// to be used by two threads at once.
class ZoneScratch {
public:
    ZoneScratch() noexcept;
    ZoneScratch(ZoneScratch &&) noexcept;
    ZoneScratch &operator=(ZoneScratch &&) noexcept;
    ~ZoneScratch();

    // Makes it large enough for this zone, too. Needs no lock. False: no
    // memory.
    [[nodiscard]] bool prepare(const Zone &zone) noexcept;

    struct Space;

private:
    friend class Zone;
    std::unique_ptr<Space> space_;
};

// One process's access to a block. A value: may be copied, owns nothing, and
// lives as long as the memory is mapped.
//
// A block that another process formats with another shape (nginx: a reload
// with new directives, while old workers go on) is lost for those who were
// attached before: they find nothing and store nothing.
class Zone {
public:
    // Lays out an empty cache; what was in the block is lost. Any memory will
    // do; some bytes are lost where it is not aligned to 64.
    static ZoneStatus format(std::span<std::byte> memory,
                             const ZoneOptions &options) noexcept;

    // Uses a block that was formatted with the same options of shape, mapped
    // at an address that is equal to the first one's modulo 64. *zone changes
    // only on success.
    static ZoneStatus attach(std::span<std::byte> memory,
                             const ZoneOptions &options, Zone *zone) noexcept;

    // Attached to nothing: finds nothing, stores nothing.
    Zone() noexcept = default;

    // Copies the value of the key to `out`, if it fits. refresh_lease: if
    // above 0, the first to find the entry stale is asked to refresh it, and
    // nobody else for so many ms.
    Found get(const ZoneKey &key, std::int64_t now, std::span<char> out,
              Access access = Access::exact,
              std::int64_t refresh_lease = 0) noexcept;

    // Stores an entry, in place of the one with its key. The scratch must
    // have been prepared for the zone if there is a vector.
    Stored put(const NewEntry &entry, std::int64_t now,
               ZoneScratch &scratch) noexcept;

    // Finds the nearest entries of the partition, the nearest first, and
    // returns how many. Expired entries that it comes across are removed.
    std::size_t search(const ZoneKey &partition,
                       std::span<const float> vector, std::int64_t now,
                       const SearchOptions &options, ZoneScratch &scratch,
                       std::span<Candidate> out) noexcept;

    // The entry with the key goes; false: there was none.
    bool remove(const ZoneKey &key) noexcept;

    // All entries of a partition are gone at once, however many they are;
    // their memory is collected by and by. Returns how many.
    std::size_t purge_partition(const ZoneKey &partition) noexcept;

    // All entries, uses and leases.
    void purge_all() noexcept;

    // Removes expired entries among the next `cells` cells. Calls of put() do
    // some of that; a timer can do the rest. Returns how many were removed.
    std::size_t sweep(std::int64_t now, std::size_t cells) noexcept;

    // Counts a use of a key, stored or not, and returns how often it was used
    // with this one. Rarely used keys may be forgotten early.
    std::uint32_t count_use(const ZoneKey &key, std::int64_t now) noexcept;

    // Takes the right to make the call that the key stands for. False:
    // somebody else has it, until release() or until their time is over. A
    // lease may be lost early to many others.
    bool lease(const ZoneKey &key, std::int64_t now,
               std::int64_t until) noexcept;
    bool is_leased(const ZoneKey &key, std::int64_t now) noexcept;
    void release(const ZoneKey &key) noexcept;

    ZoneStats stats() noexcept;

    // The longest value that put() takes.
    std::size_t max_value() const noexcept;
    std::uint32_t cells() const noexcept { return cells_; }

    // Checks every link of the block, in time that grows with its size: for
    // tests and for finding faults. nullptr: all is well; otherwise what is
    // not.
    const char *check() noexcept;

private:
    struct Call;

    std::byte *base_ = nullptr;
    std::uint64_t shape_ = 0;
    std::uint32_t cells_ = 0;
    ZoneOptions options_;
    const vector::Kernels *kernels_ = nullptr;
};

}  // namespace llm::cache
