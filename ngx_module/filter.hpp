// The header and body filters: errors of nginx's own making get the shape of
// the client's API, and answers of other content handlers are accounted for.
#pragma once

#include "context.hpp"

// Puts both on top of the filter chains; from postconfiguration.
void ngx_http_llm_filter_init() noexcept;
