// Waiting for addresses inside a coroutine.
#pragma once

#include "context.hpp"
#include "endpoint.hpp"
#include "task.hpp"

// Ends when the hosts of the pool have addresses, or have failed to get any:
// at once where all are known. Looks up all hosts at the same time. NGX_OK.
task::Task ngx_http_llm_endpoints_ready(ngx_http_request_t *r,
                                        ngx_http_llm_pool_t *pool);
