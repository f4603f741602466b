// The module itself.

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
}

namespace {

struct LocationConf {
    ngx_flag_t enable;
};

void *create_loc_conf(ngx_conf_t *cf) noexcept {
    auto *conf = static_cast<LocationConf *>(
        ngx_pcalloc(cf->pool, sizeof(LocationConf)));
    if (conf != nullptr) {
        conf->enable = NGX_CONF_UNSET;
    }
    return conf;
}

char *merge_loc_conf(ngx_conf_t *, void *parent, void *child) noexcept {
    auto *previous = static_cast<LocationConf *>(parent);
    auto *conf = static_cast<LocationConf *>(child);
    ngx_conf_merge_value(conf->enable, previous->enable, 0);
    return NGX_CONF_OK;
}

ngx_command_t commands[] = {
    {ngx_string("llm"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(LocationConf, enable), nullptr},
    ngx_null_command};

ngx_http_module_t context = {nullptr, nullptr, nullptr,         nullptr,
                             nullptr, nullptr, create_loc_conf, merge_loc_conf};

}  // namespace

extern "C" {
ngx_module_t ngx_http_llm_module = {
    NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE,
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
    NGX_MODULE_V1_PADDING};
}
