#include "llm/cache_zone.hpp"

#include <algorithm>
#include <new>

#include "cache/zone_call.hpp"
#include "cache/zone_space.hpp"
#include "cache/zone_store.hpp"
#include "text/hash.hpp"

namespace llm::cache {

namespace {

using namespace zone;

constexpr std::uint64_t magic = 0x656e6f7a6d6c6c01;
constexpr std::uint32_t version = 1;

// Vectors that a put() moves to a graph: more than one, so that the list that
// a partition had before gets shorter.
constexpr unsigned graph_steps = 3;
// Cells that a put() looks at for expired entries, and members of purged
// partitions that it removes.
constexpr std::size_t sweep_steps = 8;
constexpr std::size_t collect_steps = 16;

std::span<std::byte> aligned(std::span<std::byte> memory) noexcept {
    auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    std::size_t skip = (line - address % line) % line;
    if (memory.data() == nullptr || memory.size() < skip) {
        return {};
    }
    memory = memory.subspan(skip);
    return memory.first(memory.size() / line * line);
}

std::uint64_t shape_of(std::uint64_t size, const ZoneOptions &options,
                       const Geometry &geometry) noexcept {
    std::uint64_t values[] = {
        version, size, options.dimensions, options.exact_vectors,
        geometry.cell_size, geometry.cells, geometry.buckets,
        geometry.ticket_sets};
    return fnv1a({reinterpret_cast<const char *>(values), sizeof(values)});
}

// Cells that an entry can need beside those of its value: its own, its
// partition's, one of the partition's list, and those of the graph.
constexpr std::size_t other_cells = 3 + graph_steps;

std::size_t most_payload(std::uint32_t cells, std::size_t chunk) noexcept {
    return cells / 4 * chunk;
}

}  // namespace

std::string_view describe(ZoneStatus status) noexcept {
    switch (status) {
    case ZoneStatus::ok:
        return "ok";
    case ZoneStatus::too_small:
        return "zone is too small";
    case ZoneStatus::too_large:
        return "zone is too large";
    case ZoneStatus::bad_options:
        return "too many dimensions";
    case ZoneStatus::not_a_zone:
        return "memory was not formatted";
    case ZoneStatus::other_version:
        return "zone was made by another version";
    case ZoneStatus::other_shape:
        return "zone has another size, or other vectors";
    }
    return "unknown";
}

ZoneStatus Zone::format(std::span<std::byte> memory,
                        const ZoneOptions &options) noexcept {
    memory = aligned(memory);
    Geometry geometry;
    if (auto status = plan(memory.size(), options, &geometry);
        status != ZoneStatus::ok)
    {
        return status;
    }

    // Without the magic while it is neither the old nor the new one.
    auto *header = new (memory.data()) Header{};
    std::atomic_thread_fence(std::memory_order_seq_cst);
    header->version = version;
    header->dimensions = options.dimensions;
    header->size = memory.size();
    header->exact_vectors = options.exact_vectors;
    header->cell_size = static_cast<std::uint32_t>(geometry.cell_size);
    header->cells = geometry.cells;
    header->buckets = geometry.buckets;
    header->ticket_sets = geometry.ticket_sets;
    Memory(memory.data()).clear();
    header->shape = shape_of(memory.size(), options, geometry);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    header->magic = magic;
    return ZoneStatus::ok;
}

ZoneStatus Zone::attach(std::span<std::byte> memory,
                        const ZoneOptions &options, Zone *zone) noexcept {
    memory = aligned(memory);
    Geometry geometry;
    if (auto status = plan(memory.size(), options, &geometry);
        status != ZoneStatus::ok)
    {
        return status;
    }
    const auto *header = reinterpret_cast<const Header *>(memory.data());
    if (header->magic != magic) {
        return ZoneStatus::not_a_zone;
    }
    if (header->version != version) {
        return ZoneStatus::other_version;
    }
    std::uint64_t shape = shape_of(memory.size(), options, geometry);
    if (header->shape != shape || header->size != memory.size()
        || header->dimensions != options.dimensions
        || header->exact_vectors != options.exact_vectors
        || header->cell_size != geometry.cell_size
        || header->cells != geometry.cells
        || header->buckets != geometry.buckets
        || header->ticket_sets != geometry.ticket_sets)
    {
        return ZoneStatus::other_shape;
    }

    zone->base_ = memory.data();
    zone->shape_ = shape;
    zone->cells_ = geometry.cells;
    zone->options_ = options;
    zone->kernels_ = &vector::kernels();
    Call call(*zone);
    return ZoneStatus::ok;
}

std::size_t Zone::max_value() const noexcept {
    if (base_ == nullptr) {
        return 0;
    }
    std::size_t floats = options_.exact_vectors
                             ? options_.dimensions * sizeof(float)
                             : 0;
    std::size_t most = most_payload(
        cells_, zone::cell_size(options_.dimensions) - sizeof(Chunk));
    most = most < floats ? 0 : most - floats;
    most = std::min<std::size_t>(most, UINT32_MAX);
    return options_.max_value != 0 ? std::min(options_.max_value, most) : most;
}

Found Zone::get(const ZoneKey &key, std::int64_t now, std::span<char> out,
                Access access, std::int64_t refresh_lease) noexcept {
    Found found;
    Call call(*this);
    if (!call) {
        return found;
    }
    Memory memory = call.memory();
    Store store(memory, *kernels_);
    auto &counters = memory.stats();
    bool looks = access == Access::peek;

    Id id = store.find(key);
    if (id != none && memory.entry(id).kept_until <= now) {
        if (!looks) {
            call.write();
            store.remove(id);
            ++counters.expirations;
        }
        id = none;
    }
    if (id == none) {
        counters.misses += access == Access::exact;
        return found;
    }

    auto &entry = memory.entry(id);
    found.match = entry.expires <= now ? Match::stale : Match::fresh;
    found.size = entry.size;
    found.created = entry.created;
    found.expires = entry.expires;
    found.kept_until = entry.kept_until;
    found.uses = entry.uses;
    if (entry.size > out.size()) {
        return found;
    }
    char *end = out.data();
    memory.visit_payload(id, memory.floats_size(entry), entry.size,
                         [&](const char *piece, std::size_t size) {
                             std::memcpy(end, piece, size);
                             end += size;
                         });
    found.copied = true;
    if (looks) {
        return found;
    }

    call.write();
    store.touch(id);
    found.uses = ++entry.uses;
    if (found.match == Match::stale) {
        ++counters.stale_hits;
        if (refresh_lease > 0 && entry.refreshed_until <= now) {
            entry.refreshed_until = now + refresh_lease;
            found.refresh = true;
        }
    } else {
        ++(access == Access::exact ? counters.hits : counters.semantic_hits);
    }
    return found;
}

Stored Zone::put(const NewEntry &entry, std::int64_t now,
                 ZoneScratch &scratch) noexcept {
    bool has_vector = !entry.vector.empty();
    auto *space = scratch.space_.get();

    if (entry.ttl <= 0) {
        return Stored::expired;
    }
    if (entry.value.size() > max_value()) {
        return base_ == nullptr ? Stored::detached : Stored::too_large;
    }
    if (has_vector
        && (entry.partition == nullptr || space == nullptr
            || !space->visited.fits(cells_ + 1)
            || entry.vector.size() != options_.dimensions
            || !vector::normalise(entry.vector,
                                  {space->unit, options_.dimensions})))
    {
        return Stored::bad_vector;
    }

    Call call(*this);
    if (!call) {
        return Stored::detached;
    }
    Memory memory = call.memory();
    Store store(memory, *kernels_);
    std::size_t floats = has_vector && options_.exact_vectors
                             ? entry.vector.size_bytes()
                             : 0;

    call.write();
    (void) store.remove(entry.key);
    store.collect(collect_steps);
    (void) store.sweep(now, sweep_steps);
    store.make_room(
        memory.chunks_for(has_vector, floats + entry.value.size())
        + other_cells);

    Id id = store.add(entry.key);
    auto &stored = memory.entry(id);
    stored.has_vector = has_vector;
    stored.created = now;
    stored.expires = now + entry.ttl;
    stored.kept_until = stored.expires
                        + std::max<std::int64_t>(entry.stale_for, 0);
    stored.size = static_cast<std::uint32_t>(entry.value.size());

    memory.take_chunks(id);
    auto copy_in = [&](std::size_t offset, const void *data,
                       std::size_t size) {
        const char *begin = static_cast<const char *>(data);
        memory.visit_payload(id, offset, size,
                             [&](char *piece, std::size_t part) {
                                 std::memcpy(piece, begin, part);
                                 begin += part;
                             });
    };
    copy_in(0, has_vector ? space->unit : nullptr, floats);
    copy_in(floats, entry.value.data(), entry.value.size());

    auto &counters = memory.stats();
    counters.value_bytes += entry.value.size();
    ++counters.stores;
    if (entry.partition != nullptr) {
        store.join(id, *entry.partition);
    }
    if (has_vector) {
        stored.scale = vector::quantise({space->unit, entry.vector.size()},
                                        {memory.row(id), memory.row_size()});
        ++counters.vectors;
        store.list(id);
        store.grow_graph(memory.partition(stored.partition), graph_steps,
                         options_, *space);
    }
    return Stored::stored;
}

bool Zone::remove(const ZoneKey &key) noexcept {
    Call call(*this);
    if (!call) {
        return false;
    }
    call.write();
    bool removed = Store(call.memory(), *kernels_).remove(key);
    call.memory().stats().removals += removed;
    return removed;
}

std::size_t Zone::purge_partition(const ZoneKey &partition) noexcept {
    Call call(*this);
    if (!call) {
        return 0;
    }
    Store store(call.memory(), *kernels_);
    Id id = store.find_partition(partition);
    if (id == none) {
        return 0;
    }
    call.write();
    std::size_t count = store.purge(id);
    call.memory().stats().removals += count;
    return count;
}

void Zone::purge_all() noexcept {
    Call call(*this);
    if (call) {
        call.write();
        call.memory().stats().removals += call.memory().stats().entries;
        call.memory().clear();
    }
}

std::size_t Zone::sweep(std::int64_t now, std::size_t cells) noexcept {
    Call call(*this);
    if (!call) {
        return 0;
    }
    Store store(call.memory(), *kernels_);
    call.write();
    store.collect(cells);
    return store.sweep(now, cells);
}

ZoneStats Zone::stats() noexcept {
    Call call(*this);
    if (!call) {
        return {};
    }
    Memory memory = call.memory();
    ZoneStats stats = memory.stats();
    stats.total_bytes = std::uint64_t{cells_} * memory.cell_size();
    stats.used_bytes = stats.total_bytes
                       - memory.state().free_cells * memory.cell_size();
    return stats;
}

ZoneScratch::ZoneScratch() noexcept = default;
ZoneScratch::ZoneScratch(ZoneScratch &&) noexcept = default;
ZoneScratch &ZoneScratch::operator=(ZoneScratch &&) noexcept = default;
ZoneScratch::~ZoneScratch() = default;

bool ZoneScratch::prepare(const Zone &zone) noexcept {
    if (!space_) {
        space_.reset(new (std::nothrow) Space);
    }
    return space_ && space_->visited.fit(zone.cells() + 1);
}

}  // namespace llm::cache
