#include "pass_through.hpp"

#include <algorithm>
#include <charconv>
#include <new>

#include "answer.hpp"
#include "auth/auth.hpp"
#include "client_header.hpp"
#include "credentials/credentials.hpp"
#include "limit/conf.hpp"
#include "ngx_http_llm.hpp"
#include "request_body.hpp"
#include "setter.hpp"

namespace {

using llm::pass_through::everything;

// Headers of a client that its provider is to have: what it asks for, and how
// the body is. No credentials, no cookies, nothing of the connection's.
constexpr std::string_view client_headers[] = {
    "content-encoding",  "content-language",
    "idempotency-key",   "if-match",            "if-modified-since",
    "if-none-match",     "if-range",            "if-unmodified-since",
    "openai-beta",       "prefer",              "range",
};

// Of a WebSocket's handshake (RFC 6455, 11.3). Without extensions: what is
// compressed could not be read.
constexpr std::string_view upgrade_headers[] = {
    "sec-websocket-key", "sec-websocket-version",
};

// Headers of a provider that its client is not to have: nginx's own, those of
// the connection, and what is of the operator's account.
constexpr std::string_view withheld[] = {
    "alt-svc",           "connection",         "content-length",
    "content-type",      "date",               "keep-alive",
    "nel",               "openai-organization", "openai-project",
    "proxy-authenticate", "report-to",         "retry-after",
    "retry-after-ms",    "server",             "set-cookie",
    "strict-transport-security", "te",         "trailer",
    "transfer-encoding", "www-authenticate",
};

constexpr std::string_view withheld_prefixes[] = {
    "anthropic-ratelimit-",
    "cf-",
    "x-accel-",
    "x-ratelimit-",
};

bool is_harmless(ngx_http_request_t *r) noexcept {
    return (r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD | NGX_HTTP_OPTIONS))
           != 0;
}

bool equal_nocase(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size()
           && ngx_strncasecmp(to_ngx(a).data, to_ngx(b).data, a.size()) == 0;
}

bool wants_upgrade(ngx_http_request_t *r) noexcept {
    return r->method == NGX_HTTP_GET && r->headers_in.upgrade
           && r->http_version == NGX_HTTP_VERSION_11
           && equal_nocase(to_view(r->headers_in.upgrade->value), "websocket");
}

bool has_model_rules(ngx_http_request_t *r,
                     const ngx_http_llm_loc_conf_t *llcf) {
    return ngx_http_llm_model_rules_t(r, llcf).any();
}

// Whether a limit is about some models.
bool limits_models(const ngx_http_llm_loc_conf_t *llcf) noexcept {
    if (!ngx_http_llm_limit_is_on(llcf->limit)) {
        return false;
    }
    auto rules = static_cast<ngx_http_llm_limit_rule_t **>(
        llcf->limit.rules->elts);
    for (ngx_uint_t i = 0; i < llcf->limit.rules->nelts; ++i) {
        if (rules[i]->models.nelts) {
            return true;
        }
    }
    return false;
}

bool signs(const ngx_http_llm_provider_t *provider) noexcept {
    return provider->auth
           && provider->auth->cloud == ngx_http_llm_credentials_t::Cloud::aws;
}

// Whether the call may go to a provider whose requests are signed, their
// bodies too.
bool may_be_signed(ngx_http_request_t *r, const ngx_http_llm_pass_t *pass) {
    if (pass->value) {
        auto mcf = static_cast<ngx_http_llm_main_conf_t *>(
            ngx_http_get_module_main_conf(r, ngx_http_llm_module));
        auto providers = static_cast<ngx_http_llm_provider_t **>(
            mcf->providers.elts);
        return std::any_of(providers, providers + mcf->providers.nelts,
                           signs);
    }
    auto members = members_of(pass->pool);
    return std::any_of(members.begin(), members.end(),
                       [](const ngx_http_llm_member_t &member) {
                           return signs(member.provider);
                       });
}

