// A header of the client's request that nginx keeps no pointer to.
#pragma once

#include "ngx.hpp"

// The value of the first header of this name, in lower case; empty where
// there is none. A view into the request.
std::string_view ngx_http_llm_client_header(ngx_http_request_t *r,
                                            std::string_view name) noexcept;

// Calls use(value) for each header of this name, in lower case.
template <typename Use>
void ngx_http_llm_each_client_header(ngx_http_request_t *r,
                                     std::string_view name, Use use) {
    for (ngx_list_part_t *part = &r->headers_in.headers.part; part;
         part = part->next) {
        auto headers = static_cast<ngx_table_elt_t *>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; ++i) {
            // nginx has made the names lower case already.
            if (headers[i].lowcase_key
                && std::string_view(
                       reinterpret_cast<char *>(headers[i].lowcase_key),
                       headers[i].key.len) == name) {
                use(to_view(headers[i].value));
            }
        }
    }
}

// Takes the header of this name, in lower case, whose value is this very view
// out of the request: it is not passed on, and its variable is empty. False:
// no memory.
bool ngx_http_llm_remove_client_header(ngx_http_request_t *r,
                                       std::string_view name,
                                       std::string_view value) noexcept;
