#include "cache/zone.hpp"

#include <new>

#include "block.hpp"
#include "cache/redis_tier.hpp"
#include "embedding/embedding.hpp"
#include "redis/redis.hpp"
#include "setter.hpp"

// At the head of the shared memory.
struct ngx_http_llm_cache_shctx_t {
    ngx_http_llm_cache_counts_t counts;
    std::byte *entries;         // at the same address in all workers
    size_t entries_size;
    std::byte *learned;
    size_t learned_size;
};

namespace {

using ZoneT = ngx_http_llm_cache_zone_t;

constexpr size_t default_memory = 32 * 1024 * 1024;
constexpr size_t least_memory = 512 * 1024;
constexpr time_t default_ttl = 3600;
constexpr double default_similarity = 0.80;
constexpr double default_grey = 0.05;       // below the similarity

// Cells that one turn of the timer looks at, and how often it turns: a zone
// of 64 MB is gone through in a minute or so.
constexpr size_t sweep_cells = 4096;
constexpr ngx_msec_t sweep_interval = 500;

// Part of the memory that remembers what was learned of entries, and the least
// that is of use.
constexpr size_t learned_share = 32;
constexpr size_t least_learned = 64 * 1024;

llm::cache::ZoneScratch scratch;

char *set_index(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept;
char *set_similarity(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept;

ngx_command_t block_commands[] = {
    {ngx_string("memory"), NGX_CONF_TAKE1, ngx_conf_set_size_slot, 0,
     offsetof(ZoneT, memory), nullptr},
    {ngx_string("redis"), NGX_CONF_TAKE1, ngx_conf_set_str_slot, 0,
     offsetof(ZoneT, redis_name), nullptr},
    {ngx_string("index"), NGX_CONF_TAKE12, set_index, 0, 0, nullptr},
    {ngx_string("embedding"), NGX_CONF_TAKE1, ngx_conf_set_str_slot, 0,
     offsetof(ZoneT, embedding_name), nullptr},
    {ngx_string("similarity"), NGX_CONF_TAKE12, set_similarity, 0, 0,
     nullptr},
    {ngx_string("ttl"), NGX_CONF_TAKE1, ngx_conf_set_sec_slot, 0,
     offsetof(ZoneT, ttl), &ngx_http_llm_cache_check_ttl},
    {ngx_string("prefix"), NGX_CONF_TAKE1, ngx_conf_set_str_slot, 0,
     offsetof(ZoneT, prefix), nullptr},
    ngx_null_command,
};

char *set_index(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept {
    static ngx_conf_enum_t indexes[] = {
        {ngx_string("memory"), NGX_HTTP_LLM_INDEX_MEMORY},
        {ngx_string("redisearch"), NGX_HTTP_LLM_INDEX_REDISEARCH},
        {ngx_string("vectorset"), NGX_HTTP_LLM_INDEX_VECTORSET},
        {ngx_null_string, 0},
    };
    static ngx_command_t slot = {
        ngx_string("index"), NGX_CONF_TAKE1, ngx_conf_set_enum_slot, 0,
        offsetof(ZoneT, index), indexes};
    auto zone = static_cast<ZoneT *>(conf);
    auto value = arguments(cf);

    char *rv = ngx_conf_set_enum_slot(cf, &slot, conf);
    if (rv != NGX_CONF_OK || cf->args->nelts == 2) {
        return rv;
    }
    std::string_view algorithm = to_view(value[2]);
    if (zone->index != NGX_HTTP_LLM_INDEX_REDISEARCH
        || (algorithm != "hnsw" && algorithm != "flat")) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                           &value[2]);
        return conf_error();
    }
    zone->index_flat = algorithm == "flat";
    return NGX_CONF_OK;
}

char *set_similarity(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept {
    return ngx_http_llm_cache_set_similarity(
        cf, &static_cast<ZoneT *>(conf)->similarity);
}

// Entries say their time in 31 bits.
char *check_ttl(ngx_conf_t *cf, void *, void *data) noexcept {
    time_t ttl = *static_cast<time_t *>(data);
    if (ttl == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a ttl of 0 would keep nothing");
        return conf_error();
    }
    if (ttl > NGX_MAX_INT32_VALUE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a ttl must be below 68 years");
        return conf_error();
    }
    return NGX_CONF_OK;
}

// "0", "0.8", "0.9999": up to four digits, or -1.
double parse_similarity(std::string_view text) noexcept {
    auto number = ngx_atofp(to_ngx(text).data, text.size(), 4);
    return number == NGX_ERROR || number > 10000 ? -1 : number / 10000.0;
}

llm::cache::ZoneOptions learned_options() {
    llm::cache::ZoneOptions options;
    options.dimensions = 0;
    options.max_value = sizeof(llm::cache::Observations);
    return options;
}

// Attaches to the block, or makes it, where it is not there yet or of another
// shape.
bool open_block(const ZoneT *owner, std::byte *memory, size_t size,
                const llm::cache::ZoneOptions &options,
                llm::cache::Zone *zone) noexcept {
    std::span<std::byte> block(memory, size);

    auto status = llm::cache::Zone::attach(block, options, zone);
    if (status == llm::cache::ZoneStatus::ok) {
        return true;
    }
    status = llm::cache::Zone::format(block, options);
    if (status == llm::cache::ZoneStatus::ok) {
        status = llm::cache::Zone::attach(block, options, zone);
    }
    if (status == llm::cache::ZoneStatus::ok) {
        return true;
    }
    auto words = llm::cache::describe(status);
    ngx_log_error(NGX_LOG_EMERG, owner->shm_zone->shm.log, 0,
                  "llm_cache_zone \"%V\" of %uz bytes: %*s in %s:%ui",
                  &owner->name, owner->memory, words.size(), words.data(),
                  owner->file, owner->line);
    return false;
}

// `old_data`: not NULL on reload, when the memory is used again as it is.
ngx_int_t init_zone(ngx_shm_zone_t *shm_zone, void *old_data) noexcept {
    auto zone = static_cast<ZoneT *>(shm_zone->data);
    zone->shpool = reinterpret_cast<ngx_slab_pool_t *>(shm_zone->shm.addr);

    if (old_data == nullptr && !shm_zone->shm.exists) {
        auto shared = static_cast<ngx_http_llm_cache_shctx_t *>(
            ngx_slab_calloc(zone->shpool, sizeof(ngx_http_llm_cache_shctx_t)));
        if (shared == nullptr) {
            return NGX_ERROR;
        }
        // All the rest, page by page.
        size_t pages = zone->shpool->pfree;
        size_t learned = ngx_max(pages / learned_share,
                                 least_learned / ngx_pagesize);
        shared->learned_size = learned * ngx_pagesize;
        shared->entries_size = (pages - learned) * ngx_pagesize;
        shared->entries = static_cast<std::byte *>(
            ngx_slab_alloc(zone->shpool, shared->entries_size));
        shared->learned = static_cast<std::byte *>(
            ngx_slab_alloc(zone->shpool, shared->learned_size));
        if (shared->entries == nullptr || shared->learned == nullptr) {
            return NGX_ERROR;
        }
        zone->shpool->data = shared;
    }

    zone->shared =
        static_cast<ngx_http_llm_cache_shctx_t *>(zone->shpool->data);
    zone->counts = &zone->shared->counts;

    ngx_http_llm_cache_locked_t locked(zone);
    return open_block(zone, zone->shared->entries,
                      zone->shared->entries_size, zone->options, &zone->zone)
                   && open_block(zone, zone->shared->learned,
                                 zone->shared->learned_size,
                                 learned_options(), &zone->learned)
               ? NGX_OK
               : NGX_ERROR;
}

void on_sweep(ngx_event_t *ev) noexcept {
    auto zone = static_cast<ZoneT *>(ev->data);
    {
        ngx_http_llm_cache_locked_t locked(zone);
        (void) locked->sweep(ngx_http_llm_cache_now(), sweep_cells);
    }
    ngx_add_timer(ev, sweep_interval);
}

// The shared memory is declared once the dimensions of its vectors are known.
// They are in its name, so that a reload which changes them makes another one
// and old workers keep theirs; the name tells it apart from nginx's own zones.
ngx_int_t declare_memory(ngx_conf_t *cf, ZoneT *zone) {
    ngx_str_t name;
    name.len = sizeof("llm_cache_zone  ") - 1 + zone->name.len + NGX_INT32_LEN;
    name.data = static_cast<u_char *>(ngx_pnalloc(cf->pool, name.len));
    if (name.data == nullptr) {
        return NGX_ERROR;
    }
    name.len = static_cast<size_t>(
        ngx_sprintf(name.data, "llm_cache_zone %V %uD", &zone->name,
                    zone->options.dimensions)
        - name.data);
    zone->shm_zone = ngx_shared_memory_add(cf, &name, zone->memory,
                                           &ngx_http_llm_module);
    if (zone->shm_zone == nullptr) {
        return NGX_ERROR;
    }
    zone->shm_zone->init = init_zone;
    zone->shm_zone->data = zone;
    return NGX_OK;
}

char *bind(ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf, ZoneT *zone) {
    auto refuse = [&](const char *what, const ngx_str_t *name) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s is named \"%V\" in %s:%ui",
                      what, name, zone->file, zone->line);
        return conf_error();
    };

    if (zone->redis_name.len) {
        zone->redis = ngx_http_llm_find_redis(mcf, to_view(zone->redis_name));
        if (zone->redis == nullptr) {
            return refuse("no llm_redis", &zone->redis_name);
        }
        if (ngx_http_llm_cache_redis_init(cf, zone) != NGX_CONF_OK) {
            return conf_error();
        }
    }
    if (to_view(zone->embedding_name) != "off") {
        zone->embedding = ngx_http_llm_find_embedding(
            cf, mcf, to_view(zone->embedding_name));
        if (zone->embedding == nullptr) {
            return refuse("no llm_embedding", &zone->embedding_name);
        }
        zone->judge = zone->embedding->local
                          ? zone->embedding
                          : ngx_http_llm_find_embedding(cf, mcf, "static");
        zone->options.dimensions =
            static_cast<std::uint32_t>(zone->embedding->dimensions);
    } else {
        zone->similarity.at = zone->similarity.grey = 2;
    }
    return declare_memory(cf, zone) == NGX_OK ? NGX_CONF_OK : conf_error();
}

}  // namespace