// Tokens of a list that are no keys: browsers cannot set headers, and OpenAI
// takes the key as a protocol's name from them.
std::string without_keys(std::string_view protocols) {
    constexpr std::string_view key = "openai-insecure-api-key.";
    std::string kept;
    while (!protocols.empty()) {
        std::string_view one = protocols.substr(0, protocols.find(','));
        protocols.remove_prefix(std::min(one.size() + 1, protocols.size()));
        while (one.starts_with(' ') || one.starts_with('\t')) {
            one.remove_prefix(1);
        }
        if (!one.empty() && !one.starts_with(key)) {
            kept.append(kept.empty() ? "" : ", ").append(one);
        }
    }
    return kept;
}

bool is_header_value(std::string_view value) noexcept {
    return std::none_of(value.begin(), value.end(), [](char c) {
        auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && byte != '\t') || byte == 0x7F;
    });
}

bool is_withheld(std::string_view name) noexcept {
    auto is = [&](std::string_view other) { return equal_nocase(name, other); };
    auto begins = [&](std::string_view prefix) {
        return name.size() >= prefix.size()
               && equal_nocase(name.substr(0, prefix.size()), prefix);
    };
    return std::any_of(std::begin(withheld), std::end(withheld), is)
           || std::any_of(std::begin(withheld_prefixes),
                          std::end(withheld_prefixes), begins);
}

ssize_t recv_tunnel(ngx_connection_t *c, u_char *buf, size_t size) noexcept
try {
    auto r = static_cast<ngx_http_request_t *>(c->data);
    auto up = ngx_http_llm_find_ctx(r)->upstream;

    ssize_t n = up->recv(c, buf, size);
    if (n > 0) {
        (void) up->ctx->exchange->feed(
            {reinterpret_cast<char *>(buf), static_cast<size_t>(n)});
    }
    return n;

} catch (const std::bad_alloc &) {
    return NGX_ERROR;
}

// The model of a form that is sent on as it comes, for who logs it.
void look_into(ngx_http_llm_ctx_t *ctx, ngx_chain_t *in) {
    constexpr size_t most = 16384;

    for (auto cl = in; cl; cl = cl->next) {
        if (!ngx_buf_in_memory(cl->buf)) {
            continue;
        }
        std::string_view bytes(
            reinterpret_cast<char *>(cl->buf->pos),
            static_cast<size_t>(cl->buf->last - cl->buf->pos));
        ctx->form_start.append(
            bytes.substr(0, most - ctx->form_start.size()));
    }
    ctx->exchange->note_model(ctx->form_start);
    std::string_view model = ctx->exchange->head().model;
    if (!model.empty()) {
        ctx->model = model;
        if (ctx->answered) {
            ctx->answered_model = to_ngx(model);
        }
    }
    if (!model.empty() || ctx->form_start.size() == most) {
        ctx->form_start = {};
        ctx->form_read = 1;
    }
}

ngx_http_request_body_filter_pt next_request_body_filter;

ngx_int_t request_body_filter(ngx_http_request_t *r, ngx_chain_t *in) noexcept
try {
    auto ctx = static_cast<ngx_http_llm_ctx_t *>(
        ngx_http_get_module_ctx(r, ngx_http_llm_module));
    if (ctx && r->request_body_no_buffering && ctx->exchange
        && ctx->exchange->operation() == llm::Operation::pass_through
        && !ctx->form_read) {
        look_into(ctx, in);
    }
    return next_request_body_filter(r, in);

} catch (const std::bad_alloc &) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}

}  // namespace

char *ngx_http_llm_pass_through_directive(ngx_conf_t *cf, ngx_command_t *,
                                          void *conf) noexcept {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(conf);
    auto value = arguments(cf);

    if (llcf->pass_through != NGX_CONF_UNSET_UINT) {
        return conf_error("is duplicate");
    }
    llcf->pass_through = 0;
    for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
        std::string_view word = to_view(value[i]);
        if (cf->args->nelts == 2 && word == "off") {
            continue;
        }
        if (cf->args->nelts == 2 && word == "on") {
            llcf->pass_through = everything;
            continue;
        }
        bool known = false;
        for (const auto &group : llm::pass_through::groups()) {
            if (group.name == word) {
                llcf->pass_through |= group.bit;
                known = true;
            }
        }
        if (!known) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid value \"%V\"",
                               &value[i]);
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}

void ngx_http_llm_pass_through_init() noexcept {
    next_request_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = request_body_filter;
}

