#include "client_header.hpp"

#include <algorithm>

namespace {

bool has_name(const ngx_table_elt_t &header, std::string_view name) noexcept {
    // nginx has made the names lower case already.
    return header.lowcase_key
           && std::string_view(reinterpret_cast<char *>(header.lowcase_key),
                               header.key.len) == name;
}

// A part that has become empty: nginx's loops over a list take such only as
// the first.
void unlink_part(ngx_list_t *list, ngx_list_part_t *part) noexcept {
    auto before = &list->part;
    if (before == part) {
        return;
    }
    while (before->next != part) {
        before = before->next;
    }
    before->next = part->next;
    if (list->last != part) {
        return;
    }
    list->last = before;
    if (before->nelts == 0) {
        before->elts = part->elts;      // with its room
    } else {
        list->nalloc = before->nelts;   // it may have been cut short
    }
}

// Headers are pointed to, so the others must not move: the part is cut in two.
// False: no memory.
bool remove_element(ngx_list_t *list, ngx_list_part_t *part,
                    ngx_uint_t at) noexcept {
    auto elements = static_cast<ngx_table_elt_t *>(part->elts);

    if (at == 0 && part->nelts > 1) {
        part->elts = elements + 1;
        --part->nelts;
        if (list->last == part) {
            --list->nalloc;
        }
        return true;
    }
    if (at + 1 == part->nelts) {
        part->nelts = at;
        if (at == 0) {
            unlink_part(list, part);
        }
        return true;
    }
    auto rest = static_cast<ngx_list_part_t *>(
        ngx_palloc(list->pool, sizeof(ngx_list_part_t)));
    if (rest == nullptr) {
        return false;
    }
    rest->elts = elements + at + 1;
    rest->nelts = part->nelts - at - 1;
    rest->next = part->next;
    part->nelts = at;
    part->next = rest;
    if (list->last == part) {
        list->last = rest;
        list->nalloc -= at + 1;     // so much room is where the rest begins
    }
    return true;
}

// $http_NAME as it was when somebody asked for it, limit_req_zone say: nginx
// would go on giving that value, to logs too.
void forget_variable(ngx_http_request_t *r, std::string_view name) noexcept {
    constexpr std::string_view prefix = "http_";
    auto cmcf = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_get_module_main_conf(r, ngx_http_core_module));
    auto variables = static_cast<ngx_http_variable_t *>(cmcf->variables.elts);

    for (ngx_uint_t i = 0; i < cmcf->variables.nelts; ++i) {
        std::string_view variable = to_view(variables[i].name);
        if (variable.starts_with(prefix)
            && std::equal(variable.begin() + prefix.size(), variable.end(),
                          name.begin(), name.end(), [](char a, char b) {
                              return a == (b == '-' ? '_' : b);
                          })) {
            r->variables[i].valid = 0;
            r->variables[i].not_found = 0;
        }
    }
}

}  // namespace

std::string_view ngx_http_llm_client_header(ngx_http_request_t *r,
                                            std::string_view name) noexcept {
    std::string_view first;
    ngx_http_llm_each_client_header(r, name, [&](std::string_view value) {
        if (first.data() == nullptr) {
            first = value;
        }
    });
    return first;
}

bool ngx_http_llm_remove_client_header(ngx_http_request_t *r,
                                       std::string_view name,
                                       std::string_view value) noexcept {
    ngx_list_t *list = &r->headers_in.headers;
    for (ngx_list_part_t *part = &list->part; part; part = part->next) {
        auto headers = static_cast<ngx_table_elt_t *>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; ++i) {
            if (!has_name(headers[i], name)
                || headers[i].value.data != to_ngx(value).data) {
                continue;
            }
            if (r->headers_in.authorization == &headers[i]) {
                r->headers_in.authorization = nullptr;
            }
            forget_variable(r, name);
            return remove_element(list, part, i);
        }
    }
    return true;
}
