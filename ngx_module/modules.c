/*
 * What nginx looks up in a dynamic module: the modules in it, their names,
 * and the place of each in the order of modules. nginx's own build generates
 * such a table; with CMake we write it.
 *
 * Order: a module is put before the first of those named after it that
 * exists. Filters run from the end of the list to its start, so ours runs
 * right after the copy filter (what was in a file is in memory by then), and
 * before headers, gzip and chunked: it sees plain bytes, and add_header and
 * gzip see what we write.
 */

#include <ngx_config.h>
#include <ngx_core.h>


extern ngx_module_t  ngx_http_llm_module;

ngx_module_t *ngx_modules[] = {
    &ngx_http_llm_module,
    NULL
};

char *ngx_module_names[] = {
    "ngx_http_llm_module",
    NULL
};

char *ngx_module_order[] = {
    "ngx_http_llm_module",
    "ngx_http_copy_filter_module",
    NULL
};
