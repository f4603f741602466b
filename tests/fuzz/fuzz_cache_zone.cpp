// Any sequence of calls leaves a zone whole, and what it gives back is what
// was stored. The first bytes say what the zone is like, each group of three
// after them is a call.
#include <cstring>
#include <map>
#include <vector>

#include "fuzz.hpp"
#include "llm/cache_zone.hpp"

using namespace llm;

namespace {

alignas(64) std::byte memory[40 * 1024];

cache::ZoneKey key_of(unsigned name) {
    // Few chains, so that they are long; all levels of a graph.
    cache::ZoneKey key{};
    key[0] = static_cast<std::uint8_t>(name % 4);
    key[8] = static_cast<std::uint8_t>(name % 16 == 0 ? 0 : name);
    key[9] = static_cast<std::uint8_t>(name % 3);
    key[31] = static_cast<std::uint8_t>(name);
    return key;
}

std::vector<float> vector_of(unsigned name, std::size_t dimensions) {
    std::vector<float> vector(dimensions, 0.1f);
    for (std::size_t i = 0; i < dimensions; ++i) {
        vector[i] += static_cast<float>((name >> i % 8 & 1) * (i + 1));
    }
    return vector;
}

class Session {
public:
    Session(std::uint8_t shape, std::uint8_t graph_from) {
        constexpr std::uint32_t dimensions[] = {0, 1, 8, 64, 200};
        options_.dimensions = dimensions[shape % 5];
        options_.exact_vectors = shape & 0x80;
        options_.graph_from = graph_from % 8;
        options_.build_effort = 4;
        fuzz::promise(cache::Zone::format(memory, options_)
                              == cache::ZoneStatus::ok
                          && cache::Zone::attach(memory, options_, &zone_)
                                 == cache::ZoneStatus::ok
                          && scratch_.prepare(zone_),
                      "a zone of this size can be made");
    }

    void call(unsigned what, unsigned name, unsigned how) {
        now_ += how % 4;
        switch (what % 8) {
        case 0: case 1: case 2:
            put(name, how);
            break;
        case 3:
            get(name);
            break;
        case 4:
            search(name, how);
            break;
        case 5:
            (void) zone_.remove(key_of(name));
            stored_.erase(name);
            break;
        case 6:
            (void) zone_.sweep(now_, how);
            break;
        default:
            (void) zone_.purge_partition(key_of(how % 4));
        }
        const char *wrong = zone_.check();
        fuzz::promise(wrong == nullptr, wrong != nullptr ? wrong : "");
    }

private:
    void put(unsigned name, unsigned how) {
        auto partition = key_of(how % 4);
        auto vector = vector_of(name, options_.dimensions);
        std::string value(how % 16 == 15 ? zone_.max_value() : how * 7,
                          static_cast<char>(name));
        cache::NewEntry entry;
        entry.key = key_of(name);
        entry.value = value;
        entry.ttl = 1 + how * 2;
        entry.stale_for = how % 3;
        entry.partition = how % 8 < 7 ? &partition : nullptr;
        if (entry.partition != nullptr && how % 32 < 28) {
            entry.vector = vector;
        }
        fuzz::promise(zone_.put(entry, now_, scratch_)
                          == cache::Stored::stored,
                      "what is not too large is stored");
        stored_[name] = value;
        get(name);
    }

    void get(unsigned name) {
        std::string out(zone_.max_value(), '\0');
        auto found = zone_.get(key_of(name), now_, out);
        if (found.match != cache::Match::miss) {
            out.resize(found.size);
            auto place = stored_.find(name);
            fuzz::promise(place != stored_.end() && place->second == out,
                          "a key has its own value");
        }
    }

    void search(unsigned name, unsigned how) {
        auto vector = vector_of(name, options_.dimensions);
        cache::Candidate out[5];
        std::size_t count = zone_.search(key_of(how % 4), vector, now_,
                                         {.stale = how % 2 != 0}, scratch_,
                                         {out, 1 + how % 5});
        for (std::size_t i = 0; i < count; ++i) {
            fuzz::promise(out[i].similarity <= 1
                              && (i == 0
                                  || out[i].similarity
                                         <= out[i - 1].similarity),
                          "the nearest come first");
            fuzz::promise(zone_.get(out[i].key, now_, {}, cache::Access::peek)
                                  .match
                              == out[i].match,
                          "candidates are there");
        }
    }

    cache::ZoneOptions options_;
    cache::Zone zone_;
    cache::ZoneScratch scratch_;
    std::map<unsigned, std::string> stored_;
    std::int64_t now_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    if (size < 2) {
        return 0;
    }
    Session session(data[0], data[1]);
    for (std::size_t i = 2; i + 3 <= size && i < 3000; i += 3) {
        session.call(data[i], data[i + 1], data[i + 2]);
    }
    return 0;
}
