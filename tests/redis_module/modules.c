/*
 * The product's module and, behind it, the one that tests use it with.
 */

#include <ngx_config.h>
#include <ngx_core.h>


extern ngx_module_t  ngx_http_llm_module;
extern ngx_module_t  ngx_http_llm_test_redis_module;

ngx_module_t *ngx_modules[] = {
    &ngx_http_llm_module,
    &ngx_http_llm_test_redis_module,
    NULL
};

char *ngx_module_names[] = {
    "ngx_http_llm_module",
    "ngx_http_llm_test_redis_module",
    NULL
};

/* Of the first one only: it is what decides where the filters are. */
char *ngx_module_order[] = {
    "ngx_http_llm_module",
    "ngx_http_copy_filter_module",
    NULL
};
