#include "status/status.hpp"

#include <array>
#include <new>
#include <string>
#include <vector>

#include "account/totals.hpp"
#include "answer.hpp"
#include "cache/zone.hpp"
#include "limit/status.hpp"
#include "llm/json.hpp"
#include "llm/metrics.hpp"
#include "llm/price.hpp"
#include "pool_zone.hpp"
#include "setter.hpp"

namespace {

using Counts = ngx_http_llm_cache_counts_t;
using llm::metrics::Kind;

// What is known of a zone at one moment.
struct ZoneState {
    Counts counts;
    llm::cache::ZoneStats stats;
};

ZoneState state_of(ngx_http_llm_cache_zone_t *zone) noexcept {
    ngx_http_llm_cache_locked_t locked(zone);
    return {locked.counts(), locked->stats()};
}

struct CountRow {
    std::string_view member;    // in the JSON
    std::string_view family;    // in the metrics
    std::string_view help;
    std::uint64_t Counts::*count;
};

constexpr CountRow count_rows[] = {
    {"hits", "llm_cache_hits_total", "Calls answered from the cache.",
     &Counts::hits},
    {"semantic_hits", "llm_cache_semantic_hits_total",
     "Of the hits: by meaning.", &Counts::semantic_hits},
    {"stale_hits", "llm_cache_stale_hits_total",
     "Of the hits: with an expired answer.", &Counts::stale_hits},
    {"redis_hits", "llm_cache_redis_hits_total", "Of the hits: from Redis.",
     &Counts::redis_hits},
    {"misses", "llm_cache_misses_total", "Calls that went to a provider.",
     &Counts::misses},
    {"refreshes", "llm_cache_refreshes_total",
     "Calls for which there was an answer that was too old.",
     &Counts::refreshes},
    {"bypasses", "llm_cache_bypasses_total",
     "Calls that were not looked up.", &Counts::bypasses},
    {"verification_refused", "llm_cache_verification_refused_total",
     "Near questions that verification found to differ.", &Counts::refused},
    {"stores", "llm_cache_stores_total", "Answers kept.", &Counts::stores},
    {"unstorable", "llm_cache_unstorable_total",
     "Answers that could not be kept.", &Counts::unstorable},
    {"saved_prompt_tokens", "llm_cache_saved_prompt_tokens_total",
     "Tokens of prompts that no provider was asked for.",
     &Counts::saved_prompt_tokens},
    {"saved_completion_tokens", "llm_cache_saved_completion_tokens_total",
     "Tokens of answers that no provider was asked for.",
     &Counts::saved_completion_tokens},
};

// Amounts of money, in nano-dollars.
constexpr std::string_view saved_cost_family =
    "llm_cache_saved_cost_dollars_total";
constexpr std::string_view cost_family = "llm_cost_dollars_total";

struct ModelRow {
    std::string_view member;
    std::string_view family;
    std::string_view help;
    std::uint64_t llm::totals::Counts::*count;
};

using Totals = llm::totals::Counts;

constexpr ModelRow model_rows[] = {
    {"requests", "llm_requests_total",
     "Calls, by who answered or was asked last.", &Totals::requests},
    {"errors", "llm_errors_total", "Of the calls: failed, or broke off.",
     &Totals::errors},
    {"prompt_tokens", "llm_prompt_tokens_total", "Tokens of prompts.",
     &Totals::prompt_tokens},
    {"completion_tokens", "llm_completion_tokens_total",
     "Tokens of answers.", &Totals::completion_tokens},
    {"cached_tokens", "llm_cached_tokens_total",
     "Of the tokens of prompts: from the provider's cache.",
     &Totals::cached_tokens},
    {"reasoning_tokens", "llm_reasoning_tokens_total",
     "Of the tokens of answers: thoughts.", &Totals::reasoning_tokens},
    {"unpriced", "llm_unpriced_requests_total",
     "Calls of which no price is known.", &Totals::unpriced},
};

struct StatRow {
    std::string_view member;
    std::string_view family;
    Kind kind;
    std::string_view help;
    std::uint64_t llm::cache::ZoneStats::*stat;
};

using Stats = llm::cache::ZoneStats;

constexpr StatRow stat_rows[] = {
    {"entries", "llm_cache_entries", Kind::gauge, "Entries in memory.",
     &Stats::entries},
    {"vectors", "llm_cache_vectors", Kind::gauge,
     "Of them: to be found by meaning.", &Stats::vectors},
    {"partitions", "llm_cache_partitions", Kind::gauge,
     "Partitions in memory.", &Stats::partitions},
    {"used_bytes", "llm_cache_used_bytes", Kind::gauge, "Memory in use.",
     &Stats::used_bytes},
    {"total_bytes", "llm_cache_total_bytes", Kind::gauge,
     "Memory for entries.", &Stats::total_bytes},
    {"evictions", "llm_cache_evictions_total", Kind::counter,
     "Entries that made room for others.", &Stats::evictions},
    {"expirations", "llm_cache_expirations_total", Kind::counter,
     "Entries whose time was over.", &Stats::expirations},
    {"resets", "llm_cache_resets_total", Kind::counter,
     "Times that the memory was emptied since a worker died in it.",
     &Stats::resets},
};

struct MemberRow {
    std::string_view family;
    Kind kind;
    std::string_view help;
    std::uint64_t (*value)(const ngx_http_llm_member_state_t &health);
};

constexpr MemberRow member_rows[] = {
    {"llm_upstream_tries_total", Kind::counter,
     "Tries on a model of a pool.",
     [](const ngx_http_llm_member_state_t &health) {
         return health.state.selected;
     }},
    {"llm_upstream_failures_total", Kind::counter, "Of the tries: failed.",
     [](const ngx_http_llm_member_state_t &health) {
         return health.state.failures;
     }},
    {"llm_upstream_active", Kind::gauge, "Tries that run.",
     [](const ngx_http_llm_member_state_t &health) {
         return static_cast<std::uint64_t>(
             health.state.conns < 0 ? 0 : health.state.conns);
     }},
    {"llm_upstream_available", Kind::gauge,
     "1: the model may be chosen; 0: it is out of rotation, or down.",
     [](const ngx_http_llm_member_state_t &health) {
         return static_cast<std::uint64_t>(health.available);
     }},
};

ngx_http_llm_main_conf_t *main_conf(ngx_http_request_t *r) {
    return static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_get_module_main_conf(r, ngx_http_llm_module));
}