ngx_conf_post_t ngx_http_llm_cache_check_ttl = {check_ttl};

llm::cache::ZoneScratch &ngx_http_llm_cache_scratch() noexcept {
    return scratch;
}

char *ngx_http_llm_cache_set_similarity(
    ngx_conf_t *cf, ngx_http_llm_cache_similarity_t *similarity) noexcept {
    auto value = arguments(cf);
    auto refuse = [&](ngx_str_t *word) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid similarity \"%V\", it must be a cosine "
                           "similarity between 0 and 1, or \"off\"",
                           word);
        return conf_error();
    };

    if (similarity->at >= 0) {
        return conf_error("is duplicate");
    }
    if (to_view(value[1]) == "off") {
        if (cf->args->nelts > 2) {
            return conf_error("has a grey zone but is off");
        }
        similarity->at = similarity->grey = 2;
        return NGX_CONF_OK;
    }
    double at = parse_similarity(to_view(value[1]));
    if (at < 0) {
        return refuse(&value[1]);
    }
    double grey = ngx_max(at - default_grey, 0);

    if (cf->args->nelts > 2) {
        std::string_view word = to_view(value[2]);
        if (!word.starts_with("grey=")) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[2]);
            return conf_error();
        }
        grey = parse_similarity(word.substr(5));
        if (grey < 0) {
            return refuse(&value[2]);
        }
        if (grey > at) {
            return conf_error(
                "has a grey zone that begins above the similarity");
        }
    }
    // Nothing is nearer than the same: exact matches only.
    similarity->at = at < 1 ? at : 2;
    similarity->grey = at < 1 ? grey : 2;
    return NGX_CONF_OK;
}

