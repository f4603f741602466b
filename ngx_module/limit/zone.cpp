#include "limit/zone.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>

#include "block.hpp"
#include "limit/redis.hpp"
#include "limit/shares.hpp"
#include "redis/redis.hpp"
#include "setter.hpp"

namespace {

using Zone = ngx_http_llm_limit_zone_t;
using llm::limit::ZoneStatus;

// One part of the pages is for what answers used to need.
constexpr size_t sketch_part = 8;
constexpr size_t least_sketch_pages = 2;
// With "sync", one part of the rest is for shares.
constexpr size_t share_part = 2;

// What "sync" and "lease" may be.
constexpr ngx_int_t shortest_sync = 10;
constexpr ngx_int_t longest_sync = 10'000;
constexpr ngx_int_t shortest_lease = 1000;
constexpr ngx_int_t longest_lease = llm::limit::day;

// Keys that one turn of the timer looks at, and how often it turns.
constexpr size_t sweep_keys = 2048;
constexpr ngx_msec_t sweep_interval = 1000;

constexpr std::string_view zoneinfo = "/usr/share/zoneinfo/";
// The largest of them have less than 10 kB.
constexpr size_t largest_zoneinfo = 256 * 1024;

char *failed() {
    return conf_error();
}

void destroy(void *data) noexcept {
    static_cast<Zone *>(data)->~Zone();
}

// Attaches to the block, or makes it where there is none yet.
template <typename Attach, typename Format>
bool open_block(const Zone *zone, Attach attach, Format format) noexcept {
    auto status = attach();
    if (status != ZoneStatus::ok) {
        status = format();
        if (status == ZoneStatus::ok) {
            status = attach();
        }
    }
    if (status == ZoneStatus::ok) {
        return true;
    }
    auto words = llm::limit::describe(status);
    ngx_log_error(NGX_LOG_EMERG, zone->shm_zone->shm.log, 0,
                  "llm_limit_zone \"%V\" of %uz bytes: %*s in %s:%ui",
                  &zone->name, zone->size, words.size(), words.data(),
                  zone->file, zone->line);
    return false;
}

// `old_data`: not NULL on reload, when the memory is used again as it is. What
// would make its states mean something else is a part of the memory's name.
ngx_int_t init_zone(ngx_shm_zone_t *shm_zone, void *old_data) noexcept {
    using llm::limit::LimitZone;
    using llm::limit::ShareZone;
    using llm::limit::SketchZone;

    auto zone = static_cast<Zone *>(shm_zone->data);
    zone->shpool = reinterpret_cast<ngx_slab_pool_t *>(shm_zone->shm.addr);

    if (old_data == nullptr && !shm_zone->shm.exists) {
        auto shared = static_cast<ngx_http_llm_limit_shctx_t *>(
            ngx_slab_calloc(zone->shpool, sizeof(ngx_http_llm_limit_shctx_t)));
        if (shared == nullptr) {
            return NGX_ERROR;
        }
        // All the rest, page by page.
        size_t pages = zone->shpool->pfree;
        size_t sketches = std::max(pages / sketch_part, least_sketch_pages);
        shared->gateways = 1;
        size_t shares = zone->sync ? (pages - sketches) / share_part : 0;
        shared->sketches_size = sketches * ngx_pagesize;
        shared->shares_size = shares * ngx_pagesize;
        shared->budgets_size = (pages - sketches - shares) * ngx_pagesize;
        shared->budgets = static_cast<std::byte *>(
            ngx_slab_alloc(zone->shpool, shared->budgets_size));
        shared->sketches = static_cast<std::byte *>(
            ngx_slab_alloc(zone->shpool, shared->sketches_size));
        if (shared->budgets == nullptr || shared->sketches == nullptr) {
            return NGX_ERROR;
        }
        if (shares) {
            shared->shares = static_cast<std::byte *>(
                ngx_slab_alloc(zone->shpool, shared->shares_size));
            if (shared->shares == nullptr) {
                return NGX_ERROR;
            }
        }
        zone->shpool->data = shared;
    }

    auto shared = static_cast<ngx_http_llm_limit_shctx_t *>(
        zone->shpool->data);
    zone->shared = shared;
    std::span<std::byte> budgets(shared->budgets, shared->budgets_size);
    std::span<std::byte> sketches(shared->sketches, shared->sketches_size);
    std::span<std::byte> shares(shared->shares, shared->shares_size);

    ngx_http_llm_limit_locked_t locked(zone);
    return open_block(
               zone,
               [&] { return LimitZone::attach(budgets, 0, &zone->budgets); },
               [&] { return LimitZone::format(budgets, 0); })
                   && open_block(
                       zone,
                       [&] {
                           return SketchZone::attach(sketches,
                                                     &zone->sketches);
                       },
                       [&] { return SketchZone::format(sketches); })
                   && (shares.empty()
                       || open_block(
                           zone,
                           [&] {
                               return ShareZone::attach(shares,
                                                        &zone->shares);
                           },
                           [&] { return ShareZone::format(shares); }))
               ? NGX_OK
               : NGX_ERROR;
}

void on_sweep(ngx_event_t *ev) noexcept {
    auto zone = static_cast<Zone *>(ev->data);
    {
        ngx_http_llm_limit_locked_t locked(zone);
        (void) locked->sweep(zone->spec.limit, ngx_http_llm_limit_now(),
                             sweep_keys);
    }
    if (zone->sync) {
        ngx_http_llm_limit_share_sweep(zone);
    }
    ngx_add_timer(ev, sweep_interval);
}

// A text in the configuration's memory; the program ends without.
bool keep(ngx_conf_t *cf, const std::string &text, ngx_str_t *kept) {
    kept->len = text.size();
    kept->data = static_cast<u_char *>(ngx_pnalloc(cf->pool, text.size()));
    if (kept->data == nullptr) {
        return false;
    }
    ngx_memcpy(kept->data, text.data(), text.size());
    return true;
}

// Empty: it cannot be read; errno says why.
std::string read_file(const std::string &path) {
    std::string text;
    ngx_fd_t fd = ngx_open_file(path.c_str(), NGX_FILE_RDONLY, NGX_FILE_OPEN,
                                0);
    if (fd == NGX_INVALID_FILE) {
        return text;
    }
    text.resize(largest_zoneinfo);
    ssize_t size = ngx_read_fd(fd, text.data(), text.size());
    ngx_err_t reason = ngx_errno;
    (void) ngx_close_file(fd);
    ngx_set_errno(reason);
    text.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return text;
}

// "Europe/Berlin", or a rule as TZ has it.
char *read_time_zone(ngx_conf_t *cf, Zone *zone, std::string_view name) {
    if (name == "UTC") {
        return NGX_CONF_OK;
    }
    auto refuse = [&](ngx_err_t reason, std::string_view why) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, reason,
                           "invalid time zone \"%*s\": %*s", name.size(),
                           name.data(), why.size(), why.data());
        return failed();
    };

    bool is_rule = name.find(',') != name.npos;
    bool is_path = name.find("..") != name.npos || name.starts_with('/');
    if (is_path) {
        return refuse(0, "must be a name below /usr/share/zoneinfo");
    }
    llm::Result<llm::TimeZone> parsed{llm::TimeZone()};
    if (is_rule) {
        parsed = llm::TimeZone::parse_posix(name);
    } else {
        std::string path(zoneinfo);
        path += name;
        std::string bytes = read_file(path);
        if (bytes.empty()) {
            return refuse(ngx_errno, "cannot be read below "
                                     "/usr/share/zoneinfo");
        }
        parsed = llm::TimeZone::parse_tzif(bytes);
    }
    if (!parsed) {
        return refuse(0, parsed.error().message);
    }
    zone->time_zone = std::move(*parsed);
    zone->spec.limit.zone = &zone->time_zone;
    return NGX_CONF_OK;
}

