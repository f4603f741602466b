/*
 * What nginx looks up in the file, see ngx_module/modules.c.
 */

#include <ngx_config.h>
#include <ngx_core.h>


extern ngx_module_t  ngx_http_llm_module;
extern ngx_module_t  ngx_http_llm_test_embed_module;

ngx_module_t *ngx_modules[] = {
    &ngx_http_llm_module,
    &ngx_http_llm_test_embed_module,
    NULL
};

char *ngx_module_names[] = {
    "ngx_http_llm_module",
    "ngx_http_llm_test_embed_module",
    NULL
};

char *ngx_module_order[] = {
    "ngx_http_llm_module",
    "ngx_http_copy_filter_module",
    NULL
};
