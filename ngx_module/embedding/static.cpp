// model static: a table in the worker.
#include "embedding_conf.hpp"

#include <new>

#include <sys/mman.h>

extern "C" {

// static_table.S
extern const std::byte ngx_http_llm_static_table[];
extern const std::byte ngx_http_llm_static_table_end[];

}

namespace {

// A file that is mapped as long as the cycle's pool lives.
struct Mapping {
    void *address;
    size_t size;
};

void unmap(void *data) noexcept {
    auto *mapping = static_cast<Mapping *>(data);
    if (munmap(mapping->address, mapping->size) == -1) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "munmap() failed");
    }
}

void destroy(void *data) noexcept {
    using llm::embedding::StaticTable;
    static_cast<StaticTable *>(data)->~StaticTable();
}

// Empty: logged.
std::span<const std::byte> map(ngx_conf_t *cf, const ngx_str_t *path)
    noexcept {
    ngx_str_t name = *path;
    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return {};
    }
    auto *cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(Mapping));
    if (cleanup == nullptr) {
        return {};
    }

    auto fd = ngx_open_file(name.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &name);
        return {};
    }

    void *address = MAP_FAILED;
    size_t size = 0;
    ngx_file_info_t info;
    if (ngx_fd_info(fd, &info) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", &name);
    } else if (!ngx_is_file(&info) || ngx_file_size(&info) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a table of embeddings", &name);
    } else {
        size = static_cast<size_t>(ngx_file_size(&info));
        address = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
        if (address == MAP_FAILED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                               "mmap() of \"%V\" failed", &name);
        }
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", &name);
    }
    if (address == MAP_FAILED) {
        return {};
    }
    auto *mapping = static_cast<Mapping *>(cleanup->data);
    *mapping = {address, size};
    cleanup->handler = unmap;
    return {static_cast<const std::byte *>(address), size};
}

}  // namespace

llm::embedding::StaticTable *ngx_http_llm_static_table_open(
    ngx_conf_t *cf, const ngx_str_t *file) noexcept try {
    using llm::embedding::StaticTable;

    std::span<const std::byte> bytes(ngx_http_llm_static_table,
                                     ngx_http_llm_static_table_end);
    if (file) {
        bytes = map(cf, file);
        if (bytes.empty()) {
            return nullptr;
        }
    }

    auto table = StaticTable::open(bytes);
    if (!table) {
        const auto &reason = table.error().message;
        if (file) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": %*s", file,
                               reason.size(), reason.data());
        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the built-in table of embeddings: %*s",
                               reason.size(), reason.data());
        }
        return nullptr;
    }

    auto *cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(StaticTable));
    if (cleanup == nullptr) {
        return nullptr;
    }
    auto *opened = new (cleanup->data) StaticTable(std::move(*table));
    cleanup->handler = destroy;
    return opened;

} catch (const std::bad_alloc &) {
    return nullptr;
}

bool ngx_http_llm_static_embed(const llm::embedding::StaticTable &table,
                               std::string_view text, std::span<float> out)
    noexcept try {
    static llm::embedding::StaticTable::Scratch scratch;
    return text.size() <= ngx_http_llm_embedding_max_text
           && table.embed(text, out, scratch) != 0;
} catch (const std::bad_alloc &) {
    return false;
}
