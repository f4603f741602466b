#include "client_header.hpp"

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
