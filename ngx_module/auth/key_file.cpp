#include "auth/key_file.hpp"

#include <cstring>
#include <exception>
#include <new>
#include <optional>

namespace {

using File = ngx_http_llm_key_file_t;
using Version = ngx_http_llm_file_version_t;

// How often a file is looked at, and how soon the next piece of a new version
// is read: each takes about a millisecond.
constexpr ngx_msec_t watch_interval = 1000;
constexpr ngx_msec_t piece_interval = 1;
constexpr size_t piece_size = 1024 * 1024;
constexpr size_t piece_lines = 1000;

// Clocks of file systems tick some milliseconds apart: a file that changed so
// recently may change again with the same time.
constexpr time_t settle_time = 2;

// A device that never ends, say, is not a key file.
constexpr off_t max_size = off_t(1) << 30;

class Descriptor {
public:
    explicit Descriptor(const ngx_str_t &path) noexcept
        : fd_(ngx_open_file(path.data, NGX_FILE_RDONLY | NGX_FILE_NONBLOCK,
                            NGX_FILE_OPEN, 0)) {}
    ~Descriptor() {
        if (fd_ != NGX_INVALID_FILE) {
            (void) ngx_close_file(fd_);
        }
    }
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;

    bool is_open() const noexcept { return fd_ != NGX_INVALID_FILE; }
    ngx_fd_t fd() const noexcept { return fd_; }

private:
    ngx_fd_t fd_;
};

Version version_of(const ngx_file_info_t &info) noexcept {
    Version version;
    version.device = info.st_dev;
    version.inode = info.st_ino;
    version.size = info.st_size;
    version.seconds = info.st_mtim.tv_sec;
    version.nanoseconds = info.st_mtim.tv_nsec;
    return version;
}

// Whether a change from now on makes another version.
bool is_settled(const Version &version) noexcept {
    time_t now = ngx_time();
    return now < version.seconds || now > version.seconds + settle_time;
}

std::string failure(const char *call) {
    return std::string(call) + " failed: " + std::strerror(ngx_errno);
}

}  // namespace

struct ngx_http_llm_key_reading_t {
    explicit ngx_http_llm_key_reading_t(const ngx_str_t &path)
        : descriptor(path) {}

    // What is wrong with the file; empty: it can be read.
    std::string open() {
        if (!descriptor.is_open()) {
            return failure("open()");
        }
        ngx_file_info_t info;
        if (ngx_fd_info(descriptor.fd(), &info) == NGX_FILE_ERROR) {
            return failure("fstat()");
        }
        if (!ngx_is_file(&info)) {
            return "not a file";
        }
        if (info.st_size > max_size) {
            return "larger than 1 GB";
        }
        version = version_of(info);
        text.reserve(static_cast<size_t>(info.st_size) + piece_size);
        return {};
    }

    // One piece of it. What is wrong with the file; empty: nothing so far.
    std::string go_on(size_t size, size_t lines) {
        if (!reader) {
            return read_piece(size);
        }
        if (auto read = reader->read(lines); !read) {
            return std::move(read.error().message);
        }
        return {};
    }

    bool done() const noexcept { return reader && reader->done(); }

    Version version;
    std::optional<llm::ConsumerKeysReader> reader;

private:
    std::string read_piece(size_t size) {
        size_t old = text.size();
        text.resize(old + size);
        ssize_t n = ::read(descriptor.fd(), text.data() + old, size);
        if (n == -1) {
            return failure("read()");
        }
        text.resize(old + static_cast<size_t>(n));
        if (static_cast<off_t>(text.size()) > max_size) {
            return "larger than 1 GB";
        }
        if (n == 0) {
            reader.emplace(text);
        }
        return {};
    }

    Descriptor descriptor;
    std::string text;
};

ngx_http_llm_key_file_t::ngx_http_llm_key_file_t() noexcept = default;
ngx_http_llm_key_file_t::~ngx_http_llm_key_file_t() {
    // With "master_process off" a reload ends in the same process.
    if (timer.timer_set) {
        ngx_del_timer(&timer);
    }
}

