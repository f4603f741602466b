#include "llm/cache_renditions.hpp"

#include <cstring>
#include <utility>

namespace llm::cache {

namespace {

// Other bytes than those that choose the place.
std::uint64_t mark_of(const ZoneKey &key) noexcept {
    std::uint64_t mark;
    std::memcpy(&mark, key.data() + sizeof(mark), sizeof(mark));
    return mark;
}

}  // namespace

// A digest is spread evenly. The streams of an entry have a place beside it.
Renditions::Slot &Renditions::slot_of(const ZoneKey &key,
                                      bool stream) noexcept {
    std::uint64_t number;
    std::memcpy(&number, key.data(), sizeof(number));
    return slots_[(number ^ (stream ? 1 : 0)) % slots_.size()];
}

const Renditions::Known *Renditions::find(const ZoneKey &key,
                                          std::string_view value,
                                          bool stream) noexcept {
    Slot &slot = slot_of(key, stream);
    if (value.empty() || slot.known.value != value) {
        return nullptr;
    }
    slot.offered = 0;
    return &slot.known;
}

void Renditions::offer(const ZoneKey &key, std::string_view value,
                       const EntryHead &head, const Exchange &exchange) {
    Slot &slot = slot_of(key, exchange.head().stream);
    std::uint64_t mark = mark_of(key);
    if (std::exchange(slot.offered, mark) != mark
        && slot.known.value != value) {
        return;
    }
    if (value.size() + exchange.output().size() > max_size_) {
        return;
    }
    Known known;
    known.value = value;
    known.head.stored = head.stored;
    known.head.ttl = head.ttl;
    known.question = head.question;
    known.rendition = exchange.rendition();
    slot.known = std::move(known);
}

}  // namespace llm::cache
