// What llm_embedding's files share.
#pragma once

#include "embedding.hpp"

#include "side_call.hpp"
#include "llm/embedding_api.hpp"
#include "llm/static_embedding.hpp"

struct ngx_http_llm_recent_t;       // recent.hpp
struct ngx_http_llm_remote_t;       // remote.cpp

// Longer texts get no embedding: a question is not so long, and the time that
// a worker may spend on a text is bounded.
constexpr size_t ngx_http_llm_embedding_max_text = 16384;

struct ngx_http_llm_embedding_conf_t {
    ngx_http_llm_embedding_t embedding;     // first: what others know of it

    // model static: the table.
    llm::embedding::StaticTable *table;

    // Else: a provider's.
    ngx_str_t model;
    ngx_str_t provider_name;
    ngx_http_llm_provider_t *provider;
    const llm::embedding::Api *api;
    ngx_uint_t wanted_dimensions;           // "dimensions", or unset
    ngx_flag_t send_dimensions;
    std::string_view dimensions_member;     // of the openai API
    ngx_msec_t timeout;
    ngx_msec_t fail_timeout;
    ngx_uint_t connections;
    size_t recent_size;
    ngx_http_llm_recent_t *recent;          // NULL: off

    const char *url;
    ngx_http_llm_side_tls_t tls;
    bool per_client;        // its key or a header may differ between requests

    ngx_http_llm_remote_t *remote;          // of the worker

    u_char *file;           // where it was declared
    ngx_uint_t line;
};

inline ngx_http_llm_embedding_conf_t *ngx_http_llm_embedding_conf(
    ngx_http_llm_embedding_t *embedding) noexcept {
    return static_cast<ngx_http_llm_embedding_conf_t *>(embedding->impl);
}

// static.cpp. The built-in table where there is no file; a file's path is
// relative to the configuration's. NULL: logged as an error of the directive
// that is read.
llm::embedding::StaticTable *ngx_http_llm_static_table_open(
    ngx_conf_t *cf, const ngx_str_t *file) noexcept;

// Writes the vector; false: there is nothing to embed.
bool ngx_http_llm_static_embed(const llm::embedding::StaticTable &table,
                               std::string_view text, std::span<float> out)
    noexcept;

// remote.cpp. NGX_OK: the vector is in `out`. NGX_DECLINED: there is none.
// NGX_AGAIN: the waiter's handler will be called. `out`, and the waiter, must
// live until then.
ngx_int_t ngx_http_llm_remote_embed(ngx_http_request_t *r,
                                    ngx_http_llm_embedding_conf_t *conf,
                                    std::string_view text,
                                    std::span<float> out,
                                    ngx_http_llm_embed_waiter_t *waiter)
    noexcept;

// The handler will not be called any more; for any waiter, also one that does
// not wait.
void ngx_http_llm_remote_leave(ngx_http_llm_embed_waiter_t *waiter) noexcept;

// Frees what the worker has for this embedding.
void ngx_http_llm_remote_destroy(ngx_http_llm_embedding_conf_t *conf) noexcept;
