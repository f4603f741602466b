// What an llm_redis block says.
#pragma once

#include "ngx_http_llm.hpp"
#include "provider_ssl.hpp"

namespace redis {
class Client;
}

// server ADDRESS;
struct ngx_http_llm_redis_server_t {
    ngx_str_t name;             // as it was written
    ngx_str_t host;             // without brackets; empty: a Unix socket
    in_port_t port;             // 0 until the block is complete: the default
    ngx_http_llm_endpoint_t *endpoint;
    struct sockaddr *sockaddr;  // of a Unix socket
    socklen_t socklen;
};

// Who the worker says that it is; no password: nobody.
struct ngx_http_llm_redis_auth_t {
    ngx_str_t user;             // empty: the default user
    ngx_str_t password;
};

struct ngx_http_llm_redis_t {
    ngx_str_t name;
    ngx_array_t servers;        // ngx_http_llm_redis_server_t
    ngx_flag_t cluster;
    ngx_str_t master;           // the name that Sentinels know; empty: none
    ngx_http_llm_redis_auth_t auth;
    ngx_http_llm_redis_auth_t sentinel_auth;
    ngx_int_t database;

    ngx_msec_t timeout;         // of a command, all tries together
    ngx_msec_t connect_timeout; // TLS and AUTH included
    ngx_msec_t fail_timeout;
    ngx_uint_t connections;     // for each worker and server
    ngx_uint_t max_pending;     // commands, for each worker and server
    size_t max_reply;

    ngx_flag_t ssl;
    ngx_flag_t ssl_verify;
    ngx_flag_t ssl_server_name;
    ngx_str_t ssl_name;         // empty: the server's own
    ngx_http_llm_provider_ssl_t ssl_conf;
    ngx_ssl_t *ssl_context;

    ngx_http_llm_main_conf_t *mcf;
    ngx_http_core_loc_conf_t *clcf;     // of http {}
    u_char *file;               // where it was declared
    ngx_uint_t line;

    // The worker's own, made when it is first needed.
    redis::Client *client;
};
