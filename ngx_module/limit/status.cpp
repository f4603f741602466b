#include "limit/status.hpp"

#include <span>
#include <vector>

#include "limit/zone.hpp"

namespace {

using llm::metrics::Kind;
using Counts = ngx_http_llm_limit_counts_t;
using KeyCounts = llm::limit::ZoneCounts;
using Zone = ngx_http_llm_limit_zone_t;

// What is known of a zone at one moment.
struct State {
    Counts counts;
    KeyCounts keys;
};

State state_of(Zone *zone) noexcept {
    ngx_http_llm_limit_locked_t locked(zone);
    return {locked.counts(), locked->counts()};
}

struct Row {
    std::string_view member;    // in the JSON
    std::string_view family;    // in the metrics
    Kind kind;
    std::string_view help;
    std::uint64_t (*value)(const State &state);
};

constexpr Row rows[] = {
    {"passed", "llm_limit_passed_total", Kind::counter,
     "Calls within their limit.",
     [](const State &state) { return state.counts.passed; }},
    {"delayed", "llm_limit_delayed_total", Kind::counter,
     "Calls that waited for their limit.",
     [](const State &state) { return state.counts.delayed; }},
    {"rejected", "llm_limit_rejected_total", Kind::counter,
     "Calls above their limit.",
     [](const State &state) { return state.counts.rejected; }},
    {"delayed_dry_run", "llm_limit_delayed_dry_run_total", Kind::counter,
     "Calls that would have waited.",
     [](const State &state) { return state.counts.delayed_dry_run; }},
    {"rejected_dry_run", "llm_limit_rejected_dry_run_total", Kind::counter,
     "Calls that would have been rejected.",
     [](const State &state) { return state.counts.rejected_dry_run; }},
    {"from_share", "llm_limit_from_share_total", Kind::counter,
     "Reservations that waited for no call to Redis (\"sync\").",
     [](const State &state) { return state.counts.from_share; }},
    {"used", "llm_limit_used_total", Kind::counter,
     "What calls have used of what the zone counts.",
     [](const State &state) { return state.counts.used; }},
    {"keys", "llm_limit_keys", Kind::gauge, "Keys in memory.",
     [](const State &state) { return state.keys.keys; }},
    {"capacity", "llm_limit_keys_capacity", Kind::gauge,
     "Keys that there is memory for.",
     [](const State &state) { return state.keys.capacity; }},
    {"evictions", "llm_limit_evictions_total", Kind::counter,
     "Keys that made room for others.",
     [](const State &state) { return state.keys.evictions; }},
    {"forgotten", "llm_limit_forgotten_total", Kind::counter,
     "Of them: had used something, and began anew.",
     [](const State &state) { return state.keys.forgotten; }},
    {"repairs", "llm_limit_repairs_total", Kind::counter,
     "Times that the memory was repaired since a worker died in it.",
     [](const State &state) { return state.keys.repairs; }},
};

std::span<Zone *> zones_of(ngx_http_llm_main_conf_t *mcf) {
    return {static_cast<Zone **>(mcf->limit_zones.elts),
            mcf->limit_zones.nelts};
}

}  // namespace

void ngx_http_llm_limit_write_status(ngx_http_llm_main_conf_t *mcf,
                                     llm::json::Writer &json) {
    json.key("limits").begin_object();
    for (auto zone : zones_of(mcf)) {
        State state = state_of(zone);
        json.key(to_view(zone->name)).begin_object();
        for (const auto &row : rows) {
            json.member(row.member,
                        static_cast<std::int64_t>(row.value(state)));
        }
        json.end_object();
    }
    json.end_object();
}

void ngx_http_llm_limit_write_metrics(ngx_http_llm_main_conf_t *mcf,
                                      llm::metrics::Exposition &exposition) {
    auto zones = zones_of(mcf);
    std::vector<State> states;
    for (auto zone : zones) {
        states.push_back(state_of(zone));
    }
    for (const auto &row : rows) {
        exposition.family(row.family, row.kind, row.help);
        for (size_t i = 0; i < zones.size(); ++i) {
            exposition.sample({{"zone", to_view(zones[i]->name)}},
                              row.value(states[i]));
        }
    }
}
