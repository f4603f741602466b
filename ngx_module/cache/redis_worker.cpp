#include "cache/redis_worker.hpp"

#include <algorithm>
#include <new>

#include "embedding/embedding.hpp"

namespace cache_redis {

namespace remote = llm::cache::remote;

namespace {

std::array<std::uint8_t, 32> identity_of(
    const ngx_http_llm_cache_zone_t &zone) noexcept {
    return zone.embedding ? zone.embedding->identity
                          : std::array<std::uint8_t, 32>{};
}

// The keys of a script: EVAL, text, count, keys; of anything else: its key.
std::vector<std::string> keys_of(const Command &command) {
    if (command.words[0] != "EVAL") {
        return {command.key};
    }
    auto count = static_cast<size_t>(command.words[2][0] - '0');
    auto first = command.words.begin() + 3;
    return {first, first + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

std::vector<std::string_view> views(const Command &command) {
    return {command.words.begin(), command.words.end()};
}

Worker::Worker(ngx_http_llm_cache_zone_t *zone, Shared *shared)
    : zone_(zone),
      shared_(shared),
      names_(to_view(zone->prefix), identity_of(*zone)),
      index_(*this),
      follower_(*this) {}

size_t Worker::dimensions() const noexcept {
    return zone_->embedding ? zone_->embedding->dimensions : 0;
}

void *Worker::send(const Command &command,
                   ngx_http_llm_redis_handler_pt handler, void *data,
                   ngx_msec_t block) noexcept try {
    auto words = views(command);
    return ngx_http_llm_redis_send(zone_->redis,
                                   {words, command.key, block}, handler, data);
} catch (const std::bad_alloc &) {
    return nullptr;
}

void Worker::post(const Command &command, const char *what) noexcept try {
    posted_.push_back({this, what, keys_of(command), {}});
    auto posted = std::prev(posted_.end());
    posted->self = posted;
    if (send(command, on_posted, &*posted) == nullptr) {
        posted_.erase(posted);
        log(what, "no memory");
    }
} catch (const std::bad_alloc &) {
    log(what, "no memory");
}

void Worker::on_posted(void *data,
                       const ngx_http_llm_redis_result_t &result) noexcept {
    auto posted = static_cast<Posted *>(data);
    Worker *worker = posted->worker;
    const char *what = posted->what;

    std::list<Posted> done;
    done.splice(done.begin(), worker->posted_, posted->self);

    if (result.reply == nullptr) {
        return worker->log(what, result);
    }
    try {
        auto read = remote::read_done(*result.reply);
        if (read) {
            return;
        }
        worker->log(what, read.error().message);
        if (read.error().code == remote::code_wrong_type) {
            for (const auto &key : done.front().keys) {
                (void) worker->send(remote::remove_key(key), nullptr, nullptr);
            }
        }
    } catch (const std::bad_alloc &) {
        worker->log(what, "no memory");
    }
}

void Worker::log(const char *what, std::string_view why) noexcept {
    if (logged_ == ngx_time()) {
        ++suppressed_;
        return;
    }
    logged_ = ngx_time();
    if (suppressed_) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "llm_cache_zone \"%V\": %s failed in Redis: %*s "
                      "(and %ui more of such)",
                      &zone_->name, what, why.size(), why.data(), suppressed_);
    } else {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "llm_cache_zone \"%V\": %s failed in Redis: %*s",
                      &zone_->name, what, why.size(), why.data());
    }
    suppressed_ = 0;
}

void Worker::log(const char *what,
                 const ngx_http_llm_redis_result_t &result) noexcept try {
    if (result.reply == nullptr) {
        return log(what, std::string_view(result.failure));
    }
    log(what, remote::printable(result.reply->text));
} catch (const std::bad_alloc &) {
    log(what, std::string_view("no memory"));
}

// Batch

Batch::Batch(ngx_http_request_t *r, Worker &worker, size_t most)
    : request_(r), worker_(worker) {
    // Calls are known by their addresses.
    calls_.reserve(most);
}

Batch::~Batch() {
    for (Call &call : calls_) {
        if (call.call) {
            ngx_http_llm_redis_cancel(call.call);
        }
    }
}

void Batch::add(const Command &command) {
    Call &call = calls_.emplace_back(Call{this});
    call.call = worker_.send(command, finished, &call);
    if (call.call) {
        ++pending_;
    } else {
        call.failure = "no memory";
    }
}

void Batch::finished(void *data,
                     const ngx_http_llm_redis_result_t &result) noexcept {
    auto call = static_cast<Call *>(data);
    Batch *batch = call->batch;
    call->call = nullptr;
    if (result.reply) {
        try {
            call->reply = *result.reply;
        } catch (const std::bad_alloc &) {
            call->failure = "no memory";
        }
    } else {
        call->failure = result.failure;
    }
    if (--batch->pending_ == 0 && batch->waiting_) {
        ngx_http_set_log_request(batch->request_->connection->log,
                                 batch->request_);
        // This may be gone afterwards.
        std::exchange(batch->waiting_, {}).resume();
    }
}

bool Batch::failed(std::string *why) const {
    auto bad = std::find_if(calls_.begin(), calls_.end(), [](const Call &c) {
        return c.failure || c.reply.is_error();
    });
    if (bad == calls_.end()) {
        return false;
    }
    *why = bad->failure ? bad->failure : remote::printable(bad->reply.text);
    return true;
}

}  // namespace cache_redis
