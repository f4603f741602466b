#include "limit/table.hpp"
#include "llm/limit_share.hpp"

namespace llm::limit {

namespace {

using Shares = Table<Share>;

constexpr std::uint64_t share_purpose = 2;

}  // namespace

ZoneStatus ShareZone::format(std::span<std::byte> memory) noexcept {
    return Shares::format(memory, share_purpose);
}

ZoneStatus ShareZone::attach(std::span<std::byte> memory,
                             ShareZone *zone) noexcept {
    return Shares::attach(memory, share_purpose, &zone->base_, &zone->shape_);
}

Share ShareZone::get(const Key &key) noexcept {
    Shares::Call call(base_, shape_);
    if (!call) {
        return {};
    }
    auto table = call.table();
    auto id = table.find(key);
    return id == Shares::none ? Share{} : table.cell(id).value;
}

bool ShareZone::set(const Key &key, const Share &share) noexcept {
    Shares::Call call(base_, shape_);
    if (!call) {
        return false;
    }
    auto table = call.table();
    auto id = table.find(key);
    if (id == Shares::none) {
        if (table.full()) {
            auto oldest = table.header().oldest;
            if (table.cell(oldest).value.left > 0) {
                return false;
            }
            table.remove(oldest);
            ++table.counts().evictions;
        }
        id = table.insert(key);
    } else {
        table.note_change(id);
        table.touch(id);
    }
    table.cell(id).value = share;
    return true;
}

void ShareZone::remove(const Key &key) noexcept {
    Shares::Call call(base_, shape_);
    if (!call) {
        return;
    }
    auto table = call.table();
    if (auto id = table.find(key); id != Shares::none) {
        table.remove(id);
    }
}

bool ShareZone::oldest(Key *key, Share *share) noexcept {
    Shares::Call call(base_, shape_);
    if (!call) {
        return false;
    }
    auto table = call.table();
    auto id = table.header().oldest;
    if (id == Shares::none) {
        return false;
    }
    *key = table.cell(id).key;
    *share = table.cell(id).value;
    return true;
}

ZoneCounts ShareZone::counts() const noexcept {
    Shares::Call call(base_, shape_);
    return call ? call.table().counts() : ZoneCounts{};
}

const char *ShareZone::check() const noexcept {
    Shares::Call call(base_, shape_);
    return call ? call.table().check() : "not attached";
}

}  // namespace llm::limit
