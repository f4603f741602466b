// llm_upstream NAME { ... }, and the pools of single providers.
#include "ngx_http_llm.hpp"

#include <cstddef>

#include "block.hpp"
#include "pool_zone.hpp"
#include "setter.hpp"

namespace {

constexpr const char *block_name = "llm_upstream";

constexpr ngx_uint_t default_max_fails = 1;
constexpr time_t default_fail_timeout = 10;

constexpr ngx_uint_t default_next =
    NGX_HTTP_LLM_NEXT_ERROR | NGX_HTTP_LLM_NEXT_TIMEOUT
    | NGX_HTTP_LLM_NEXT_INVALID_RESPONSE | NGX_HTTP_LLM_NEXT_HTTP_408
    | NGX_HTTP_LLM_NEXT_HTTP_429 | NGX_HTTP_LLM_NEXT_HTTP_5XX;

// What a "model" directive names, until all providers are known.
struct Reference {
    ngx_str_t provider;
    u_char *file;
    ngx_uint_t line;
};

struct PoolConf {
    ngx_http_llm_pool_t pool;   // first: what others know of it
    ngx_array_t references;     // Reference, one for each member
};

ngx_http_llm_pool_t *pool_of(void *conf) noexcept {
    return &static_cast<PoolConf *>(conf)->pool;
}

// The rest of text where it begins with "name=".
bool parameter(const ngx_str_t &text, std::string_view name,
               ngx_str_t *value) noexcept {
    if (!to_view(text).starts_with(name)) {
        return false;
    }
    value->data = text.data + name.size();
    value->len = text.len - name.size();
    return true;
}

bool set_parameter(ngx_http_llm_member_t *member,
                   const ngx_str_t &text) noexcept {
    ngx_str_t value;

    if (parameter(text, "weight=", &value)) {
        auto n = ngx_atoi(value.data, value.len);
        member->weight = static_cast<ngx_uint_t>(n);
        return n != NGX_ERROR && n != 0;
    }
    if (parameter(text, "max_fails=", &value)) {
        auto n = ngx_atoi(value.data, value.len);
        member->max_fails = static_cast<ngx_uint_t>(n);
        return n != NGX_ERROR;
    }
    if (parameter(text, "fail_timeout=", &value)) {
        member->fail_timeout = ngx_parse_time(&value, 1);
        return member->fail_timeout != static_cast<time_t>(NGX_ERROR);
    }
    if (parameter(text, "as=", &value)) {
        member->alias = value;
        return value.len != 0 && !ngx_http_llm_has_control(to_view(value));
    }
    if (to_view(text) == "backup") {
        member->backup = 1;
        return true;
    }
    if (to_view(text) == "down") {
        member->down = 1;
        return true;
    }
    return false;
}

// Whether a client could mean another member by one of its names.
bool is_known(const ngx_http_llm_pool_t *pool, ngx_uint_t count,
              const ngx_str_t &name) noexcept {
    auto members = members_of(pool);
    for (ngx_uint_t i = 0; i < count; i++) {
        if (to_view(members[i].name) == to_view(name)
            || to_view(members[i].alias) == to_view(name))
        {
            return true;
        }
    }
    return false;
}

// model PROVIDER/MODEL [weight=N] [max_fails=N] [fail_timeout=T] [backup]
//                      [down] [as=ALIAS];
char *add_model(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *pool = pool_of(conf);
    auto *args = arguments(cf);
    auto name = to_view(args[1]);

    // The model's own name may have more slashes.
    auto slash = name.find('/');
    if (slash == name.npos || slash == 0 || slash + 1 == name.size()
        || ngx_http_llm_has_control(name))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid model \"%V\", it must be "
                           "\"provider/model\"", &args[1]);
        return conf_error();
    }
    if (pool->members.nelts == llm::balance::max_members) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "more than %uz models in llm_upstream \"%V\"",
                           llm::balance::max_members, &pool->name);
        return conf_error();
    }

    auto *member = static_cast<ngx_http_llm_member_t *>(
        ngx_array_push(&pool->members));
    auto *reference = static_cast<Reference *>(
        ngx_array_push(&static_cast<PoolConf *>(conf)->references));
    if (member == nullptr || reference == nullptr) {
        return conf_error();
    }

    *reference = {to_ngx(name.substr(0, slash)), cf->conf_file->file.name.data,
                  cf->conf_file->line};
    *member = {};
    member->name = args[1];
    member->model = to_ngx(name.substr(slash + 1));
    member->weight = 1;
    member->max_fails = default_max_fails;
    member->fail_timeout = default_fail_timeout;

    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        if (!set_parameter(member, args[i])) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &args[i]);
            return conf_error();
        }
    }

    auto others = pool->members.nelts - 1;
    if (is_known(pool, others, member->name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate model \"%V\" in llm_upstream \"%V\"",
                           &member->name, &pool->name);
        return conf_error();
    }
    if (member->alias.len && is_known(pool, others, member->alias)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate alias \"%V\" in llm_upstream \"%V\"",
                           &member->alias, &pool->name);
        return conf_error();
    }
    return NGX_CONF_OK;
}

