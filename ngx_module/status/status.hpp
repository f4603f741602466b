// llm_status and llm_metrics: content handlers that show how the gateway is.
#pragma once

#include "ngx.hpp"

// The directives, up to an ngx_null_command.
extern ngx_command_t ngx_http_llm_status_commands[];
