// llm_redis NAME { ... }
#include "redis/redis_conf.hpp"

#include <algorithm>
#include <cstddef>
#include <new>

#include "block.hpp"
#include "endpoint.hpp"
#include "redis/redis.hpp"
#include "secret.hpp"
#include "setter.hpp"

namespace {

constexpr const char *block_name = "llm_redis";
constexpr in_port_t redis_port = 6379;
constexpr in_port_t sentinel_port = 26379;

ngx_http_llm_redis_t *conf_of(void *conf) noexcept {
    return static_cast<ngx_http_llm_redis_t *>(conf);
}

ngx_http_llm_redis_server_t *servers_of(
    const ngx_http_llm_redis_t *redis) noexcept {
    return static_cast<ngx_http_llm_redis_server_t *>(redis->servers.elts);
}

// server ADDRESS[:PORT] | unix:PATH;
char *add_server(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept {
    auto *redis = conf_of(conf);
    auto *text = arguments(cf) + 1;

    ngx_url_t url;
    ngx_memzero(&url, sizeof(url));
    url.url = *text;
    url.no_resolve = 1;
    if (ngx_parse_url(cf->pool, &url) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in server \"%V\"",
                           url.err ? url.err : "no memory", text);
        return conf_error();
    }
    for (ngx_uint_t i = 0; i < redis->servers.nelts; ++i) {
        if (to_view(servers_of(redis)[i].name) == to_view(*text)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate server \"%V\"",
                               text);
            return conf_error();
        }
    }

    auto *server = static_cast<ngx_http_llm_redis_server_t *>(
        ngx_array_push(&redis->servers));
    if (server == nullptr) {
        return conf_error();
    }
    *server = {};
    server->name = *text;

    if (url.family == AF_UNIX) {
        server->sockaddr = url.addrs[0].sockaddr;
        server->socklen = url.addrs[0].socklen;
        return NGX_CONF_OK;
    }

    auto host = to_view(url.host);
    if (host.starts_with('[')) {
        host = host.substr(1, host.size() - 2);
    }
    server->host = to_ngx(host);
    server->port = url.no_port ? 0 : url.port;
    return NGX_CONF_OK;
}

