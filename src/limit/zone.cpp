#include "llm/limit_zone.hpp"

#include <algorithm>

#include "cache/sha256.hpp"
#include "limit/table.hpp"

namespace llm::limit {

namespace {

using States = Table<State>;
using Sketches = Table<UsageSketch>;

constexpr std::uint64_t sketch_purpose = 1;
// Keys that a new one takes off the end, if they have nothing to lose.
constexpr std::size_t sweep_steps = 2;

std::uint64_t unsigned_of(std::int64_t amount) noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(amount, 0));
}

// What another key than that of the limit amounts to: its rate may differ, and
// how a bucket drains depends on that.
Usage usage_of_other(const Limit &limit, const State &state,
                     std::int64_t now) noexcept {
    Limit its = limit;
    if (limit.window == Window::bucket) {
        its.budget = state.bucket.rate;
    }
    return usage(its, state, now);
}

// Frees one cell of a full zone.
void evict(States &table, const Limit &limit, std::int64_t now) noexcept {
    States::Id chosen = table.header().oldest;
    std::int64_t least = -1;
    auto id = chosen;
    for (std::size_t i = 0; i < eviction_choice && id != States::none;
         ++i, id = table.cell(id).newer)
    {
        auto found = usage_of_other(limit, table.cell(id).value, now);
        std::int64_t used = std::max(found.used, found.held);
        if (least < 0 || used < least) {
            least = used;
            chosen = id;
        }
        if (used == 0) {
            break;
        }
    }
    table.remove(chosen);
    auto &counts = table.counts();
    ++counts.evictions;
    counts.forgotten += least > 0;
    counts.given_back += unsigned_of(least);
}

std::size_t sweep_oldest(States &table, const Limit &limit, std::int64_t now,
                         std::size_t count) noexcept {
    std::size_t removed = 0;
    auto id = table.header().oldest;
    for (std::size_t i = 0; i < count && id != States::none; ++i) {
        auto newer = table.cell(id).newer;
        if (usage_of_other(limit, table.cell(id).value, now).idle()) {
            table.remove(id);
            ++removed;
        }
        id = newer;
    }
    return removed;
}

// The key's cell, which may be new.
States::Id take(States &table, const Key &key, const Limit &limit,
                std::int64_t now) noexcept {
    (void)sweep_oldest(table, limit, now, sweep_steps);
    if (table.full()) {
        evict(table, limit, now);
    }
    auto id = table.insert(key);
    table.cell(id).value.birth =
        static_cast<std::int64_t>(table.cell(id).birth);
    return id;
}

}  // namespace

Key key_of(std::string_view text) {
    return KeyMaker().make(text);
}

KeyMaker::KeyMaker() : hash_(std::make_unique<cache::Sha256>()) {}

KeyMaker::~KeyMaker() = default;

Key KeyMaker::make(std::string_view text) {
    hash_->update(text);
    auto digest = hash_->finish();
    Key key;
    std::copy_n(digest.bytes.begin(), key.size(), key.begin());
    return key;
}

std::string_view describe(ZoneStatus status) noexcept {
    switch (status) {
    case ZoneStatus::ok:
        return "ok";
    case ZoneStatus::too_small:
        return "zone is too small";
    case ZoneStatus::not_a_zone:
        return "memory was not formatted";
    case ZoneStatus::other_version:
        return "zone was made by another version";
    case ZoneStatus::other_shape:
        return "zone has another size or purpose";
    }
    return "unknown";
}

ZoneStatus LimitZone::format(std::span<std::byte> memory,
                             std::uint64_t purpose) noexcept {
    return States::format(memory, purpose);
}

ZoneStatus LimitZone::attach(std::span<std::byte> memory,
                             std::uint64_t purpose,
                             LimitZone *zone) noexcept {
    return States::attach(memory, purpose, &zone->base_, &zone->shape_);
}

Decision LimitZone::reserve(const Key &key, const Limit &limit,
                            std::int64_t now, std::int64_t amount,
                            Reservation *reservation) noexcept {
    States::Call call(base_, shape_);
    if (!call) {
        State none;
        return limit::reserve(limit, none, now, amount, reservation);
    }
    auto table = call.table();
    auto id = table.find(key);
    State state;
    if (id != States::none) {
        state = table.cell(id).value;
    }
    auto decision = limit::reserve(limit, state, now, amount, reservation);
    auto &counts = table.counts();
    if (!decision.granted()) {
        ++(decision.outcome == Outcome::refused ? counts.refused
                                                : counts.too_large);
        if (id != States::none) {
            // The clock may have been put back in it.
            table.note_change(id);
            table.cell(id).value = state;
            table.touch(id);
        }
        return decision;
    }
    if (id == States::none) {
        id = take(table, key, limit, now);
        state.birth = table.cell(id).value.birth;
        reservation->birth = state.birth;
    } else {
        table.note_change(id);
        table.touch(id);
    }
    table.cell(id).value = state;
    ++counts.granted;
    return decision;
}

