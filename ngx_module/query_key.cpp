#include "query_key.hpp"
#include "client_header.hpp"
#include "ngx_http_llm.hpp"

#include <algorithm>
#include <string_view>

#include "llm/format.hpp"

namespace {

constexpr std::string_view name = "key=";
constexpr std::string_view header_name = "x-goog-api-key";

bool is_googles(std::string_view path) {
    llm::ClientHints hints;
    hints.google_key = true;
    auto route = llm::match_route(path, hints);
    return route.format == &llm::gemini_format()
           || path.ends_with(":countTokens");
}

// Whether what llm_pass_through lets through goes to Google: any of its paths
// may have a key in its query.
bool passes_to_google(const ngx_http_llm_loc_conf_t *llcf) {
    if (llcf->pass_through == 0 || llcf->pass == nullptr
        || llcf->pass->pool == nullptr) {
        return false;
    }
    auto members = members_of(llcf->pass->pool);
    return std::any_of(members.begin(), members.end(),
                       [](const ngx_http_llm_member_t &member) {
                           return member.provider->format
                                  == &llm::gemini_format();
                       });
}

// Calls use(start, size) for each argument of a query.
template <typename Use>
void each_argument(u_char *start, u_char *end, Use use) {
    while (start < end) {
        auto next = static_cast<u_char *>(
            ngx_strlchr(start, end, '&'));
        if (next == nullptr) {
            next = end;
        }
        use(std::string_view(reinterpret_cast<char *>(start),
                             static_cast<size_t>(next - start)));
        start = next + 1;
    }
}

// Of a text with a URL in it, such as the request line.
void mask(ngx_str_t &text) {
    u_char *end = text.data + text.len;
    u_char *start = ngx_strlchr(text.data, end, '?');
    if (start == nullptr) {
        return;
    }
    if (u_char *blank = ngx_strlchr(start, end, ' ')) {
        end = blank;
    }
    each_argument(start + 1, end, [](std::string_view argument) {
        if (argument.starts_with(name)) {
            auto value = argument.substr(name.size());
            ngx_memset(to_ngx(value).data, '*', value.size());
        }
    });
}

// The key without escapes; empty where it cannot be a header's value.
ngx_int_t unescape(ngx_pool_t *pool, std::string_view value, ngx_str_t &key) {
    key.data = static_cast<u_char *>(ngx_pnalloc(pool, value.size()));
    if (key.data == nullptr) {
        return NGX_ERROR;
    }
    u_char *from = to_ngx(value).data;
    u_char *to = key.data;
    ngx_unescape_uri(&to, &from, value.size(), 0);
    key.len = static_cast<size_t>(to - key.data);
    for (size_t i = 0; i < key.len; ++i) {
        if (key.data[i] <= 0x20 || key.data[i] == 0x7F) {
            key.len = 0;
        }
    }
    return NGX_OK;
}

ngx_int_t add_header(ngx_http_request_t *r, const ngx_str_t &key) {
    auto header = static_cast<ngx_table_elt_t *>(
        ngx_list_push(&r->headers_in.headers));
    if (header == nullptr) {
        return NGX_ERROR;
    }
    *header = {};
    header->hash = ngx_hash_key(to_ngx(header_name).data, header_name.size());
    header->key = to_ngx(header_name);
    header->lowcase_key = header->key.data;
    header->value = key;
    return NGX_OK;
}

ngx_int_t move_key(ngx_http_request_t *r) {
    ngx_str_t rest;
    rest.data = static_cast<u_char *>(ngx_pnalloc(r->pool, r->args.len));
    if (rest.data == nullptr) {
        return NGX_ERROR;
    }
    u_char *end = rest.data;
    std::string_view value;
    each_argument(r->args.data, r->args.data + r->args.len,
                  [&](std::string_view argument) {
                      if (argument.starts_with(name)) {
                          value = argument.substr(name.size());
                          return;
                      }
                      if (end != rest.data) {
                          *end++ = '&';
                      }
                      end = ngx_cpymem(end, argument.data(), argument.size());
                  });
    if (value.data() == nullptr) {
        return NGX_DECLINED;
    }

    ngx_str_t key;
    if (unescape(r->pool, value, key) != NGX_OK) {
        return NGX_ERROR;
    }
    if (key.len
        && ngx_http_llm_client_header(r, header_name).empty()
        && add_header(r, key) != NGX_OK) {
        return NGX_ERROR;
    }

    mask(r->request_line);
    mask(r->unparsed_uri);
    rest.len = static_cast<size_t>(end - rest.data);
    r->args = rest;
    // A server behind gets the path and the arguments that are left.
    r->valid_unparsed_uri = 0;
    return NGX_DECLINED;
}

}  // namespace

ngx_int_t ngx_http_llm_query_key_handler(ngx_http_request_t *r) noexcept {
    if (r != r->main || r->args.len < name.size()) {
        return NGX_DECLINED;
    }
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));
    bool on = ngx_http_llm_is_on(llcf) || llcf->account.count_tokens
              || llcf->auth.auth || llcf->simulate;
    if (!on || !(is_googles(to_view(r->uri)) || passes_to_google(llcf))) {
        return NGX_DECLINED;
    }
    return move_key(r) == NGX_ERROR ? NGX_HTTP_INTERNAL_SERVER_ERROR
                                    : NGX_DECLINED;
}
