// What the parts of the module share: the configuration's types. Everything
// here is made while the configuration is read and never changes after it;
// what a worker learns at run time hangs behind the opaque pointers.
#pragma once

#include "ngx.hpp"

#include "account/conf.hpp"
#include "auth/conf.hpp"
#include "cache/conf.hpp"
#include "limit/conf.hpp"

#include <span>

#include "llm/embedding_format.hpp"
#include "llm/format.hpp"

extern "C" ngx_module_t ngx_http_llm_module;

// What a worker knows of a host's addresses (endpoint.hpp).
struct ngx_http_llm_endpoint_t;

// Credentials that end (credentials/credentials.hpp).
struct ngx_http_llm_credentials_t;

// The sums by model (account/totals.hpp).
struct ngx_http_llm_totals_t;

// llm_redis (redis/redis_conf.hpp).
struct ngx_http_llm_redis_t;

// Where the health of a pool's members is (pool_zone.hpp).
struct ngx_http_llm_pool_shctx_t;

struct ngx_http_llm_header_t {
    ngx_str_t name;
    ngx_http_complex_value_t value;
};

// Another API that a provider speaks, at a path of its own.
struct ngx_http_llm_also_t {
    const llm::Format *format;
    ngx_str_t path;             // as ngx_http_llm_provider_t::path
};

// llm_provider NAME { ... }: where requests of one format are sent to.
struct ngx_http_llm_provider_t {
    ngx_str_t name;
    ngx_str_t preset;           // its name; empty: none
    const llm::Format *format;
    ngx_array_t also;           // ngx_http_llm_also_t: spoken as well, so
                                // that calls in one of them stay in it
    const llm::embedding::Api *embeddings;  // NULL: it has none
    llm::Quirks quirks;

    // The parts of "url".
    ngx_str_t host;             // without port, no brackets around IPv6
    ngx_str_t host_header;      // as the Host header has it
    in_port_t port;
    ngx_str_t path;             // prefix of every path, no slash at its end
    ngx_flag_t ssl;

    ngx_http_complex_value_t *api_key;  // NULL: none is sent
    ngx_str_t key_header;       // empty: the format's own
    ngx_http_llm_credentials_t *auth;   // instead of a key; NULL: none
    ngx_array_t headers;        // ngx_http_llm_header_t, the operator's own

    // Timeouts, buffer size, TLS. Its member "upstream" is unused: a request
    // goes through the uscf of its pool.
    ngx_http_upstream_conf_t upstream;
    // Idle connections and the TLS session, per worker (keepalive.hpp).
    struct ngx_http_llm_keepalive_t *idle;
    ngx_http_complex_value_t ssl_name;  // what upstream.ssl_name points to
    ngx_uint_t keepalive;       // idle connections kept, per worker
    ngx_msec_t keepalive_timeout;

    // The host is the name of an upstream {} block: that one chooses servers.
    ngx_http_upstream_srv_conf_t *group;
    // Else: its addresses, static or resolved at run time.
    ngx_http_llm_endpoint_t *endpoint;

    u_char *file;               // where it was declared
    ngx_uint_t line;
};

// One model of a pool.
struct ngx_http_llm_member_t {
    ngx_http_llm_provider_t *provider;
    ngx_str_t model;            // the provider's name for it; empty: the
                                // client's model as it is
    ngx_str_t name;             // "provider/model", as X-LLM-Model says it
    ngx_str_t alias;            // as=, may be empty
    ngx_uint_t weight;
    ngx_uint_t max_fails;       // 0: never out of rotation for failures
    time_t fail_timeout;        // seconds
    unsigned backup:1;
    unsigned down:1;
};

// Why a try on one member may be followed by a try on another.
enum : ngx_uint_t {
    NGX_HTTP_LLM_NEXT_OFF              = 0x01,
    NGX_HTTP_LLM_NEXT_ERROR            = 0x02,  // connecting, sending, reading
    NGX_HTTP_LLM_NEXT_TIMEOUT          = 0x04,
    NGX_HTTP_LLM_NEXT_INVALID_RESPONSE = 0x08,  // no answer of the format
    NGX_HTTP_LLM_NEXT_HTTP_429         = 0x10,
    NGX_HTTP_LLM_NEXT_HTTP_5XX         = 0x20,  // 500..599, 529 included
    NGX_HTTP_LLM_NEXT_HTTP_408         = 0x40,  // 408, 409, 425: try again
    NGX_HTTP_LLM_NEXT_HTTP_401         = 0x80,
    NGX_HTTP_LLM_NEXT_HTTP_403         = 0x100,
    NGX_HTTP_LLM_NEXT_HTTP_404         = 0x200,
};

