// llm_auth file=PATH: a file of keys, read while the configuration is, and
// again by each worker when it has changed.
#pragma once

#include "ngx_http_llm.hpp"

#include <memory>
#include <string>

#include "llm/consumer.hpp"

// What tells one version of a file from another.
struct ngx_http_llm_file_version_t {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    time_t seconds = 0;
    long nanoseconds = 0;

    bool operator==(const ngx_http_llm_file_version_t &) const = default;
};

// Reading a new version, a piece in each turn of a timer.
struct ngx_http_llm_key_reading_t;

struct ngx_http_llm_key_file_t {
    ngx_http_llm_key_file_t() noexcept;
    ~ngx_http_llm_key_file_t();

    ngx_str_t path;             // ends with a NUL

    // Requests keep the version that they were let in by.
    std::shared_ptr<const llm::ConsumerKeys> keys;
    ngx_http_llm_file_version_t version;
    // False: it changed just now, and may again without looking different.
    bool settled = false;

    // What was wrong with the file when it was last looked at; said once of
    // each version.
    std::string complaint;
    ngx_http_llm_file_version_t seen;

    ngx_event_t timer = {};
    std::unique_ptr<ngx_http_llm_key_reading_t> reading;
};

// The file of that path; made and read at the first call for it. NULL: logged
// with the line of the configuration.
ngx_http_llm_key_file_t *ngx_http_llm_key_file(
    ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf, const ngx_str_t *path)
    noexcept;

void ngx_http_llm_key_file_watch(ngx_cycle_t *cycle,
                                 ngx_http_llm_key_file_t *file) noexcept;
