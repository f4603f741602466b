#include "limit/conf.hpp"

#include "ngx_http_llm.hpp"

#include "limit/zone.hpp"
#include "llm/limit_spec.hpp"
#include "llm/usage_sketch.hpp"
#include "setter.hpp"

namespace {

using Conf = ngx_http_llm_limit_conf_t;
using Rule = ngx_http_llm_limit_rule_t;

constexpr ngx_uint_t anywhere =
    NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

Conf *conf_of(void *conf) {
    return &static_cast<ngx_http_llm_loc_conf_t *>(conf)->limit;
}

char *failed() {
    return conf_error();
}

char *invalid(ngx_conf_t *cf, ngx_str_t *word) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"", word);
    return failed();
}

// "NAME=", and what follows it.
bool starts(const ngx_str_t &word, std::string_view name, ngx_str_t *value) {
    if (!to_view(word).starts_with(name)) {
        return false;
    }
    *value = {word.len - name.size(), word.data + name.size()};
    return true;
}

// llm_limit zone=NAME [model=PATTERN ...] [nodelay | delay=TIME] | off;
char *set_limit(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept {
    auto words = arguments(cf);
    Conf *limit = conf_of(conf);
    bool off = cf->args->nelts == 2 && to_view(words[1]) == "off";

    if (limit->rules == nullptr) {
        limit->rules = ngx_array_create(cf->pool, 2, sizeof(Rule *));
        if (limit->rules == nullptr) {
            return failed();
        }
    } else if (off || limit->rules->nelts == 0) {
        return conf_error("is off and on at the same time");
    }
    if (off) {
        return NGX_CONF_OK;
    }

    auto mcf = static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_module));
    auto rule = static_cast<Rule *>(ngx_pcalloc(cf->pool, sizeof(Rule)));
    auto slot = static_cast<Rule **>(ngx_array_push(limit->rules));
    auto bound = static_cast<Rule **>(ngx_array_push(&mcf->limit_rules));
    if (rule == nullptr || slot == nullptr || bound == nullptr
        || ngx_array_init(&rule->models, cf->pool, 1, sizeof(ngx_str_t))
               != NGX_OK) {
        return failed();
    }
    *slot = *bound = rule;
    rule->file = cf->conf_file->file.name.data;
    rule->line = cf->conf_file->line;

    bool delay_said = false;
    for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
        ngx_str_t value;
        if (starts(words[i], "zone=", &value) && value.len
            && rule->name.len == 0) {
            rule->name = value;
        } else if (starts(words[i], "model=", &value) && value.len) {
            // A star anywhere else would be one that matches nothing.
            auto star = to_view(value).find('*');
            if (star != std::string_view::npos && star + 1 != value.len) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid model \"%V\", a \"*\" may only be "
                                   "at its end", &value);
                return failed();
            }
            auto model = static_cast<ngx_str_t *>(
                ngx_array_push(&rule->models));
            if (model == nullptr) {
                return failed();
            }
            *model = value;
        } else if (to_view(words[i]) == "nodelay" && !delay_said) {
            delay_said = true;
        } else if (starts(words[i], "delay=", &value) && !delay_said) {
            delay_said = true;
            auto time = ngx_parse_time(&value, 0);
            if (time == NGX_ERROR || time == 0) {
                return invalid(cf, &words[i]);
            }
            rule->delay = static_cast<ngx_msec_t>(time);
        } else {
            return invalid(cf, &words[i]);
        }
    }
    if (rule->name.len == 0) {
        return conf_error("must have a \"zone\" parameter or be off");
    }
    return NGX_CONF_OK;
}

// A number with up to three digits behind the point; -1: it is none.
double parse_number(const ngx_str_t &text) {
    ngx_int_t number = ngx_atofp(text.data, text.len, 3);
    return number == NGX_ERROR ? -1 : static_cast<double>(number) / 1000;
}

// llm_limit_reserve [quantile=N] [margin=N] [default=TOKENS];
char *set_reserve(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept try {
    auto words = arguments(cf);
    Conf *limit = conf_of(conf);

    if (limit->quantile >= 0) {
        return conf_error("is duplicate");
    }
    const llm::limit::BoundOptions defaults;
    limit->quantile = defaults.quantile;
    limit->margin = defaults.margin;
    limit->otherwise = defaults.otherwise;

    for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
        ngx_str_t value;
        if (starts(words[i], "quantile=", &value)) {
            limit->quantile = parse_number(value);
            if (limit->quantile <= 0 || limit->quantile > 1) {
                return invalid(cf, &words[i]);
            }
        } else if (starts(words[i], "margin=", &value)) {
            limit->margin = parse_number(value);
            if (limit->margin < 1 || limit->margin > 100) {
                return invalid(cf, &words[i]);
            }
        } else if (starts(words[i], "default=", &value)) {
            auto tokens = llm::limit::parse_count(to_view(value));
            if (!tokens) {
                return invalid(cf, &words[i]);
            }
            limit->otherwise = *tokens;
        } else {
            return invalid(cf, &words[i]);
        }
    }
    return NGX_CONF_OK;

} catch (const std::bad_alloc &) {
    return failed();
}

