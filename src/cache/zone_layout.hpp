// What a zone's block of memory looks like.
//
//     Header
//     Id buckets[]        entries by key: the first of each chain
//     Id buckets[]        partitions by key: likewise
//     Ticket tickets[]    uses and leases, ticket_ways to a set
//     cells               1 .. Header::cells
//
// Cells are named by number, and 0 is none. Each begins with its kind.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "llm/cache_zone.hpp"

namespace llm::cache::zone {

using Id = std::uint32_t;
inline constexpr Id none = 0;

inline constexpr std::size_t line = 64;         // of the processor's cache
inline constexpr std::size_t ticket_ways = 4;

// Links of a vector: on level 0, and on each level above it.
inline constexpr unsigned base_links = 32;
inline constexpr unsigned upper_links = 16;

enum class Kind : std::uint8_t {
    free,
    entry,
    chunk,
    partition,
    list,
    upper,
};

struct Free {
    Kind kind;
    Id next;
};

// Followed by the row of its vector and Id[base_links], if it has one, and by
// the beginning of its payload, if there is room left.
struct alignas(line) Entry {
    Kind kind;
    bool has_vector;
    bool in_graph;
    std::uint8_t level;         // of the graph, the highest it is on
    Id same_bucket;
    ZoneKey key;
    Id newer;                   // order of use
    Id older;
    Id partition;
    Id chunks;                  // the payload beyond this cell
    Id next_member;             // of the partition
    Id previous_member;
    // The second line, which a search touches with the row behind it.
    std::int64_t created;
    std::int64_t expires;
    std::int64_t kept_until;
    std::int64_t refreshed_until;
    std::uint32_t size;         // of the value
    std::uint32_t uses;
    Id list;                    // where the partition lists it, if it is not
    std::uint16_t position;     // in the graph
    std::uint8_t degree;        // links on level 0
    Id upper;                   // its links above level 0
    float scale;                // of the row
};

struct Chunk {
    Kind kind;
    Id next;
};

// A piece of a partition's list of vectors that are not in its graph. All
// pieces but the last are full.
struct Block {
    Id next;
    Id previous;
    std::uint32_t count;
};

// Followed by the first piece's Ids.
struct Partition {
    Kind kind;
    bool dead;                  // purged: members are collected by and by
    std::uint8_t top;           // level of the entry point
    Block block;
    Id same_bucket;             // or the next dead one
    ZoneKey key;
    Id last_block;
    Id members;
    std::uint32_t member_count;
    std::uint32_t listed;       // vectors in the list
    std::uint32_t linked;       // vectors in the graph
    Id entry_point;             // of the graph
    std::uint64_t value_bytes;  // of all members
};

// Followed by a piece's Ids.
struct List {
    Kind kind;
    Block block;
};

// Followed by Id[upper_links] for each level from 1 on.
struct Upper {
    static constexpr unsigned max_level = 7;

    Kind kind;
    std::uint8_t degree[max_level];
};

// Cells of one end of the block. Entries and what they link come from the low
// end and values from the high one, as long as there are some: then searches
// touch fewer pages of memory. It is a preference, not a border.
struct Pool {
    Id freed;                   // the first of a chain
    Id unused;                  // the first that was never used ...
    Id end;                     // ... of those up to here
};

struct State {
    Pool low;
    Pool high;
    std::uint32_t free_cells;
    Id newest;
    Id oldest;
    Id dead;                    // partitions
    Id swept;                   // the last cell that a sweep looked at
};

struct Ticket {
    std::uint64_t tag;          // of the key; 0: nobody's
    std::int64_t used;          // last time
    std::int64_t leased_until;
    std::uint64_t uses;
};

struct Header {
    std::uint64_t magic;
    std::uint32_t version;
    std::uint32_t dimensions;
    std::uint64_t size;
    std::uint64_t shape;        // all of the above and the geometry, mixed
    std::uint32_t exact_vectors;
    std::uint32_t cell_size;
    std::uint32_t cells;
    std::uint32_t buckets;      // of either table, a power of two
    std::uint32_t ticket_sets;  // a power of two
    std::uint32_t busy;         // a call is writing, or died of it
    State state;
    ZoneStats stats;
};

static_assert(sizeof(Entry) == 2 * line && offsetof(Entry, created) == line);
static_assert(sizeof(Upper) == 8);
static_assert(std::is_trivially_copyable_v<Header>);
static_assert(std::is_trivially_copyable_v<Entry>);
static_assert(std::is_trivially_copyable_v<Partition>);
static_assert(std::is_trivially_copyable_v<Ticket>);

// The cells that hold such rows.
constexpr std::size_t cell_size(std::size_t dimensions) noexcept {
    constexpr std::size_t least = 512;
    std::size_t row = vector::row_size(dimensions);
    std::size_t size = sizeof(Entry) + row + base_links * sizeof(Id);
    return size < least ? least : size;
}

// Links of one entry on one level.
struct Links {
    Id *ids;
    std::uint8_t *degree;
    unsigned capacity;

