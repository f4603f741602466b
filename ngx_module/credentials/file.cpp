#include "credentials/file.hpp"

#include <sys/stat.h>

namespace {

// A key file of Google's has 2.4 KB, a token up to 16 KB.
constexpr size_t max_file = 64 * 1024;

class Descriptor {
public:
    explicit Descriptor(const std::string &path) noexcept
        : fd_(ngx_open_file(path.c_str(), NGX_FILE_RDONLY | NGX_FILE_NONBLOCK,
                            NGX_FILE_OPEN, 0)) {}
    ~Descriptor() {
        if (fd_ != NGX_INVALID_FILE) {
            (void) ngx_close_file(fd_);
        }
    }
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;

    ngx_fd_t fd() const noexcept { return fd_; }

private:
    ngx_fd_t fd_;
};

}  // namespace

const char *ngx_http_llm_credentials_read(const std::string &path,
                                          std::string &text) {
    Descriptor file(path);
    ngx_file_info_t info;
    if (file.fd() == NGX_INVALID_FILE) {
        return ngx_open_file_n " failed";
    }
    if (ngx_fd_info(file.fd(), &info) == NGX_FILE_ERROR) {
        return ngx_fd_info_n " failed";
    }
    if (!ngx_is_file(&info)) {
        ngx_set_errno(0);
        return "it is not a regular file";
    }
    text.resize(max_file + 1);
    size_t size = 0;
    ssize_t n;
    while ((n = ngx_read_fd(file.fd(), text.data() + size,
                            text.size() - size)) > 0) {
        size += static_cast<size_t>(n);
    }
    if (n == -1) {
        return ngx_read_fd_n " failed";
    }
    text.resize(size);
    if (size > max_file) {
        ngx_set_errno(0);
        return "it is too long";
    }
    return nullptr;
}

const char *ngx_http_llm_credentials_probe(const std::string &path) noexcept {
    return Descriptor(path).fd() == NGX_INVALID_FILE
               ? ngx_open_file_n " failed" : nullptr;
}

bool ngx_http_llm_credentials_public(const std::string &path) noexcept {
    ngx_file_info_t info;
    return ngx_file_info(path.c_str(), &info) != NGX_FILE_ERROR
           && (info.st_mode & S_IROTH);
}
