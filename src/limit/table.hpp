// What a zone's block of memory looks like, and what can be done with it.
//
//     Header          with the note of the call that is under way
//     Id buckets[]    the first of each chain
//     Cell cells[]    1 .. Header::cells
//
// Cells are named by number, and 0 is none. Cells in use are in one chain of
// their bucket and in the order of use; free ones are in a chain by `older`,
// or were never used.
#pragma once

#include <atomic>
#include <bit>
#include <cstring>
#include <new>
#include <type_traits>

#include "llm/limit_zone.hpp"
#include "text/hash.hpp"

namespace llm::limit {

template <typename Value>
class Table {
    static_assert(std::is_trivially_copyable_v<Value>);

public:
    using Id = std::uint32_t;
    static constexpr Id none = 0;

    struct Cell {
        Key key;
        Value value;
        std::uint64_t birth;        // 0: free
        Id same_bucket;
        Id newer;
        Id older;
    };

    // What the call under way changes: if it ends early, the cell becomes
    // again what it was.
    enum class Note : std::uint32_t { nothing, change, insert, relink };

    struct Header {
        std::uint64_t magic;
        std::uint64_t version;
        std::uint64_t shape;
        std::uint64_t births;
        std::uint32_t cells;
        std::uint32_t buckets;      // a power of two
        Id newest;
        Id oldest;
        Id freed;
        Id unused;                  // the first that was never used
        std::uint32_t note;
        Id noted;
        Value before;
        ZoneCounts counts;
    };

    static_assert(std::is_trivially_copyable_v<Cell>);
    static_assert(std::is_trivially_copyable_v<Header>);

    static ZoneStatus format(std::span<std::byte> memory,
                             std::uint64_t purpose) noexcept {
        memory = aligned(memory);
        Plan plan = plan_of(memory.size());
        if (plan.cells < least_cells) {
            return ZoneStatus::too_small;
        }
        // Without the magic while it is neither the old nor the new one.
        auto *header = new (memory.data()) Header{};
        fence();
        header->version = version;
        header->cells = plan.cells;
        header->buckets = plan.buckets;
        header->unused = 1;
        header->counts.capacity = plan.cells;
        Table table(memory.data());
        std::memset(table.buckets_, 0, plan.buckets * sizeof(Id));
        header->shape = shape_of(memory.size(), purpose);
        fence();
        header->magic = magic;
        return ZoneStatus::ok;
    }

    static ZoneStatus attach(std::span<std::byte> memory,
                             std::uint64_t purpose, std::byte **base,
                             std::uint64_t *shape) noexcept {
        memory = aligned(memory);
        Plan plan = plan_of(memory.size());
        if (plan.cells < least_cells) {
            return ZoneStatus::too_small;
        }
        const auto *header = reinterpret_cast<const Header *>(memory.data());
        if (header->magic != magic) {
            return ZoneStatus::not_a_zone;
        }
        if (header->version != version) {
            return ZoneStatus::other_version;
        }
        if (header->shape != shape_of(memory.size(), purpose)
            || header->cells != plan.cells || header->buckets != plan.buckets)
        {
            return ZoneStatus::other_shape;
        }
        *base = memory.data();
        *shape = header->shape;
        Call(*base, *shape);
        return ZoneStatus::ok;
    }

    // One call of a member: whether the block is still ours, and what a dead
    // one may have left.
    class Call {
    public:
        Call(std::byte *base, std::uint64_t shape) noexcept
            : base_(base),
              ours_(base != nullptr
                    && reinterpret_cast<Header *>(base)->shape == shape) {
            if (ours_ && table().header().note != 0) {
                table().repair();
            }
        }
        Call(const Call &) = delete;
        Call &operator=(const Call &) = delete;
        ~Call() {
            if (ours_ && table().header().note != 0) {
                table().set_note(Note::nothing);
            }
        }

        explicit operator bool() const noexcept { return ours_; }
        Table table() const noexcept { return Table(base_); }

    private:
        std::byte *base_;
        bool ours_;
    };

    explicit Table(std::byte *base) noexcept
        : base_(base),
          buckets_(reinterpret_cast<Id *>(base + round_up(sizeof(Header)))),
          cells_(reinterpret_cast<Cell *>(
              base + round_up(sizeof(Header))
              + round_up(header().buckets * sizeof(Id)))) {}

    Header &header() const noexcept {
        return *reinterpret_cast<Header *>(base_);
    }
    ZoneCounts &counts() const noexcept { return header().counts; }
    Cell &cell(Id id) const noexcept { return cells_[id - 1]; }

    Id find(const Key &key) const noexcept {
        Id id = bucket(key);
        while (id != none && cell(id).key != key) {
            id = cell(id).same_bucket;
        }
        return id;
    }

    // Whether a key that is not here needs another one's place.
    bool full() const noexcept {
        return header().freed == none && header().unused > header().cells;
    }

    // To be called before the value of a cell is changed.
    void note_change(Id id) noexcept {
        header().before = cell(id).value;
        header().noted = id;
        set_note(Note::change);
    }

    // A new cell with a value of zeros, the most recently used one; there is
    // room for it.
    Id insert(const Key &key) noexcept {
        auto &head = header();
        Id id = head.freed != none ? head.freed : head.unused;
        head.noted = id;
        set_note(Note::insert);
        if (head.freed != none) {
            head.freed = cell(id).older;
        } else {
            cell(id).birth = 0;
            fence();
            ++head.unused;
        }
        auto &added = cell(id);
        added.key = key;
        added.value = Value{};
        added.same_bucket = bucket(key);
        bucket(key) = id;
        link_newest(id);
        ++head.counts.keys;
        added.birth = ++head.births;
        return id;
    }

