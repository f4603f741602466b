#include "credentials/credentials.hpp"

#include "block.hpp"
#include "llm/sigv4.hpp"

namespace {

using Credentials = ngx_http_llm_credentials_t;
using llm::credentials::Credential;

bool complain(ngx_http_request_t *r, const Credentials *credentials,
              const char *what) {
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "llm: credentials of \"%V\": %s, the request is not sent",
                  &credentials->provider, what);
    return false;
}

bool evaluate(ngx_http_request_t *r, ngx_http_complex_value_t *value,
              std::string &out) {
    ngx_str_t text = ngx_null_string;
    if (value && ngx_http_complex_value(r, value, &text) != NGX_OK) {
        return false;
    }
    out = to_view(text);
    return !ngx_http_llm_has_control(out);
}

void append(std::string &out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

bool ngx_http_llm_credentials_evaluate(ngx_http_request_t *r,
                                       const Credentials *credentials,
                                       Credential &keys) {
    keys.kind = Credential::Kind::aws;
    if (!evaluate(r, credentials->access_key, keys.access_key)
        || !evaluate(r, credentials->secret_key, keys.secret_key)
        || !evaluate(r, credentials->session_token, keys.token)) {
        return complain(r, credentials, "a key has control characters");
    }
    if (keys.access_key.empty() || keys.secret_key.empty()) {
        return complain(r, credentials, "a key is empty");
    }
    return true;
}

bool ngx_http_llm_credentials_headers(
    ngx_http_request_t *r, Credentials *credentials,
    const ngx_http_llm_signed_request_t &request, std::string &out) {
    Credential own;
    const Credential *shown = &own;
    if (ngx_http_llm_credentials_vary(credentials)) {
        if (!ngx_http_llm_credentials_evaluate(r, credentials, own)) {
            return false;
        }
    } else if (shown = ngx_http_llm_credentials_get(credentials);
               shown == nullptr) {
        return complain(r, credentials, "there are none");
    }
    ngx_http_llm_credentials_show(credentials, *shown, request, out);
    return true;
}

void ngx_http_llm_credentials_show(
    const Credentials *credentials, const Credential &shown,
    const ngx_http_llm_signed_request_t &request, std::string &out) {
    if (shown.kind == Credential::Kind::bearer) {
        append(out, "Authorization", "Bearer " + shown.token);
        return;
    }

    llm::HeaderField headers[] = {{"content-type", request.content_type}};
    llm::SigV4Request call;
    call.method = request.method;
    call.host = request.host;
    auto query = request.target.find('?');
    call.path = request.target.substr(0, query);
    if (query != request.target.npos) {
        call.query = request.target.substr(query + 1);
    }
    if (!request.content_type.empty()) {
        call.headers = headers;
    }
    call.payload = request.body;
    for (const auto &header : llm::sign_sigv4(
             call, {shown.access_key, shown.secret_key, shown.token},
             {credentials->region, credentials->service}, ngx_time())) {
        append(out, header.name, header.value);
    }
}
