// The graph of a partition (llm/cache_zone.hpp says whose idea it is). Links
// are known at both ends, on each level.
#pragma once

#include "cache/zone_layout.hpp"
#include "cache/zone_space.hpp"

namespace llm::cache::zone {

// A row that others are compared with.
struct Query {
    const std::int8_t *row;
    float scale;
};

class Graph {
public:
    Graph(Memory memory, const vector::Kernels &kernels,
          Partition &partition) noexcept
        : memory_(memory), kernels_(kernels), partition_(partition) {}

    // How high an entry stands: one in `upper_links` of each level is on the
    // next. Of the key, so that it needs no random numbers.
    static unsigned level_of(const ZoneKey &key) noexcept;

    // Links a vector that is a member of the partition. Where its level is
    // above 0, its cell for the upper levels is there.
    void insert(Id id, std::uint32_t effort,
                ZoneScratch::Space &space) noexcept;

    // Unlinks it.
    void remove(Id id) noexcept;

    // The nearest are in the space's beam.
    void search(const Query &query, std::uint32_t effort,
                ZoneScratch::Space &space) const noexcept;

    float similarity(const Query &query, Id id) const noexcept {
        return query.scale * memory_.entry(id).scale
               * static_cast<float>(kernels_.dot_i8(
                   query.row, memory_.row(id), memory_.row_size()));
    }

private:
    Query query(Id id) const noexcept {
        return {memory_.row(id), memory_.entry(id).scale};
    }
    // From what is in the beam to what is nearest on this level.
    void explore(const Query &query, unsigned level,
                 ZoneScratch::Space &space) const noexcept;
    // From the entry point down to the level above `level`.
    void descend(const Query &query, unsigned level,
                 ZoneScratch::Space &space) const noexcept;
    void connect(Id id, unsigned level, std::span<const Near> near) noexcept;
    bool make_room(Id id, Id other, float similarity,
                   unsigned level) noexcept;
    void link(Id a, Id b, unsigned level) noexcept;
    void heal(std::span<const Id> ids, unsigned level) noexcept;
    void choose_entry_point(Id leaving) noexcept;

    Memory memory_;
    const vector::Kernels &kernels_;
    Partition &partition_;
};

}  // namespace llm::cache::zone
