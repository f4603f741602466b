// llm_cache_purge ZONE: a content handler that deletes entries.
#pragma once

#include "ngx.hpp"

char *ngx_http_llm_cache_purge_directive(ngx_conf_t *cf, ngx_command_t *cmd,
                                         void *conf) noexcept;
