// Which member is asked next, and the connection to it.
#pragma once

#include "upstream.hpp"

// Whether the call has a try left after this one.
bool ngx_http_llm_peer_has_next(ngx_http_llm_upstream_ctx_t *up) noexcept;
