#include "cache/zone_graph.hpp"

#include <bit>

namespace llm::cache::zone {

namespace {

// One that has no more links than this does not lose one for being far away:
// it might not be found again.
constexpr unsigned few_links(unsigned level) noexcept {
    return level == 0 ? 6 : 3;
}

}  // namespace

unsigned Graph::level_of(const ZoneKey &key) noexcept {
    // Not the part of the key that the tables use.
    std::uint64_t bits;
    std::memcpy(&bits, key.data() + sizeof(bits), sizeof(bits));
    static_assert(upper_links == 16);
    return std::min<unsigned>(
        static_cast<unsigned>(std::countr_zero(bits)) / 4, Upper::max_level);
}

void Graph::explore(const Query &query, unsigned level,
                    ZoneScratch::Space &space) const noexcept {
    auto &beam = space.beam;
    space.visited.clear();
    for (const auto &near : beam.items()) {
        (void) space.visited.set(near.id);
    }

    while (Near *near = beam.expand()) {
        Links links = memory_.links(near->id, level);
        Id fresh[base_links];
        unsigned count = 0;
        for (unsigned i = 0; i < *links.degree; ++i) {
            if (space.visited.set(links.ids[i])) {
                fresh[count++] = links.ids[i];
                memory_.prefetch_row(links.ids[i]);
            }
        }
        for (unsigned i = 0; i < count; ++i) {
            beam.add(similarity(query, fresh[i]), fresh[i]);
        }
    }
}

void Graph::descend(const Query &query, unsigned level,
                    ZoneScratch::Space &space) const noexcept {
    auto &beam = space.beam;
    beam.start(1);
    Id start = partition_.entry_point;
    beam.add(similarity(query, start), start);
    for (unsigned at = partition_.top; at > level; --at) {
        beam.restart(1);
        explore(query, at, space);
    }
}

void Graph::search(const Query &query, std::uint32_t effort,
                   ZoneScratch::Space &space) const noexcept {
    descend(query, 0, space);
    space.beam.restart(effort);
    explore(query, 0, space);
}

void Graph::insert(Id id, std::uint32_t effort,
                   ZoneScratch::Space &space) noexcept {
    auto &entry = memory_.entry(id);
    unsigned level = entry.level;
    entry.in_graph = true;
    for (unsigned at = 0; at <= level; ++at) {
        *memory_.links(id, at).degree = 0;
    }
    ++memory_.stats().graph_vectors;
    if (partition_.linked++ == 0) {
        partition_.entry_point = id;
        partition_.top = static_cast<std::uint8_t>(level);
        return;
    }

    Query own = query(id);
    descend(own, level, space);
    for (unsigned at = std::min<unsigned>(level, partition_.top) + 1;
         at-- > 0;)
    {
        space.beam.restart(effort);
        explore(own, at, space);
        connect(id, at, space.beam.items());
    }
    if (level > partition_.top) {
        partition_.entry_point = id;
        partition_.top = static_cast<std::uint8_t>(level);
    }
}

void Graph::link(Id a, Id b, unsigned level) noexcept {
    memory_.links(a, level).add(b);
    memory_.links(b, level).add(a);
}

// Links to the nearest, but to one direction once: not to those that are
// nearer to one that is linked. Then to some of those, if there are too few.
void Graph::connect(Id id, unsigned level,
                    std::span<const Near> near) noexcept {
    constexpr unsigned most = upper_links;
    Id chosen[most];
    unsigned count = 0;
    Near passed[most];
    unsigned passed_count = 0;

    auto try_link = [&](const Near &other) {
        if (memory_.links(other.id, level).full()
            && !make_room(other.id, id, other.similarity, level))
        {
            return;
        }
        link(id, other.id, level);
        chosen[count++] = other.id;
    };

    for (const auto &candidate : near) {
        if (count == most) {
            break;
        }
        Query own = query(candidate.id);
        bool nearer = false;
        for (unsigned i = 0; i < count && !nearer; ++i) {
            nearer = similarity(own, chosen[i]) >= candidate.similarity;
        }
        if (!nearer) {
            try_link(candidate);
        } else if (passed_count < most) {
            passed[passed_count++] = candidate;
        }
    }
    for (unsigned i = 0; i < passed_count && count < few_links(level) + 2;
         ++i)
    {
        try_link(passed[i]);
    }
}

// A full entry is about to get another link: it drops those that are nearer
// to one that it keeps than to itself, or one, if there are none of that
// kind. False: it would be the new one.
bool Graph::make_room(Id id, Id other, float similarity_to_other,
                      unsigned level) noexcept {
    Links links = memory_.links(id, level);
    Near all[base_links + 1];
    unsigned count = 0;
    auto insert = [&](float similarity, Id each) {
        unsigned place = count++;
        for (; place > 0 && all[place - 1].similarity < similarity; --place) {
            all[place] = all[place - 1];
        }
        all[place] = {similarity, each, false};
    };
    Query own = query(id);
    insert(similarity_to_other, other);
    for (unsigned i = 0; i < *links.degree; ++i) {
        memory_.prefetch_row(links.ids[i]);
    }
    for (unsigned i = 0; i < *links.degree; ++i) {
        insert(similarity(own, links.ids[i]), links.ids[i]);
    }

    auto drop = [&](Id each) {
        links.remove(each);
        memory_.links(each, level).remove(id);
    };

    bool keeps_other = true;
    Id kept[base_links + 1];
    unsigned kept_count = 0;
    for (unsigned i = 0; i < count; ++i) {
        Query each = query(all[i].id);
        bool nearer = false;
        if (*memory_.links(all[i].id, level).degree > few_links(level)) {
            for (unsigned j = 0; j < kept_count && !nearer; ++j) {
                nearer = similarity(each, kept[j]) >= all[i].similarity;
            }
        }
        if (!nearer) {
            kept[kept_count++] = all[i].id;
        } else if (all[i].id == other) {
            keeps_other = false;
        } else {
            drop(all[i].id);
        }
    }
    if (keeps_other && links.full()) {
        // The one that has most others, the farthest of those.
        Id victim = other;
        unsigned most = 0;
        for (unsigned i = 0; i < kept_count; ++i) {
            unsigned degree = *memory_.links(kept[i], level).degree;
            if (kept[i] != other && degree >= most) {
                victim = kept[i];
                most = degree;
            }
        }
        drop(victim);
    }
    return keeps_other;
}

// Each has just lost a link to the same one: it gets one to the nearest of
// the others that it is not linked to.
void Graph::heal(std::span<const Id> ids, unsigned level) noexcept {
    for (Id id : ids) {
        memory_.prefetch_row(id);
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        Links links = memory_.links(ids[i], level);
        if (links.full()) {
            continue;
        }
        Query own = query(ids[i]);
        std::size_t best = ids.size();
        float nearest = 0;
        for (std::size_t j = 0; j < ids.size(); ++j) {
            if (j == i || memory_.links(ids[j], level).full()
                || links.contain(ids[j]))
            {
                continue;
            }
            float near = similarity(own, ids[j]);
            if (best == ids.size() || near > nearest) {
                best = j;
                nearest = near;
            }
        }
        if (best != ids.size()) {
            link(ids[i], ids[best], level);
        }
    }
}

void Graph::remove(Id id) noexcept {
    auto &entry = memory_.entry(id);
    if (partition_.entry_point == id) {
        choose_entry_point(id);
    }
    for (unsigned level = 0; level <= entry.level; ++level) {
        Links links = memory_.links(id, level);
        Id ids[base_links];
        unsigned count = *links.degree;
        std::copy_n(links.ids, count, ids);
        *links.degree = 0;
        for (unsigned i = 0; i < count; ++i) {
            memory_.links(ids[i], level).remove(id);
        }
        heal({ids, count}, level);
    }
    entry.in_graph = false;
    --partition_.linked;
    --memory_.stats().graph_vectors;
}

// Somebody that the leaving one is linked with, as high as possible; if it is
// linked with nobody, anybody.
void Graph::choose_entry_point(Id leaving) noexcept {
    Id best = none;
    for (unsigned level = partition_.top + 1; level-- > 0 && best == none;) {
        Links links = memory_.links(leaving, level);
        for (unsigned i = 0; i < *links.degree; ++i) {
            Id id = links.ids[i];
            if (best == none
                || memory_.entry(id).level > memory_.entry(best).level)
            {
                best = id;
            }
        }
    }
    if (best == none) {
        for (Id id = partition_.members; id != none;
             id = memory_.entry(id).next_member)
        {
            if (id != leaving && memory_.entry(id).in_graph) {
                best = id;
                break;
            }
        }
    }
    partition_.entry_point = best;
    partition_.top = best == none ? 0 : memory_.entry(best).level;
}

}  // namespace llm::cache::zone
