#include "consumer.hpp"

#include <algorithm>

#include "auth/auth.hpp"
#include "client_header.hpp"

std::string_view ngx_http_llm_consumer(
    ngx_http_request_t *r, const ngx_http_llm_loc_conf_t *llcf) noexcept {
    if (const llm::Consumer *consumer = ngx_http_llm_auth_consumer(r)) {
        return consumer->name;
    }
    ngx_str_t value;
    if (llcf->consumer == nullptr
        || ngx_http_complex_value(r, llcf->consumer, &value) != NGX_OK) {
        return {};
    }
    return to_view(value);
}

std::string_view ngx_http_llm_consumer_identity(
    ngx_http_request_t *r, const ngx_http_llm_loc_conf_t *llcf) noexcept {
    // A name must not be taken for a credential, nor one header for another.
    constexpr auto &headers = ngx_http_llm_credential_headers;
    std::string_view parts[std::size(headers) + 1];
    size_t size = 1;

    std::string_view name = ngx_http_llm_consumer(r, llcf);
    if (name.empty()) {
        for (size_t i = 0; i < std::size(headers); ++i) {
            parts[i] = ngx_http_llm_client_header(r, headers[i]);
        }
        // Google's API takes it in a query, too.
        ngx_str_t key = ngx_null_string;
        (void) ngx_http_arg(r, to_ngx("key").data, 3, &key);
        parts[std::size(headers)] = to_view(key);
        for (std::string_view part : parts) {
            size += part.size() + 1;
        }
        if (size == 1 + std::size(parts)) {
            return "";
        }
    } else {
        size += name.size();
    }

    auto start = static_cast<u_char *>(ngx_pnalloc(r->pool, size));
    if (start == nullptr) {
        return {};
    }
    u_char *p = start;
    if (!name.empty()) {
        *p++ = 'n';
        p = std::copy(name.begin(), name.end(), p);
    } else {
        *p++ = 'c';
        for (std::string_view part : parts) {
            p = std::copy(part.begin(), part.end(), p);
            *p++ = '\n';    // no header value has one
        }
    }
    return {reinterpret_cast<char *>(start), static_cast<size_t>(p - start)};
}
