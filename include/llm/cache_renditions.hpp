// Answers of cached entries as they went out, so that an entry that is asked
// for again and again need not be read and written anew each time.
//
// It is a memo and no cache of its own: the entry itself still comes from the
// zone (or from Redis), which alone says whether there is one and whether it
// may be used. What is kept here answers only where the entry is, byte for
// byte, the one that it was made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llm/cache_entry.hpp"
#include "llm/cache_zone.hpp"
#include "llm/exchange.hpp"

namespace llm::cache {

class Renditions {
public:
    struct Known {
        std::string value;          // the entry's JSON
        EntryHead head;             // its times only
        std::string question;
        Rendition rendition;
    };

    // How many answers are kept, and how large one may be: the bytes of the
    // entry and of the answer together.
    Renditions(std::size_t slots, std::size_t max_size)
        : slots_(slots), max_size_(max_size) {}

    // What is known of the entry; nullptr: nothing. Valid until offer().
    const Known *find(const ZoneKey &key, std::string_view value,
                      bool stream) noexcept;

    // The exchange has just been given the answer of this entry, for which
    // nothing was found that fits. Takes a place only if it was offered last
    // time, too, and nothing was found there since: so entries that are
    // rarely used cost little and do not drive out the others. An entry that
    // has its place gets the new answer. Throws std::bad_alloc.
    void offer(const ZoneKey &key, std::string_view value,
               const EntryHead &head, const Exchange &exchange);

private:
    struct Slot {
        Known known;
        std::uint64_t offered = 0;  // a part of the key
    };

    Slot &slot_of(const ZoneKey &key, bool stream) noexcept;

    std::vector<Slot> slots_;
    std::size_t max_size_;
};

}  // namespace llm::cache