// Its arguments end up in commands, where any bytes may be; but neither an
// empty one nor one of several lines was meant.
char *set_text(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept {
    auto *text = arguments(cf) + 1;
    if (text->len == 0 || ngx_http_llm_has_control(to_view(*text))) {
        return conf_error("has an invalid value");
    }
    *reinterpret_cast<ngx_str_t *>(static_cast<char *>(conf) + cmd->offset)
        = *text;
    return NGX_CONF_OK;
}

ngx_int_t secret_value(ngx_conf_t *cf, ngx_str_t *text,
                       ngx_str_t *secret) noexcept {
    if (text->len == 0 || ngx_http_llm_has_control(to_view(*text))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid password");
        return NGX_ERROR;
    }
    *secret = *text;
    return NGX_OK;
}

using SecretReader = ngx_int_t(ngx_conf_t *, ngx_str_t *, ngx_str_t *)
                         noexcept;

template <SecretReader *read>
char *set_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept {
    auto *secret = reinterpret_cast<ngx_str_t *>(static_cast<char *>(conf)
                                                 + cmd->offset);
    if (secret->len) {
        return conf_error("is duplicate, the password is set already");
    }
    return read(cf, arguments(cf) + 1, secret) == NGX_OK ? NGX_CONF_OK
                                                         : conf_error();
}

char *check_time(ngx_conf_t *, void *, void *data) noexcept {
    return *static_cast<ngx_msec_t *>(data) == 0
               ? conf_error("must be longer than 0")
               : NGX_CONF_OK;
}

// A name or an error must fit, and what is read at once.
char *check_reply(ngx_conf_t *, void *, void *data) noexcept {
    return *static_cast<size_t *>(data) < 65536
               ? conf_error("must be at least 64k")
               : NGX_CONF_OK;
}

ngx_conf_post_t time_post = {check_time};
ngx_conf_post_t reply_post = {check_reply};

ngx_conf_num_bounds_t connections_bounds = {ngx_conf_check_num_bounds, 1,
                                            1024};
ngx_conf_num_bounds_t pending_bounds = {ngx_conf_check_num_bounds, 1,
                                        1000000};
ngx_conf_num_bounds_t database_bounds = {ngx_conf_check_num_bounds, 0,
                                         1000000};

#define REDIS(member) offsetof(ngx_http_llm_redis_t, member)

ngx_command_t commands[] = {
    {ngx_string("server"), NGX_CONF_TAKE1 | NGX_HTTP_LLM_REPEATABLE,
     add_server, 0, 0, nullptr},
    {ngx_string("cluster"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     REDIS(cluster), nullptr},
    {ngx_string("sentinel"), NGX_CONF_TAKE1, set_text, 0, REDIS(master),
     nullptr},

    {ngx_string("user"), NGX_CONF_TAKE1, set_text, 0, REDIS(auth.user),
     nullptr},
    {ngx_string("password"), NGX_CONF_TAKE1, set_secret<secret_value>, 0,
     REDIS(auth.password), nullptr},
    {ngx_string("password_env"), NGX_CONF_TAKE1,
     set_secret<ngx_http_llm_secret_env>, 0, REDIS(auth.password), nullptr},
    {ngx_string("password_file"), NGX_CONF_TAKE1,
     set_secret<ngx_http_llm_secret_file>, 0, REDIS(auth.password), nullptr},
    {ngx_string("sentinel_user"), NGX_CONF_TAKE1, set_text, 0,
     REDIS(sentinel_auth.user), nullptr},
    {ngx_string("sentinel_password"), NGX_CONF_TAKE1, set_secret<secret_value>,
     0, REDIS(sentinel_auth.password), nullptr},
    {ngx_string("sentinel_password_env"), NGX_CONF_TAKE1,
     set_secret<ngx_http_llm_secret_env>, 0, REDIS(sentinel_auth.password),
     nullptr},
    {ngx_string("sentinel_password_file"), NGX_CONF_TAKE1,
     set_secret<ngx_http_llm_secret_file>, 0, REDIS(sentinel_auth.password),
     nullptr},
    {ngx_string("database"), NGX_CONF_TAKE1, ngx_conf_set_num_slot, 0,
     REDIS(database), &database_bounds},

    {ngx_string("timeout"), NGX_CONF_TAKE1, ngx_conf_set_msec_slot, 0,
     REDIS(timeout), &time_post},
    {ngx_string("connect_timeout"), NGX_CONF_TAKE1, ngx_conf_set_msec_slot, 0,
     REDIS(connect_timeout), &time_post},
    {ngx_string("fail_timeout"), NGX_CONF_TAKE1, ngx_conf_set_msec_slot, 0,
     REDIS(fail_timeout), &time_post},
    {ngx_string("connections"), NGX_CONF_TAKE1, ngx_conf_set_num_slot, 0,
     REDIS(connections), &connections_bounds},
    {ngx_string("max_pending"), NGX_CONF_TAKE1, ngx_conf_set_num_slot, 0,
     REDIS(max_pending), &pending_bounds},
    {ngx_string("max_reply"), NGX_CONF_TAKE1, ngx_conf_set_size_slot, 0,
     REDIS(max_reply), &reply_post},

    {ngx_string("ssl"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0, REDIS(ssl),
     nullptr},
    {ngx_string("ssl_verify"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     REDIS(ssl_verify), nullptr},
    {ngx_string("ssl_server_name"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     REDIS(ssl_server_name), nullptr},
    {ngx_string("ssl_name"), NGX_CONF_TAKE1, ngx_http_llm_ssl_set_name, 0,
     REDIS(ssl_name), nullptr},
    {ngx_string("ssl_trusted_certificate"), NGX_CONF_TAKE1,
     ngx_conf_set_str_slot, 0, REDIS(ssl_conf.trusted_certificate), nullptr},
    {ngx_string("ssl_verify_depth"), NGX_CONF_TAKE1, ngx_conf_set_num_slot, 0,
     REDIS(ssl_conf.verify_depth), nullptr},
    {ngx_string("ssl_protocols"), NGX_CONF_1MORE, ngx_conf_set_bitmask_slot, 0,
     REDIS(ssl_conf.protocols), ngx_http_llm_ssl_protocols},
    {ngx_string("ssl_ciphers"), NGX_CONF_TAKE1, ngx_conf_set_str_slot, 0,
     REDIS(ssl_conf.ciphers), nullptr},
    {ngx_string("ssl_certificate"), NGX_CONF_TAKE1, ngx_conf_set_str_slot, 0,
     REDIS(ssl_conf.certificate), nullptr},
    {ngx_string("ssl_certificate_key"), NGX_CONF_TAKE1, ngx_conf_set_str_slot,
     0, REDIS(ssl_conf.certificate_key), nullptr},

    ngx_null_command,
};

ngx_http_llm_redis_t *create(ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf,
                             const ngx_str_t &name) noexcept {
    auto *redis = static_cast<ngx_http_llm_redis_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_llm_redis_t)));
    if (redis == nullptr
        || ngx_array_init(&redis->servers, cf->pool, 4,
                          sizeof(ngx_http_llm_redis_server_t))
               != NGX_OK)
    {
        return nullptr;
    }
    redis->name = name;
    redis->mcf = mcf;
    redis->clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    redis->file = cf->conf_file->file.name.data;
    redis->line = cf->conf_file->line;

    redis->cluster = NGX_CONF_UNSET;
    redis->database = NGX_CONF_UNSET;
    redis->timeout = NGX_CONF_UNSET_MSEC;
    redis->connect_timeout = NGX_CONF_UNSET_MSEC;
    redis->fail_timeout = NGX_CONF_UNSET_MSEC;
    redis->connections = NGX_CONF_UNSET_UINT;
    redis->max_pending = NGX_CONF_UNSET_UINT;
    redis->max_reply = NGX_CONF_UNSET_SIZE;
    redis->ssl = NGX_CONF_UNSET;
    redis->ssl_verify = NGX_CONF_UNSET;
    redis->ssl_server_name = NGX_CONF_UNSET;
    ngx_http_llm_ssl_unset(&redis->ssl_conf);
    return redis;
}

// A certificate is for a name, and a path is none.
bool is_nameless(const ngx_http_llm_redis_t *redis) noexcept {
    auto *servers = servers_of(redis);
    return redis->ssl && redis->ssl_verify && redis->ssl_name.len == 0
           && std::any_of(servers, servers + redis->servers.nelts,
                          [](const ngx_http_llm_redis_server_t &server) {
                              return server.sockaddr != nullptr;
                          });
}

// What does not go together, and what needs what is not there.
const char *contradiction(const ngx_http_llm_redis_t *redis) noexcept {
    bool sentinel = redis->master.len != 0;
    struct {
        bool present;
        const char *what;
    } const rows[] = {
        {redis->servers.nelts == 0, "no \"server\""},
        {redis->cluster && sentinel,
         "\"cluster\" and \"sentinel\" exclude each other"},
        {redis->servers.nelts > 1 && !redis->cluster && !sentinel,
         "several servers need \"cluster on\" or \"sentinel\""},
        {redis->cluster && redis->database != 0,
         "a cluster has no \"database\" but 0"},
        {redis->auth.user.len != 0 && redis->auth.password.len == 0,
         "\"user\" needs a password"},
        {redis->sentinel_auth.user.len != 0
             && redis->sentinel_auth.password.len == 0,
         "\"sentinel_user\" needs a password"},
        {redis->sentinel_auth.password.len != 0 && !sentinel,
         "\"sentinel_password\" needs \"sentinel\""},
        {(redis->ssl_conf.certificate.len == 0)
             != (redis->ssl_conf.certificate_key.len == 0),
         "\"ssl_certificate\" and \"ssl_certificate_key\" need each other"},
        {is_nameless(redis), "TLS to a Unix socket needs \"ssl_name\""},
    };
    for (const auto &row : rows) {
        if (row.present) {
            return row.what;
        }
    }
    return nullptr;
}

// Fills in what the block did not say.
char *complete(ngx_conf_t *cf, ngx_http_llm_redis_t *redis) noexcept {
    ngx_conf_init_value(redis->cluster, 0);
    ngx_conf_init_value(redis->database, 0);
    ngx_conf_init_msec_value(redis->timeout, 200);
    ngx_conf_init_msec_value(redis->connect_timeout, 200);
    ngx_conf_init_msec_value(redis->fail_timeout, 5000);
    ngx_conf_init_uint_value(redis->connections, 2);
    ngx_conf_init_uint_value(redis->max_pending, 4096);
    ngx_conf_init_size_value(redis->max_reply, 64 * 1024 * 1024);
    ngx_conf_init_value(redis->ssl, 0);
    ngx_conf_init_value(redis->ssl_verify, 1);
    ngx_conf_init_value(redis->ssl_server_name, 1);
    ngx_http_llm_ssl_complete(&redis->ssl_conf);

    if (const char *what = contradiction(redis)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in llm_redis \"%V\"",
                           what, &redis->name);
        return conf_error();
    }

    auto port = redis->master.len ? sentinel_port : redis_port;
    for (ngx_uint_t i = 0; i < redis->servers.nelts; ++i) {
        auto &server = servers_of(redis)[i];
        if (server.port == 0 && server.sockaddr == nullptr) {
            server.port = port;
        }
    }
    return NGX_CONF_OK;
}

void stop(void *data) noexcept {
    ngx_http_llm_redises_stop(static_cast<ngx_http_llm_main_conf_t *>(data));
}

}  // namespace