// llm_upstream NAME { ... }. A provider that llm_pass names by itself has a
// pool of one member, whose model is the client's.
struct ngx_http_llm_pool_t {
    ngx_str_t name;
    ngx_array_t members;        // ngx_http_llm_member_t
    ngx_uint_t next_upstream;   // NGX_HTTP_LLM_NEXT_*
    ngx_uint_t tries;           // 0: as many as there are members
    ngx_msec_t timeout;         // for all tries together; 0: no limit

    ngx_shm_zone_t *shm_zone;   // NULL: each worker has its own health
    ngx_http_llm_pool_shctx_t *health;

    // The upstream {} that nginx's machinery is shown; only peer.init counts.
    ngx_http_upstream_srv_conf_t uscf;
    // What a request starts with until a member is chosen, whose own conf
    // then takes its place: the first member's, but for its "upstream".
    ngx_http_upstream_conf_t conf;

    unsigned implicit:1;        // the pool of one provider
    u_char *file;
    ngx_uint_t line;
};

inline std::span<ngx_http_llm_member_t> members_of(
    const ngx_http_llm_pool_t *pool) noexcept {
    return {static_cast<ngx_http_llm_member_t *>(pool->members.elts),
            pool->members.nelts};
}

struct ngx_http_llm_main_conf_t {
    ngx_array_t providers;      // ngx_http_llm_provider_t *
    ngx_array_t pools;          // ngx_http_llm_pool_t *, implicit ones too
    ngx_array_t passes;         // ngx_http_llm_pass_t *, bound at the end
    ngx_resolver_t *resolver;   // of resolv.conf, made when one is needed
    ngx_array_t endpoints;      // ngx_http_llm_endpoint_t *
    ngx_array_t redises;        // ngx_http_llm_redis_t *
    ngx_array_t embeddings;     // ngx_http_llm_embedding_t *
    ngx_array_t cache_zones;    // ngx_http_llm_cache_zone_t *
    ngx_array_t cache_uses;     // ngx_http_llm_cache_use_t *, to be bound
    ngx_array_t key_files;      // ngx_http_llm_key_file_t *
    ngx_array_t key_stores;     // ngx_http_llm_key_store_t *
    ngx_http_llm_totals_t *totals;  // NULL: nobody wants to know
    ngx_array_t limit_zones;    // ngx_http_llm_limit_zone_t *
    ngx_array_t limit_rules;    // ngx_http_llm_limit_rule_t *, to be bound
};

inline std::span<ngx_http_llm_pool_t *> pools_of(
    const ngx_http_llm_main_conf_t *mcf) noexcept {
    return {static_cast<ngx_http_llm_pool_t **>(mcf->pools.elts),
            mcf->pools.nelts};
}

// llm_pass: where the requests of a location go.
struct ngx_http_llm_pass_t {
    ngx_http_llm_pool_t *pool;          // a name, or
    ngx_http_complex_value_t *value;    // a value with variables
    ngx_flag_t strict;                  // unknown models are a 404
    u_char *file;
    ngx_uint_t line;
    ngx_str_t name;                     // as written, until it is bound
};

struct ngx_http_llm_loc_conf_t {
    ngx_http_llm_pass_t *pass;
    ngx_flag_t enable;          // llm on: other content handlers, too
    ngx_uint_t drop_unsupported;    // llm_unsupported drop
    ngx_uint_t pass_through;    // llm_pass_through: bits of its groups
    ngx_flag_t headers;         // llm_headers: X-LLM-Model
    size_t max_response;        // llm_max_response_size: one-shot answers
    size_t max_event;           // llm_max_event_size: one event of a stream
    ngx_int_t max_depth;        // llm_max_depth: nesting of a body
    void *simulate;             // ngx_http_llm_simulate_conf_t *
    ngx_http_complex_value_t *consumer;     // llm_consumer: who asks
    ngx_http_llm_auth_conf_t auth;
    ngx_http_llm_account_conf_t account;
    ngx_http_llm_cache_conf_t cache;
    ngx_http_llm_cache_use_t purge;         // llm_cache_purge
    ngx_http_llm_limit_conf_t limit;
};

// Whether the calls of a location are the module's business. What only counts
// tokens answers no call. A policy is on
// for whatever answers, unless "llm off" says that nothing is.
inline bool ngx_http_llm_is_on(const ngx_http_llm_loc_conf_t *llcf) noexcept {
    if (llcf->pass) {
        return true;
    }
    if (llcf->account.count_tokens || llcf->enable == 0) {
        return false;
    }
    return llcf->enable == 1 || llcf->cache.use.zone || llcf->auth.auth
           || llcf->auth.allowed_models || llcf->auth.denied_models
           || ngx_http_llm_limit_is_on(llcf->limit);
}

