#include "auth/conf.hpp"

#include "auth/auth.hpp"
#include "auth/key_file.hpp"
#include "auth/key_store.hpp"
#include "consumer.hpp"
#include "setter.hpp"

namespace {

using Auth = ngx_http_llm_auth_t;
using Conf = ngx_http_llm_auth_conf_t;

constexpr ngx_uint_t anywhere =
    NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

char *invalid(ngx_conf_t *cf, ngx_str_t *word) noexcept {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"", word);
    return conf_error();
}

bool is_header_name(std::string_view name) noexcept {
    constexpr std::string_view others = "-_";
    for (char c : name) {
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')
            && !(c >= '0' && c <= '9') && others.find(c) == others.npos) {
            return false;
        }
    }
    return !name.empty();
}

bool add_header(ngx_conf_t *cf, Auth *auth, std::string_view name) noexcept {
    auto header = static_cast<ngx_str_t *>(ngx_array_push(&auth->headers));
    if (header == nullptr) {
        return false;
    }
    header->len = name.size();
    header->data = static_cast<u_char *>(ngx_pnalloc(cf->pool, name.size()));
    if (header->data == nullptr) {
        return false;
    }
    ngx_strlow(header->data, to_ngx(name).data, name.size());
    return true;
}

// header=NAME,...
bool add_headers(ngx_conf_t *cf, Auth *auth, std::string_view names) noexcept {
    for (;;) {
        std::string_view name = names.substr(0, names.find(','));
        if (!is_header_name(name) || !add_header(cf, auth, name)) {
            return false;
        }
        if (name.size() == names.size()) {
            return true;
        }
        names.remove_prefix(name.size() + 1);
    }
}

// llm_auth file=PATH | redis=NAME [PARAMETER ...] [header=NAME,...] | off;
char *set_auth(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept {
    Conf *own = &static_cast<ngx_http_llm_loc_conf_t *>(conf)->auth;
    auto value = arguments(cf);

    if (own->auth != NGX_CONF_UNSET_PTR) {
        return conf_error("is duplicate");
    }
    if (to_view(value[1]) == "off") {
        if (cf->args->nelts > 2) {
            return conf_error("is off and takes nothing more");
        }
        own->auth = nullptr;
        return NGX_CONF_OK;
    }

    auto auth = static_cast<Auth *>(ngx_pcalloc(cf->pool, sizeof(Auth)));
    if (auth == nullptr
        || ngx_array_init(&auth->headers, cf->pool, 3, sizeof(ngx_str_t))
               != NGX_OK) {
        return conf_error();
    }

    auto mcf = static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_module));
    std::string_view file;
    ngx_http_llm_key_store_options_t store;

    for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
        std::string_view word = to_view(value[i]);
        if (word.starts_with("file=") && word.size() > 5 && file.empty()) {
            file = word.substr(5);
        } else if (word.starts_with("header=")) {
            if (auth->headers.nelts || !add_headers(cf, auth, word.substr(7)))
            {
                return invalid(cf, &value[i]);
            }
        } else if (!store.set(word)) {
            return invalid(cf, &value[i]);
        }
    }

    if (file.empty() == store.redis.empty()) {
        return conf_error(
            "must have either a \"file\" or a \"redis\" parameter");
    }
    if (!file.empty() && store.any) {
        return conf_error("has parameters for Redis beside \"file\"");
    }
    if (auth->headers.nelts == 0) {
        for (auto name : ngx_http_llm_credential_headers) {
            if (!add_header(cf, auth, name)) {
                return conf_error();
            }
        }
    }
    if (!file.empty()) {
        ngx_str_t path = to_ngx(file);
        auth->file = ngx_http_llm_key_file(cf, mcf, &path);
    } else {
        auth->store = ngx_http_llm_key_store(cf, mcf, store);
    }
    if (auth->file == nullptr && auth->store == nullptr) {
        return conf_error();
    }
    own->auth = auth;
    return NGX_CONF_OK;
}

// llm_allow_models PATTERN ...; llm_deny_models PATTERN ...;
char *set_models(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept {
    auto member = reinterpret_cast<ngx_array_t **>(static_cast<char *>(conf)
                                                   + cmd->offset);
    auto value = arguments(cf);

    if (*member != NGX_CONF_UNSET_PTR) {
        return conf_error("is duplicate");
    }
    *member = ngx_array_create(cf->pool, cf->args->nelts - 1,
                               sizeof(ngx_http_complex_value_t));
    if (*member == nullptr) {
        return conf_error();
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
        auto pattern =
            static_cast<ngx_http_complex_value_t *>(ngx_array_push(*member));
        if (pattern == nullptr) {
            return conf_error();
        }
        ngx_http_compile_complex_value_t ccv = {};
        ccv.cf = cf;
        ccv.value = &value[i];
        ccv.complex_value = pattern;
        if (value[i].len == 0) {
            return invalid(cf, &value[i]);
        }
        if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}

}  // namespace

ngx_command_t ngx_http_llm_auth_commands[] = {
    {ngx_string("llm_auth"), anywhere | NGX_CONF_1MORE, set_auth,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_allow_models"), anywhere | NGX_CONF_1MORE, set_models,
     NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(ngx_http_llm_loc_conf_t, auth.allowed_models), nullptr},

    {ngx_string("llm_deny_models"), anywhere | NGX_CONF_1MORE, set_models,
     NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(ngx_http_llm_loc_conf_t, auth.denied_models), nullptr},

    ngx_null_command,
};

void ngx_http_llm_auth_conf_create(Conf *conf) noexcept {
    conf->auth = static_cast<Auth *>(NGX_CONF_UNSET_PTR);
    conf->allowed_models = static_cast<ngx_array_t *>(NGX_CONF_UNSET_PTR);
    conf->denied_models = static_cast<ngx_array_t *>(NGX_CONF_UNSET_PTR);
}

void ngx_http_llm_auth_conf_merge(Conf *prev, Conf *conf) noexcept {
    ngx_conf_merge_ptr_value(conf->auth, prev->auth, nullptr);
    ngx_conf_merge_ptr_value(conf->allowed_models, prev->allowed_models,
                             nullptr);
    ngx_conf_merge_ptr_value(conf->denied_models, prev->denied_models,
                             nullptr);
}

char *ngx_http_llm_auth_init(ngx_conf_t *cf,
                             ngx_http_llm_main_conf_t *mcf) noexcept {
    return ngx_http_llm_key_stores_init(cf, mcf);
}

ngx_int_t ngx_http_llm_auth_start(ngx_cycle_t *cycle,
                                  ngx_http_llm_main_conf_t *mcf) noexcept {
    auto files = static_cast<ngx_http_llm_key_file_t **>(mcf->key_files.elts);
    for (ngx_uint_t i = 0; i < mcf->key_files.nelts; ++i) {
        ngx_http_llm_key_file_watch(cycle, files[i]);
    }
    return NGX_OK;
}