ngx_conf_num_bounds_t status_bounds = {ngx_conf_check_num_bounds, 400, 599};

ngx_conf_enum_t log_levels[] = {
    {ngx_string("info"), NGX_LOG_INFO},
    {ngx_string("notice"), NGX_LOG_NOTICE},
    {ngx_string("warn"), NGX_LOG_WARN},
    {ngx_string("error"), NGX_LOG_ERR},
    {ngx_null_string, 0},
};

ngx_conf_enum_t header_kinds[] = {
    {ngx_string("off"), NGX_HTTP_LLM_LIMIT_HEADERS_OFF},
    {ngx_string("on"), NGX_HTTP_LLM_LIMIT_HEADERS_OPENAI},
    {ngx_string("draft"), NGX_HTTP_LLM_LIMIT_HEADERS_DRAFT},
    {ngx_null_string, 0},
};

ngx_conf_enum_t cached_kinds[] = {
    {ngx_string("free"), 0},
    {ngx_string("count"), 1},
    {ngx_null_string, 0},
};

ngx_conf_enum_t redis_errors[] = {
    {ngx_string("local"), NGX_HTTP_LLM_LIMIT_LOCAL},
    {ngx_string("allow"), NGX_HTTP_LLM_LIMIT_ALLOW},
    {ngx_string("deny"), NGX_HTTP_LLM_LIMIT_DENY},
    {ngx_null_string, 0},
};

}  // namespace

#define LLM_LIMIT(member) offsetof(ngx_http_llm_loc_conf_t, limit.member)

ngx_command_t ngx_http_llm_limit_commands[] = {
    {ngx_string("llm_limit_zone"), NGX_HTTP_MAIN_CONF | NGX_CONF_2MORE,
     ngx_http_llm_limit_zone_directive, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_limit"), anywhere | NGX_CONF_1MORE, set_limit,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_limit_status"), anywhere | NGX_CONF_TAKE1,
     ngx_conf_set_num_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_LIMIT(status),
     &status_bounds},

    {ngx_string("llm_limit_log_level"), anywhere | NGX_CONF_TAKE1,
     ngx_conf_set_enum_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_LIMIT(log_level),
     log_levels},

    {ngx_string("llm_limit_dry_run"), anywhere | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_LIMIT(dry_run),
     nullptr},

    {ngx_string("llm_limit_headers"), anywhere | NGX_CONF_TAKE1,
     ngx_conf_set_enum_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_LIMIT(headers),
     header_kinds},

    {ngx_string("llm_limit_cached"), anywhere | NGX_CONF_TAKE1,
     ngx_conf_set_enum_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_LIMIT(cached),
     cached_kinds},

    {ngx_string("llm_limit_redis_error"), anywhere | NGX_CONF_TAKE1,
     ngx_conf_set_enum_slot, NGX_HTTP_LOC_CONF_OFFSET, LLM_LIMIT(redis_error),
     redis_errors},

    {ngx_string("llm_limit_reserve"), anywhere | NGX_CONF_1MORE, set_reserve,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    ngx_null_command,
};

#undef LLM_LIMIT

void ngx_http_llm_limit_conf_create(
    ngx_http_llm_limit_conf_t *conf) noexcept {
    // set by ngx_pcalloc():
    //     conf->rules = NULL;
    conf->status = NGX_CONF_UNSET_UINT;
    conf->log_level = NGX_CONF_UNSET_UINT;
    conf->dry_run = NGX_CONF_UNSET;
    conf->headers = NGX_CONF_UNSET_UINT;
    conf->cached = NGX_CONF_UNSET_UINT;
    conf->redis_error = NGX_CONF_UNSET_UINT;
    conf->quantile = -1;
}

void ngx_http_llm_limit_conf_merge(ngx_http_llm_limit_conf_t *prev,
                                   ngx_http_llm_limit_conf_t *conf) noexcept {
    const llm::limit::BoundOptions defaults;

    if (conf->rules == nullptr) {
        conf->rules = prev->rules;
    }
    ngx_conf_merge_uint_value(conf->status, prev->status,
                              NGX_HTTP_TOO_MANY_REQUESTS);
    ngx_conf_merge_uint_value(conf->log_level, prev->log_level, NGX_LOG_ERR);
    ngx_conf_merge_value(conf->dry_run, prev->dry_run, 0);
    ngx_conf_merge_uint_value(conf->headers, prev->headers,
                              NGX_HTTP_LLM_LIMIT_HEADERS_OPENAI);
    ngx_conf_merge_uint_value(conf->cached, prev->cached, 0);
    ngx_conf_merge_uint_value(conf->redis_error, prev->redis_error,
                              NGX_HTTP_LLM_LIMIT_LOCAL);
    if (conf->quantile < 0) {
        bool said = prev->quantile >= 0;
        conf->quantile = said ? prev->quantile : defaults.quantile;
        conf->margin = said ? prev->margin : defaults.margin;
        conf->otherwise = said ? prev->otherwise : defaults.otherwise;
    }
}
