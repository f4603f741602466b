// The module itself: its directives, its configuration's life, its phases.
#include "ngx_http_llm.hpp"

#include "account/totals.hpp"
#include "account/variables.hpp"
#include "auth/auth.hpp"
#include "cache/request.hpp"
#include "context.hpp"
#include "embedding/embedding.hpp"
#include "filter.hpp"
#include "keepalive.hpp"
#include "limit/request.hpp"
#include "pass_through.hpp"
#include "precontent.hpp"
#include "query_key.hpp"
#include "setter.hpp"
#include "simulate.hpp"
#include "status/status.hpp"
#include "upstream.hpp"
#include "variables.hpp"

#include <algorithm>

namespace {

ngx_http_llm_main_conf_t *main_conf(ngx_conf_t *cf) {
    return static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_module));
}

// llm_pass POOL | PROVIDER | VALUE [strict];
char *llm_pass(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(conf);
    auto value = arguments(cf);

    if (llcf->pass) {
        return conf_error("is duplicate");
    }
    if (llcf->simulate) {
        return conf_error("is incompatible with \"llm_simulate\"");
    }
    if (llcf->account.count_tokens == 1) {
        return conf_error("is incompatible with \"llm_count_tokens\"");
    }

    auto pass = static_cast<ngx_http_llm_pass_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_llm_pass_t)));
    if (pass == nullptr) {
        return conf_error();
    }
    pass->name = value[1];
    pass->file = cf->conf_file->file.name.data;
    pass->line = cf->conf_file->line;

    for (ngx_uint_t i = 2; i < cf->args->nelts; ++i) {
        if (to_view(value[i]) != "strict") {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return conf_error();
        }
        pass->strict = 1;
    }

    if (ngx_http_script_variables_count(&value[1])) {
        pass->value = static_cast<ngx_http_complex_value_t *>(
            ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t)));
        if (pass->value == nullptr) {
            return conf_error();
        }
        ngx_http_compile_complex_value_t ccv = {};
        ccv.cf = cf;
        ccv.value = &value[1];
        ccv.complex_value = pass->value;
        if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
            return conf_error();
        }
    }

    auto mcf = main_conf(cf);
    auto slot = static_cast<ngx_http_llm_pass_t **>(
        ngx_array_push(&mcf->passes));
    if (slot == nullptr) {
        return conf_error();
    }
    *slot = pass;
    llcf->pass = pass;

    auto clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    clcf->handler = ngx_http_llm_pass_handler;
    return NGX_CONF_OK;
}

ngx_conf_enum_t unsupported_values[] = {
    {ngx_string("error"), 0},
    {ngx_string("drop"), 1},
    {ngx_null_string, 0},
};