// "NAME:SIZE"
char *set_name(ngx_conf_t *cf, Zone *zone, std::string_view value) {
    size_t colon = value.find(':');
    ngx_str_t name = to_ngx(value.substr(0, colon));

    if (colon == value.npos || name.len == 0) {
        ngx_str_t word = to_ngx(value);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone size \"%V\", it must be "
                           "zone=NAME:SIZE", &word);
        return failed();
    }
    if (ngx_http_llm_check_name(cf, "llm_limit_zone", &name) != NGX_OK) {
        return failed();
    }
    ngx_str_t text = to_ngx(value.substr(colon + 1));
    ssize_t size = ngx_parse_size(&text);
    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid zone size \"%V\"",
                           &text);
        return failed();
    }
    if (size < static_cast<ssize_t>(8 * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "zone \"%V\" is too small",
                           &name);
        return failed();
    }
    zone->name = name;
    zone->size = static_cast<size_t>(size);
    return NGX_CONF_OK;
}

// The words after the key.
struct Words {
    std::string_view zone;
    std::string_view rate;
    std::string_view preset;        // default=
    std::string_view burst;
    std::string_view window;
    std::string_view count;
    std::string_view time_zone;
    std::string_view lease;
    std::string_view redis;
    std::string_view prefix;
    std::string_view sync;
};