namespace {

void destroy(void *data) noexcept {
    static_cast<File *>(data)->~File();
}

void accept(File *file, ngx_http_llm_key_reading_t &reading) {
    file->keys =
        std::make_shared<const llm::ConsumerKeys>(reading.reader->take());
    file->version = reading.version;
    file->settled = is_settled(file->version);
    file->complaint.clear();
}

// A file that cannot be used changes nothing: the keys stay what they were.
void complain(File *file, std::string &&why) {
    if (file->complaint != why) {
        file->complaint = std::move(why);
        ngx_log_error(NGX_LOG_ERR, file->timer.log, 0,
                      "llm_auth: key file \"%V\": %*s; the keys that were "
                      "read before stay valid",
                      &file->path, file->complaint.size(),
                      file->complaint.data());
    }
}

// Whether there is another version to be read.
bool has_changed(File *file) {
    ngx_file_info_t info;
    if (ngx_file_info(file->path.data, &info) == NGX_FILE_ERROR) {
        file->settled = false;
        complain(file, failure("stat()"));
        return false;
    }
    Version version = version_of(info);
    if (version != file->seen) {
        file->seen = version;
        file->complaint.clear();
    }
    return !file->settled || version != file->version;
}

// NGX_DONE: there is no more to be done until it changes.
ngx_int_t read_on(File *file) {
    if (!file->reading) {
        if (!has_changed(file)) {
            return NGX_DONE;
        }
        file->reading =
            std::make_unique<ngx_http_llm_key_reading_t>(file->path);
        if (auto wrong = file->reading->open(); !wrong.empty()) {
            file->reading.reset();
            complain(file, std::move(wrong));
            return NGX_DONE;
        }
        return NGX_AGAIN;
    }

    auto &reading = *file->reading;
    auto wrong = reading.go_on(piece_size, piece_lines);
    if (wrong.empty() && !reading.done()) {
        return NGX_AGAIN;
    }
    if (wrong.empty()) {
        bool news = reading.version != file->version;
        accept(file, reading);
        if (news) {
            ngx_log_error(NGX_LOG_NOTICE, file->timer.log, 0,
                          "llm_auth: key file \"%V\" has changed: %uz keys",
                          &file->path, file->keys->all().size());
        }
    } else {
        // Not looked at again before it changes.
        file->version = reading.version;
        file->settled = is_settled(file->version);
        complain(file, std::move(wrong));
    }
    file->reading.reset();
    return NGX_DONE;
}

void on_timer(ngx_event_t *ev) noexcept {
    auto file = static_cast<File *>(ev->data);
    ngx_int_t rc;
    try {
        rc = read_on(file);
    } catch (const std::exception &) {
        ngx_log_error(NGX_LOG_ERR, ev->log, 0,
                      "llm_auth: no memory to read key file \"%V\" again",
                      &file->path);
        file->reading.reset();
        rc = NGX_DONE;
    }
    ngx_add_timer(ev, rc == NGX_AGAIN ? piece_interval : watch_interval);
}

// All of it at once: nobody waits while a configuration is read.
std::string read_whole(File *file) {
    ngx_http_llm_key_reading_t reading(file->path);
    auto wrong = reading.open();
    while (wrong.empty() && !reading.done()) {
        wrong = reading.go_on(piece_size, SIZE_MAX);
    }
    if (wrong.empty()) {
        accept(file, reading);
    }
    return wrong;
}

}  // namespace

ngx_http_llm_key_file_t *ngx_http_llm_key_file(
    ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf,
    const ngx_str_t *path) noexcept try {
    ngx_str_t full = *path;
    if (ngx_conf_full_name(cf->cycle, &full, 1) != NGX_OK) {
        return nullptr;
    }
    auto files = static_cast<File **>(mcf->key_files.elts);
    for (ngx_uint_t i = 0; i < mcf->key_files.nelts; ++i) {
        if (to_view(files[i]->path) == to_view(full)) {
            return files[i];
        }
    }

    auto slot = static_cast<File **>(ngx_array_push(&mcf->key_files));
    auto cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(File));
    if (slot == nullptr || cleanup == nullptr) {
        return nullptr;
    }
    auto file = new (cleanup->data) File();
    cleanup->handler = destroy;
    *slot = file;
    file->path = full;

    auto wrong = read_whole(file);
    if (!wrong.empty()) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "key file \"%V\": %*s",
                           &file->path, wrong.size(), wrong.data());
        return nullptr;
    }
    return file;

} catch (const std::exception &) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "no memory for key file \"%V\"",
                       path);
    return nullptr;
}

void ngx_http_llm_key_file_watch(ngx_cycle_t *cycle,
                                 ngx_http_llm_key_file_t *file) noexcept {
    file->timer.handler = on_timer;
    file->timer.data = file;
    file->timer.log = cycle->log;
    // A worker that is to leave needs no news.
    file->timer.cancelable = 1;
    if (!Descriptor(file->path).is_open()) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, ngx_errno,
                      "llm_auth: workers cannot read key file \"%V\": changes "
                      "of it will not be seen before a reload",
                      &file->path);
    }
    ngx_add_timer(&file->timer, watch_interval);
}