    bool full() const noexcept { return *degree == capacity; }

    bool contain(Id id) const noexcept {
        bool found = false;
        for (unsigned i = 0; i < *degree; ++i) {
            found |= ids[i] == id;
        }
        return found;
    }

    void add(Id id) noexcept { ids[(*degree)++] = id; }

    void remove(Id id) noexcept {
        for (unsigned i = 0; i < *degree; ++i) {
            if (ids[i] == id) {
                ids[i] = ids[--*degree];
                return;
            }
        }
    }
};

// The block, with the addresses of its parts.
class Memory {
public:
    explicit Memory(std::byte *base) noexcept;

    Header &header() const noexcept {
        return *reinterpret_cast<Header *>(base_);
    }
    State &state() const noexcept { return header().state; }
    ZoneStats &stats() const noexcept { return header().stats; }
    std::size_t cell_size() const noexcept { return cell_size_; }

    template <typename T>
    T &cell(Id id) const noexcept {
        return *reinterpret_cast<T *>(address(id));
    }
    // As a byte: whatever the cell is, the compiler must see that it is read.
    Kind kind(Id id) const noexcept {
        return static_cast<Kind>(*address(id));
    }
    Entry &entry(Id id) const noexcept { return cell<Entry>(id); }
    Partition &partition(Id id) const noexcept { return cell<Partition>(id); }

    Id &entry_bucket(const ZoneKey &key) const noexcept;
    Id &partition_bucket(const ZoneKey &key) const noexcept;
    Ticket *ticket_set(const ZoneKey &key) const noexcept;

    std::size_t row_size() const noexcept { return row_size_; }
    std::int8_t *row(Id id) const noexcept {
        return reinterpret_cast<std::int8_t *>(address(id) + sizeof(Entry));
    }
    Links links(Id id, unsigned level) const noexcept;
    void prefetch_row(Id id) const noexcept;

    Block &block(Id id) const noexcept;
    Id *listed(Id block) const noexcept;
    std::uint32_t list_capacity(Id block) const noexcept;

    // Whether the cell was ever taken, so that it has a kind.
    bool is_used(Id id) const noexcept {
        const auto &pool = id < state().low.end ? state().low : state().high;
        return id < pool.unused;
    }

    // Empties everything but the counters.
    void clear() noexcept;

    // Takes a cell; there is one: free_cells says so.
    Id take_low(Kind kind) noexcept;
    Id take_high(Kind kind) noexcept;
    void give_back(Id id) noexcept;

    // The payload of an entry: its vector in floats, if the zone keeps them,
    // then its value.
    std::size_t floats_size(const Entry &entry) const noexcept;
    std::size_t payload_size(const Entry &entry) const noexcept {
        return floats_size(entry) + entry.size;
    }
    // Cells that a payload needs beside the entry's own.
    std::size_t chunks_for(bool has_vector, std::size_t size) const noexcept;
    std::size_t chunk_payload() const noexcept {
        return cell_size_ - sizeof(Chunk);
    }
    void take_chunks(Id id) noexcept;
    void give_back_chunks(Id id) noexcept;

    // Calls piece(char *, size) for each piece of `size` bytes of the payload
    // from `offset` on.
    template <typename Piece>
    void visit_payload(Id id, std::size_t offset, std::size_t size,
                       Piece piece) const noexcept {
        const auto &owner = entry(id);
        std::size_t start = inline_start(owner.has_vector);
        char *bytes = reinterpret_cast<char *>(address(id)) + start;
        std::size_t room = cell_size_ - start;
        Id next = owner.chunks;
        for (;;) {
            if (offset < room) {
                std::size_t part = std::min(room - offset, size);
                if (part != 0) {
                    piece(bytes + offset, part);
                }
                size -= part;
                offset = 0;
            } else {
                offset -= room;
            }
            if (size == 0) {
                return;
            }
            auto &chunk = cell<Chunk>(next);
            bytes = reinterpret_cast<char *>(&chunk) + sizeof(Chunk);
            room = chunk_payload();
            next = chunk.next;
            if (next != none) {
                __builtin_prefetch(&cell<Chunk>(next));
            }
        }
    }

private:
    std::byte *address(Id id) const noexcept {
        return base_ + (cells_ + std::size_t{id} * cell_size_);
    }
    std::size_t inline_start(bool has_vector) const noexcept {
        return sizeof(Entry)
               + (has_vector ? row_size_ + base_links * sizeof(Id) : 0);
    }
    Id take(Pool &pool, Kind kind) noexcept;

    std::byte *base_;
    std::size_t cells_;         // offset of cell 0, which does not exist
    std::size_t cell_size_;
    std::size_t row_size_;
};

// Where the parts of a block of this size are.
struct Geometry {
    std::size_t cell_size;
    std::uint32_t cells;
    std::uint32_t buckets;
    std::uint32_t ticket_sets;
};

ZoneStatus plan(std::size_t size, const ZoneOptions &options,
                Geometry *geometry) noexcept;

}  // namespace llm::cache::zone