constexpr struct {
    std::string_view name;
    std::string_view Words::*word;
} parameters[] = {
    {"zone=", &Words::zone},         {"rate=", &Words::rate},
    {"default=", &Words::preset},    {"burst=", &Words::burst},
    {"window=", &Words::window},     {"count=", &Words::count},
    {"time_zone=", &Words::time_zone}, {"redis=", &Words::redis},
    {"prefix=", &Words::prefix},     {"lease=", &Words::lease},
    {"sync=", &Words::sync},
};

char *read_words(ngx_conf_t *cf, Words *words) {
    auto args = arguments(cf);
    for (ngx_uint_t i = 2; i < cf->args->nelts; ++i) {
        std::string_view arg = to_view(args[i]);
        bool known = false;
        for (const auto &row : parameters) {
            if (!arg.starts_with(row.name)) {
                continue;
            }
            known = true;
            if ((words->*row.word).data()) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "duplicate parameter \"%V\"", &args[i]);
                return failed();
            }
            words->*row.word = arg.substr(row.name.size());
            if ((words->*row.word).empty()) {
                known = false;
            }
        }
        if (!known) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &args[i]);
            return failed();
        }
    }
    for (auto [word, name] : {std::pair{words->zone, "zone"},
                              std::pair{words->rate, "rate"}}) {
        if (word.empty()) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" must have \"%s\" parameter", &args[0],
                               name);
            return failed();
        }
    }
    return NGX_CONF_OK;
}

char *compile(ngx_conf_t *cf, std::string_view text,
              ngx_http_complex_value_t *value) {
    ngx_str_t word = to_ngx(text);
    ngx_http_compile_complex_value_t ccv = {};
    ccv.cf = cf;
    ccv.value = &word;
    ccv.complex_value = value;
    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? NGX_CONF_OK
                                                          : failed();
}

char *set_rate(ngx_conf_t *cf, Zone *zone, const Words &words) {
    ngx_str_t rate = to_ngx(words.rate);
    llm::limit::SpecWords spec_words = {words.rate, words.burst, words.window,
                                        words.count};

    if (ngx_http_script_variables_count(&rate)) {
        if (words.preset.empty()) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the rate \"%V\" has variables, so \"default\" "
                               "must say the rate of keys without one", &rate);
            return failed();
        }
        zone->rate = static_cast<ngx_http_complex_value_t *>(
            ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t)));
        if (zone->rate == nullptr
            || compile(cf, words.rate, zone->rate) != NGX_CONF_OK) {
            return failed();
        }
        spec_words.rate = words.preset;
    } else if (!words.preset.empty()) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"default\" is for rates with variables");
        return failed();
    }

    auto spec = llm::limit::parse_spec(spec_words);
    if (!spec) {
        const auto &why = spec.error().message;
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%*s", why.size(),
                           why.data());
        return failed();
    }
    if (!spec->currency.empty() && spec->currency != "usd") {
        // Cents of the one would be counted as cents of the other.
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid currency \"%*s\": prices are in US "
                           "dollars, \"usd\"", spec->currency.size(),
                           spec->currency.data());
        return failed();
    }
    zone->spec = std::move(*spec);

    if (words.time_zone.empty()) {
        return NGX_CONF_OK;
    }
    if (zone->spec.limit.window != llm::limit::Window::calendar) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"time_zone\" is for calendar windows");
        return failed();
    }
    return read_time_zone(cf, zone, words.time_zone);
}

// A time of the bounds; -1: it is logged that it is none.
ngx_int_t read_time(ngx_conf_t *cf, const char *name, std::string_view word,
                    ngx_int_t least, ngx_int_t most) {
    ngx_str_t text = to_ngx(word);
    ngx_int_t time = ngx_parse_time(&text, 0);
    if (time == NGX_ERROR || time < least || time > most) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid %s \"%V\", it must be from %Mms to %Mms",
                           name, &text, static_cast<ngx_msec_t>(least),
                           static_cast<ngx_msec_t>(most));
        return -1;
    }
    return time;
}

