#include "upstream.hpp"
#include "answer.hpp"
#include "client_header.hpp"
#include "credentials/credentials.hpp"
#include "pass_through.hpp"

#include <charconv>
#include <new>
#include <string>

#include "llm/url.hpp"

namespace {

// A header's value as HTTP allows it: no control characters. What has some
// comes from a variable that a client can reach; it is never sent.
bool is_header_value(std::string_view value) {
    for (unsigned char c : value) {
        if ((c < 0x20 && c != '\t') || c == 0x7F) {
            return false;
        }
    }
    return true;
}

class Head {
public:
    explicit Head(std::string &out) : out_(out) {}

    Head &text(std::string_view view) {
        out_.append(view);
        return *this;
    }
    Head &header(std::string_view name, std::string_view value) {
        return text(name).text(": ").text(value).text("\r\n");
    }

private:
    std::string &out_;
};

bool evaluate(ngx_http_request_t *r, const ngx_http_complex_value_t &value,
              std::string_view what, std::string_view &out) {
    ngx_str_t text;
    if (ngx_http_complex_value(
            r, const_cast<ngx_http_complex_value_t *>(&value), &text)
        != NGX_OK) {
        return false;
    }
    out = to_view(text);
    if (!is_header_value(out)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "llm: the value of \"%*s\" holds control characters, "
                      "the request is not sent", what.size(), what.data());
        return false;
    }
    return true;
}

const ngx_http_llm_header_t *find_own(const ngx_http_llm_provider_t *provider,
                                      std::string_view name) noexcept {
    auto own = static_cast<ngx_http_llm_header_t *>(provider->headers.elts);
    for (ngx_uint_t i = 0; i < provider->headers.nelts; ++i) {
        if (own[i].name.len == name.size()
            && ngx_strncasecmp(own[i].name.data, to_ngx(name).data,
                               name.size()) == 0) {
            return &own[i];
        }
    }
    return nullptr;
}

constexpr std::string_view beta_header = "anthropic-beta";

// InvokeModel has in its body what Anthropic's headers say elsewhere.
bool says_headers_in_body(const ngx_http_llm_provider_t *provider) noexcept {
    return provider->quirks.hosting == llm::Hosting::bedrock;
}

// How the provider wants its key: "authorization" or a header's name.
std::string_view key_header(const ngx_http_llm_provider_t *provider,
                            const llm::Exchange &exchange) noexcept {
    if (provider->key_header.len) {
        return to_view(provider->key_header);
    }
    return exchange.operation() == llm::Operation::embeddings
               ? exchange.provider_embeddings()->key_header()
               : exchange.provider().key_header();
}

bool add_key(ngx_http_request_t *r, const ngx_http_llm_provider_t *provider,
             std::string_view name, Head &head) {
    if (provider->api_key == nullptr) {
        return true;
    }
    std::string_view key;
    if (!evaluate(r, *provider->api_key, "api_key", key)) {
        return false;
    }
    if (key.empty()) {
        return true;
    }

    if (name == "authorization") {
        // A variable may hold the client's own header.
        bool whole = ngx_strncasecmp(to_ngx(key).data,
                                     to_ngx("Bearer ").data,
                                     ngx_min(key.size(), size_t{7})) == 0
                     && key.size() > 7;
        head.text("Authorization: ").text(whole ? "" : "Bearer ").text(key)
            .text("\r\n");
        return true;
    }
    head.header(name, key);
    return true;
}

bool write_head(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
                const ngx_http_llm_provider_t *provider, size_t body_size,
                std::string &out) {
    const llm::Format &format = ctx->exchange->provider();
    bool stream = ctx->exchange->head().stream;
    Head head(out);
    bool chat = ctx->exchange->operation() == llm::Operation::chat;
    std::string path = ctx->exchange->request_path(to_view(
        chat ? ngx_http_llm_provider_speaks(provider, &format).path
             : provider->path));

    bool passed = ctx->route.operation == llm::Operation::pass_through;
    bool get = ctx->exchange->operation() == llm::Operation::models;

    if (passed) {
        if (r->request_body_no_buffering) {
            body_size = static_cast<size_t>(
                ngx_max(r->headers_in.content_length_n, 0));
        }
        ngx_http_llm_pass_through_head(r, ctx, path, body_size, out);
    } else {
        head.text(get ? "GET " : "POST ").text(path)
            .text(" HTTP/1.1\r\n");
        head.header("Host", to_view(provider->host_header));
    }

    if (!get && !passed) {
        char digits[24];
        auto end =
            std::to_chars(digits, digits + sizeof(digits), body_size).ptr;
        head.header("Content-Type", "application/json");
        head.header("Content-Length",
                    {digits, static_cast<size_t>(end - digits)});
    }
    if (!passed) {
        head.header("Accept",
                    stream ? ctx->exchange->answer_wire().stream_type
                           : "application/json");
        // A translated answer is read here, so it must come uncompressed.
        head.header("Accept-Encoding", "identity");
        if (provider->keepalive == 0 && provider->group == nullptr) {
            head.header("Connection", "close");
        }
    }

    auto own = static_cast<ngx_http_llm_header_t *>(provider->headers.elts);
    auto is_own = [&](std::string_view name) {
        return find_own(provider, name) != nullptr;
    };
    bool in_body = says_headers_in_body(provider);

    // Lists such as anthropic-beta may come in several lines.
    auto pass = [&](std::string_view name) {
        if (is_own(name)) {
            return;
        }
        ngx_http_llm_each_client_header(r, name, [&](std::string_view value) {
            if (!value.empty() && is_header_value(value)) {
                head.header(name, value);
            }
        });
    };
    if (!in_body) {
        for (auto name : format.client_headers()) {
            pass(name);
        }
    }
    for (std::string_view name : {"traceparent", "tracestate"}) {
        pass(name);
    }
    for (const auto &field : format.headers()) {
        if (in_body) {
            break;
        }
        bool sent = false;
        for (auto name : format.client_headers()) {
            sent = sent || (name == field.name
                            && !ngx_http_llm_client_header(r, name).empty());
        }
        if (!sent && !is_own(field.name)) {
            head.header(field.name, field.value);
        }
    }

    if (provider->auth) {
        // Of the body as it goes out, which is final now; anew for each try.
        ngx_http_llm_signed_request_t request;
        request.method = get      ? "GET"
                         : passed ? to_view(r->method_name)
                                  : "POST";
        request.host = to_view(provider->host_header);
        request.target = path;
        if (!get) {
            request.content_type = "application/json";
            if (passed) {
                request.content_type =
                    ngx_http_llm_pass_through_type(ctx);
            }
            request.body = ctx->exchange->pieces();
        }
        if (!ngx_http_llm_credentials_headers(r, provider->auth, request,
                                              out)) {
            return false;
        }
    }
    std::string_view key = key_header(provider, *ctx->exchange);
    if (!is_own(key) && !add_key(r, provider, key, head)) {
        return false;
    }

    for (ngx_uint_t i = 0; i < provider->headers.nelts; ++i) {
        if (in_body && &own[i] == find_own(provider, beta_header)) {
            continue;
        }
        std::string_view value;
        if (!evaluate(r, own[i].value, to_view(own[i].name), value)) {
            return false;
        }
        if (!value.empty()) {
            head.header(to_view(own[i].name), value);
        }
    }

    head.text("\r\n");
    return true;
}

