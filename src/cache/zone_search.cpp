#include "cache/zone_call.hpp"
#include "cache/zone_space.hpp"
#include "cache/zone_store.hpp"

namespace llm::cache {

using namespace zone;

namespace {

// Of the nearest in int8, so many are compared in floats.
constexpr std::size_t least_checked = 16;
// Up to here half the effort finds 0.999 of the nearest (bench_cache_zone).
constexpr std::uint32_t small_graph = 16384;
// Expired entries that a search removes on its way.
constexpr std::size_t most_expired = 8;

void scan(Memory memory, const Graph &graph, const Query &query,
          const Partition &partition, Id first, Beam &beam) noexcept {
    // Far enough ahead for memory to be there in time.
    constexpr std::uint32_t ahead = 6;
    if (partition.listed == 0) {
        return;
    }
    for (Id id = first; id != none; id = memory.block(id).next) {
        const Id *ids = memory.listed(id);
        std::uint32_t count = memory.block(id).count;
        for (std::uint32_t i = 0; i < std::min(ahead, count); ++i) {
            memory.prefetch_row(ids[i]);
        }
        for (std::uint32_t i = 0; i < count; ++i) {
            if (i + ahead < count) {
                memory.prefetch_row(ids[i + ahead]);
            }
            beam.add(graph.similarity(query, ids[i]), ids[i]);
        }
    }
}

float exact_similarity(Memory memory, const vector::Kernels &kernels,
                       Id id, const float *unit) noexcept {
    float sum = 0;
    memory.visit_payload(id, 0, memory.floats_size(memory.entry(id)),
                         [&](const char *piece, std::size_t size) {
                             std::size_t count = size / sizeof(float);
                             sum += kernels.dot_f32(
                                 unit, reinterpret_cast<const float *>(piece),
                                 count);
                             unit += count;
                         });
    return sum;
}

}  // namespace

std::size_t Zone::search(const ZoneKey &partition_key,
                         std::span<const float> vector, std::int64_t now,
                         const SearchOptions &options, ZoneScratch &scratch,
                         std::span<Candidate> out) noexcept {
    auto *space = scratch.space_.get();
    if (space == nullptr || vector.empty()
        || !space->visited.fits(cells_ + 1)
        || vector.size() != options_.dimensions
        || !vector::normalise(vector, {space->unit, vector.size()}))
    {
        return 0;
    }
    std::span<std::int8_t> row(space->row, vector::row_size(vector.size()));
    Query query{row.data(),
                vector::quantise({space->unit, vector.size()}, row)};

    Call call(*this);
    if (!call) {
        return 0;
    }
    Memory memory = call.memory();
    Store store(memory, *kernels_);
    ++memory.stats().searches;
    Id id = store.find_partition(partition_key);
    if (id == none) {
        return 0;
    }

    auto &partition = memory.partition(id);
    Graph graph = store.graph(partition);
    auto &beam = space->beam;
    std::size_t checked = std::max(out.size(), least_checked);
    std::uint32_t effort = options_.search_effort;
    if (partition.linked <= small_graph) {
        effort /= 2;
    }
    auto capacity = static_cast<std::uint32_t>(
        std::max<std::size_t>(checked + most_expired, effort));
    beam.start(capacity);
    if (partition.linked > 0) {
        graph.search(query, capacity, *space);
    }
    scan(memory, graph, query, partition, id, beam);

    // The nearest that are still there, by their exact similarity.
    Id expired[most_expired];
    std::size_t expired_count = 0;
    std::size_t count = 0;
    for (const auto &near : beam.items()) {
        const auto &entry = memory.entry(near.id);
        if (entry.kept_until <= now) {
            if (expired_count < most_expired) {
                expired[expired_count++] = near.id;
            }
            continue;
        }
        bool stale = entry.expires <= now;
        if (stale && !options.stale) {
            continue;
        }
        if (checked-- == 0) {
            break;
        }
        float similarity =
            options_.exact_vectors
                ? exact_similarity(memory, *kernels_, near.id, space->unit)
                : near.similarity;
        // Rounding may add to what is equal.
        similarity = std::clamp(similarity, -1.0f, 1.0f);
        if (similarity < options.min_similarity) {
            continue;
        }
        std::size_t place = std::min(count, out.size());
        while (place > 0 && out[place - 1].similarity < similarity) {
            --place;
        }
        if (place == out.size()) {
            continue;
        }
        count = std::min(count + 1, out.size());
        for (std::size_t i = count - 1; i > place; --i) {
            out[i] = out[i - 1];
        }
        out[place] = {entry.key, similarity,
                      stale ? Match::stale : Match::fresh, entry.created,
                      entry.expires};
    }

    memory.stats().searches_found += count != 0;
    if (expired_count != 0) {
        call.write();
        for (std::size_t i = 0; i < expired_count; ++i) {
            store.remove(expired[i]);
        }
        memory.stats().expirations += expired_count;
    }
    return count;
}

}  // namespace llm::cache
