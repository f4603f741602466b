// Limits in llm_status and llm_metrics.
#pragma once

#include "ngx_http_llm.hpp"

#include "llm/json.hpp"
#include "llm/metrics.hpp"

// The member "limits".
void ngx_http_llm_limit_write_status(ngx_http_llm_main_conf_t *mcf,
                                     llm::json::Writer &json);
void ngx_http_llm_limit_write_metrics(ngx_http_llm_main_conf_t *mcf,
                                      llm::metrics::Exposition &exposition);
