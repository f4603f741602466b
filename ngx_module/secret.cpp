#include "secret.hpp"

#include <sys/stat.h>

#include <cstdlib>

#include "block.hpp"

namespace {

// Longer than any key or token; what is longer is not one.
constexpr size_t max_secret = 16384;

// What `env NAME=VALUE;` says; no data where it does not.
std::string_view configured_env(ngx_conf_t *cf, std::string_view name) {
    auto *ccf = reinterpret_cast<ngx_core_conf_t *>(
        ngx_get_conf(cf->cycle->conf_ctx, ngx_core_module));
    auto *vars = static_cast<ngx_str_t *>(ccf->env.elts);

    for (ngx_uint_t i = 0; i < ccf->env.nelts; i++) {
        // len is the name's; the text goes on with "=VALUE" if there is one.
        if (to_view(vars[i]) == name && vars[i].data[vars[i].len] == '=') {
            return reinterpret_cast<char *>(vars[i].data + vars[i].len + 1);
        }
    }
    return {};
}

ngx_int_t keep(ngx_conf_t *cf, std::string_view text, ngx_str_t *secret) {
    auto view = to_ngx(text);
    secret->data = ngx_pstrdup(cf->pool, &view);
    secret->len = text.size();
    return secret->data == nullptr ? NGX_ERROR : NGX_OK;
}

class File {
public:
    explicit File(const ngx_str_t &name) noexcept
        : fd_(ngx_open_file(name.data, NGX_FILE_RDONLY | NGX_FILE_NONBLOCK,
                            NGX_FILE_OPEN, 0)) {}
    ~File() {
        if (fd_ != NGX_INVALID_FILE) {
            ngx_close_file(fd_);
        }
    }
    File(const File &) = delete;
    File &operator=(const File &) = delete;

    ngx_fd_t fd() const noexcept { return fd_; }

private:
    ngx_fd_t fd_;
};

}  // namespace

std::string_view ngx_http_llm_find_env(ngx_conf_t *cf, const char *name)
    noexcept {
    auto value = configured_env(cf, name);
    if (value.data() == nullptr) {
        if (const char *found = std::getenv(name)) {
            value = found;
        }
    }
    return value;
}

ngx_int_t ngx_http_llm_secret_env(ngx_conf_t *cf, ngx_str_t *name,
                                  ngx_str_t *secret) noexcept {
    // Configuration strings end with a NUL.
    auto value =
        ngx_http_llm_find_env(cf, reinterpret_cast<char *>(name->data));
    if (value.data() == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "environment variable \"%V\" is not set", name);
        return NGX_ERROR;
    }

    if (value.empty()) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "environment variable \"%V\" is empty", name);
        return NGX_ERROR;
    }
    if (ngx_http_llm_has_control(value)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "environment variable \"%V\" has control characters",
                           name);
        return NGX_ERROR;
    }
    return keep(cf, value, secret);
}

ngx_int_t ngx_http_llm_secret_file(ngx_conf_t *cf, ngx_str_t *path,
                                   ngx_str_t *secret) noexcept {
    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    File file(*path);
    if (file.fd() == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", path);
        return NGX_ERROR;
    }

    ngx_file_info_t info;
    if (ngx_fd_info(file.fd(), &info) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", path);
        return NGX_ERROR;
    }
    if (!ngx_is_file(&info)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a regular file", path);
        return NGX_ERROR;
    }
    if (info.st_mode & S_IROTH) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" holds a secret and is readable by others",
                           path);
    }

    char bytes[max_secret + 1];
    auto n = ngx_read_fd(file.fd(), bytes, sizeof(bytes));
    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", path);
        return NGX_ERROR;
    }

    std::string_view text(bytes, static_cast<size_t>(n));
    auto line = text.substr(0, text.find('\n'));
    if (line.size() > max_secret) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the first line of \"%V\" is too long", path);
        return NGX_ERROR;
    }
    line = line.substr(0, line.find_last_not_of(" \t\r\f\v") + 1);

    if (line.empty()) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the first line of \"%V\" is empty", path);
        return NGX_ERROR;
    }
    if (ngx_http_llm_has_control(line)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the first line of \"%V\" has control characters",
                           path);
        return NGX_ERROR;
    }
    return keep(cf, line, secret);
}
