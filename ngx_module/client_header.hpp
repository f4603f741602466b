// A header of the client's request that nginx keeps no pointer to.
#pragma once

#include "ngx.hpp"

// The value of the first header of this name, in lower case; empty where
// there is none. A view into the request.
std::string_view ngx_http_llm_client_header(ngx_http_request_t *r,
                                            std::string_view name) noexcept;