char *set_lease(ngx_conf_t *cf, Zone *zone, const Words &words) {
    if (!words.lease.empty()) {
        auto lease = read_time(cf, "lease", words.lease, shortest_lease,
                               longest_lease);
        if (lease < 0) {
            return failed();
        }
        zone->spec.limit.lease = lease;
    }
    return NGX_CONF_OK;
}

char *set_sync(ngx_conf_t *cf, Zone *zone, const Words &words) {
    if (words.sync.empty() || words.sync == "strict") {
        return NGX_CONF_OK;
    }
    auto sync =
        read_time(cf, "sync", words.sync, shortest_sync, longest_sync);
    if (sync < 0) {
        return failed();
    }
    const auto &limit = zone->spec.limit;
    if (limit.window != llm::limit::Window::calendar
        && 2 * sync > limit.period) {
        ngx_str_t word = to_ngx(words.sync);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid sync \"%V\", it must be no longer than "
                           "half of the period", &word);
        return failed();
    }
    zone->sync = static_cast<ngx_msec_t>(sync);
    return NGX_CONF_OK;
}

char *set_redis(ngx_conf_t *cf, Zone *zone, const Words &words) {
    if (words.redis.empty()) {
        for (auto [word, name] : {std::pair{words.prefix, "prefix"},
                                  std::pair{words.sync, "sync"}}) {
            if (!word.empty()) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%s\" is about Redis, but there is no "
                                   "\"redis\"", name);
                return failed();
            }
        }
        return NGX_CONF_OK;
    }
    zone->redis_name = to_ngx(words.redis);
    zone->prefix = words.prefix.empty() ? "llm:limit:" : words.prefix;
    // Braces would choose the slot in the place of the consumer's.
    if (zone->prefix.find_first_of("{}") != zone->prefix.npos) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"prefix\" must have no braces");
        return failed();
    }
    return set_sync(cf, zone, words);
}

// Memory whose states mean the same: a zone with another key, window or unit
// is another one, and begins anew.
std::string memory_name(const Zone *zone, std::string_view key,
                        std::string_view time_zone) {
    const auto &spec = zone->spec;
    std::string name = "llm_limit_zone ";
    name += to_view(zone->name);
    for (std::string_view part :
         {key, llm::limit::name_of(spec.count),
          std::string_view(spec.currency), time_zone}) {
        name += '\n';
        name += part;
    }
    for (auto number : {static_cast<std::int64_t>(spec.limit.window),
                        static_cast<std::int64_t>(spec.limit.unit),
                        spec.limit.period}) {
        name += '\n';
        name += std::to_string(number);
    }
    // It is laid out in another way.
    name += zone->sync ? "\nshares" : "";
    return name;
}

}  // namespace

char *ngx_http_llm_limit_zone_directive(ngx_conf_t *cf, ngx_command_t *,
                                        void *conf) noexcept try {
    auto mcf = static_cast<ngx_http_llm_main_conf_t *>(conf);
    auto args = arguments(cf);
    std::string_view key = to_view(args[1]);

    auto cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(Zone));
    if (cleanup == nullptr) {
        return failed();
    }
    auto zone = new (cleanup->data) Zone();
    cleanup->handler = destroy;
    zone->file = cf->conf_file->file.name.data;
    zone->line = cf->conf_file->line;

    Words words;
    char *rv;
    if ((rv = read_words(cf, &words)) != NGX_CONF_OK
        || (rv = set_name(cf, zone, words.zone)) != NGX_CONF_OK
        || (rv = compile(cf, key, &zone->key)) != NGX_CONF_OK
        || (rv = set_rate(cf, zone, words)) != NGX_CONF_OK
        || (rv = set_lease(cf, zone, words)) != NGX_CONF_OK
        || (rv = set_redis(cf, zone, words)) != NGX_CONF_OK) {
        return rv;
    }
    if (auto other = ngx_http_llm_find_limit_zone(mcf, to_view(zone->name))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%V \"%V\" is already bound to key \"%V\"",
                           &args[0], &zone->name, &other->key.value);
        return failed();
    }

    auto slot = static_cast<Zone **>(ngx_array_push(&mcf->limit_zones));
    ngx_str_t name;
    if (slot == nullptr
        || !keep(cf, memory_name(zone, key, words.time_zone), &name)) {
        return failed();
    }
    *slot = zone;
    zone->shm_zone = ngx_shared_memory_add(cf, &name, zone->size,
                                           &ngx_http_llm_module);
    if (zone->shm_zone == nullptr) {
        return failed();
    }
    zone->shm_zone->init = init_zone;
    zone->shm_zone->data = zone;
    return NGX_CONF_OK;

} catch (const std::bad_alloc &) {
    return failed();
}

