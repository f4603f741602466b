// For the functions that set a directive: the words of its line, and their
// results as the type that nginx wants.
#pragma once

#include "ngx.hpp"

// The first one is the directive's own name.
inline ngx_str_t *arguments(ngx_conf_t *cf) noexcept {
    return static_cast<ngx_str_t *>(cf->args->elts);
}

// What is wrong, for nginx to log behind the directive's name.
inline char *conf_error(const char *reason) noexcept {
    return const_cast<char *>(reason);
}

// What is wrong is logged already.
inline char *conf_error() noexcept {
    return static_cast<char *>(NGX_CONF_ERROR);
}