char *ngx_http_llm_redis_block(ngx_conf_t *cf, ngx_command_t *,
                               void *data) noexcept {
    auto *mcf = static_cast<ngx_http_llm_main_conf_t *>(data);
    auto *name = arguments(cf) + 1;

    if (ngx_http_llm_check_name(cf, block_name, name) != NGX_OK) {
        return conf_error();
    }
    if (ngx_http_llm_find_redis(mcf, to_view(*name))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate llm_redis \"%V\"",
                           name);
        return conf_error();
    }

    auto *redis = create(cf, mcf, *name);
    auto **slot = static_cast<ngx_http_llm_redis_t **>(
        ngx_array_push(&mcf->redises));
    if (redis == nullptr || slot == nullptr) {
        return conf_error();
    }
    *slot = redis;

    auto *reason = ngx_http_llm_parse_block(cf, block_name, commands, redis);
    return reason == NGX_CONF_OK ? complete(cf, redis) : reason;
}

ngx_http_llm_redis_t *ngx_http_llm_find_redis(ngx_http_llm_main_conf_t *mcf,
                                              std::string_view name) noexcept {
    auto **redises = static_cast<ngx_http_llm_redis_t **>(mcf->redises.elts);
    for (ngx_uint_t i = 0; i < mcf->redises.nelts; ++i) {
        if (to_view(redises[i]->name) == name) {
            return redises[i];
        }
    }
    return nullptr;
}

