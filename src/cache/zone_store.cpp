#include "cache/zone_store.hpp"

namespace llm::cache::zone {

bool Store::is_live(Id id) const noexcept {
    Id partition = memory_.entry(id).partition;
    return partition == none || !memory_.partition(partition).dead;
}

Id Store::find(const ZoneKey &key) const noexcept {
    Id id = memory_.entry_bucket(key);
    while (id != none && memory_.entry(id).key != key) {
        id = memory_.entry(id).same_bucket;
    }
    return id != none && is_live(id) ? id : none;
}

Id Store::find_partition(const ZoneKey &key) const noexcept {
    Id id = memory_.partition_bucket(key);
    while (id != none && memory_.partition(id).key != key) {
        id = memory_.partition(id).same_bucket;
    }
    return id;
}

bool Store::remove(const ZoneKey &key) noexcept {
    Id id = memory_.entry_bucket(key);
    while (id != none && memory_.entry(id).key != key) {
        id = memory_.entry(id).same_bucket;
    }
    if (id == none) {
        return false;
    }
    bool live = is_live(id);
    remove(id);
    return live;
}

namespace {

void unlink_used(Memory memory, Id id) noexcept {
    auto &entry = memory.entry(id);
    auto &state = memory.state();
    (entry.newer != none ? memory.entry(entry.newer).older : state.newest) =
        entry.older;
    (entry.older != none ? memory.entry(entry.older).newer : state.oldest) =
        entry.newer;
}

void link_newest(Memory memory, Id id) noexcept {
    auto &entry = memory.entry(id);
    auto &state = memory.state();
    entry.newer = none;
    entry.older = state.newest;
    (entry.older != none ? memory.entry(entry.older).newer : state.oldest) =
        id;
    state.newest = id;
}

}  // namespace

void Store::touch(Id id) noexcept {
    if (memory_.state().newest != id) {
        unlink_used(memory_, id);
        link_newest(memory_, id);
    }
}

Id Store::add(const ZoneKey &key) noexcept {
    Id id = memory_.take_low(Kind::entry);
    auto &entry = memory_.entry(id);
    entry = Entry{};
    entry.kind = Kind::entry;
    entry.key = key;

    Id &bucket = memory_.entry_bucket(key);
    entry.same_bucket = bucket;
    bucket = id;
    link_newest(memory_, id);
    ++memory_.stats().entries;
    return id;
}

void Store::remove(Id id) noexcept {
    auto &entry = memory_.entry(id);
    Id *link = &memory_.entry_bucket(entry.key);
    while (*link != id) {
        link = &memory_.entry(*link).same_bucket;
    }
    *link = entry.same_bucket;
    unlink_used(memory_, id);

    // The gauges lost a purged partition's members when it was purged.
    if (is_live(id)) {
        auto &gauges = memory_.stats();
        --gauges.entries;
        gauges.vectors -= entry.has_vector;
        gauges.value_bytes -= entry.size;
    }
    if (entry.partition != none) {
        leave(id);
    }
    if (entry.upper != none) {
        memory_.give_back(entry.upper);
    }
    memory_.give_back_chunks(id);
    memory_.give_back(id);
}

std::size_t Store::sweep(std::int64_t now, std::size_t cells) noexcept {
    auto &state = memory_.state();
    std::size_t removed = 0;
    for (; cells > 0; --cells) {
        Id id = state.swept + 1;
        if (id >= state.low.unused && id < state.low.end) {
            id = state.low.end;
        }
        if (id >= state.high.unused) {
            id = 1;
        }
        state.swept = id;
        if (memory_.is_used(id) && memory_.kind(id) == Kind::entry
            && memory_.entry(id).kept_until <= now)
        {
            remove(id);
            ++removed;
        }
    }
    memory_.stats().expirations += removed;
    return removed;
}

void Store::make_room(std::size_t cells) noexcept {
    auto &state = memory_.state();
    while (state.free_cells < cells) {
        if (state.dead != none) {
            collect(1);
            continue;
        }
        remove(state.oldest);
        ++memory_.stats().evictions;
    }
}

void Store::join(Id id, const ZoneKey &key) noexcept {
    Id partition_id = find_partition(key);
    if (partition_id == none) {
        partition_id = memory_.take_low(Kind::partition);
        auto &partition = memory_.partition(partition_id);
        partition = Partition{};
        partition.kind = Kind::partition;
        partition.key = key;
        partition.last_block = partition_id;
        Id &bucket = memory_.partition_bucket(key);
        partition.same_bucket = bucket;
        bucket = partition_id;
        ++memory_.stats().partitions;
    }

    auto &partition = memory_.partition(partition_id);
    auto &entry = memory_.entry(id);
    entry.partition = partition_id;
    entry.previous_member = none;
    entry.next_member = partition.members;
    if (partition.members != none) {
        memory_.entry(partition.members).previous_member = id;
    }
    partition.members = id;
    ++partition.member_count;
    partition.value_bytes += entry.size;
}

void Store::leave(Id id) noexcept {
    auto &entry = memory_.entry(id);
    Id partition_id = entry.partition;
    auto &partition = memory_.partition(partition_id);

    if (entry.has_vector && !partition.dead) {
        if (entry.in_graph) {
            graph(partition).remove(id);
        } else {
            unlist(id);
        }
    }
    (entry.previous_member != none
         ? memory_.entry(entry.previous_member).next_member
         : partition.members) = entry.next_member;
    if (entry.next_member != none) {
        memory_.entry(entry.next_member).previous_member =
            entry.previous_member;
    }
    partition.value_bytes -= entry.size;
    if (--partition.member_count == 0) {
        drop_partition(partition_id);
    }
}

void Store::drop_partition(Id id) noexcept {
    auto &partition = memory_.partition(id);
    Id *link = &memory_.state().dead;
    if (!partition.dead) {
        link = &memory_.partition_bucket(partition.key);
        --memory_.stats().partitions;
    }
    while (*link != id) {
        link = &memory_.partition(*link).same_bucket;
    }
    *link = partition.same_bucket;
    memory_.give_back(id);
}

void Store::list(Id id) noexcept {
    auto &entry = memory_.entry(id);
    auto &partition = memory_.partition(entry.partition);
    Id last = partition.last_block;
    if (memory_.block(last).count == memory_.list_capacity(last)) {
        Id next = memory_.take_low(Kind::list);
        memory_.block(next) = {none, last, 0};
        memory_.block(last).next = next;
        partition.last_block = next;
        last = next;
    }
    auto &block = memory_.block(last);
    memory_.listed(last)[block.count] = id;
    entry.list = last;
    entry.position = static_cast<std::uint16_t>(block.count);
    ++block.count;
    ++partition.listed;
}

void Store::unlist(Id id) noexcept {
    auto &entry = memory_.entry(id);
    auto &partition = memory_.partition(entry.partition);
    Id last = partition.last_block;
    auto &block = memory_.block(last);

    // The last one takes its place.
    Id moved = memory_.listed(last)[--block.count];
    memory_.listed(entry.list)[entry.position] = moved;
    memory_.entry(moved).list = entry.list;
    memory_.entry(moved).position = entry.position;
    entry.list = none;
    --partition.listed;

    if (block.count == 0 && block.previous != none) {
        partition.last_block = block.previous;
        memory_.block(block.previous).next = none;
        memory_.give_back(last);
    }
}

void Store::grow_graph(Partition &partition, unsigned most,
                       const ZoneOptions &options,
                       ZoneScratch::Space &space) noexcept {
    for (; most > 0 && partition.listed > 0
           && (partition.linked > 0 || partition.listed > options.graph_from);
         --most)
    {
        Id last = partition.last_block;
        Id id = memory_.listed(last)[memory_.block(last).count - 1];
        unlist(id);
        auto &entry = memory_.entry(id);
        entry.level = static_cast<std::uint8_t>(Graph::level_of(entry.key));
        if (entry.level != 0) {
            entry.upper = memory_.take_low(Kind::upper);
        }
        graph(partition).insert(id, options.build_effort, space);
    }
}

std::size_t Store::purge(Id id) noexcept {
    auto &partition = memory_.partition(id);
    auto &gauges = memory_.stats();
    gauges.entries -= partition.member_count;
    gauges.vectors -= partition.listed + partition.linked;
    gauges.graph_vectors -= partition.linked;
    gauges.value_bytes -= partition.value_bytes;
    --gauges.partitions;

    for (Id block = partition.block.next; block != none;) {
        Id next = memory_.block(block).next;
        memory_.give_back(block);
        block = next;
    }
    Id *link = &memory_.partition_bucket(partition.key);
    while (*link != id) {
        link = &memory_.partition(*link).same_bucket;
    }
    *link = partition.same_bucket;

    partition.dead = true;
    partition.same_bucket = memory_.state().dead;
    memory_.state().dead = id;
    return partition.member_count;
}

void Store::collect(std::size_t most) noexcept {
    auto &state = memory_.state();
    for (; most > 0 && state.dead != none; --most) {
        remove(memory_.partition(state.dead).members);
    }
}

}  // namespace llm::cache::zone
