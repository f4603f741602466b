// Which member is asked next, and the connection to it.
#pragma once

#include "upstream.hpp"

// Whether a try after this one could go to some member.
bool ngx_http_llm_peer_has_next(ngx_http_llm_upstream_ctx_t *up) noexcept;