ngx_command_t gateway_commands[] = {
    {ngx_string("llm_provider"),
     NGX_HTTP_MAIN_CONF | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
     ngx_http_llm_provider_block, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_upstream"),
     NGX_HTTP_MAIN_CONF | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
     ngx_http_llm_upstream_block, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_redis"),
     NGX_HTTP_MAIN_CONF | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
     ngx_http_llm_redis_block, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_embedding"),
     NGX_HTTP_MAIN_CONF | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
     ngx_http_llm_embedding_block, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_pass"),
     NGX_HTTP_LOC_CONF | NGX_HTTP_LIF_CONF | NGX_CONF_TAKE12,
     llm_pass, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF
         | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(ngx_http_llm_loc_conf_t, enable), nullptr},

    {ngx_string("llm_unsupported"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF
         | NGX_CONF_TAKE1,
     ngx_conf_set_enum_slot, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(ngx_http_llm_loc_conf_t, drop_unsupported),
     unsupported_values},

    {ngx_string("llm_pass_through"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF
         | NGX_CONF_1MORE,
     ngx_http_llm_pass_through_directive, NGX_HTTP_LOC_CONF_OFFSET, 0,
     nullptr},

    {ngx_string("llm_headers"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF
         | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(ngx_http_llm_loc_conf_t, headers), nullptr},

    {ngx_string("llm_max_response_size"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF
         | NGX_CONF_TAKE1,
     ngx_conf_set_size_slot, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(ngx_http_llm_loc_conf_t, max_response), nullptr},

    {ngx_string("llm_max_event_size"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF
         | NGX_CONF_TAKE1,
     ngx_conf_set_size_slot, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(ngx_http_llm_loc_conf_t, max_event), nullptr},

    {ngx_string("llm_max_depth"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF
         | NGX_CONF_TAKE1,
     ngx_conf_set_num_slot, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(ngx_http_llm_loc_conf_t, max_depth), nullptr},

    {ngx_string("llm_consumer"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF
         | NGX_CONF_TAKE1,
     ngx_http_set_complex_value_slot, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(ngx_http_llm_loc_conf_t, consumer), nullptr},

    {ngx_string("llm_simulate"),
     NGX_HTTP_LOC_CONF | NGX_HTTP_LIF_CONF | NGX_CONF_1MORE,
     ngx_http_llm_simulate_directive, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    ngx_null_command,
};

// nginx wants one table; each part of the module brings its own.
struct Commands {
    ngx_command_t all[128] = {};

    Commands() noexcept {
        size_t count = 0;
        for (auto table : {gateway_commands, ngx_http_llm_auth_commands,
                           ngx_http_llm_cache_commands,
                           ngx_http_llm_account_commands,
                           ngx_http_llm_limit_commands,
                           ngx_http_llm_status_commands}) {
            for (; table->name.len; ++table) {
                all[count++] = *table;
            }
        }
        all[count] = ngx_null_command;
    }
} commands;

void *create_main_conf(ngx_conf_t *cf) noexcept {
    auto mcf = static_cast<ngx_http_llm_main_conf_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_llm_main_conf_t)));
    if (mcf == nullptr
        || ngx_array_init(&mcf->providers, cf->pool, 4,
                          sizeof(ngx_http_llm_provider_t *)) != NGX_OK
        || ngx_array_init(&mcf->pools, cf->pool, 4,
                          sizeof(ngx_http_llm_pool_t *)) != NGX_OK
        || ngx_array_init(&mcf->passes, cf->pool, 4,
                          sizeof(ngx_http_llm_pass_t *)) != NGX_OK
        || ngx_array_init(&mcf->redises, cf->pool, 4,
                          sizeof(ngx_http_llm_redis_t *)) != NGX_OK
        || ngx_array_init(&mcf->endpoints, cf->pool, 4,
                          sizeof(ngx_http_llm_endpoint_t *)) != NGX_OK
        || ngx_array_init(&mcf->embeddings, cf->pool, 4,
                          sizeof(ngx_http_llm_embedding_t *)) != NGX_OK
        || ngx_array_init(&mcf->cache_zones, cf->pool, 2,
                          sizeof(ngx_http_llm_cache_zone_t *)) != NGX_OK
        || ngx_array_init(&mcf->cache_uses, cf->pool, 4,
                          sizeof(ngx_http_llm_cache_use_t *)) != NGX_OK
        || ngx_array_init(&mcf->key_files, cf->pool, 2,
                          sizeof(ngx_http_llm_key_file_t *)) != NGX_OK
        || ngx_array_init(&mcf->key_stores, cf->pool, 2,
                          sizeof(ngx_http_llm_key_store_t *)) != NGX_OK
        || ngx_array_init(&mcf->limit_zones, cf->pool, 4,
                          sizeof(ngx_http_llm_limit_zone_t *)) != NGX_OK
        || ngx_array_init(&mcf->limit_rules, cf->pool, 4,
                          sizeof(ngx_http_llm_limit_rule_t *)) != NGX_OK) {
        return nullptr;
    }
    return mcf;
}

// Names are bound when all of http {} is read, so that a pool or provider may
// be declared after the location that uses it.
char *bind_passes(ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf) {
    auto passes = static_cast<ngx_http_llm_pass_t **>(mcf->passes.elts);

    for (ngx_uint_t i = 0; i < mcf->passes.nelts; ++i) {
        ngx_http_llm_pass_t *pass = passes[i];
        if (pass->value) {
            continue;
        }
        pass->pool = ngx_http_llm_find_pool(mcf, to_view(pass->name));
        if (pass->pool == nullptr) {
            auto provider =
                ngx_http_llm_find_provider(mcf, to_view(pass->name));
            if (provider) {
                pass->pool = ngx_http_llm_provider_pool(cf, mcf, provider);
                if (pass->pool == nullptr) {
                    return conf_error();
                }
            }
        }
        if (pass->pool == nullptr) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no llm_upstream and no llm_provider is named "
                          "\"%V\" in %s:%ui",
                          &pass->name, pass->file, pass->line);
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}

char *init_main_conf(ngx_conf_t *cf, void *conf) noexcept {
    auto mcf = static_cast<ngx_http_llm_main_conf_t *>(conf);
    char *rv;

    if ((rv = ngx_http_llm_providers_init(cf, mcf)) != NGX_CONF_OK
        || (rv = ngx_http_llm_pools_init(cf, mcf)) != NGX_CONF_OK
        || (rv = ngx_http_llm_redises_init(cf, mcf)) != NGX_CONF_OK
        || (rv = ngx_http_llm_embeddings_init(cf, mcf)) != NGX_CONF_OK) {
        return rv;
    }

    auto providers =
        static_cast<ngx_http_llm_provider_t **>(mcf->providers.elts);
    for (ngx_uint_t i = 0; i < mcf->providers.nelts; ++i) {
        providers[i]->idle = ngx_http_llm_keepalive_create(
            cf, providers[i]->keepalive, providers[i]->keepalive_timeout);
        // A value with variables may name any provider.
        if (providers[i]->idle == nullptr
            || ngx_http_llm_provider_pool(cf, mcf, providers[i]) == nullptr) {
            return conf_error();
        }
    }

    if ((rv = bind_passes(cf, mcf)) != NGX_CONF_OK
        || (rv = ngx_http_llm_cache_zones_init(cf, mcf)) != NGX_CONF_OK
        || (rv = ngx_http_llm_auth_init(cf, mcf)) != NGX_CONF_OK
        || (rv = ngx_http_llm_limit_zones_init(cf, mcf)) != NGX_CONF_OK) {
        return rv;
    }

    for (auto *pool : pools_of(mcf)) {
        pool->uscf.host = pool->name;
        pool->uscf.peer.init = ngx_http_llm_peer_init;
        pool->conf = members_of(pool).front().provider->upstream;
        pool->conf.upstream = &pool->uscf;
    }
    return NGX_CONF_OK;
}

void *create_loc_conf(ngx_conf_t *cf) noexcept {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_llm_loc_conf_t)));
    if (llcf == nullptr) {
        return nullptr;
    }
    // set by ngx_pcalloc():
    //     llcf->pass = NULL;
    //     llcf->simulate = NULL;
    llcf->enable = NGX_CONF_UNSET;
    llcf->drop_unsupported = NGX_CONF_UNSET_UINT;
    llcf->pass_through = NGX_CONF_UNSET_UINT;
    llcf->headers = NGX_CONF_UNSET;
    llcf->max_response = NGX_CONF_UNSET_SIZE;
    llcf->max_event = NGX_CONF_UNSET_SIZE;
    llcf->max_depth = NGX_CONF_UNSET;
    llcf->consumer =
        static_cast<ngx_http_complex_value_t *>(NGX_CONF_UNSET_PTR);
    ngx_http_llm_auth_conf_create(&llcf->auth);
    ngx_http_llm_account_conf_create(&llcf->account);
    ngx_http_llm_cache_conf_create(&llcf->cache);
    ngx_http_llm_limit_conf_create(&llcf->limit);
    return llcf;
}

char *merge_loc_conf(ngx_conf_t *cf, void *parent, void *child) noexcept {
    auto prev = static_cast<ngx_http_llm_loc_conf_t *>(parent);
    auto conf = static_cast<ngx_http_llm_loc_conf_t *>(child);
    llm::ExchangeLimits limits;

    // Unset says something: ngx_http_llm_is_on().
    if (conf->enable == NGX_CONF_UNSET) {
        conf->enable = prev->enable;
    }
    ngx_conf_merge_uint_value(conf->drop_unsupported, prev->drop_unsupported,
                              0);
    ngx_conf_merge_uint_value(conf->pass_through, prev->pass_through, 0);
    ngx_conf_merge_value(conf->headers, prev->headers, 1);
    ngx_conf_merge_size_value(conf->max_response, prev->max_response,
                              limits.max_response);
    ngx_conf_merge_size_value(conf->max_event, prev->max_event,
                              limits.max_event);
    ngx_conf_merge_value(conf->max_depth, prev->max_depth,
                         static_cast<ngx_int_t>(limits.max_depth));

    ngx_conf_merge_ptr_value(conf->consumer, prev->consumer, nullptr);
    ngx_http_llm_auth_conf_merge(&prev->auth, &conf->auth);
    ngx_http_llm_account_conf_merge(&prev->account, &conf->account);
    ngx_http_llm_cache_conf_merge(&prev->cache, &conf->cache);
    ngx_http_llm_limit_conf_merge(&prev->limit, &conf->limit);
    ngx_http_llm_limit_check_prices(cf, conf);

    if (conf->max_depth < 1 || conf->max_depth > 10000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"llm_max_depth\" must be between 1 and 10000");
        return conf_error();
    }

    if (conf->max_response == 0 || conf->max_event == 0) {
        // Elsewhere in nginx 0 is no limit; here it would refuse all.
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" must be above 0",
                           conf->max_response == 0 ? "llm_max_response_size"
                                                   : "llm_max_event_size");
        return conf_error();
    }

    // As proxy_pass: "if" and "limit_except" inside a location inherit the
    // handler, a nested location does not.
    auto clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    if (clcf->noname) {
        if (conf->pass == nullptr && conf->simulate == nullptr) {
            conf->pass = prev->pass;
            conf->simulate = prev->simulate;
        }
    }
    if (clcf->lmt_excpt && clcf->handler == nullptr) {
        if (conf->pass) {
            clcf->handler = ngx_http_llm_pass_handler;
        } else if (conf->simulate) {
            clcf->handler = ngx_http_llm_simulate_handler;
        }
    }
    return NGX_CONF_OK;
}