ngx_http_llm_limit_zone_t *ngx_http_llm_find_limit_zone(
    ngx_http_llm_main_conf_t *mcf, std::string_view name) noexcept {
    auto zones = static_cast<Zone **>(mcf->limit_zones.elts);
    for (ngx_uint_t i = 0; i < mcf->limit_zones.nelts; ++i) {
        if (to_view(zones[i]->name) == name) {
            return zones[i];
        }
    }
    return nullptr;
}

char *ngx_http_llm_limit_zones_init(ngx_conf_t *cf,
                                    ngx_http_llm_main_conf_t *mcf) noexcept {
    auto zones = static_cast<Zone **>(mcf->limit_zones.elts);
    for (ngx_uint_t i = 0; i < mcf->limit_zones.nelts; ++i) {
        Zone *zone = zones[i];
        if (zone->redis_name.len == 0) {
            continue;
        }
        zone->redis = ngx_http_llm_find_redis(mcf, to_view(zone->redis_name));
        if (zone->redis == nullptr) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no llm_redis is named \"%V\" in %s:%ui",
                          &zone->redis_name, zone->file, zone->line);
            return failed();
        }
    }

    auto rules =
        static_cast<ngx_http_llm_limit_rule_t **>(mcf->limit_rules.elts);
    for (ngx_uint_t i = 0; i < mcf->limit_rules.nelts; ++i) {
        auto rule = rules[i];
        rule->zone = ngx_http_llm_find_limit_zone(mcf, to_view(rule->name));
        if (rule->zone == nullptr) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no llm_limit_zone is named \"%V\" in %s:%ui",
                          &rule->name, rule->file, rule->line);
            return failed();
        }
    }
    return NGX_CONF_OK;
}

void ngx_http_llm_limit_check_prices(
    ngx_conf_t *cf, const ngx_http_llm_loc_conf_t *llcf) noexcept {
    auto clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    // Not of a server, whose locations may know prices.
    if (llcf->account.prices || clcf->name.len == 0
        || !ngx_http_llm_limit_is_on(llcf->limit)) {
        return;
    }
    auto rules =
        static_cast<ngx_http_llm_limit_rule_t **>(llcf->limit.rules->elts);
    for (ngx_uint_t i = 0; i < llcf->limit.rules->nelts; ++i) {
        if (rules[i]->zone->spec.count == llm::limit::Count::cost) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "llm_limit_zone \"%V\" counts cost, but location "
                          "\"%V\" has no llm_prices: nothing is counted in "
                          "%s:%ui", &rules[i]->name, &clcf->name,
                          rules[i]->file, rules[i]->line);
        }
    }
}

ngx_int_t ngx_http_llm_limit_zones_start(
    ngx_cycle_t *cycle, ngx_http_llm_main_conf_t *mcf) noexcept {
    if (ngx_worker != 0) {
        return NGX_OK;
    }
    auto zones = static_cast<Zone **>(mcf->limit_zones.elts);
    for (ngx_uint_t i = 0; i < mcf->limit_zones.nelts; ++i) {
        ngx_event_t *ev = &zones[i]->sweep;
        ev->handler = on_sweep;
        ev->data = zones[i];
        ev->log = cycle->log;
        ev->cancelable = 1;
        ngx_add_timer(ev, sweep_interval);
        if (zones[i]->redis) {
            ngx_http_llm_limit_redis_start(cycle, zones[i]);
        }
    }
    return NGX_OK;
}

bool ngx_http_llm_limit_rate(ngx_http_request_t *r,
                             const ngx_http_llm_limit_zone_t *zone,
                             llm::limit::Limit *limit) {
    *limit = zone->spec.limit;
    if (zone->rate == nullptr) {
        return true;
    }
    ngx_str_t value;
    if (ngx_http_complex_value(r, zone->rate, &value) != NGX_OK) {
        return false;
    }
    // "$llm_key_tokens/m" without tokens is no rate of its own.
    if (value.len == 0 || value.data[0] == '/') {
        return true;
    }
    auto own = llm::limit::with_rate(zone->spec, to_view(value));
    if (!own) {
        const auto &why = own.error().message;
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "llm: llm_limit_zone \"%V\": %*s; its default is used",
                      &zone->name, why.size(), why.data());
        return true;
    }
    *limit = *own;
    return true;
}
