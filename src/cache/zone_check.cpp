#include "cache/zone_call.hpp"
#include "cache/zone_store.hpp"

namespace llm::cache {

using namespace zone;

namespace {

// Counts what it comes across and compares in the end, so that a link that
// leads into a circle or to the wrong kind of cell is found as well.
class Checker {
public:
    explicit Checker(Memory memory) noexcept
        : memory_(memory), cells_(memory.header().cells) {}

    const char *check() noexcept {
        const char *(Checker::*const steps[])() noexcept = {
            &Checker::free_cells, &Checker::uses, &Checker::entries,
            &Checker::partitions, &Checker::dead_partitions, &Checker::totals,
        };
        for (auto step : steps) {
            if (const char *wrong = (this->*step)()) {
                return wrong;
            }
        }
        return nullptr;
    }

private:
    bool is(Id id, Kind kind) const noexcept {
        return id != none && id <= cells_ && memory_.is_used(id)
               && memory_.kind(id) == kind;
    }

    const char *free_cells() noexcept {
        const auto &state = memory_.state();
        std::uint64_t count = 0;
        for (const auto *pool : {&state.low, &state.high}) {
            if (pool->unused > pool->end) {
                return "the unused cells end before they begin";
            }
            count += pool->end - pool->unused;
            for (Id id = pool->freed; id != none;
                 id = memory_.cell<Free>(id).next)
            {
                if (!is(id, Kind::free) || ++count > cells_) {
                    return "a chain of free cells is broken";
                }
            }
        }
        if (count != state.free_cells) {
            return "the number of free cells is wrong";
        }
        found_ = count;
        return nullptr;
    }

    const char *uses() noexcept {
        const auto &state = memory_.state();
        Id newer = none;
        for (Id id = state.newest; id != none; id = memory_.entry(id).older) {
            if (!is(id, Kind::entry) || memory_.entry(id).newer != newer
                || ++used_ > cells_)
            {
                return "the order of use is broken";
            }
            newer = id;
            if (const char *wrong = entry(id)) {
                return wrong;
            }
        }
        return state.oldest == newer ? nullptr
                                     : "the order of use has another end";
    }

    const char *entry(Id id) noexcept {
        const auto &entry = memory_.entry(id);
        ++found_;
        std::size_t chunks = memory_.chunks_for(
            entry.has_vector, memory_.payload_size(entry));
        for (Id chunk = entry.chunks; chunk != none;
             chunk = memory_.cell<Chunk>(chunk).next)
        {
            if (!is(chunk, Kind::chunk) || chunks-- == 0) {
                return "a value has too many cells";
            }
            ++found_;
        }
        if (chunks != 0) {
            return "a value has too few cells";
        }
        if (entry.upper != none) {
            if (!is(entry.upper, Kind::upper)) {
                return "links are not where they should be";
            }
            ++found_;
        }
        if (entry.has_vector && entry.partition == none) {
            return "a vector has no partition";
        }
        if (entry.partition != none && !is(entry.partition, Kind::partition)) {
            return "a partition is not where it should be";
        }
        return nullptr;
    }

    const char *entries() noexcept {
        // The key of zeros is of the first chain.
        const auto *buckets = &memory_.entry_bucket(ZoneKey{});
        std::uint64_t count = 0;
        for (std::uint32_t i = 0; i < memory_.header().buckets; ++i) {
            for (Id id = buckets[i]; id != none;
                 id = memory_.entry(id).same_bucket)
            {
                if (!is(id, Kind::entry) || ++count > used_
                    || &memory_.entry_bucket(memory_.entry(id).key)
                           != buckets + i)
                {
                    return "a chain of entries is broken";
                }
            }
        }
        return count == used_ ? nullptr : "an entry is in no chain";
    }

    const char *partitions() noexcept {
        const auto *buckets = &memory_.partition_bucket(ZoneKey{});
        for (std::uint32_t i = 0; i < memory_.header().buckets; ++i) {
            for (Id id = buckets[i]; id != none;
                 id = memory_.partition(id).same_bucket)
            {
                if (!is(id, Kind::partition)
                    || &memory_.partition_bucket(memory_.partition(id).key)
                           != buckets + i
                    || ++live_partitions_ > cells_)
                {
                    return "a chain of partitions is broken";
                }
                const auto &partition = memory_.partition(id);
                if (partition.dead) {
                    return "a purged partition can still be found";
                }
                const char *wrong = members(id);
                if (wrong == nullptr) {
                    wrong = listed(id);
                }
                if (wrong == nullptr) {
                    wrong = linked(id);
                }
                if (wrong != nullptr) {
                    return wrong;
                }
            }
        }
        return nullptr;
    }

    const char *dead_partitions() noexcept {
        std::uint32_t count = 0;
        for (Id id = memory_.state().dead; id != none;
             id = memory_.partition(id).same_bucket)
        {
            if (!is(id, Kind::partition) || !memory_.partition(id).dead
                || ++count > cells_)
            {
                return "a chain of purged partitions is broken";
            }
            dead_members_ += memory_.partition(id).member_count;
            if (const char *wrong = members(id)) {
                return wrong;
            }
        }
        return nullptr;
    }

