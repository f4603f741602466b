#include "cache/redis_worker.hpp"

#include <new>

namespace cache_redis {

namespace remote = llm::cache::remote;
using remote::IndexState;

namespace {

// How long an index that cannot be used is left alone, and one of which Redis
// told nothing.
constexpr ngx_msec_t long_pause = 10000;
constexpr ngx_msec_t short_pause = 1000;

}  // namespace

bool SearchIndex::ready() noexcept {
    if (state_ == State::ready) {
        return true;
    }
    if (state_ == State::asking
        || (state_ == State::unusable
            && static_cast<ngx_msec_int_t>(retry_at_ - ngx_current_msec) > 0))
    {
        return false;
    }
    state_ = State::asking;
    try {
        if (worker_.send(remote::index_info(worker_.names()), on_info, this)) {
            return false;
        }
    } catch (const std::bad_alloc &) {
        // As below.
    }
    retry_in(short_pause);
    return false;
}

void SearchIndex::doubt() noexcept {
    if (state_ == State::ready) {
        state_ = State::unknown;
        (void) ready();
    }
}

void SearchIndex::retry_in(ngx_msec_t ms) noexcept {
    state_ = State::unusable;
    retry_at_ = ngx_current_msec + ms;
}

void SearchIndex::on_info(void *data,
                          const ngx_http_llm_redis_result_t &result) noexcept {
    auto index = static_cast<SearchIndex *>(data);
    Worker &worker = index->worker_;
    if (result.reply == nullptr) {
        worker.log("looking for the index", result);
        return index->retry_in(short_pause);
    }
    try {
        auto report = remote::read_index_info(*result.reply, worker.names(),
                                              worker.dimensions());
        if (report.state != IndexState::absent) {
            return index->settle(report);
        }
        auto algorithm = worker.zone().index_flat ? remote::Algorithm::flat
                                                  : remote::Algorithm::hnsw;
        if (worker.send(remote::create_index(worker.names(),
                                             worker.dimensions(), algorithm),
                        on_created, index))
        {
            return;
        }
    } catch (const std::bad_alloc &) {
        // As below.
    }
    worker.log("making the index", "no memory");
    index->retry_in(short_pause);
}

void SearchIndex::on_created(
    void *data, const ngx_http_llm_redis_result_t &result) noexcept {
    auto index = static_cast<SearchIndex *>(data);
    if (result.reply == nullptr) {
        index->worker_.log("making the index", result);
        return index->retry_in(short_pause);
    }
    try {
        index->settle(remote::read_create_index(*result.reply));
    } catch (const std::bad_alloc &) {
        index->worker_.log("making the index", "no memory");
        index->retry_in(short_pause);
    }
}

void SearchIndex::settle(const remote::IndexReport &report) {
    ngx_http_llm_cache_zone_t &zone = worker_.zone();
    ngx_str_t name = to_ngx(worker_.names().prefix());
    ngx_str_t id = to_ngx(worker_.names().id());

    if (report.state == IndexState::ready) {
        state_ = State::ready;
        if (logged_) {
            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "llm_cache_zone \"%V\": its index \"%Vidx:%V\" can "
                          "be used again",
                          &zone.name, &name, &id);
        }
        logged_ = false;
        return;
    }

    retry_in(report.state == IndexState::failed ? short_pause : long_pause);
    std::string_view hint;
    switch (report.state) {
    case IndexState::other:
        hint = "; drop it (FT.DROPINDEX), or use another \"prefix\"";
        break;
    case IndexState::unsupported:
        hint = "; \"index redisearch\" needs a server with a query engine, "
               "\"index memory\" does not";
        break;
    default:
        break;
    }
    // Each pause would have its line.
    ngx_uint_t level = logged_ ? NGX_LOG_INFO : NGX_LOG_ERR;
    logged_ = true;
    ngx_log_error(level, ngx_cycle->log, 0,
                  "llm_cache_zone \"%V\": its index \"%Vidx:%V\" in Redis "
                  "cannot be used: %*s%*s",
                  &zone.name, &name, &id, report.detail.size(),
                  report.detail.data(), hint.size(), hint.data());
}

}  // namespace cache_redis
