// What a search keeps in mind: the memory behind ZoneScratch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>

#include "cache/zone_layout.hpp"

namespace llm::cache::zone {

struct Near {
    float similarity;
    Id id;
    bool expanded;
};

// The best so far, the nearest first, of at most a number of entries.
class Beam {
public:
    void start(std::uint32_t capacity) noexcept {
        capacity_ = std::clamp<std::uint32_t>(capacity, 1,
                                              ZoneOptions::max_effort);
        size_ = 0;
        next_ = 0;
    }

    // All that is there is to be expanded again, with more room.
    void restart(std::uint32_t capacity) noexcept {
        std::uint32_t size = size_;
        start(capacity);
        size_ = std::min(size, capacity_);
        for (std::uint32_t i = 0; i < size_; ++i) {
            items_[i].expanded = false;
        }
    }

    void add(float similarity, Id id) noexcept {
        if (size_ == capacity_) {
            if (!(similarity > items_[size_ - 1].similarity)) {
                return;
            }
            --size_;
        }
        std::uint32_t place = size_++;
        for (; place > 0 && items_[place - 1].similarity < similarity;
             --place)
        {
            items_[place] = items_[place - 1];
        }
        items_[place] = {similarity, id, false};
        next_ = std::min(next_, place);
    }

    // The nearest that was not expanded; nullptr: none is left.
    Near *expand() noexcept {
        while (next_ < size_ && items_[next_].expanded) {
            ++next_;
        }
        if (next_ == size_) {
            return nullptr;
        }
        items_[next_].expanded = true;
        return &items_[next_];
    }

    std::span<Near> items() noexcept { return {items_, size_}; }

private:
    Near items_[ZoneOptions::max_effort];
    std::uint32_t capacity_ = 1;
    std::uint32_t size_ = 0;
    std::uint32_t next_ = 0;
};

// A bit for each cell. Cleared by what was set, as long as that is little.
class Marks {
public:
    [[nodiscard]] bool fit(std::uint32_t cells) noexcept {
        std::size_t words = cells / 64 + 1;
        if (words <= words_) {
            return true;
        }
        bits_.reset(new (std::nothrow) std::uint64_t[words]());
        words_ = bits_ ? words : 0;
        count_ = 0;
        return bits_ != nullptr;
    }
    bool fits(std::uint32_t cells) const noexcept {
        return cells / 64 + 1 <= words_;
    }

    void clear() noexcept {
        if (count_ <= most) {
            for (std::uint32_t i = 0; i < count_; ++i) {
                bits_[marked_[i]] = 0;
            }
        } else {
            std::fill_n(bits_.get(), words_, 0);
        }
        count_ = 0;
    }

    // False: it was set.
    bool set(Id id) noexcept {
        std::uint64_t bit = std::uint64_t{1} << id % 64;
        std::uint64_t &bits = bits_[id / 64];
        if ((bits & bit) != 0) {
            return false;
        }
        if (count_ < most) {
            marked_[count_] = id / 64;
        }
        count_ += count_ <= most;
        bits |= bit;
        return true;
    }

private:
    static constexpr std::uint32_t most = 4096;

    std::unique_ptr<std::uint64_t[]> bits_;
    std::size_t words_ = 0;
    std::uint32_t count_ = 0;
    std::uint32_t marked_[most];
};

}  // namespace llm::cache::zone

namespace llm::cache {

struct ZoneScratch::Space {
    zone::Marks visited;
    zone::Beam beam;
    float unit[vector::max_dimensions];
    float stored[vector::max_dimensions];
    alignas(zone::line) std::int8_t row[vector::max_dimensions];
};

}  // namespace llm::cache
