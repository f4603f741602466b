// One call of a Zone's member: whether the block is still ours, and the mark
// of those that write.
#pragma once

#include <atomic>

#include "cache/zone_layout.hpp"

namespace llm::cache {

struct Zone::Call {
    // Empties the cache if somebody died while writing.
    explicit Call(const Zone &zone) noexcept
        : base(zone.base_), attached(is_ours(zone)) {
        if (attached && header().busy != 0) {
            memory().clear();
            ++memory().stats().resets;
            mark(0);
        }
    }
    Call(const Call &) = delete;
    Call &operator=(const Call &) = delete;
    ~Call() {
        if (writing) {
            mark(0);
        }
    }

    // False: the block has another shape by now.
    explicit operator bool() const noexcept { return attached; }

    zone::Memory memory() const noexcept { return zone::Memory(base); }

    // To be called before anything but a counter is changed.
    void write() noexcept {
        mark(1);
        writing = true;
    }

private:
    zone::Header &header() const noexcept {
        return *reinterpret_cast<zone::Header *>(base);
    }

    static bool is_ours(const Zone &zone) noexcept {
        return zone.base_ != nullptr
               && reinterpret_cast<zone::Header *>(zone.base_)->shape
                  == zone.shape_;
    }

    // Others see the mark before what it is for and its end after that,
    // wherever the process dies: it is the order of its stores that counts.
    void mark(std::uint32_t busy) noexcept {
        std::atomic_ref<std::uint32_t> mark(header().busy);
        std::atomic_thread_fence(std::memory_order_seq_cst);
        mark.store(busy, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_seq_cst);
    }

    std::byte *base;
    bool attached;
    bool writing = false;
};

}  // namespace llm::cache