bool ngx_http_llm_pass_through_match(ngx_http_request_t *r,
                                     ngx_http_llm_ctx_t *ctx,
                                     const ngx_http_llm_loc_conf_t *llcf) {
    if (llcf->pass == nullptr || llcf->pass_through == 0) {
        return false;
    }
    auto clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    std::string_view prefix;
#if (NGX_PCRE)
    if (clcf->regex == nullptr)
#endif
    {
        prefix = to_view(clcf->name);
    }
    auto path = llm::pass_through::split_path(to_view(r->uri), prefix);
    if (!(llcf->pass_through & everything)
        && !(llcf->pass_through & llm::pass_through::group_of(path))) {
        return false;
    }

    ctx->pass_through = {path, to_view(r->args),
                         ngx_http_llm_client_header(r, "content-type"),
                         wants_upgrade(r)};
    bool anthropic =
        !ngx_http_llm_client_header(r, "anthropic-version").empty();
    ctx->route = {};
    ctx->route.format = anthropic ? &llm::anthropic_format()
                                  : &llm::openai_format();
    ctx->route.operation = llm::Operation::pass_through;
    return true;
}

bool ngx_http_llm_pass_through_reads_body(
    ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
    const ngx_http_llm_loc_conf_t *llcf) {
    if (r->headers_in.content_length_n <= 0 && !r->headers_in.chunked) {
        return false;
    }
    std::string_view type = ctx->pass_through.content_type;
    constexpr std::string_view json = "application/json";
    if (equal_nocase(type.substr(0, json.size()), json)) {
        return true;
    }
    if (r->headers_in.chunked || r->headers_in.content_length_n < 0) {
        // To say how long it is.
        return true;
    }
    if (may_be_signed(r, llcf->pass)) {
        return true;
    }
    if (llm::pass_through::boundary_of(type).empty()) {
        return false;
    }
    return llcf->pass->value || !llcf->pass->pool->implicit
           || limits_models(llcf) || has_model_rules(r, llcf);
}

llm::Result<void> ngx_http_llm_pass_through_open(
    ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
    const ngx_http_llm_loc_conf_t *llcf) {
    auto opened = ctx->exchange->open_pass_through(ctx->pass_through);
    if (!opened || !ctx->exchange->head().model.empty()) {
        return opened;
    }
    if (is_harmless(r) && !ctx->pass_through.upgrade) {
        return {};
    }
    return ngx_http_llm_check_unknown_call(r, llcf);
}

namespace {

// nginx streams a body only where some of it is still to come. One that has
// come whole by now is the request's, as if it had been read first.
void body_handler(ngx_http_request_t *r) noexcept {
    auto ctx = ngx_http_llm_find_ctx(r);
    if (!r->request_body_no_buffering && ctx->body.empty()
        && ngx_http_llm_collect_body(r, ctx->passed_body) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }
    ngx_http_upstream_init(r);
}

// Whether somebody has read the body since, as "mirror" does, and has left it.
bool is_read(const ngx_http_request_t *r) noexcept {
    off_t size = 0;
    for (auto cl = r->request_body->bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }
    return size == r->headers_in.content_length_n;
}

}  // namespace

ngx_int_t ngx_http_llm_pass_through_start(ngx_http_request_t *r) noexcept {
    auto ctx = ngx_http_llm_find_ctx(r);
    if (r->request_body && ctx->body.empty()
        && r->headers_in.content_length_n > 0 && !is_read(r)) {
        // Another location has sent it on already.
        return NGX_HTTP_BAD_GATEWAY;
    }
    // What has been read belongs to the exchange by now.
    r->request_body_no_buffering = r->request_body == nullptr;
    ngx_int_t rc = ngx_http_read_client_request_body(r, body_handler);
    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}

std::string_view ngx_http_llm_pass_through_type(
    const ngx_http_llm_ctx_t *ctx) noexcept {
    // One, the one by which the body was read.
    std::string_view type = ctx->pass_through.content_type;
    return is_header_value(type) ? type : std::string_view();
}