// zone NAME SIZE;
char *set_zone(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *pool = pool_of(conf);
    auto *args = arguments(cf);

    if (args[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid zone name \"%V\"",
                           &args[1]);
        return conf_error();
    }
    auto size = ngx_parse_size(&args[2]);
    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid zone size \"%V\"",
                           &args[2]);
        return conf_error();
    }
    if (size < static_cast<ssize_t>(8 * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "zone \"%V\" is too small",
                           &args[1]);
        return conf_error();
    }

    pool->shm_zone = ngx_shared_memory_add(
        cf, &args[1], static_cast<size_t>(size), &ngx_http_llm_module);
    return pool->shm_zone ? NGX_CONF_OK : conf_error();
}

// balance round_robin;
char *set_balance(ngx_conf_t *cf, ngx_command_t *, void *) {
    auto *method = arguments(cf) + 1;
    if (to_view(*method) != "round_robin") {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown balance method \"%V\"", method);
        return conf_error();
    }
    return NGX_CONF_OK;
}

ngx_conf_bitmask_t next_upstream[] = {
    {ngx_string("off"), NGX_HTTP_LLM_NEXT_OFF},
    {ngx_string("error"), NGX_HTTP_LLM_NEXT_ERROR},
    {ngx_string("timeout"), NGX_HTTP_LLM_NEXT_TIMEOUT},
    {ngx_string("invalid_response"), NGX_HTTP_LLM_NEXT_INVALID_RESPONSE},
    {ngx_string("http_401"), NGX_HTTP_LLM_NEXT_HTTP_401},
    {ngx_string("http_403"), NGX_HTTP_LLM_NEXT_HTTP_403},
    {ngx_string("http_404"), NGX_HTTP_LLM_NEXT_HTTP_404},
    {ngx_string("http_408"), NGX_HTTP_LLM_NEXT_HTTP_408},
    {ngx_string("http_429"), NGX_HTTP_LLM_NEXT_HTTP_429},
    {ngx_string("http_5xx"), NGX_HTTP_LLM_NEXT_HTTP_5XX},
    {ngx_null_string, 0},
};

#define POOL(member) offsetof(PoolConf, pool.member)

ngx_command_t commands[] = {
    {ngx_string("zone"), NGX_CONF_TAKE2, set_zone, 0, 0, nullptr},
    {ngx_string("model"), NGX_CONF_1MORE | NGX_HTTP_LLM_REPEATABLE, add_model,
     0, 0, nullptr},
    {ngx_string("balance"), NGX_CONF_TAKE1, set_balance, 0, 0, nullptr},
    {ngx_string("next_upstream"), NGX_CONF_1MORE, ngx_conf_set_bitmask_slot, 0,
     POOL(next_upstream), next_upstream},
    {ngx_string("tries"), NGX_CONF_TAKE1, ngx_conf_set_num_slot, 0,
     POOL(tries), nullptr},
    {ngx_string("timeout"), NGX_CONF_TAKE1, ngx_conf_set_msec_slot, 0,
     POOL(timeout), nullptr},
    ngx_null_command,
};

PoolConf *create(ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf,
                 const ngx_str_t &name) noexcept {
    auto *conf = static_cast<PoolConf *>(
        ngx_pcalloc(cf->pool, sizeof(PoolConf)));
    auto **slot = static_cast<ngx_http_llm_pool_t **>(
        ngx_array_push(&mcf->pools));
    if (conf == nullptr || slot == nullptr
        || ngx_array_init(&conf->pool.members, cf->pool, 4,
                          sizeof(ngx_http_llm_member_t))
               != NGX_OK
        || ngx_array_init(&conf->references, cf->pool, 4, sizeof(Reference))
               != NGX_OK)
    {
        return nullptr;
    }
    *slot = &conf->pool;

    conf->pool.name = name;
    conf->pool.tries = NGX_CONF_UNSET_UINT;
    conf->pool.timeout = NGX_CONF_UNSET_MSEC;
    return conf;
}

