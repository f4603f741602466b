#include "cache/conf.hpp"

#include "ngx_http_llm.hpp"

#include "cache/purge.hpp"
#include "cache/zone.hpp"
#include "setter.hpp"

namespace {

using Conf = ngx_http_llm_cache_conf_t;

constexpr ngx_uint_t anywhere =
    NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

constexpr ngx_msec_t default_lock_timeout = 30000;
constexpr size_t default_max_entry = 1024 * 1024;
constexpr double default_max_temperature = 1;

Conf *conf_of(void *conf) {
    return &static_cast<ngx_http_llm_loc_conf_t *>(conf)->cache;
}

char *invalid(ngx_conf_t *cf, ngx_str_t *word) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"", word);
    return conf_error();
}

// llm_cache ZONE | off;
char *set_zone(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept {
    auto value = arguments(cf);
    Conf *cache = conf_of(conf);

    if (cache->use.name.data) {
        return conf_error("is duplicate");
    }
    cache->use.name = value[1];
    cache->use.file = cf->conf_file->file.name.data;
    cache->use.line = cf->conf_file->line;
    if (to_view(value[1]) == "off") {
        return NGX_CONF_OK;
    }

    auto mcf = static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_module));
    auto slot = static_cast<ngx_http_llm_cache_use_t **>(
        ngx_array_push(&mcf->cache_uses));
    if (slot == nullptr) {
        return conf_error();
    }
    *slot = &cache->use;
    return NGX_CONF_OK;
}