    const char *members(Id partition_id) noexcept {
        const auto &partition = memory_.partition(partition_id);
        ++found_;
        std::uint32_t count = 0, vectors = 0, linked = 0;
        std::uint64_t bytes = 0;
        Id previous = none;
        for (Id id = partition.members; id != none;
             id = memory_.entry(id).next_member)
        {
            const auto &entry = memory_.entry(id);
            if (!is(id, Kind::entry) || entry.partition != partition_id
                || entry.previous_member != previous || ++count > used_)
            {
                return "the members of a partition are not its own";
            }
            previous = id;
            vectors += entry.has_vector;
            linked += entry.in_graph;
            bytes += entry.size;
        }
        if (count == 0) {
            return "a partition has no members";
        }
        if (count != partition.member_count
            || bytes != partition.value_bytes)
        {
            return "a partition's counts are wrong";
        }
        if (partition.dead) {
            return nullptr;
        }
        vectors_ += vectors;
        graph_vectors_ += linked;
        return linked == partition.linked
                       && vectors == partition.listed + partition.linked
                   ? nullptr
                   : "a partition has other vectors than it says";
    }

    const char *listed(Id partition_id) noexcept {
        const auto &partition = memory_.partition(partition_id);
        std::uint32_t count = 0;
        Id previous = none;
        for (Id id = partition_id; id != none; id = memory_.block(id).next) {
            if (id != partition_id) {
                if (!is(id, Kind::list)) {
                    return "a list is not where it should be";
                }
                ++found_;
            }
            const auto &block = memory_.block(id);
            bool last = block.next == none;
            if (block.previous != previous
                || block.count > memory_.list_capacity(id)
                || (!last && block.count < memory_.list_capacity(id))
                || (last && id != partition.last_block)
                || (last && id != partition_id && block.count == 0)
                || (count += block.count) > partition.listed)
            {
                return "a list is broken";
            }
            for (std::uint32_t i = 0; i < block.count; ++i) {
                Id each = memory_.listed(id)[i];
                if (!is(each, Kind::entry)) {
                    return "a list has something else than entries";
                }
                const auto &entry = memory_.entry(each);
                if (entry.partition != partition_id || !entry.has_vector
                    || entry.in_graph || entry.list != id
                    || entry.position != i)
                {
                    return "a list has an entry that is not its own";
                }
            }
            previous = id;
        }
        return count == partition.listed ? nullptr
                                         : "a list has another length";
    }

    const char *linked(Id partition_id) noexcept {
        const auto &partition = memory_.partition(partition_id);
        if (partition.linked == 0) {
            return nullptr;
        }
        Id entry_point = partition.entry_point;
        if (!is(entry_point, Kind::entry)
            || memory_.entry(entry_point).partition != partition_id
            || !memory_.entry(entry_point).in_graph
            || memory_.entry(entry_point).level != partition.top)
        {
            return "a graph has no entry point";
        }
        for (Id id = partition.members; id != none;
             id = memory_.entry(id).next_member)
        {
            const auto &entry = memory_.entry(id);
            if (!entry.in_graph) {
                continue;
            }
            if ((entry.level != 0) != (entry.upper != none)) {
                return "an entry has no place for its links";
            }
            for (unsigned level = 0; level <= entry.level; ++level) {
                if (const char *wrong = links(id, level)) {
                    return wrong;
                }
            }
        }
        return nullptr;
    }

    const char *links(Id id, unsigned level) noexcept {
        Links links = memory_.links(id, level);
        if (*links.degree > links.capacity) {
            return "an entry has too many links";
        }
        for (unsigned i = 0; i < *links.degree; ++i) {
            Id other = links.ids[i];
            if (other == id || !is(other, Kind::entry)) {
                return "a link leads nowhere";
            }
            const auto &entry = memory_.entry(other);
            if (!entry.in_graph || entry.level < level
                || entry.partition != memory_.entry(id).partition)
            {
                return "a link leads out of its graph";
            }
            if (!memory_.links(other, level).contain(id)) {
                return "a link is known at one end only";
            }
            for (unsigned j = 0; j < i; ++j) {
                if (links.ids[j] == other) {
                    return "a link is there twice";
                }
            }
        }
        return nullptr;
    }

    const char *totals() noexcept {
        const auto &gauges = memory_.stats();
        if (found_ != cells_) {
            return "a cell belongs to nobody";
        }
        if (gauges.entries != used_ - dead_members_
            || gauges.vectors != vectors_
            || gauges.graph_vectors != graph_vectors_
            || gauges.partitions != live_partitions_)
        {
            return "the counters are wrong";
        }
        return nullptr;
    }

    Memory memory_;
    std::uint32_t cells_;
    std::uint64_t found_ = 0;
    std::uint64_t used_ = 0;
    std::uint64_t vectors_ = 0;
    std::uint64_t graph_vectors_ = 0;
    std::uint64_t dead_members_ = 0;
    std::uint64_t live_partitions_ = 0;
};

}  // namespace

const char *Zone::check() noexcept {
    Call call(*this);
    return call ? Checker(call.memory()).check() : nullptr;
}

}  // namespace llm::cache
