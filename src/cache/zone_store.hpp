// The entries of a zone: by key, by time of use, by partition. All here write,
// unless they are const.
#pragma once

#include "cache/zone_graph.hpp"
#include "cache/zone_layout.hpp"

namespace llm::cache::zone {

class Store {
public:
    Store(Memory memory, const vector::Kernels &kernels) noexcept
        : memory_(memory), kernels_(kernels) {}

    // Live entries only: not those of a purged partition.
    Id find(const ZoneKey &key) const noexcept;
    Id find_partition(const ZoneKey &key) const noexcept;

    bool is_live(Id id) const noexcept;

    // The entry was used.
    void touch(Id id) noexcept;

    // The entry goes, and its partition with its last member.
    void remove(Id id) noexcept;
    // Of this key, if there is one; also one that is not live any more.
    bool remove(const ZoneKey &key) noexcept;

    // Removes expired entries among the next so many cells; returns how many.
    std::size_t sweep(std::int64_t now, std::size_t cells) noexcept;

    // Removes what was not used for longest, until so many cells are free.
    // The zone has so many.
    void make_room(std::size_t cells) noexcept;

    // An entry without value, vector and partition. A cell is free for it.
    Id add(const ZoneKey &key) noexcept;
    // Makes it a member. Up to one cell is needed, and is free.
    void join(Id id, const ZoneKey &partition) noexcept;
    // Puts its vector on the list of its partition; as before.
    void list(Id id) noexcept;
    // Moves up to so many vectors from the list of a partition to its graph,
    // if it has one or is to have one; as many cells are free.
    void grow_graph(Partition &partition, unsigned most,
                    const ZoneOptions &options,
                    ZoneScratch::Space &space) noexcept;

    // All members are gone; returns how many.
    std::size_t purge(Id partition) noexcept;
    // Removes up to so many members of purged partitions.
    void collect(std::size_t most) noexcept;

    Graph graph(Partition &partition) const noexcept {
        return Graph(memory_, kernels_, partition);
    }

private:
    void unlist(Id id) noexcept;
    void leave(Id id) noexcept;
    void drop_partition(Id id) noexcept;

    Memory memory_;
    const vector::Kernels &kernels_;
};

}  // namespace llm::cache::zone
