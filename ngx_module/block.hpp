// Blocks with directives of their own, such as llm_provider NAME { ... }:
// tables of ngx_command_t, so that nginx's slot setters work in them, with
// nginx's own checks and words.
#pragma once

#include "ngx.hpp"

// Beside the argument bits of ngx_command_t.type: may stand several times.
// Any other directive is refused as a duplicate the second time.
constexpr ngx_uint_t NGX_HTTP_LLM_REPEATABLE = 0x00002000;

// Reads the block whose name has just been parsed, up to its "}". `commands`
// ends with ngx_null_command and has at most 64 rows, of which only name,
// type, set, offset and post are used; `conf` is what setters are given.
// "include" works inside. `block` names the block in errors.
char *ngx_http_llm_parse_block(ngx_conf_t *cf, const char *block,
                               ngx_command_t *commands, void *conf) noexcept;

// NGX_OK: a name of [A-Za-z0-9_.-]+; else logs and returns NGX_ERROR. Names
// have no "/", which stands between a provider and its model.
ngx_int_t ngx_http_llm_check_name(ngx_conf_t *cf, const char *block,
                                  ngx_str_t *name) noexcept;

// Whether a text has bytes that no header value may have (RFC 9110, 5.5).
bool ngx_http_llm_has_control(std::string_view text) noexcept;