ngx_int_t preconfiguration(ngx_conf_t *cf) noexcept {
    for (auto add : {ngx_http_llm_add_variables,
                     ngx_http_llm_auth_add_variables,
                     ngx_http_llm_account_add_variables,
                     ngx_http_llm_cache_add_variables,
                     ngx_http_llm_limit_add_variables}) {
        if (add(cf) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

ngx_int_t postconfiguration(ngx_conf_t *cf) noexcept {
    auto cmcf = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));

    const std::pair<ngx_uint_t, ngx_http_handler_pt> handlers[] = {
        {NGX_HTTP_REWRITE_PHASE, ngx_http_llm_query_key_handler},
        {NGX_HTTP_ACCESS_PHASE, ngx_http_llm_access_handler},
        {NGX_HTTP_PRECONTENT_PHASE, ngx_http_llm_precontent_handler},
        {NGX_HTTP_LOG_PHASE, ngx_http_llm_totals_handler},
    };
    for (auto [phase, handler] : handlers) {
        auto h = static_cast<ngx_http_handler_pt *>(
            ngx_array_push(&cmcf->phases[phase].handlers));
        if (h == nullptr) {
            return NGX_ERROR;
        }
        *h = handler;
    }

    // nginx goes through the handlers of a phase from the last to the first.
    auto &access = cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers;
    if (ngx_array_push(&access) == nullptr) {
        return NGX_ERROR;
    }
    auto first = static_cast<ngx_http_handler_pt *>(access.elts);
    std::move_backward(first, first + access.nelts - 1, first + access.nelts);
    *first = ngx_http_llm_access_end_handler;

    ngx_http_llm_filter_init();
    ngx_http_llm_pass_through_init();
    return NGX_OK;
}

ngx_http_llm_main_conf_t *main_conf(ngx_cycle_t *cycle) noexcept {
    // NULL: there is no http {}.
    return static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_llm_module));
}