    void touch(Id id) noexcept {
        if (header().newest == id) {
            return;
        }
        if (header().note == 0) {
            set_note(Note::relink);
        }
        unlink(id);
        link_newest(id);
    }

    void remove(Id id) noexcept {
        auto &head = header();
        set_note(Note::relink);
        auto &gone = cell(id);
        gone.birth = 0;
        fence();
        Id *link = &bucket(gone.key);
        while (*link != id) {
            link = &cell(*link).same_bucket;
        }
        *link = gone.same_bucket;
        unlink(id);
        gone.older = head.freed;
        head.freed = id;
        --head.counts.keys;
    }

    const char *check() const noexcept {
        const auto &head = header();
        std::uint64_t linked = 0;
        Id newer = none;
        for (Id id = head.newest; id != none; id = cell(id).older) {
            if (cell(id).newer != newer || cell(id).birth == 0) {
                return "order of use is broken";
            }
            if (find(cell(id).key) != id) {
                return "key cannot be found";
            }
            newer = id;
            if (++linked > head.cells) {
                return "order of use has no end";
            }
        }
        if (newer != head.oldest) {
            return "oldest is not the last";
        }
        if (linked != head.counts.keys) {
            return "keys are not counted";
        }
        std::uint64_t chained = 0;
        for (std::uint32_t i = 0; i < head.buckets; ++i) {
            for (Id id = buckets_[i]; id != none; id = cell(id).same_bucket) {
                if (++chained > linked) {
                    return "chains have too many keys";
                }
            }
        }
        std::uint64_t freed = 0;
        for (Id id = head.freed; id != none; id = cell(id).older) {
            if (cell(id).birth != 0 || ++freed > head.cells) {
                return "free cells are broken";
            }
        }
        return chained == linked && linked + freed == head.unused - 1
                   ? nullptr
                   : "cells are lost";
    }

private:
    static constexpr std::uint64_t magic = 0x74696d696c6d6c6c;
    static constexpr std::uint64_t version = 1;
    static constexpr std::uint32_t least_cells = 16;
    static constexpr std::size_t line = 64;

    struct Plan {
        std::uint32_t cells;
        std::uint32_t buckets;
    };

    static constexpr std::size_t round_up(std::size_t size) noexcept {
        return (size + line - 1) / line * line;
    }

    static Plan plan_of(std::size_t size) noexcept {
        constexpr std::size_t most_cells = std::size_t{1} << 31;
        std::size_t head = round_up(sizeof(Header));
        if (size < head + line) {
            return {0, 0};
        }
        size -= head;
        std::size_t buckets = std::bit_floor(
            std::min(size / sizeof(Cell) + 1, most_cells));
        std::size_t used = round_up(buckets * sizeof(Id));
        std::size_t cells =
            size < used ? 0 : std::min((size - used) / sizeof(Cell),
                                       most_cells);
        return {static_cast<std::uint32_t>(cells),
                static_cast<std::uint32_t>(buckets)};
    }

    static std::span<std::byte> aligned(std::span<std::byte> memory) noexcept {
        auto address = reinterpret_cast<std::uintptr_t>(memory.data());
        std::size_t skip = (line - address % line) % line;
        if (memory.data() == nullptr || memory.size() < skip) {
            return {};
        }
        return memory.subspan(skip);
    }

    static std::uint64_t shape_of(std::uint64_t size,
                                  std::uint64_t purpose) noexcept {
        std::uint64_t values[] = {version, size, sizeof(Cell),
                                  sizeof(Header), purpose};
        return fnv1a({reinterpret_cast<const char *>(values), sizeof(values)});
    }

    Id &bucket(const Key &key) const noexcept {
        std::uint64_t word;
        std::memcpy(&word, key.data(), sizeof(word));
        return buckets_[word & (header().buckets - 1)];
    }

    // Others see the stores before it first: a process that dies may have
    // made any number of them, but none out of this order.
    static void fence() noexcept {
        std::atomic_thread_fence(std::memory_order_seq_cst);
    }

    void set_note(Note note) noexcept {
        std::atomic_ref<std::uint32_t> mark(header().note);
        fence();
        mark.store(static_cast<std::uint32_t>(note),
                   std::memory_order_relaxed);
        fence();
    }

    void unlink(Id id) noexcept {
        auto &head = header();
        auto &gone = cell(id);
        (gone.newer != none ? cell(gone.newer).older : head.newest) =
            gone.older;
        (gone.older != none ? cell(gone.older).newer : head.oldest) =
            gone.newer;
    }

    void link_newest(Id id) noexcept {
        auto &head = header();
        cell(id).newer = none;
        cell(id).older = head.newest;
        (head.newest != none ? cell(head.newest).newer : head.oldest) = id;
        head.newest = id;
    }

    // Safe to be cut off and begun again: the note stays until the end.
    void repair() noexcept {
        auto &head = header();
        switch (static_cast<Note>(head.note)) {
        case Note::change:
            cell(head.noted).value = head.before;
            break;
        case Note::insert:
            // It may be one that was never used, and counted as such.
            cell(head.noted).birth = 0;
            break;
        default:
            break;
        }
        fence();
        std::memset(buckets_, 0, head.buckets * sizeof(Id));
        head.newest = head.oldest = head.freed = none;
        head.counts.keys = 0;
        for (Id id = 1; id < head.unused; ++id) {
            auto &found = cell(id);
            if (found.birth == 0) {
                found.older = head.freed;
                head.freed = id;
                continue;
            }
            found.same_bucket = bucket(found.key);
            bucket(found.key) = id;
            link_newest(id);
            ++head.counts.keys;
        }
        ++head.counts.repairs;
        set_note(Note::nothing);
    }

    std::byte *base_;
    Id *buckets_;
    Cell *cells_;
};

}  // namespace llm::limit