std::span<ngx_http_llm_cache_zone_t *> zones_of(
    ngx_http_llm_main_conf_t *mcf) {
    return {static_cast<ngx_http_llm_cache_zone_t **>(mcf->cache_zones.elts),
            mcf->cache_zones.nelts};
}

std::string dollars(std::uint64_t nanodollars) {
    std::string text;
    llm::price::append_dollars(text, static_cast<std::int64_t>(nanodollars));
    return text;
}

void write_models(llm::json::Writer &json,
                  std::span<const llm::totals::Row> rows) {
    json.key("models").begin_array();
    for (const auto &total : rows) {
        json.begin_object();
        json.member("provider", total.provider());
        json.member("model", total.model());
        for (const auto &row : model_rows) {
            json.member(row.member,
                        static_cast<std::int64_t>(total.counts.*row.count));
        }
        json.member("cost", dollars(total.counts.nanodollars));
        json.end_object();
    }
    json.end_array();
}

void expose_models(llm::metrics::Exposition &exposition,
                   std::span<const llm::totals::Row> rows) {
    auto labels = [](const llm::totals::Row &row) {
        return std::array<llm::metrics::Label, 2>{
            {{"provider", row.provider()}, {"model", row.model()}}};
    };
    for (const auto &row : model_rows) {
        exposition.family(row.family, Kind::counter, row.help);
        for (const auto &total : rows) {
            exposition.sample(labels(total), total.counts.*row.count);
        }
    }
    exposition.family(cost_family, Kind::counter,
                      "What the calls cost, in US dollars (llm_prices).");
    for (const auto &total : rows) {
        exposition.sample_nano(labels(total), total.counts.nanodollars);
    }
}