void set_defaults(ngx_http_llm_pool_t *pool) noexcept {
    if (pool->next_upstream == 0) {
        pool->next_upstream = default_next;
    }
    if (pool->next_upstream & NGX_HTTP_LLM_NEXT_OFF) {
        pool->next_upstream = NGX_HTTP_LLM_NEXT_OFF;
    }
    ngx_conf_init_uint_value(pool->tries, 0);
    ngx_conf_init_msec_value(pool->timeout, 0);

    pool->uscf.host = pool->name;
    pool->uscf.file_name = pool->file;
    pool->uscf.line = pool->line;
}

char *complete(ngx_conf_t *cf, ngx_http_llm_pool_t *pool) noexcept {
    if (pool->members.nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no models in llm_upstream \"%V\"", &pool->name);
        return conf_error();
    }

    ngx_uint_t backups = 0;
    for (ngx_uint_t i = 0; i < pool->members.nelts; i++) {
        backups += members_of(pool)[i].backup;
    }
    if (backups == pool->members.nelts) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "all models in llm_upstream \"%V\" are backups",
                           &pool->name);
        return conf_error();
    }

    set_defaults(pool);
    return NGX_CONF_OK;
}

char *bind_members(ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf,
                   PoolConf *conf) noexcept {
    auto members = members_of(&conf->pool);
    auto *references = static_cast<Reference *>(conf->references.elts);

    for (ngx_uint_t i = 0; i < conf->references.nelts; i++) {
        members[i].provider = ngx_http_llm_find_provider(
            mcf, to_view(references[i].provider));
        if (members[i].provider == nullptr) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown llm_provider \"%V\" in %s:%ui",
                          &references[i].provider, references[i].file,
                          references[i].line);
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}

}  // namespace

char *ngx_http_llm_upstream_block(ngx_conf_t *cf, ngx_command_t *,
                                  void *data) {
    auto *mcf = static_cast<ngx_http_llm_main_conf_t *>(data);
    auto *name = arguments(cf) + 1;

    if (ngx_http_llm_check_name(cf, block_name, name) != NGX_OK) {
        return conf_error();
    }
    if (ngx_http_llm_find_pool(mcf, to_view(*name))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate llm_upstream \"%V\"", name);
        return conf_error();
    }
    if (ngx_http_llm_find_provider(mcf, to_view(*name))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "llm_upstream \"%V\" has the name of an "
                           "llm_provider", name);
        return conf_error();
    }

    auto *conf = create(cf, mcf, *name);
    if (conf == nullptr) {
        return conf_error();
    }
    conf->pool.file = cf->conf_file->file.name.data;
    conf->pool.line = cf->conf_file->line;

    auto *reason = ngx_http_llm_parse_block(cf, block_name, commands, conf);
    return reason == NGX_CONF_OK ? complete(cf, &conf->pool) : reason;
}

ngx_http_llm_pool_t *ngx_http_llm_find_pool(ngx_http_llm_main_conf_t *mcf,
                                            std::string_view name) {
    for (auto *pool : pools_of(mcf)) {
        if (!pool->implicit && to_view(pool->name) == name) {
            return pool;
        }
    }
    return nullptr;
}

ngx_http_llm_pool_t *ngx_http_llm_provider_pool(
    ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf,
    ngx_http_llm_provider_t *provider) {
    for (auto *made : pools_of(mcf)) {
        if (made->implicit && members_of(made).front().provider == provider) {
            return made;
        }
    }

    auto *conf = create(cf, mcf, provider->name);
    if (conf == nullptr) {
        return nullptr;
    }
    auto *pool = &conf->pool;
    pool->implicit = 1;
    pool->file = provider->file;
    pool->line = provider->line;
    set_defaults(pool);

    auto *member = static_cast<ngx_http_llm_member_t *>(
        ngx_array_push(&pool->members));
    if (member == nullptr) {
        return nullptr;
    }
    *member = {};
    member->provider = provider;
    member->name = provider->name;
    member->weight = 1;
    member->max_fails = default_max_fails;
    member->fail_timeout = default_fail_timeout;

    return ngx_http_llm_pool_health(cf, mcf, pool) == NGX_OK ? pool : nullptr;
}

char *ngx_http_llm_pools_init(ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf) {
    for (auto *pool : pools_of(mcf)) {
        if (pool->implicit) {
            continue;
        }
        auto *conf = reinterpret_cast<PoolConf *>(pool);
        if (bind_members(cf, mcf, conf) != NGX_CONF_OK
            || ngx_http_llm_pool_health(cf, mcf, pool) != NGX_OK)
        {
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}