ngx_buf_t *make_buf(ngx_pool_t *pool, std::string_view bytes) {
    auto b = static_cast<ngx_buf_t *>(ngx_calloc_buf(pool));
    if (b == nullptr) {
        return nullptr;
    }
    // A retry rewinds pos to start.
    b->start = b->pos = to_ngx(bytes).data;
    b->end = b->last = b->pos + bytes.size();
    b->memory = 1;
    return b;
}

}  // namespace

bool ngx_http_llm_upstream_betas(ngx_http_request_t *r,
                                 const ngx_http_llm_provider_t *provider,
                                 std::string_view &betas) {
    if (!says_headers_in_body(provider)) {
        return true;
    }
    if (const auto *own = find_own(provider, beta_header)) {
        return evaluate(r, own->value, beta_header, betas);
    }
    std::string listed;
    ngx_http_llm_each_client_header(
        r, beta_header, [&](std::string_view value) {
            listed.append(listed.empty() ? "" : ",").append(value);
        });
    if (listed.empty()) {
        return true;
    }
    betas = ngx_http_llm_own(r->pool, std::move(listed));
    return betas.data() != nullptr;
}

ngx_chain_t *ngx_http_llm_upstream_request(
    ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
    const ngx_http_llm_provider_t *provider) noexcept try {
    const auto &pieces = ctx->exchange->pieces();
    size_t body_size = 0;
    for (auto piece : pieces) {
        body_size += piece.size();
    }
    auto passed = ctx->passed_body;

    std::string head;
    head.reserve(1024);
    if (!write_head(r, ctx, provider, body_size + passed.size(), head)) {
        return nullptr;
    }

    // Small bodies go out in one buffer with the head. Made pieces belong to
    // the exchange, which may write them anew for the next try: copied too.
    constexpr size_t small = 16384;
    bool copy = body_size <= small || !ctx->exchange->passes_through();
    size_t size = head.size() + (copy ? body_size : 0);
    auto memory = static_cast<u_char *>(ngx_pnalloc(r->pool, size));
    if (memory == nullptr) {
        return nullptr;
    }
    u_char *p = ngx_cpymem(memory, head.data(), head.size());
    if (copy) {
        for (auto piece : pieces) {
            p = ngx_cpymem(p, piece.data(), piece.size());
        }
    }

    ngx_chain_t *chain = nullptr;
    ngx_chain_t **last = &chain;
    auto append = [&](std::string_view bytes) {
        auto cl = ngx_alloc_chain_link(r->pool);
        auto b = make_buf(r->pool, bytes);
        if (cl == nullptr || b == nullptr) {
            return false;
        }
        cl->buf = b;
        cl->next = nullptr;
        *last = cl;
        last = &cl->next;
        return true;
    };

    if (!append({reinterpret_cast<char *>(memory), size})
        || (!passed.empty() && !append(passed))) {
        return nullptr;
    }
    if (!copy) {
        auto body = ctx->body;
        for (auto piece : pieces) {
            bool client = piece.data() >= body.data()
                          && piece.data() < body.data() + body.size();
            std::string_view bytes = piece;
            if (!client) {
                auto own = static_cast<u_char *>(
                    ngx_pnalloc(r->pool, piece.size()));
                if (own == nullptr) {
                    return nullptr;
                }
                ngx_memcpy(own, piece.data(), piece.size());
                bytes = {reinterpret_cast<char *>(own), piece.size()};
            }
            if (!append(bytes)) {
                return nullptr;
            }
        }
    }

    // Over TLS, what is not flushed waits for more, or for an event of the
    // connection, which one that has been kept does not have.
    ngx_chain_t *end = chain;
    while (end->next) {
        end = end->next;
    }
    end->buf->flush = 1;
    return chain;

} catch (const std::bad_alloc &) {
    return nullptr;
}