void write_status(ngx_http_llm_main_conf_t *mcf, std::string &out) {
    llm::json::Writer json(out);
    json.begin_object();

    json.key("upstreams").begin_object();
    for (auto pool : pools_of(mcf)) {
        if (pool->implicit) {
            continue;
        }
        json.key(to_view(pool->name)).begin_array();
        auto members = members_of(pool);
        for (size_t i = 0; i < members.size(); ++i) {
            auto health = ngx_http_llm_pool_state(pool, i);
            json.begin_object();
            json.member("model", to_view(members[i].name));
            if (members[i].alias.len) {
                json.member("alias", to_view(members[i].alias));
            }
            json.member("weight",
                        static_cast<std::int64_t>(members[i].weight));
            json.member("backup", members[i].backup != 0);
            json.member("available", health.available);
            json.member("tries",
                        static_cast<std::int64_t>(health.state.selected));
            json.member("failures",
                        static_cast<std::int64_t>(health.state.failures));
            json.member("active", health.state.conns);
            json.end_object();
        }
        json.end_array();
    }
    json.end_object();

    write_models(json, ngx_http_llm_totals_rows(mcf->totals));

    json.key("caches").begin_object();
    for (auto zone : zones_of(mcf)) {
        ZoneState state = state_of(zone);
        json.key(to_view(zone->name)).begin_object();
        for (const auto &row : count_rows) {
            json.member(row.member,
                        static_cast<std::int64_t>(state.counts.*row.count));
        }
        json.member("saved_cost", dollars(state.counts.saved_nanodollars));
        for (const auto &row : stat_rows) {
            json.member(row.member,
                        static_cast<std::int64_t>(state.stats.*row.stat));
        }
        json.end_object();
    }
    json.end_object();

    ngx_http_llm_limit_write_status(mcf, json);
    json.end_object();
    out.push_back('\n');
}

void write_metrics(ngx_http_llm_main_conf_t *mcf, std::string &out) {
    llm::metrics::Exposition exposition(out);

    for (const auto &row : member_rows) {
        exposition.family(row.family, row.kind, row.help);
        for (auto pool : pools_of(mcf)) {
            if (pool->implicit) {
                continue;
            }
            auto members = members_of(pool);
            for (size_t i = 0; i < members.size(); ++i) {
                const llm::metrics::Label labels[] = {
                    {"upstream", to_view(pool->name)},
                    {"model", to_view(members[i].name)},
                    {"alias", to_view(members[i].alias)},
                };
                size_t count = members[i].alias.len ? 3 : 2;
                exposition.sample(
                    {labels, count},
                    row.value(ngx_http_llm_pool_state(pool, i)));
            }
        }
    }

    expose_models(exposition, ngx_http_llm_totals_rows(mcf->totals));

    auto zones = zones_of(mcf);
    std::vector<ZoneState> states;
    for (auto zone : zones) {
        states.push_back(state_of(zone));
    }
    for (const auto &row : count_rows) {
        exposition.family(row.family, Kind::counter, row.help);
        for (size_t i = 0; i < zones.size(); ++i) {
            exposition.sample({{"zone", to_view(zones[i]->name)}},
                              states[i].counts.*row.count);
        }
    }
    exposition.family(saved_cost_family, Kind::counter,
                      "What the answers from the cache would have cost, in "
                      "US dollars (llm_prices).");
    for (size_t i = 0; i < zones.size(); ++i) {
        exposition.sample_nano({{"zone", to_view(zones[i]->name)}},
                               states[i].counts.saved_nanodollars);
    }
    for (const auto &row : stat_rows) {
        exposition.family(row.family, row.kind, row.help);
        for (size_t i = 0; i < zones.size(); ++i) {
            exposition.sample({{"zone", to_view(zones[i]->name)}},
                              states[i].stats.*row.stat);
        }
    }
    ngx_http_llm_limit_write_metrics(mcf, exposition);
}

ngx_int_t respond(ngx_http_request_t *r, std::string_view type,
                  void (*write)(ngx_http_llm_main_conf_t *mcf,
                                std::string &out)) noexcept try {
    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }
    std::string body;
    write(main_conf(r), body);
    return ngx_http_llm_send_text(r, NGX_HTTP_OK, type, std::move(body));

} catch (const std::bad_alloc &) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_int_t status_handler(ngx_http_request_t *r) noexcept {
    return respond(r, "application/json", write_status);
}

ngx_int_t metrics_handler(ngx_http_request_t *r) noexcept {
    return respond(r, llm::metrics::Exposition::content_type, write_metrics);
}

char *set_handler(ngx_conf_t *cf, ngx_command_t *cmd, void *) noexcept {
    // What nobody looks at is not counted.
    if (ngx_http_llm_totals_need(cf) != NGX_OK) {
        return conf_error();
    }
    auto clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    clcf->handler = *static_cast<ngx_http_handler_pt *>(cmd->post);
    return NGX_CONF_OK;
}

ngx_http_handler_pt handlers[] = {status_handler, metrics_handler};

}  // namespace

ngx_command_t ngx_http_llm_status_commands[] = {
    {ngx_string("llm_status"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
     set_handler, NGX_HTTP_LOC_CONF_OFFSET, 0, &handlers[0]},
    {ngx_string("llm_metrics"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
     set_handler, NGX_HTTP_LOC_CONF_OFFSET, 0, &handlers[1]},
    ngx_null_command,
};