void ngx_http_llm_pass_through_head(ngx_http_request_t *r,
                                    ngx_http_llm_ctx_t *ctx,
                                    std::string_view path, size_t body_size,
                                    std::string &out) {
    auto header = [&](std::string_view name, std::string_view value) {
        out.append(name).append(": ").append(value).append("\r\n");
    };
    auto pass = [&](std::string_view name) {
        ngx_http_llm_each_client_header(r, name, [&](std::string_view value) {
            if (!value.empty() && is_header_value(value)) {
                header(name, value);
            }
        });
    };

    auto provider = ctx->answered->provider;
    out.append(to_view(r->method_name)).append(" ").append(path)
        .append(" HTTP/1.1\r\n");
    header("Host", to_view(provider->host_header));

    if (ctx->pass_through.upgrade) {
        header("Upgrade", "websocket");
        header("Connection", "Upgrade");
        for (auto name : upgrade_headers) {
            pass(name);
        }
        ngx_http_llm_each_client_header(
            r, "sec-websocket-protocol", [&](std::string_view value) {
                auto kept = without_keys(value);
                if (!kept.empty() && is_header_value(kept)) {
                    header("sec-websocket-protocol", kept);
                }
            });
    } else if (provider->keepalive == 0 && provider->group == nullptr) {
        header("Connection", "close");
    }

    if (!is_harmless(r) || body_size) {
        char digits[24];
        auto end =
            std::to_chars(digits, digits + sizeof(digits), body_size).ptr;
        header("Content-Length",
               {digits, static_cast<size_t>(end - digits)});
    }
    std::string_view accept = ngx_http_llm_client_header(r, "accept");
    header("Accept", accept.empty() || !is_header_value(accept) ? "*/*"
                                                                : accept);
    // The usage is read out of the answer.
    header("Accept-Encoding", "identity");
    if (std::string_view type = ngx_http_llm_pass_through_type(ctx);
        !type.empty()) {
        header("Content-Type", type);
    }
    for (auto name : client_headers) {
        pass(name);
    }
}

bool ngx_http_llm_pass_through_keep(ngx_http_request_t *r,
                                    ngx_http_llm_upstream_ctx_t *up,
                                    std::string_view name,
                                    std::string_view value) noexcept {
    // nginx says "Connection: upgrade" of itself, but not to what.
    bool upgrade = equal_nocase(name, "upgrade");
    if (is_withheld(name) || !is_header_value(value)
        || upgrade != (upgrade && up->status.code == 101)) {
        return true;
    }
    if (up->kept == nullptr) {
        up->kept = ngx_list_create(r->pool, 8, sizeof(ngx_keyval_t));
        if (up->kept == nullptr) {
            return false;
        }
    }
    auto pair = static_cast<ngx_keyval_t *>(ngx_list_push(up->kept));
    auto text = static_cast<u_char *>(
        ngx_pnalloc(r->pool, name.size() + value.size() + 1));
    if (pair == nullptr || text == nullptr) {
        return false;
    }
    u_char *p = ngx_cpymem(text, name.data(), name.size());
    ngx_memcpy(p, value.data(), value.size());
    pair->key = {name.size(), text};
    pair->value = {value.size(), p};
    return true;
}

ngx_int_t ngx_http_llm_pass_through_headers(
    ngx_http_request_t *r, ngx_http_llm_upstream_ctx_t *up) noexcept {
    std::string_view request_id =
        up->ctx->exchange->answer_wire().request_id_header;
    for (auto part = up->kept ? &up->kept->part : nullptr; part;
         part = part->next) {
        auto pairs = static_cast<ngx_keyval_t *>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; ++i) {
            if (equal_nocase(to_view(pairs[i].key), request_id)) {
                continue;       // it goes under the client's name for it
            }
            auto h = static_cast<ngx_table_elt_t *>(
                ngx_list_push(&r->headers_out.headers));
            if (h == nullptr) {
                return NGX_ERROR;
            }
            *h = {};
            h->hash = 1;
            h->key = pairs[i].key;
            h->value = pairs[i].value;
            if (equal_nocase(to_view(h->key), "content-encoding")) {
                // So that nobody encodes it once more.
                r->headers_out.content_encoding = h;
            }
        }
    }
    return NGX_OK;
}

void ngx_http_llm_pass_through_tunnel(
    ngx_http_request_t *r, ngx_http_llm_upstream_ctx_t *up) noexcept {
    ngx_connection_t *c = r->upstream->peer.connection;
    r->upstream->upgrade = 1;
    up->recv = c->recv;
    c->recv = recv_tunnel;
}