void LimitZone::settle(const Key &key, const Limit &limit, std::int64_t now,
                       const Reservation &reservation,
                       std::int64_t actual) noexcept {
    States::Call call(base_, shape_);
    if (!call) {
        return;
    }
    auto table = call.table();
    auto id = table.find(key);
    State state;
    if (id != States::none) {
        state = table.cell(id).value;
    }
    limit::settle(limit, state, now, reservation, actual);
    if (id != States::none) {
        table.note_change(id);
        table.cell(id).value = state;
    } else if (!limit::usage(limit, state, now).idle()) {
        id = take(table, key, limit, now);
        state.birth = table.cell(id).value.birth;
        table.cell(id).value = state;
    }
    auto &counts = table.counts();
    ++counts.reservations;
    counts.settled += unsigned_of(std::min(actual, max_amount));
}

void LimitZone::renew(const Key &key, const Limit &limit, std::int64_t now,
                      Reservation *reservation) noexcept {
    States::Call call(base_, shape_);
    if (!call) {
        return;
    }
    auto table = call.table();
    auto id = table.find(key);
    State state;
    if (id != States::none) {
        state = table.cell(id).value;
    }
    limit::renew(limit, state, now, reservation);
    if (id != States::none) {
        table.note_change(id);
        table.cell(id).value = state;
    } else if (!limit::usage(limit, state, now).idle()) {
        id = take(table, key, limit, now);
        state.birth = table.cell(id).value.birth;
        reservation->birth = state.birth;
        table.cell(id).value = state;
    }
}

Usage LimitZone::usage(const Key &key, const Limit &limit,
                       std::int64_t now) noexcept {
    States::Call call(base_, shape_);
    if (!call) {
        return {};
    }
    auto table = call.table();
    auto id = table.find(key);
    return id == States::none
               ? Usage{}
               : limit::usage(limit, table.cell(id).value, now);
}

bool LimitZone::remove(const Key &key) noexcept {
    States::Call call(base_, shape_);
    if (!call) {
        return false;
    }
    auto table = call.table();
    auto id = table.find(key);
    if (id == States::none) {
        return false;
    }
    table.remove(id);
    return true;
}

std::size_t LimitZone::sweep(const Limit &limit, std::int64_t now,
                             std::size_t count) noexcept {
    States::Call call(base_, shape_);
    if (!call) {
        return 0;
    }
    auto table = call.table();
    return sweep_oldest(table, limit, now, count);
}

ZoneCounts LimitZone::counts() const noexcept {
    States::Call call(base_, shape_);
    return call ? call.table().counts() : ZoneCounts{};
}

const char *LimitZone::check() const noexcept {
    States::Call call(base_, shape_);
    return call ? call.table().check() : "not attached";
}

ZoneStatus SketchZone::format(std::span<std::byte> memory) noexcept {
    return Sketches::format(memory, sketch_purpose);
}

ZoneStatus SketchZone::attach(std::span<std::byte> memory,
                              SketchZone *zone) noexcept {
    return Sketches::attach(memory, sketch_purpose, &zone->base_,
                            &zone->shape_);
}

void SketchZone::add(const Key &key, std::int64_t tokens) noexcept {
    Sketches::Call call(base_, shape_);
    if (!call) {
        return;
    }
    auto table = call.table();
    auto id = table.find(key);
    if (id == Sketches::none) {
        if (table.full()) {
            table.remove(table.header().oldest);
            ++table.counts().evictions;
        }
        id = table.insert(key);
    } else {
        table.note_change(id);
        table.touch(id);
    }
    table.cell(id).value.add(tokens);
}

UsageSketch SketchZone::get(const Key &key) noexcept {
    Sketches::Call call(base_, shape_);
    if (!call) {
        return {};
    }
    auto table = call.table();
    auto id = table.find(key);
    return id == Sketches::none ? UsageSketch{} : table.cell(id).value;
}

ZoneCounts SketchZone::counts() const noexcept {
    Sketches::Call call(base_, shape_);
    return call ? call.table().counts() : ZoneCounts{};
}

const char *SketchZone::check() const noexcept {
    Sketches::Call call(base_, shape_);
    return call ? call.table().check() : "not attached";
}

}  // namespace llm::limit