char *set_similarity(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept {
    return ngx_http_llm_cache_set_similarity(cf, &conf_of(conf)->similarity);
}

// llm_cache_ignore system | assistant | tool ... | none;
char *set_ignore(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept {
    static const struct {
        std::string_view word;
        ngx_uint_t flag;
    } roles[] = {
        {"none", 0},
        {"system", NGX_HTTP_LLM_CACHE_IGNORE_SYSTEM},
        {"assistant", NGX_HTTP_LLM_CACHE_IGNORE_ASSISTANT},
        {"tool", NGX_HTTP_LLM_CACHE_IGNORE_TOOL},
    };
    auto value = arguments(cf);
    Conf *cache = conf_of(conf);

    if (cache->ignore) {
        return conf_error("is duplicate");
    }
    cache->ignore = NGX_HTTP_LLM_CACHE_IGNORE_SET;
    for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
        bool known = false;
        for (const auto &role : roles) {
            if (to_view(value[i]) == role.word) {
                cache->ignore |= role.flag;
                known = true;
            }
        }
        if (!known) {
            return invalid(cf, &value[i]);
        }
        if (to_view(value[i]) == "none" && cf->args->nelts > 2) {
            return conf_error("has \"none\" beside roles");
        }
    }
    return NGX_CONF_OK;
}

// llm_cache_stale TIME [updating] [error] | off;
char *set_stale(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept {
    auto value = arguments(cf);
    Conf *cache = conf_of(conf);

    if (cache->stale != NGX_CONF_UNSET) {
        return conf_error("is duplicate");
    }
    if (to_view(value[1]) == "off") {
        cache->stale = 0;
        cache->stale_for = 0;
        return cf->args->nelts == 2
                   ? NGX_CONF_OK
                   : conf_error("is off and takes nothing more");
    }
    cache->stale = ngx_parse_time(&value[1], 1);
    if (cache->stale == NGX_ERROR || cache->stale == 0
        || cache->stale > NGX_MAX_INT32_VALUE) {
        return invalid(cf, &value[1]);
    }
    cache->stale_for = 0;
    for (ngx_uint_t i = 2; i < cf->args->nelts; ++i) {
        if (to_view(value[i]) == "updating") {
            cache->stale_for |= NGX_HTTP_LLM_CACHE_STALE_UPDATING;
        } else if (to_view(value[i]) == "error") {
            cache->stale_for |= NGX_HTTP_LLM_CACHE_STALE_ERROR;
        } else {
            return invalid(cf, &value[i]);
        }
    }
    if (cache->stale_for == 0) {
        cache->stale_for = NGX_HTTP_LLM_CACHE_STALE_UPDATING
                           | NGX_HTTP_LLM_CACHE_STALE_ERROR;
    }
    return NGX_CONF_OK;
}

// A number with up to four digits behind the point, 0 .. most, or -1.
double parse_number(const ngx_str_t &text, double most) {
    ngx_int_t number = ngx_atofp(text.data, text.len, 4);
    return number == NGX_ERROR || number > most * 10000 ? -1
                                                        : number / 10000.0;
}

// llm_cache_learn PART | off;
char *set_learn(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept {
    auto value = arguments(cf);
    Conf *cache = conf_of(conf);

    if (cache->learn >= 0) {
        return conf_error("is duplicate");
    }
    if (to_view(value[1]) == "off") {
        cache->learn = 0;
        return NGX_CONF_OK;
    }
    cache->learn = parse_number(value[1], 1);
    if (cache->learn <= 0 || cache->learn >= 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be the part of "
                           "answers by meaning that may be wrong, between 0 "
                           "and 1, or \"off\"",
                           &value[1]);
        return conf_error();
    }
    return NGX_CONF_OK;
}

char *set_max_temperature(ngx_conf_t *cf, ngx_command_t *,
                          void *conf) noexcept {
    auto value = arguments(cf);
    Conf *cache = conf_of(conf);

    if (cache->max_temperature >= 0) {
        return conf_error("is duplicate");
    }
    cache->max_temperature = parse_number(value[1], 100);
    if (cache->max_temperature < 0) {
        return invalid(cf, &value[1]);
    }
    return NGX_CONF_OK;
}

ngx_conf_num_bounds_t from_one = {ngx_conf_check_num_bounds, 1, 1000000};

}  // namespace

#define LLM_CACHE(member) offsetof(ngx_http_llm_loc_conf_t, cache.member)

ngx_command_t ngx_http_llm_cache_commands[] = {
    {ngx_string("llm_cache_zone"),
     NGX_HTTP_MAIN_CONF | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
     ngx_http_llm_cache_zone_block, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_cache"), anywhere | NGX_CONF_TAKE1, set_zone,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_cache_ttl"), anywhere | NGX_CONF_TAKE1,
     ngx_conf_set_sec_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_CACHE(ttl),
     &ngx_http_llm_cache_check_ttl},

    {ngx_string("llm_cache_similarity"), anywhere | NGX_CONF_TAKE12,
     set_similarity, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_cache_key"), anywhere | NGX_CONF_TAKE1,
     ngx_http_set_complex_value_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_CACHE(key),
     nullptr},

    {ngx_string("llm_cache_messages"), anywhere | NGX_CONF_TAKE1,
     ngx_conf_set_num_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_CACHE(messages),
     &from_one},

    {ngx_string("llm_cache_ignore"), anywhere | NGX_CONF_1MORE, set_ignore,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_cache_bypass"), anywhere | NGX_CONF_1MORE,
     ngx_http_set_predicate_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_CACHE(bypass),
     nullptr},

    {ngx_string("llm_cache_no_store"), anywhere | NGX_CONF_1MORE,
     ngx_http_set_predicate_slot, NGX_HTTP_LOC_CONF_OFFSET,
     LLM_CACHE(no_store), nullptr},

    {ngx_string("llm_cache_control"), anywhere | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_CACHE(control),
     nullptr},

    {ngx_string("llm_cache_lock"), anywhere | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_CACHE(lock),
     nullptr},

    {ngx_string("llm_cache_lock_timeout"), anywhere | NGX_CONF_TAKE1,
     ngx_conf_set_msec_slot, NGX_HTTP_LOC_CONF_OFFSET,
     LLM_CACHE(lock_timeout), nullptr},

    {ngx_string("llm_cache_min_uses"), anywhere | NGX_CONF_TAKE1,
     ngx_conf_set_num_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_CACHE(min_uses),
     &from_one},

    {ngx_string("llm_cache_max_entry"), anywhere | NGX_CONF_TAKE1,
     ngx_conf_set_size_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_CACHE(max_entry),
     nullptr},

    {ngx_string("llm_cache_stale"), anywhere | NGX_CONF_TAKE123, set_stale,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_cache_shared"), anywhere | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_CACHE(shared),
     nullptr},

    {ngx_string("llm_cache_verify"), anywhere | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_CACHE(verify),
     nullptr},

    {ngx_string("llm_cache_learn"), anywhere | NGX_CONF_TAKE1, set_learn,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_cache_max_temperature"), anywhere | NGX_CONF_TAKE1,
     set_max_temperature, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_cache_truncated"), anywhere | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_CACHE(truncated),
     nullptr},

    {ngx_string("llm_cache_headers"), anywhere | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_CACHE(headers),
     nullptr},

    {ngx_string("llm_cache_purge"), NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1,
     ngx_http_llm_cache_purge_directive, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    ngx_null_command,
};

#undef LLM_CACHE

void ngx_http_llm_cache_conf_create(
    ngx_http_llm_cache_conf_t *conf) noexcept {
    // set by ngx_pcalloc():
    //     conf->use.name = { 0, NULL };
    //     conf->use.zone = NULL;
    //     conf->ignore = 0;
    conf->similarity = {-1, -1};
    conf->ttl = NGX_CONF_UNSET;
    conf->key =
        static_cast<ngx_http_complex_value_t *>(NGX_CONF_UNSET_PTR);
    conf->messages = NGX_CONF_UNSET;
    conf->bypass = static_cast<ngx_array_t *>(NGX_CONF_UNSET_PTR);
    conf->no_store = static_cast<ngx_array_t *>(NGX_CONF_UNSET_PTR);
    conf->control = NGX_CONF_UNSET;
    conf->lock = NGX_CONF_UNSET;
    conf->lock_timeout = NGX_CONF_UNSET_MSEC;
    conf->min_uses = NGX_CONF_UNSET;
    conf->max_entry = NGX_CONF_UNSET_SIZE;
    conf->stale = NGX_CONF_UNSET;
    conf->shared = NGX_CONF_UNSET;
    conf->verify = NGX_CONF_UNSET;
    conf->learn = -1;
    conf->max_temperature = -1;
    conf->truncated = NGX_CONF_UNSET;
    conf->headers = NGX_CONF_UNSET;
}

// nginx merges after init_main_conf, which has bound the zones.
void ngx_http_llm_cache_conf_merge(ngx_http_llm_cache_conf_t *prev,
                                   ngx_http_llm_cache_conf_t *conf) noexcept {
    if (conf->use.name.data == nullptr) {
        conf->use = prev->use;
    }
    if (conf->similarity.at < 0) {
        conf->similarity = prev->similarity;
    }
    ngx_conf_merge_value(conf->ttl, prev->ttl, 0);
    ngx_conf_merge_ptr_value(conf->key, prev->key, nullptr);
    ngx_conf_merge_value(conf->messages, prev->messages, 1);
    if (conf->ignore == 0) {
        conf->ignore = prev->ignore;
    }
    ngx_conf_merge_ptr_value(conf->bypass, prev->bypass, nullptr);
    ngx_conf_merge_ptr_value(conf->no_store, prev->no_store, nullptr);
    ngx_conf_merge_value(conf->control, prev->control, 0);
    ngx_conf_merge_value(conf->lock, prev->lock, 0);
    ngx_conf_merge_msec_value(conf->lock_timeout, prev->lock_timeout,
                              default_lock_timeout);
    ngx_conf_merge_value(conf->min_uses, prev->min_uses, 1);
    ngx_conf_merge_size_value(conf->max_entry, prev->max_entry,
                              default_max_entry);
    if (conf->stale == NGX_CONF_UNSET) {
        conf->stale = prev->stale == NGX_CONF_UNSET ? 0 : prev->stale;
        conf->stale_for = prev->stale_for;
    }
    ngx_conf_merge_value(conf->shared, prev->shared, 0);
    ngx_conf_merge_value(conf->verify, prev->verify, 1);
    if (conf->learn < 0) {
        conf->learn = prev->learn < 0 ? 0 : prev->learn;
    }
    if (conf->max_temperature < 0) {
        conf->max_temperature = prev->max_temperature < 0
                                    ? default_max_temperature
                                    : prev->max_temperature;
    }
    ngx_conf_merge_value(conf->truncated, prev->truncated, 0);
    ngx_conf_merge_value(conf->headers, prev->headers, 1);
}
