#include <bit>

#include "cache/zone_layout.hpp"

namespace llm::cache::zone {

namespace {

// What a kind of cell has in front of its Ids.
constexpr std::size_t partition_head = sizeof(Partition);
constexpr std::size_t list_head = sizeof(List);

std::uint64_t word(const ZoneKey &key, std::size_t index) noexcept {
    std::uint64_t value;
    std::memcpy(&value, key.data() + index * sizeof(value), sizeof(value));
    return value;
}

std::size_t align(std::size_t size) noexcept {
    return (size + line - 1) / line * line;
}

std::size_t tables_size(std::uint32_t buckets,
                        std::uint32_t ticket_sets) noexcept {
    return 2 * align(buckets * sizeof(Id))
           + align(ticket_sets * ticket_ways * sizeof(Ticket));
}

}  // namespace

ZoneStatus plan(std::size_t size, const ZoneOptions &options,
                Geometry *geometry) noexcept {
    constexpr std::size_t least_cells = 32;
    constexpr std::size_t most_cells = std::size_t{1} << 31;

    if (options.dimensions > vector::max_dimensions) {
        return ZoneStatus::bad_options;
    }
    std::size_t cell = cell_size(options.dimensions);
    std::size_t most = size / cell;
    if (most >= most_cells) {
        return ZoneStatus::too_large;
    }
    geometry->cell_size = cell;
    geometry->buckets = static_cast<std::uint32_t>(
        std::bit_floor(std::max<std::size_t>(most / 2, 16)));
    geometry->ticket_sets = static_cast<std::uint32_t>(
        std::bit_floor(std::max<std::size_t>(most / 32, 4)));
    std::size_t used = align(sizeof(Header))
                       + tables_size(geometry->buckets, geometry->ticket_sets);
    if (size < used + least_cells * cell) {
        return ZoneStatus::too_small;
    }
    geometry->cells = static_cast<std::uint32_t>((size - used) / cell);
    return ZoneStatus::ok;
}

Memory::Memory(std::byte *base) noexcept : base_(base) {
    const auto &head = header();
    cell_size_ = head.cell_size;
    row_size_ = vector::row_size(head.dimensions);
    // Less one cell, since there is no cell 0.
    cells_ = align(sizeof(Header)) + tables_size(head.buckets, head.ticket_sets)
             - cell_size_;
}

Id &Memory::entry_bucket(const ZoneKey &key) const noexcept {
    auto *buckets = reinterpret_cast<Id *>(base_ + align(sizeof(Header)));
    return buckets[word(key, 0) & (header().buckets - 1)];
}

Id &Memory::partition_bucket(const ZoneKey &key) const noexcept {
    auto *buckets = reinterpret_cast<Id *>(
        base_ + align(sizeof(Header))
        + align(header().buckets * sizeof(Id)));
    return buckets[word(key, 0) & (header().buckets - 1)];
}

Ticket *Memory::ticket_set(const ZoneKey &key) const noexcept {
    auto *tickets = reinterpret_cast<Ticket *>(
        base_ + align(sizeof(Header))
        + 2 * align(header().buckets * sizeof(Id)));
    return tickets
           + (word(key, 0) & (header().ticket_sets - 1)) * ticket_ways;
}

Links Memory::links(Id id, unsigned level) const noexcept {
    auto &owner = entry(id);
    if (level == 0) {
        return {reinterpret_cast<Id *>(row(id) + row_size_), &owner.degree,
                base_links};
    }
    auto &upper = cell<Upper>(owner.upper);
    auto *ids = reinterpret_cast<Id *>(&upper + 1);
    return {ids + (level - 1) * upper_links, &upper.degree[level - 1],
            upper_links};
}

void Memory::prefetch_row(Id id) const noexcept {
    // From the second line of the entry, which has the scale; what follows
    // the first lines of a long row, the processor fetches by itself.
    constexpr std::size_t most = 8 * line;
    const auto *bytes = address(id) + line;
    std::size_t size = std::min(row_size_ + line, most);
    for (std::size_t i = 0; i < size; i += line) {
        __builtin_prefetch(bytes + i);
    }
}

Block &Memory::block(Id id) const noexcept {
    return kind(id) == Kind::partition ? partition(id).block
                                       : cell<List>(id).block;
}

Id *Memory::listed(Id block) const noexcept {
    return reinterpret_cast<Id *>(
        address(block)
        + (kind(block) == Kind::partition ? partition_head : list_head));
}

std::uint32_t Memory::list_capacity(Id block) const noexcept {
    return static_cast<std::uint32_t>(
        (cell_size_
         - (kind(block) == Kind::partition ? partition_head : list_head))
        / sizeof(Id));
}

void Memory::clear() noexcept {
    auto &head = header();
    std::memset(base_ + align(sizeof(Header)), 0,
                tables_size(head.buckets, head.ticket_sets));

    Id border = 1 + head.cells / 4;
    head.state = State{};
    head.state.low = {none, 1, border};
    head.state.high = {none, border, head.cells + 1};
    head.state.free_cells = head.cells;

    auto &counters = head.stats;
    counters.entries = 0;
    counters.vectors = 0;
    counters.graph_vectors = 0;
    counters.partitions = 0;
    counters.value_bytes = 0;
}

Id Memory::take(Pool &pool, Kind kind) noexcept {
    Id id = pool.freed;
    if (id != none) {
        pool.freed = cell<Free>(id).next;
    } else if (pool.unused < pool.end) {
        id = pool.unused++;
    } else {
        return none;
    }
    --state().free_cells;
    cell<Free>(id).kind = kind;
    return id;
}

Id Memory::take_low(Kind kind) noexcept {
    Id id = take(state().low, kind);
    return id != none ? id : take(state().high, kind);
}

Id Memory::take_high(Kind kind) noexcept {
    Id id = take(state().high, kind);
    return id != none ? id : take(state().low, kind);
}

void Memory::give_back(Id id) noexcept {
    auto &pool = id < state().low.end ? state().low : state().high;
    auto &freed = cell<Free>(id);
    freed.kind = Kind::free;
    freed.next = pool.freed;
    pool.freed = id;
    ++state().free_cells;
}

std::size_t Memory::floats_size(const Entry &entry) const noexcept {
    return entry.has_vector && header().exact_vectors != 0
               ? header().dimensions * sizeof(float)
               : 0;
}

std::size_t Memory::chunks_for(bool has_vector,
                               std::size_t size) const noexcept {
    std::size_t room = cell_size_ - inline_start(has_vector);
    return size <= room
               ? 0
               : (size - room + chunk_payload() - 1) / chunk_payload();
}

void Memory::take_chunks(Id id) noexcept {
    auto &owner = entry(id);
    Id *link = &owner.chunks;
    for (std::size_t i = chunks_for(owner.has_vector, payload_size(owner));
         i > 0; --i)
    {
        Id chunk = take_high(Kind::chunk);
        *link = chunk;
        link = &cell<Chunk>(chunk).next;
    }
    *link = none;
}

void Memory::give_back_chunks(Id id) noexcept {
    for (Id chunk = entry(id).chunks; chunk != none;) {
        Id next = cell<Chunk>(chunk).next;
        give_back(chunk);
        chunk = next;
    }
    entry(id).chunks = none;
}

}  // namespace llm::cache::zone