// Directive handlers and life-cycle hooks, by file.

// provider/: llm_provider
char *ngx_http_llm_provider_block(ngx_conf_t *cf, ngx_command_t *cmd,
                                  void *conf);
ngx_http_llm_provider_t *ngx_http_llm_find_provider(
    ngx_http_llm_main_conf_t *mcf, std::string_view name);
// What the provider is sent where a client speaks this format, and where.
ngx_http_llm_also_t ngx_http_llm_provider_speaks(
    const ngx_http_llm_provider_t *provider,
    const llm::Format *client) noexcept;
// Likewise for embeddings. NULL: it has none.
const llm::embedding::Api *ngx_http_llm_provider_embeddings(
    const ngx_http_llm_provider_t *provider,
    const llm::embedding::Api *client) noexcept;

// A worker's start and end, for the credentials of providers.
ngx_int_t ngx_http_llm_providers_start(ngx_http_llm_main_conf_t *mcf) noexcept;
void ngx_http_llm_providers_stop(ngx_http_llm_main_conf_t *mcf) noexcept;

// redis/: llm_redis, llm_redis' connections
char *ngx_http_llm_redis_block(ngx_conf_t *cf, ngx_command_t *cmd,
                               void *conf) noexcept;
char *ngx_http_llm_redises_init(ngx_conf_t *cf,
                                ngx_http_llm_main_conf_t *mcf) noexcept;
ngx_int_t ngx_http_llm_redises_start(ngx_cycle_t *cycle,
                                     ngx_http_llm_main_conf_t *mcf) noexcept;
void ngx_http_llm_redises_stop(ngx_http_llm_main_conf_t *mcf) noexcept;

// embedding/: llm_embedding
char *ngx_http_llm_embedding_block(ngx_conf_t *cf, ngx_command_t *cmd,
                                   void *conf) noexcept;
char *ngx_http_llm_embeddings_init(ngx_conf_t *cf,
                                   ngx_http_llm_main_conf_t *mcf) noexcept;
ngx_int_t ngx_http_llm_embeddings_start(ngx_cycle_t *cycle,
                                        ngx_http_llm_main_conf_t *mcf)
    noexcept;
void ngx_http_llm_embeddings_stop(ngx_http_llm_main_conf_t *mcf) noexcept;

// cache/: llm_cache_zone
char *ngx_http_llm_cache_zone_block(ngx_conf_t *cf, ngx_command_t *cmd,
                                    void *conf) noexcept;
char *ngx_http_llm_cache_zones_init(ngx_conf_t *cf,
                                    ngx_http_llm_main_conf_t *mcf) noexcept;
ngx_int_t ngx_http_llm_cache_zones_start(ngx_cycle_t *cycle,
                                         ngx_http_llm_main_conf_t *mcf)
    noexcept;

// limit/: llm_limit_zone
ngx_http_llm_limit_zone_t *ngx_http_llm_find_limit_zone(
    ngx_http_llm_main_conf_t *mcf, std::string_view name) noexcept;
char *ngx_http_llm_limit_zones_init(ngx_conf_t *cf,
                                    ngx_http_llm_main_conf_t *mcf) noexcept;
// Warns of a location that counts money and knows no prices.
void ngx_http_llm_limit_check_prices(
    ngx_conf_t *cf, const ngx_http_llm_loc_conf_t *llcf) noexcept;
ngx_int_t ngx_http_llm_limit_zones_start(ngx_cycle_t *cycle,
                                         ngx_http_llm_main_conf_t *mcf)
    noexcept;

// pool.cpp: llm_upstream
char *ngx_http_llm_upstream_block(ngx_conf_t *cf, ngx_command_t *cmd,
                                  void *conf);
ngx_http_llm_pool_t *ngx_http_llm_find_pool(ngx_http_llm_main_conf_t *mcf,
                                            std::string_view name);
// The pool of one provider; made at the first call for it. NULL: no memory.
ngx_http_llm_pool_t *ngx_http_llm_provider_pool(
    ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf,
    ngx_http_llm_provider_t *provider);

// Called from init_main_conf, when all of http {} is read: binds members to
// providers, hosts to upstream {} blocks, completes TLS; errors name the file
// and line of the block.
char *ngx_http_llm_providers_init(ngx_conf_t *cf,
                                  ngx_http_llm_main_conf_t *mcf);
char *ngx_http_llm_pools_init(ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf);