char *ngx_http_llm_cache_zone_block(ngx_conf_t *cf, ngx_command_t *,
                                    void *conf) noexcept {
    auto mcf = static_cast<ngx_http_llm_main_conf_t *>(conf);
    auto value = arguments(cf);
    ngx_str_t name = value[1];

    if (ngx_http_llm_check_name(cf, "llm_cache_zone", &name) != NGX_OK) {
        return conf_error();
    }
    if (to_view(name) == "off") {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a llm_cache_zone cannot be named \"off\"");
        return conf_error();
    }
    if (ngx_http_llm_find_cache_zone(mcf, to_view(name))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate llm_cache_zone \"%V\"", &name);
        return conf_error();
    }

    auto slot = static_cast<ZoneT **>(ngx_array_push(&mcf->cache_zones));
    auto memory = ngx_pcalloc(cf->pool, sizeof(ZoneT));
    if (slot == nullptr || memory == nullptr) {
        return conf_error();
    }
    auto zone = new (memory) ZoneT();
    *slot = zone;
    zone->name = name;
    zone->file = cf->conf_file->file.name.data;
    zone->line = cf->conf_file->line;
    zone->memory = NGX_CONF_UNSET_SIZE;
    zone->index = NGX_CONF_UNSET_UINT;
    zone->similarity = {-1, -1};
    zone->ttl = NGX_CONF_UNSET;

    char *rv = ngx_http_llm_parse_block(cf, "llm_cache_zone", block_commands,
                                        zone);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_conf_init_size_value(zone->memory, default_memory);
    ngx_conf_init_value(zone->ttl, default_ttl);
    if (zone->similarity.at < 0) {
        zone->similarity = {default_similarity,
                            default_similarity - default_grey};
    }
    if (zone->embedding_name.len == 0) {
        ngx_str_set(&zone->embedding_name, "static");
    }

    auto refuse = [&](const char *what) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in llm_cache_zone \"%V\"",
                           what, &zone->name);
        return conf_error();
    };
    if (zone->memory < least_memory) {
        return refuse("\"memory\" is less than 512k");
    }
    if (zone->redis_name.len == 0
        && (zone->index != NGX_CONF_UNSET_UINT || zone->prefix.data)) {
        return refuse("\"index\" and \"prefix\" are about Redis, but there is "
                      "no \"redis\"");
    }
    ngx_conf_init_uint_value(zone->index, NGX_HTTP_LLM_INDEX_MEMORY);
    if (zone->prefix.data == nullptr) {
        zone->prefix.len = sizeof("llm::") - 1 + zone->name.len;
        zone->prefix.data =
            static_cast<u_char *>(ngx_pnalloc(cf->pool, zone->prefix.len));
        if (zone->prefix.data == nullptr) {
            return conf_error();
        }
        ngx_sprintf(zone->prefix.data, "llm:%V:", &zone->name);
    }
    return NGX_CONF_OK;
}

