// DELETE or POST to a location with llm_cache_purge:
//
//     .../purge                        all entries of the zone
//     .../purge?partition=HEX          those of one partition
//     .../purge?key=HEX                one, by its X-Cache-Key
//
// answered with {"purged": COUNT} (of this machine's memory).
#include "cache/purge.hpp"

#include <new>
#include <optional>

#include "answer.hpp"
#include "cache/redis_tier.hpp"
#include "setter.hpp"

namespace {

using llm::cache::ZoneKey;

constexpr std::string_view json = "application/json";

// A request for an answer of its own: no policy of the gateway's has run, so
// there is a task here, too.
struct Purge {
    explicit Purge(ngx_http_request_t *r) : request(r) {}

    ngx_http_request_t *request;
    ngx_http_llm_cache_zone_t *zone = nullptr;
    std::optional<ZoneKey> key;
    std::optional<ZoneKey> partition;
    size_t purged = 0;
    task::Task flow;
};

void destroy(void *data) noexcept {
    static_cast<Purge *>(data)->~Purge();
}

void cancel(void *data) noexcept {
    static_cast<Purge *>(data)->flow = task::Task();
}

int digit(u_char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// NGX_OK, NGX_DECLINED: there is no such argument, or NGX_ERROR.
ngx_int_t read_argument(ngx_http_request_t *r, std::string_view name,
                        std::optional<ZoneKey> &key) {
    ngx_str_t value;
    ngx_str_t text = to_ngx(name);
    if (ngx_http_arg(r, text.data, text.len, &value) != NGX_OK) {
        return NGX_DECLINED;
    }
    key.emplace();
    if (value.len != 2 * key->size()) {
        return NGX_ERROR;
    }
    for (size_t i = 0; i < key->size(); ++i) {
        int high = digit(value.data[2 * i]);
        int low = digit(value.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return NGX_ERROR;
        }
        (*key)[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return NGX_OK;
}

ngx_int_t refuse(ngx_http_request_t *r, ngx_uint_t status,
                 const char *message) {
    return ngx_http_llm_send_text(
        r, status, json,
        std::string("{\"error\":{\"message\":\"") + message + "\"}}\n");
}

ngx_int_t answer(Purge *purge) {
    if (purge->flow.result() != NGX_OK) {
        return refuse(purge->request, NGX_HTTP_SERVICE_UNAVAILABLE,
                      "the entries in memory are gone, but Redis does not "
                      "answer");
    }
    return ngx_http_llm_send_text(
        purge->request, NGX_HTTP_OK, json,
        "{\"purged\":" + std::to_string(purge->purged) + "}\n");
}

void finished(void *data) noexcept {
    auto purge = static_cast<Purge *>(data);
    ngx_http_request_t *r = purge->request;
    ngx_connection_t *c = r->connection;

    ngx_http_set_log_request(c->log, r);
    ngx_int_t rc;
    try {
        rc = answer(purge);
    } catch (const std::bad_alloc &) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}

task::Task run(ngx_http_request_t *r, Purge *purge) {
    {
        ngx_http_llm_cache_locked_t locked(purge->zone);
        if (purge->key) {
            purge->purged = locked->remove(*purge->key);
            (void) locked.learned().remove(*purge->key);
        } else if (purge->partition) {
            purge->purged = locked->purge_partition(*purge->partition);
        } else {
            purge->purged = locked->stats().entries;
            locked->purge_all();
            locked.learned().purge_all();
        }
    }
    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "llm: %uz entries of \"%V\" purged", purge->purged,
                  &purge->zone->name);
    if (purge->zone->redis == nullptr) {
        co_return NGX_OK;
    }
    co_return co_await ngx_http_llm_cache_redis_purge(
        r, purge->zone, purge->key ? &*purge->key : nullptr,
        purge->partition ? &*purge->partition : nullptr);
}

ngx_int_t purge_handler(ngx_http_request_t *r) noexcept try {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));

    static ngx_str_t method = ngx_string("PURGE");
    bool is_purge = to_view(r->method_name) == to_view(method);
    if (!(r->method & (NGX_HTTP_DELETE | NGX_HTTP_POST)) && !is_purge) {
        return NGX_HTTP_NOT_ALLOWED;
    }
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    auto cln = ngx_pool_cleanup_add(r->pool, sizeof(Purge));
    auto early = ngx_http_cleanup_add(r, 0);
    if (cln == nullptr || early == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    auto purge = new (cln->data) Purge(r);
    cln->handler = destroy;
    early->handler = cancel;
    early->data = purge;
    purge->zone = llcf->purge.zone;

    ngx_int_t key = read_argument(r, "key", purge->key);
    ngx_int_t partition = read_argument(r, "partition", purge->partition);
    if (key == NGX_ERROR || partition == NGX_ERROR) {
        return refuse(r, NGX_HTTP_BAD_REQUEST,
                      "key and partition are 64 hexadecimal digits, as "
                      "X-Cache-Key and $llm_cache_partition have them");
    }
    if (key == NGX_OK && partition == NGX_OK) {
        return refuse(r, NGX_HTTP_BAD_REQUEST,
                      "either a key or a partition, not both");
    }
    if (key == NGX_DECLINED && partition == NGX_DECLINED && r->args.len) {
        // A misspelt argument must not purge everything.
        return refuse(r, NGX_HTTP_BAD_REQUEST,
                      "the arguments are key and partition; with none of them "
                      "all entries are purged");
    }

    purge->flow = run(r, purge);
    if (purge->flow.start(finished, purge)) {
        return answer(purge);
    }
    r->main->count++;
    return NGX_DONE;

} catch (const std::bad_alloc &) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}

}  // namespace

char *ngx_http_llm_cache_purge_directive(ngx_conf_t *cf, ngx_command_t *,
                                         void *conf) noexcept {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(conf);
    auto value = arguments(cf);

    if (llcf->purge.name.data) {
        return conf_error("is duplicate");
    }
    llcf->purge.name = value[1];
    llcf->purge.file = cf->conf_file->file.name.data;
    llcf->purge.line = cf->conf_file->line;

    auto mcf = static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_module));
    auto slot = static_cast<ngx_http_llm_cache_use_t **>(
        ngx_array_push(&mcf->cache_uses));
    if (slot == nullptr) {
        return conf_error();
    }
    *slot = &llcf->purge;

    auto clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    clcf->handler = purge_handler;
    return NGX_CONF_OK;
}