ngx_int_t init_process(ngx_cycle_t *cycle) noexcept {
    // The cache manager and loader have no requests.
    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }
    auto mcf = main_conf(cycle);
    if (mcf == nullptr) {
        return NGX_OK;
    }
    if (ngx_http_llm_providers_start(mcf) != NGX_OK
        || ngx_http_llm_redises_start(cycle, mcf) != NGX_OK
        || ngx_http_llm_embeddings_start(cycle, mcf) != NGX_OK
        || ngx_http_llm_cache_zones_start(cycle, mcf) != NGX_OK
        || ngx_http_llm_auth_start(cycle, mcf) != NGX_OK
        || ngx_http_llm_limit_zones_start(cycle, mcf) != NGX_OK) {
        return NGX_ERROR;
    }
    return NGX_OK;
}

void exit_process(ngx_cycle_t *cycle) noexcept {
    if (auto mcf = main_conf(cycle)) {
        // Before the embeddings, which end what all of them call with.
        ngx_http_llm_providers_stop(mcf);
        ngx_http_llm_embeddings_stop(mcf);
        ngx_http_llm_redises_stop(mcf);
    }
}

ngx_http_module_t module_ctx = {
    preconfiguration,
    postconfiguration,
    create_main_conf,
    init_main_conf,
    nullptr,            // create server configuration
    nullptr,            // merge server configuration
    create_loc_conf,
    merge_loc_conf,
};

}  // namespace

extern "C" {

ngx_module_t ngx_http_llm_module = {
    NGX_MODULE_V1,
    &module_ctx,
    commands.all,
    NGX_HTTP_MODULE,
    nullptr,            // init master
    nullptr,            // init module
    init_process,
    nullptr,            // init thread
    nullptr,            // exit thread
    exit_process,
    nullptr,            // exit master
    NGX_MODULE_V1_PADDING,
};

}
