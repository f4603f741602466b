// A worker's side of the tier in Redis, shared by the files named redis_* in
// this folder.
#pragma once

#include "cache/redis_shared.hpp"
#include "cache/redis_tier.hpp"
#include "redis/redis.hpp"

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "llm/cache_redis.hpp"

namespace cache_redis {

using llm::cache::ZoneKey;
using llm::cache::remote::Command;
using llm::cache::remote::Names;

class Worker;

// Follows the stream, where this worker is the one to do so: looks where it
// is, reads from there on, and looks again every few seconds.
class Follower {
public:
    explicit Follower(Worker &worker) noexcept;
    ~Follower();
    Follower(const Follower &) = delete;
    Follower &operator=(const Follower &) = delete;

    void start() noexcept;

private:
    using Look = llm::cache::remote::Look;

    static void on_tick(ngx_event_t *ev) noexcept;
    static void on_epoch(void *data, const ngx_http_llm_redis_result_t &result)
        noexcept;
    static void on_first(void *data, const ngx_http_llm_redis_result_t &result)
        noexcept;
    static void on_last(void *data, const ngx_http_llm_redis_result_t &result)
        noexcept;
    static void on_read(void *data, const ngx_http_llm_redis_result_t &result)
        noexcept;

    void tick();
    void stop() noexcept;
    bool busy() const noexcept;
    void look();
    void looked();
    void read();
    void take(const ngx_http_llm_redis_result_t &result);
    void apply(const llm::cache::remote::Record &record);
    void apply_added(const llm::cache::remote::Record &record);
    bool answered(const ngx_http_llm_redis_result_t &result) noexcept;
    void failed(const llm::Error &error) noexcept;

    Worker &worker_;
    ngx_connection_t dummy_ = {};   // nginx's debug log looks for its fd
    ngx_event_t timer_ = {};

    // Outstanding commands.
    void *epoch_call_ = nullptr;
    void *first_call_ = nullptr;
    void *last_call_ = nullptr;
    void *read_call_ = nullptr;

    Look look_;
    bool look_failed_ = false;
    bool connected_ = false;    // no break since the last look
    bool complaining_ = false;  // the log has it that something is wrong
    bool caught_up_ = false;
    ngx_msec_t look_at_ = 0;
};

// The index of Redis' query engine: is it there, and what should be.
class SearchIndex {
public:
    explicit SearchIndex(Worker &worker) noexcept : worker_(worker) {}

    // May be searched. Where it is not known, or was not so a while ago, it
    // is asked for.
    bool ready() noexcept;
    // A search has failed: it may have gone, or have been replaced.
    void doubt() noexcept;

private:
    enum class State : std::uint8_t { unknown, asking, ready, unusable };

    static void on_info(void *data, const ngx_http_llm_redis_result_t &result)
        noexcept;
    static void on_created(void *data,
                           const ngx_http_llm_redis_result_t &result) noexcept;

    void settle(const llm::cache::remote::IndexReport &report);
    void retry_in(ngx_msec_t ms) noexcept;

    Worker &worker_;
    State state_ = State::unknown;
    ngx_msec_t retry_at_ = 0;
    bool logged_ = false;
};

class Worker {
public:
    Worker(ngx_http_llm_cache_zone_t *zone, Shared *shared);
    static Worker &of(ngx_http_llm_cache_zone_t *zone) noexcept {
        return *static_cast<Worker *>(zone->redis_tier);
    }

    ngx_http_llm_cache_zone_t &zone() const noexcept { return *zone_; }
    const Names &names() const noexcept { return names_; }
    Shared &shared() const noexcept { return *shared_; }
    SearchIndex &index() noexcept { return index_; }
    Follower &follower() noexcept { return follower_; }
    size_t dimensions() const noexcept;

    // NULL: it could not be sent, and the handler will not be called.
    void *send(const Command &command, ngx_http_llm_redis_handler_pt handler,
               void *data, ngx_msec_t block = 0) noexcept;

    // Nobody waits for it; what goes wrong is logged. A key of somebody else's
    // that is in the way goes, so that the next time is better.
    void post(const Command &command, const char *what) noexcept;

    // Once a second at most, with the number of those that were not logged.
    void log(const char *what, std::string_view why) noexcept;
    void log(const char *what, const ngx_http_llm_redis_result_t &result)
        noexcept;

    // Whether VSIM has WITHATTRIBS (Redis 8.2).
    bool attributes = true;

private:
    struct Posted {
        Worker *worker;
        const char *what;
        std::vector<std::string> keys;
        std::list<Posted>::iterator self;
    };

    static void on_posted(void *data,
                          const ngx_http_llm_redis_result_t &result) noexcept;

    ngx_http_llm_cache_zone_t *zone_;
    Shared *shared_;
    Names names_;
    std::list<Posted> posted_;
    time_t logged_ = 0;
    ngx_uint_t suppressed_ = 0;
    SearchIndex index_;
    Follower follower_;
};

std::vector<std::string_view> views(const Command &command);

// Several commands of a request at once; their replies when all are there.
//
//     Batch batch(r, worker, 2);
//     batch.add(first);
//     batch.add(second);
//     co_await batch;
class Batch {
public:
    Batch(ngx_http_request_t *r, Worker &worker, size_t most);
    ~Batch();
    Batch(const Batch &) = delete;
    Batch &operator=(const Batch &) = delete;

    // Up to so many as the constructor was told.
    void add(const Command &command);
    size_t size() const noexcept { return calls_.size(); }

    bool await_ready() const noexcept { return pending_ == 0; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept {
        waiting_ = waiting;
    }
    void await_resume() const noexcept {}

    // Afterwards. No reply: NULL.
    const llm::redis::Reply *reply(size_t i) const noexcept {
        return calls_[i].failure ? nullptr : &calls_[i].reply;
    }
    // Of the first that has failed, without a reply or with an error.
    bool failed(std::string *why) const;

private:
    struct Call {
        Batch *batch;
        void *call = nullptr;
        const char *failure = nullptr;
        llm::redis::Reply reply = {};
    };

    static void finished(void *data, const ngx_http_llm_redis_result_t &result)
        noexcept;

    ngx_http_request_t *request_;
    Worker &worker_;
    std::vector<Call> calls_;
    size_t pending_ = 0;
    std::coroutine_handle<> waiting_;
};

}  // namespace cache_redis