ngx_http_llm_cache_zone_t *ngx_http_llm_find_cache_zone(
    ngx_http_llm_main_conf_t *mcf, std::string_view name) noexcept {
    auto zones = static_cast<ZoneT **>(mcf->cache_zones.elts);
    for (ngx_uint_t i = 0; i < mcf->cache_zones.nelts; ++i) {
        if (to_view(zones[i]->name) == name) {
            return zones[i];
        }
    }
    return nullptr;
}

char *ngx_http_llm_cache_zones_init(ngx_conf_t *cf,
                                    ngx_http_llm_main_conf_t *mcf) noexcept {
    auto zones = static_cast<ZoneT **>(mcf->cache_zones.elts);
    for (ngx_uint_t i = 0; i < mcf->cache_zones.nelts; ++i) {
        char *rv = bind(cf, mcf, zones[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    auto uses =
        static_cast<ngx_http_llm_cache_use_t **>(mcf->cache_uses.elts);
    for (ngx_uint_t i = 0; i < mcf->cache_uses.nelts; ++i) {
        uses[i]->zone =
            ngx_http_llm_find_cache_zone(mcf, to_view(uses[i]->name));
        if (uses[i]->zone == nullptr) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no llm_cache_zone is named \"%V\" in %s:%ui",
                          &uses[i]->name, uses[i]->file, uses[i]->line);
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}

ngx_int_t ngx_http_llm_cache_zones_start(
    ngx_cycle_t *cycle, ngx_http_llm_main_conf_t *mcf) noexcept {
    if (ngx_process == NGX_PROCESS_HELPER) {
        // The cache manager and loader of nginx serve nobody.
        return NGX_OK;
    }
    auto zones = static_cast<ZoneT **>(mcf->cache_zones.elts);
    for (ngx_uint_t i = 0; i < mcf->cache_zones.nelts; ++i) {
        ZoneT *zone = zones[i];
        if (!scratch.prepare(zone->zone) || !scratch.prepare(zone->learned)) {
            return NGX_ERROR;
        }
        if (ngx_worker == 0) {
            zone->sweep.handler = on_sweep;
            zone->sweep.data = zone;
            zone->sweep.log = cycle->log;
            zone->sweep.cancelable = 1;
            ngx_add_timer(&zone->sweep, sweep_interval);
        }
        if (zone->redis
            && ngx_http_llm_cache_redis_start(cycle, zone) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}
