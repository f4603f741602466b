#include "account/conf.hpp"

#include <new>
#include <string>

#include "account/count.hpp"
#include "account/tables.hpp"
#include "account/totals.hpp"
#include "llm/price.hpp"
#include "ngx_http_llm.hpp"
#include "setter.hpp"

namespace {

using llm::price::Table;

// More than all models of the world.
constexpr off_t max_file = 16 * 1024 * 1024;

void destroy(void *data) noexcept {
    static_cast<Table *>(data)->~Table();
}

// NGX_ERROR: logged.
ngx_int_t read_file(ngx_conf_t *cf, ngx_str_t *name, std::string &text) {
    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_ERROR;
    }
    ngx_file_t file = {};
    file.name = *name;
    file.log = cf->log;
    // Not to wait for the writer of a pipe.
    file.fd = ngx_open_file(name->data, NGX_FILE_RDONLY | NGX_FILE_NONBLOCK,
                            NGX_FILE_OPEN, 0);
    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    ngx_int_t rc = NGX_ERROR;
    if (ngx_fd_info(file.fd, &file.info) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", name);
    } else if (!ngx_is_file(&file.info)
               || ngx_file_size(&file.info) > max_file) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no file of prices", name);
    } else {
        text.resize(static_cast<size_t>(ngx_file_size(&file.info)));
        ssize_t n = ngx_read_file(
            &file, reinterpret_cast<u_char *>(text.data()), text.size(), 0);
        if (n != NGX_ERROR) {
            text.resize(static_cast<size_t>(n));
            rc = NGX_OK;
        }
    }
    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }
    return rc;
}

// NULL: logged.
const Table *open_table(ngx_conf_t *cf, ngx_str_t name) {
    std::string text;
    std::string_view json;
    if (to_view(name) == "builtin") {
        json = ngx_http_llm_builtin_prices();
    } else if (read_file(cf, &name, text) == NGX_OK) {
        json = text;
    } else {
        return nullptr;
    }

    auto table = Table::parse(json);
    if (!table) {
        const auto &reason = table.error().message;
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": %*s", &name,
                           reason.size(), reason.data());
        return nullptr;
    }
    auto cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(Table));
    if (cleanup == nullptr) {
        return nullptr;
    }
    auto opened = new (cleanup->data) Table(std::move(*table));
    cleanup->handler = destroy;
    return opened;
}

// llm_prices FILE|builtin ... | off;
char *set_prices(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept try {
    auto &account = static_cast<ngx_http_llm_loc_conf_t *>(conf)->account;
    auto value = arguments(cf);

    if (account.prices != NGX_CONF_UNSET_PTR) {
        return conf_error("is duplicate");
    }
    if (cf->args->nelts == 2 && to_view(value[1]) == "off") {
        account.prices = nullptr;
        return NGX_CONF_OK;
    }

    // There, too, is what was said of models without a price.
    if (ngx_http_llm_totals_need(cf) != NGX_OK) {
        return conf_error();
    }
    account.prices = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                      sizeof(const Table *));
    if (account.prices == nullptr) {
        return conf_error();
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
        if (to_view(value[i]) == "off") {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"off\" goes with no other parameter");
            return conf_error();
        }
        auto slot =
            static_cast<const Table **>(ngx_array_push(account.prices));
        *slot = open_table(cf, value[i]);
        if (*slot == nullptr) {
            return conf_error();
        }
    }
    return NGX_CONF_OK;

} catch (const std::bad_alloc &) {
    return conf_error();
}

// llm_count_tokens;
char *set_count_tokens(ngx_conf_t *cf, ngx_command_t *, void *conf) noexcept {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(conf);
    if (llcf->account.count_tokens != NGX_CONF_UNSET) {
        return conf_error("is duplicate");
    }
    if (llcf->pass || llcf->simulate) {
        return conf_error(
            "is incompatible with \"llm_pass\" and \"llm_simulate\"");
    }
    llcf->account.count_tokens = 1;

    auto clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    clcf->handler = ngx_http_llm_count_handler;
    return NGX_CONF_OK;
}

}  // namespace

ngx_command_t ngx_http_llm_account_commands[] = {
    {ngx_string("llm_prices"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF
         | NGX_CONF_1MORE,
     set_prices, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("llm_count_tokens"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
     set_count_tokens, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    ngx_null_command,
};

void ngx_http_llm_account_conf_create(
    ngx_http_llm_account_conf_t *conf) noexcept {
    conf->prices = static_cast<ngx_array_t *>(NGX_CONF_UNSET_PTR);
    conf->count_tokens = NGX_CONF_UNSET;
}

void ngx_http_llm_account_conf_merge(
    const ngx_http_llm_account_conf_t *prev,
    ngx_http_llm_account_conf_t *conf) noexcept {
    ngx_conf_merge_ptr_value(conf->prices, prev->prices, nullptr);
    // A content handler: not inherited.
    ngx_conf_init_value(conf->count_tokens, 0);
}