char *ngx_http_llm_redises_init(ngx_conf_t *cf,
                                ngx_http_llm_main_conf_t *mcf) noexcept {
    if (mcf->redises.nelts == 0) {
        return NGX_CONF_OK;
    }
    auto **redises = static_cast<ngx_http_llm_redis_t **>(mcf->redises.elts);

    for (ngx_uint_t i = 0; i < mcf->redises.nelts; ++i) {
        auto *redis = redises[i];

        for (ngx_uint_t j = 0; j < redis->servers.nelts; ++j) {
            auto &server = servers_of(redis)[j];
            if (server.sockaddr) {
                continue;
            }
            server.endpoint = ngx_http_llm_endpoint(cf, mcf, server.host,
                                                    server.port);
            if (server.endpoint == nullptr) {
                return conf_error();
            }
        }

        if ((redis->cluster || redis->master.len)
            && ngx_http_llm_endpoints_later(cf, mcf) != NGX_OK)
        {
            return conf_error();
        }

        if (!redis->ssl) {
            continue;
        }
        redis->ssl_context = ngx_http_llm_ssl_context(
            cf, &redis->ssl_conf, redis->ssl_verify, false, nullptr);
        if (redis->ssl_context == nullptr) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "invalid TLS settings of llm_redis \"%V\" in %s:%ui",
                          &redis->name, redis->file, redis->line);
            return conf_error();
        }
    }

    // Where no process ends: "master_process off". Registered last, it runs
    // while there is still a resolver.
    auto *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == nullptr) {
        return conf_error();
    }
    cleanup->handler = stop;
    cleanup->data = mcf;
    return NGX_CONF_OK;
}
